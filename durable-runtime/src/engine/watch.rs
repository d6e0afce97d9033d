//! Watches how long turns take, and takes a shard from the thread that one of them holds.
//!
//! Code that runs cannot be interrupted: its thread is left behind, another one goes on with the shard's instances, and the one
//! whose turn it was stalls. The watch wakes now and then while turns run, and sleeps without end when none do.
//!
//! Source: `docs/design.md`, "A turn without end".

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::hub::Hub;
use crate::engine::inboxes::Inboxes;

/// Wakes the watch when a turn runs after a time without any.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    is_asleep: AtomicBool,
    is_closed: Mutex<bool>,
    rung: Condvar,
}

impl Alarm {
    /// Costs a look at a flag, unless the watch sleeps.
    pub(crate) fn ring(&self) {
        if self.is_asleep.load(Ordering::Acquire) {
            let is_closed = self.is_closed.lock();
            self.is_asleep.store(false, Ordering::Release);
            drop(is_closed);
            self.rung.notify_all();
        }
    }

    /// Ends the watch for good.
    pub(crate) fn close(&self) {
        *self
            .is_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.rung.notify_all();
    }

    /// Lets time pass; false, and at once, if it is closed.
    fn rest(&self, time: Duration) -> bool {
        let is_closed = self
            .is_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let rested = self
            .rung
            .wait_timeout_while(is_closed, time, |closed| !*closed);
        !*rested.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Sleeps until a turn runs; false if it is closed. `is_awake` is asked once more before that.
    fn sleep(&self, is_awake: impl FnOnce() -> bool) -> bool {
        self.is_asleep.store(true, Ordering::Release);
        if is_awake() {
            self.is_asleep.store(false, Ordering::Release);
        }
        let is_closed = self
            .is_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let asleep = |closed: &mut bool| !*closed && self.is_asleep.load(Ordering::Acquire);
        !*self
            .rung
            .wait_while(is_closed, asleep)
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a turn is looked at before it has taken too long.
const LOOKS: u32 = 8;

/// Watches the shards of an engine until that stops. `replace` takes shard `index` from its thread, whose turn has this number.
pub(crate) fn watch(hub: &Hub, mut replace: impl FnMut(usize, u64)) {
    let mut seen: Vec<Seen> = hub.inboxes.iter().map(|_| Seen::default()).collect();
    let period = hub.turn_limit / LOOKS;
    loop {
        let mut is_awake = false;
        for (index, (inboxes, seen)) in hub.inboxes.iter().zip(&mut seen).enumerate() {
            is_awake |= seen.look(inboxes);
            // One look more than fit into the limit; once for each turn.
            if let (true, Some(number)) = (seen.looks == LOOKS + 2, seen.running) {
                replace(index, number);
            }
        }
        let goes_on = if is_awake {
            hub.alarm.rest(period)
        } else {
            let has_run = || {
                let mut shards = hub.inboxes.iter().zip(&seen);
                shards.any(|(inboxes, seen)| inboxes.turns() != seen.turns)
            };
            hub.alarm.sleep(has_run)
        };
        if !goes_on {
            return;
        }
    }
}

/// What the watch saw of a shard.
#[derive(Debug, Default)]
struct Seen {
    turns: u64,
    running: Option<u64>,
    /// How often the same turn was seen running.
    looks: u32,
}

impl Seen {
    /// Looks at a shard again; whether a turn has run since the last look.
    fn look(&mut self, inboxes: &Inboxes) -> bool {
        let before = (self.turns, self.running);
        self.turns = inboxes.turns();
        self.running = inboxes.running();
        if self.running.is_some() && before.1 == self.running {
            self.looks += 1;
        } else {
            self.looks = 1;
        }
        self.running.is_some() || before.0 != self.turns
    }
}
