//! The timer machine as threads share it: a lock around it, and a bell for the thread that waits for the next.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::engine::message::TimerRef;
use crate::engine::store_clock::StoreClock;
use crate::engine::timers::Timers;
use crate::id::InstanceKey;
use crate::limits;

/// The armed timers and the thread that waits for the next.
#[derive(Debug, Default)]
pub(crate) struct TimerBoard {
    state: Mutex<Board>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Board {
    timers: Timers,
    is_closed: bool,
}

impl TimerBoard {
    /// Arms, then disarms, since a turn may do both to one timer; wakes the timer thread if the next due time came closer.
    pub(crate) fn change(&self, arm: Vec<(TimerRef, Timestamp)>, disarm: Vec<TimerRef>) {
        if disarm.is_empty() && arm.is_empty() {
            return;
        }
        let mut board = self.lock();
        let before = board.timers.next_due();
        for (timer, due) in arm {
            board.timers.arm(timer, due);
        }
        for timer in disarm {
            board.timers.disarm(timer);
        }
        let after = board.timers.next_due();
        drop(board);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.changed.notify_all();
        }
    }

    /// Forgets whatever is armed for these instances.
    pub(crate) fn disarm_all_of(&self, keys: &BTreeSet<InstanceKey>) {
        let mut board = self.lock();
        for key in keys {
            board.timers.disarm_all_of(*key);
        }
    }

    /// Takes out what is due at `now`, with the moments at which it was.
    pub(crate) fn fire(&self, now: Timestamp) -> Vec<(Timestamp, TimerRef)> {
        let mut board = self.lock();
        std::iter::from_fn(|| board.timers.fire(now)).collect()
    }

    /// When the next timer is due that somebody waits for.
    pub(crate) fn next_awaited(&self) -> Option<Timestamp> {
        self.lock().timers.next_awaited()
    }

    /// Waits until the next timer may be due, or something changed; false once closed.
    pub(crate) fn wait(&self, clock: &StoreClock) -> bool {
        let board = self.lock();
        if board.is_closed {
            return false;
        }
        let board = match board.timers.next_due() {
            None => self
                .changed
                .wait(board)
                .unwrap_or_else(PoisonError::into_inner),
            Some(due) => {
                // Never longer than this, so that a machine that was suspended is noticed.
                let patience = due.since(clock.now()).min(limits::TIMER_SLEEP_MAX);
                self.changed
                    .wait_timeout(board, patience)
                    .map_or_else(|poisoned| poisoned.into_inner().0, |(board, _)| board)
            }
        };
        !board.is_closed
    }

    /// Ends the waiting for good.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
