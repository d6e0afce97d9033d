//! Waiting for the first of any number of durable futures, and keeping the others.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::group::Group;
use crate::durable::{Durable, DurableBranch, Movable};

/// Waits for the first of `futures` to end; gives its result, its index, and the others, which are still running.
///
/// Nothing is cancelled: what comes back is what was given, without the winner and in the same order, and may be awaited
/// on, be it with `select_all` again. To cancel the others, drop them, or use [`race`](super::race). To take all results
/// in the order in which they come, use [`FuturesUnordered`](super::FuturesUnordered): `select_all` in a loop polls all
/// that is left in every round.
///
/// All of them are begun in one turn. Of futures that had already ended when they were given, the one with the lowest
/// index wins; after that, the first in the history.
///
/// The others are given back, so they must be [`Unpin`](std::marker::Unpin). Calls, timers and events are; an `async`
/// block or a `#[helper]` is once it is in `Box::pin(..)`.
///
/// # Replay
/// The futures are answered from the history, in the order in which they ended, so the same one wins.
///
/// # Cancel safety
/// Dropping it drops all of `futures`: what waits is cancelled.
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
/// async fn quote(shop: u32) -> u32 {
///     100 - shop
/// }
///
/// /// The first quote below the limit, or else the last.
/// #[orchestrator]
/// async fn good_enough(shops: u32, limit: u32) -> u32 {
///     let mut calls: Vec<_> = (0..shops).map(quote).collect();
///     loop {
///         let (price, _, others) = select_all(calls).await;
///         if price < limit || others.is_empty() {
///             return price;
///         }
///         calls = others;
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let price = engine.start(good_enough(5, 98)).await?.result().await?;
/// assert!(price < 98);
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rule FAN-3: the first in the order of the history, losers keep running.
#[track_caller]
pub fn select_all<I>(futures: I) -> SelectAll<I::Item>
where
    I: IntoIterator,
    I::Item: DurableBranch + Movable,
{
    let futures = at_least_one(futures, "select_all");
    SelectAll {
        group: Group::by_arrival(futures.len()),
        futures,
        pin: |future| Pin::new(future),
    }
}

/// Collects what a combinator is about to wait for.
///
/// # Panics
/// If that is nothing.
#[track_caller]
pub(super) fn at_least_one<F>(futures: impl IntoIterator<Item = F>, combinator: &str) -> Vec<F> {
    let futures: Vec<F> = futures.into_iter().collect();
    assert!(
        !futures.is_empty(),
        "`{combinator}` was called with no futures, so none can be the first; see that there is one before the call"
    );
    futures
}

/// The future of [`select_all`].
#[must_use = "futures do nothing until they are awaited"]
pub struct SelectAll<F> {
    group: Group,
    futures: Vec<F>,
    /// What proves that the futures may be moved, so that no bound has to: a type that may not be is then told once.
    pin: fn(&mut F) -> Pin<&mut F>,
}

/// The futures may be moved.
impl<F> Unpin for SelectAll<F> {}

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for SelectAll<F> {}

impl<F: Future> Future for SelectAll<F> {
    type Output = (F::Output, usize, Vec<F>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            group,
            futures,
            pin,
        } = &mut *self;
        let mut winner = None;
        group.poll_children(&mut |index| {
            let polled = futures.get_mut(index).map(|future| pin(future).poll(cx));
            let Some(Poll::Ready(output)) = polled else {
                return ControlFlow::Continue(());
            };
            winner = Some((output, index));
            ControlFlow::Break(())
        });
        let Some((output, index)) = winner else {
            return Poll::Pending;
        };
        drop(futures.remove(index));
        Poll::Ready((output, index, std::mem::take(futures)))
    }
}

impl<F> fmt::Debug for SelectAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "select of {}", self.futures.len())
    }
}
