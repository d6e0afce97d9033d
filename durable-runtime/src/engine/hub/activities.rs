//! Activities on their way to the desk, from it to their bodies, and back with what they came to.

use std::sync::Arc;

use super::Hub;
use crate::engine::desk::{Placed, Refused};
use crate::engine::gate::OnTrial;
use crate::engine::message::{CommandRef, Incoming, Task};
use crate::engine::vigil::Limits;
use crate::event::{Ended, HistoryEvent};
use crate::failure::Outcome;

impl Hub {
    /// Hands activities to the desk, and has those run that have a place.
    pub(crate) fn schedule(self: &Arc<Self>, tasks: Vec<Task>) {
        let lists = self.hand_in(tasks);
        self.place(lists);
    }

    /// Hands activities to the desk, where they are found from now on; returns in how many lists, for [`place`](Self::place).
    pub(crate) fn hand_in(&self, mut tasks: Vec<Task>) -> usize {
        const SCHEDULED_AT_ONCE: usize = 32;
        let mut lists = Vec::new();
        while tasks.len() > SCHEDULED_AT_ONCE {
            lists.push(tasks.split_off(tasks.len() - SCHEDULED_AT_ONCE));
        }
        if tasks.is_empty() {
            return 0;
        }
        // Cut from the end, but scheduled from the beginning.
        lists.push(tasks);
        lists.reverse();
        let count = lists.len();
        self.desk.hand_in(lists);
        count
    }

    /// Schedules so many lists that were handed in. Many of them are scheduled on the runtime that they run on, so that the
    /// committer, which everybody waits for, is free for the next batch.
    pub(crate) fn place(self: &Arc<Self>, lists: usize) {
        if lists == 0 {
            return;
        }
        for _ in 1..lists {
            let hub = Arc::clone(self);
            self.desk
                .set_off(async move { hub.run(hub.desk.place_some()) });
        }
        self.run(self.desk.place_some());
    }

    pub(crate) fn run(self: &Arc<Self>, placed: Vec<Placed>) {
        for placed in placed {
            let command = placed.task.command;
            let limits = Limits::of(&placed);
            self.watch_over(limits);
            let hub = Arc::clone(self);
            self.desk.run(placed, move |ended| {
                hub.unwatch(limits);
                hub.finished(command, ended);
            });
        }
    }

    fn finished(self: &Arc<Self>, command: CommandRef, ended: Result<Outcome, Refused>) {
        // After a time-out there may be no place to give back, and the outcome comes too late.
        let Some(mut finished) = self.desk.finish(command) else {
            return;
        };
        self.run(std::mem::take(&mut finished.next));
        if !finished.counts {
            return;
        }
        if finished.is_cancelled {
            // Its instance may be rewound by now, and wait for it again: for what runs anew, and not for this.
            if let Ok(outcome) = &ended {
                let meters = &self.reviver.observer.meters;
                meters.attempt_ended(&finished.name, finished.ran, outcome);
            }
            self.end_trial(command);
            return;
        }
        match ended {
            Ok(outcome) => self.end_attempt(command, finished, outcome),
            Err(Refused { reason, report }) => {
                let execution = command.execution;
                let stall = Incoming::Stall {
                    execution,
                    reason,
                    report,
                };
                // A stopping engine drops it and finds it again when it is opened.
                drop(self.deliver(command.instance, stall));
                self.end_trial(command);
            }
        }
    }

    /// An activity has come to its end, and what it came to is on its way.
    pub(in crate::engine) fn end_trial(&self, command: CommandRef) {
        if self.gate.is_closed() {
            self.gate.finished(OnTrial::Activity(command));
        }
    }

    pub(crate) fn activity_ended(&self, command: CommandRef, outcome: Outcome) -> HistoryEvent {
        Ended::Activity.with(outcome, command.scheduled, self.clock.now())
    }
}
