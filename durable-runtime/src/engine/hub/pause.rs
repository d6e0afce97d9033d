//! Times in which not everything goes on: suspects are on trial, or the disk is full.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::{Hub, Stopped};
use crate::engine::message::{Effects, ShardInput};

impl Hub {
    /// Begins a time in which suspects run alone.
    pub(crate) fn close_gate(&self) {
        self.reviver.guard.keep_everybody();
        self.gate.close();
    }

    /// Ends the time in which suspects run alone.
    pub(crate) fn open_gate(self: &Arc<Self>) {
        let mut lists = 0;
        self.gate.open(|inputs, tasks| {
            self.route(inputs);
            lists = self.hand_in(tasks);
        });
        self.reviver.guard.relax();
        self.place(lists);
    }

    /// Refuses everything for now: what has not been written yet never will be, and whoever waits for that hears that the
    /// outcome is unknown.
    pub(crate) fn pause(&self, why: Stopped) {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.is_paused.store(true, Ordering::Release);
        for inboxes in &self.inboxes {
            inboxes.suspend();
        }
        self.gate.abandon();
    }

    /// Goes on with what was found in the file when it was opened again.
    pub(crate) fn resume(self: &Arc<Self>, mut outstanding: Effects) {
        for shard in &self.shards {
            drop(shard.drain());
            shard.push([ShardInput::Reset]);
        }
        self.open_gate();
        self.is_paused.store(false, Ordering::Release);
        let wanted = outstanding.run.iter().map(|task| task.command);
        self.desk.cancel_all_but(&wanted.collect());
        (outstanding.run).retain(|task| !self.give_up_again(task.command));
        self.release(outstanding);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }
}
