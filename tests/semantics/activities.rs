//! ACT: activities.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Registry, RetryPolicy};
use tokio::sync::Semaphore;

use crate::support::{activities, count, engine, replayed};

fn is_completed(event: &HistoryEvent) -> bool {
    matches!(event, HistoryEvent::ActivityCompleted(_))
}

/// Attempt, delivery and key of each run of the activity below, by the word it was given.
static RUNS: Mutex<Vec<(String, u32, u32, String)>> = Mutex::new(Vec::new());

fn runs_of(word: &str) -> Vec<(u32, u32, String)> {
    let runs = RUNS.lock().unwrap();
    let ours = runs.iter().filter(|(of, ..)| of == word);
    ours.map(|(_, attempt, delivery, key)| (*attempt, *delivery, key.clone()))
        .collect()
}

/// The first process to run it dies of something else before it ends.
#[activity(name = "act.interrupted")]
async fn interrupted(word: String) -> u32 {
    let (attempt, delivery) = (activity::attempt(), activity::delivery());
    let key = activity::key().to_string();
    RUNS.lock().unwrap().push((word, attempt, delivery, key));
    if delivery == 1 {
        std::future::pending::<()>().await;
    }
    delivery
}

#[orchestrator(name = "act.asks")]
async fn asks(word: String) -> u32 {
    interrupted(word).await
}

/// Kills the process while the activity runs, and sees the instance end in the next.
async fn killed_half_way(word: &str) -> Vec<HistoryEvent> {
    let engine = engine();
    engine.start(asks(word.to_owned())).id(word).await.unwrap();
    while runs_of(word).is_empty() {
        tokio::task::yield_now().await;
    }
    let engine = engine.restart().await.unwrap();
    let handle = engine.handle(asks, word).await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), 2);
    replayed(&handle).await
}

#[tokio::test]
async fn act_1_it_runs_at_least_once_and_its_result_is_recorded_once() {
    let history = killed_half_way("act-1").await;
    let runs = runs_of("act-1");
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].2, runs[1].2, "the key is that of the call");
    assert_eq!(activities(&history).len(), 1);
    assert_eq!(count(&history, is_completed), 1);
}

#[tokio::test]
async fn act_5_after_a_crash_it_is_delivered_again_as_the_same_attempt() {
    killed_half_way("act-5").await;
    let runs = runs_of("act-5").into_iter();
    let numbers = runs.map(|(attempt, delivery, _)| (attempt, delivery));
    assert!(numbers.eq([(1, 1), (1, 2)]));
}

/// What it was given, and what it knows.
#[activity(name = "act.facts")]
async fn facts(a: u32, b: Option<String>) -> (u32, Option<String>, Vec<String>, u32) {
    let info = activity::info();
    let texts = vec![info.name.to_string(), info.instance.to_string()];
    (a, b, texts, info.call.0)
}

#[orchestrator(name = "act.asks_for_facts")]
async fn asks_for_facts() -> (u32, Option<String>, Vec<String>, u32) {
    facts(7, None).await;
    facts(8, Some("b".to_owned())).await
}

#[tokio::test]
async fn act_2_values_go_in_and_out_and_it_knows_whose_it_is() {
    let engine = engine();
    let handle = engine.start(asks_for_facts()).id("act-2").await.unwrap();
    let (a, b, texts, call) = handle.result().await.unwrap();
    assert_eq!((a, b.as_deref()), (8, Some("b")));
    assert_eq!(texts, ["act.facts", "act-2"]);
    assert_eq!(call, activities(&replayed(&handle).await)[1].id.0);
}

static FIRST: Semaphore = Semaphore::const_new(0);
static SECOND: Semaphore = Semaphore::const_new(0);

#[activity(name = "act.gated")]
async fn gated(which: u32) -> u32 {
    let gate = if which == 1 { &FIRST } else { &SECOND };
    gate.acquire().await.unwrap().forget();
    which
}

