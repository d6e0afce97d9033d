//! Waiting for any number of durable futures.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::group::Group;
use crate::durable::{Durable, DurableBranch};

/// Waits for all of `futures`; the results are in the order of the futures, whatever order they ended in.
///
/// All of them are begun in one turn. No future is awaited twice and none is polled without need, so a fan-out over *n*
/// costs *n* polls. An empty collection is ready at once.
///
/// # Cancel safety
/// Dropping it cancels what still waits and loses the results that are there.
pub fn join_all<I>(futures: I) -> JoinAll<I::Item>
where
    I: IntoIterator,
    I::Item: DurableBranch,
{
    let children: Vec<_> = futures
        .into_iter()
        .map(|future| Child::Waiting(Box::pin(future)))
        .collect();
    JoinAll {
        group: Group::new(children.len()),
        waiting: children.len(),
        children,
    }
}

/// The future of [`join_all`].
#[must_use = "futures do nothing until they are awaited"]
pub struct JoinAll<F: Future> {
    group: Group,
    waiting: usize,
    children: Vec<Child<F>>,
}

enum Child<F: Future> {
    Waiting(Pin<Box<F>>),
    Ended(F::Output),
}

/// The children are pinned in boxes of their own.
impl<F: Future> Unpin for JoinAll<F> {}

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for JoinAll<F> {}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            group,
            waiting,
            children,
        } = &mut *self;
        group.poll_children(|index| {
            if let Some(child @ Child::Waiting(_)) = children.get_mut(index) {
                *waiting -= usize::from(child.poll(cx));
            }
            ControlFlow::Continue(())
        });
        if *waiting > 0 {
            return Poll::Pending;
        }
        let children = std::mem::take(children).into_iter();
        let results = children.filter_map(|child| match child {
            Child::Ended(result) => Some(result),
            Child::Waiting(_) => None,
        });
        Poll::Ready(results.collect())
    }
}

impl<F: Future> Child<F> {
    /// Polls a child that waits; `true` if it ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let Self::Waiting(future) = self else {
            return false;
        };
        let Poll::Ready(result) = future.as_mut().poll(cx) else {
            return false;
        };
        *self = Self::Ended(result);
        true
    }
}

impl<F: Future> fmt::Debug for JoinAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "join of {}, {} waiting",
            self.children.len(),
            self.waiting
        )
    }
}
