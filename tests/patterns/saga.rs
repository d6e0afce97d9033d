//! The saga: what was done is undone when a later step fails.

use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Status, named};
use serde_json::json;

use crate::support::{Ran, Started, count, engine, find, returned};

async fn book(engine: &TestEngine, with_car: bool) -> Started {
    let input = json!({"city": "Oslo", "with_car": with_car});
    let request = engine
        .start(named::orchestrator("book_trip", &input))
        .id("trip");
    request.await.unwrap()
}

/// The steps that were cancelled, as the history has them.
fn cancelled(history: &[HistoryEvent]) -> Vec<String> {
    let step = |event: &HistoryEvent| match event {
        HistoryEvent::ActivityScheduled(scheduled)
            if scheduled.name == "cancel" && scheduled.attempt == 1 =>
        {
            Some(scheduled.input.decode::<(String, String)>().unwrap().0)
        }
        _ => None,
    };
    history.iter().filter_map(step).collect()
}

const ALL_UNDONE: [&str; 3] = ["BookingCar", "BookingHotel", "BookingFlight"];

#[tokio::test]
async fn what_succeeds_is_not_undone() {
    let ran = Ran::default();
    let engine = ran.engine("saga");
    let booked = book(&engine, true).await.result().await.unwrap().unwrap();
    assert_eq!(booked["hotel"], "Grand Hotel Oslo");
    assert_eq!((ran.times("book_hotel"), ran.times("cancel")), (2, 0));
}

#[tokio::test]
async fn a_step_that_fails_undoes_those_before_it_last_first() {
    let engine = Ran::default().engine("saga-order");
    let handle = book(&engine, false).await;
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(returned(&error), json!({"NoCar": "Oslo"}));
    assert_eq!(handle.summary().await.unwrap().status, Status::Failed);
    assert_eq!(cancelled(&handle.history().await.unwrap()), ALL_UNDONE);
}

#[tokio::test]
async fn a_step_that_panics_is_undone_as_one_that_fails() {
    let engine = engine("saga-panic", |info| async move {
        assert!(info.name != "book_hotel", "the hotel is on fire");
    });
    let handle = book(&engine, true).await;
    let error = handle.result().await.unwrap().unwrap_err();
    let error = returned(&error);
    assert!(error.get("Fault").is_some(), "{error}");
    let history = handle.history().await.unwrap();
    assert_eq!(cancelled(&history), ALL_UNDONE[1..]);
}

#[tokio::test]
async fn a_cancellation_that_fails_is_tried_again_until_it_succeeds() {
    let ran = Ran::default();
    let its_ran = ran.clone();
    let engine = engine("saga-retry", move |info| {
        its_ran.note(&info);
        let is_down = info.name == "cancel" && info.attempt < 30;
        async move { assert!(!is_down, "the airline does not answer") }
    });
    let handle = book(&engine, false).await;
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(
        returned(&error),
        json!({"NoCar": "Oslo"}),
        "not what undoing met"
    );
    assert_eq!(ran.times("cancel"), 3 * 30);
}

#[tokio::test]
async fn killed_again_and_again_each_step_is_undone_once() {
    let ran = Ran::default();
    let its_ran = ran.clone();
    // Each activity ends at its second delivery, so the process dies in the middle of each.
    let mut engine = engine("saga-kills", move |info| {
        its_ran.note(&info);
        async move {
            if info.delivery == 1 {
                std::future::pending::<()>().await;
            }
        }
    });
    let handle = book(&engine, false).await;
    drop(handle);
    let mut kills = 0;
    let handle = loop {
        engine.settle().await;
        // A delay before another attempt passes.
        engine.advance(std::time::Duration::from_secs(1)).await;
        engine = engine.restart().await.unwrap();
        let handle = find(&engine, "trip").await;
        engine.settle().await;
        if handle.summary().await.unwrap().has_ended() {
            break handle;
        }
        kills += 1;
        assert!(kills < 20, "it gets no further: {:?}", ran.names());
    };
    let history = handle.history().await.unwrap();
    assert_eq!(cancelled(&history), ALL_UNDONE);
    let completed = count(&history, |event| {
        matches!(event, HistoryEvent::ActivityCompleted(_))
    });
    assert_eq!(completed, 2 + 3);
    assert_eq!(ran.times("cancel"), 2 * 3);
}
