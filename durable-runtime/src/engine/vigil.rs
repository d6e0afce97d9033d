//! The limits of running attempts: time-outs, and hearts that must beat.
//!
//! Nothing looks at a heart until its attempt could have been silent for too long; if it has beaten since, the timer is
//! armed again for the moment at which that would be so.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::desk::{Finished, Placed};
use crate::engine::hub::Hub;
use crate::engine::message::{CommandRef, TimerRef};
use crate::event::{HeartbeatRecorded, HistoryEvent};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::payload::Payload;

/// The limits of one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    command: CommandRef,
    attempt: Option<Duration>,
    heartbeat: Option<Duration>,
}

impl Limits {
    pub(crate) fn of(placed: &Placed) -> Self {
        let scheduled = &placed.task.scheduled;
        Self {
            command: placed.task.command,
            attempt: scheduled.attempt_timeout,
            heartbeat: scheduled
                .heartbeats
                .as_ref()
                .and_then(|known| known.timeout),
        }
    }

    /// The timers that watch over the attempt, and how long from its begin.
    fn timers(self) -> impl Iterator<Item = (TimerRef, Duration)> {
        let attempt = self.attempt.map(|d| (TimerRef::Attempt(self.command), d));
        let heartbeat = self
            .heartbeat
            .map(|d| (TimerRef::Heartbeat(self.command), d));
        attempt.into_iter().chain(heartbeat)
    }
}

impl Hub {
    /// Begins to watch over an attempt that begins.
    pub(crate) fn watch_over(&self, limits: Limits) {
        let now = self.clock.now();
        let timers = limits.timers().map(|(timer, d)| (timer, now.plus(d)));
        self.timers.change(timers.collect(), Vec::new());
    }

    /// Ends the watch over an attempt that has ended.
    pub(crate) fn unwatch(&self, limits: Limits) {
        let timers = limits.timers().map(|(timer, _)| timer);
        self.timers.change(Vec::new(), timers.collect());
    }

    /// The attempt has used up its `attempt_timeout`.
    pub(crate) fn time_out(self: &Arc<Self>, command: CommandRef) {
        self.give_up(command, "the attempt ran longer than its time-out");
    }

    /// The attempt may have been silent for too long.
    pub(crate) fn check_heart(self: &Arc<Self>, command: CommandRef) {
        match self.desk.patience(command) {
            None => {}
            Some(Duration::ZERO) => {
                let message =
                    "the attempt sent no heartbeat for longer than its heartbeat time-out";
                self.give_up(command, message);
            }
            Some(patience) => {
                let due = self.clock.now().plus(patience);
                let timer = (TimerRef::Heartbeat(command), due);
                self.timers.change(vec![timer], Vec::new());
            }
        }
    }

    fn give_up(self: &Arc<Self>, command: CommandRef, why: &'static str) {
        let Some(mut ended) = self.desk.give_up(command, why) else {
            return;
        };
        // Its other limit is not waited for any more.
        let timers = vec![TimerRef::Attempt(command), TimerRef::Heartbeat(command)];
        self.timers.change(Vec::new(), timers);
        self.run(std::mem::take(&mut ended.next));
        if !ended.counts {
            return;
        }
        self.time_up(command, ended, why);
    }

    /// Says once more that an attempt was given up, if it was and still has its place: what was said before is lost.
    pub(crate) fn give_up_again(self: &Arc<Self>, command: CommandRef) -> bool {
        let Some((ended, why)) = self.desk.given_up(command) else {
            return false;
        };
        self.time_up(command, ended, why);
        true
    }

    fn time_up(self: &Arc<Self>, command: CommandRef, ended: Finished, why: &str) {
        let fault = Fault::new(FaultKind::TimedOut, ended.name.clone(), why);
        self.end_attempt(command, ended, Outcome::Failed(Failure::Fault(fault)));
    }

    /// Sends an instance the outcome of an attempt; if that has failed, what it had said goes before, for the next attempt.
    pub(crate) fn end_attempt(
        self: &Arc<Self>,
        command: CommandRef,
        ended: Finished,
        outcome: Outcome,
    ) {
        let meters = &self.reviver.observer.meters;
        meters.attempt_ended(&ended.name, ended.ran, &outcome);
        let said = ended
            .details
            .filter(|_| matches!(outcome, Outcome::Failed(_)))
            .map(|details| self.heartbeat(command, details));
        let ended = self.activity_ended(command, outcome);
        self.arrive(command, said.into_iter().chain([ended]));
        self.end_trial(command);
    }

    /// Has what running attempts have said recorded, before they are stopped half-way; says whether there was anything.
    pub(crate) fn keep_heartbeats(&self) -> bool {
        let said = self.desk.heartbeats();
        let is_any = !said.is_empty();
        for (command, details) in said {
            self.arrive(command, [self.heartbeat(command, details)]);
        }
        is_any
    }

    fn heartbeat(&self, command: CommandRef, details: Payload) -> HistoryEvent {
        HistoryEvent::HeartbeatRecorded(HeartbeatRecorded {
            scheduled: command.scheduled,
            at: self.clock.now(),
            details,
        })
    }
}
