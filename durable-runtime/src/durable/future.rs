//! Futures that are durable because the code in them was checked.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Durable;

pin_project! {
    /// What a `#[helper]` returns: a part of the orchestrator that awaits it.
    ///
    /// # Replay
    /// Runs again, and its awaits are answered from the caller's history.
    #[must_use = "a helper does nothing until it is awaited, or given to `join!` or `select!`"]
    pub struct Helper<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Helper<F> {
    #[doc(hidden)]
    pub fn __new(future: F) -> Self {
        Self { future }
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for Helper<F> {}

impl<F: Future> Future for Helper<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F> fmt::Debug for Helper<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("helper")
    }
}

pin_project! {
    /// An `async` block in an orchestrator or helper: all its awaits were checked.
    #[must_use = "an `async` block does nothing until it is awaited, or given to `join!` or `select!`"]
    pub struct Block<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Block<F> {
    /// Marks an `async` block whose awaits were checked.
    pub(super) fn new(future: F) -> Self {
        Self { future }
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> Durable for Block<F> {}

impl<F: Future> Future for Block<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F> fmt::Debug for Block<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("async block")
    }
}

/// What a function returns whose signature an attribute refused, so that its callers give no further errors. A program
/// that holds one does not compile.
#[doc(hidden)]
#[must_use = "a durable function does nothing until it is awaited"]
pub struct StandIn<T>(PhantomData<fn() -> T>);

#[doc(hidden)]
impl<T> StandIn<T> {
    #[expect(clippy::new_without_default, reason = "only an attribute makes one")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

#[diagnostic::do_not_recommend]
impl<T> Durable for StandIn<T> {}

impl<T> Future for StandIn<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Pending
    }
}

impl<T> fmt::Debug for StandIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused function")
    }
}
