//! An engine whose disk is full for a while: it goes on by itself, and nothing that was acknowledged is lost.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, flows, open, until};
use crate::client::{Instance, RaiseError, StartError};
use crate::engine::Engine;
use crate::engine::hub::Stopped;
use crate::error::Error;
use crate::orchestration::named;
use crate::orchestration::sleep;
use crate::registry::Registry;
use crate::store::tests::faulty::{Fault, Faulty};
use crate::store::tests::support::impatient;
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
            Ok(_) => engine.instance(&id).await.unwrap().unwrap(),
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
    let mut reopened = 0;
    for after in 0..24 {
        let survived = fill_up(after * 3);
        let survived = tokio::time::timeout(PATIENCE, survived).await;
        reopened += usize::from(survived.unwrap_or_else(|_| panic!("after {after} it hangs")));
    }
    // The others were a sync, after which an engine stops for good.
    assert!(reopened >= 10, "{reopened} engines went on");
    assert!(reopened < 24, "a sync that did not succeed stops an engine");
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

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_whose_disk_stays_full_can_be_stopped() {
    let disk = Faulty::new(Fault::Full);
    let medium = Medium::Renewed(disk.clone());
    let engine = open(medium, impatient(2), code()).await.unwrap();
    // A write comes before any sync.
    disk.fail_after(0);
    let told = work(&engine, "a").await;
    assert!(told.refused.unwrap().is_temporary());
    let stopped = tokio::time::timeout(PATIENCE, engine.shutdown());
    stopped.await.unwrap();
}
