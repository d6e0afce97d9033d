//! MGT: what can be asked of an instance from outside, as far as it is there.

use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, Status};

use crate::support::{engine, replayed};

static GO: Event<u32> = Event::new("mgt-go");

#[activity(name = "mgt.step")]
async fn step(n: u32) -> u32 {
    n
}

#[orchestrator(name = "mgt.leaf")]
async fn leaf() -> u32 {
    1
}

#[orchestrator(name = "mgt.each_once")]
async fn each_once() -> u32 {
    let n = step(1).await;
    sleep(hours(1)).await;
    n + leaf().await
}

/// The name of an event, as this program spells it.
fn kind(event: &HistoryEvent) -> &'static str {
    match event {
        HistoryEvent::ExecutionStarted(_) => "ExecutionStarted",
        HistoryEvent::TurnStarted(_) => "TurnStarted",
        HistoryEvent::ActivityScheduled(_) => "ActivityScheduled",
        HistoryEvent::ActivityCompleted(_) => "ActivityCompleted",
        HistoryEvent::TimerCreated(_) => "TimerCreated",
        HistoryEvent::TimerFired(_) => "TimerFired",
        HistoryEvent::ChildScheduled(_) => "ChildScheduled",
        HistoryEvent::ChildCompleted(_) => "ChildCompleted",
        HistoryEvent::ExecutionCompleted(_) => "ExecutionCompleted",
        _ => "another",
    }
}

#[tokio::test]
async fn mgt_7_the_whole_history_is_read_in_order_at_any_time() {
    let expected = [
        "ExecutionStarted",
        "TurnStarted",
        "ActivityScheduled",
        "ActivityCompleted",
        "TurnStarted",
        "TimerCreated",
        "TimerFired",
        "TurnStarted",
        "ChildScheduled",
        "ChildCompleted",
        "TurnStarted",
        "ExecutionCompleted",
    ];
    let engine = engine();
    assert!(engine.instance("unknown").await.unwrap().is_none());
    let handle = engine.start(each_once()).id("mgt-7").await.unwrap();
    engine.settle().await;
    let running = replayed(&handle).await;
    assert!(running.iter().map(kind).eq(expected[..6].iter().copied()));
    assert_eq!(handle.result().await.unwrap(), 2);
    let ended = replayed(&handle).await;
    assert!(ended.iter().map(kind).eq(expected), "{ended:?}");
}

#[orchestrator(name = "mgt.waits")]
async fn waits() -> u32 {
    GO.wait().await
}

#[tokio::test]
async fn mgt_8_a_client_waits_for_a_change_or_the_end_as_long_as_it_likes() {
    let engine = engine();
    let handle = engine.start(waits()).await.unwrap();
    let mut seen = handle.summary().await.unwrap();
    while seen.status == Status::Pending {
        seen = handle.changed(&seen).await.unwrap();
    }
    assert_eq!(seen.status, Status::Running);
    let short = Duration::from_millis(50);
    assert!(tokio::time::timeout(short, handle.wait()).await.is_err());
    handle.raise(&GO, 3).await.unwrap();
    assert_eq!(handle.wait().await.unwrap().status, Status::Completed);
    assert_eq!(handle.result().await.unwrap(), 3);
}
