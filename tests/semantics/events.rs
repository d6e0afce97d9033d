//! EVT: external events.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, StallReason, Status, named};
use serde_json::json;

use crate::support::{count, engine, instance, replayed, settled};

static NOTE: Event<u32> = Event::new("evt-note");
static WORD: Event<String> = Event::new("evt-word");

fn is_raised(event: &HistoryEvent) -> bool {
    matches!(event, HistoryEvent::EventRaised(_))
}

/// The notes that come, `first` of which are awaited only after an hour.
#[orchestrator(name = "evt.takes")]
async fn takes(notes: u32) -> Vec<u32> {
    sleep(hours(1)).await;
    let mut taken = Vec::new();
    for _ in 0..notes {
        taken.push(NOTE.wait().await);
    }
    taken
}

#[orchestrator(name = "evt.sends")]
async fn sends(to: String, notes: u32) {
    for note in 0..notes {
        NOTE.send(&to, note).await;
    }
}

#[tokio::test]
async fn evt_1_a_client_or_an_orchestration_raises_and_a_wait_receives() {
    let engine = engine();
    let handle = engine.start(takes(2)).id("evt-1").await.unwrap();
    handle.raise(&NOTE, 10).await.unwrap();
    let sender = engine.start(sends("evt-1".to_owned(), 1)).await.unwrap();
    sender.result().await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [10, 0]);
}

#[tokio::test]
async fn evt_2_names_are_compared_without_regard_to_case() {
    let engine = engine();
    let handle = engine.start(takes(2)).await.unwrap();
    for (name, note) in [("EVT-NOTE", 1), ("Evt-Note", 2)] {
        handle
            .raise(&named::event(name), json!(note))
            .await
            .unwrap();
    }
    assert_eq!(handle.result().await.unwrap(), [1, 2]);
}

#[orchestrator(name = "evt.two_names")]
async fn two_names() -> (String, u32, u32) {
    sleep(hours(1)).await;
    (WORD.wait().await, NOTE.wait().await, NOTE.wait().await)
}

#[tokio::test]
async fn evt_3_what_nobody_awaits_yet_is_buffered_by_name_in_order() {
    let engine = engine();
    let handle = engine.start(two_names()).await.unwrap();
    handle.raise(&NOTE, 1).await.unwrap();
    handle.raise(&NOTE, 2).await.unwrap();
    handle.raise(&WORD, "w".to_owned()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), ("w".to_owned(), 1, 2));
}

#[tokio::test]
async fn evt_3_what_nobody_takes_is_bounded_and_the_raiser_is_told() {
    let engine = TestEngine::builder()
        .event_limit(2, 1 << 20)
        .start()
        .unwrap();
    let handle = engine.start(takes(3)).await.unwrap();
    handle.raise(&NOTE, 1).await.unwrap();
    handle.raise(&NOTE, 2).await.unwrap();
    let error = handle.raise(&NOTE, 3).await.unwrap_err();
    assert!(error.is_busy(), "{error}");
    engine.advance(hours(1)).await;
    handle.raise(&NOTE, 3).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [1, 2, 3]);
}

/// Three waiters, of which the oldest gives up after an hour.
#[orchestrator(name = "evt.waiters")]
async fn waiters() -> (Option<u32>, u32, u32) {
    let (first, second, third) = join!(NOTE.wait().timeout(hours(1)), NOTE.wait(), NOTE.wait());
    (first.ok(), second, third)
}

#[tokio::test]
async fn evt_4_the_oldest_waiter_is_first_and_one_that_gave_up_takes_nothing() {
    let engine = engine();
    for (waits, expected) in [(0, (Some(1), 2, 3)), (2, (None, 1, 2))] {
        let handle = engine.start(waiters()).await.unwrap();
        engine.advance(hours(waits)).await;
        for note in 1..=3 {
            // The last one comes too late where two are enough.
            drop(handle.raise(&NOTE, note).await);
        }
        assert_eq!(handle.result().await.unwrap(), expected);
        replayed(&handle).await;
    }
}

