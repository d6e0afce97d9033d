//! Where the machines of an engine meet: queues, timers, activities, and what they all read.
//!
//! The hub has no thread of its own. The threaded engine drives it with several, the test engine with one.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{Entropy, Timestamp};
use crate::engine::desk::{Desk, Finished, Placed, Refused};
use crate::engine::message::{
    Answer, CommandRef, Effects, Incoming, Reply, ShardInput, Submission, Task, TimerRef,
};
use crate::engine::queue::{Queue, Taken};
use crate::engine::revive::Reviver;
use crate::engine::store_clock::StoreClock;
use crate::engine::timer_board::TimerBoard;
use crate::event::{Ended, Fired, HistoryEvent};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::InstanceKey;
use crate::store::Counters;

/// What the threads of an engine share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) reviver: Arc<Reviver>,
    pub(crate) clock: StoreClock,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) desk: Desk,
    pub(crate) submissions: Queue<Submission>,
    pub(crate) shards: Vec<Queue<ShardInput>>,
    pub(crate) timers: TimerBoard,
    /// Nothing is ever put in: who takes from it waits for time to pass, or for the end.
    resting: Queue<Infallible>,
    /// Why the engine no longer works, if it does not.
    stopped: OnceLock<Stopped>,
    counters: Mutex<Counters>,
}

/// The engine has stopped, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped: {reason}")]
pub struct Stopped {
    reason: String,
}

