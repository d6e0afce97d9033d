//! FAN: many at a time.

use durable_runtime::prelude::*;
use durable_runtime::{FaultKind, HistoryEvent};

use crate::support::{activities, engine, replayed};

#[activity(name = "fan.odd")]
async fn odd(n: u32) -> Result<u32, String> {
    if n % 2 == 1 {
        Ok(n)
    } else {
        Err(format!("{n} is even"))
    }
}

#[orchestrator(name = "fan.after")]
async fn after(n: u32) -> u32 {
    sleep(minutes(u64::from(n))).await;
    n
}

#[orchestrator(name = "fan.wide")]
async fn wide(width: u32) -> Vec<Result<u32, String>> {
    join_all((0..width).map(odd)).await
}

#[tokio::test]
async fn fan_1_what_one_turn_asks_for_is_one_commit() {
    let engine = engine();
    let handle = engine.start(wide(100)).await.unwrap();
    assert_eq!(handle.result().await.unwrap().len(), 100);
    let history = replayed(&handle).await;
    let first_turn = history.iter().skip(2);
    let scheduled =
        first_turn.take_while(|event| matches!(event, HistoryEvent::ActivityScheduled(_)));
    assert_eq!(scheduled.count(), 100);
}

#[orchestrator(name = "fan.all")]
async fn all() -> (Vec<Result<u32, String>>, Vec<u32>, usize, bool) {
    let begin = now();
    let (results, children) = join!(join_all([1, 2, 3].map(odd)), join_all([3, 1, 2].map(after)),);
    let none = join_all(Vec::<u32>::new().into_iter().map(odd)).await;
    let waited = now().duration_since(begin).ok() == Some(minutes(3));
    (results, children, none.len(), waited)
}

#[tokio::test]
async fn fan_2_all_are_waited_for_and_come_in_written_order() {
    let engine = engine();
    let handle = engine.start(all()).await.unwrap();
    let (results, children, none, waited) = handle.result().await.unwrap();
    assert_eq!(results, [Ok(1), Err("2 is even".to_owned()), Ok(3)]);
    assert_eq!(children, [3, 1, 2]);
    assert!(none == 0 && waited);
    replayed(&handle).await;
}

#[orchestrator(name = "fan.any")]
async fn any() -> (u32, u32, Vec<u32>) {
    let (winner, index, losers) = select_all([3, 1, 2].map(after)).await;
    let others = join_all(losers).await;
    (winner, u32::try_from(index).unwrap_or(u32::MAX), others)
}

#[tokio::test]
async fn fan_3_the_first_in_the_history_wins_and_the_others_go_on() {
    let engine = engine();
    let handle = engine.start(any()).await.unwrap();
    engine.settle().await;
    engine.evict().await;
    let (winner, index, mut others) = handle.result().await.unwrap();
    others.sort_unstable();
    assert_eq!((winner, index, others), (1, 1, vec![2, 3]));
    replayed(&handle).await;
}

#[orchestrator(name = "fan.too_wide")]
async fn too_wide(width: u32) -> usize {
    join_all((0..width).map(|_| sleep(hours(1)))).await.len()
}

#[tokio::test]
async fn fan_4_thousands_at_a_time_are_fine_and_the_limit_is_a_fault() {
    let engine = engine();
    let handle = engine.start(wide(5_000)).await.unwrap();
    assert_eq!(handle.result().await.unwrap().len(), 5_000);
    assert_eq!(activities(&handle.history().await.unwrap()).len(), 5_000);
    let handle = engine.start(too_wide(100_001)).await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert_eq!(
        error.fault().map(Fault::kind),
        Some(FaultKind::LimitExceeded)
    );
}