#[tokio::test]
async fn evt_5_nobody_takes_an_event_for_the_unknown_or_the_ended() {
    let engine = engine();
    let error = engine.raise("nobody", &NOTE, 1).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no instance `nobody`");
    // On disk, and not begun.
    engine.start(takes(1)).id("evt-5").await.unwrap();
    engine.raise("evt-5", &NOTE, 5).await.unwrap();
    let early = engine.handle(takes, "evt-5").await.unwrap().unwrap();
    assert_eq!(early.result().await.unwrap(), [5]);
    let sender = engine.start(sends("nobody".to_owned(), 1)).await.unwrap();
    sender.result().await.unwrap();
    let handle = engine.start(takes(0)).await.unwrap();
    handle.result().await.unwrap();
    let error = handle.raise(&NOTE, 1).await.unwrap_err();
    assert!(error.is_ended(), "{error}");
    assert_eq!(count(&replayed(&handle).await, is_raised), 0);
}

#[tokio::test]
async fn evt_6_the_events_of_one_sender_keep_their_order() {
    let engine = engine();
    let handle = engine.start(takes(50)).id("evt-6").await.unwrap();
    let sender = engine.start(sends("evt-6".to_owned(), 50)).await.unwrap();
    sender.result().await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn evt_7_what_was_acknowledged_is_delivered_exactly_once() {
    let mut engine = engine();
    engine.start(takes(3)).id("evt-7").await.unwrap();
    for note in 0..3 {
        let receiver = instance(&engine, "evt-7").await;
        receiver.raise(&NOTE, note).await.unwrap();
        // Killed right after the answer.
        engine = engine.restart().await.unwrap();
    }
    let handle = engine.handle(takes, "evt-7").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), [0, 1, 2]);
    assert_eq!(count(&replayed(&handle).await, is_raised), 3);
}

#[tokio::test]
async fn evt_7_an_event_with_an_id_may_be_raised_again() {
    let mut engine = engine();
    engine.start(takes(2)).id("evt-7").await.unwrap();
    for _ in 0..3 {
        engine.raise("evt-7", &NOTE, 1).id("one").await.unwrap();
        engine = engine.restart().await.unwrap();
    }
    engine.raise("evt-7", &NOTE, 2).id("two").await.unwrap();
    let handle = engine.handle(takes, "evt-7").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), [1, 2]);
    // It has ended, and still knows what it was told.
    engine.raise("evt-7", &NOTE, 2).id("two").await.unwrap();
    assert_eq!(count(&replayed(&handle).await, is_raised), 2);
}

#[tokio::test]
async fn evt_8_the_waiter_says_the_type_and_another_value_stalls_it() {
    let engine = engine();
    let handle = engine.start(takes(1)).id("evt-8").await.unwrap();
    let wrong = json!("not a number");
    handle
        .raise(&named::event("evt-note"), wrong)
        .await
        .unwrap();
    assert_eq!(settled(&engine, "evt-8").await.status, Status::Running);
    engine.advance(hours(1)).await;
    let stalled = settled(&engine, "evt-8").await.stalled.unwrap();
    assert_eq!(stalled.reason, StallReason::Undecodable);
    assert!(stalled.report.contains("evt-note"), "{}", stalled.report);
}

#[tokio::test]
async fn evt_9_events_wait_for_one_that_is_held_and_come_in_order() {
    let engine = engine();
    let handle = engine.start(takes(3)).await.unwrap();
    engine.advance(hours(2)).await;
    handle.suspend("held").await.unwrap();
    for note in [3, 1, 2] {
        handle.raise(&NOTE, note).await.unwrap();
    }
    engine.settle().await;
    assert_eq!(count(&replayed(&handle).await, is_raised), 3);
    assert_eq!(handle.status().await.unwrap(), Status::Suspended);
    handle.resume("go on").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [3, 1, 2]);
}

#[tokio::test]
async fn evt_10_what_is_left_over_at_the_end_is_dropped() {
    let engine = engine();
    let handle = engine.start(takes(1)).id("evt-10").await.unwrap();
    handle.raise(&NOTE, 1).await.unwrap();
    handle.raise(&NOTE, 2).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [1]);
    let ended = settled(&engine, "evt-10").await;
    assert_eq!(ended.status, Status::Completed);
    let engine = engine.restart().await.unwrap();
    assert_eq!(settled(&engine, "evt-10").await, ended);
}