impl Stopped {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }

    /// Why it stopped.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Hub {
    pub(crate) fn new(
        reviver: Arc<Reviver>,
        clock: StoreClock,
        entropy: Arc<dyn Entropy>,
        desk: Desk,
        shape: Shape,
    ) -> Self {
        let bell = shape.bell;
        Self {
            reviver,
            clock,
            entropy,
            desk,
            submissions: Queue::new(bell.clone()),
            shards: (0..shape.shards.max(1))
                .map(|_| Queue::new(bell.clone()))
                .collect(),
            timers: TimerBoard::default(),
            resting: Queue::new(None),
            stopped: OnceLock::new(),
            counters: Mutex::default(),
        }
    }

    /// Asks for a place in the next commit.
    pub(crate) fn submit(&self, submission: Submission) -> Result<(), Stopped> {
        if self.submissions.push([submission]) {
            Ok(())
        } else {
            Err(self.reason())
        }
    }

    /// Sends something to an instance.
    pub(crate) fn deliver(&self, key: InstanceKey, incoming: Incoming) -> Result<(), Stopped> {
        let accepted = self
            .shard_of(key)
            .is_some_and(|shard| shard.push([ShardInput::Incoming(key, incoming)]));
        if accepted { Ok(()) } else { Err(self.reason()) }
    }

    /// Lets everybody know what a commit has made true.
    pub(crate) fn release(self: &Arc<Self>, effects: Effects) {
        let Effects {
            to_shards,
            run,
            cancel,
            arm,
            disarm,
            answers,
        } = effects;
        self.timers.change(arm, disarm);
        self.schedule(run);
        if !cancel.is_empty() {
            self.desk.cancel(cancel);
        }
        self.route(to_shards);
        answers.into_iter().for_each(Answer::give);
    }

    /// Fires every timer that is due.
    pub(crate) fn fire_timers(self: &Arc<Self>, now: Timestamp) {
        for timer in self.timers.fire(now) {
            match timer {
                TimerRef::Durable(command) => {
                    let scheduled = command.scheduled;
                    let event = HistoryEvent::TimerFired(Fired { scheduled, at: now });
                    self.arrive(command, event);
                }
                TimerRef::Attempt(command) => self.time_out(command),
            }
        }
    }

    /// Resolves when nothing is on its way to the disk, if nothing new comes in.
    pub(crate) async fn settle(&self) {
        loop {
            let was_quiet = self.probe_shards().await;
            let (reply, answered) = Reply::channel();
            if self.submit(Submission::Probe(reply)).is_err() {
                return;
            }
            // No answer means that the engine stops, which settles it too.
            let is_through = answered.await.is_ok();
            if !is_through || was_quiet && self.probe_shards().await {
                return;
            }
        }
    }

    async fn probe_shards(&self) -> bool {
        let mut are_quiet = true;
        for shard in &self.shards {
            let (reply, answered) = Reply::channel();
            shard.push([ShardInput::Probe(reply)]);
            are_quiet &= answered.await.unwrap_or(true);
        }
        are_quiet
    }

    /// The engine can no longer do its work: everything is refused from now on.
    pub(crate) fn stop(&self, why: Stopped) {
        // The first reason is the cause; later ones follow from it.
        self.stopped.get_or_init(|| why);
        self.submissions.close();
        self.shards.iter().for_each(Queue::close);
        self.timers.close();
        self.resting.close();
        self.desk.close();
        self.desk.abort_all();
    }

    /// Lets time pass; false, and at once, if the engine stops.
    pub(crate) fn rest(&self, duration: Duration) -> bool {
        matches!(self.resting.take(Some(duration)), Taken::Nothing)
    }

    /// Drops whatever still waits in a stopped engine, and with it the replies: those who wait for them hear that the
    /// outcome is unknown.
    pub(crate) fn abandon(&self) {
        drop(self.submissions.drain());
        for shard in &self.shards {
            drop(shard.drain());
        }
    }

    /// Notes what the store has done.
    pub(crate) fn count(&self, counters: Counters) {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }

    /// What the store has done, as of its last commit.
    pub(crate) fn counters(&self) -> Counters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the engine refuses.
    pub(crate) fn reason(&self) -> Stopped {
        self.stopped
            .get()
            .cloned()
            .unwrap_or_else(|| Stopped::because("one of its threads has ended"))
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }

    fn shard_of(&self, key: InstanceKey) -> Option<&Queue<ShardInput>> {
        self.shards.get(self.index_of(key))
    }

    fn index_of(&self, key: InstanceKey) -> usize {
        let count = u64::try_from(self.shards.len()).unwrap_or(1);
        usize::try_from(key.0 % count).unwrap_or(0)
    }

    /// Hands inputs to their shards, one push for each shard.
    fn route(&self, inputs: Vec<ShardInput>) {
        let mut sorted: Vec<Vec<ShardInput>> = self.shards.iter().map(|_| Vec::new()).collect();
        for input in inputs {
            let shard = input.instance().map_or(0, |key| self.index_of(key));
            if let Some(list) = sorted.get_mut(shard) {
                list.push(input);
            }
        }
        for (queue, inputs) in self.shards.iter().zip(sorted) {
            if !inputs.is_empty() {
                queue.push(inputs);
            }
        }
    }

    /// Hands activities to the desk. Many of them are scheduled on the runtime that they run on, so that the committer,
    /// which everybody waits for, is free for the next batch.
    fn schedule(self: &Arc<Self>, mut tasks: Vec<Task>) {
        const SCHEDULED_AT_ONCE: usize = 32;
        let mut lists = Vec::new();
        while tasks.len() > SCHEDULED_AT_ONCE {
            lists.push(tasks.split_off(tasks.len() - SCHEDULED_AT_ONCE));
        }
        if tasks.is_empty() {
            return;
        }
        // Cut from the end, but scheduled from the beginning.
        lists.push(tasks);
        lists.reverse();
        let count = lists.len();
        self.desk.hand_in(lists);
        for _ in 1..count {
            let hub = Arc::clone(self);
            self.desk
                .set_off(async move { hub.run(hub.desk.place_some()) });
        }
        self.run(self.desk.place_some());
    }

    fn run(self: &Arc<Self>, placed: Vec<Placed>) {
        for placed in placed {
            let command = placed.task.command;
            let limit = placed.task.scheduled.attempt_timeout;
            if let Some(limit) = limit {
                let due = self.clock.now().plus(limit);
                self.timers
                    .change(vec![(TimerRef::Attempt(command), due)], Vec::new());
            }
            let hub = Arc::clone(self);
            self.desk.run(placed, move |ended| {
                if limit.is_some() {
                    hub.timers
                        .change(Vec::new(), vec![TimerRef::Attempt(command)]);
                }
                hub.finished(command, ended);
            });
        }
    }

    fn finished(self: &Arc<Self>, command: CommandRef, ended: Result<Outcome, Refused>) {
        // After a time-out there is no place to give back, and the outcome comes too late.
        let Some(Finished { next, .. }) = self.desk.finish(command) else {
            return;
        };
        self.run(next);
        match ended {
            Ok(outcome) => self.arrive(command, self.activity_ended(command, outcome)),
            Err(Refused { reason, report }) => {
                let execution = command.execution;
                let stall = Incoming::Stall {
                    execution,
                    reason,
                    report,
                };
                // A stopping engine drops it and finds it again when it is opened.
                drop(self.deliver(command.instance, stall));
            }
        }
    }

    fn time_out(self: &Arc<Self>, command: CommandRef) {
        let Some(Finished { name, next }) = self.desk.finish(command) else {
            return;
        };
        self.run(next);
        let message = "the attempt ran longer than its time-out";
        let fault = Fault::new(FaultKind::TimedOut, name, message);
        let outcome = Outcome::Failed(Failure::Fault(fault));
        self.arrive(command, self.activity_ended(command, outcome));
    }

    fn activity_ended(&self, command: CommandRef, outcome: Outcome) -> HistoryEvent {
        Ended::Activity.with(outcome, command.scheduled, self.clock.now())
    }

    fn arrive(&self, command: CommandRef, event: HistoryEvent) {
        let arrival = Incoming::unasked(event, Some(command.execution));
        // A stopping engine drops it: the activity runs again, the timer is armed again, when it is opened again.
        drop(self.deliver(command.instance, arrival));
    }
}

/// How many queues an engine has, and who is told when they fill.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) shards: usize,
    pub(crate) bell: Option<Arc<Notify>>,
}
