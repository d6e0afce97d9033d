//! A turn that does not end: its instance stalls, and all others go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, parts, start, until, window};
use crate::client::Instance;
use crate::engine::Engine;
use crate::engine::hub::Shape;
use crate::engine::message::{Delivered, Incoming, Reply, ShardInput};
use crate::error::Error;
use crate::event::{EventRaised, HistoryEvent, Name, StallReason};
use crate::failure::Outcome;
use crate::id::InstanceKey;
use crate::limits;
use crate::orchestration::named;
use crate::payload::Payload;
use crate::registry::Registry;
use crate::store::tests::support::Disk;
use crate::store::{Medium, Stalled, Status, StoreOptions};

/// `wait` returns what its event says; `spin` too, but not before the flag is set.
fn spinning(may_end: &Arc<AtomicBool>) -> Registry {
    let may_end = Arc::clone(may_end);
    Registry::new()
        .named_orchestrator("wait", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("spin", move |_| {
            let may_end = Arc::clone(&may_end);
            async move {
                let value = named::event("go").wait().await;
                while !may_end.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                Ok::<_, Error>(value)
            }
        })
}

/// An engine with one shard, which so holds everything.
async fn open(disk: &Disk, may_end: &Arc<AtomicBool>) -> Engine {
    let medium = Medium::Backend(Box::new(disk.clone()));
    let mut parts = parts(medium, StoreOptions::default(), spinning(may_end));
    parts.shape = Shape {
        turn_limit: Duration::from_millis(100),
        ..Shape::default()
    };
    start(parts, limits::LIVE_BYTES_MAX).await.unwrap()
}

async fn begin(engine: &Engine, name: &'static str, id: &str) -> Instance {
    engine
        .start(named::orchestrator(name, &Value::Null))
        .id(id)
        .await
        .unwrap();
    let started = engine.instance(id).await.unwrap().unwrap();
    until(async || started.status().await.unwrap() == Status::Running).await;
    started
}

fn key_of(engine: &Engine, instance: &Instance) -> InstanceKey {
    let key = engine.hub.reviver.reader.find(instance.id());
    key.unwrap().unwrap()
}

/// Raises the event of all at once, so that the shard finds them together; what each is told.
fn raise_all(
    engine: &Engine,
    instances: &[Instance],
) -> Vec<tokio::sync::oneshot::Receiver<Delivered>> {
    let mut answers = Vec::new();
    let mut inputs = Vec::new();
    for instance in instances {
        let (reply, answer) = Reply::channel();
        let event = HistoryEvent::EventRaised(EventRaised {
            at: engine.hub.clock.now(),
            name: Name::Borrowed("go"),
            payload: Payload::json(&instance.id().as_str()).unwrap(),
            event: None,
        });
        let arrival = Incoming::Arrival {
            event,
            execution: None,
            reply: Some(reply),
        };
        answers.push(answer);
        inputs.push(ShardInput::Incoming(key_of(engine, instance), arrival));
    }
    assert!(engine.hub.shards[0].push(inputs));
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_without_end_stalls_its_instance_and_holds_up_no_other() {
    let (disk, may_end) = (Disk::default(), Arc::new(AtomicBool::new(false)));
    let engine = open(&disk, &may_end).await;
    let mut all = Vec::new();
    for id in ["a", "b", "spin", "c", "d"] {
        let name = if id == "spin" { "spin" } else { "wait" };
        all.push(begin(&engine, name, id).await);
    }
    // Two have run before it, and are not on disk; two wait behind it.
    let answers = raise_all(&engine, &all);
    let late = begin(&engine, "wait", "late");
    let late = tokio::time::timeout(PATIENCE, late).await.unwrap();
    late.raise(&named::event("go"), json!("late"))
        .await
        .unwrap();
    for answer in answers {
        let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap();
        assert_eq!(answer, Ok(Delivered::Recorded));
    }
    for instance in [&all[0], &all[1], &all[3], &all[4], &late] {
        let value = result_of(instance).await;
        assert_eq!(value, json!(instance.id().as_str()));
    }
    let spin = all.swap_remove(2);
    let Stalled { reason, report, .. } = spin.summary().await.unwrap().stalled.unwrap();
    assert_eq!(reason, StallReason::Endless);
    assert!(
        report.starts_with("a turn of `spin` has run for more than 100 ms"),
        "{report}"
    );
    let history = spin.history().await.unwrap();
    let last = history.last_chunk::<2>().unwrap();
    assert!(
        matches!(
            last,
            [
                HistoryEvent::EventRaised(_),
                HistoryEvent::ExecutionStalled(_)
            ]
        ),
        "{history:#?}"
    );
    // It ends after all, too late: what it decided counts for nothing.
    may_end.store(true, Ordering::Relaxed);
    spin.raise(&named::event("go"), json!("more"))
        .await
        .unwrap();
    // The window in which nothing may happen is time itself.
    window(Duration::from_millis(300)).await;
    assert_eq!(spin.status().await.unwrap(), Status::Stalled);
    assert_eq!(spin.history().await.unwrap().len(), history.len() + 1);
    engine.shutdown().await;

    // Opened again, with code that ends, it goes on with what had arrived.
    let engine = open(&disk, &may_end).await;
    let spin = engine.instance("spin").await.unwrap().unwrap();
    assert_eq!(result_of(&spin).await, json!("spin"));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_thread_that_is_left_behind() {
    let (disk, may_end) = (Disk::default(), Arc::new(AtomicBool::new(false)));
    let engine = open(&disk, &may_end).await;
    let spin = begin(&engine, "spin", "spin").await;
    spin.raise(&named::event("go"), json!(1)).await.unwrap();
    until(async || spin.status().await.unwrap() == Status::Stalled).await;
    let stopped = tokio::time::timeout(limits::THREAD_END_MAX / 2, engine.shutdown());
    stopped.await.unwrap();
    may_end.store(true, Ordering::Relaxed);
}

/// What it returned.
async fn result_of(instance: &Instance) -> Value {
    let ended = tokio::time::timeout(PATIENCE, instance.wait()).await;
    match ended.unwrap().unwrap().outcome {
        Some(Outcome::Completed(output)) => output.decode().unwrap(),
        outcome => panic!("{outcome:?}"),
    }
}
