//! Killed around the commit of a rewind, and at every commit after it: a parent, its child, and the child of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};

use super::boundaries::{Life, MANNERS, Manner, begun, start_of};
use crate::clock::Timestamp;
use crate::engine::message::{
    Control, Effects, Left, Purge, Reach, Reply, Rewind, Submission, TimerRef, Wish,
};
use crate::error::Error;
use crate::failure::Outcome;
use crate::id::{InstanceId, InstanceKey};
use crate::orchestration::{hours, named, side_effect, sleep};
use crate::registry::Registry;
use crate::store::tests::support::{Disk, open_disk};
use crate::store::{Status, Store, Summary};

static IS_MENDED: AtomicBool = AtomicBool::new(false);

/// Has a child, which has one, which fails by itself unless it is mended.
pub(super) async fn guardian(depth: Value) -> Result<Value, Error> {
    let child = match depth.as_u64() {
        Some(0) => named::orchestrator("guardian", &json!(1)).id("middle"),
        _ => named::orchestrator("fickle", &Value::Null).id("leaf"),
    };
    Ok(child.await?)
}

pub(super) async fn fickle(_: Value) -> Result<Value, Error> {
    if !IS_MENDED.load(Ordering::Relaxed) {
        return Err(Error::msg("not today"));
    }
    Ok(json!("done"))
}

const FAMILY: [&str; 3] = ["guardian", "middle", "leaf"];

/// A disk on which the whole family has failed.
fn failed(manner: Manner) -> Disk {
    IS_MENDED.store(false, Ordering::Relaxed);
    let disk = begun("guardian");
    Life::begin(&disk, manner).run(usize::MAX, manner);
    let (store, recovered) = open_disk(&disk);
    assert!(recovered.instances.is_empty(), "{:?}", recovered.instances);
    for id in FAMILY {
        assert_eq!(summary(&store, id).status, Status::Failed, "{id}");
    }
    drop(store);
    IS_MENDED.store(true, Ordering::Relaxed);
    disk
}

fn summary(store: &Store, id: &str) -> Summary {
    let reader = store.reader();
    let key = reader.find(&InstanceId::parse(id).unwrap()).unwrap();
    reader.summary(key.unwrap()).unwrap().unwrap()
}

/// A life that begins with the wish that the eldest be rewound.
fn rewinding(disk: &Disk, manner: Manner) -> Life {
    let life = Life::begin(disk, manner);
    let key = find(&life, "guardian");
    life.hub.submit(rewind_of(key)).unwrap();
    life
}

fn find(life: &Life, id: &str) -> InstanceKey {
    let id = InstanceId::parse(id).unwrap();
    life.hub.reviver.reader.find(&id).unwrap().unwrap()
}

fn rewind_of(key: InstanceKey) -> Submission {
    Submission::Rewind(Box::new(Rewind {
        key,
        reason: "mended".to_owned(),
        reply: Reply::channel().0,
    }))
}

fn check(disk: &Disk, when: &str) {
    let (store, recovered) = open_disk(disk);
    assert!(
        recovered.instances.is_empty(),
        "{when}: {:?}",
        recovered.instances
    );
    for id in FAMILY {
        let ended = summary(&store, id);
        let Some(Outcome::Completed(output)) = ended.outcome else {
            panic!("{when}: {id}: {ended:?}");
        };
        assert_eq!(output.decode::<Value>().unwrap(), json!("done"), "{when}");
    }
}

#[tokio::test]
async fn a_kill_after_any_commit_of_a_rewind_loses_and_doubles_nothing() {
    for manner in MANNERS {
        let disk = failed(manner);
        let whole = rewinding(&disk, manner).run(usize::MAX, manner);
        check(&disk, "undisturbed");
        assert!(
            whole >= 4,
            "{whole} commits: the rewind, and a turn of each"
        );
        for killed_after in 1..=whole {
            let disk = failed(manner);
            rewinding(&disk, manner).run(killed_after, manner);
            // All of the family goes on, or has: it was one commit.
            let (store, _) = open_disk(&disk);
            let statuses = FAMILY.map(|id| summary(&store, id).status);
            assert!(!statuses.contains(&Status::Failed), "{statuses:?}");
            drop(store);
            // Each commit is the last of its life.
            let mut lives = 0;
            while Life::begin(&disk, manner).run(1, manner) > 0 {
                lives += 1;
                assert!(lives < 50, "it gets nowhere");
            }
            check(&disk, &format!("{manner:?}, killed after {killed_after}"));
        }
    }
}

