//! Waiting for any number of durable futures, until one fails.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::join_all::put;
use super::source::Source;
use crate::durable::{Durable, DurableBranch, Fallible};
use crate::replay::Order;

/// Waits until all of `futures`, which are `Result`s, have given `Ok`, or one has given `Err`.
///
/// Gives `Ok` of all values, in the order of the futures, or the error that came first in the history; then all that
/// still runs is cancelled, in that turn, and what was not begun never is. All of them are begun in one turn; with
/// [`limit`](TryJoinAll::limit) no more than so many run at a time. An empty collection is `Ok` at once.
///
/// Where every result counts, also after an error, use [`join_all`](super::join_all).
///
/// # Replay
/// The futures are answered from the history, in the order in which they ended, so the same error is the first.
///
/// # Cancel safety
/// Dropping it cancels what still waits and loses the values that are there.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn reserve(sku: String) -> Result<u32, String> {
///     if sku.is_empty() { Err("no sku".to_owned()) } else { Ok(1) }
/// }
///
/// #[orchestrator]
/// async fn reserve_all(skus: Vec<String>) -> Result<u32, String> {
///     let parcels = try_join_all(skus.into_iter().map(reserve)).await?;
///     Ok(parcels.into_iter().sum())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let skus = ["tea", "pot"].map(str::to_owned).to_vec();
/// assert_eq!(engine.start(reserve_all(skus)).await?.result().await?, Ok(2));
/// let skus = ["tea", ""].map(str::to_owned).to_vec();
/// let error = engine.start(reserve_all(skus)).await?.result().await?;
/// assert_eq!(error, Err("no sku".to_owned()));
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rule FAN-1, and the order of FAN-3; that the rest is cancelled is Rust's.
pub fn try_join_all<I>(futures: I) -> TryJoinAll<I::IntoIter, Value<I::Item>, Error<I::Item>>
where
    I: IntoIterator,
    I::Item: DurableBranch<Output: Fallible>,
{
    TryJoinAll {
        source: Source::new(futures.into_iter(), Order::Arrival),
        values: Vec::new(),
        into_result: Fallible::into_result,
    }
}

type Output<I> = <<I as Iterator>::Item as Future>::Output;
type Value<F> = <<F as Future>::Output as Fallible>::Value;
type Error<F> = <<F as Future>::Output as Fallible>::Error;

/// The future of [`try_join_all`]: gives `Result<Vec<V>, E>`.
#[must_use = "futures do nothing until they are awaited"]
pub struct TryJoinAll<I: Iterator<Item: Future>, V, E> {
    source: Source<I>,
    values: Vec<Option<V>>,
    /// What proves that outputs are `Result`s, so that no bound has to: one that is none is then told once.
    into_result: fn(Output<I>) -> Result<V, E>,
}

impl<I: Iterator<Item: Future>, V, E> TryJoinAll<I, V, E> {
    /// Lets no more than `limit` futures run at a time: the next is pulled from the iterator, and begun, when one has
    /// ended, in the same turn. After an error none is pulled any more.
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub fn limit(mut self, limit: usize) -> Self {
        self.source.limit(limit);
        self
    }
}

/// The children are pinned in boxes of their own.
impl<I: Iterator<Item: Future>, V, E> Unpin for TryJoinAll<I, V, E> {}

#[diagnostic::do_not_recommend]
impl<I: Iterator<Item: Future>, V, E> Durable for TryJoinAll<I, V, E> {}

impl<I: Iterator<Item: Future>, V, E> Future for TryJoinAll<I, V, E> {
    type Output = Result<Vec<V>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            source,
            values,
            into_result,
        } = &mut *self;
        let polled = ready!(source.poll(cx, |index, output| match into_result(output) {
            Ok(value) => {
                put(values, index, value);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }));
        let values = std::mem::take(values);
        Poll::Ready(match polled {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(values.into_iter().flatten().collect()),
        })
    }
}

impl<I: Iterator<Item: Future>, V, E> fmt::Debug for TryJoinAll<I, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "try_join, {} running", self.source.running())
    }
}