#[orchestrator(name = "act.in_order_of_completion")]
async fn in_order_of_completion() -> Vec<u32> {
    let mut running = FuturesUnordered::new();
    running.push(gated(1));
    running.push(gated(2));
    let mut ended = Vec::new();
    while let Some(which) = running.next().await {
        ended.push(which);
    }
    ended
}

#[tokio::test]
async fn act_3_the_order_of_completion_is_what_replays() {
    let engine = engine();
    let handle = engine.start(in_order_of_completion()).await.unwrap();
    SECOND.add_permits(1);
    let mut seen = handle.summary().await.unwrap();
    while count(&handle.history().await.unwrap(), is_completed) == 0 {
        seen = handle.changed(&seen).await.unwrap();
    }
    engine.evict().await;
    FIRST.add_permits(1);
    assert_eq!(handle.result().await.unwrap(), [2, 1]);
    replayed(&handle).await;
}

#[activity(name = "act.fails_until", retry(max_attempts = 2, initial = "1s"))]
async fn fails_until(good: u32) -> Result<u32, String> {
    match activity::attempt() {
        attempt if attempt >= good => Ok(attempt),
        attempt => Err(format!("attempt {attempt}")),
    }
}

#[orchestrator(name = "act.chooses")]
async fn chooses() -> (Result<u32, String>, Result<u32, String>) {
    let as_declared = fails_until(3).await;
    let policy = RetryPolicy::attempts(3).initial(seconds(1));
    (as_declared, fails_until(3).retry(policy).await)
}

#[tokio::test]
async fn act_4_options_are_given_in_the_attribute_or_with_the_call() {
    let engine = engine();
    let handle = engine.start(chooses()).await.unwrap();
    let expected = (Err("attempt 2".to_owned()), Ok(3));
    assert_eq!(handle.result().await.unwrap(), expected);
}

static TOLD: AtomicBool = AtomicBool::new(false);

#[activity(name = "act.hears")]
async fn hears() -> u32 {
    activity::cancelled().await;
    TOLD.store(true, Ordering::SeqCst);
    1
}

#[orchestrator(name = "act.gives_up")]
async fn gives_up() -> bool {
    let elapsed = hears().timeout(minutes(1)).await.is_err();
    sleep(minutes(1)).await;
    elapsed
}

#[tokio::test]
async fn act_6_a_deadline_ends_the_wait_and_the_activity_is_told() {
    let engine = engine();
    let handle = engine.start(gives_up()).await.unwrap();
    engine.advance(minutes(1)).await;
    assert!(TOLD.load(Ordering::SeqCst));
    engine.advance(minutes(1)).await;
    assert!(handle.result().await.unwrap());
    assert_eq!(count(&replayed(&handle).await, is_completed), 0);
}

#[activity]
async fn semantics_greets(name: String) -> String {
    format!("Hello {name}!")
}

#[orchestrator]
async fn semantics_calls_by_type() -> String {
    semantics_greets("Ada".to_owned()).await
}

#[tokio::test]
async fn act_7_a_call_is_that_of_a_function_and_has_its_name() {
    let engine = engine();
    let handle = engine.start(semantics_calls_by_type()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "Hello Ada!");
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.name, "semantics_calls_by_type");
    let history = replayed(&handle).await;
    assert_eq!(activities(&history)[0].name, "semantics_greets");
}

static RUNNING: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);

#[activity(name = "act.crowded")]
async fn crowded() {
    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(running, Ordering::SeqCst);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    RUNNING.fetch_sub(1, Ordering::SeqCst);
}

#[orchestrator(name = "act.crowd")]
async fn crowd() -> usize {
    join_all((0..40).map(|_| crowded())).await.len()
}

#[tokio::test]
async fn act_8_no_more_run_at_a_time_than_the_engine_allows() {
    let registry = Registry::new().activity(crowded).orchestrator(crowd);
    let builder = TestEngine::builder().registry(registry).activity_limit(3);
    let engine = builder.start().unwrap();
    let handle = engine.start(crowd()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 40);
    let most = MOST.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} ran at a time");
}
