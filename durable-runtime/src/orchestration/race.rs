//! Waiting for the first of any number of durable futures.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::running::Running;
use super::select_all::at_least_one;
use crate::durable::{Durable, DurableBranch};
use crate::replay::Order;

/// Waits for the first of `futures` to end, gives its result and cancels the others.
///
/// First is first in the history. A result that is an error wins like any other. All futures are begun in one turn, in
/// order, unless one is ready at once: then those after it are not begun. The others are cancelled in the turn in which
/// the first ended.
///
/// For futures of different types use `select!`, or [`BoxDurable`](crate::BoxDurable); to let the others go on, use
/// [`select_all`](super::select_all).
///
/// # Replay
/// The futures are answered from the history, in the order in which they ended, so the same one wins.
///
/// # Cancel safety
/// Dropping it cancels all of them.
///
/// # Panics
/// If there are no futures, when it is called: there is no first of none. In an orchestrator that is a fault.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn fetch(mirror: String) -> String {
///     format!("page from {mirror}")
/// }
///
/// #[orchestrator]
/// async fn fastest(mirrors: Vec<String>) -> Option<String> {
///     if mirrors.is_empty() {
///         return None;
///     }
///     Some(race(mirrors.into_iter().map(fetch)).await)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let mirrors = vec!["here".to_owned(), "there".to_owned()];
/// let page = engine.start(fastest(mirrors)).await?.result().await?;
/// assert!(page.is_some_and(|page| page.starts_with("page from")));
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rule FAN-3: the first in the order of the history; that the losers are cancelled is Rust's.
#[track_caller]
pub fn race<I>(futures: I) -> Race<I::Item>
where
    I: IntoIterator,
    I::Item: DurableBranch,
{
    Race {
        waiting: at_least_one(futures, "race"),
        running: Running::new(Order::Arrival),
    }
}

/// The future of [`race`].
#[must_use = "futures do nothing until they are awaited"]
pub struct Race<F: Future> {
    /// Those that have still to be begun.
    waiting: Vec<F>,
    running: Running<F>,
}

/// The children are pinned in boxes of their own.
impl<F: Future> Unpin for Race<F> {}

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for Race<F> {}

impl<F: Future> Future for Race<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { waiting, running } = &mut *self;
        let mut round = running.round();
        for future in std::mem::take(waiting) {
            if round.begin(future, cx) {
                break;
            }
        }
        let Some((_, output)) = round.next_ended(cx) else {
            return Poll::Pending;
        };
        running.clear();
        Poll::Ready(output)
    }
}

impl<F: Future> fmt::Debug for Race<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "race of {}", self.waiting.len() + self.running.len())
    }
}
