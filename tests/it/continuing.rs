//! Continue-as-new, custom status, side effects, derived values.

use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;

use crate::support::engine;

static TICK: Event<u32> = Event::new("tick");

#[orchestrator]
async fn counting(generation: u32, sum: u32) -> u32 {
    let tick = TICK.wait().await;
    set_status(&format!("generation {generation}"));
    if generation == 100 {
        return sum + tick;
    }
    continue_as_new(counting(generation + 1, sum + tick)).await
}

static RAN: AtomicU32 = AtomicU32::new(0);

#[orchestrator]
async fn effects() -> (u32, u64, String, bool) {
    let ran = side_effect(|| RAN.fetch_add(1, Ordering::SeqCst) + 1).await;
    sleep(hours(1)).await;
    (
        ran,
        random(),
        uuid().to_string(),
        info().instance.as_str() == "effects",
    )
}

#[tokio::test]
async fn events_are_carried_over_generations_and_history_stays_short() {
    let engine = engine();
    let handle = engine.start(counting(0, 0)).id("counter").await.unwrap();
    for tick in 0..=100 {
        handle.raise(&TICK, tick).await.unwrap();
    }
    assert_eq!(handle.result().await.unwrap(), 5050);
    assert_eq!(
        handle.custom_status::<String>().await.unwrap().unwrap(),
        "generation 100"
    );
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.execution.0, 101);
    assert!(summary.events < 10, "{} events", summary.events);
}

#[tokio::test]
async fn a_side_effect_runs_once_and_derived_values_survive_eviction() {
    let engine = engine();
    let handle = engine.start(effects()).id("effects").await.unwrap();
    engine.settle().await;
    engine.evict().await;
    let (ran, random, uuid, is_named) = handle.result().await.unwrap();
    assert_eq!(ran, 1);
    assert!(is_named);
    // The same instance at the same times derives the same values in another store.
    let engine = crate::support::engine();
    let again = engine.start(effects()).id("effects").await.unwrap();
    let (_, random_again, uuid_again, _) = again.result().await.unwrap();
    assert_eq!((random, uuid), (random_again, uuid_again));
}

static NEXT: Event<u32> = Event::new("continuing.next");

#[orchestrator(name = "continuing.rounds")]
async fn rounds(order: serde_json::Value, round: u32) -> u32 {
    if NEXT.wait().await == 0 {
        return round;
    }
    continue_as_new(rounds(order, round + 1)).await
}

#[orchestrator(name = "continuing.another")]
async fn another(order: serde_json::Value, round: u32) -> u32 {
    rounds(order, round).await
}

