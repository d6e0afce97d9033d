//! Durable time.

use std::time::Duration;

use durable_runtime::HistoryEvent;
use durable_runtime::prelude::*;

use crate::support::engine;

#[orchestrator]
async fn naps(times: u32) -> Vec<u64> {
    let start = now();
    let mut elapsed = Vec::new();
    for _ in 0..times {
        sleep(days(30)).await;
        elapsed.push(now().duration_since(start).unwrap_or_default().as_secs());
    }
    elapsed
}

#[orchestrator]
async fn past() -> bool {
    let before = now();
    sleep_until(before - days(1)).await;
    sleep(Duration::ZERO).await;
    now() == before
}

#[orchestrator]
async fn race_of_timers() -> String {
    select! {
        () = sleep(hours(2)) => "slow".to_owned(),
        () = sleep(hours(1)) => "fast".to_owned(),
    }
}

#[tokio::test]
async fn thirty_days_take_no_time_and_are_exact() {
    let engine = engine();
    let handle = engine.start(naps(3)).await.unwrap();
    let month = 30 * 24 * 3600;
    assert_eq!(
        handle.result().await.unwrap(),
        [month, 2 * month, 3 * month]
    );
}

#[tokio::test]
async fn time_does_not_move_while_nobody_waits_for_a_result() {
    let engine = engine();
    let before = engine.now();
    let handle = engine.start(naps(1)).await.unwrap();
    engine.settle().await;
    assert_eq!(engine.now(), before);
    engine.advance(days(29)).await;
    assert_eq!(handle.summary().await.unwrap().completed_at, None);
    engine.advance(days(1)).await;
    assert!(handle.summary().await.unwrap().completed_at.is_some());
}

#[tokio::test]
async fn a_moment_in_the_past_is_due_at_once() {
    let engine = engine();
    let handle = engine.start(past()).await.unwrap();
    assert!(handle.result().await.unwrap());
}

#[tokio::test]
async fn the_loser_of_a_race_leaves_no_timer_behind() {
    let engine = engine();
    let before = engine.now();
    let handle = engine.start(race_of_timers()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "fast");
    assert_eq!(engine.now().duration_since(before).unwrap(), hours(1));
    let history = handle.history().await.unwrap();
    assert!(matches!(
        history.last(),
        Some(HistoryEvent::ExecutionCompleted(_))
    ));
    let fired = history
        .iter()
        .filter(|event| matches!(event, HistoryEvent::TimerFired(_)));
    assert_eq!(fired.count(), 1);
}
