//! Holding instances from outside, and letting them go on.

use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{Applied, Registry, Status};

use crate::support::{Gate, engine_of, instance, recorded};

static GO: Event<u32> = Event::new("suspending-go");
static SLOW: Gate = Gate::new();
static TURNS: AtomicU32 = AtomicU32::new(0);

#[activity(name = "suspending.slow")]
async fn slow() -> u32 {
    SLOW.pass().await;
    40
}

#[activity(name = "suspending.plain")]
async fn plain(n: u32) -> u32 {
    n
}

/// Waits for everything an instance can wait for, then goes on.
#[orchestrator(name = "suspending.waits")]
async fn waits() -> u32 {
    let (n, (), go, child) = join!(slow(), sleep(hours(1)), GO.wait(), child());
    #[nondeterminism(allow(D050), reason = "tells the test how often it ran")]
    TURNS.fetch_add(1, Ordering::Relaxed);
    plain(n + go + child).await
}

#[orchestrator(name = "suspending.child")]
async fn child() -> u32 {
    sleep(hours(2)).await;
    1
}

#[orchestrator(name = "suspending.counts")]
async fn counts(sum: u32) -> u32 {
    let n = GO.wait().await;
    if n == 0 {
        return sum;
    }
    continue_as_new(counts(sum + n)).await
}

fn registry() -> Registry {
    Registry::new()
        .activity(slow)
        .activity(plain)
        .orchestrator(waits)
        .orchestrator(child)
        .orchestrator(counts)
}

#[tokio::test]
async fn what_reaches_one_that_is_held_is_recorded_and_waits() {
    let engine = engine_of(registry());
    let held_one = engine.start(waits()).id("w").await.unwrap();
    engine.settle().await;
    assert_eq!(held_one.suspend("for now").await.unwrap(), Applied::Now);
    let summary = held_one.summary().await.unwrap();
    assert_eq!(summary.status, Status::Suspended);
    assert_eq!(summary.suspended.unwrap().reason, "for now");

    // Its activity, its timer, its child and a client go on.
    held_one.raise(&GO, 1).await.unwrap();
    SLOW.open();
    engine.advance(hours(3)).await;
    let held = [
        "started",
        "turn",
        "activity",
        "timer",
        "child",
        "suspended",
        "event raised",
        "activity completed",
        "timer fired",
        "child completed",
    ];
    assert_eq!(recorded(&held_one).await, held);
    assert_eq!(TURNS.load(Ordering::Relaxed), 0);

    // Restarts change nothing.
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.advance(hours(1)).await;
    let waits = engine.handle(waits, "w").await.unwrap().unwrap();
    assert_eq!(recorded(&waits).await, held);
    assert_eq!(waits.status().await.unwrap(), Status::Suspended);

    assert_eq!(waits.resume("go").await.unwrap(), Applied::Now);
    assert_eq!(waits.result().await.unwrap(), 42);
    let mut expected = held.to_vec();
    expected.extend([
        "resumed",
        "turn",
        "activity",
        "activity completed",
        "turn",
        "completed",
    ]);
    assert_eq!(recorded(&waits).await, expected);
    check_replay(&registry(), &waits.history().await.unwrap()).unwrap();
}

#[tokio::test]
async fn to_hold_one_that_is_held_and_to_let_go_one_that_is_not_records_nothing() {
    let engine = engine_of(registry());
    let counts = engine.start(counts(0)).await.unwrap();
    engine.settle().await;
    assert_eq!(counts.resume("why not").await.unwrap(), Applied::Before);
    assert_eq!(counts.suspend("once").await.unwrap(), Applied::Now);
    let before = recorded(&counts).await;
    assert_eq!(counts.suspend("twice").await.unwrap(), Applied::Before);
    assert_eq!(recorded(&counts).await, before);
    assert_eq!(
        counts.summary().await.unwrap().suspended.unwrap().reason,
        "once"
    );
}

/// The events that came meanwhile reach the executions that follow as if nobody had held it.
#[tokio::test]
async fn one_that_continues_as_new_goes_on_with_all_that_came() {
    let engine = engine_of(registry());
    let counts = engine.start(counts(0)).await.unwrap();
    engine.settle().await;
    for _ in 0..3 {
        counts.suspend("").await.unwrap();
        for n in [1, 2, 3] {
            counts.raise(&GO, n).await.unwrap();
        }
        engine.evict().await;
        counts.resume("").await.unwrap();
    }
    counts.raise(&GO, 0).await.unwrap();
    assert_eq!(counts.result().await.unwrap(), 18);
}

#[tokio::test]
async fn one_that_is_held_can_be_ended_and_a_wish_to_cancel_it_waits() {
    let engine = engine_of(registry());
    for id in ["ended", "cancelled"] {
        engine.start(counts(0)).id(id).await.unwrap();
        engine.settle().await;
        instance(&engine, id).await.suspend("held").await.unwrap();
    }
    let ended = instance(&engine, "ended").await;
    ended.terminate("over").await.unwrap();
    let summary = ended.summary().await.unwrap();
    assert_eq!(
        (summary.status, summary.suspended),
        (Status::Terminated, None)
    );

    let cancelled = instance(&engine, "cancelled").await;
    cancelled.cancel("over").await.unwrap();
    engine.settle().await;
    assert_eq!(cancelled.status().await.unwrap(), Status::Suspended);
    cancelled.resume("let it end").await.unwrap();
    assert_eq!(cancelled.wait().await.unwrap().status, Status::Failed);
}

#[tokio::test]
async fn one_that_has_not_begun_can_be_held() {
    let engine = engine_of(registry());
    let counts = engine.start(counts(0)).after(days(1)).await.unwrap();
    counts.suspend("not yet").await.unwrap();
    counts.raise(&GO, 0).await.unwrap();
    engine.advance(days(2)).await;
    assert_eq!(counts.status().await.unwrap(), Status::Suspended);
    counts.resume("now").await.unwrap();
    assert_eq!(counts.result().await.unwrap(), 0);
    let expected = [
        "started",
        "suspended",
        "event raised",
        "resumed",
        "turn",
        "completed",
    ];
    assert_eq!(recorded(&counts).await, expected);
}

#[tokio::test]
async fn many_are_held_and_let_go_together() {
    let engine = engine_of(registry());
    let ids = ["m-1", "m-2", "m-3"];
    for id in ids {
        engine.start(counts(0)).id(id).await.unwrap();
    }
    for expected in [Applied::Now, Applied::Before] {
        for (_, held) in engine.many(ids).suspend("all").await {
            assert_eq!(held.unwrap(), expected);
        }
    }
    for (id, resumed) in engine.many(ids).resume("all").await {
        assert_eq!(resumed.unwrap(), Applied::Now);
        let instance = instance(&engine, &id).await;
        instance.raise(&GO, 0).await.unwrap();
        assert_eq!(instance.wait().await.unwrap().status, Status::Completed);
    }
}
