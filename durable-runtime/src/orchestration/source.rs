//! Children that come from an iterator, all at once or so many at a time.

use std::future::Future;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use super::running::Running;
use crate::replay::Order;

/// An iterator of futures, and those of them that run. A future is pulled when there is room for it, and begun at once.
pub(super) struct Source<I: Iterator<Item: Future>> {
    /// What was not pulled yet; `None` when it has given all.
    rest: Option<I>,
    limit: usize,
    running: Running<I::Item>,
}

impl<I: Iterator<Item: Future>> Source<I> {
    pub(super) fn new(futures: I, order: Order) -> Self {
        Self {
            rest: Some(futures),
            limit: usize::MAX,
            running: Running::new(order),
        }
    }

    /// From now on no more than `limit` run at a time.
    ///
    /// # Panics
    /// If `limit` is 0.
    #[track_caller]
    pub(super) fn limit(&mut self, limit: usize) {
        assert!(
            limit > 0,
            "a `limit` of 0 would let nothing run; the least is 1"
        );
        self.limit = limit;
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Hands each result to `take` with the number of its future; ready when there is no more, or when `take` breaks:
    /// then with what it gave, and all that still runs is dropped.
    pub(super) fn poll<B>(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(usize, <I::Item as Future>::Output) -> ControlFlow<B>,
    ) -> Poll<ControlFlow<B>> {
        let mut round = self.running.round();
        loop {
            while round.len() < self.limit
                && let Some(future) = next(&mut self.rest)
            {
                // One that is ready at once may be the last that is wanted.
                if round.begin(future, cx) {
                    break;
                }
            }
            let Some((index, output)) = round.next_ended(cx) else {
                break;
            };
            if let ControlFlow::Break(end) = take(index, output) {
                self.rest = None;
                self.running.clear();
                return Poll::Ready(ControlFlow::Break(end));
            }
        }
        if self.running.is_empty() {
            Poll::Ready(ControlFlow::Continue(()))
        } else {
            Poll::Pending
        }
    }
}

/// The next item. The iterator is dropped at its end, with all that it holds.
fn next<I: Iterator>(rest: &mut Option<I>) -> Option<I::Item> {
    let item = rest.as_mut()?.next();
    if item.is_none() {
        *rest = None;
    }
    item
}
