//! Starting an instance again, as it was started before.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use crate::client::error::StartError;
use crate::client::handle::Handle;
use crate::client::instance::Instance;
use crate::client::submit::submit;
use crate::clock::Timestamp;
use crate::engine::hub::Hub;
use crate::engine::reuse::{Reuse, Rule};
use crate::event::{ExecutionStarted, REPLAY_SEMANTICS};
use crate::id::{ExecutionId, InstanceId, InstanceKey};
use crate::store::{StoreError, Summary};
use crate::trace::TraceContext;

impl Instance {
    /// Starts the instance again, with the name, version, tags and input of its last execution. It must have ended; with
    /// [another id](RestartRequest::with_new_id) it may run.
    ///
    /// Under the same id the old instance is [purged](Self::purge) in the commit that creates the new one, and this handle
    /// says that it is not there; that of the new one is the answer. A child that is started again has no parent.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn report(day: u32) -> u32 {
    ///     sleep(hours(1)).await;
    ///     day
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let first = engine.start(report(7)).id("report-7").await?;
    /// let beside = first.restart().with_new_id().await?;
    /// assert_ne!(beside.id(), first.id());
    ///
    /// assert_eq!(first.result().await?, 7);
    /// let again = first.restart().await?;
    /// assert_eq!(again.id().as_str(), "report-7");
    /// assert_eq!(again.result().await?, 7);
    /// # Ok(()) }
    /// ```
    pub fn restart(&self) -> RestartRequest<Self> {
        RestartRequest::new(self, |instance| instance)
    }
}

impl<Out: 'static> Handle<Out> {
    /// As [`Instance::restart`], with the types of this handle.
    pub fn restart(&self) -> RestartRequest<Self> {
        let like = self.clone();
        RestartRequest::new(self, move |instance| like.with(instance))
    }
}

/// A restart that is still to be asked for: `.await` does, and gives the handle of the new instance.
///
/// # Durability
/// The new instance is on disk when this resolves with `Ok`, and the old one is gone if it had the same id.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open whether the new instance was started.
///
/// # Errors
/// - [`StartError::NotFound`]: the instance is not there any more.
/// - [`StartError::Exists`]: it has not ended, and no other id was asked for; or another instance has the id.
/// - [`StartError::Awaited`]: another instance is to hear how it ended, and cannot record that now.
/// - [`StartError::Unregistered`], [`StartError::InvalidId`]: this program cannot start it; nothing was asked.
/// - [`StartError::Store`], [`StartError::Stopped`], [`StartError::Unknown`]: as for every start.
#[must_use = "nothing is started until this is `.await`ed"]
pub struct RestartRequest<H> {
    hub: Arc<Hub>,
    old: InstanceKey,
    id: InstanceId,
    new_id: NewId,
    trace: Option<TraceContext>,
    handle: Box<dyn FnOnce(Instance) -> H + Send>,
}

enum NewId {
    Same,
    Made,
    Given(String),
}

impl<H> RestartRequest<H> {
    fn new(old: &Instance, handle: impl FnOnce(Instance) -> H + Send + 'static) -> Self {
        Self {
            hub: Arc::clone(old.hub()),
            old: old.key(),
            id: old.id().clone(),
            new_id: NewId::Same,
            trace: None,
            handle: Box::new(handle),
        }
    }

    /// Gives the new instance an id that the engine makes; the old one stays as it is.
    pub fn with_new_id(mut self) -> Self {
        self.new_id = NewId::Made;
        self
    }

    /// Gives the new instance this id, which nobody may have; the old one stays as it is.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.new_id = NewId::Given(id.into());
        self
    }

    /// Starts the new instance in this W3C trace context; without one it has a trace of its own, and never that of the old one.
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        self.trace = Some(context);
        self
    }

    async fn send(self) -> Result<H, StartError> {
        let (id, reuse) = match self.new_id {
            NewId::Same => (self.id.clone(), Reuse(Rule::Succeed(self.old))),
            NewId::Made => {
                let made = InstanceId::made_from(&self.hub.entropy.bits().to_le_bytes());
                (made, Reuse::refuse())
            }
            NewId::Given(id) => (InstanceId::parse(&id)?, Reuse::refuse()),
        };
        let summary = (self.hub.reviver.reader.summary(self.old)).map_err(|error| match error {
            StoreError::Closed => self.hub.reason().into(),
            error => StartError::Store(error),
        })?;
        let summary = summary.ok_or_else(|| StartError::NotFound(self.id.to_string()))?;
        let reviver = &self.hub.reviver;
        let registry = &reviver.registry;
        let version = summary.version.as_deref();
        if registry
            .runs(&summary.name, version, reviver.versions)
            .is_none()
        {
            let report = registry.unknown_orchestrator(&summary.name, version);
            return Err(StartError::Unregistered(report));
        }
        let key = submit(&self.hub, again(summary, id.clone()), reuse, self.trace).await?;
        Ok((self.handle)(Instance::of(&self.hub, key, id)))
    }
}

/// The first record of an instance that is started as this one was.
fn again(summary: Summary, id: InstanceId) -> ExecutionStarted {
    ExecutionStarted {
        at: Timestamp::default(),
        instance: id,
        execution: ExecutionId::FIRST,
        name: summary.name,
        version: summary.version,
        input: summary.input,
        parent: None,
        tags: summary.tags,
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    }
}

impl<H: 'static> IntoFuture for RestartRequest<H> {
    type Output = Result<H, StartError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<H> fmt::Debug for RestartRequest<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "restart of `{}`", self.id)
    }
}
