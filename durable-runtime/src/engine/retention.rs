//! Purging by itself what ended long ago.
//!
//! A timer says when to look. What is due then is looked up in the order of the ends and purged in small commits, one after
//! the other, by a task of its own: nobody's turn waits for more than one of them.
//!
//! Source: `docs/design.md`, "Purge".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::hub::{Hub, Stopped};
use crate::engine::message::{Purge, Reply, Submission, TimerRef};
use crate::id::InstanceKey;
use crate::limits;
use crate::store::{Filter, Position, Request, Shape, Status, StoreError, chain};

/// How long what has ended is kept; for ever, unless it is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retention {
    all: Option<Duration>,
    of: BTreeMap<Status, Duration>,
}

/// What purges, and how far it has looked.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    retention: Retention,
    /// For each status, behind whom to go on: whoever ended before is purged, or could not be for a while, and is looked at again
    /// when the store is opened again.
    seen: Mutex<BTreeMap<Status, Position>>,
}

impl Retention {
    pub(crate) fn keep(&mut self, duration: Duration) {
        self.all = Some(duration);
    }

    pub(crate) fn keep_those(&mut self, status: Status, duration: Duration) {
        self.of.insert(status, duration);
    }

    /// The statuses whose instances are purged, with the time after which they are.
    fn limits(&self) -> impl Iterator<Item = (Status, Duration)> {
        let ended = Status::ALL.iter().filter(|status| status.has_ended());
        let limit = |status: &Status| self.of.get(status).copied().or(self.all);
        let limits = ended.filter_map(move |status| Some((*status, limit(status)?)));
        // For ever.
        limits.filter(|(_, limit)| *limit < Duration::MAX)
    }

    /// How long to wait between two looks; `None` if there is nothing to look for.
    fn period(&self) -> Option<Duration> {
        let shortest = self.limits().map(|(_, limit)| limit).min()?;
        Some((shortest / 10).clamp(limits::EXPIRY_PERIOD_MIN, limits::EXPIRY_PERIOD_MAX))
    }
}

impl Expiry {
    pub(crate) fn new(retention: Retention) -> Self {
        Self {
            retention,
            seen: Mutex::default(),
        }
    }

    /// What has to be armed when the engine starts.
    pub(crate) fn first(&self, now: Timestamp) -> Option<(TimerRef, Timestamp)> {
        self.retention.period().map(|_| (TimerRef::Expiry, now))
    }
}

impl Hub {
    /// Purges what is due, and arms the timer for the next look.
    pub(crate) async fn expire(self: Arc<Self>) {
        let Some(period) = self.expiry.retention.period() else {
            return;
        };
        let pause = match self.purge_expired().await {
            Ok(true) => limits::EXPIRY_PAUSE,
            Ok(false) => period,
            Err(Failed::Stopped(_)) if self.is_stopped() => return,
            Err(Failed::Stopped(why)) => {
                tracing::warn!("what ended long ago is not purged for now: {}", chain(&why));
                period
            }
            Err(Failed::Store(error)) => {
                tracing::error!("what ended long ago cannot be looked up: {}", chain(&error));
                period
            }
        };
        let next = self.clock.now().plus(pause);
        self.timers
            .change(vec![(TimerRef::Expiry, next)], Vec::new());
    }

    /// Purges what is due, up to a limit; true if there may be more.
    async fn purge_expired(&self) -> Result<bool, Failed> {
        let mut left = limits::EXPIRY_BURST;
        let now = self.clock.now();
        let settled = self.settled(now);
        for (status, limit) in self.expiry.retention.limits() {
            let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            // Who ended at the beginning of time, or before, is not meant.
            let Some(latest) = now.0.checked_sub(limit) else {
                continue;
            };
            let mut request = Request {
                filter: Filter {
                    statuses: [status].into(),
                    completed: Some(0..latest.saturating_add(1)),
                    ..Filter::default()
                },
                descending: false,
                limit: limits::EXPIRY_SLICE,
                after: self.seen(|seen| seen.get(&status).cloned()),
            };
            loop {
                let listing = self.reviver.reader.list(&request, NOTHING)?;
                left = left.saturating_sub(listing.keys.len());
                self.purge_all(listing.keys, Timestamp(latest)).await?;
                let Some(next) = listing.next else {
                    break;
                };
                if is_before(&next, settled) {
                    self.seen(|seen| seen.insert(status, next.clone()));
                }
                request.after = Some(next);
                if left == 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Up to when all ends are on disk: that of a turn has the time at which the turn began.
    fn settled(&self, now: Timestamp) -> Timestamp {
        let late = self.turn_limit.saturating_add(limits::EXPIRY_LATE_MAX);
        let late = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
        Timestamp(now.0.saturating_sub(late))
    }

    async fn purge_all(&self, keys: Vec<InstanceKey>, latest: Timestamp) -> Result<(), Failed> {
        if keys.is_empty() {
            // A page of what is not looked for; others have their turn.
            tokio::task::yield_now().await;
            return Ok(());
        }
        let (reply, answer) = Reply::channel();
        self.submit(Submission::Purge(Purge {
            keys,
            ended_by: Some(latest),
            reply,
        }))?;
        let buried = answer.await.map_err(|_| Failed::Stopped(self.reason()))?;
        for (key, left) in buried.left {
            tracing::debug!(instance = key.0, "not purged, though it is due: {left:?}");
        }
        Ok(())
    }

    fn seen<T>(&self, look: impl FnOnce(&mut BTreeMap<Status, Position>) -> T) -> T {
        let seen = self.expiry.seen.lock();
        look(&mut seen.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a place in a list by ends is of an end before this time.
fn is_before(place: &Position, time: Timestamp) -> bool {
    matches!(place, Position::Completion(at, _) if *at < time)
}

/// Only the keys of a list are wanted.
const NOTHING: Shape<()> = Shape {
    stored: |_| (),
    live: |_| (),
};

/// Why nothing was purged.
enum Failed {
    Stopped(Stopped),
    Store(StoreError),
}

impl From<Stopped> for Failed {
    fn from(why: Stopped) -> Self {
        Self::Stopped(why)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Stopped(Stopped::because("the store is closed")),
            error => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 24 * 3_600)
    }

    #[test]
    fn nothing_is_purged_unless_it_is_said() {
        assert_eq!(Retention::default().period(), None);
        assert!(Expiry::default().first(Timestamp(1)).is_none());
        let mut for_ever = Retention::default();
        for_ever.keep(Duration::MAX);
        assert_eq!(for_ever.period(), None);
    }

    #[test]
    fn what_is_said_of_a_status_goes_before_what_is_said_of_all() {
        let mut retention = Retention::default();
        retention.keep(days(30));
        retention.keep_those(Status::Failed, Duration::MAX);
        retention.keep_those(Status::Completed, days(1));
        let limits: Vec<_> = retention.limits().collect();
        let expected = [(Status::Completed, days(1)), (Status::Terminated, days(30))];
        assert_eq!(limits, expected);
        assert_eq!(retention.period(), Some(limits::EXPIRY_PERIOD_MAX));
        retention.keep_those(Status::Completed, Duration::ZERO);
        assert_eq!(retention.period(), Some(limits::EXPIRY_PERIOD_MIN));
    }
}
