//! What a program asks of an engine: start, wait, raise, look, end.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use crate::clock::Timestamp;
use crate::definition::OutputCodec;
use crate::engine::Engine;
use crate::engine::large;
use crate::engine::reuse::Reuse;
use crate::event::{ExecutionStarted, Name, REPLAY_SEMANTICS};
use crate::id::{ExecutionId, InstanceId};
use crate::limits;
use crate::orchestration::{OrchestratorCall, OrchestratorParts};
use crate::payload::{EncodeError, Payload};
use crate::registry::OrchestratorFn;
use crate::trace::TraceContext;

mod control;
mod error;
mod handle;
mod instance;
mod many;
mod purge;
mod query;
mod raise;
mod restart;
mod rewind;
mod saved;
mod submit;
mod waiting;

pub use crate::limits::{InvalidTags, TooLong};
pub use control::{Applied, TerminateRequest};
pub use error::{ControlError, LookupError, RaiseError, Refused, StartError, WaitError};
pub use handle::Handle;
pub use instance::Instance;
pub use many::{EachOf, Many, TerminateMany};
pub use purge::{PurgeError, PurgeRequest, Purged};
pub use query::{Page, Query};
pub use raise::RaiseRequest;
pub use restart::RestartRequest;
pub use rewind::RewindError;
pub use saved::{LoadError, SaveError, SavedHistory};

impl Engine {
    /// Starts an orchestration; the call says which and with what.
    ///
    /// ```no_run
    /// # use durable_runtime::prelude::*;
    /// # #[orchestrator] async fn checkout(order: u32) -> u32 { order }
    /// # async fn example(engine: Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let order = engine.start(checkout(42)).id("order-42").await?;
    /// let total: u32 = order.result().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// Nothing happens before the [`StartRequest`] is awaited; it says what is durable then, and what can go wrong. A start by
    /// name takes a call by name, from [`named::orchestrator`](crate::named::orchestrator).
    pub fn start<Out: 'static, M>(&self, call: OrchestratorCall<Out, M>) -> StartRequest<Out> {
        let (parts, codec) = call.into_parts();
        StartRequest {
            engine: self.clone(),
            parts,
            codec,
            when: When::Now,
            reuse: Reuse::attach(),
            trace: None,
        }
    }

    /// The instance of that id, whatever it runs; `None` if there is none.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// [`LookupError::InvalidId`] if the text cannot be an id, [`LookupError::Stopped`] if the engine has stopped,
    /// [`LookupError::Store`] if the store cannot be read.
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn instance(&self, id: &str) -> Result<Option<Instance>, LookupError> {
        Instance::find(self, id)
    }

    /// The instance of that id with the types of `orchestrator`; `None` if there is none.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// [`LookupError::OtherOrchestrator`] if the instance runs something else, [`LookupError::InvalidId`] if the text cannot
    /// be an id, [`LookupError::Stopped`] if the engine has stopped, [`LookupError::Store`] if the store cannot be read,
    /// [`LookupError::NotFound`] if the instance is gone before it could be read.
    pub async fn handle<Args, F: OrchestratorFn<Args>>(
        &self,
        _orchestrator: F,
        id: &str,
    ) -> Result<Option<Handle<F::Output>>, LookupError> {
        let Some(instance) = Instance::find(self, id)? else {
            return Ok(None);
        };
        let (found, wanted) = (instance.summary().await?.name, F::definition().name);
        if found != wanted {
            let found = found.to_string();
            return Err(LookupError::OtherOrchestrator {
                id: id.to_owned(),
                found,
                wanted,
            });
        }
        Ok(Some(Handle::new(instance, F::codec())))
    }
}

/// A start that is still to be asked for: `.await` does, and gives a [`Handle`].
///
/// # Durability
/// The instance is on disk when this resolves with `Ok`: it will run, whatever happens to the program.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open whether the instance was started;
/// starting the same [`id`](Self::id) again finds out. One without an id of its own runs unattended if it was.
///
/// # Errors
/// - [`StartError::Unregistered`], [`StartError::InvalidId`], [`StartError::Input`]: the name, the id or the input cannot
///   be; nothing was asked.
/// - [`StartError::Conflict`]: the id belongs to an instance that was started otherwise.
/// - [`StartError::Exists`]: the id belongs to an instance that [`reuse`](Self::reuse) does not allow to replace.
/// - [`StartError::Awaited`]: it was to be replaced, but another instance is to hear how it ended, and cannot record that now.
/// - [`StartError::Contradiction`]: [`reuse`](Self::reuse) contradicts itself; nothing was asked.
/// - [`StartError::Store`]: what is recorded of the instance that has the id cannot be read; nothing was started.
/// - [`StartError::Stopped`]: the engine has stopped; nothing was started.
/// - [`StartError::Unknown`]: the engine stopped before it could say.
#[must_use = "nothing is started until this is `.await`ed"]
pub struct StartRequest<Out: 'static> {
    engine: Engine,
    parts: OrchestratorParts,
    codec: &'static OutputCodec<Out>,
    when: When,
    reuse: Reuse,
    trace: Option<TraceContext>,
}

/// When the first turn may run.
enum When {
    Now,
    At(SystemTime),
    After(Duration),
}

