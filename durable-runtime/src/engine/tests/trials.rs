//! Suspects on trial, while something else happens.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::json;

use super::boundaries::{Life, MANNERS, start_of};
use super::parts;
use crate::activity;
use crate::clock::Timestamp;
use crate::engine::boot::{self, Booted};
use crate::engine::committer::Committer;
use crate::engine::hub::{Hub, Stopped};
use crate::engine::message::{
    CommandRef, Control, Effects, Incoming, Reply, Start, Started, Submission, Task, Wish,
};
use crate::engine::queue::Queue;
use crate::engine::reuse::Reuse;
use crate::engine::shard::Shard;
use crate::engine::suspects::{Accused, Suspect};
use crate::engine::trial::try_all;
use crate::error::Error;
use crate::event::{
    ActivityScheduled, EventRaised, ExecutionStarted, HistoryEvent, Name, REPLAY_SEMANTICS,
    StallReason,
};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, SiteId};
use crate::limits;
use crate::orchestration::named;
use crate::payload::Payload;
use crate::registry::Registry;
use crate::store::tests::support::{Disk, memory};
use crate::store::{Status, StoreOptions, Suspicion};

/// Machines that nobody steps.
fn booted(registry: Registry) -> Booted {
    let mut parts = parts(memory(), StoreOptions::default(), registry);
    parts.shape.shards = 1;
    boot::boot(parts).unwrap()
}

fn suspect(key: u64) -> Suspect {
    Suspect {
        accused: Accused::Turn(InstanceKey(key)),
        suspicion: Suspicion::default(),
    }
}

/// What is to be recorded next.
async fn next(hub: &Hub) -> Vec<Submission> {
    loop {
        let submissions = hub.submissions.drain();
        if !submissions.is_empty() {
            return submissions;
        }
        tokio::task::yield_now().await;
    }
}

fn recorded(submissions: Vec<Submission>) {
    for submission in submissions {
        if let Submission::Mark(_, reply) = submission {
            reply.send(());
        }
    }
}

/// They would have gone on with what was found when the store was first opened, while everything else ran.
#[tokio::test]
async fn trials_end_where_the_file_is_opened_again() {
    let hub = booted(Registry::new()).hub;
    hub.gate.close();
    let trials = tokio::spawn(try_all(Arc::clone(&hub), vec![suspect(1), suspect(2)]));
    let marks = next(&hub).await;
    hub.pause(Stopped::for_now("its disk is full"));
    hub.resume(Effects::default());
    // That commit was done before, but nobody had the time to hear of it.
    recorded(marks);
    let ended = tokio::time::timeout(Duration::from_secs(5), trials);
    ended.await.unwrap().unwrap();
    assert!(hub.submissions.drain().is_empty());
}

/// Suspended when the store was opened, it was forgotten that the process dies of it, and to resume it was the next death.
#[tokio::test]
async fn what_is_given_up_stays_so_while_it_is_suspended_and_after() {
    let flows =
        || Registry::new().named_orchestrator("flow", |_| async { Ok::<_, Error>(json!(1)) });
    let disk = Disk::default();
    let key = InstanceKey(1);
    let mut life = Life::begin_with(&disk, MANNERS[0], flows());
    life.hub.submit(start_of("flow", "poisoned")).unwrap();
    life.run(1, MANNERS[0]);
    let held = Suspicion {
        deaths: 12,
        alone: limits::LONE_DEATHS_MAX,
        on_trial: false,
        build: life.hub.reviver.build,
    };
    let (reply, _) = Reply::channel();
    let (told, _) = Reply::channel();
    let suspend = Control {
        key,
        wish: Wish::Suspend,
        reason: "what is this".to_owned(),
        reply: told,
    };
    life.committer.submit([
        Submission::Mark(vec![((key, None), Some(held))], reply),
        Submission::Control(Box::new(suspend)),
    ]);
    life.committer.commit(life.hub.clock.now()).unwrap();
    life.close();
    let life = Life::begin_with(&disk, MANNERS[0], flows());
    let summary = life.hub.reviver.reader.summary(key).unwrap().unwrap();
    assert_eq!(summary.status, Status::Suspended);
    let refusal = life.hub.reviver.guard.refusal(key);
    assert!(refusal.is_some_and(|(reason, _)| reason == StallReason::Poisoned));
}

