//! Lists and counts of instances.

use std::fmt;
use std::future::IntoFuture;
use std::ops::{Bound, RangeBounds};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use crate::client::error::LookupError;
use crate::client::instance::unreadable;
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::engine::hub::Hub;
use crate::id::{InstanceId, InstanceKey};
use crate::limits;
use crate::registry::OrchestratorFn;
use crate::store::{
    Counts, Cursor, Filter, Overview, Request, Shape, Span, Status, StoreError, Summary,
};

impl Engine {
    /// A list of instances, page by page; without any filter, of all.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::Status;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn checkout(order: u32) -> Result<u32, String> {
    ///     if order == 2 { Err("sold out".to_owned()) } else { Ok(order) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// for order in 0..5 {
    ///     engine.start(checkout(order)).id(format!("order-{order}")).tag("shop", "Praha").await?;
    /// }
    /// engine.settle().await;
    ///
    /// let failed = engine.instances().of(checkout).status(Status::Failed).await?;
    /// assert_eq!(failed.instances[0].id.as_str(), "order-2");
    ///
    /// // Page by page, as a web page would show it: the cursor is text in between.
    /// let list = engine.instances().tag("shop", "Praha").newest_first().ids_only().page_size(2);
    /// let mut ids = Vec::new();
    /// let mut cursor: Option<String> = None;
    /// loop {
    ///     let page = match &cursor {
    ///         Some(text) => list.clone().after(text.parse()?).await?,
    ///         None => list.clone().await?,
    ///     };
    ///     ids.extend(page.instances.iter().map(ToString::to_string));
    ///     match page.next {
    ///         Some(next) => cursor = Some(next.to_string()),
    ///         None => break,
    ///     }
    /// }
    /// assert_eq!(ids, ["order-4", "order-3", "order-2", "order-1", "order-0"]);
    /// # Ok(()) }
    /// ```
    pub fn instances(&self) -> Query {
        Query {
            hub: Arc::clone(&self.hub),
            filter: Filter::default(),
            descending: false,
            page_size: limits::PAGE_ROWS,
            after: None,
            shape: Shape {
                stored: |stored| stored.overview(),
                live: |summary| summary.into(),
            },
        }
    }

    /// How many instances there are, by status. It costs the same for ten as for ten million.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// [`LookupError::Stopped`] if the engine has stopped, [`LookupError::Store`] if the store cannot be read.
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn counts(&self) -> Result<Counts, LookupError> {
        let census = self.hub.reviver.reader.census();
        Ok(census.map_err(|error| unreadable(&self.hub, error))?.all())
    }

    /// How many instances there are of the orchestrator of that name, by status.
    ///
    /// # Cancel safety
    /// This only reads; dropping the future changes nothing.
    ///
    /// # Errors
    /// As [`counts`](Self::counts). A name that nothing has is no error: there are none.
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may read off the thread without changing the signature"
    )]
    pub async fn counts_of(&self, name: &str) -> Result<Counts, LookupError> {
        let census = self.hub.reviver.reader.census();
        Ok(census
            .map_err(|error| unreadable(&self.hub, error))?
            .of(name))
    }
}

/// A list of instances that is still to be asked for; `.await` gives one [`Page`] of it.
///
/// What is said of it narrows it. Statuses and names are alternatives: an instance has one of those that were said. All else
/// must hold together.
///
/// # Order
/// Instances come in the order in which they were created; with [`completed`](Self::completed), in that in which they ended;
/// with [`id_prefix`](Self::id_prefix), in that of their ids. [`newest_first`](Self::newest_first) turns each of them round.
///
/// # Stability
/// An instance that is there, and of which the filter holds, from the first page to the last comes exactly once, whatever is
/// created, changes or goes meanwhile. One of which the filter holds for a part of that time may come or not; none comes twice.
/// Each row is as its instance was while the page was made, and never older than what this program had been told by then.
///
/// # Cost
/// A page costs what it returns, not what there is: statuses, names, tags and the time of creation are looked up together, and
/// what only some of them hold for is jumped over. With `completed` or `id_prefix`, only that is looked up, and the rest filters
/// what it finds. In either case a page looks at 20,000 rows of the index at most, where an instance counts for 4, and for 16
/// if it is far from the one before; and it reads 16 MiB. Then it ends early, and [`Page::next`] goes on.
///
/// # Cancel safety
/// This only reads; dropping the future changes nothing.
///
/// # Errors
/// - [`LookupError::Cursor`]: the cursor is of another list.
/// - [`LookupError::TooManyFilters`]: more than 100 statuses, names and tags.
/// - [`LookupError::Stopped`]: the engine has stopped.
/// - [`LookupError::Store`]: the store cannot be read.
///
/// Source: `docs/design.md`, "Lists".
#[must_use = "nothing is listed until this is `.await`ed"]
pub struct Query<R: 'static = Overview> {
    hub: Arc<Hub>,
    filter: Filter,
    descending: bool,
    page_size: usize,
    after: Option<Cursor>,
    shape: Shape<R>,
}

/// A part of a list.
#[derive(Debug)]
#[non_exhaustive]
pub struct Page<R> {
    /// The instances. There may be fewer than asked for, even none, though more follow: `next` says.
    pub instances: Vec<R>,
    /// Whose they are.
    pub(crate) keys: Vec<InstanceKey>,
    /// Instances whose records are damaged, as reports; each counts as one of the page.
    pub damaged: Vec<StoreError>,
    /// From where the next page goes on; `None` if this is the last one.
    pub next: Option<Cursor>,
}

