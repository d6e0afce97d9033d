//! One instance, whatever it runs.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::error::{LookupError, RaiseError, WaitError};
use crate::client::{within_limit, within_name_limit};
use crate::engine::Engine;
use crate::engine::hub::Hub;
use crate::engine::message::{Delivered, Incoming, Reply, Submission, Until, Version, Watch};
use crate::event::{EventRaised, HistoryEvent, Name};
use crate::id::{InstanceId, InstanceKey};
use crate::orchestration::Event;
use crate::payload::Payload;
use crate::store::{Status, StoreError, Summary};

/// A handle of one instance that knows no types. Cheap to clone; does not keep the engine running.
///
/// A [`Handle`](crate::Handle) is one that knows what the orchestrator returns.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
/// use durable_runtime::{Instance, Status};
///
/// static PAID: Event<u32> = Event::new("paid");
///
/// #[orchestrator]
/// async fn order() -> u32 {
///     set_status("waits for money");
///     PAID.wait().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// engine.start(order()).id("order-7").await?;
///
/// // Elsewhere, where only the id is known:
/// let order: Instance = engine.instance("order-7").await?.expect("it was started");
/// engine.settle().await;
/// let status: Option<String> = order.custom_status().await?;
/// assert_eq!(status.as_deref(), Some("waits for money"));
/// order.raise(&PAID, 4200).await?;
/// assert_eq!(order.wait().await?.status, Status::Completed);
/// assert!(order.raise(&PAID, 1).await.is_err_and(|error| error.is_ended()));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Instance {
    hub: Arc<Hub>,
    key: InstanceKey,
    id: InstanceId,
}

impl Instance {
    pub(crate) fn new(engine: &Engine, key: InstanceKey, id: InstanceId) -> Self {
        Self {
            hub: Arc::clone(&engine.hub),
            key,
            id,
        }
    }

    pub(crate) fn find(engine: &Engine, id: &str) -> Result<Option<Self>, LookupError> {
        // Ids that the engine made are found as well, though nobody may choose one.
        let id = if id.starts_with('~') {
            InstanceId::stored(id)
        } else {
            InstanceId::parse(id)?
        };
        let key = engine.hub.reviver.reader.find(&id);
        let key = key.map_err(|error| unreadable(&engine.hub, error))?;
        Ok(key.map(|key| Self::new(engine, key, id)))
    }

    /// The instance's id.
    pub fn id(&self) -> &InstanceId {
        &self.id
    }

