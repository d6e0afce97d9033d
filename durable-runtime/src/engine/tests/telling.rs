//! What an engine tells of itself is on disk by then.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{PATIENCE, flows, open};
use crate::engine::Engine;
use crate::engine::observe::lifecycle::{LifecycleEvent, LifecycleKind};
use crate::event::HistoryEvent;
use crate::orchestration::named;
use crate::store::Medium;
use crate::store::tests::faulty::{Fault, Faulty};
use crate::store::tests::support::{Disk, impatient};

/// Does to instances all that is told of, until one thing does not succeed; whose purge was asked for.
async fn work(engine: &Engine) -> BTreeSet<String> {
    let mut purging = BTreeSet::new();
    for number in 0.. {
        let id = format!("flow-{number}");
        let flow = named::orchestrator("flow", &Value::Null);
        let Ok(flow) = engine.start(flow).id(&id).await else {
            break;
        };
        let goes_on = flow.suspend("wait").await.is_ok()
            && flow.resume("go on").await.is_ok()
            && if number % 2 == 0 {
                let is_over = flow.terminate("enough").await.is_ok();
                is_over && purging.insert(id) && flow.purge().await.is_ok()
            } else {
                flow.raise(&named::event("go"), json!(1)).await.is_ok() && flow.wait().await.is_ok()
            };
        if !goes_on {
            break;
        }
    }
    purging
}

/// Whether an event of a history is what is told as this.
fn is_of(kind: LifecycleKind, event: &HistoryEvent) -> bool {
    match event {
        HistoryEvent::ExecutionStarted(_) => kind == LifecycleKind::Created,
        HistoryEvent::TurnStarted(_) => kind == LifecycleKind::Started,
        HistoryEvent::ExecutionSuspended(_) => kind == LifecycleKind::Suspended,
        HistoryEvent::ExecutionResumed(_) => kind == LifecycleKind::Resumed,
        HistoryEvent::ExecutionTerminated(_) => kind == LifecycleKind::Terminated,
        HistoryEvent::ExecutionCompleted(_) => kind == LifecycleKind::Completed,
        _ => false,
    }
}

/// What was told until the engine stopped.
async fn told_by(engine: Engine) -> (Vec<LifecycleEvent>, BTreeSet<String>) {
    let mut events = engine.events();
    let purging = tokio::time::timeout(PATIENCE, work(&engine)).await.unwrap();
    engine.shutdown().await;
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        told.push(event.unwrap());
    }
    (told, purging)
}

/// A sync that does not succeed loses a commit; nothing of it was told.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_that_is_not_on_the_disk() {
    let mut kinds = BTreeMap::new();
    for after in (0..200).step_by(5) {
        let disk = Faulty::new(Fault::LostSync);
        let engine = open(disk.medium(), impatient(2), flows()).await.unwrap();
        disk.fail_after(after);
        let (told, purging) = told_by(engine).await;
        let disk = Medium::Backend(Box::new(Disk::of(&disk.image())));
        let engine = open(disk, impatient(2), flows()).await.unwrap();
        for event in told {
            *kinds.entry(event.kind.to_string()).or_insert(0) += 1;
            let at = format!("after {after}: {event:?}");
            let Some(instance) = engine.instance(event.id.as_str()).await.unwrap() else {
                assert!(purging.contains(event.id.as_str()), "{at}");
                continue;
            };
            assert_ne!(event.kind, LifecycleKind::Purged, "{at}");
            let history = instance.history().await.unwrap();
            assert!(
                history.iter().any(|recorded| is_of(event.kind, recorded)),
                "{at}"
            );
        }
        engine.shutdown().await;
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}
