//! The machines of one engine, stepped by hand one at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use super::story::{Log, Studio, story};
use crate::clock::{Clock, Entropy, Timestamp};
use crate::engine::boot::{self, Booted};
use crate::engine::committer::Committer;
use crate::engine::hub::Hub;
use crate::engine::message::{
    Control, Controlled, Delivered, Effects, Incoming, Reply, ShardInput, Start, Started,
    Submission, Wish,
};
use crate::engine::queue::Queue;
use crate::engine::shard::Shard;
use crate::event::{EventRaised, ExecutionStarted, HistoryEvent, REPLAY_SEMANTICS};
use crate::id::{ExecutionId, InstanceId, InstanceKey};
use crate::limits;
use crate::payload::Payload;
use crate::store::tests::support::Disk;
use crate::store::{Medium, StoreOptions, Summary};
use crate::testing::check_replay;

/// One step of one machine, or of the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The shard takes in what was sent to it, and runs one turn.
    Run,
    /// The turns that have run are handed over to the committer.
    HandOver,
    /// The committer writes all that was submitted.
    Commit,
    /// What follows from the last commit is let loose.
    Release,
    /// Activities get a moment.
    Work,
    /// Somebody asks for something to be done to the instance.
    Ask(Wish),
    /// The timer is due.
    Timer,
    /// The event is raised.
    Raise,
    /// The activity may return.
    Finish,
    /// The child may return.
    EndChild,
}

/// Stands still unless it is moved.
#[derive(Debug, Default)]
pub(in super::super) struct Hands(AtomicU64);

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp(1_000_000 + self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug)]
pub(in super::super) struct NoChance;

impl Entropy for NoChance {
    fn bits(&self) -> u128 {
        7
    }
}

/// The first instance of its store; the second is its child.
const TARGET: InstanceKey = InstanceKey(1);

/// One engine, and all that has happened to it.
pub(super) struct World {
    disk: Disk,
    clock: Arc<Hands>,
    studio: Arc<Studio>,
    hub: Arc<Hub>,
    committer: Committer,
    shard: Shard,
    key: InstanceKey,
    /// What the outside has not done yet.
    left: Vec<Step>,
    taken: Vec<Step>,
    inputs: Vec<ShardInput>,
    submissions: Vec<Submission>,
    unreleased: Option<Effects>,
    commits: usize,
    done: usize,
    asked: Vec<oneshot::Receiver<Controlled>>,
    answers: Vec<Controlled>,
    event: Option<oneshot::Receiver<Delivered>>,
    raised: Option<Delivered>,
}

impl World {
    /// A world in which these steps were taken after an instance began to wait for an activity, a timer, a child and an event.
    pub(super) async fn after(outside: &[Step], steps: &[Step]) -> Self {
        let mut world = Self::begin(outside);
        world.quiesce(usize::MAX).await;
        world.taken.clear();
        for step in steps {
            world.take(*step).await;
        }
        world
    }

    fn begin(outside: &[Step]) -> Self {
        let mut world = Self::open(Disk::default(), Arc::default(), outside);
        world.start();
        world
    }

    /// A world that dies with the commit of that number, and what the next one over the same disk has left to ask; `None` if it
    /// did not die.
    pub(super) async fn killed_after(script: &[Step], commits: usize) -> Option<Self> {
        let mut world = Self::begin(script);
        if !world.live(commits).await {
            return None;
        }
        // Who was not answered asks again.
        let mut left: Vec<_> = world.taken_of(script).collect();
        left.drain(..left.len().min(world.answers.len()));
        left.extend(
            world
                .left
                .iter()
                .filter(|step| matches!(step, Step::Ask(_))),
        );
        let happened = script.iter().filter(|step| !matches!(step, Step::Ask(_)));
        let steps: Vec<_> = happened.copied().chain(left).collect();
        let (disk, clock) = (world.disk.clone(), Arc::clone(&world.clock));
        drop(world);
        let mut world = Self::open(disk, clock, &steps);
        world.live(usize::MAX).await;
        Some(world)
    }

    /// What somebody asked for so far.
    fn taken_of(&self, script: &[Step]) -> impl Iterator<Item = Step> {
        let taken = script.len() - self.left.len();
        let taken: Vec<_> = script[..taken].to_vec();
        taken
            .into_iter()
            .filter(|step| matches!(step, Step::Ask(_)))
    }

    /// Takes the steps of the outside one after the other, each when no machine has anything to do; true if it dies meanwhile.
    async fn live(&mut self, commits_max: usize) -> bool {
        loop {
            if self.quiesce(commits_max).await {
                return true;
            }
            let Some(step) = self.left.first().copied() else {
                return false;
            };
            self.take(step).await;
        }
    }

