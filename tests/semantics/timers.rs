//! TIM: timers.

use std::path::PathBuf;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, Registry};

use crate::support::{count, engine, replayed, settled};

fn is_created(event: &HistoryEvent) -> bool {
    matches!(event, HistoryEvent::TimerCreated(_))
}

fn is_fired(event: &HistoryEvent) -> bool {
    matches!(event, HistoryEvent::TimerFired(_))
}

#[orchestrator(name = "tim.naps")]
async fn naps(length: Duration) -> Duration {
    let begin = now();
    sleep_until(begin + length).await;
    now().duration_since(begin).unwrap_or_default()
}

#[tokio::test]
async fn tim_1_a_timer_survives_restarts_and_fires_once_and_never_early() {
    let mut engine = engine();
    engine.start(naps(days(3))).id("tim-1").await.unwrap();
    for _ in 0..2 {
        engine.advance(days(1)).await;
        engine = engine.restart().await.unwrap();
    }
    engine.advance(hours(23)).await;
    engine.advance(seconds(3_599)).await;
    assert!(!settled(&engine, "tim-1").await.has_ended());
    engine.advance(seconds(1)).await;
    let handle = engine.handle(naps, "tim-1").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), days(3));
    assert_eq!(count(&replayed(&handle).await, is_fired), 1);
}

#[orchestrator(name = "tim.past")]
async fn past() -> bool {
    let begin = now();
    sleep_until(begin - days(1)).await;
    now() == begin
}

#[tokio::test]
async fn tim_2_a_moment_in_the_past_is_due_at_once() {
    let engine = engine();
    let begin = engine.now();
    let handle = engine.start(past()).await.unwrap();
    assert!(handle.result().await.unwrap());
    assert_eq!(engine.now(), begin);
}

#[tokio::test]
async fn tim_3_a_long_timer_is_one_timer() {
    let engine = engine();
    let handle = engine.start(naps(days(4000))).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), days(4000));
    assert_eq!(count(&replayed(&handle).await, is_created), 1);
}

#[orchestrator(name = "tim.drops")]
async fn drops() -> bool {
    select! {
        () = sleep(days(300)) => false,
        () = sleep(hours(1)) => true,
    }
}

#[tokio::test]
async fn tim_4_dropping_a_timer_cancels_it() {
    let engine = engine();
    let begin = engine.now();
    let handle = engine.start(drops()).await.unwrap();
    assert!(handle.result().await.unwrap());
    assert_eq!(
        engine.now(),
        begin + hours(1),
        "nothing waits for the loser"
    );
    engine.advance(days(400)).await;
    assert_eq!(count(&replayed(&handle).await, is_fired), 1);
}

static ANSWER: Event<u32> = Event::new("tim-answer");

#[orchestrator(name = "tim.limited")]
async fn limited() -> (Option<u32>, u32) {
    let in_time = ANSWER.wait().timeout(hours(1)).await.ok();
    let or_default = select! {
        answer = ANSWER.wait() => answer,
        () = sleep(hours(1)) => 7,
    };
    (in_time, or_default)
}

#[tokio::test]
async fn tim_5_a_wait_for_an_event_may_have_a_deadline() {
    let engine = engine();
    let late = engine.start(limited()).await.unwrap();
    assert_eq!(late.result().await.unwrap(), (None, 7));
    let in_time = engine.start(limited()).await.unwrap();
    in_time.raise(&ANSWER, 1).await.unwrap();
    in_time.raise(&ANSWER, 2).await.unwrap();
    assert_eq!(in_time.result().await.unwrap(), (Some(1), 2));
}

/// On a real clock, with the threads of a real engine.
#[tokio::test(flavor = "multi_thread")]
async fn tim_6_a_timer_is_waited_for_and_not_polled_for() {
    const NAP: Duration = Duration::from_millis(200);
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("semantics-tim-6");
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    let builder = Engine::builder(directory.join("test.redb"));
    let registry = Registry::new().orchestrator(naps);
    let engine = builder.registry(registry).open().await.unwrap();
    let handle = engine.start(naps(NAP)).await.unwrap();
    let slept = handle.result().await.unwrap();
    // A loaded machine may be late, but not by the interval of a poll.
    assert!(slept >= NAP && slept < seconds(15), "{slept:?}");
    engine.shutdown().await;
    std::fs::remove_dir_all(&directory).unwrap();
}