/// `torn` waits for a timer and for an activity without end, and fails with its child.
fn torn() -> Registry {
    Registry::new()
        .named_activity("endless", |_: Value| {
            std::future::pending::<Result<Value, Error>>()
        })
        .named_orchestrator("breaks", |_| async {
            Err::<Value, _>(Error::msg("as ever"))
        })
        .named_orchestrator("torn", |_| async {
            let endless = named::activity("endless", &Value::Null);
            let breaks = named::orchestrator("breaks", &Value::Null).id("breaks");
            crate::select! {
                done = endless => Ok::<_, Error>(done?),
                done = breaks => Ok(done?),
                () = sleep(hours(1)) => Ok(Value::Null),
            }
        })
}

/// What of an instance runs, or is armed.
fn runs(effects: &Effects, key: InstanceKey) -> (usize, usize) {
    let run = effects.run.iter();
    let armed = effects.arm.iter().filter(|(timer, _)| match timer {
        TimerRef::Durable(command) => command.instance == key,
        _ => false,
    });
    let run = run.filter(|task| task.command.instance == key);
    (run.count(), armed.count())
}

/// Whichever was submitted first: a rewind reads what is on disk, and so goes first.
#[tokio::test]
async fn who_is_ended_in_the_batch_of_its_rewind_is_ended() {
    for first in [false, true] {
        for is_ended in [false, true] {
            let disk = Disk::default();
            let mut life = Life::begin_with(&disk, MANNERS[0], torn());
            life.hub.submit(start_of("torn", "torn")).unwrap();
            life.run(usize::MAX, MANNERS[0]);
            let key = find(&life, "torn");
            let reader = life.hub.reviver.reader.clone();
            let status = || reader.summary(key).unwrap().unwrap().status;
            assert_eq!(status(), Status::Failed);
            let (reply, mut buried) = Reply::channel();
            let keys = vec![key];
            let mut batch = vec![Submission::Purge(Purge {
                keys,
                ended_by: None,
                reply,
            })];
            let terminate = Submission::Control(Box::new(Control {
                key,
                wish: Wish::Terminate(Reach::Alone),
                reason: "over".to_owned(),
                reply: Reply::channel().0,
            }));
            batch.extend(is_ended.then_some(terminate));
            let place = if first { 0 } else { batch.len() };
            batch.insert(place, rewind_of(key));
            life.committer.submit(batch);
            let effects = life.committer.commit(life.hub.clock.now()).unwrap();
            let (run, armed) = runs(&effects, key);
            let expected = if is_ended { (0, 0) } else { (1, 1) };
            assert_eq!((run, armed), expected, "{first}");
            assert_eq!(effects.close.contains(&key), is_ended);
            life.hub.release(effects);
            assert_eq!(buried.try_recv().unwrap().count, 0, "it ran by then");
            let expected = if is_ended {
                Status::Terminated
            } else {
                Status::Running
            };
            assert_eq!(status(), expected);
        }
    }
}

/// Who was found to have ended long ago may have been rewound since, and have ended anew.
#[tokio::test]
async fn who_has_ended_later_than_was_meant_is_not_purged() {
    let disk = Disk::default();
    let mut life = Life::begin_with(&disk, MANNERS[0], torn());
    life.hub.submit(start_of("breaks", "breaks")).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    let key = find(&life, "breaks");
    let reader = life.hub.reviver.reader.clone();
    let end = || {
        let summary = reader.summary(key).unwrap().unwrap();
        summary.completed_at.map(Timestamp::from_system_time)
    };
    let meant = end();
    while Some(life.hub.clock.now()) <= meant {
        tokio::task::yield_now().await;
    }
    life.hub.submit(rewind_of(key)).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    assert!(end() > meant);
    for (ended_by, count) in [(meant, 0), (end(), 1)] {
        let (reply, mut buried) = Reply::channel();
        let purge = Purge {
            keys: vec![key],
            ended_by,
            reply,
        };
        life.committer.submit([Submission::Purge(purge)]);
        let effects = life.committer.commit(life.hub.clock.now()).unwrap();
        life.hub.release(effects);
        assert_eq!(buried.try_recv().unwrap().count, count);
    }
}

