//! A set of durable futures that gives their results as they come.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::running::Running;
use crate::durable::{Durable, DurableBranch};
use crate::replay::Order;

/// A set of durable futures that run at the same time; [`next`](Self::next) gives their results in the order in which they
/// ended.
///
/// It is `FuturesUnordered` of the `futures` crate, and much of tokio's `JoinSet`, for orchestrators: futures may be added
/// while others run, each is polled only when something arrived for it, so that *n* futures cost 2 *n* polls, and a hundred
/// thousand of them no more for each than ten.
///
/// A future is begun when `next` is polled after it was pushed: all that was pushed before is begun then, in that order,
/// also if there is a result to give. The set itself records nothing; its futures record what they always do.
///
/// # Replay
/// The order of the results is that of the history: that in which they were recorded, also if several came while nobody
/// asked. (A future that waits for several things one after the other comes when it is asked and has ended.)
///
/// # Cancel safety
/// Dropping the set cancels what runs in it, and loses results that were not taken. Dropping the future of `next` loses
/// nothing: it fits into a `select!` in a loop.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn children_of(page: u32) -> Vec<u32> {
///     if page < 4 { vec![2 * page, 2 * page + 1] } else { vec![] }
/// }
///
/// /// Every page that is found leads to more work.
/// #[orchestrator]
/// async fn crawl(start: u32) -> usize {
///     let mut found = 0;
///     let mut running = FuturesUnordered::new();
///     running.push(children_of(start));
///     while let Some(pages) = running.next().await {
///         found += pages.len();
///         running.extend(pages.into_iter().map(children_of));
///     }
///     found
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// assert_eq!(engine.start(crawl(1)).await?.result().await?, 6);
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rule FAN-3: deterministic by history.
#[doc(alias = "JoinSet")]
pub struct FuturesUnordered<F: Future> {
    /// Those that have still to be begun.
    pushed: Vec<F>,
    running: Running<F>,
}

impl<F: Future> FuturesUnordered<F> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            pushed: Vec::new(),
            running: Running::new(Order::Arrival),
        }
    }

    /// Adds a future. It is begun when [`next`](Self::next) is polled.
    #[doc(alias = "spawn")]
    pub fn push(&mut self, future: F)
    where
        F: DurableBranch,
    {
        self.pushed.push(future);
    }

    /// Waits for the next future to end and gives its result; `None` if there is none in the set. More may be pushed then.
    #[doc(alias = "join_next")]
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that the `futures` crate gave it; it gives a future and no item"
    )]
    pub fn next(&mut self) -> Next<'_, F> {
        Next(self)
    }

    /// How many futures are in the set: those whose result was not taken.
    pub fn len(&self) -> usize {
        self.pushed.len() + self.running.len()
    }

    /// Whether there is no future in the set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all futures: what runs is cancelled.
    #[doc(alias = "abort_all")]
    pub fn clear(&mut self) {
        self.pushed.clear();
        self.running.clear();
    }
}

/// The future of [`FuturesUnordered::next`].
#[must_use = "futures do nothing until they are awaited"]
pub struct Next<'a, F: Future>(&'a mut FuturesUnordered<F>);

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for Next<'_, F> {}

impl<F: Future> Future for Next<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let FuturesUnordered { pushed, running } = &mut *self.0;
        let mut round = running.round();
        for future in pushed.drain(..) {
            round.begin(future, cx);
        }
        if let Some((_, output)) = round.next_ended(cx) {
            return Poll::Ready(Some(output));
        }
        if running.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

impl<F: Future> Default for FuturesUnordered<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: DurableBranch> Extend<F> for FuturesUnordered<F> {
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        self.pushed.extend(futures);
    }
}

impl<F: DurableBranch> FromIterator<F> for FuturesUnordered<F> {
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        Self {
            pushed: futures.into_iter().collect(),
            ..Self::new()
        }
    }
}

impl<F: Future> fmt::Debug for FuturesUnordered<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (running, pushed) = (self.running.len(), self.pushed.len());
        write!(f, "set of futures, {running} running, {pushed} to begin")
    }
}

impl<F: Future> fmt::Debug for Next<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "next of {:?}", self.0)
    }
}
