//! Durable timers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use crate::clock::Timestamp;
use crate::durable::Durable;
use crate::event::{HistoryEvent, TimerCreated, TimerPurpose};
use crate::id::SourceSite;
use crate::replay::{self, Refused, Ticket};

/// Waits for `duration`, across restarts.
///
/// The timer is created when the future is first polled and is due `duration` after [`now`](super::now), rounded up to
/// a whole millisecond. It never fires early. It is recorded, so a restart waits for the rest of the time only.
///
/// # Replay
/// The recorded due time stays in force, whatever `duration` now is.
///
/// # Cancel safety
/// Dropping the future records a cancellation; no timer is left behind.
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
/// #[orchestrator]
/// async fn nap() -> String {
///     sleep(hours(8)).await;
///     "rested".to_owned()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let begin = engine.now();
/// assert_eq!(engine.start(nap()).await?.result().await?, "rested");
/// assert_eq!(engine.now().duration_since(begin)?, hours(8));
/// # Ok(()) }
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep(Timer::new(
        When::After(duration),
        TimerPurpose::Sleep,
        SourceSite::caller(),
    ))
}

/// Waits until `due`, across restarts. A `due` in the past is reached at once, in a turn of its own.
///
/// Replay, cancellation and panics are as for [`sleep`].
#[track_caller]
pub fn sleep_until(due: SystemTime) -> Sleep {
    let due = Timestamp::from_system_time(due);
    Sleep(Timer::new(
        When::At(due),
        TimerPurpose::Sleep,
        SourceSite::caller(),
    ))
}

/// `n` days of 24 hours.
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(86_400))
}

/// `n` hours.
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(3_600))
}

/// `n` minutes.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n.saturating_mul(60))
}

/// `n` seconds.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The future of [`sleep`] and [`sleep_until`].
#[derive(Debug)]
#[must_use = "a timer is created when it is awaited"]
pub struct Sleep(Timer);

#[diagnostic::do_not_recommend]
impl Durable for Sleep {}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0.poll()
    }
}

/// A timer for any purpose; created when it is first polled.
#[derive(Debug)]
pub(super) struct Timer {
    when: When,
    purpose: TimerPurpose,
    site: SourceSite,
    ticket: Option<Ticket>,
}

/// When a timer is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So long after the turn in which it is created.
    After(Duration),
    /// Then.
    At(Timestamp),
}

impl Timer {
    pub(super) fn new(when: When, purpose: TimerPurpose, site: SourceSite) -> Self {
        Self {
            when,
            purpose,
            site,
            ticket: None,
        }
    }

    /// Creates the timer the first time, then waits for it. A timer that cannot be created ends the orchestration.
    pub(super) fn poll(&mut self) -> Poll<()> {
        if self.ticket.is_none() {
            self.ticket = self.create();
        }
        match &self.ticket {
            Some(ticket) => ticket.poll().map(|_| ()),
            None => Poll::Pending,
        }
    }

    fn create(&self) -> Option<Ticket> {
        let Self {
            when,
            purpose,
            site,
            ..
        } = *self;
        replay::require("a durable timer", |context| {
            let issued = context.issue(site, |context, id| {
                let due = match when {
                    When::After(duration) => context.at().plus(duration),
                    When::At(due) => due,
                };
                HistoryEvent::TimerCreated(TimerCreated {
                    id,
                    site: site.id(),
                    due,
                    purpose,
                })
            });
            match issued {
                Ok(issued) => Some(issued.ticket),
                Err(Refused::Stopped) => None,
                Err(Refused::Fault(fault)) => {
                    context.fault(fault);
                    None
                }
            }
        })
    }
}