/// Between the opening of the gate and its way to the desk an activity was nowhere: who ended its instance then did not find it,
/// and it began afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_activity_of_one_that_is_ended_begins_when_the_trials_are_over() {
    const ROUNDS: u64 = 10_000;
    // It runs until it is told that nobody waits for it.
    let registry = Registry::new().named_activity("begins", |_| async {
        activity::cancellation().cancelled().await;
        Ok::<_, Error>(json!(null))
    });
    let hub = booted(registry).hub;
    let (its_hub, begin) = (Arc::clone(&hub), Arc::new(Barrier::new(2)));
    let beside = Arc::clone(&begin);
    let opens = std::thread::spawn(move || {
        for _ in 0..ROUNDS {
            beside.wait();
            its_hub.open_gate();
            beside.wait();
        }
    });
    let mut late = Vec::new();
    for round in 0..ROUNDS {
        hub.close_gate();
        hub.gate.admit_tasks(vec![task(round)]);
        begin.wait();
        hub.release(Effects {
            close: [InstanceKey(round)].into(),
            ..Effects::default()
        });
        begin.wait();
        if hub.desk.untold() > late.len() {
            late.push(round);
        }
    }
    opens.join().unwrap();
    assert!(late.is_empty(), "{late:?}");
}

/// An activity of the instance of that key.
fn task(key: u64) -> Task {
    let scheduled = EventId(0);
    Task {
        command: CommandRef {
            instance: InstanceKey(key),
            execution: ExecutionId::FIRST,
            scheduled,
        },
        instance: InstanceId::parse("ended").unwrap(),
        version: None,
        trace: None,
        queued_at: Duration::ZERO,
        scheduled: ActivityScheduled {
            id: scheduled,
            site: SiteId(0),
            call: scheduled,
            attempt: 1,
            name: "begins".into(),
            input: Payload::json(&key).unwrap(),
            attempt_timeout: None,
            heartbeats: None,
            retry: None,
        },
        delivery: 1,
    }
}

/// An instance that waits, over machines that are stepped by hand.
struct Bench {
    hub: Arc<Hub>,
    committer: Committer,
    shard: Shard,
    key: InstanceKey,
}

impl Bench {
    fn begin() -> Self {
        let registry = Registry::new().named_orchestrator("wait", |_| async {
            named::event("first").wait().await;
            Ok::<_, Error>(named::event("last").wait().await)
        });
        let Booted { hub, committer, .. } = booted(registry);
        let inboxes = Arc::clone(&hub.inboxes[0]);
        let shard = Shard::new(Arc::clone(&hub.reviver), inboxes, limits::LIVE_BYTES_MAX);
        let mut bench = Self {
            hub,
            committer,
            shard,
            key: InstanceKey(0),
        };
        let (reply, mut key) = Reply::channel();
        let started = ExecutionStarted {
            at: Timestamp::default(),
            instance: InstanceId::parse("wait").unwrap(),
            execution: ExecutionId::FIRST,
            name: "wait".into(),
            version: None,
            input: Payload::json(&json!(0)).unwrap(),
            parent: None,
            tags: BTreeMap::new(),
            trace: None,
            replay_semantics: REPLAY_SEMANTICS,
            request: None,
            start_at: None,
        };
        let start = Box::new(Start {
            started,
            reuse: Reuse::attach(),
            reply,
        });
        bench.commit(vec![Submission::Start(start)]);
        if let Started::Created(created) = key.try_recv().unwrap() {
            bench.key = created;
        }
        let turns = bench.turns();
        bench.commit(turns);
        assert!(bench.turns().is_empty());
        bench.hub.close_gate();
        bench
    }

    fn commit(&mut self, submissions: Vec<Submission>) {
        self.committer.submit(submissions);
        let effects = self.committer.commit(self.hub.clock.now()).unwrap();
        self.hub.release(effects);
    }

    /// Runs what is ready, as a shard's thread does.
    fn turns(&mut self) -> Vec<Submission> {
        let inputs = self.hub.shards.iter().flat_map(Queue::drain);
        inputs.for_each(|input| self.shard.accept(input));
        self.run()
    }

    fn run(&mut self) -> Vec<Submission> {
        let mut turns = Vec::new();
        while self.shard.is_ready() {
            self.shard.step(self.hub.clock.now()).unwrap();
            self.shard.hand_over(|done| turns.extend(done));
        }
        self.shard.answer_probes();
        turns
    }