    fn open(disk: Disk, clock: Arc<Hands>, outside: &[Step]) -> Self {
        let studio = Arc::new(Studio::default());
        let Booted {
            hub,
            committer,
            outstanding,
            ..
        } = booted(&disk, &clock, &studio);
        hub.open_gate();
        let inboxes = Arc::clone(&hub.inboxes[0]);
        let shard = Shard::new(Arc::clone(&hub.reviver), inboxes, limits::LIVE_BYTES_MAX);
        Self {
            disk,
            clock,
            studio,
            hub,
            committer,
            shard,
            key: TARGET,
            left: outside.to_vec(),
            taken: Vec::new(),
            inputs: Vec::new(),
            submissions: Vec::new(),
            unreleased: Some(outstanding.without_trials()),
            commits: 0,
            done: 0,
            asked: Vec::new(),
            answers: Vec::new(),
            event: None,
            raised: None,
        }
    }

    fn start(&mut self) {
        let (reply, _) = Reply::<Started>::channel();
        let started = ExecutionStarted {
            at: Timestamp::default(),
            instance: InstanceId::parse("target").unwrap(),
            execution: ExecutionId::FIRST,
            name: "target".into(),
            version: None,
            input: Payload::json(&Value::Null).unwrap(),
            parent: None,
            tags: BTreeMap::new(),
            trace: None,
            replay_semantics: REPLAY_SEMANTICS,
            request: None,
            start_at: None,
        };
        let start = Start {
            started,
            reuse: crate::engine::Reuse::attach(),
            reply,
        };
        self.submissions.push(Submission::Start(Box::new(start)));
    }

    /// Lets the machines go on until none has anything to do, or until the commit of that number: that is true.
    async fn quiesce(&mut self, commits_max: usize) -> bool {
        while let Some(step) = self.possible_of_machines().first().copied() {
            self.take(step).await;
            if self.commits >= commits_max {
                return true;
            }
        }
        false
    }

    /// The steps that can be taken now.
    pub(super) fn possible(&self) -> Vec<Step> {
        let mut possible = self.possible_of_machines();
        // What is to be asked is asked in order.
        let is_asking = |step: &&Step| matches!(step, Step::Ask(_));
        possible.extend(self.left.iter().find(is_asking));
        possible.extend(self.left.iter().filter(|step| !is_asking(step)));
        possible
    }

    fn possible_of_machines(&self) -> Vec<Step> {
        let log = self.log();
        let is_working = self.hub.desk.running() != log.begun - log.returned || self.is_called();
        [
            (Step::Release, self.unreleased.is_some()),
            (
                Step::Commit,
                self.unreleased.is_none() && !self.submissions.is_empty(),
            ),
            (Step::HandOver, self.done > 0),
            (Step::Run, !self.inputs.is_empty() || self.shard.is_ready()),
            (Step::Work, is_working),
        ]
        .into_iter()
        .filter_map(|(step, is_possible)| is_possible.then_some(step))
        .collect()
    }

    /// Whether a running activity was told, or may return, and has not had the time to.
    fn is_called(&self) -> bool {
        let log = self.log();
        let is_running = self.running() > 0;
        let may_return = is_running && self.has_taken(Step::Finish) && log.returned == 0;
        (self.untold() < log.begun - log.returned) || may_return
    }

    pub(super) fn has_taken(&self, step: Step) -> bool {
        self.taken.contains(&step)
    }

    pub(super) async fn take(&mut self, step: Step) {
        self.taken.push(step);
        if let Some(at) = self.left.iter().position(|left| *left == step) {
            self.left.remove(at);
        }
        let now = self.hub.clock.now();
        match step {
            Step::Run => {
                for input in self.inputs.drain(..) {
                    self.shard.accept(input);
                }
                if self.shard.is_ready() {
                    self.done = self.done.max(self.shard.step(now).unwrap());
                }
            }
            Step::HandOver => {
                let submissions = &mut self.submissions;
                self.shard.hand_over(|turns| submissions.extend(turns));
                self.done = 0;
            }
            Step::Commit => {
                self.committer.submit(self.submissions.drain(..));
                self.unreleased = Some(self.committer.commit(now).unwrap());
                self.commits += 1;
            }
            Step::Release => {
                self.hub.release(self.unreleased.take().unwrap());
            }
            Step::Work => {
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
            }
            Step::Ask(wish) => self.ask(wish),
            Step::Timer => {
                self.clock.0.fetch_add(10_000, Ordering::SeqCst);
                self.hub.fire_timers(self.hub.clock.now());
            }
            Step::Raise => self.raise("go", self.key),
            Step::Finish => self.studio.door.notify_one(),
            Step::EndChild => self.raise("end", InstanceKey(2)),
        }
        self.gather();
    }

