//! What a step costs: commits are counted.

use durable_runtime::HistoryEvent;
use durable_runtime::prelude::*;

use crate::support::engine;

#[activity]
async fn step(n: u32) -> u32 {
    n + 1
}

#[orchestrator]
async fn chain(length: u32) -> u32 {
    let mut n = 0;
    while n < length {
        n = step(n).await;
    }
    n
}

#[orchestrator]
async fn wide(width: u32) -> u32 {
    join_all((0..width).map(step)).await.into_iter().sum()
}

#[tokio::test]
async fn a_lone_chain_costs_one_commit_a_step_and_two() {
    for length in [0, 1, 10, 100] {
        let engine = engine();
        let before = engine.counters();
        let handle = engine.start(chain(length)).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), length);
        let after = engine.counters();
        let steps = (after.commits - after.fold_commits) - (before.commits - before.fold_commits);
        assert_eq!(steps, u64::from(length) + 2);
    }
}

#[tokio::test]
async fn a_thousand_chains_share_their_commits() {
    let engine = engine();
    let before = engine.counters();
    let mut handles = Vec::new();
    for _ in 0..1_000 {
        handles.push(engine.start(chain(10)));
    }
    let started = handles
        .into_iter()
        .map(|start| tokio::spawn(start.into_future()));
    for handle in started.collect::<Vec<_>>() {
        assert_eq!(handle.await.unwrap().unwrap().result().await.unwrap(), 10);
    }
    let after = engine.counters();
    let commits = after.commits - before.commits;
    assert!(commits <= 10_000 / 20, "{commits} commits for 10,000 steps");
}

#[tokio::test]
async fn a_fan_out_is_one_commit_and_its_results_are_in_order() {
    let engine = engine();
    let handle = engine.start(wide(10_000)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (1..=10_000).sum::<u32>());
    let history = handle.history().await.unwrap();
    let first_turn = history
        .iter()
        .skip(2)
        .take_while(|event| matches!(event, HistoryEvent::ActivityScheduled(_)));
    assert_eq!(first_turn.count(), 10_000);
}
