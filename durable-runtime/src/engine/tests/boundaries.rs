//! Killed between a commit and what follows from it, at every commit: instances that start, await and tell one another.
//!
//! The machines are stepped by hand, one turn in a commit, and the life ends where a commit is on disk and nobody has
//! heard of it yet: its effects are dropped.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{parts, rewound};
use crate::clock::Timestamp;
use crate::engine::boot::{self, Booted, Parts};
use crate::engine::committer::Committer;
use crate::engine::hub::Hub;
use crate::engine::message::{Incoming, Reply, Start, Submission};
use crate::engine::queue::Queue;
use crate::engine::reuse::Reuse;
use crate::engine::shard::Shard;
use crate::error::Error;
use crate::event::{EventRaised, ExecutionStarted, HistoryEvent, REPLAY_SEMANTICS};
use crate::failure::Outcome;
use crate::id::{ExecutionId, InstanceId};
use crate::limits;
use crate::orchestration::{info, named, start};
use crate::payload::Payload;
use crate::registry::Registry;
use crate::store::tests::support::{Disk, impatient, open_disk};
use crate::store::{Medium, StoreOptions};

/// One life of a process.
pub(super) struct Life {
    pub(super) hub: Arc<Hub>,
    pub(super) committer: Committer,
    pub(super) shard: Shard,
}

/// How the store of a life folds, how many turns share a commit, and whether an instance has room for one event that it does
/// not await.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) folds: bool,
    pub(super) batches: bool,
    pub(super) is_cramped: bool,
}

const PLAIN: Manner = Manner {
    folds: false,
    batches: false,
    is_cramped: false,
};

pub(super) const MANNERS: [Manner; 5] = [
    PLAIN,
    Manner {
        folds: true,
        ..PLAIN
    },
    Manner {
        batches: true,
        ..PLAIN
    },
    Manner {
        is_cramped: true,
        ..PLAIN
    },
    Manner {
        batches: true,
        is_cramped: true,
        ..PLAIN
    },
];

impl Life {
    pub(super) fn begin(disk: &Disk, manner: Manner) -> Self {
        Self::begin_with(disk, manner, story())
    }

    pub(super) fn begin_with(disk: &Disk, manner: Manner, registry: Registry) -> Self {
        let options = if manner.folds {
            impatient(0)
        } else {
            StoreOptions::default()
        };
        let medium = Medium::Backend(Box::new(disk.clone()));
        let mut parts = parts(medium, options, registry);
        if manner.is_cramped {
            parts.setup.event_limit.events = 1;
        }
        Self::of(parts)
    }

    /// One that has a single shard.
    pub(super) fn of(mut parts: Parts) -> Self {
        parts.shape.shards = 1;
        let Booted {
            hub,
            committer,
            outstanding,
            ..
        } = boot::boot(parts).unwrap();
        // What the process died of is not the question here: nothing is on trial.
        hub.open_gate();
        hub.release(outstanding.without_trials());
        let inboxes = Arc::clone(&hub.inboxes[0]);
        let shard = Shard::new(Arc::clone(&hub.reviver), inboxes, limits::LIVE_BYTES_MAX);
        Self {
            hub,
            committer,
            shard,
        }
    }

    /// Lives on until nothing is left to do, or until the commit of that number, which is its last. Returns how many
    /// there were.
    pub(super) fn run(&mut self, commits_max: usize, manner: Manner) -> usize {
        let mut commits = 0;
        loop {
            let batch = self.turns(manner);
            if batch.is_empty() {
                return commits;
            }
            self.committer.submit(batch);
            let effects = self.committer.commit(self.hub.clock.now()).unwrap();
            commits += 1;
            if commits == commits_max {
                return commits;
            }
            self.hub.release(effects);
            while manner.folds && self.committer.maintenance_is_due() {
                self.committer.maintain().unwrap();
            }
        }
    }

    /// Ends as a program does that shuts its engine down.
    pub(super) fn close(self) {
        self.committer.close(self.hub.clock.now()).unwrap();
    }

