//! Waiting for any number of durable futures.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::source::Source;
use crate::durable::{Durable, DurableBranch};
use crate::replay::Order;

/// Waits for all of `futures`; the results are in the order of the futures, whatever order they ended in.
///
/// All of them are begun in one turn; with [`limit`](JoinAll::limit) no more than so many run at a time. None is polled
/// without need, so a fan-out over *n* costs 2 *n* polls. A result that is an error ends nothing: all are waited for. For
/// the first error use [`try_join_all`](super::try_join_all). An empty collection is ready at once.
///
/// What is recorded is what the futures record. The collection is asked for a future when it is about to be begun, so it
/// may be a lazy iterator.
///
/// # Replay
/// The futures are answered from the history, in the order in which they ended.
///
/// # Cancel safety
/// Dropping it cancels what still waits and loses the results that are there.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn length(page: String) -> usize {
///     page.len()
/// }
///
/// #[orchestrator]
/// async fn total(pages: Vec<String>) -> usize {
///     join_all(pages.into_iter().map(length)).await.into_iter().sum()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let pages = ["a", "bcd"].map(str::to_owned).to_vec();
/// assert_eq!(engine.start(total(pages)).await?.result().await?, 4);
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rules FAN-1 and FAN-2: nothing is waited for before all are scheduled, all are waited for even
/// if one failed, an empty list is done at once.
pub fn join_all<I>(futures: I) -> JoinAll<I::IntoIter>
where
    I: IntoIterator,
    I::Item: DurableBranch,
{
    JoinAll {
        source: Source::new(futures.into_iter(), Order::Index),
        results: Vec::new(),
    }
}

/// The future of [`join_all`].
#[must_use = "futures do nothing until they are awaited"]
pub struct JoinAll<I: Iterator<Item: Future>> {
    source: Source<I>,
    results: Vec<Option<<I::Item as Future>::Output>>,
}

impl<I: Iterator<Item: Future>> JoinAll<I> {
    /// Lets no more than `limit` futures run at a time: the next is pulled from the iterator, and begun, when one has
    /// ended, in the same turn.
    ///
    /// So a hundred thousand calls need the memory of `limit` of them, and of the results.
    ///
    /// # Panics
    /// If `limit` is 0.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[activity]
    /// async fn resize(image: u32) -> u32 {
    ///     image / 2
    /// }
    ///
    /// #[orchestrator]
    /// async fn resize_all(images: u32) -> Vec<u32> {
    ///     join_all((0..images).map(resize)).limit(10).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let resized = engine.start(resize_all(100)).await?.result().await?;
    /// assert_eq!((resized.len(), resized[99]), (100, 49));
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn limit(mut self, limit: usize) -> Self {
        self.source.limit(limit);
        self
    }
}

/// The children are pinned in boxes of their own.
impl<I: Iterator<Item: Future>> Unpin for JoinAll<I> {}

#[diagnostic::do_not_recommend]
impl<I: Iterator<Item: Future>> Durable for JoinAll<I> {}

impl<I: Iterator<Item: Future>> Future for JoinAll<I> {
    type Output = Vec<<I::Item as Future>::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { source, results } = &mut *self;
        let polled = source.poll(cx, |index, result| {
            put(results, index, result);
            ControlFlow::<()>::Continue(())
        });
        polled.map(|_| std::mem::take(results).into_iter().flatten().collect())
    }
}

/// Puts a result in its place, of which there may be none yet.
pub(super) fn put<T>(results: &mut Vec<Option<T>>, index: usize, result: T) {
    if results.len() <= index {
        results.resize_with(index + 1, || None);
    }
    if let Some(place) = results.get_mut(index) {
        *place = Some(result);
    }
}

impl<I: Iterator<Item: Future>> fmt::Debug for JoinAll<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "join, {} running", self.source.running())
    }
}
