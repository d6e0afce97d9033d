//! External events: typed, buffered when early, consumed once.

use durable_runtime::Stalled;
use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::{StallReason, Status};
use serde_json::json;

use crate::support::engine;

static APPROVAL: Event<bool> = Event::new("approval");
static NOTE: Event<String> = Event::new("note");

#[orchestrator]
async fn approval() -> String {
    let text = select! {
        approved = APPROVAL.wait() => if approved { "approved" } else { "refused" },
        () = sleep(days(3)) => "too late",
    };
    text.to_owned()
}

#[orchestrator]
async fn three_notes() -> Vec<String> {
    sleep(hours(1)).await;
    let mut notes = Vec::new();
    for _ in 0..3 {
        notes.push(NOTE.wait().await);
    }
    notes
}

#[orchestrator]
async fn abandoned_wait() -> String {
    // The wait that loses must not swallow the event.
    select! {
        note = NOTE.wait() => return note,
        () = sleep(hours(1)) => {}
    }
    format!("second: {}", NOTE.wait().await)
}

#[tokio::test]
async fn an_event_decides_and_without_one_the_deadline_does() {
    let engine = engine();
    let approved = engine.start(approval()).await.unwrap();
    approved.raise(&APPROVAL, true).await.unwrap();
    assert_eq!(approved.result().await.unwrap(), "approved");
    let late = engine.start(approval()).await.unwrap();
    assert_eq!(late.result().await.unwrap(), "too late");
}

#[tokio::test]
async fn early_events_are_buffered_in_order_and_names_ignore_case() {
    let engine = engine();
    let handle = engine.start(three_notes()).await.unwrap();
    handle.raise(&NOTE, "a".to_owned()).await.unwrap();
    handle
        .raise(&named::event("NOTE"), json!("b"))
        .await
        .unwrap();
    handle
        .raise(&named::event("Note"), json!("c"))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_dropped_wait_does_not_eat_the_event() {
    let engine = engine();
    let handle = engine.start(abandoned_wait()).await.unwrap();
    engine.settle().await;
    engine.advance(hours(1)).await;
    handle.raise(&NOTE, "n".to_owned()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "second: n");
}

#[tokio::test]
async fn an_ended_instance_takes_no_events() {
    let engine = engine();
    let handle = engine.start(approval()).await.unwrap();
    handle.raise(&APPROVAL, false).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "refused");
    let error = handle.raise(&APPROVAL, true).await.unwrap_err();
    assert!(error.is_ended(), "{error}");
    // A `main` that returns it says what is wrong, too.
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[tokio::test]
async fn a_payload_of_another_type_stalls_with_a_report_and_waits_to_be_mended() {
    let engine = engine();
    let handle = engine.start(approval()).id("typed").await.unwrap();
    handle
        .raise(&named::event("approval"), json!({"not": "a bool"}))
        .await
        .unwrap();
    engine.settle().await;
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.status, Status::Stalled);
    let Stalled { reason, report, .. } = summary.stalled.unwrap();
    assert_eq!(reason, StallReason::Undecodable);
    assert!(report.contains("approval"), "{report}");
}
