//! The call of an activity.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Timeout;
use super::attempts::{AttemptNumbers, Attempts, Subject};
use super::settle::{self, Caught};
use crate::activity::{self, States};
use crate::definition::{ActivityFuture, ActivityMarker, Decoded};
use crate::durable::Durable;
use crate::event::{ActivityScheduled, HistoryEvent, Name};
use crate::failure::{Failure, Fault};
use crate::id::{SiteId, SourceSite};
use crate::payload::{Codec, EncodeError, Payload};
use crate::replay;
use crate::retry::RetryPolicy;

/// The call of an activity, made by calling the annotated function.
///
/// In an orchestrator, awaiting it schedules the activity and waits for its recorded outcome, across restarts. Outside
/// one, as in a unit test or a request handler, awaiting it just runs the body: nothing is recorded, retries and
/// time-outs do not apply, and a warning is logged once for each such place. To [`activity`](mod@crate::activity) it is the
/// first delivery of a first attempt, with a key of its own, that is never cancelled.
///
/// # Replay
/// The recorded outcome is returned; the body does not run again.
///
/// # Cancel safety
/// Dropping it while it waits cancels the activity: its outcome no longer counts, and its body is told.
///
/// # Panics
/// When it is polled outside an orchestrator and a `#[state]` parameter was not given with
/// [`with_state`](Self::with_state).
#[must_use = "an activity call does nothing until it is awaited, or given to `join!` or `select!`"]
pub struct ActivityCall<Out, M> {
    attempts: Attempts<ActivitySubject>,
    states: States,
    body: Option<ActivityFuture>,
    types: PhantomData<fn() -> (Out, M)>,
}

/// An activity by name.
#[derive(Debug)]
pub(super) struct ActivitySubject {
    name: Name,
    input: Result<Payload, Fault>,
    attempt_timeout: Option<Duration>,
}

impl ActivitySubject {
    pub(super) fn new(name: Name, input: Result<Payload, EncodeError>) -> Self {
        Self {
            input: settle::recordable(input, "input", &name),
            name,
            attempt_timeout: None,
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn set_attempt_timeout(&mut self, limit: Duration) {
        self.attempt_timeout = Some(limit);
    }
}

impl Subject for ActivitySubject {
    fn check(&self) -> Result<(), Fault> {
        self.input.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn command(&self, _: &replay::Context, attempt: &AttemptNumbers) -> HistoryEvent {
        HistoryEvent::ActivityScheduled(ActivityScheduled {
            id: attempt.id,
            site: attempt.site.id(),
            call: attempt.call,
            attempt: attempt.number,
            name: self.name.clone(),
            input: checked(&self.input),
            attempt_timeout: self.attempt_timeout,
            retry: attempt.retry,
        })
    }
}

/// An input that [`Subject::check`] has found to be there.
pub(super) fn checked(input: &Result<Payload, Fault>) -> Payload {
    let no_input = |_: &Fault| Payload::from_parts(Codec::Json, &b"null"[..]);
    input.as_ref().map_or_else(no_input, Payload::clone)
}

impl<Out: 'static, M: ActivityMarker<Out>> ActivityCall<Out, M> {
    #[doc(hidden)]
    #[track_caller]
    pub fn __new(input: Result<Payload, EncodeError>) -> Self {
        let def = M::DEF;
        let mut subject = ActivitySubject::new(Name::Borrowed(def.name), input);
        subject.attempt_timeout = def.options.attempt_timeout;
        let mut attempts = Attempts::new(subject, SourceSite::caller());
        attempts.retry = def.options.retry;
        attempts.retry_when = def.retry_when;
        Self {
            attempts,
            states: States::new(),
            body: None,
            types: PhantomData,
        }
    }

    /// Retries by `policy`, in place of the one in the attribute.
    ///
    /// # Replay
    /// The policy that was recorded with the first attempt stays in force.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.attempts.retry = policy;
        self
    }

    /// Retries only failures for which `is_worth` is true, in place of the condition in the attribute.
    ///
    /// It is orchestrator code: it must decide by the failure alone.
    pub fn retry_when(mut self, is_worth: fn(&Failure) -> bool) -> Self {
        self.attempts.retry_when = Some(is_worth);
        self
    }

    /// Limits each attempt, in place of the limit in the attribute. An attempt beyond it is a fault, and is retried.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempts.subject.set_attempt_timeout(limit);
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

    /// Gives the body a `#[state]` when it runs outside an engine.
    pub fn with_state<T: Clone + Send + Sync + 'static>(mut self, state: &T) -> Self {
        self.states.insert(std::sync::Arc::new(state.clone()));
        self
    }

