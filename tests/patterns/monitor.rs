//! The monitor: looks until the sky is clear, and gives up after a while.

use std::time::Duration;

use durable_runtime::orchestration::{hours, minutes, seconds};
use durable_runtime::testing::TestEngine;
use durable_runtime::{Status, named};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Ran, Started, Turnstile, engine, find, recorded};

/// A watch over a place, every half an hour for six hours.
fn watch(place: &str) -> Value {
    watch_every(place, minutes(30), hours(6))
}

fn watch_every(place: &str, every: Duration, patience: Duration) -> Value {
    let (every, patience) = (recorded(every), recorded(patience));
    json!({"place": place, "every": every, "patience": patience, "until": null, "looks": 0})
}

async fn monitor(engine: &TestEngine, watch: &Value) -> Started {
    let request = engine
        .start(named::orchestrator("monitor", watch))
        .id("watch");
    let handle = request.await.unwrap();
    engine.settle().await;
    handle
}

#[tokio::test]
async fn it_alerts_once_when_the_sky_is_clear() {
    let ran = Ran::default();
    let engine = ran.engine("monitor");
    let handle = monitor(&engine, &watch("Oslo")).await;
    assert_eq!(handle.result().await.unwrap(), Ok(json!({"ClearAt": 4})));
    assert_eq!((ran.times("is_clear"), ran.times("send_alert")), (4, 1));
}

#[tokio::test]
async fn a_ten_thousand_wait_without_a_thread_and_are_there_when_called() {
    many_wait_and_are_there_when_called(10_000).await;
}

#[tokio::test]
#[ignore = "takes more than a minute without optimisation: cargo test --release -p durable-tests --test patterns -- --ignored"]
async fn a_a_hundred_thousand_wait_without_a_thread_and_are_there_when_called() {
    many_wait_and_are_there_when_called(100_000).await;
}

/// A waiting monitor that was evicted is a row in the store and a timer; it is replayed when something reaches it.
async fn many_wait_and_are_there_when_called(monitors: u32) {
    let engine = Ran::default().engine(&format!("monitor-a{monitors}"));
    let starts = (0..monitors).map(|n| {
        let request = engine.start(named::orchestrator("monitor", &watch("Bergen")));
        request.id(format!("watch-{n}")).into_future()
    });
    for started in starts.collect::<JoinSet<_>>().join_all().await {
        started.unwrap();
    }
    engine.settle().await;
    engine.evict().await;
    for n in [0, monitors / 2, monitors - 1] {
        let handle = find(&engine, &format!("watch-{n}")).await;
        handle
            .raise(&named::event("stop"), Value::Null)
            .await
            .unwrap();
        engine.settle().await;
        let now = handle.summary().await.unwrap();
        assert_eq!(now.status, Status::Completed, "{now:?}");
    }
}

#[tokio::test]
async fn b_never_clear_it_looks_twelve_times_in_six_hours() {
    let ran = Ran::default();
    let engine = ran.engine("monitor-b");
    let before = engine.now();
    let handle = monitor(&engine, &watch("Bergen")).await;
    assert_eq!(handle.result().await.unwrap(), Ok(json!("GaveUp")));
    assert_eq!((ran.times("is_clear"), ran.times("send_alert")), (12, 0));
    assert_eq!(engine.now().duration_since(before).unwrap(), hours(6));
}

#[tokio::test]
async fn c_the_interval_changes_while_it_waits() {
    let ran = Ran::default();
    let engine = ran.engine("monitor-c");
    let handle = monitor(&engine, &watch("Bergen")).await;
    engine.advance(minutes(10)).await;
    assert_eq!(ran.times("is_clear"), 1);
    let every = recorded(minutes(5));
    handle.raise(&named::event("every"), every).await.unwrap();
    engine.settle().await;
    assert_eq!(ran.times("is_clear"), 2, "it looks at once");
    engine.advance(minutes(5)).await;
    engine.advance(minutes(5)).await;
    assert_eq!(ran.times("is_clear"), 4);
}

#[tokio::test]
async fn d_the_history_of_the_thousandth_look_is_as_long_as_the_first() {
    let engine = Ran::default().engine("monitor-d");
    let watch = watch_every("Bergen", minutes(1), hours(24));
    let handle = monitor(&engine, &watch).await;
    let first = handle.summary().await.unwrap().events;
    for look in 2..=1_000 {
        engine.advance(minutes(1)).await;
        let now = handle.summary().await.unwrap();
        assert_eq!((now.execution.0, now.events), (look, first));
    }
    assert!(first < 12, "{first} events");
}

#[tokio::test]
async fn e_a_restart_does_not_shift_the_next_look() {
    let ran = Ran::default();
    let engine = ran.engine("monitor-e");
    monitor(&engine, &watch("Bergen")).await;
    engine.advance(minutes(20)).await;
    let engine = engine.restart().await.unwrap();
    engine.advance(seconds(599)).await;
    assert_eq!(ran.times("is_clear"), 1);
    engine.advance(seconds(1)).await;
    assert_eq!(ran.times("is_clear"), 2);
}

#[tokio::test]
async fn f_it_is_stopped_while_it_looks() {
    for looks in [1, 3] {
        // The look of this number does not end.
        let turnstile = Turnstile::new();
        turnstile.open_below(looks);
        let ran = Ran::default();
        let its_ran = ran.clone();
        let engine = engine(&format!("monitor-f{looks}"), move |info| {
            its_ran.note(&info);
            let (turnstile, look) = (turnstile.clone(), its_ran.times("is_clear"));
            async move { turnstile.pass(look).await }
        });
        let handle = monitor(&engine, &watch("Oslo")).await;
        for _ in 1..looks {
            engine.advance(minutes(30)).await;
        }
        assert_eq!(ran.times("is_clear"), looks);
        stop(&engine, &handle).await;
    }
}

#[tokio::test]
async fn f_it_is_stopped_while_it_waits() {
    let engine = Ran::default().engine("monitor-f");
    let handle = monitor(&engine, &watch("Oslo")).await;
    engine.advance(minutes(45)).await;
    stop(&engine, &handle).await;
}

#[tokio::test]
async fn f_it_is_stopped_before_its_first_turn() {
    let engine = Ran::default().engine("monitor-f");
    let request = engine.start(named::orchestrator("monitor", &watch("Oslo")));
    stop(&engine, &request.await.unwrap()).await;
}

/// Stops it, and sees to it that it ends without waiting for anything more.
async fn stop(engine: &TestEngine, handle: &Started) {
    handle
        .raise(&named::event("stop"), Value::Null)
        .await
        .unwrap();
    engine.settle().await;
    assert!(handle.summary().await.unwrap().has_ended());
    assert_eq!(handle.result().await.unwrap(), Ok(json!("Stopped")));
}
