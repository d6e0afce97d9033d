//! The replay check in a threaded engine: a twin that holds its thread, and one that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, parts, start, until};
use crate::engine::Engine;
use crate::engine::hub::Shape;
use crate::error::Error;
use crate::event::{HistoryEvent, StallReason};
use crate::limits;
use crate::orchestration::{is_replaying, named};
use crate::registry::Registry;
use crate::store::tests::support::Disk;
use crate::store::{Medium, Status, StoreOptions};

/// Code that holds its thread where the flag is not set, but not the first time; what each copy of it holds is counted.
fn flows(may_end: &Arc<AtomicBool>, nap: Duration) -> Registry {
    let may_end = Arc::clone(may_end);
    Registry::new()
        .named_orchestrator("wait", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("spin", move |_| {
            let may_end = Arc::clone(&may_end);
            async move {
                let value = named::event("go").wait().await;
                while is_replaying() && !may_end.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                Ok::<_, Error>(value)
            }
        })
        .named_orchestrator("nap", move |_| async move {
            let (rest, never) = std::sync::mpsc::channel::<()>();
            never.recv_timeout(nap).unwrap_err();
            drop(rest);
            Ok::<_, Error>(named::event("go").wait().await)
        })
}

async fn open(may_end: &Arc<AtomicBool>, turn_limit: Duration) -> Engine {
    let medium = Medium::Backend(Box::new(Disk::default()));
    let registry = flows(may_end, turn_limit * 3 / 5);
    let mut parts = parts(medium, StoreOptions::default(), registry);
    parts.setup.replay_check = true;
    parts.shape = Shape {
        turn_limit,
        ..Shape::default()
    };
    start(parts, limits::LIVE_BYTES_MAX).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_without_end_stalls_its_instance_and_holds_up_no_other() {
    let may_end = Arc::new(AtomicBool::new(false));
    // No turn of a busy machine takes as long.
    let engine = open(&may_end, Duration::from_secs(2)).await;
    let before = Arc::strong_count(&may_end);
    let begin = |name| {
        engine
            .start(named::orchestrator(name, &Value::Null))
            .id(name)
    };
    let spin = begin("spin").await.unwrap();
    let other = begin("wait").await.unwrap();
    spin.raise(&named::event("go"), json!(1)).await.unwrap();
    let error = tokio::time::timeout(PATIENCE, spin.result()).await.unwrap();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("has not ended after 2000 ms"), "{error}");
    let stalled = spin.summary().await.unwrap().stalled.unwrap();
    assert_eq!(stalled.reason, StallReason::NonDeterministic);
    let history = spin.history().await.unwrap();
    assert!(
        matches!(
            history.last_chunk(),
            Some([
                HistoryEvent::EventRaised(_),
                HistoryEvent::ExecutionStalled(_)
            ])
        ),
        "what had arrived is recorded, and nothing of the turn: {history:#?}"
    );
    other.raise(&named::event("go"), json!(2)).await.unwrap();
    assert_eq!(other.result().await.unwrap().unwrap(), json!(2));
    // It ends after all: its thread is gone, and with it all that it held.
    may_end.store(true, Ordering::Relaxed);
    until(async || Arc::strong_count(&may_end) == before).await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_twin() {
    let may_end = Arc::new(AtomicBool::new(false));
    let engine = open(&may_end, limits::THREAD_END_MAX * 4).await;
    let spin = engine.start(named::orchestrator("spin", &Value::Null));
    let spin = spin.await.unwrap();
    until(async || spin.status().await.unwrap() == Status::Running).await;
    let raised = tokio::spawn({
        let spin = spin.clone();
        async move { drop(spin.raise(&named::event("go"), json!(1)).await) }
    });
    until(async || {
        engine
            .hub
            .inboxes
            .iter()
            .any(|inboxes| inboxes.running().is_some())
    })
    .await;
    let stop = engine.shutdown_within(Duration::from_millis(50));
    let stopped = tokio::time::timeout(limits::THREAD_END_MAX / 2, stop);
    stopped.await.unwrap();
    may_end.store(true, Ordering::Relaxed);
    raised.await.unwrap();
}

/// Together they took longer than a turn may, and the instance stalled as endless.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_and_its_twin_have_the_time_of_a_turn_each() {
    let may_end = Arc::new(AtomicBool::new(true));
    let engine = open(&may_end, Duration::from_secs(2)).await;
    let nap = engine.start(named::orchestrator("nap", &Value::Null));
    let nap = nap.await.unwrap();
    until(async || nap.status().await.unwrap() != Status::Pending).await;
    assert_eq!(nap.status().await.unwrap(), Status::Running);
    assert_eq!(nap.summary().await.unwrap().stalled, None);
    engine.shutdown().await;
}
