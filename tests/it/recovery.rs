//! Killed and started again: at every point at which the world is quiet, and by eviction.

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Fault, HistoryEvent, Registry};

use crate::support::engine;

static GO: Event<u32> = Event::new("go");

#[activity]
async fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[orchestrator]
async fn inner(n: u32) -> u32 {
    sleep(hours(1)).await;
    add(n, 1).await
}

/// Uses every primitive once.
#[orchestrator]
async fn everything(n: u32) -> Vec<u32> {
    let first = add(n, 1).await;
    let (a, b) = join!(add(first, 1), inner(first));
    sleep(minutes(20)).await;
    set_status(&"waiting");
    let go = GO.wait().await;
    let effect = side_effect(move || go + 1).await;
    let won = select! {
        n = inner(100) => n,
        () = sleep(minutes(1)) => 7,
    };
    let all = join_all((0..5).map(|i| add(i, go))).await;
    [vec![first, a, b, go, effect, won], all].concat()
}

const EXPECTED: [u32; 11] = [2, 3, 3, 10, 11, 7, 10, 11, 12, 13, 14];

/// Moves time on by hand, with `upset` between any two steps.
async fn run(mut engine: TestEngine, mut upset: impl AsyncFnMut(TestEngine) -> TestEngine) {
    let handle = engine.start(everything(1)).id("all").await.unwrap();
    let mut lengths = vec![];
    for step in 0..20 {
        engine.settle().await;
        engine = upset(engine).await;
        engine.settle().await;
        let handle = engine.handle(everything, "all").await.unwrap().unwrap();
        let summary = handle.summary().await.unwrap();
        lengths.push(summary.events);
        if summary.completed_at.is_some() {
            assert_eq!(handle.result().await.unwrap(), EXPECTED);
            check_replay(&Registry::linked(), &handle.history().await.unwrap()).unwrap();
            lengths.dedup();
            assert!(
                lengths.len() >= 4,
                "it was quiet at these lengths only: {lengths:?}"
            );
            return;
        }
        if step == 7 {
            handle.raise(&GO, 10).await.unwrap();
        }
        engine.advance(minutes(15)).await;
    }
    panic!("it never ended: {lengths:?}, {handle:?}");
}

#[tokio::test]
async fn undisturbed_it_returns_what_it_should() {
    run(engine(), async |engine| engine).await;
}

#[tokio::test]
async fn evicted_at_every_step_it_returns_the_same() {
    run(engine(), async |engine| {
        engine.evict().await;
        engine
    })
    .await;
}

#[tokio::test]
async fn killed_at_every_step_it_returns_the_same() {
    run(engine(), async |engine| engine.restart().await.unwrap()).await;
}

static GATE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

/// Waits for the gate, and returns which delivery did.
#[activity(name = "recovery.patient")]
async fn patient() -> u32 {
    GATE.acquire().await.unwrap().forget();
    activity::delivery()
}

#[orchestrator(name = "recovery.waits_for_patient")]
async fn waits_for_patient() -> Result<u32, Fault> {
    patient().catch().await
}

#[orchestrator(name = "recovery.quick")]
async fn quick(n: u32) -> u32 {
    add(n, 1).await
}

/// The process dies with it again and again, but never of it.
#[tokio::test]
async fn what_only_waits_is_never_given_up_however_often_the_process_dies() {
    const DEATHS: u32 = 25;
    let mut engine = engine();
    engine.start(waits_for_patient()).id("waits").await.unwrap();
    for death in 0..DEATHS {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
        // Others wait for no more than its trial.
        let other = engine.start(quick(death)).id(format!("other-{death}"));
        let other = other.await.unwrap();
        assert_eq!(other.result().await.unwrap(), death + 1);
    }
    GATE.add_permits(1);
    let handle = engine.handle(waits_for_patient, "waits").await;
    let delivery = handle.unwrap().unwrap().result().await.unwrap();
    assert_eq!(delivery, Ok(DEATHS + 1));
}

#[tokio::test]
async fn a_child_that_ends_while_its_parent_is_gone_is_delivered() {
    // The parent's turn never ran before the kill: the child's outcome is found at open.
    let mut engine = engine();
    engine.start(everything(1)).id("all").await.unwrap();
    engine.settle().await;
    for _ in 0..3 {
        engine.advance(hours(1)).await;
        engine = engine.restart().await.unwrap();
        engine.settle().await;
    }
    let handle = engine.handle(everything, "all").await.unwrap().unwrap();
    handle.raise(&GO, 10).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), EXPECTED);
}

#[tokio::test]
async fn starting_the_same_id_attaches_and_another_input_is_a_conflict() {
    let engine = engine();
    let first = engine.start(inner(1)).id("same").await.unwrap();
    let second = engine.start(inner(1)).id("same").await.unwrap();
    assert_eq!(first.result().await.unwrap(), 2);
    assert_eq!(second.result().await.unwrap(), 2);
    let engine = engine.restart().await.unwrap();
    let third = engine.start(inner(1)).id("same").await.unwrap();
    assert_eq!(third.result().await.unwrap(), 2);
    let error = engine.start(inner(2)).id("same").await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.to_string().contains("another input"), "{error}");
    let error = engine.start(everything(1)).id("same").await.unwrap_err();
    assert!(
        error.to_string().contains("another orchestrator"),
        "{error}"
    );
}

#[tokio::test]
async fn a_hundred_racing_starters_of_one_id_start_one_instance() {
    let engine = engine();
    let starts = (0..100).map(|_| {
        let start = engine.start(inner(1)).id("single");
        tokio::spawn(async move { start.await.unwrap() })
    });
    for start in starts.collect::<Vec<_>>() {
        assert_eq!(start.await.unwrap().result().await.unwrap(), 2);
    }
    let handle = engine.instance("single").await.unwrap().unwrap();
    let history = handle.history().await.unwrap();
    let starts = history
        .iter()
        .filter(|e| matches!(e, HistoryEvent::ExecutionStarted(_)));
    assert_eq!(starts.count(), 1);
}
