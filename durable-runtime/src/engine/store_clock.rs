//! Store time: never back, not even over a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// The time that histories are written by: max(last persisted, wall clock at open) + monotonic time since, moved
/// forward to the wall clock, never back.
#[derive(Debug)]
pub(crate) struct StoreClock {
    clock: Arc<dyn Clock>,
    base: Timestamp,
    origin: Duration,
    last: AtomicU64,
}

impl StoreClock {
    pub(crate) fn new(clock: Arc<dyn Clock>, last_persisted: Timestamp) -> Self {
        let base = clock.wall().max(last_persisted);
        let origin = clock.monotonic();
        Self {
            clock,
            base,
            origin,
            last: AtomicU64::new(base.0),
        }
    }

    /// Time since some fixed moment of this process; for intervals, not for records.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// The time of what happens now.
    pub(crate) fn now(&self) -> Timestamp {
        // Rounded down, so that a timer never fires early.
        let elapsed = self
            .clock
            .monotonic()
            .saturating_sub(self.origin)
            .as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let now = self.base.0.saturating_add(elapsed).max(self.clock.wall().0);
        Timestamp(self.last.fetch_max(now, Ordering::Relaxed).max(now))
    }
}
