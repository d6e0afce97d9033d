//! An engine whose disk is full for a while: it goes on by itself, and nothing that was acknowledged is lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{PATIENCE, flows, open, until, window};
use crate::client::{Instance, LookupError, RaiseError, StartError};
use crate::engine::boot;
use crate::engine::hub::Stopped;
use crate::engine::message::{Reply, Submission, Until, Watch};
use crate::engine::{Engine, integrity};
use crate::error::Error;
use crate::id::InstanceKey;
use crate::limits;
use crate::orchestration::named;
use crate::orchestration::sleep;
use crate::registry::Registry;
use crate::store::tests::faulty::{Fault, Faulty};
use crate::store::tests::support::{impatient, memory};
use crate::store::{Medium, Status};

/// What there is to run: `flow`, which waits after its first step, and `nap`.
fn code() -> Registry {
    flows().named_orchestrator("nap", |_| async {
        sleep(Duration::from_millis(300)).await;
        Ok::<_, Error>(Value::Null)
    })
}

/// What somebody was told while the disk filled.
#[derive(Default)]
struct Told {
    started: Vec<String>,
    raised: Vec<String>,
    refused: Option<Stopped>,
}

/// Starts instances and raises their events until that is refused.
async fn work(engine: &Engine, name: &str) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        let id = format!("{name}-{number}");
        let instance = match engine
            .start(named::orchestrator("flow", &Value::Null))
            .id(&id)
            .await
        {
            Ok(instance) => instance,
            Err(StartError::Unknown(why) | StartError::Stopped(why)) => {
                told.refused = Some(why);
                return told;
            }
            Err(error) => panic!("{error:?}"),
        };
        told.started.push(id.clone());
        match instance.raise(&named::event("go"), json!(number)).await {
            Ok(()) => told.raised.push(id),
            Err(RaiseError::Unknown(why) | RaiseError::Stopped(why)) => {
                told.refused = Some(why);
                return told;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    told
}

/// Raises the event of an instance again and again until that is recorded.
async fn raise(instance: &Instance) {
    until(
        async || match instance.raise(&named::event("go"), json!(7)).await {
            Ok(()) | Err(RaiseError::Ended { .. }) => true,
            Err(RaiseError::Unknown(why) | RaiseError::Stopped(why)) => {
                assert!(why.is_temporary(), "{why}");
                false
            }
            Err(error) => panic!("{error:?}"),
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for_and_nothing_that_was_acknowledged_is_lost() {
    let (mut reopened, mut stopped) = (0, 0);
    // When a sync is due depends on how busy the machine is.
    for after in 0..200 {
        let survived = fill_up(after % 24 * 3 + after / 24);
        let survived = tokio::time::timeout(PATIENCE, survived).await;
        if survived.unwrap_or_else(|_| panic!("after {after} it hangs")) {
            reopened += 1;
        } else {
            stopped += 1;
        }
        if reopened >= 10 && stopped > 0 && after >= 23 {
            return;
        }
    }
    panic!("{reopened} engines went on, {stopped} stopped after a sync that did not succeed");
}

/// One engine on a disk that is full after so many operations; whether it went on by itself.
async fn fill_up(after: u64) -> bool {
    let disk = Faulty::new(Fault::Full);
    let medium = Medium::Renewed(disk.clone());
    let engine = open(medium, impatient(2), code()).await.unwrap();
    engine
        .start(named::orchestrator("flow", &Value::Null))
        .id("waiting")
        .await
        .unwrap();
    engine
        .start(named::orchestrator("nap", &Value::Null))
        .id("nap")
        .await
        .unwrap();
    let [waiting, nap] =
        ["waiting", "nap"].map(async |id| engine.instance(id).await.unwrap().unwrap());
    let (waiting, nap) = (waiting.await, nap.await);
    let waiters = [&waiting, &nap].map(|instance| {
        let instance = instance.clone();
        tokio::spawn(async move { instance.wait().await })
    });
    disk.fail_after(after);
    let told = tokio::join!(work(&engine, "a"), work(&engine, "b"), work(&engine, "c"));
    let told = [told.0, told.1, told.2];
    let why = told[0].refused.clone().unwrap();
    assert!(
        why.reason().contains("could not be read or written"),
        "{why}"
    );
    if disk.began_with_sync() == Some(true) {
        assert!(!why.is_temporary(), "after a lost sync: {why}");
    }
    if !why.is_temporary() {
        engine.shutdown().await;
        return false;
    }
    let text = why.to_string();
    assert!(
        text.starts_with("the engine takes nothing for now: its disk is full, and"),
        "{text}"
    );
    disk.mend();

    // It is the same engine, and these are the same handles.
    raise(&waiting).await;
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap().status, Status::Completed);
    }
    for told in &told {
        for id in &told.started {
            let instance = engine.instance(id).await.unwrap().unwrap();
            if !told.raised.contains(id) {
                raise(&instance).await;
            }
            assert_eq!(instance.wait().await.unwrap().status, Status::Completed);
        }
    }
    let again = engine
        .start(named::orchestrator("flow", &Value::Null))
        .id("again")
        .await;
    assert_eq!(again.unwrap().id().as_str(), "again");
    engine.shutdown().await;
    true
}

/// The fault was refused with everything else; its body, which nothing can stop, keeps its place, and so was never run again.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_given_up_while_the_disk_was_full_is_given_up_all_the_same() {
    let body = Arc::new(Notify::new());
    let held = Arc::clone(&body);
    let registry = code()
        .named_activity("hang", move |value| {
            let held = Arc::clone(&held);
            async move {
                held.notified().await;
                Ok::<_, Error>(value)
            }
        })
        .blocking("hang")
        .named_orchestrator("limited", |_| async {
            let hang = named::activity("hang", &json!(1));
            Ok::<_, Error>(hang.attempt_timeout(Duration::from_millis(300)).await?)
        });
    let disk = Faulty::new(Fault::Full);
    let engine = open(Medium::Renewed(disk.clone()), impatient(2), registry);
    let engine = engine.await.unwrap();
    let limited = named::orchestrator("limited", &Value::Null);
    let limited = engine.start(limited).await.unwrap();
    until(async || engine.hub.desk.running() == 1).await;
    disk.fail_after(0);
    let told = work(&engine, "a").await;
    assert!(told.refused.unwrap().is_temporary());
    // The window in which the attempt runs into its limit is time itself.
    window(Duration::from_millis(500)).await;
    disk.mend();
    let ended = tokio::time::timeout(Duration::from_secs(12), limited.result()).await;
    let error = format!("{:?}", ended.unwrap().unwrap().unwrap_err());
    assert!(error.contains("ran longer than its time-out"), "{error}");
    body.notify_one();
    engine.shutdown().await;
}

/// The check ended in silence when it met the closed file, which then was never checked.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_meets_a_full_disk_goes_on_when_there_is_room() {
    let disk = Faulty::new(Fault::Full);
    let engine = open(Medium::Renewed(disk.clone()), impatient(2), code());
    let engine = engine.await.unwrap();
    let reader = engine.hub.reviver.reader.clone();
    let integrity = reader.integrity();
    disk.fail_after(0);
    work(&engine, "a").await;
    // Opened again in vain, it stays closed.
    until(async || reader.ids().is_err()).await;
    let hub = Arc::clone(&engine.hub);
    let check = tokio::task::spawn_blocking(move || integrity::check(&hub, integrity));
    // The window in which it must not end is time itself.
    window(Duration::from_millis(100)).await;
    disk.mend();
    let check = tokio::time::timeout(PATIENCE, check).await;
    assert!(check.unwrap().unwrap(), "it was not checked to its end");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_whose_disk_stays_full_can_be_stopped() {
    let disk = Faulty::new(Fault::Full);
    let medium = Medium::Renewed(disk.clone());
    let engine = open(medium, impatient(2), code()).await.unwrap();
    // A write comes before any sync.
    disk.fail_after(0);
    let told = work(&engine, "a").await;
    assert!(told.refused.unwrap().is_temporary());
    // What was opened again in vain is closed until there is room, and says so.
    let waiting = named::orchestrator("flow", &Value::Null);
    until(async || match engine.instance("a-0").await {
        Ok(_) => false,
        Err(LookupError::Stopped(why)) => why.is_temporary(),
        Err(error) => panic!("{error:?}"),
    })
    .await;
    let error = engine.start(waiting).await.unwrap_err();
    assert!(matches!(error, StartError::Stopped(why) if why.is_temporary()));
    let stopped = tokio::time::timeout(PATIENCE, engine.shutdown());
    stopped.await.unwrap();
}

/// A client that asks, gives up after a second and asks again left all its questions behind, for as long as the disk was full.
#[tokio::test]
async fn questions_that_nobody_asks_any_more_are_not_kept_for_a_full_disk() {
    let parts = super::parts(memory(), impatient(2), code());
    let mut committer = boot::boot(parts).unwrap().committer;
    let question = || {
        let (reply, answer) = Reply::channel();
        let watch = Watch {
            key: InstanceKey(1),
            until: Until::Ended,
            reply,
        };
        (Submission::Watch(watch), answer)
    };
    let (asked, _answer) = question();
    committer.keep_questions([asked]);
    for _ in 0..4 * limits::BATCH_RECORDS_MAX {
        committer.keep_questions([question().0]);
    }
    assert!(committer.waiting() <= limits::BATCH_RECORDS_MAX);
    assert!(committer.has_work(), "the one that is still asked");
}