    /// Runs the body itself.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Decoded<Out>> {
        if self.body.is_none() {
            self.body = Some(self.begin_body());
        }
        let Some(body) = &mut self.body else {
            return Poll::Pending;
        };
        let outcome = ready!(body.as_mut().poll(cx));
        let decoded = (M::OUT.decode)(&outcome);
        Poll::Ready(decoded.unwrap_or_else(|error| misused(&error.to_string())))
    }

    fn begin_body(&self) -> ActivityFuture {
        let missing = M::DEF.states.iter();
        let missing = missing.filter(|state| !self.states.holds((state.type_id)()));
        let missing: Vec<_> = missing
            .map(|state| format!("`{}`", state.type_name))
            .collect();
        if !missing.is_empty() {
            misused(&format!(
                "activity `{}` was called outside an engine without its state of type {}; add `.with_state(&value)` to \
                 the call",
                M::DEF.name,
                missing.join(", ")
            ));
        }
        let subject = &self.attempts.subject;
        tell_once(&subject.name, self.attempts.site);
        let begun = match &subject.input {
            Ok(input) => (M::DEF.run)(input, &self.states).map_err(|error| error.to_string()),
            Err(fault) => Err(fault.to_string()),
        };
        let body = begun.unwrap_or_else(|error| misused(&error));
        match activity::without_engine(&subject.name) {
            Some(running) => Box::pin(activity::scope(running, body)),
            None => body,
        }
    }
}

/// Says, once for each place, that a call there runs without being recorded: right in a test, rarely meant elsewhere.
fn tell_once(activity: &str, site: SourceSite) {
    static TOLD: Mutex<BTreeSet<SiteId>> = Mutex::new(BTreeSet::new());
    let is_new = TOLD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(site.id());
    if is_new {
        tracing::warn!(activity, %site, "an activity is called outside an orchestrator: it runs, but nothing is recorded");
    }
}

#[expect(
    clippy::panic,
    reason = "outside an engine there is nobody but the caller to tell, and its result type has no place for it"
)]
fn misused(message: &str) -> ! {
    panic!("{message}")
}

impl<Out: 'static, M: ActivityMarker<Out>> ActivityCall<Out, M> {
    /// Polls for the outcome, its channel still told apart.
    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Decoded<Out>> {
        let is_outside = replay::with(|_| ()).is_none();
        if self.body.is_some() || (self.attempts.is_fresh() && is_outside) {
            return self.poll_body(cx);
        }
        let outcome = ready!(self.attempts.poll());
        let subject = &self.attempts.subject;
        settle::read(M::OUT, &outcome, &subject.name, self.attempts.site)
    }
}

#[diagnostic::do_not_recommend]
impl<Out: 'static, M: ActivityMarker<Out>> Durable for ActivityCall<Out, M> {}

impl<Out: 'static, M: ActivityMarker<Out>> Future for ActivityCall<Out, M> {
    type Output = Out;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Out> {
        match ready!(self.poll_decoded(cx)) {
            Decoded::Value(value) => Poll::Ready(value),
            Decoded::Fault(fault) => settle::uncaught(M::OUT, fault),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<Out: 'static, M: ActivityMarker<Out>> Durable for Caught<ActivityCall<Out, M>> {}

impl<Out: 'static, M: ActivityMarker<Out>> Future for Caught<ActivityCall<Out, M>> {
    type Output = Result<Out, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_decoded(cx).map(settle::caught)
    }
}

impl<Out, M> fmt::Debug for ActivityCall<Out, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.attempts.subject.name;
        write!(f, "call of activity `{name}`")
    }
}
