//! Raising an event: asked for, then awaited.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::Serialize;

use crate::client::error::{LookupError, RaiseError, Refused};
use crate::client::instance::Instance;
use crate::client::{within_limit, within_name_limit};
use crate::engine::Engine;
use crate::engine::message::{Delivered, Incoming, Reply};
use crate::engine::observe::spans;
use crate::event::{EventRaised, HistoryEvent, Name};
use crate::limits;
use crate::orchestration::Event;
use crate::payload::Payload;
use crate::trace::TraceContext;

impl Engine {
    /// Raises an event to the instance of that id, whatever it runs.
    ///
    /// It is as [`Instance::raise`], where the instance is not at hand: it is looked up when the [`RaiseRequest`] is awaited. An
    /// instance that has not begun to run takes events like any other; they are buffered.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// static PAID: Event<u32> = Event::new("paid");
    ///
    /// #[orchestrator]
    /// async fn order() -> u32 {
    ///     PAID.wait().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let order = engine.start(order()).id("order-7").await?;
    /// engine.raise("order-7", &PAID, 4200).id("payment-77").await?;
    /// assert_eq!(order.result().await?, 4200);
    ///
    /// let error = engine.raise("order-8", &PAID, 4200).await.unwrap_err();
    /// assert_eq!(error.to_string(), "there is no instance `order-8`");
    /// # Ok(()) }
    /// ```
    pub fn raise<T: Serialize>(
        &self,
        instance: impl Into<String>,
        event: &Event<T>,
        value: T,
    ) -> RaiseRequest {
        RaiseRequest::new(Target::Id(self.clone(), instance.into()), event, &value)
    }
}

/// An event that is still to be raised: `.await` does.
///
/// # Durability
/// The event is on disk when this resolves with `Ok`. It is buffered until the orchestration awaits it.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open whether the event was recorded; under the
/// same [`id`](Self::id) it may be raised again.
///
/// # Errors
/// - [`RaiseError::Payload`]: the value cannot be recorded, or the event's name or id cannot be one; nothing was asked.
/// - [`RaiseError::Busy`]: there is much that nobody has taken yet; nothing was recorded, try again later.
/// - [`RaiseError::Ended`], [`RaiseError::NotFound`]: there is nobody to take it any more, or there never was.
/// - [`RaiseError::InvalidId`]: the id that was given of the instance cannot be one.
/// - [`RaiseError::Damaged`], [`RaiseError::Store`]: what is recorded of the instance cannot be read.
/// - [`RaiseError::Stopped`]: the engine has stopped; nothing was recorded.
/// - [`RaiseError::Unknown`]: the engine stopped before it could say.
#[must_use = "nothing is raised until this is `.await`ed"]
pub struct RaiseRequest {
    target: Target,
    // Made before anything is awaited, so that neither the event nor the value is held on to.
    name: Result<Name, Refused>,
    payload: Result<Payload, Refused>,
    id: Option<String>,
    trace: Option<TraceContext>,
}

/// Whom an event is for.
enum Target {
    Instance(Instance),
    Id(Engine, String),
}

impl RaiseRequest {
    /// To an instance that is at hand.
    pub(super) fn to<T: Serialize>(instance: Instance, event: &Event<T>, value: &T) -> Self {
        Self::new(Target::Instance(instance), event, value)
    }

    fn new<T: Serialize>(target: Target, event: &Event<T>, value: &T) -> Self {
        let limit = match &target {
            Target::Instance(instance) => instance.payload_limit(),
            Target::Id(engine, _) => engine.hub.reviver.payload_limit,
        };
        Self {
            target,
            name: within_name_limit(event.full_name().clone()),
            payload: within_limit(Payload::json(value), limit),
            id: None,
            trace: None,
        }
    }

