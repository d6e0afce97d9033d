//! Removing what has ended.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use crate::client::instance::Instance;
use crate::client::query::Query;
use crate::engine::Engine;
use crate::engine::hub::Hub;
use crate::engine::message::{Buried, Left, Purge, Reply, Submission};
use crate::event::HistoryEvent;
use crate::id::{InstanceId, InstanceKey};
use crate::limits;
use crate::store::{Reader, StoreError};

mod error;

pub use error::PurgeError;

/// What a purge came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// How many instances were removed.
    pub count: u64,
    /// Whether nothing is left of what was named: false if something of it has not ended, or cannot be read.
    pub is_complete: bool,
}

impl Default for Purged {
    /// Nothing was named, and nothing is left.
    fn default() -> Self {
        Self {
            count: 0,
            is_complete: true,
        }
    }
}

impl Instance {
    /// Removes the instance, which must have ended: as if it had never been. Its id is free at once; the space that it took
    /// in the file is used again.
    ///
    /// Whoever still holds a handle of it is told that it is not there. What it has started lives on, unless
    /// [`recursive`](PurgeRequest::recursive) is said. Purging what is purged already counts nothing, and is no error.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> u32 {
    ///     order
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let shipped = engine.start(ship(42)).id("ship-42").await?;
    /// shipped.result().await?;
    /// assert_eq!(shipped.purge().await?.count, 1);
    /// assert!(engine.instance("ship-42").await?.is_none());
    ///
    /// // The id belongs to nobody any more.
    /// let again = engine.start(ship(43)).id("ship-42").await?;
    /// assert_eq!(again.result().await?, 43);
    /// # Ok(()) }
    /// ```
    pub fn purge(&self) -> PurgeRequest {
        PurgeRequest {
            hub: Arc::clone(self.hub()),
            named: Named::One(self.key(), self.id().clone()),
            recursive: false,
        }
    }
}

impl Engine {
    /// Removes the instances with these ids that have ended. Ids that nobody has are passed over; what has not ended stays,
    /// and [`is_complete`](Purged::is_complete) is false then.
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
    /// async fn order(is_paid: bool) -> u32 {
    ///     if is_paid { 0 } else { PAID.wait().await }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// engine.start(order(true)).id("order-1").await?.wait().await?;
    /// engine.start(order(false)).id("order-2").await?;
    /// let purged = engine.purge(["order-1", "order-2", "order-3"]).await?;
    /// assert_eq!((purged.count, purged.is_complete), (1, false));
    /// # Ok(()) }
    /// ```
    pub fn purge<I>(&self, ids: I) -> PurgeRequest
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        PurgeRequest {
            hub: Arc::clone(&self.hub),
            named: Named::Ids(ids.into_iter().map(Into::into).collect()),
            recursive: false,
        }
    }
}

impl<R: 'static> Query<R> {
    /// Removes all instances of the list that have ended: page by page, so that a million take no more memory than a few. If no
    /// status was named, those of any that is an end.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> u32 {
    ///     order
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// for order in 0..40 {
    ///     engine.start(ship(order)).await?;
    /// }
    /// engine.settle().await;
    /// let last_month = ..engine.now() - days(30);
    /// assert_eq!(engine.instances().completed(last_month).purge().await?.count, 0);
    /// assert_eq!(engine.instances().of(ship).purge().await?.count, 40);
    /// # Ok(()) }
    /// ```
    pub fn purge(self) -> PurgeRequest {
        PurgeRequest {
            hub: Arc::clone(self.hub()),
            named: Named::Listed(Box::new(self.ids_only())),
            recursive: false,
        }
    }
}

/// A purge that is still to be asked for: `.await` does.
///
/// # Durability
/// What is counted is gone for good when this resolves. A large purge is several commits, between which others have theirs;
/// if the program dies in between, some of it is done: ask again.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open how much was purged; asking again is
/// safe.
///
/// # Errors
/// - [`PurgeError::Running`]: the instance, or with [`recursive`](Self::recursive) one below it, has not ended; nothing was
///   purged. Several at once are passed over instead.
/// - [`PurgeError::Awaited`]: another instance is to hear how it ended, and cannot record that now; it was not purged.
/// - [`PurgeError::InvalidId`]: a text cannot be an id; nothing was asked.
/// - [`PurgeError::List`]: the list cannot be made.
/// - [`PurgeError::Store`]: what is recorded of it cannot be read.
/// - [`PurgeError::Stopped`], [`PurgeError::Unknown`]: the engine has stopped, before or after it could say.
#[must_use = "nothing is purged until this is `.await`ed"]
pub struct PurgeRequest {
    hub: Arc<Hub>,
    named: Named,
    recursive: bool,
}

/// What is to be purged.
enum Named {
    /// This one; it is an error if it cannot be.
    One(InstanceKey, InstanceId),
    /// Those of these ids that can be.
    Ids(Vec<String>),
    /// Those of this list that can be.
    Listed(Box<Query<InstanceId>>),
}

impl PurgeRequest {
    /// Also removes the children that the last execution of each has started, and theirs. If one of them has not ended,
    /// the whole family stays, so that this can be asked again. Detached instances are no children.
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }

    async fn send(self) -> Result<Purged, PurgeError> {
        let is_strict = matches!(self.named, Named::One(..));
        let mut purger = Purger {
            hub: &self.hub,
            is_strict,
            recursive: self.recursive,
            done: Purged::default(),
        };
        match self.named {
            Named::One(key, _) => purger.purge(vec![key]).await?,
            Named::Ids(ids) => {
                let parsed: Result<Vec<_>, _> =
                    ids.iter().map(|id| InstanceId::named(id)).collect();
                purger.purge_named(parsed?).await?;
            }
            Named::Listed(list) => {
                let mut next = Some(list.of_ended().page_size(limits::PURGE_SLICE));
                while let Some(list) = next.take() {
                    let page = list.clone().await?;
                    next = page.next.map(|cursor| list.after(cursor));
                    purger.done.is_complete &= page.damaged.is_empty();
                    purger.purge(page.keys).await?;
                }
            }
        }
        Ok(purger.done)
    }
}

