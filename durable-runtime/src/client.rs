//! What a program asks of an engine: start, wait, raise, look.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;

use crate::clock::Timestamp;
use crate::definition::OutputCodec;
use crate::engine::Engine;
use crate::engine::message::{Reply, Start, Started, Submission};
use crate::event::{ExecutionStarted, Name, REPLAY_SEMANTICS};
use crate::id::{ExecutionId, InstanceId};
use crate::limits;
use crate::orchestration::{OrchestratorCall, OrchestratorParts};
use crate::payload::{EncodeError, Payload};
use crate::registry::OrchestratorFn;

mod error;
mod handle;
mod instance;

pub use error::{LookupError, RaiseError, Refused, StartError, WaitError};
pub use handle::Handle;
pub use instance::Instance;

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
/// - [`StartError::Store`]: what is recorded of the instance that has the id cannot be read; nothing was started.
/// - [`StartError::Stopped`]: the engine has stopped; nothing was started.
/// - [`StartError::Unknown`]: the engine stopped before it could say.
#[must_use = "nothing is started until this is `.await`ed"]
pub struct StartRequest<Out: 'static> {
    engine: Engine,
    parts: OrchestratorParts,
    codec: &'static OutputCodec<Out>,
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

    /// Adds a tag: text that is recorded with the instance and shown in its [`Summary`](crate::Summary).
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.tags.insert(key.into(), value.into());
        self
    }

    async fn send(self) -> Result<Handle<Out>, StartError> {
        let started = started(&self.engine, self.parts)?;
        let id = started.instance.clone();
        let (reply, answer) = Reply::channel();
        let start = Box::new(Start { started, reply });
        self.engine.hub.submit(Submission::Start(start))?;
        match answer.await {
            Ok(Started::Created(key) | Started::Attached(key)) => {
                let instance = Instance::new(&self.engine, key, id);
                Ok(Handle::new(instance, self.codec))
            }
            Ok(Started::Conflict { difference }) => Err(StartError::Conflict {
                id: id.to_string(),
                difference,
            }),
            Ok(Started::Unreadable(error)) => Err(StartError::Store(error)),
            Err(_) => Err(StartError::Unknown(self.engine.hub.reason())),
        }
    }
}

/// The first record of a new instance, from what its starter says.
fn started(engine: &Engine, parts: OrchestratorParts) -> Result<ExecutionStarted, StartError> {
    let hub = &engine.hub;
    let name = within_name_limit(parts.name)?;
    if parts.is_retried {
        return Err(StartError::Retried(name.to_string()));
    }
    let registry = &hub.reviver.registry;
    let version = (parts.version).or_else(|| registry.default_version(&name));
    if registry
        .find_orchestrator(&name, version.as_deref())
        .is_none()
    {
        let report = registry.unknown_orchestrator(&name, version.as_deref());
        return Err(StartError::Unregistered(report));
    }
    let instance = match parts.id {
        Some(id) => InstanceId::parse(&id)?,
        None => InstanceId::made_from(&hub.entropy.bits().to_le_bytes()),
    };
    Ok(ExecutionStarted {
        at: Timestamp::default(),
        instance,
        execution: ExecutionId::FIRST,
        name,
        version,
        input: within_limit(parts.input)?,
        parent: None,
        tags: parts.tags,
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
    })
}

/// A name that the store will take.
pub(crate) fn within_name_limit(name: Name) -> Result<Name, Refused> {
    if name.len() > limits::NAME_BYTES_MAX {
        return Err(Refused::LongName {
            bytes: name.len(),
            limit: limits::NAME_BYTES_MAX,
        });
    }
    Ok(name)
}

/// A payload that the store will take.
pub(crate) fn within_limit(payload: Result<Payload, EncodeError>) -> Result<Payload, Refused> {
    let payload = payload?;
    let bytes = payload.bytes().len();
    if bytes > limits::PAYLOAD_BYTES_MAX {
        return Err(Refused::TooLarge {
            bytes,
            limit: limits::PAYLOAD_BYTES_MAX,
        });
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
