//! CAN: continue-as-new.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use durable_runtime::HistoryEvent;
use durable_runtime::prelude::*;

use crate::support::{count, engine, instance, replayed};

static TICK: Event<u32> = Event::new("can-tick");
static AFTER: AtomicBool = AtomicBool::new(false);

fn note_after() {
    AFTER.store(true, Ordering::SeqCst);
}

#[activity(name = "can.never_asked_for")]
async fn never_asked_for() -> u32 {
    note_after();
    0
}

#[orchestrator(name = "can.goes_on")]
async fn goes_on(round: u32) -> u32 {
    if round == 0 {
        let unreachable: u32 = continue_as_new(goes_on(1)).await;
        #[nondeterminism(allow(D050), reason = "tells the test that it came so far")]
        note_after();
        return unreachable + never_asked_for().await;
    }
    TICK.wait().await
}

#[tokio::test]
async fn can_1_nothing_of_the_old_execution_runs_after_it() {
    let engine = engine();
    let handle = engine.start(goes_on(0)).await.unwrap();
    handle.raise(&TICK, 7).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 7);
    assert!(!AFTER.load(Ordering::SeqCst));
}

/// One event for each execution.
#[orchestrator(name = "can.sums")]
async fn sums(round: u32, ticks: Vec<u32>) -> Vec<u32> {
    let mut ticks = ticks;
    if ticks.is_empty() {
        // All of them are there, and wait, when the first is taken.
        sleep(hours(1)).await;
    }
    ticks.push(TICK.wait().await);
    if round == 0 {
        return ticks;
    }
    continue_as_new(sums(round - 1, ticks)).await
}

#[tokio::test]
async fn can_2_events_are_carried_over_in_order_and_none_is_lost() {
    let mut engine = engine();
    engine.start(sums(20, vec![])).id("can-2").await.unwrap();
    for tick in 0..=20 {
        let handle = instance(&engine, "can-2").await;
        handle.raise(&TICK, tick).await.unwrap();
    }
    engine = engine.restart().await.unwrap();
    let handle = engine.handle(sums, "can-2").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), (0..=20).collect::<Vec<_>>());
}

static RETURNED: AtomicU32 = AtomicU32::new(0);

/// Number 0 ends at once; any other when nobody wants it, and then returns all the same.
#[activity(name = "can.late")]
async fn late(n: u32) -> u32 {
    if n > 0 {
        activity::cancelled().await;
        RETURNED.fetch_add(1, Ordering::SeqCst);
    }
    n
}

#[orchestrator(name = "can.leaves_open")]
async fn leaves_open(round: u32) -> u32 {
    if round == 1 {
        sleep(hours(1)).await;
        return 10;
    }
    let mut open = FuturesUnordered::new();
    open.push(late(0));
    open.push(late(1));
    open.next().await;
    continue_as_new(leaves_open(1)).await
}

#[tokio::test]
async fn can_3_the_next_execution_begins_with_an_empty_history() {
    let engine = engine();
    let handle = engine.start(leaves_open(0)).id("can-3").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 10);
    engine.settle().await;
    let summary = handle.summary().await.unwrap();
    assert_eq!((summary.id.as_str(), summary.execution.0), ("can-3", 2));
    assert_eq!(RETURNED.load(Ordering::SeqCst), 1);
    let history = replayed(&handle).await;
    let of_the_old = |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityCompleted(_));
    assert_eq!(count(&history, of_the_old), 0);
    assert_eq!(history.len(), 6, "{history:?}");
}

#[orchestrator(name = "can.child")]
async fn child(round: u32) -> u32 {
    if round == 0 {
        set_status("the first");
    }
    sleep(hours(1)).await;
    if round == 2 {
        return TICK.wait().await;
    }
    continue_as_new(child(round + 1)).await
}

#[orchestrator(name = "can.parent")]
async fn parent() -> u32 {
    child(0).id("can-child").await
}

#[tokio::test]
async fn can_4_status_tags_and_parent_stay_and_who_waits_hears_the_end() {
    let engine = engine();
    let tagged = engine.start(child(0)).id("can-4").tag("lane", "fast");
    let tagged = tagged.await.unwrap();
    let parent = engine.start(parent()).await.unwrap();
    engine.settle().await;
    for _ in 0..3 {
        engine.advance(hours(1)).await;
    }
    let summary = tagged.summary().await.unwrap();
    assert_eq!(summary.execution.0, 3);
    assert_eq!(summary.tags.get("lane").map(String::as_str), Some("fast"));
    let status: Option<String> = tagged.custom_status().await.unwrap();
    assert_eq!(status.as_deref(), Some("the first"));
    tagged.raise(&TICK, 1).await.unwrap();
    assert_eq!(tagged.result().await.unwrap(), 1);

    let child = instance(&engine, "can-child").await;
    let link = child.summary().await.unwrap().parent.unwrap();
    assert_eq!(link.instance, *parent.id());
    child.raise(&TICK, 5).await.unwrap();
    assert_eq!(parent.result().await.unwrap(), 5);
    let heard = |event: &HistoryEvent| matches!(event, HistoryEvent::ChildCompleted(_));
    assert_eq!(count(&replayed(&parent).await, heard), 1);
}

static STOP: AtomicBool = AtomicBool::new(false);

/// Asked once in each execution, so it decides the end of one and never its replay.
fn may_stop() -> bool {
    STOP.load(Ordering::SeqCst)
}

#[orchestrator(name = "can.spins")]
async fn spins(round: u32) -> u32 {
    if side_effect(may_stop).await {
        return round;
    }
    continue_as_new(spins(round + 1)).await
}

#[tokio::test]
async fn can_5_a_tight_loop_leaves_room_for_others_and_its_history_short() {
    let engine = engine();
    let spinning = engine.start(spins(0)).await.unwrap();
    for round in 0..20 {
        let other = engine.start(goes_on(1)).await.unwrap();
        other.raise(&TICK, round).await.unwrap();
        assert_eq!(other.result().await.unwrap(), round);
    }
    STOP.store(true, Ordering::SeqCst);
    let rounds = spinning.result().await.unwrap();
    assert!(rounds > 20, "it went round {rounds} times meanwhile");
    assert_eq!(spinning.summary().await.unwrap().events, 4);
}

/// The traces of its executions, each of which begins one.
#[orchestrator(name = "can.traced")]
async fn traced(rounds: u32, anew: bool, traces: Vec<String>) -> Vec<String> {
    let mut traces = traces;
    traces.push(format!("{:032x}", info().trace_context.trace_id()));
    if rounds == 0 {
        return traces;
    }
    let next = continue_as_new(traced(rounds - 1, anew, traces));
    if anew {
        next.new_trace().await
    } else {
        next.await
    }
}

#[tokio::test]
async fn can_6_each_execution_begins_a_trace_if_it_is_wished() {
    let engine = engine();
    let traces = |anew| engine.start(traced(2, anew, vec![]));
    let mut same = traces(false).await.unwrap().result().await.unwrap();
    same.dedup();
    assert_eq!(same.len(), 1);
    let mut anew = traces(true).await.unwrap().result().await.unwrap();
    anew.sort();
    anew.dedup();
    assert_eq!(anew.len(), 3);
}