/// An instance that has ended and all below it, the lowest first.
async fn family(hub: &Hub, root: InstanceKey) -> Result<Vec<InstanceKey>, PurgeError> {
    let reader = &hub.reviver.reader;
    let mut family = Vec::new();
    let mut next = vec![root];
    while let Some(key) = next.pop() {
        let summary = reader.shared_summary(key);
        let Some(summary) = summary.map_err(|error| unreadable(hub, error))? else {
            continue;
        };
        if !summary.has_ended() {
            return Err(PurgeError::Running {
                id: summary.id.to_string(),
                status: summary.status,
            });
        }
        family.push(key);
        next.extend(children(reader, key).map_err(|error| unreadable(hub, error))?);
        // Others have their turn: a family may be large.
        tokio::task::yield_now().await;
    }
    family.reverse();
    Ok(family)
}

/// The children that the last execution of an instance has started, and that are still there.
fn children(reader: &Reader, key: InstanceKey) -> Result<Vec<InstanceKey>, StoreError> {
    let mut children = Vec::new();
    for event in reader.last_history(key)?.unwrap_or_default() {
        let HistoryEvent::ChildScheduled(scheduled) = event else {
            continue;
        };
        let Some(child) = reader.find(&scheduled.instance)? else {
            continue;
        };
        // The id may have been another's from the beginning, or be so by now.
        let summary = reader.shared_summary(child)?;
        let parent = summary.and_then(|summary| summary.parent.clone());
        children.extend(parent.filter(|parent| parent.key == key).map(|_| child));
    }
    Ok(children)
}

/// Why the store could not be read: if the engine has closed it, why that.
fn unreadable(hub: &Hub, error: StoreError) -> PurgeError {
    match error {
        StoreError::Closed => hub.reason().into(),
        error => error.into(),
    }
}

/// Purges in slices.
struct Purger<'h> {
    hub: &'h Hub,
    /// Whether it is an error if something cannot be purged.
    is_strict: bool,
    recursive: bool,
    done: Purged,
}

/// How often is asked again when somebody is still to hear of an end: one round is enough, unless the one who is to hear has
/// more to do.
const ROUNDS: u32 = 16;

impl Purger<'_> {
    async fn purge_named(&mut self, ids: Vec<InstanceId>) -> Result<(), PurgeError> {
        let mut keys = Vec::new();
        for id in ids {
            let found = self.hub.reviver.reader.find(&id);
            keys.extend(found.map_err(|error| unreadable(self.hub, error))?);
        }
        self.purge(keys).await
    }

    async fn purge(&mut self, keys: Vec<InstanceKey>) -> Result<(), PurgeError> {
        if !self.recursive {
            return self.purge_all(&keys).await;
        }
        for root in keys {
            match family(self.hub, root).await {
                Ok(family) => self.purge_all(&family).await?,
                Err(PurgeError::Running { .. }) if !self.is_strict => self.done.is_complete = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn purge_all(&mut self, keys: &[InstanceKey]) -> Result<(), PurgeError> {
        for slice in keys.chunks(limits::PURGE_SLICE) {
            self.purge_slice(slice.to_vec()).await?;
        }
        Ok(())
    }

    async fn purge_slice(&mut self, mut keys: Vec<InstanceKey>) -> Result<(), PurgeError> {
        for round in 1..=ROUNDS {
            let Buried { count, left } = self.submit(keys).await?;
            self.done.count += count;
            keys = Vec::new();
            let mut waiter = None;
            for (key, left) in left {
                match left {
                    Left::Awaited(by) if round < ROUNDS => {
                        keys.push(key);
                        waiter = Some(by);
                    }
                    left => self.leave(key, left)?,
                }
            }
            let Some(waiter) = waiter else {
                return Ok(());
            };
            self.hub.pass_through(waiter).await?;
        }
        Ok(())
    }

    async fn submit(&self, keys: Vec<InstanceKey>) -> Result<Buried, PurgeError> {
        let (reply, answer) = Reply::channel();
        let purge = Submission::Purge(Purge {
            keys,
            ended_by: None,
            reply,
        });
        self.hub.submit(purge)?;
        answer
            .await
            .map_err(|_| PurgeError::Unknown(self.hub.reason()))
    }

    fn leave(&mut self, key: InstanceKey, left: Left) -> Result<(), PurgeError> {
        self.done.is_complete = false;
        if !self.is_strict {
            return Ok(());
        }
        Err(match left {
            Left::Alive(status) => PurgeError::Running {
                id: self.hub.name_of(key),
                status,
            },
            Left::Awaited(by) => PurgeError::Awaited {
                id: self.hub.name_of(key),
                by: self.hub.name_of(by),
            },
            Left::Unreadable(error) => error.into(),
        })
    }
}

impl IntoFuture for PurgeRequest {
    type Output = Result<Purged, PurgeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for PurgeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.named {
            Named::One(_, id) => write!(f, "purge of `{id}`"),
            Named::Ids(ids) => write!(f, "purge of {} instances", ids.len()),
            Named::Listed(list) => write!(f, "purge of {list:?}"),
        }
    }
}
