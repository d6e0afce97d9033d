//! What is counted.

use durable_runtime::prelude::*;

use crate::{engine, mail, recorder};

#[activity(name = "meters.flaky", retry(max_attempts = 3, initial = "1m"))]
async fn flaky() -> Result<u32, String> {
    match activity::attempt() {
        1 => panic!("the first attempt panics"),
        2 => Err("the second fails".to_owned()),
        _ => Ok(1),
    }
}

static GO: Event<()> = Event::new("go");

#[orchestrator(name = "meters.counted")]
async fn counted(rounds: u32) -> Result<u32, String> {
    if rounds > 0 {
        return continue_as_new(counted(rounds - 1)).await;
    }
    GO.wait().await;
    flaky().await
}

#[orchestrator(name = "meters.fails")]
async fn fails() -> Result<u32, String> {
    Err("on purpose".to_owned())
}

/// What happened to a series since `before`.
fn grown(series: &str, before: f64) -> f64 {
    recorder::last(series) - before
}

#[tokio::test]
async fn functions_are_counted_by_name() {
    let engine = engine();
    let [commits, events, timers] = [
        "durable_commits_total",
        "durable_events_raised_total",
        "durable_timers_fired_total",
    ];
    let before = [commits, events, timers].map(recorder::last);
    let handle = engine.start(counted(2)).await.unwrap();
    engine.settle().await;
    engine.evict().await;
    handle.raise(&GO, ()).await.unwrap();
    handle.result().await.unwrap().unwrap();
    engine
        .start(fails())
        .await
        .unwrap()
        .result()
        .await
        .unwrap()
        .unwrap_err();
    engine.settle().await;

    let of = |metric: &str| recorder::last(&format!("durable_{metric}")).to_string();
    assert_eq!(of("starts_total{orchestrator=meters.counted}"), "1");
    assert_eq!(
        of("completions_total{orchestrator=meters.counted,status=continued}"),
        "2"
    );
    assert_eq!(
        of("completions_total{orchestrator=meters.counted,status=completed}"),
        "1"
    );
    assert_eq!(
        of("completions_total{orchestrator=meters.fails,status=failed}"),
        "1"
    );
    assert_eq!(
        of("activity_attempts_total{activity=meters.flaky,outcome=fault}"),
        "1"
    );
    assert_eq!(
        of("activity_attempts_total{activity=meters.flaky,outcome=failed}"),
        "1"
    );
    assert_eq!(
        of("activity_attempts_total{activity=meters.flaky,outcome=completed}"),
        "1"
    );
    // Three first turns, the event, two delays, three outcomes.
    assert_eq!(of("turns_total{orchestrator=meters.counted}"), "9");
    assert_eq!(of("replays_total{orchestrator=meters.counted}"), "1");
    assert!(grown(commits, before[0]) >= 10.0);
    assert!(grown(events, before[1]) >= 1.0 && grown(timers, before[2]) >= 2.0);

    let samples = |metric: &str| recorder::values(&format!("durable_{metric}")).len();
    assert_eq!(
        samples("turn_duration_seconds{orchestrator=meters.counted}"),
        9
    );
    assert_eq!(
        samples("activity_duration_seconds{activity=meters.flaky}"),
        3
    );
    assert_eq!(samples("activity_wait_seconds{activity=meters.flaky}"), 3);
    assert!(samples("commit_duration_seconds") > 0 && samples("commit_batch_size") > 0);
}

#[tokio::test]
async fn no_series_is_named_after_an_instance() {
    let engine = engine();
    let handle = engine.start(mail()).id("meters-instance").await.unwrap();
    handle.wait().await.unwrap();
    let names = recorder::names();
    assert!(names.iter().all(|name| !name.contains("meters-instance")));
    assert!(names.iter().any(|name| name.contains("seen.mail")));
    let described = recorder::described("durable_live_instances");
    assert_eq!(described.as_deref(), Some("instances in memory"));
}

#[orchestrator(name = "meters.gone")]
async fn gone() {
    GO.wait().await;
}

#[tokio::test]
async fn a_stall_is_counted_with_its_reason() {
    let engine = engine();
    engine.start(gone()).id("gone").await.unwrap();
    engine.settle().await;
    let series = "durable_stalls_total{orchestrator=(unregistered),reason=unregistered}";
    let before = recorder::last(series);
    let other = durable_runtime::Registry::new().orchestrator(fails);
    let engine = engine.restart_with(other).await.unwrap();
    let gone = engine.instance("gone").await.unwrap().unwrap();
    gone.raise(&GO, ()).await.unwrap();
    engine.settle().await;
    assert!(grown(series, before) >= 1.0);
}
