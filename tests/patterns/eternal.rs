//! Eternal orchestrations, and singletons: one instance for an id, however many start it.

use std::collections::BTreeSet;

use durable_runtime::named;
use durable_runtime::orchestration::{minutes, seconds};
use durable_runtime::testing::TestEngine;
use serde_json::{Value, json};

use crate::support::{Ran, Started, Turnstile, engine, find, recorded};

fn first_round() -> Value {
    json!({"number": 1, "pause": recorded(minutes(10))})
}

async fn clean_up(engine: &TestEngine) -> Started {
    let request = engine.start(named::orchestrator("clean_up", &first_round()));
    let handle = request.id("cleaner").await.unwrap();
    engine.settle().await;
    handle
}

#[tokio::test]
async fn a_the_thousandth_round_has_the_history_of_the_first() {
    let ran = Ran::default();
    let engine = ran.engine("eternal-a");
    let handle = clean_up(&engine).await;
    let first = handle.summary().await.unwrap().events;
    for _ in 1..1_000 {
        engine.advance(minutes(10)).await;
    }
    let now = handle.summary().await.unwrap();
    assert_eq!((now.execution.0, now.events), (1_000, first));
    assert_eq!(ran.times("remove_leftovers"), 1_000);
    assert_eq!(
        handle.custom_status::<u32>().await.unwrap(),
        Some(1_000),
        "the status is that of the round"
    );
}

#[tokio::test]
async fn b_a_request_that_comes_while_nobody_waits_for_it_is_kept() {
    let turnstile = Turnstile::new();
    let its_turnstile = turnstile.clone();
    let engine = engine("eternal-b", move |_| {
        let turnstile = its_turnstile.clone();
        async move { turnstile.pass(0).await }
    });
    let handle = clean_up(&engine).await;
    handle
        .raise(&named::event("stop"), json!("enough"))
        .await
        .unwrap();
    engine.settle().await;
    assert!(!handle.summary().await.unwrap().has_ended());
    turnstile.open_below(1);
    assert_eq!(handle.result().await.unwrap(), Ok(json!("enough")));
}

#[tokio::test]
async fn c_killed_in_each_round_it_goes_on_in_that_round_and_at_its_time() {
    let ran = Ran::default();
    let mut engine = ran.engine("eternal-c");
    clean_up(&engine).await;
    for round in 1..=20 {
        engine.advance(minutes(9)).await;
        engine = engine.restart().await.unwrap();
        engine.advance(seconds(59)).await;
        assert_eq!(ran.times("remove_leftovers"), round);
        engine.advance(seconds(1)).await;
        let cleaner = find(&engine, "cleaner").await;
        let number = cleaner.custom_status::<usize>().await.unwrap();
        assert_eq!(number, Some(round + 1));
    }
}

/// Of a hundred starts at once one creates, and the others get what it created; whoever wants something else is refused.
#[tokio::test]
async fn d_singleton_a_hundred_racing_starters_make_one_execution() {
    let ran = Ran::default();
    let engine = ran.engine("eternal-d");
    let mut starters = tokio::task::JoinSet::new();
    for n in 0..100 {
        let input = match n % 2 {
            0 => first_round(),
            _ => json!({"number": 7, "pause": recorded(minutes(1))}),
        };
        let request = engine
            .start(named::orchestrator("clean_up", &input))
            .id("cleaner");
        starters.spawn(async move { request.await.map_err(|error| error.is_conflict()) });
    }
    let results = starters.join_all().await;
    let ids: BTreeSet<String> = results
        .iter()
        .flatten()
        .map(|handle| handle.id().to_string())
        .collect();
    assert_eq!(ids, BTreeSet::from(["cleaner".to_owned()]));
    let refused: Vec<bool> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [true; 50]);
    engine.settle().await;
    assert_eq!(ran.times("remove_leftovers"), 1);
}
