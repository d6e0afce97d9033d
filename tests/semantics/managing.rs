//! MGT: what can be asked of an instance from outside, as far as it is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{
    Applied, Cursor, FaultKind, HistoryEvent, InstanceId, Page, Revision, Status, Summary,
};

use crate::support::{count, engine, replayed};

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
async fn mgt_6_a_list_has_filters_pages_and_a_cursor_that_new_instances_do_not_move() {
    let engine = engine();
    for number in 0..6 {
        let start = engine.start(waits()).id(format!("mgt-6-{number}"));
        let handle = start.tag("kind", "six").await.unwrap();
        if number % 2 == 0 {
            handle.raise(&GO, number).await.unwrap();
            handle.wait().await.unwrap();
        }
    }
    engine.start(waits()).id("other").await.unwrap();
    engine.settle().await;
    let ids = |page: Page<InstanceId>| -> Vec<String> {
        page.instances.iter().map(ToString::to_string).collect()
    };
    let list = || engine.instances().tag("kind", "six").ids_only();
    let running = list().status(Status::Running).await.unwrap();
    assert_eq!(ids(running), ["mgt-6-1", "mgt-6-3", "mgt-6-5"]);
    let completed = list().completed(engine.now()..).await.unwrap();
    assert_eq!(ids(completed), ["mgt-6-0", "mgt-6-2", "mgt-6-4"]);
    let by_prefix = engine.instances().id_prefix("mgt-6-").ids_only();
    assert_eq!(ids(by_prefix.await.unwrap()).len(), 6);
    let first = list().page_size(4).newest_first().await.unwrap();
    let cursor: Cursor = first.next.as_ref().unwrap().to_string().parse().unwrap();
    let later = engine.start(waits()).id("mgt-6-later").tag("kind", "six");
    later.await.unwrap();
    assert_eq!(ids(first), ["mgt-6-5", "mgt-6-4", "mgt-6-3", "mgt-6-2"]);
    let rest = list().newest_first().after(cursor).await.unwrap();
    assert!(rest.next.is_none());
    assert_eq!(ids(rest), ["mgt-6-1", "mgt-6-0"]);
}

#[tokio::test]
async fn mgt_8_a_client_waits_for_the_start_a_revision_or_a_status() {
    let engine = engine();
    let handle = engine.start(waits()).await.unwrap();
    let begun = handle.wait_started().await.unwrap();
    assert_eq!(begun.status, Status::Running);
    let next = Revision::from(u64::from(begun.revision()) + 1);
    let short = Duration::from_millis(50);
    assert!(
        tokio::time::timeout(short, handle.wait_for(next))
            .await
            .is_err()
    );
    handle.raise(&GO, 3).await.unwrap();
    assert!(handle.wait_for(next).await.unwrap().revision() >= next);
    let is_failed = |summary: &Summary| summary.status == Status::Failed;
    let ended = handle.wait_until(is_failed).await.unwrap();
    assert_eq!(ended.status, Status::Completed);
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

#[tokio::test]
async fn mgt_4_it_is_started_again_under_its_id_or_another() {
    let engine = engine();
    let first = engine
        .start(waits())
        .id("mgt-4")
        .tag("shop", "Brno")
        .await
        .unwrap();
    engine.settle().await;
    assert!(first.restart().await.is_err(), "it runs");
    let beside = first.restart().with_new_id().await.unwrap();
    for handle in [&first, &beside] {
        handle.raise(&GO, 3).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), 3);
    }
    let again = first.restart().await.unwrap();
    assert_eq!(again.id().as_str(), "mgt-4");
    assert_eq!(again.summary().await.unwrap().tags["shop"], "Brno");
    again.raise(&GO, 4).await.unwrap();
    assert_eq!(again.result().await.unwrap(), 4);
    again.purge().await.unwrap();
    assert!(again.restart().await.is_err(), "it is not there");
}

#[tokio::test]
async fn mgt_5_what_has_ended_is_purged_by_id_by_list_and_with_its_children() {
    let engine = engine();
    let family = engine.start(each_once()).id("mgt-5-family").await.unwrap();
    assert_eq!(family.result().await.unwrap(), 2);
    assert_eq!(family.purge().recursive().await.unwrap().count, 2);
    assert!(engine.instance("mgt-5-family").await.unwrap().is_none());

    let waiting = engine.start(waits()).id("mgt-5-waits").await.unwrap();
    engine.start(leaf()).id("mgt-5-leaf").await.unwrap();
    engine.settle().await;
    assert!(waiting.purge().await.is_err(), "it runs");
    let ids = ["mgt-5-waits", "mgt-5-leaf", "mgt-5-nobody"];
    let purged = engine.purge(ids).await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (1, false));

    let began = engine.now();
    for _ in 0..1_100 {
        engine.start(leaf()).await.unwrap();
    }
    engine.settle().await;
    let list = engine.instances().of(leaf).created(began..);
    assert_eq!(list.purge().await.unwrap().count, 1_100);
    assert_eq!(engine.counts().await.unwrap().total(), 1);
}