    /// Where the instance stands; [`summary`](Self::summary) tells more.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub async fn status(&self) -> Result<Status, LookupError> {
        Ok(self.summary().await?.status)
    }

    /// The instance as it is recorded now: never older than what this program has been told.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// [`LookupError::Stopped`] if the engine has stopped, [`LookupError::Store`] if the store cannot be read,
    /// [`LookupError::NotFound`] if the instance is no longer there.
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn summary(&self) -> Result<Summary, LookupError> {
        let summary = self.hub.reviver.reader.summary(self.key);
        let summary = summary.map_err(|error| unreadable(&self.hub, error))?;
        summary.ok_or_else(|| LookupError::NotFound(self.id.to_string()))
    }

    /// The custom status that the orchestration set last; `None` if it set none.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// [`LookupError::Undecodable`] if the status is no `T`; else as [`summary`](Self::summary).
    pub async fn custom_status<T: DeserializeOwned>(&self) -> Result<Option<T>, LookupError> {
        let status = self.summary().await?.custom_status;
        Ok(status.map(|status| status.decode()).transpose()?)
    }

    /// The history of the current execution, or of the last.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub async fn history(&self) -> Result<Vec<HistoryEvent>, LookupError> {
        let summary = self.summary().await?;
        let history = (self.hub.reviver.reader).current_history(self.key, &summary);
        history.map_err(|error| unreadable(&self.hub, error))
    }

    /// Waits until the instance has ended. A stall does not end the wait: mended code may go on.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`WaitError::Stopped`] if the engine stops, [`WaitError::Store`] if the store cannot be read,
    /// [`WaitError::NotFound`] if the instance is no longer there. How the orchestration ended is no error here.
    pub async fn wait(&self) -> Result<Summary, WaitError> {
        self.watch(Until::Ended).await
    }

    /// Waits until more is recorded of the instance than `seen`, or it has ended.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`WaitError::Stopped`] if the engine stops, [`WaitError::Store`] if the store cannot be read,
    /// [`WaitError::NotFound`] if the instance is no longer there. How the orchestration ended is no error here.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn trip() {
    ///     for stop in ["Berlin", "Praha", "Wien"] {
    ///         set_status(stop);
    ///         sleep(hours(4)).await;
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let trip = engine.start(trip()).await?;
    /// let mut stops = Vec::new();
    /// let mut now = trip.summary().await?;
    /// while !now.has_ended() {
    ///     if let Some(stop) = &now.custom_status {
    ///         stops.push(stop.decode::<String>()?);
    ///     }
    ///     now = trip.changed(&now).await?;
    /// }
    /// stops.dedup();
    /// assert_eq!(stops, ["Berlin", "Praha", "Wien"]);
    /// # Ok(()) }
    /// ```
    pub async fn changed(&self, seen: &Summary) -> Result<Summary, WaitError> {
        self.watch(Until::Beyond(Version(seen.execution, seen.events)))
            .await
    }

    /// Raises an event, with a value for whoever awaits it. One that has no type is made by
    /// [`named::event`](crate::named::event).
    ///
    /// # Durability
    /// The event is on disk when this resolves. It is buffered until the orchestration awaits it.
    ///
    /// # Cancel safety
    /// Nothing is asked before the first poll. Dropping the future after that leaves open whether the event was recorded;
    /// raising it again may record it twice.
    ///
    /// # Errors
    /// - [`RaiseError::Payload`]: the value cannot be recorded, or the event's name is too long; nothing was asked.
    /// - [`RaiseError::Ended`], [`RaiseError::NotFound`]: there is nobody to take it any more.
    /// - [`RaiseError::Damaged`]: what is recorded of the instance cannot be read.
    /// - [`RaiseError::Stopped`]: the engine has stopped; nothing was recorded.
    /// - [`RaiseError::Unknown`]: the engine stopped before it could say.
    pub fn raise<'i, T: Serialize>(
        &'i self,
        event: &Event<T>,
        value: T,
    ) -> impl Future<Output = Result<(), RaiseError>> + Send + use<'i, T> {
        // Before anything is awaited, so that neither the event nor the value is held on to.
        let name = within_name_limit(event.full_name().clone());
        let payload = within_limit(Payload::json(&value));
        async move { self.send(name?, payload?).await }
    }

    async fn send(&self, name: Name, payload: Payload) -> Result<(), RaiseError> {
        let at = self.hub.clock.now();
        let event = HistoryEvent::EventRaised(EventRaised {
            at,
            name,
            payload,
            event: None,
        });
        let (reply, answer) = Reply::channel();
        let arrival = Incoming::Arrival {
            event,
            execution: None,
            reply: Some(reply),
        };
        self.hub.deliver(self.key, arrival)?;
        match answer.await {
            Ok(Delivered::Recorded) => Ok(()),
            Ok(Delivered::Ended) => Err(RaiseError::Ended(self.id.to_string())),
            Ok(Delivered::Unknown) => Err(RaiseError::NotFound(self.id.to_string())),
            Ok(Delivered::Unreadable(report)) => Err(RaiseError::Damaged {
                id: self.id.to_string(),
                report,
            }),
            Err(_) => Err(RaiseError::Unknown(self.hub.reason())),
        }
    }

    async fn watch(&self, until: Until) -> Result<Summary, WaitError> {
        let (reply, answer) = Reply::channel();
        self.hub.submit(Submission::Watch(Watch {
            key: self.key,
            until,
            reply,
        }))?;
        match answer.await {
            Ok(found) => found?.ok_or_else(|| WaitError::NotFound(self.id.to_string())),
            Err(_) => Err(self.hub.reason().into()),
        }
    }
}

/// Why the store could not be read: if the engine has closed it, why that.
fn unreadable(hub: &Hub, error: StoreError) -> LookupError {
    match error {
        StoreError::Closed => hub.reason().into(),
        error => error.into(),
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance `{}`", self.id)
    }
}
