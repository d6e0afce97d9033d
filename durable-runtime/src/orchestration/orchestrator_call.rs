//! The call of an orchestrator: a child in an orchestrator, a start outside one.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use super::attempts::{AttemptNumbers, Attempts, Subject};
use super::call::{Call, TwoChannels, durable_call};
use super::settle;
use crate::definition::{Decoded, OrchestratorDef, OrchestratorMarker, OutputCodec};
use crate::event::{ChildScheduled, HistoryEvent, Name};
use crate::failure::{Fault, FaultKind};
use crate::id::{EventId, InstanceId, SourceSite};
use crate::limits;
use crate::payload::{EncodeError, Payload};
use crate::replay;
use crate::retry::RetryPolicy;

/// The call of an orchestrator, made by calling the annotated function, or by [name](super::named::orchestrator).
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
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn ship(order: u32) -> String {
///     sleep(days(2)).await;
///     format!("parcel {order}")
/// }
///
/// #[orchestrator]
/// async fn ship_in_time(order: u32) -> Option<String> {
///     let child = ship(order).id(format!("ship-{order}")).tag("way", "land");
///     child.timeout(days(3)).await.ok()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let shipped = engine.start(ship_in_time(42)).await?;
/// assert_eq!(shipped.result().await?.as_deref(), Some("parcel 42"));
///
/// // A child is an instance like any other.
/// let child = engine.handle(ship, "ship-42").await?.expect("it was started");
/// assert_eq!(child.result().await?, "parcel 42");
/// assert_eq!(child.summary().await?.tags["way"], "land");
/// # Ok(()) }
/// ```
#[must_use = "an orchestrator call does nothing until it is awaited in an orchestrator or given to `engine.start(..)`"]
pub struct OrchestratorCall<Out: 'static, M> {
    call: Call<OrchestratorParts, Out>,
    marker: PhantomData<fn() -> M>,
}

durable_call!(OrchestratorCall);

impl<Out: 'static, M> OrchestratorCall<Out, M> {
    /// A call by name: nothing but that is known of the orchestrator.
    pub(super) fn named(
        parts: OrchestratorParts,
        output: &'static OutputCodec<Out>,
        site: SourceSite,
    ) -> Self {
        let attempts = Attempts::new(parts, site);
        Self {
            call: Call { attempts, output },
            marker: PhantomData,
        }
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn __new(input: Result<Payload, EncodeError>) -> Self
    where
        M: OrchestratorMarker<Out>,
    {
        let site = SourceSite::caller();
        Self::named(OrchestratorParts::of(M::DEF, input), M::OUT, site)
    }

    /// Names the instance. Of a child that is retried this names the first attempt only.
    ///
    /// For a start it is the same whether the call or the start is told the id; what is said last counts. An id that
    /// breaks the rules of [`InstanceId`] is a fault at the await, or an error of the start.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.call.attempts.subject.id = Some(id.into());
        self
    }

    /// Asks for this version of the orchestrator, in place of the function's own.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.call.attempts.subject.version = Version::Exactly(Some(version.into()));
        self
    }

    /// Adds a tag: text that is recorded with the instance and shown in its [`Summary`](crate::Summary).
    ///
    /// For a start it is the same whether the call or the start is told the tag; of one key, what is said last counts. Up to 16
    /// of them, with keys of up to 64 bytes and values of up to 256; keys that begin with `durabletask.` are reserved. Others are a
    /// fault at the await, or an error of the start.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let tags = &mut self.call.attempts.subject.tags;
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
        self.call.attempts.retry = policy;
        self
    }

    /// What a client needs to start it, and to read how it ended.
    pub(crate) fn into_parts(self) -> (OrchestratorParts, &'static OutputCodec<Out>) {
        let attempts = self.call.attempts;
        let is_retried = attempts.retry != RetryPolicy::NONE || attempts.handler.is_some();
        let parts = OrchestratorParts {
            is_retried,
            ..attempts.subject
        };
        (parts, self.call.output)
    }
}