#[tokio::test]
async fn mgt_12_what_ended_long_ago_is_purged_if_it_was_asked_for() {
    for asked in [false, true] {
        let builder = TestEngine::builder();
        let engine = if asked {
            builder.retention(days(30))
        } else {
            builder
        };
        let engine = engine.start().unwrap();
        engine.start(leaf()).id("mgt-12").await.unwrap();
        engine.settle().await;
        engine.advance(days(29)).await;
        assert!(engine.instance("mgt-12").await.unwrap().is_some());
        engine.advance(days(2)).await;
        assert_eq!(engine.instance("mgt-12").await.unwrap().is_none(), asked);
    }
}

#[tokio::test]
async fn mgt_1_whatever_it_does_it_can_be_ended_with_a_reason() {
    let engine = engine();
    let handle = engine.start(waits()).await.unwrap();
    engine.settle().await;
    handle.terminate("out of stock").await.unwrap();
    let fault = handle.result().await.unwrap_err().fault().cloned().unwrap();
    assert_eq!(fault.kind(), FaultKind::Terminated);
    assert!(fault.to_string().ends_with("was terminated: out of stock"));
    let again = handle.terminate("again").await.unwrap_err();
    assert_eq!(again.ended(), Some(Status::Terminated));
    let done = engine.start(leaf()).await.unwrap();
    assert_eq!(done.result().await.unwrap(), 1);
    let late = done.terminate("late").await.unwrap_err();
    assert_eq!(late.ended(), Some(Status::Completed));
}

#[tokio::test]
async fn mgt_2_one_that_is_held_asks_for_nothing_until_it_is_let_go() {
    let engine = engine();
    let handle = engine.start(each_once()).await.unwrap();
    engine.settle().await;
    assert_eq!(handle.resume("go on").await.unwrap(), Applied::Before);
    assert_eq!(handle.suspend("held").await.unwrap(), Applied::Now);
    assert_eq!(handle.suspend("again").await.unwrap(), Applied::Before);
    engine.advance(hours(2)).await;
    let history = replayed(&handle).await;
    let last = history.last().map(kind);
    assert_eq!(last, Some("TimerFired"), "its timer fired, and waits");
    assert_eq!(handle.resume("go on").await.unwrap(), Applied::Now);
    assert_eq!(handle.result().await.unwrap(), 2);
    let other = engine.start(waits()).await.unwrap();
    other.suspend("held").await.unwrap();
    other.terminate("over").await.unwrap();
    assert_eq!(other.status().await.unwrap(), Status::Terminated);
}

#[tokio::test]
async fn mgt_9_many_are_ended_together_and_each_is_told_for_itself() {
    let engine = engine();
    for id in ["mgt-9-a", "mgt-9-b"] {
        engine.start(waits()).id(id).await.unwrap();
    }
    let ids = ["mgt-9-a", "mgt-9-none", "mgt-9-b"];
    let ended = engine.many(ids).terminate("all of them").await;
    let ended: Vec<_> = ended
        .iter()
        .map(|(id, ended)| (&**id, ended.is_ok()))
        .collect();
    let expected = [("mgt-9-a", true), ("mgt-9-none", false), ("mgt-9-b", true)];
    assert_eq!(ended, expected);
}

static BANK_IS_OPEN: AtomicBool = AtomicBool::new(false);

#[activity(name = "mgt.pay")]
async fn pay() -> Result<u32, String> {
    let is_open = BANK_IS_OPEN.load(Ordering::Relaxed);
    is_open.then_some(5).ok_or("the bank is closed".to_owned())
}

#[orchestrator(name = "mgt.buys")]
async fn buys() -> Result<u32, String> {
    let n = step(1).await;
    sleep(hours(1)).await;
    Ok(n + pay().await?)
}

#[tokio::test]
async fn mgt_3_what_failed_runs_again_and_what_succeeded_does_not() {
    let engine = engine();
    let handle = engine.start(buys()).await.unwrap();
    assert!(
        handle
            .rewind("too early")
            .await
            .unwrap_err()
            .is_not_failed()
    );
    assert!(handle.result().await.unwrap().is_err());
    let failed = handle.summary().await.unwrap();
    BANK_IS_OPEN.store(true, Ordering::Relaxed);
    handle.rewind("the bank is open").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(6));
    let ended = handle.summary().await.unwrap();
    assert_eq!(ended.execution, failed.execution);
    let history = replayed(&handle).await;
    let scheduled = |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityScheduled(_));
    assert_eq!(count(&history, scheduled), 2);
    assert!(handle.rewind("again").await.unwrap_err().is_not_failed());
}