impl<Out: 'static> StartRequest<Out> {
    /// Gives the instance this id, instead of one made by the engine.
    ///
    /// Starting an id that exists attaches to that instance if name, version and input are those it was started with, whether
    /// it has ended, has continued as new, or not; so a start can be repeated. Else it is a [`StartError::Conflict`].
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> u32 {
    ///     sleep(days(1)).await;
    ///     order
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let first = engine.start(ship(42)).id("ship-42").await?;
    /// let again = engine.start(ship(42)).id("ship-42").await?;
    /// assert_eq!(first.id(), again.id());
    ///
    /// let other = engine.start(ship(43)).id("ship-42").await;
    /// assert!(other.is_err_and(|error| error.is_conflict()));
    /// # Ok(()) }
    /// ```
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.parts.id = Some(id.into());
        self
    }

    /// What becomes of an instance that has the id already; unless told otherwise, the start [attaches](Reuse::attach) to it.
    pub fn reuse(mut self, reuse: Reuse) -> Self {
        self.reuse = reuse;
        self
    }

    /// Adds a tag: text that is recorded with the instance and shown in its [`Summary`](crate::Summary).
    ///
    /// Up to 16 of them, with keys of up to 64 bytes and values of up to 256; keys that begin with `durabletask.` are reserved.
    /// Others are an error of the start ([`InvalidTags`]).
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.tags.insert(key.into(), value.into());
        self
    }

    /// Runs the first turn not before `time`; until then the instance is [`Pending`](crate::Status::Pending), and what reaches it
    /// is recorded and waits. A time in the past is now.
    ///
    /// The time is recorded in whole milliseconds, rounded up, and kept across restarts;
    /// [`Summary::start_at`](crate::Summary::start_at) tells it. Starting the same [`id`](Self::id) again attaches, whatever
    /// time the second start says.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::Status;
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn report() -> String {
    ///     "nothing happened".to_owned()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let tomorrow = engine.now() + days(1);
    /// let report = engine.start(report()).at(tomorrow).await?;
    /// engine.advance(hours(23)).await;
    /// assert_eq!(report.status().await?, Status::Pending);
    /// assert_eq!(report.summary().await?.start_at, Some(tomorrow));
    /// assert_eq!(report.result().await?, "nothing happened");
    /// # Ok(()) }
    /// ```
    pub fn at(mut self, time: SystemTime) -> Self {
        self.when = When::At(time);
        self
    }

    /// Runs the first turn not before so much time has passed since this is awaited; the rest is as for [`at`](Self::at).
    pub fn after(mut self, delay: Duration) -> Self {
        self.when = When::After(delay);
        self
    }

    /// Starts the instance in this W3C trace context, as a service does that was called with one.
    ///
    /// It is recorded with the instance; its activities, its children and those it starts detached belong to the trace, whenever
    /// and in whichever process they run. Without one the instance has a trace of its own.
    ///
    /// A start that attaches to an instance changes nothing of that one's trace.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::TraceContext;
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> String {
    ///     format!("{order} in {}", info().trace_context)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let headers = ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=opaque"];
    /// let context = headers[0].parse::<TraceContext>()?.with_state(headers[1])?;
    /// let engine = TestEngine::start()?;
    /// let handle = engine.start(ship(42)).trace_context(context).await?;
    /// let shipped = handle.result().await?;
    /// assert!(shipped.starts_with("42 in 00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    /// # Ok(()) }
    /// ```
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        self.trace = Some(context);
        self
    }

    async fn send(self) -> Result<Handle<Out>, StartError> {
        let started = ExecutionStarted {
            start_at: match self.when {
                When::Now => None,
                When::At(time) => Some(Timestamp::from_system_time(time)),
                When::After(delay) => Some(self.engine.hub.clock.now().plus(delay)),
            },
            ..started(&self.engine, self.parts)?
        };
        let id = started.instance.clone();
        let key = submit::submit(&self.engine.hub, started, self.reuse, self.trace).await?;
        let instance = Instance::of(&self.engine.hub, key, id);
        Ok(Handle::new(instance, self.codec))
    }
}

/// The first record of a new instance, from what its starter says.
fn started(engine: &Engine, parts: OrchestratorParts) -> Result<ExecutionStarted, StartError> {
    let hub = &engine.hub;
    let name = within_name_limit(parts.name)?;
    limits::check_tags(&parts.tags).map_err(Refused::from)?;
    if parts.is_retried {
        return Err(StartError::Retried(name.to_string()));
    }
    let registry = &hub.reviver.registry;
    let version = (parts.version).or_else(|| registry.default_version(&name));
    limits::check_version(version.as_deref()).map_err(Refused::from)?;
    if registry
        .runs(&name, version.as_deref(), hub.reviver.versions)
        .is_none()
    {
        let report = registry.unknown_orchestrator(&name, version.as_deref());
        return Err(StartError::Unregistered(report));
    }
    let instance = match parts.id {
        Some(id) => InstanceId::parse(&id)?,
        None => InstanceId::made_from(&hub.entropy.bits().to_le_bytes()),
    };
    let input = within_limit(parts.input, hub.reviver.payload_limit)?;
    large::warn_of(&name, "the input", input.bytes().len());
    Ok(ExecutionStarted {
        at: Timestamp::default(),
        instance,
        execution: ExecutionId::FIRST,
        name,
        version,
        input,
        parent: None,
        tags: parts.tags,
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    })
}

/// A name that the store will take.
pub(crate) fn within_name_limit(name: Name) -> Result<Name, Refused> {
    limits::check_name(&name)?;
    Ok(name)
}

/// A payload that the store will take, of at most so many bytes.
pub(crate) fn within_limit(
    payload: Result<Payload, EncodeError>,
    limit: usize,
) -> Result<Payload, Refused> {
    let payload = payload?;
    let bytes = payload.bytes().len();
    if bytes > limit {
        return Err(Refused::TooLarge { bytes, limit });
    }
    Ok(payload)
}

impl<Out: 'static> IntoFuture for StartRequest<Out> {
    type Output = Result<Handle<Out>, StartError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<Out: 'static> fmt::Debug for StartRequest<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start of `{}`", self.parts.name)
    }
}

/// Marks a handle's result type without owning one.
type Returns<Out> = PhantomData<fn() -> Out>;
