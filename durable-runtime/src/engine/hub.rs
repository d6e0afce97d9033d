//! Where the machines of an engine meet: queues, timers, activities, and what they all read.
//!
//! The hub has no thread of its own. The threaded engine drives it with several, the test engine with one.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{Entropy, Timestamp};
use crate::engine::desk::Desk;
use crate::engine::gate::Gate;
use crate::engine::inboxes::Inboxes;
use crate::engine::message::{
    Answer, CommandRef, Effects, Incoming, Reply, ShardInput, Submission, TimerRef,
};
use crate::engine::queue::{Queue, Taken};
use crate::engine::retention::Expiry;
use crate::engine::revive::Reviver;
use crate::engine::store_clock::StoreClock;
use crate::engine::timer_board::TimerBoard;
use crate::engine::trial;
use crate::engine::watch::Alarm;
use crate::event::{Fired, HistoryEvent};
use crate::id::InstanceKey;
use crate::limits;
use crate::store::Counters;

mod activities;
mod facts;
mod pause;
mod stopped;

pub(crate) use facts::Whereabouts;
pub use stopped::Stopped;

/// What the threads of an engine share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) reviver: Arc<Reviver>,
    pub(crate) clock: StoreClock,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) desk: Desk,
    pub(crate) submissions: Queue<Submission>,
    pub(crate) shards: Vec<Queue<ShardInput>>,
    /// What each shard knows of its instances, beside their code.
    pub(crate) inboxes: Vec<Arc<Inboxes>>,
    /// How long one turn may take.
    pub(crate) turn_limit: Duration,
    pub(crate) alarm: Arc<Alarm>,
    pub(crate) timers: TimerBoard,
    pub(crate) gate: Gate,
    /// What is purged by itself.
    pub(crate) expiry: Expiry,
    /// How many replays without effect were left alone, since they did not end in time, and still run.
    pub(crate) strays: Arc<AtomicUsize>,
    /// Nothing is ever put in: who takes from it waits for time to pass, or for the end.
    resting: Queue<Infallible>,
    /// Why the engine no longer works, if it does not.
    stopped: OnceLock<Stopped>,
    counters: Mutex<Counters>,
    /// Whether everything is refused for now.
    is_paused: AtomicBool,
    /// Why it last was.
    pause: Mutex<Option<Stopped>>,
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
        let alarm = Arc::new(Alarm::default());
        let shards = shape.shards.max(1);
        Self {
            reviver,
            clock,
            entropy,
            desk,
            submissions: Queue::new(bell.clone()),
            shards: (0..shards).map(|_| Queue::new(bell.clone())).collect(),
            inboxes: (0..shards)
                .map(|_| Arc::new(Inboxes::new(Arc::clone(&alarm))))
                .collect(),
            turn_limit: shape.turn_limit,
            alarm,
            timers: TimerBoard::default(),
            gate: Gate::default(),
            expiry: Expiry::default(),
            strays: Arc::default(),
            resting: Queue::new(None),
            stopped: OnceLock::new(),
            counters: Mutex::default(),
            is_paused: AtomicBool::new(false),
            pause: Mutex::default(),
        }
    }

    /// Asks for a place in the next commit.
    pub(crate) fn submit(&self, submission: Submission) -> Result<(), Stopped> {
        // Whoever waits for an instance goes on waiting.
        if self.is_paused() && !matches!(submission, Submission::Watch(_)) {
            return Err(self.reason());
        }
        self.lay_in([submission])
    }

    /// Asks for places of writes in the next commit, which is the same for all of them.
    pub(crate) fn submit_all(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
    ) -> Result<(), Stopped> {
        if self.is_paused() {
            return Err(self.reason());
        }
        self.lay_in(submissions)
    }

    fn lay_in(&self, submissions: impl IntoIterator<Item = Submission>) -> Result<(), Stopped> {
        if self.submissions.push(submissions) {
            Ok(())
        } else {
            Err(self.reason())
        }
    }

    /// Sends something to an instance.
    pub(crate) fn deliver(&self, key: InstanceKey, incoming: Incoming) -> Result<(), Stopped> {
        self.deliver_together(key, [incoming])
    }

    /// Sends an instance what is to be in one commit.
    fn deliver_together(
        &self,
        key: InstanceKey,
        incoming: impl IntoIterator<Item = Incoming>,
    ) -> Result<(), Stopped> {
        if self.is_paused() {
            return Err(self.reason());
        }
        let inputs = incoming.into_iter();
        let inputs = inputs.map(|incoming| ShardInput::Incoming(key, incoming));
        let accepted = if self.gate.is_closed() {
            self.send_to_shard(key, self.gate.admit(inputs.collect()))
        } else {
            self.send_to_shard(key, inputs)
        };
        if accepted { Ok(()) } else { Err(self.reason()) }
    }

    /// The same past the gate; false if the engine has stopped.
    pub(crate) fn send_to_shard(
        &self,
        key: InstanceKey,
        inputs: impl IntoIterator<Item = ShardInput>,
    ) -> bool {
        (self.shard_of(key)).is_some_and(|shard| shard.push(inputs))
    }

    /// Lets everybody know what a commit has made true.
    pub(crate) fn release(self: &Arc<Self>, effects: Effects) {
        let Effects {
            to_shards,
            run,
            cancel,
            arm,
            disarm,
            close,
            answers,
            news,
            suspects,
        } = effects;
        self.reviver.observer.publish(news);
        self.timers.change(arm, disarm);
        if !close.is_empty() {
            self.close_instances(&close);
        }
        let is_closed = self.gate.is_closed();
        self.schedule(if is_closed {
            self.gate.admit_tasks(run)
        } else {
            run
        });
        if !cancel.is_empty() {
            self.gate.cancel(&cancel);
            self.desk.cancel(cancel);
        }
        self.route(if is_closed {
            self.gate.admit(to_shards)
        } else {
            to_shards
        });
        if !suspects.is_empty() {
            self.desk
                .set_off(trial::try_all(Arc::clone(self), suspects));
        }
        answers.into_iter().for_each(Answer::give);
    }

    /// Ends all that instances have asked for, which no turn of theirs took back. None of it is in what this commit releases.
    fn close_instances(&self, keys: &BTreeSet<InstanceKey>) {
        self.timers.disarm_all_of(keys);
        self.gate.close_instances(keys);
        self.desk.cancel_all_of(keys);
    }

    /// Fires every timer that is due.
    pub(crate) fn fire_timers(self: &Arc<Self>, now: Timestamp) {
        for (due, timer) in self.timers.fire(now) {
            match timer {
                TimerRef::Durable(command) => {
                    self.reviver.observer.meters.timer(now.since(due));
                    let scheduled = command.scheduled;
                    let event = HistoryEvent::TimerFired(Fired { scheduled, at: now });
                    self.arrive(command, [event]);
                }
                // A stopping engine arms it again when it is opened again.
                TimerRef::Begin(key) => drop(self.deliver(key, Incoming::Wake)),
                TimerRef::Attempt(command) => self.time_out(command),
                TimerRef::Heartbeat(command) => self.check_heart(command),
                TimerRef::Trial => drop(self.gate.outlived()),
                TimerRef::Expiry => self.desk.set_off(Arc::clone(self).expire()),
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

    /// Resolves when everything that this instance was sent is on disk; `None` if the engine stops.
    pub(crate) async fn settle_instance(&self, key: InstanceKey) -> Option<()> {
        let inboxes = self.inboxes.get(self.index_of(key))?;
        loop {
            let (reply, answered) = Reply::channel();
            self.send_to_shard(key, [ShardInput::Probe(reply)]);
            answered.await.ok()?;
            if inboxes.is_idle(key) {
                return Some(());
            }
            let (reply, answered) = Reply::channel();
            self.submit(Submission::Probe(reply)).ok()?;
            answered.await.ok()?;
        }
    }

    /// Resolves when an instance has been given a turn for what it was sent, if it can have one, and what came of it is on
    /// disk.
    pub(crate) async fn pass_through(&self, key: InstanceKey) -> Result<(), Stopped> {
        let (reply, answered) = Reply::channel();
        self.send_to_shard(key, [ShardInput::Probe(reply)]);
        answered.await.map_err(|_| self.reason())?;
        let (reply, answered) = Reply::channel();
        self.submit(Submission::Probe(reply))?;
        answered.await.map_err(|_| self.reason())
    }

    /// The id of an instance, for a report.
    pub(crate) fn name_of(&self, key: InstanceKey) -> String {
        // A report without the id is better than none.
        let summary = self.reviver.reader.shared_summary(key).ok().flatten();
        summary.map_or_else(|| format!("#{}", key.0), |summary| summary.id.to_string())
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
        self.gate.abandon();
        self.alarm.close();
        self.inboxes.iter().for_each(|inboxes| inboxes.close());
        // A shard's thread that sees this first leaves what is for it where it is, with those who wait for an answer.
        self.shards.iter().for_each(|shard| drop(shard.drain()));
        self.desk.close();
        self.desk.abort_all();
        self.reviver.observer.close();
    }

    /// Lets time pass; false, and at once, if the engine stops.
    pub(crate) fn rest(&self, duration: Duration) -> bool {
        matches!(self.resting.take(Some(duration)), Taken::Nothing)
    }

    /// Drops what still waits to be committed in a stopped engine, if nobody is left to commit it, and with it the replies:
    /// those who wait for them hear that the outcome is unknown.
    pub(crate) fn abandon(&self) {
        drop(self.submissions.drain());
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
        let stopped = self.stopped.get().cloned();
        let paused = || {
            let pause = self.pause.lock();
            pause.unwrap_or_else(PoisonError::into_inner).clone()
        };
        stopped
            .or_else(paused)
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

    pub(crate) fn arrive(
        &self,
        command: CommandRef,
        events: impl IntoIterator<Item = HistoryEvent>,
    ) {
        let execution = Some(command.execution);
        let events = events.into_iter();
        let arrivals = events.map(|event| Incoming::unasked(event, execution));
        // A stopping engine drops it: the activity runs again, the timer is armed again, when it is opened again.
        drop(self.deliver_together(command.instance, arrivals));
    }
}

/// How many queues an engine has, and who is told when they fill.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) shards: usize,
    pub(crate) bell: Option<Arc<Notify>>,
    /// How long one turn may take.
    pub(crate) turn_limit: Duration,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            shards: 1,
            bell: None,
            turn_limit: limits::TURN_TIME_MAX,
        }
    }
}