impl<R: 'static> Query<R> {
    /// Those with this status; said several times, with any of them.
    pub fn status(mut self, status: Status) -> Self {
        self.filter.statuses.insert(status);
        self
    }

    /// Those of the orchestrator of this name; said several times, of any of them.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.filter.names.insert(name.into());
        self
    }

    /// Those of this orchestrator, as [`name`](Self::name).
    pub fn of<Args, F: OrchestratorFn<Args>>(self, _orchestrator: F) -> Self {
        self.name(F::definition().name)
    }

    /// Those that were started with this tag; said several times, with all of them.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.filter.tags.insert((key.into(), value.into()));
        self
    }

    /// Those that were created within this time, to the millisecond: `from..to`, `from..` or `..=to`.
    pub fn created(mut self, within: impl RangeBounds<SystemTime>) -> Self {
        self.filter.created = Some(span(&within));
        self
    }

    /// Those that have ended, and did so within this time, to the millisecond; the list is in the order in which they ended,
    /// unless it goes by [`id_prefix`](Self::id_prefix).
    pub fn completed(mut self, within: impl RangeBounds<SystemTime>) -> Self {
        self.filter.completed = Some(span(&within));
        self
    }

    /// Those whose id begins so; the list is in the order of the ids.
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.filter.id_prefix = Some(prefix.into());
        self
    }

    /// Turns the order round: the last comes first.
    pub fn newest_first(mut self) -> Self {
        self.descending = true;
        self
    }

    /// How many instances a page has at most: 100 unless said otherwise, and 1 to 1,000; less counts as 1, more as 1,000.
    pub fn page_size(mut self, instances: usize) -> Self {
        self.page_size = instances.clamp(1, limits::PAGE_ROWS_MAX);
        self
    }

    /// Goes on behind the page that gave this cursor. The filters and the order must be those of that page; the size of a page
    /// and what is shown of an instance may be others.
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// The ids of the instances, and nothing else.
    pub fn ids_only(self) -> Query<InstanceId> {
        self.shaped(Shape {
            stored: |stored| stored.id(),
            live: |summary| summary.id.clone(),
        })
    }

    /// The instances with their input, output and custom status.
    pub fn with_payloads(self) -> Query<Summary> {
        self.shaped(Shape {
            stored: |stored| stored.into(),
            live: Clone::clone,
        })
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The same, of what has ended, unless its status was said.
    pub(crate) fn of_ended(mut self) -> Self {
        if self.filter.statuses.is_empty() {
            let ended = Status::ALL.iter().filter(|status| status.has_ended());
            self.filter.statuses.extend(ended);
        }
        self
    }

    fn shaped<Other>(self, shape: Shape<Other>) -> Query<Other> {
        Query {
            hub: self.hub,
            filter: self.filter,
            descending: self.descending,
            page_size: self.page_size,
            after: self.after,
            shape,
        }
    }

    fn page(self) -> Result<Page<R>, LookupError> {
        let filter = &self.filter;
        let count = filter.statuses.len() + filter.names.len() + filter.tags.len();
        if count > limits::LIST_TERMS_MAX {
            let limit = limits::LIST_TERMS_MAX;
            return Err(LookupError::TooManyFilters { count, limit });
        }
        let reader = &self.hub.reviver.reader;
        let mut request = Request {
            filter: self.filter,
            descending: self.descending,
            limit: self.page_size,
            after: None,
        };
        if let Some(cursor) = &self.after {
            request.after = Some(reader.position(cursor, &request)?);
        }
        let listing = reader.list(&request, self.shape);
        let listing = listing.map_err(|error| unreadable(&self.hub, error))?;
        Ok(Page {
            keys: listing.keys,
            instances: listing.rows,
            damaged: listing.damaged,
            next: (listing.next).map(|position| reader.cursor(position, &request)),
        })
    }
}

/// The milliseconds that are within a range of time, from the first to the one behind the last.
fn span(within: &impl RangeBounds<SystemTime>) -> Span {
    let up = |time: &SystemTime| Timestamp::from_system_time(*time).0;
    let behind = |time: &SystemTime| {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    };
    let start = match within.start_bound() {
        Bound::Included(time) => up(time),
        Bound::Excluded(time) => behind(time),
        Bound::Unbounded => 0,
    };
    let end = match within.end_bound() {
        Bound::Included(time) => behind(time),
        Bound::Excluded(time) => up(time),
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

impl<R: 'static> IntoFuture for Query<R> {
    type Output = Result<Page<R>, LookupError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.page() })
    }
}

impl<R> Clone for Query<R> {
    fn clone(&self) -> Self {
        Self {
            hub: Arc::clone(&self.hub),
            filter: self.filter.clone(),
            descending: self.descending,
            page_size: self.page_size,
            after: self.after.clone(),
            shape: Shape {
                stored: self.shape.stored,
                live: self.shape.live,
            },
        }
    }
}

impl<R> fmt::Debug for Query<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("filter", &self.filter)
            .field("newest_first", &self.descending)
            .field("page_size", &self.page_size)
            .finish_non_exhaustive()
    }
}