    fn ask(&mut self, wish: Wish) {
        let (reply, answer) = Reply::channel();
        self.asked.push(answer);
        let control = Control {
            key: self.key,
            wish,
            reason: "somebody asked".to_owned(),
            reply,
        };
        self.submissions
            .push(Submission::Control(Box::new(control)));
    }

    fn raise(&mut self, name: &'static str, to: InstanceKey) {
        let (reply, answer) = Reply::channel();
        if to == self.key {
            self.event = Some(answer);
        }
        let event = HistoryEvent::EventRaised(EventRaised {
            at: self.hub.clock.now(),
            name: name.into(),
            payload: Payload::json(&0).unwrap(),
            event: None,
        });
        let arrival = Incoming::Arrival {
            event,
            execution: None,
            reply: Some(reply),
        };
        self.hub.deliver(to, arrival).unwrap();
    }

    /// Takes what the machines have said to one another into the adversary's hands.
    fn gather(&mut self) {
        self.inputs
            .extend(self.hub.shards.iter().flat_map(Queue::drain));
        self.submissions.extend(self.hub.submissions.drain());
        for answer in &mut self.asked {
            self.answers.extend(answer.try_recv().ok());
        }
        if let Some(event) = &mut self.event {
            self.raised = event.try_recv().ok().or(self.raised.take());
        }
        if self.answers.first() == Some(&Controlled::Recorded) {
            self.studio.is_answered.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn log(&self) -> Log {
        self.studio.log.lock().unwrap().clone()
    }

    pub(super) fn answers(&self) -> &[Controlled] {
        &self.answers
    }

    pub(super) fn raised(&self) -> Option<&Delivered> {
        self.raised.as_ref()
    }

    pub(super) fn summary(&self) -> Summary {
        self.hub.reviver.reader.summary(self.key).unwrap().unwrap()
    }

    pub(super) fn history(&self) -> Vec<HistoryEvent> {
        let reader = &self.hub.reviver.reader;
        reader.current_history(self.key, &self.summary()).unwrap()
    }

    /// How many activities run that nobody has told to stop.
    pub(super) fn untold(&self) -> usize {
        self.hub.desk.untold()
    }

    /// How many activities run.
    pub(super) fn running(&self) -> usize {
        self.hub.desk.running()
    }

    /// How many timers are armed.
    pub(super) fn waiting_timers(&self) -> usize {
        usize::from(self.hub.timers.next_awaited().is_some())
    }

    /// All by which two states differ.
    pub(super) fn fingerprint(&self) -> String {
        let child = self.hub.reviver.reader.summary(InstanceKey(2)).unwrap();
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {}",
            self.history(),
            child.map(|child| (child.status, child.events)),
            self.inputs,
            self.submissions,
            self.unreleased,
            self.hub.inboxes,
            self.shard,
            self.left,
            self.answers,
            self.raised,
            self.log(),
            self.hub.timers.next_awaited(),
            self.hub.desk.running(),
            self.untold(),
            self.done,
        )
    }

    /// How it came to this.
    pub(super) fn story(&self) -> String {
        let kinds: Vec<_> = (self.history().iter())
            .map(|event| format!("{event:?}").chars().take(24).collect::<String>())
            .collect();
        format!("{:?}\n{kinds:?}\n{:?}", self.taken, self.log())
    }

    /// What another process finds: nothing of the instance is left to do, and its child is not cancelled.
    pub(super) fn check_reopened(&self) {
        let image = Disk::of(&self.disk.image());
        let Booted { outstanding, .. } = booted(&image, &self.clock, &Arc::default());
        assert!(outstanding.run.is_empty(), "{}", self.story());
        assert!(outstanding.arm.is_empty(), "{}", self.story());
        if self.answers() == [Controlled::Recorded] {
            for input in &outstanding.to_shards {
                let is_wake = matches!(input, ShardInput::Incoming(_, Incoming::Wake));
                assert!(is_wake, "{input:?}: {}", self.story());
            }
        }
    }

    pub(super) fn check_replays(&self) {
        let story = story(&Arc::default());
        check_replay(&story, &self.history()).unwrap();
    }
}

fn booted(disk: &Disk, clock: &Arc<Hands>, studio: &Arc<Studio>) -> Booted {
    let medium = Medium::Backend(Box::new(disk.clone()));
    let mut parts = super::super::parts(medium, StoreOptions::default(), story(studio));
    parts.clock = Arc::<Hands>::clone(clock);
    parts.entropy = Arc::new(NoChance);
    parts.shape.shards = 1;
    // One runs, the others wait for its place.
    parts.setup.activity_limit = 1;
    boot::boot(parts).unwrap()
}
