//! The durable deadline of a call.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::timer::{Timer, When};
use crate::durable::Durable;
use crate::event::TimerPurpose;
use crate::failure::Elapsed;
use crate::id::SourceSite;

/// A durable future with a deadline: `Ok` is its own result, `Err(Elapsed)` says that the deadline passed first.
///
/// Made by `.timeout(..)`. The deadline is a recorded timer, created after the inner future is first polled. The one
/// that comes second is cancelled; if both come in one turn, the first in the history counts.
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Timeout<F> {
    race: Option<Race<F>>,
}

#[derive(Debug)]
struct Race<F> {
    inner: F,
    deadline: Timer,
}

impl<F> Timeout<F> {
    pub(super) fn new(inner: F, limit: Duration, site: SourceSite) -> Self {
        let deadline = Timer::new(When::After(limit), TimerPurpose::Deadline, site);
        Self {
            race: Some(Race { inner, deadline }),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<F: Durable + Unpin> Durable for Timeout<F> {}

impl<F: Future + Unpin> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(race) = &mut self.race else {
            return Poll::Pending;
        };
        let winner = match Pin::new(&mut race.inner).poll(cx) {
            Poll::Ready(value) => Ok(value),
            Poll::Pending if race.deadline.poll().is_ready() => Err(Elapsed {}),
            Poll::Pending => return Poll::Pending,
        };
        // Dropping the race now cancels the loser in this very turn.
        self.race = None;
        Poll::Ready(winner)
    }
}
