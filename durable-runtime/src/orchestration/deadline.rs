//! Durable deadlines.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::group::Group;
use super::timer::{Timer, When};
use crate::durable::{Durable, DurableBranch};
use crate::event::TimerPurpose;
use crate::failure::Elapsed;
use crate::id::SourceSite;

/// Limits the time that a durable future takes: a block, a helper, a combinator, or anything else that may be awaited.
///
/// The result is `Ok` of the future's own, or `Err(Elapsed)` if it has not ended `limit` after it was first polled; then
/// all that it waits for is cancelled, in the same turn: activities, timers, children, events. A single call has a method
/// of the same name.
///
/// What is recorded is a timer, created right after the future was first polled (and not at all if it was ready then). So
/// the deadline holds across restarts, with the accuracy of [`sleep`](super::sleep). A future given as `&mut` is not
/// dropped and goes on: await it later, or give it more time.
///
/// # Replay
/// The recorded due time stays in force, whatever `limit` now is. Of the end and the deadline the first in the history
/// counts, as it did then, also if both were recorded in one turn, or while nobody awaited it.
///
/// # Cancel safety
/// Dropping it cancels what the future waits for, and the timer.
///
/// # Errors
/// [`Elapsed`] if the deadline came first.
///
/// # Panics
/// When polled outside an orchestrator.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// static APPROVAL: Event<bool> = Event::new("approval");
///
/// #[activity]
/// async fn ask(order: u32) -> u32 {
///     order
/// }
///
/// #[orchestrator]
/// async fn approve(order: u32) -> bool {
///     let answer = timeout(days(3), async {
///         ask(order).await;
///         APPROVAL.wait().await
///     });
///     answer.await.unwrap_or(false)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let approved = engine.start(approve(1)).await?;
/// approved.raise(&APPROVAL, true).await?;
/// assert!(approved.result().await?);
/// let late = engine.start(approve(2)).await?;
/// assert!(!late.result().await?);
/// # Ok(()) }
/// ```
///
/// Source: Durable Task's rule TIM-5, a timer beside what it limits; that it is cancelled is Rust's.
#[track_caller]
pub fn timeout<F: DurableBranch>(limit: Duration, future: F) -> Timeout<F> {
    Timeout::new(future, limit, SourceSite::caller())
}

pin_project! {
    /// A durable future with a deadline: `Ok` is its own result, `Err(Elapsed)` says that the deadline passed first.
    ///
    /// Made by [`timeout`] and by `.timeout(..)` on a call. The deadline is a recorded timer, created after the inner future
    /// is first polled. The first of the two in the history counts, the other is cancelled.
    #[must_use = "it does nothing until it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        inner: Option<F>,
        deadline: Option<Timer>,
        both: Group,
    }
}

/// The child whose end is limited; the other one is the deadline.
const INNER: usize = 0;

impl<F> Timeout<F> {
    pub(super) fn new(inner: F, limit: Duration, site: SourceSite) -> Self {
        let deadline = Timer::new(When::After(limit), TimerPurpose::Deadline, site);
        Self {
            inner: Some(inner),
            deadline: Some(deadline),
            both: Group::by_arrival(2),
        }
    }
}

/// All that makes one takes durable futures only.
#[diagnostic::do_not_recommend]
impl<F: Future> Durable for Timeout<F> {}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (Some(mut inner), Some(deadline)) =
            (this.inner.as_mut().as_pin_mut(), this.deadline.as_mut())
        else {
            return Poll::Pending;
        };
        let mut winner = None;
        this.both.poll_children(&mut |child| {
            let polled = if child == INNER {
                inner.as_mut().poll(cx).map(Ok)
            } else {
                deadline.poll().map(|()| Err(Elapsed {}))
            };
            match polled {
                Poll::Pending => ControlFlow::Continue(()),
                Poll::Ready(first) => {
                    winner = Some(first);
                    ControlFlow::Break(())
                }
            }
        });
        let Some(winner) = winner else {
            return Poll::Pending;
        };
        // Dropping both now cancels the loser in this very turn.
        this.inner.set(None);
        *this.deadline = None;
        Poll::Ready(winner)
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.deadline {
            Some(deadline) => format!("{deadline:?}"),
            None => "over".to_owned(),
        };
        write!(f, "time limit, {state}")
    }
}
