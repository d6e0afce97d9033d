//! A clock that moves when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::testing::EPOCH;

/// Milliseconds since [`EPOCH`], moved by hand.
#[derive(Debug, Default)]
pub(super) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(super) fn advance(&self, duration: Duration) {
        let target = self.wall().plus(duration);
        self.advance_to(target);
    }

    /// Moves to `target`, unless it is later already.
    pub(super) fn advance_to(&self, target: Timestamp) {
        self.0
            .fetch_max(target.0.saturating_sub(EPOCH.0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        Timestamp(EPOCH.0 + self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