impl<Out: 'static, M> TwoChannels for OrchestratorCall<Out, M> {
    type Declared = Out;

    fn poll_decoded(&mut self, _: &mut Context<'_>) -> Poll<Decoded<Out>> {
        if !replay::is_inside() {
            outside(&self.call.attempts.subject.name);
        }
        self.call.poll()
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

/// An orchestration as a command or a start names it.
#[derive(Debug)]
pub(crate) struct OrchestratorParts {
    pub(crate) name: Name,
    pub(crate) version: Version,
    pub(crate) input: Result<Payload, EncodeError>,
    pub(crate) id: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether a retry policy was given, which only a child can have.
    pub(crate) is_retried: bool,
}

/// Which version is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    /// This one, or the one without.
    Exactly(Option<String>),
    /// Nobody said.
    Open,
}

impl Version {
    /// What was asked for, or else a default.
    pub(crate) fn or_else(self, default: impl FnOnce() -> Option<String>) -> Option<String> {
        match self {
            Self::Exactly(version) => version,
            Self::Open => default(),
        }
    }
}

impl OrchestratorParts {
    pub(crate) fn new(name: Name, input: Result<Payload, EncodeError>) -> Self {
        Self {
            name,
            version: Version::Open,
            input,
            id: None,
            tags: BTreeMap::new(),
            is_retried: false,
        }
    }

    /// Of the orchestrator itself.
    fn of(def: &'static OrchestratorDef, input: Result<Payload, EncodeError>) -> Self {
        let mut parts = Self::new(Name::Borrowed(def.name), input);
        parts.version = Version::Exactly(def.version.map(str::to_owned));
        parts
    }

    /// Chooses the version, if nobody has: for all attempts the same.
    pub(super) fn settle_version(&mut self, context: &replay::Context) {
        if self.version == Version::Open {
            self.version = Version::Exactly(context.default_version(&self.name));
        }
    }

    /// Whether its name, version and tags are within their bounds.
    fn check_labels(&self) -> Result<(), Fault> {
        let beyond = |error: &dyn std::fmt::Display| settle::beyond(&self.name, error);
        limits::check_name(&self.name).map_err(|error| beyond(&error))?;
        if let Version::Exactly(version) = &self.version {
            limits::check_version(version.as_deref()).map_err(|error| beyond(&error))?;
        }
        limits::check_tags(&self.tags).map_err(|error| beyond(&error))
    }

    pub(super) fn recordable_input(&self) -> Result<Payload, Fault> {
        settle::recordable(self.input.clone(), "input", &self.name)
    }

    pub(super) fn chosen_id(&self) -> Result<Option<InstanceId>, Fault> {
        let id = self.id.as_deref().map(InstanceId::parse).transpose();
        id.map_err(|error| Fault::new(FaultKind::Conflict, self.name.clone(), error.to_string()))
    }
}

impl Subject for OrchestratorParts {
    const KIND: &'static str = "orchestrator";

    fn name(&self) -> &Name {
        &self.name
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_labels()?;
        self.recordable_input()?;
        self.chosen_id().map(|_| ())
    }

    fn settle(&mut self, context: &replay::Context) {
        self.settle_version(context);
    }

    fn command(&self, context: &replay::Context, attempt: &AttemptNumbers) -> HistoryEvent {
        // A chosen id names the first attempt, so that each attempt keeps a history of its own; and of what is asked for again
        // after a rewind the one before.
        let chosen = self.chosen_id().ok().flatten();
        let chosen = chosen.filter(|id| attempt.number == 1 && !context.is_taken(id));
        HistoryEvent::ChildScheduled(ChildScheduled {
            id: attempt.id,
            site: attempt.site.id(),
            call: attempt.call,
            attempt: attempt.number,
            instance: chosen.unwrap_or_else(|| context.child_instance(attempt.id)),
            name: self.name.clone(),
            version: self.version.clone().or_else(|| None),
            input: settle::checked(&self.recordable_input()),
            retry: attempt.retry,
        })
    }

    fn issued(&self, context: &mut replay::Context, id: EventId) {
        context.tag_child(id, &self.tags);
    }
}