    /// What goes into the next commit: everything, or one thing.
    pub(super) fn turns(&mut self, manner: Manner) -> Vec<Submission> {
        let mut batch = Vec::new();
        if let Some(first) = self.hub.submissions.drain().pop() {
            batch.push(first);
        }
        for input in self.hub.shards.iter().flat_map(Queue::drain) {
            self.shard.accept(input);
        }
        while self.shard.is_ready() && (manner.batches || batch.is_empty()) {
            self.shard.step(self.hub.clock.now()).unwrap();
            self.shard.hand_over(|turns| batch.extend(turns));
        }
        batch
    }
}

/// `writer` starts a `reader` and a `witness`, sends notes over two executions, and returns what the reader returns. The
/// `reader` takes each note in an execution of its own, and answers.
fn story() -> Registry {
    Registry::new()
        .named_orchestrator("writer", writer)
        .named_orchestrator("reader", reader)
        .named_orchestrator("witness", |_| async {
            let reader = named::detached(InstanceId::parse("reader")?);
            Ok::<_, Error>(reader.result().await?)
        })
        .named_orchestrator("herald", |_| async {
            named::event("go").send("talker", json!(0)).await;
            named::event("go").send("listener", json!(0)).await;
            Ok::<_, Error>(Value::Null)
        })
        .named_orchestrator("guardian", rewound::guardian)
        .named_orchestrator("fickle", rewound::fickle)
        .named_orchestrator("talker", |_| async {
            named::event("go").wait().await;
            named::event("late").send("listener", json!(0)).await;
            Ok::<_, Error>(Value::Null)
        })
        .named_orchestrator("listener", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("payee", |_| async {
            let payments = [paid().await, paid().await, paid().await];
            Ok::<_, Error>(json!(payments))
        })
}

async fn paid() -> Value {
    named::event("paid").wait().await
}

async fn writer(first: Value) -> Result<Value, Error> {
    let first = first.as_u64().unwrap_or(0);
    let begin = json!({"left": 6, "notes": []});
    // The second execution finds both there.
    let reader = start(named::orchestrator("reader", &begin))
        .id("reader")
        .await;
    start(named::orchestrator("witness", &Value::Null))
        .id("witness")
        .await;
    for note in [first, first + 1] {
        named::event("note").send(reader.id(), json!(note)).await;
    }
    let ack = named::event("ack").wait().await;
    named::event("note")
        .send(reader.id(), json!(first + 2))
        .await;
    let acks = [ack, named::event("ack").wait().await];
    assert_eq!(json!(acks), json!([first, first + 1]));
    named::event("ack").wait().await;
    if first == 0 {
        return Ok(named::continue_as_new(&json!(3)).await);
    }
    let notes = reader.result().await?;
    assert_eq!(reader.result().await?, notes, "it answers again");
    Ok(notes)
}

async fn reader(state: Value) -> Result<Value, Error> {
    let left = state["left"].as_u64().unwrap_or(0);
    let mut notes = state["notes"].as_array().cloned().unwrap_or_default();
    let note = named::event("note").wait().await;
    named::event("ack").send("writer", note.clone()).await;
    // What nobody takes any more must not come back to life.
    named::event("noise").send(&info().instance, json!(0)).await;
    notes.push(note);
    if left == 1 {
        return Ok(json!(notes));
    }
    Ok(named::continue_as_new(&json!({"left": left - 1, "notes": notes})).await)
}

/// A disk on which an instance is created and nothing more.
pub(super) fn begun(name: &'static str) -> Disk {
    let disk = Disk::default();
    create(&disk, name);
    disk
}

pub(super) fn create(disk: &Disk, name: &'static str) {
    let mut life = Life::begin(disk, MANNERS[0]);
    life.hub.submit(start_of(name, name)).unwrap();
    assert_eq!(life.run(1, MANNERS[0]), 1);
    life.close();
}

/// The start of an orchestrator under an id.
pub(super) fn start_of(name: &'static str, id: &str) -> Submission {
    let started = ExecutionStarted {
        at: Timestamp::default(),
        instance: InstanceId::parse(id).unwrap(),
        execution: ExecutionId::FIRST,
        name: name.into(),
        version: None,
        input: Payload::json(&json!(0)).unwrap(),
        parent: None,
        tags: std::collections::BTreeMap::new(),
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    };
    let (reply, _) = Reply::channel();
    Submission::Start(Box::new(Start {
        started,
        reuse: Reuse::attach(),
        reply,
    }))
}

/// Everybody has ended with all notes, each once and in order, and nothing is on its way.
fn check(disk: &Disk, when: &str) {
    let (store, recovered) = open_disk(disk);
    assert_eq!(recovered.sent, [], "{when}");
    assert_eq!(recovered.instances, [], "{when}");
    for id in ["writer", "reader", "witness"] {
        let reader = store.reader();
        let key = reader.find(&InstanceId::parse(id).unwrap()).unwrap();
        let summary = reader.summary(key.unwrap()).unwrap().unwrap();
        let Some(Outcome::Completed(notes)) = summary.outcome else {
            panic!("{when}: {id}: {summary:?}");
        };
        let notes: Value = notes.decode().unwrap();
        assert_eq!(notes, json!([0, 1, 2, 3, 4, 5]), "{when}: {id}");
    }
}

#[tokio::test]
async fn a_kill_after_any_commit_loses_and_doubles_nothing() {
    for manner in MANNERS {
        let disk = begun("writer");
        let whole = Life::begin(&disk, manner).run(usize::MAX, manner);
        check(&disk, "undisturbed");
        assert!(whole > 12, "{whole} commits");
        for killed_after in 1..=whole {
            let disk = begun("writer");
            Life::begin(&disk, manner).run(killed_after, manner);
            Life::begin(&disk, manner).run(usize::MAX, manner);
            check(&disk, &format!("{manner:?}, killed after {killed_after}"));
        }
    }
}

#[tokio::test]
async fn a_kill_after_every_commit_loses_and_doubles_nothing() {
    for manner in MANNERS {
        let disk = begun("writer");
        let mut lives = 0;
        while Life::begin(&disk, manner).run(1, manner) > 0 {
            lives += 1;
            assert!(lives < 200, "it gets nowhere");
        }
        check(&disk, &format!("{manner:?}, {lives} lives"));
    }
}

/// The talker speaks and the listener ends in one commit: the event was on its way for as long as that took.
#[tokio::test]
async fn what_is_on_its_way_to_one_that_ends_is_given_up_with_it() {
    let together = Manner {
        batches: true,
        ..PLAIN
    };
    let disk = begun("talker");
    create(&disk, "listener");
    let mut life = Life::begin(&disk, together);
    life.run(usize::MAX, together);
    life.close();
    create(&disk, "herald");
    let commits = Life::begin(&disk, together).run(usize::MAX, together);
    assert_eq!(commits, 2, "the herald, then both");
    let (_, recovered) = open_disk(&disk);
    assert_eq!(recovered.sent, []);
    assert!(recovered.instances.is_empty(), "{:?}", recovered.instances);
}

/// A client that never hears an answer, since the process dies before: it raises everything again in each life.
#[tokio::test]
async fn what_is_raised_again_under_its_id_is_taken_once_wherever_the_process_dies() {
    for manner in MANNERS {
        for lives_of in 1..=4 {
            let disk = begun("payee");
            let mut lives = 0;
            let payments = loop {
                let mut life = Life::begin(&disk, manner);
                let reader = life.hub.reviver.reader.clone();
                let key = reader.find(&InstanceId::parse("payee").unwrap());
                let key = key.unwrap().unwrap();
                for payment in 1..=3 {
                    drop(life.hub.deliver(key, payment_of(payment)));
                }
                life.run(lives_of, manner);
                let summary = reader.summary(key).unwrap().unwrap();
                if let Some(Outcome::Completed(payments)) = summary.outcome {
                    break payments.decode::<Value>().unwrap();
                }
                lives += 1;
                assert!(lives < 50, "it gets nowhere");
            };
            assert_eq!(payments, json!([1, 2, 3]), "{manner:?}, {lives_of} commits");
        }
    }
}

fn payment_of(number: u32) -> Incoming {
    let raised = EventRaised {
        at: Timestamp(1),
        name: "paid".into(),
        payload: Payload::json(&number).unwrap(),
        event: Some(format!("payment-{number}")),
    };
    Incoming::unasked(HistoryEvent::EventRaised(raised), None)
}
