//! One instance, whatever it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::error::LookupError;
use crate::client::raise::RaiseRequest;
use crate::client::saved::{SaveError, SavedHistory};
use crate::engine::Engine;
use crate::engine::hub::Hub;
use crate::event::HistoryEvent;
use crate::explain::{self, Explanation};
use crate::id::{BuildId, InstanceId, InstanceKey, SiteId};
use crate::orchestration::Event;
use crate::store::{Overview, Reader, Status, StoreError, Summary};

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
    pub(super) hub: Arc<Hub>,
    pub(super) key: InstanceKey,
    pub(super) id: InstanceId,
}

impl Instance {
    pub(crate) fn of(hub: &Arc<Hub>, key: InstanceKey, id: InstanceId) -> Self {
        Self {
            hub: Arc::clone(hub),
            key,
            id,
        }
    }

    pub(crate) fn find(engine: &Engine, id: &str) -> Result<Option<Self>, LookupError> {
        let id = InstanceId::named(id)?;
        let key = engine.hub.reviver.reader.find(&id);
        let key = key.map_err(|error| unreadable(&engine.hub, error))?;
        Ok(key.map(|key| Self::of(&engine.hub, key, id)))
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn key(&self) -> InstanceKey {
        self.key
    }

    /// Bytes of the largest payload that it takes.
    pub(super) fn payload_limit(&self) -> usize {
        self.hub.reviver.payload_limit
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

    /// The instance as it is recorded now, without input, output and custom status: cheap, however large those are.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn overview(&self) -> Result<Overview, LookupError> {
        let overview = self.hub.reviver.reader.overview(self.key);
        let overview = overview.map_err(|error| unreadable(&self.hub, error))?;
        overview.ok_or_else(|| LookupError::NotFound(self.id.to_string()))
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
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn history(&self) -> Result<Vec<HistoryEvent>, LookupError> {
        let history = self.hub.reviver.reader.last_history(self.key);
        let history = history.map_err(|error| unreadable(&self.hub, error))?;
        history.ok_or_else(|| LookupError::NotFound(self.id.to_string()))
    }

    /// The history of the current execution, or of the last, with all that it takes to replay it elsewhere.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub async fn saved_history(&self) -> Result<SavedHistory, LookupError> {
        let events = self.history().await?;
        let reviver = &self.hub.reviver;
        let places = places(&reviver.reader, &events);
        Ok(SavedHistory {
            store: reviver.store,
            key: self.key,
            places: places.map_err(|error| unreadable(&self.hub, error))?,
            events,
        })
    }

    /// Writes [`saved_history`](Self::saved_history) to a file, in place of what is there; directories that are missing are
    /// made. [`assert_replays!`](crate::testing::assert_replays) replays it in a test.
    ///
    /// # Cancel safety
    /// Dropping the future before it resolves leaves the file as it was, or written.
    ///
    /// # Errors
    /// [`SaveError`] if the history cannot be read, or the file not be written.
    pub async fn save_history(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        self.saved_history().await?.save(path)
    }

    /// Why the instance does not go on: what it awaits, at which line, since when, and who is to deliver it; of one that is stalled
    /// the cause and the remedy; of one that has ended, how. [Displayed](fmt::Display), it is a page for people.
    ///
    /// It is told of any instance, in memory or not, from what is recorded and from what this engine knows. The instances that it
    /// waits for are followed down: 16 deep, 64 in all. Which external events the code awaits is not recorded; so the recorded
    /// turns are replayed, without effect, on a thread of their own. A replay that takes longer than 10 s is left alone, and the
    /// answer says that this part of it is missing.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`summary`](Self::summary). Of an instance whose history is damaged the answer says so.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::explain::{Awaited, Delivery};
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[activity(retry(max_attempts = 5, initial = "1m"))]
    /// async fn charge(cents: u32) -> Result<(), String> {
    ///     Err(format!("no {cents} on the card"))
    /// }
    ///
    /// #[orchestrator]
    /// async fn checkout() -> Result<(), String> {
    ///     charge(4200).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let order = engine.start(checkout()).await?;
    /// engine.settle().await;
    /// let why = order.explain().await?;
    /// let Awaited::Activity(charge) = &why.waits[0].awaited else { panic!("{why}") };
    /// assert_eq!((charge.attempt, charge.attempts_max), (2, 5));
    /// assert!(matches!(charge.delivery, Delivery::Delayed { .. }));
    /// assert_eq!(charge.last_error.as_deref(), Some("no 4200 on the card"));
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self) -> Result<Explanation, LookupError> {
        let explanation = explain::look(&self.hub, self.key).await;
        let explanation = explanation.map_err(|error| unreadable(&self.hub, error))?;
        explanation.ok_or_else(|| LookupError::NotFound(self.id.to_string()))
    }

    /// Raises an event, with a value for whoever awaits it. One that has no type is made by
    /// [`named::event`](crate::named::event).
    ///
    /// Nothing happens before the [`RaiseRequest`] is awaited; it says what is durable then, and what can go wrong. An
    /// [`id`](RaiseRequest::id) makes it safe to raise the event again.
    pub fn raise<T: Serialize>(&self, event: &Event<T>, value: T) -> RaiseRequest {
        RaiseRequest::to(self.clone(), event, &value)
    }
}

/// Where in the source the commands of a history were asked for.
fn places(
    reader: &Reader,
    events: &[HistoryEvent],
) -> Result<BTreeMap<(BuildId, SiteId), String>, StoreError> {
    let mut places = BTreeMap::new();
    let mut build = BuildId::default();
    for event in events {
        if let HistoryEvent::TurnStarted(turn) = event {
            build = turn.build;
        }
        let Some(site) = event.site() else { continue };
        if !places.contains_key(&(build, site))
            && let Some(place) = reader.spot(build, site)?
        {
            places.insert((build, site), place);
        }
    }
    Ok(places)
}

/// Why the store could not be read: if the engine has closed it, why that.
pub(super) fn unreadable(hub: &Hub, error: StoreError) -> LookupError {
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
