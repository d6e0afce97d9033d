//! Purges at every commit, and deaths after every one: whoever is to hear how an instance ended hears it, and what is
//! purged does not come back.

use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use serde_json::{Value, json};

use super::boundaries::{Life, MANNERS, Manner, start_of};
use super::{parts, start, until, window};
use crate::clock::Timestamp;
use crate::engine::message::{Incoming, Purge, Reply, Submission};
use crate::error::Error;
use crate::event::{EventRaised, HistoryEvent};
use crate::failure::Outcome;
use crate::id::{InstanceId, InstanceKey};
use crate::limits;
use crate::orchestration::named;
use crate::payload::Payload;
use crate::registry::Registry;
use crate::store::tests::support::{Disk, memory, open_disk};
use crate::store::{Status, StoreOptions};

/// `parent` and `witness` return what the child returns, to the one as its parent, to the other as to a stranger. `usurper`
/// gets the child's id as soon as that is free.
fn story() -> Registry {
    Registry::new()
        .named_orchestrator("parent", |_| async {
            let child = named::orchestrator("child", &Value::Null).id("child");
            Ok::<_, Error>(child.await?)
        })
        .named_orchestrator("child", |_| async {
            named::event("go").wait().await;
            Ok::<_, Error>(json!("of the child"))
        })
        .named_orchestrator("witness", |_| async {
            let child = named::detached(InstanceId::parse("child")?);
            Ok::<_, Error>(child.result().await?)
        })
        .named_orchestrator("herald", |_| async {
            named::event("go").send("child", Value::Null).await;
            Ok::<_, Error>(Value::Null)
        })
        .named_orchestrator("usurper", |_| async {
            Ok::<_, Error>(json!("of the usurper"))
        })
}

fn find(life: &Life, id: &str) -> Option<InstanceKey> {
    let reader = &life.hub.reviver.reader;
    reader.find(&InstanceId::parse(id).unwrap()).unwrap()
}

/// A disk on which the child waits for its event, and the others for the child; with the child's key.
fn waiting() -> (Disk, InstanceKey) {
    let disk = Disk::default();
    let mut life = Life::begin_with(&disk, MANNERS[0], story());
    for name in ["parent", "witness", "herald"] {
        life.hub.submit(start_of(name, name)).unwrap();
        // The event is sent, and not received.
        let commits = if name == "herald" { 2 } else { usize::MAX };
        life.run(commits, MANNERS[0]);
    }
    let child = find(&life, "child").unwrap();
    (disk, child)
}

/// One life in which the child is purged with every commit, before and behind all else in it, and its id is another's at
/// once; until nothing is left to do, or until the commit of that number.
fn live(disk: &Disk, manner: Manner, child: InstanceKey, commits_max: usize, alone: bool) -> usize {
    let mut life = Life::begin_with(disk, manner, story());
    let mut commits = 0;
    while commits < commits_max {
        let purge = || {
            let (reply, _) = Reply::channel();
            let keys = vec![child];
            Submission::Purge(Purge {
                keys,
                ended_by: None,
                reply,
            })
        };
        let is_there = life.hub.reviver.reader.summary(child).unwrap().is_some();
        // In a commit of its own, and in one with others.
        if is_there && alone {
            life.committer.submit([purge()]);
            let effects = life.committer.commit(life.hub.clock.now()).unwrap();
            commits += 1;
            if commits == commits_max {
                return commits;
            }
            life.hub.release(effects);
        }
        let mut batch = life.turns(manner);
        let is_idle = batch.is_empty();
        if is_there {
            batch.insert(0, purge());
            batch.push(purge());
        }
        let is_free = find(&life, "child").is_none();
        if is_free {
            batch.push(start_of("usurper", "child"));
        } else if is_idle {
            break;
        }
        life.committer.submit(batch);
        let effects = life.committer.commit(life.hub.clock.now()).unwrap();
        commits += 1;
        if commits < commits_max {
            life.hub.release(effects);
            while manner.folds && life.committer.maintenance_is_due() {
                life.committer.maintain().unwrap();
            }
        }
    }
    commits
}

fn check(disk: &Disk, child: InstanceKey, context: &str) {
    let (store, recovered) = open_disk(disk);
    assert!(recovered.instances.is_empty(), "{context}: {recovered:?}");
    let reader = store.reader();
    assert!(reader.summary(child).unwrap().is_none(), "{context}");
    let outcome = |id: &str| {
        let key = reader.find(&InstanceId::parse(id).unwrap()).unwrap();
        let summary = reader.summary(key.unwrap()).unwrap().unwrap();
        match summary.outcome {
            Some(Outcome::Completed(output)) => output.decode::<Value>().unwrap(),
            other => panic!("{context}: `{id}`: {other:?}"),
        }
    };
    for id in ["parent", "witness"] {
        assert_eq!(outcome(id), json!("of the child"), "{context}: {id}");
    }
    assert_eq!(outcome("child"), json!("of the usurper"), "{context}");
}

