//! The call of an orchestrator: a child in an orchestrator, a start outside one.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Timeout;
use super::activity_call::checked;
use super::attempts::{AttemptNumbers, Attempts, Subject};
use super::settle::{self, Caught};
use crate::definition::{Decoded, OrchestratorMarker};
use crate::durable::Durable;
use crate::event::{ChildScheduled, HistoryEvent, Name};
use crate::failure::{Failure, Fault, FaultKind};
use crate::id::{EventId, InstanceId, SourceSite};
use crate::payload::{EncodeError, Payload};
use crate::replay;
use crate::retry::RetryPolicy;

/// The call of an orchestrator, made by calling the annotated function.
///
/// In an orchestrator, awaiting it starts a child orchestration and waits for its recorded outcome, across restarts.
/// Outside one it is what an engine's `start` takes.
///
/// # Replay
/// The recorded outcome is returned.
///
/// # Cancel safety
/// Dropping it while it waits cancels the child.
///
/// # Panics
/// When it is polled outside an orchestrator.
#[must_use = "an orchestrator call does nothing until it is awaited in an orchestrator or given to `engine.start(..)`"]
pub struct OrchestratorCall<Out, M> {
    attempts: Attempts<ChildSubject>,
    types: PhantomData<fn() -> (Out, M)>,
}

/// What a client needs to start an instance.
#[derive(Debug)]
pub(crate) struct OrchestratorParts {
    pub(crate) name: Name,
    pub(crate) version: Option<String>,
    pub(crate) input: Result<Payload, EncodeError>,
    pub(crate) id: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether a retry policy was given, which only a child can have.
    pub(crate) is_retried: bool,
}

/// A child by name.
#[derive(Debug)]
pub(super) struct ChildSubject(OrchestratorParts);

impl ChildSubject {
    pub(super) fn new(
        name: Name,
        version: Option<String>,
        input: Result<Payload, EncodeError>,
    ) -> Self {
        Self(OrchestratorParts {
            name,
            version,
            input,
            id: None,
            tags: BTreeMap::new(),
            is_retried: false,
        })
    }

    pub(super) fn parts(&self) -> &OrchestratorParts {
        &self.0
    }

    pub(super) fn parts_mut(&mut self) -> &mut OrchestratorParts {
        &mut self.0
    }

    pub(super) fn into_parts(self) -> OrchestratorParts {
        self.0
    }

    fn input(&self) -> Result<Payload, Fault> {
        settle::recordable(self.0.input.clone(), "input", &self.0.name)
    }

    fn chosen_id(&self) -> Result<Option<InstanceId>, Fault> {
        let id = self.0.id.as_deref().map(InstanceId::parse).transpose();
        id.map_err(|error| Fault::new(FaultKind::Conflict, self.0.name.clone(), error.to_string()))
    }
}

impl Subject for ChildSubject {
    fn check(&self) -> Result<(), Fault> {
        self.input()?;
        self.chosen_id().map(|_| ())
    }

    fn command(&self, context: &replay::Context, attempt: &AttemptNumbers) -> HistoryEvent {
        // A chosen id names the first attempt, so that each attempt keeps a history of its own.
        let chosen = self.chosen_id().ok().flatten();
        let chosen = chosen.filter(|_| attempt.number == 1);
        HistoryEvent::ChildScheduled(ChildScheduled {
            id: attempt.id,
            site: attempt.site.id(),
            call: attempt.call,
            attempt: attempt.number,
            instance: chosen.unwrap_or_else(|| context.child_instance(attempt.id)),
            name: self.0.name.clone(),
            version: self.0.version.clone(),
            input: checked(&self.input()),
            retry: attempt.retry,
        })
    }

    fn issued(&self, context: &mut replay::Context, id: EventId) {
        context.tag_child(id, &self.0.tags);
    }
}