    /// Gives the event an id, under which the instance takes it once: raised again under the same id it is not recorded again,
    /// whatever it carries then, and the answer is `Ok` as before. So what may have been recorded
    /// ([`RaiseError::Unknown`], a future that was dropped) can be raised again.
    ///
    /// An id has 1 to 100 bytes and does not begin with `~`. It is the instance's alone: two instances may be told the same.
    ///
    /// # Durability
    /// The ids are those of the history, so they are known after a restart, and when the instance has ended. A
    /// [`continue_as_new`](crate::continue_as_new()) begins a new history: from then on only the ids of the events that it
    /// carries over are known.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// static PAID: Event<u32> = Event::new("paid");
    ///
    /// #[orchestrator]
    /// async fn account() -> u32 {
    ///     PAID.wait().await + PAID.wait().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let account = engine.start(account()).await?;
    /// for _ in 0..2 {
    ///     account.raise(&PAID, 100).id("payment-77").await?;
    /// }
    /// account.raise(&PAID, 5).id("payment-78").await?;
    /// assert_eq!(account.result().await?, 105);
    /// # Ok(()) }
    /// ```
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Says in which W3C trace context the event is raised: the span of the raise lies there. Nothing of it is recorded, and what
    /// the instance does with the event stays in its own trace. Without one the span lies there too.
    pub fn trace_context(mut self, context: TraceContext) -> Self {
        self.trace = Some(context);
        self
    }

    async fn send(self) -> Result<(), RaiseError> {
        let (name, payload) = (self.name?, self.payload?);
        let event = self.id.map(checked).transpose()?;
        let instance = self.target.find()?;
        let raising = spans::raising(&name, self.trace);
        let hub = &instance.hub;
        let event = HistoryEvent::EventRaised(EventRaised {
            at: hub.clock.now(),
            name,
            payload,
            event,
        });
        let (reply, answer) = Reply::channel();
        let arrival = Incoming::Arrival {
            event,
            execution: None,
            reply: Some(reply),
        };
        hub.deliver(instance.key, arrival)?;
        let id = || instance.id().to_string();
        match answer.await {
            Ok(Delivered::Recorded) => {
                if let Some(raising) = raising {
                    raising.raised(hub, instance.id(), instance.key);
                }
                Ok(())
            }
            Ok(Delivered::Ended) => Err(RaiseError::Ended(id())),
            Ok(Delivered::Unknown) => Err(RaiseError::NotFound(id())),
            Ok(Delivered::Busy(limit)) => Err(RaiseError::Busy {
                id: id(),
                events: limit.events,
                bytes: limit.bytes,
            }),
            Ok(Delivered::Unreadable(report)) => Err(RaiseError::Damaged { id: id(), report }),
            Err(_) => Err(RaiseError::Unknown(hub.reason())),
        }
    }
}

impl Target {
    fn find(self) -> Result<Instance, RaiseError> {
        let (engine, id) = match self {
            Self::Instance(instance) => return Ok(instance),
            Self::Id(engine, id) => (engine, id),
        };
        match Instance::find(&engine, &id) {
            Ok(Some(instance)) => Ok(instance),
            Ok(None) => Err(RaiseError::NotFound(id)),
            Err(LookupError::InvalidId(error)) => Err(error.into()),
            Err(LookupError::Stopped(stopped)) => Err(stopped.into()),
            Err(LookupError::Store(error)) => Err(error.into()),
            // Looking for an instance reads nothing else of it.
            Err(error) => Err(RaiseError::Damaged {
                id,
                report: error.to_string(),
            }),
        }
    }
}

/// An id that an event may have.
fn checked(id: String) -> Result<String, Refused> {
    let rule = if id.is_empty() {
        "it is empty"
    } else if id.len() > limits::EVENT_ID_BYTES_MAX {
        "it is longer than 100 bytes"
    } else if id.starts_with('~') {
        "a leading `~` is reserved"
    } else {
        return Ok(id);
    };
    let id = id.chars().take(120).collect();
    Err(Refused::EventId { id, rule })
}

impl IntoFuture for RaiseRequest {
    type Output = Result<(), RaiseError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for RaiseRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map_or("?", |name| name);
        match &self.target {
            Target::Instance(instance) => write!(f, "event `{name}` for {instance:?}"),
            Target::Id(_, id) => write!(f, "event `{name}` for instance `{id}`"),
        }
    }
}
