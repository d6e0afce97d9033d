//! Asking why an instance waits changes nothing, holds up nobody, and runs no code that the engine would not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, parts, start, until};
use crate::client::Instance;
use crate::engine::Engine;
use crate::engine::hub::Shape;
use crate::error::Error;
use crate::event::StallReason;
use crate::explain::{Awaited, Explanation, NextTurn, Standing};
use crate::id::InstanceKey;
use crate::limits;
use crate::orchestration::named;
use crate::registry::Registry;
use crate::store::tests::support::Disk;
use crate::store::{Medium, Status, StoreOptions};

/// How long a turn may take, and so a replay that is to say what is awaited.
const SHORT: Duration = Duration::from_millis(100);

/// `flow` waits for its event, and has no end while the flag is set.
fn flows(spins: &Arc<AtomicBool>) -> Registry {
    let spins = Arc::clone(spins);
    Registry::new().named_orchestrator("flow", move |_| {
        let spins = Arc::clone(&spins);
        async move {
            while spins.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            Ok::<_, Error>(named::event("go").wait().await)
        }
    })
}

async fn open(spins: &Arc<AtomicBool>, turn_limit: Duration) -> (Engine, Instance) {
    let medium = Medium::Backend(Box::new(Disk::default()));
    let mut parts = parts(medium, StoreOptions::default(), flows(spins));
    // A twin would spin as well.
    parts.setup.replay_check = false;
    parts.shape = Shape {
        turn_limit,
        ..Shape::default()
    };
    let engine = start(parts, limits::LIVE_BYTES_MAX).await.unwrap();
    let flow = engine.start(named::orchestrator("flow", &Value::Null));
    flow.id("one").await.unwrap();
    let one = engine.instance("one").await.unwrap().unwrap();
    (engine, one)
}

async fn why(instance: &Instance) -> Explanation {
    let told = tokio::time::timeout(PATIENCE, instance.explain());
    told.await.unwrap().unwrap()
}

fn awaits_the_event(told: &Explanation) -> bool {
    let event = |wait: &crate::explain::Wait| matches!(&wait.awaited, Awaited::Event(event) if event.name == "go");
    told.waits.iter().any(event)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_end_is_left_alone_and_its_instance_goes_on() {
    let spins = Arc::new(AtomicBool::new(false));
    let (engine, one) = open(&spins, SHORT).await;
    until(async || awaits_the_event(&why(&one).await)).await;
    spins.store(true, Ordering::Relaxed);
    let told = why(&one).await;
    assert!(told.waits.is_empty());
    assert!(told.hints[0].contains("did not end in time"), "{told}");
    // The instance itself is in memory, and knows nothing of that.
    one.raise(&named::event("go"), json!(7)).await.unwrap();
    assert_eq!(one.wait().await.unwrap().status, Status::Completed);
    spins.store(false, Ordering::Relaxed);
    engine.shutdown().await;
}

/// Each question took a thread that never came back, and a processor.
#[tokio::test(flavor = "multi_thread")]
async fn few_replays_without_end_run_at_a_time_however_often_it_is_asked() {
    let spins = Arc::new(AtomicBool::new(false));
    let (engine, one) = open(&spins, Duration::from_millis(20)).await;
    until(async || awaits_the_event(&why(&one).await)).await;
    // Its code is known; beyond that, only replays hold it.
    let known = Arc::strong_count(&spins);
    spins.store(true, Ordering::Relaxed);
    for asked in 0..3 * limits::EXPLAIN_STRAYS_MAX {
        let told = why(&one).await;
        let is_refused = told.hints[0].contains("still run");
        assert_eq!(is_refused, asked >= limits::EXPLAIN_STRAYS_MAX, "{told}");
    }
    let held = Arc::strong_count(&spins) - known;
    assert!(held <= limits::EXPLAIN_STRAYS_MAX, "{held}");
    spins.store(false, Ordering::Relaxed);
    until(async || awaits_the_event(&why(&one).await)).await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_turn_that_runs_is_told_so() {
    let spins = Arc::new(AtomicBool::new(true));
    let (engine, one) = open(&spins, PATIENCE).await;
    until(async || why(&one).await.turn == NextTurn::Running).await;
    assert_eq!(
        why(&one).await.standing,
        Standing::NotBegun { start_at: None }
    );
    spins.store(false, Ordering::Relaxed);
    until(async || awaits_the_event(&why(&one).await)).await;
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_process_may_have_died_of_is_not_replayed() {
    let spins = Arc::new(AtomicBool::new(false));
    let (engine, one) = open(&spins, SHORT).await;
    until(async || awaits_the_event(&why(&one).await)).await;
    // From now on a replay would have no end.
    spins.store(true, Ordering::Relaxed);
    let hub = &engine.hub;
    hub.close_gate();
    let told = why(&one).await;
    assert!(told.hints[0].contains("runs nothing else"), "{told}");
    assert_eq!(told.turn, NextTurn::HeldBack);
    hub.open_gate();
    let refused = StallReason::Poisoned;
    let guard = &hub.reviver.guard;
    guard.refuse(
        InstanceKey(one_key(&engine)),
        refused,
        "it ends the process".to_owned(),
    );
    let told = why(&one).await;
    assert!(told.hints[0].contains("none is replayed"), "{told}");
    spins.store(false, Ordering::Relaxed);
    engine.shutdown().await;
}

fn one_key(engine: &Engine) -> u64 {
    let id = crate::id::InstanceId::parse("one").unwrap();
    let key = engine.hub.reviver.reader.find(&id);
    key.unwrap().unwrap().0
}