impl<Out: 'static, M: OrchestratorMarker<Out>> OrchestratorCall<Out, M> {
    #[doc(hidden)]
    #[track_caller]
    pub fn __new(input: Result<Payload, EncodeError>) -> Self {
        let version = M::DEF.version.map(str::to_owned);
        let subject = ChildSubject::new(Name::Borrowed(M::DEF.name), version, input);
        Self {
            attempts: Attempts::new(subject, SourceSite::caller()),
            types: PhantomData,
        }
    }

    /// Names the instance. Of a child that is retried this names the first attempt only.
    ///
    /// An id that breaks the rules of [`InstanceId`] is a fault at the await, or an error of the start.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.attempts.subject.0.id = Some(id.into());
        self
    }

    /// Asks for this version of the orchestrator, in place of the function's own.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.attempts.subject.0.version = Some(version.into());
        self
    }

    /// Adds a label to the instance.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let tags = &mut self.attempts.subject.0.tags;
        tags.insert(key.into(), value.into());
        self
    }

    /// Retries the child by `policy`; without one it is attempted once.
    ///
    /// Only a child is retried: the start of such a call is an error, and continuing as such a call panics.
    ///
    /// # Replay
    /// The policy that was recorded with the first attempt stays in force.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.attempts.retry = policy;
        self
    }

    /// Retries only failures for which `is_worth` is true.
    ///
    /// It is orchestrator code: it must decide by the failure alone.
    pub fn retry_when(mut self, is_worth: fn(&Failure) -> bool) -> Self {
        self.attempts.retry_when = Some(is_worth);
        self
    }

    /// Gives a fault as a value: the result becomes `Result<Out, Fault>`.
    pub fn catch(self) -> Caught<Self> {
        Caught(self)
    }

    /// Limits the whole call, its attempts and the delays between them included.
    ///
    /// The result is `Err(Elapsed)` if it has not ended `limit` after it was first polled; it is cancelled then.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }

    /// What a client needs to start it.
    pub(crate) fn into_parts(self) -> OrchestratorParts {
        let is_retried =
            self.attempts.retry != RetryPolicy::NONE || self.attempts.retry_when.is_some();
        OrchestratorParts {
            is_retried,
            ..self.attempts.subject.into_parts()
        }
    }
}

impl<Out: 'static, M: OrchestratorMarker<Out>> OrchestratorCall<Out, M> {
    /// Polls for the outcome, its channel still told apart.
    fn poll_decoded(&mut self, _: &mut Context<'_>) -> Poll<Decoded<Out>> {
        if replay::with(|_| ()).is_none() {
            outside(&self.attempts.subject.0.name);
        }
        let outcome = ready!(self.attempts.poll());
        let name = &self.attempts.subject.0.name;
        settle::read(M::OUT, &outcome, name, self.attempts.site)
    }
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn outside(name: &str) -> ! {
    panic!(
        "orchestrator `{name}` was awaited outside an orchestrator; start it with `engine.start(..)` and await the \
         handle's `result()`"
    )
}

#[diagnostic::do_not_recommend]
impl<Out: 'static, M: OrchestratorMarker<Out>> Durable for OrchestratorCall<Out, M> {}

impl<Out: 'static, M: OrchestratorMarker<Out>> Future for OrchestratorCall<Out, M> {
    type Output = Out;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Out> {
        match ready!(self.poll_decoded(cx)) {
            Decoded::Value(value) => Poll::Ready(value),
            Decoded::Fault(fault) => settle::uncaught(M::OUT, fault),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<Out: 'static, M: OrchestratorMarker<Out>> Durable for Caught<OrchestratorCall<Out, M>> {}

impl<Out: 'static, M: OrchestratorMarker<Out>> Future for Caught<OrchestratorCall<Out, M>> {
    type Output = Result<Out, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_decoded(cx).map(settle::caught)
    }
}

impl<Out, M> fmt::Debug for OrchestratorCall<Out, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call of orchestrator `{}`", self.attempts.subject.0.name)
    }
}