fn order(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// A start can be repeated however far the instance has come, and whatever the current execution was given.
#[tokio::test]
async fn a_repeated_start_attaches_in_every_execution() {
    let mut engine = engine();
    let book = || order(r#"{"sku": "book", "count": 2}"#);
    let first = engine
        .start(rounds(book(), 0))
        .id("repeated")
        .await
        .unwrap();
    for next in [1, 1, 0] {
        let again = engine
            .start(rounds(book(), 0))
            .id("repeated")
            .await
            .unwrap();
        again.raise(&NEXT, next).await.unwrap();
        engine.settle().await;
        engine = engine.restart().await.unwrap();
    }
    let moved = order(r#"{"count": 2, "sku": "book"}"#);
    let last = engine.start(rounds(moved, 0)).id("repeated").await.unwrap();
    assert_eq!(last.id(), first.id());
    assert_eq!(last.result().await.unwrap(), 2);
    assert_eq!(last.summary().await.unwrap().execution.0, 3);
}

#[tokio::test]
async fn another_start_is_a_conflict_in_every_execution_and_says_what_differs() {
    let engine = engine();
    let handle = engine
        .start(rounds(order("1"), 0))
        .id("taken")
        .await
        .unwrap();
    for _ in 0..2 {
        handle.raise(&NEXT, 1).await.unwrap();
        engine.settle().await;
        // What the execution that runs now was given is not what the instance was started with.
        let current = handle.summary().await.unwrap().execution.0 - 1;
        let error = engine
            .start(rounds(order("1"), current))
            .id("taken")
            .await
            .unwrap_err();
        assert!(error.is_conflict(), "{error}");
        assert!(error.to_string().contains("another input"), "{error}");
        let error = engine
            .start(another(order("1"), 0))
            .id("taken")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("another orchestrator"),
            "{error}"
        );
    }
}

/// One name in two versions, of which the first goes on as the second.
mod upgrading {
    pub(super) mod one {
        use durable_runtime::prelude::*;

        #[orchestrator(name = "continuing.upgraded", version = "1")]
        pub(crate) async fn upgraded(n: u32) -> u32 {
            continue_as_new(super::two::upgraded(n)).await
        }
    }

    pub(super) mod two {
        use durable_runtime::prelude::*;

        #[orchestrator(name = "continuing.upgraded", version = "2")]
        pub(crate) async fn upgraded(n: u32) -> u32 {
            n
        }
    }
}

#[tokio::test]
async fn an_instance_that_went_on_in_another_version_is_known_by_its_first() {
    let engine = engine();
    let start = || engine.start(upgrading::one::upgraded(7)).id("upgraded");
    assert_eq!(start().await.unwrap().result().await.unwrap(), 7);
    let again = start().await.unwrap();
    assert_eq!(
        again.summary().await.unwrap().version.as_deref(),
        Some("2"),
        "the version of the current execution is what clients see"
    );
    let second = engine.start(upgrading::two::upgraded(7)).id("upgraded");
    let error = second.await.unwrap_err();
    assert!(error.to_string().contains("another version"), "{error}");
}

static SPINS: AtomicU32 = AtomicU32::new(0);

/// Continues as new without ever waiting, until the others are done.
#[orchestrator(name = "continuing.spins")]
async fn spins(done: u32) -> u32 {
    let round = side_effect(|| SPINS.fetch_add(1, Ordering::SeqCst)).await;
    if done == 1 || round > 20_000 {
        return round;
    }
    let done = side_effect(|| DONE.load(Ordering::SeqCst)).await;
    continue_as_new(spins(done)).await
}

static DONE: AtomicU32 = AtomicU32::new(0);

#[activity(name = "continuing.spins_so_far")]
async fn spins_so_far() -> u32 {
    SPINS.load(Ordering::SeqCst)
}

#[orchestrator(name = "continuing.steps")]
async fn steps() -> Vec<u32> {
    let mut seen = Vec::new();
    for _ in 0..40 {
        seen.push(spins_so_far().await);
    }
    seen
}

/// A tight loop has one turn, then the others have theirs.
#[tokio::test]
async fn a_loop_that_never_waits_leaves_every_other_instance_its_turns() {
    let engine = engine();
    let spinning = engine.start(spins(0)).await.unwrap();
    let stepping: Vec<_> = {
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(engine.start(steps()).await.unwrap());
        }
        all
    };
    for handle in stepping {
        let seen = handle.result().await.unwrap();
        // Between two steps of it, the loop goes round a few times at most.
        let most = seen.windows(2).map(|two| two[1] - two[0]).max().unwrap();
        assert!(most <= 8, "{seen:?}");
    }
    DONE.store(1, Ordering::SeqCst);
    assert!(spinning.result().await.unwrap() < 20_000);
}

#[orchestrator(name = "continuing.generations")]
async fn generations(left: u32) -> u32 {
    if left == 0 {
        return TICK.wait().await;
    }
    continue_as_new(generations(left - 1)).await
}

/// What is kept of an eternal instance does not grow with its generations, nor does what waits in memory; an event that is
/// there from the beginning reaches the last.
async fn run_generations(count: u32) {
    let engine = engine();
    let start = engine.start(generations(count)).id("continuing-many");
    let handle = start.await.unwrap();
    handle.raise(&TICK, 7).await.unwrap();
    let (mut most_bytes, mut most_rows) = (0, 0);
    while !handle.summary().await.unwrap().has_ended() {
        let counters = engine.counters();
        most_bytes = most_bytes.max(counters.unfolded_bytes);
        most_rows = most_rows.max(counters.log_rows);
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.result().await.unwrap(), 7);
    // The log waits for some 4,000 commits before it is folded; the rest is one execution.
    let bytes = engine.counters().allocated_bytes;
    assert!(bytes < 2 << 20, "{bytes} bytes");
    assert!(
        most_rows <= 4_200 && most_bytes < 2 << 20,
        "{most_rows} rows, {most_bytes} bytes"
    );
    assert!(handle.history().await.unwrap().len() <= 6);
}

#[tokio::test]
async fn five_thousand_generations_take_the_space_of_a_few() {
    run_generations(5_000).await;
}

#[tokio::test]
#[ignore = "three minutes in debug: cargo test --release -p durable-tests --test it -- --ignored a_hundred_thousand_generations"]
async fn a_hundred_thousand_generations_take_the_space_of_a_few() {
    run_generations(100_000).await;
}