    /// Commits what is submitted next.
    async fn commit_next(&mut self) {
        let submissions = next(&self.hub).await;
        self.commit(submissions);
    }

    /// Runs what reaches the shard next.
    async fn turns_next(&mut self) -> Vec<Submission> {
        loop {
            let inputs: Vec<_> = self.hub.shards.iter().flat_map(Queue::drain).collect();
            if !inputs.is_empty() {
                for input in inputs {
                    self.shard.accept(input);
                }
                return self.run();
            }
            tokio::task::yield_now().await;
        }
    }

    fn raise(&self, name: &'static str) {
        let event = HistoryEvent::EventRaised(EventRaised {
            at: self.hub.clock.now(),
            name: Name::Borrowed(name),
            payload: Payload::json(&1).unwrap(),
            event: None,
        });
        let arrival = Incoming::unasked(event, None);
        self.hub.deliver(self.key, arrival).unwrap();
    }
}

/// Whether code was run for one of these.
fn has_run(turns: &[Submission]) -> bool {
    turns.iter().any(|turn| {
        let Submission::Turn(turn) = turn else {
            return false;
        };
        let mut events = turn.events.iter();
        events.any(|event| matches!(event, HistoryEvent::TurnStarted(_)))
    })
}

/// The first of them took the guard away from the second, whose turn ran beside the suspect.
#[tokio::test]
async fn whatever_arrives_during_a_trial_is_recorded_and_not_run() {
    let mut bench = Bench::begin();
    bench.raise("first");
    bench.raise("last");
    let inputs: Vec<_> = bench.hub.shards.iter().flat_map(Queue::drain).collect();
    let mut inputs = inputs.into_iter();
    bench.shard.accept(inputs.next().unwrap());
    // The thread has been faster than who raised the second.
    let first = bench.run();
    assert!(!has_run(&first) && first.len() == 1, "{first:?}");
    bench.shard.accept(inputs.next().unwrap());
    bench.commit(first);
    let second = bench.turns();
    assert!(!has_run(&second) && second.len() == 1, "{second:?}");
}

/// What arrived just before is recorded first, and the turn waits for that; meanwhile its trial was over, and it was acquitted.
#[tokio::test]
async fn a_turn_has_stood_its_trial_when_it_has_run() {
    let mut bench = Bench::begin();
    bench.raise("first");
    let arrived = bench.turns();
    let suspects = vec![suspect(bench.key.0)];
    let trials = tokio::spawn(try_all(Arc::clone(&bench.hub), suspects));
    bench.commit_next().await;
    // The wake and the question come while the arrival is on its way to the disk.
    assert!(bench.turns_next().await.is_empty());
    for submission in next(&bench.hub).await {
        assert!(
            !matches!(submission, Submission::Mark(..)),
            "it has not run"
        );
        bench.committer.submit([submission]);
    }
    bench.commit(arrived);
    let mut ran = false;
    while !trials.is_finished() {
        tokio::task::yield_now().await;
        let mut turns = bench.turns();
        ran |= has_run(&turns);
        turns.extend(bench.hub.submissions.drain());
        let marks_end = turns.iter().any(|it| matches!(it, Submission::Mark(..)));
        assert!(ran || !marks_end, "it was acquitted before it ran");
        bench.commit(turns);
    }
    assert!(ran);
}

/// Its death would have been held against a suspect beside which it still ran.
#[tokio::test]
async fn a_suspect_beside_a_turn_that_still_runs_is_not_alone() {
    for (is_left_behind, has_ended) in [(false, true), (false, false), (true, false), (true, true)]
    {
        let bench = Bench::begin();
        let inboxes = &bench.hub.inboxes[0];
        let tenure = inboxes.tenure();
        inboxes.begin(tenure, InstanceKey(9), Vec::new());
        if is_left_behind {
            let number = inboxes.running().unwrap();
            assert_eq!(inboxes.abandon(number, drop), Some(InstanceKey(9)));
        }
        if has_ended {
            inboxes.end(tenure);
        }
        let suspects = vec![suspect(bench.key.0)];
        tokio::spawn(try_all(Arc::clone(&bench.hub), suspects));
        let submissions = next(&bench.hub).await;
        let [Submission::Mark(marks, _)] = &submissions[..] else {
            panic!("{submissions:?}");
        };
        assert_eq!(marks[0].1.unwrap().on_trial, has_ended, "{is_left_behind}");
    }
}