/// `waits` fails with its child, which waits for an event that nobody raises, and is ended.
fn bereaved() -> Registry {
    Registry::new()
        .named_orchestrator("child", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("waits", |_| async {
            let child = named::orchestrator("child", &Value::Null).id("child");
            Ok::<_, Error>(child.await?)
        })
}

/// A child that did not fail by itself is not rewound: its parent is told again how it ended, and has to hear it.
#[tokio::test]
async fn who_is_to_be_told_again_how_a_child_ended_hears_it_before_that_is_purged() {
    let disk = Disk::default();
    let mut life = Life::begin_with(&disk, MANNERS[0], bereaved());
    life.hub.submit(start_of("waits", "waits")).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    let (parent, child) = (find(&life, "waits"), find(&life, "child"));
    let terminate = Submission::Control(Box::new(Control {
        key: child,
        wish: Wish::Terminate(Reach::Alone),
        reason: "over".to_owned(),
        reply: Reply::channel().0,
    }));
    life.hub.submit(terminate).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    let purge = || {
        let (reply, buried) = Reply::channel();
        let purge = Purge {
            keys: vec![child],
            ended_by: None,
            reply,
        };
        (Submission::Purge(purge), buried)
    };
    let (too_early, mut buried) = purge();
    life.committer.submit([rewind_of(parent), too_early]);
    let effects = life.committer.commit(life.hub.clock.now()).unwrap();
    life.hub.release(effects);
    let left = buried.try_recv().unwrap().left;
    let [(key, Left::Awaited(by))] = &left[..] else {
        panic!("{left:?}");
    };
    assert_eq!((*key, *by), (child, parent));
    life.run(usize::MAX, MANNERS[0]);
    let (in_time, mut buried) = purge();
    life.hub.submit(in_time).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    assert_eq!(buried.try_recv().unwrap().count, 1);
}

/// `flow` asks for an activity that ends when it is told to, then fails the first time that its child has ended.
fn hasty() -> Registry {
    let times = Arc::new(AtomicU32::new(0));
    Registry::new()
        .named_activity("obedient", |_: Value| async {
            crate::activity::cancellation().cancelled().await;
            Err::<Value, _>(Error::msg("told to stop"))
        })
        .named_orchestrator("child", |_| async { Ok::<_, Error>(Value::Null) })
        .named_orchestrator("flow", move |_| {
            let times = Arc::clone(&times);
            async move {
                let mut obedient = named::activity("obedient", &Value::Null);
                let child = named::orchestrator("child", &Value::Null).id("child");
                crate::select! {
                    done = &mut obedient => drop(done?),
                    done = child => drop(done?),
                }
                if side_effect(|| times.fetch_add(1, Ordering::Relaxed)).await == 0 {
                    return Err(Error::msg("not yet"));
                }
                Ok::<Value, Error>(obedient.await?)
            }
        })
}

/// Nobody waited for it when it was told to stop. What it says then may come between the commit of the rewind and what follows
/// from that.
#[tokio::test]
async fn what_was_told_to_stop_is_no_answer_to_who_waits_for_it_again() {
    let disk = Disk::default();
    let mut life = Life::begin_with(&disk, MANNERS[0], hasty());
    life.hub.submit(start_of("flow", "flow")).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    let key = find(&life, "flow");
    let reader = life.hub.reviver.reader.clone();
    let status = || reader.summary(key).unwrap().unwrap().status;
    assert_eq!(status(), Status::Failed);
    life.committer.submit([rewind_of(key)]);
    let effects = life.committer.commit(life.hub.clock.now()).unwrap();
    while life.hub.desk.running() > 0 {
        tokio::task::yield_now().await;
    }
    life.hub.release(effects);
    life.run(usize::MAX, MANNERS[0]);
    assert_eq!(status(), Status::Running);
    assert_eq!(life.hub.desk.running(), 1);
}