#[tokio::test]
async fn nobody_misses_an_end_for_a_purge_whatever_dies_when() {
    for manner in MANNERS {
        let (disk, child) = waiting();
        let whole = live(&disk, manner, child, usize::MAX, true);
        check(&disk, child, &format!("{manner:?}, undisturbed"));
        assert!(whole > 3, "{whole} commits");
        for killed_after in 1..=whole {
            let (disk, child) = waiting();
            live(&disk, manner, child, killed_after, true);
            // It has read who waits for what, and nobody has had a turn.
            live(&disk, manner, child, 1, true);
            live(&disk, manner, child, usize::MAX, true);
            let context = format!("{manner:?}, killed after {killed_after} of {whole}");
            check(&disk, child, &context);
        }
    }
}

#[tokio::test]
async fn nobody_misses_an_end_for_a_purge_if_every_life_has_one_commit() {
    for manner in MANNERS {
        let (disk, child) = waiting();
        let mut lives = 0;
        while live(&disk, manner, child, 1, false) > 0 {
            lives += 1;
            if lives > 40 {
                // A life that can only be refused its purge commits that.
                break;
            }
        }
        live(&disk, manner, child, usize::MAX, true);
        check(&disk, child, &format!("{manner:?}, {lives} lives"));
    }
}

/// A turn that took its time ended at a time that had been looked at before: it was kept for good.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_on_disk_late_is_not_passed_over_by_the_retention() {
    let goes = Arc::new(AtomicBool::new(false));
    let may_go = Arc::clone(&goes);
    let registry = Registry::new()
        .named_orchestrator("quick", |_| async { Ok::<_, Error>(Value::Null) })
        .named_orchestrator("slow", move |_| {
            let may_go = Arc::clone(&may_go);
            async move {
                while !may_go.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                Ok::<_, Error>(Value::Null)
            }
        });
    let mut parts = parts(memory(), StoreOptions::default(), registry);
    parts.setup.retention.keep(Duration::ZERO);
    let engine = start(parts, limits::LIVE_BYTES_MAX).await.unwrap();
    let slow = engine.start(named::orchestrator("slow", &Value::Null));
    let slow = slow.await.unwrap();
    let is_running = || engine.hub.inboxes.iter().any(|of| of.running().is_some());
    until(async || is_running()).await;
    window(Duration::from_millis(5)).await;
    // On the two other shards, more than are purged in one go, so that it is noted how far that led.
    let of_one_shard = limits::EXPIRY_SLICE;
    for _ in 0..3 * of_one_shard {
        let quick = engine.start(named::orchestrator("quick", &Value::Null));
        quick.await.unwrap();
    }
    let others = async || engine.counts_of("quick").await.unwrap().total();
    until(async || others().await <= u64::try_from(of_one_shard).unwrap()).await;
    goes.store(true, Ordering::Relaxed);
    let gone = until(async || slow.summary().await.is_err());
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .unwrap();
    engine.shutdown().await;
}

/// `parent` ends when it is told to, and leaves a child that nobody told yet; then it is purged, and the process dies. Nobody
/// knew any more that the child was to end.
#[tokio::test]
async fn a_child_is_told_to_end_though_its_parent_is_purged_before_it_was() {
    let family = || {
        Registry::new()
            .named_orchestrator("parent", |_| async {
                let child = named::orchestrator("child", &Value::Null).id("child");
                let mut child = child.into_future();
                poll_fn(|cx| {
                    assert!(Pin::new(&mut child).poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                Ok::<_, Error>(named::event("go").wait().await)
            })
            .named_orchestrator("child", |_| async {
                Ok::<_, Error>(named::event("go").wait().await)
            })
    };
    for manner in MANNERS {
        for is_known in [true, false] {
            let disk = Disk::default();
            let mut life = Life::begin_with(&disk, manner, family());
            life.hub.submit(start_of("parent", "parent")).unwrap();
            life.run(usize::MAX, manner);
            let (parent, child) = (
                find(&life, "parent").unwrap(),
                find(&life, "child").unwrap(),
            );
            let go = EventRaised {
                at: Timestamp(1),
                name: "go".into(),
                payload: Payload::json(&1).unwrap(),
                event: None,
            };
            let go = Incoming::unasked(HistoryEvent::EventRaised(go), None);
            drop(life.hub.deliver(parent, go));
            // Its end is on disk, and nobody has heard of it.
            let ended = |life: &Life| {
                let summary = life.hub.reviver.reader.summary(parent).unwrap();
                summary.unwrap().has_ended()
            };
            while !ended(&life) {
                life.run(1, manner);
            }
            if !is_known {
                // It is found when the store is opened that the child is to end.
                drop(life);
                life = Life::begin_with(&disk, manner, family());
            }
            let (reply, _) = Reply::channel();
            let keys = vec![parent];
            life.committer.submit([Submission::Purge(Purge {
                keys,
                ended_by: None,
                reply,
            })]);
            life.committer.commit(life.hub.clock.now()).unwrap();
            drop(life);
            let mut life = Life::begin_with(&disk, manner, family());
            assert!(find(&life, "parent").is_none());
            life.run(usize::MAX, manner);
            let child = life.hub.reviver.reader.summary(child).unwrap().unwrap();
            assert_eq!(child.status, Status::Failed, "{manner:?}");
        }
    }
}
