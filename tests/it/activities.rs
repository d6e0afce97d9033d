//! Activities: results, typed errors, retries, time-outs, state, keys.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Failure, HistoryEvent, Outcome, Registry, StartError, Status};
use serde::{Deserialize, Serialize};

use crate::support::engine;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum ChargeError {
    Declined { code: u16 },
    Unreachable,
}

impl std::fmt::Display for ChargeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

fn is_transient(error: &ChargeError) -> bool {
    *error == ChargeError::Unreachable
}

#[activity]
async fn double(n: u32) -> u32 {
    n * 2
}

#[orchestrator]
async fn chained(n: u32) -> u32 {
    let n = double(n).await;
    double(n).await
}

#[activity(retry(max_attempts = 4, initial = "1s", when = is_transient))]
async fn charge(fails: u32, code: u16) -> Result<u32, ChargeError> {
    match activity::attempt() {
        _ if code != 0 => Err(ChargeError::Declined { code }),
        attempt if attempt <= fails => Err(ChargeError::Unreachable),
        attempt => Ok(attempt),
    }
}

#[orchestrator]
async fn buy(fails: u32, code: u16) -> Result<u32, ChargeError> {
    charge(fails, code).await
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Vec<String>>);

#[activity]
async fn note(#[state] ledger: &Arc<Ledger>, line: String) -> usize {
    let mut lines = ledger.0.lock().unwrap();
    lines.push(format!("{line} {}", activity::key()));
    lines.len()
}

#[orchestrator]
async fn notes() -> usize {
    note("a".to_owned()).await;
    note("b".to_owned()).await
}

#[activity(attempt_timeout = "5s", retry(max_attempts = 2, initial = "1s"))]
async fn hangs() -> u32 {
    std::future::pending::<()>().await;
    0
}

#[orchestrator]
async fn waits_for_hanging() -> String {
    match hangs().catch().await {
        Ok(_) => "returned".to_owned(),
        Err(fault) => format!("{:?}", fault.kind()),
    }
}

#[orchestrator]
async fn deadline() -> bool {
    hangs().timeout(seconds(3)).await.is_err()
}

#[tokio::test]
async fn results_flow_from_one_activity_to_the_next() {
    let engine = engine();
    let handle = engine.start(chained(5)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 20);
}

#[tokio::test]
async fn an_activity_called_outside_an_orchestrator_runs_its_body() {
    assert_eq!(double(21).await, 42);
    assert_eq!(charge(0, 0).await, Ok(1), "the first attempt");
    let ledger = Arc::new(Ledger::default());
    note("x".to_owned()).with_state(&ledger).await;
    let other = note("x".to_owned()).with_state(&ledger);
    tokio::spawn(other).await.unwrap();
    let lines = ledger.0.lock().unwrap().clone();
    assert_ne!(lines[0], lines[1], "each call has a key of its own");
}

#[activity]
async fn facts() -> (String, u32, u32, bool) {
    let info = activity::info();
    (
        info.key.to_string(),
        info.attempt,
        info.delivery,
        activity::is_cancelled(),
    )
}

#[activity]
async fn asks_within() -> bool {
    activity::key().to_string() == facts().await.0
}

#[tokio::test]
async fn a_body_without_an_engine_is_a_first_attempt_and_calls_within_are_a_part_of_it() {
    let (_, attempt, delivery, is_cancelled) = facts().await;
    assert_eq!((attempt, delivery, is_cancelled), (1, 1, false));
    assert!(asks_within().await);
    assert!(activity::try_info().is_none());
    let misused = tokio::spawn(async { activity::key() }).await;
    let panic = misused.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("`activity::key` was called outside an activity"),
        "{message}"
    );
}

#[tokio::test]
async fn a_policy_for_a_start_is_an_error() {
    let engine = engine();
    let policy = RetryPolicy::attempts(3);
    for call in [buy(0, 200).retry(policy), buy(0, 200).retry_when(|_| true)] {
        let refused = engine.start(call).await.unwrap_err();
        assert!(matches!(refused, StartError::Retried(_)), "{refused}");
        let text = refused.to_string();
        assert!(
            text.contains("`buy`") && text.contains("only a child is retried"),
            "{text}"
        );
    }
    assert!(
        engine
            .start(chained(1).retry(RetryPolicy::NONE))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn of_the_ids_and_tags_of_call_and_start_the_last_counts() {
    let engine = engine();
    let call = chained(1)
        .id("first")
        .tag("kind", "first")
        .tag("of", "call");
    let start = engine.start(call).id("last").tag("kind", "last");
    let started = start.await.unwrap().summary().await.unwrap();
    let tags: Vec<_> = (started.tags.iter())
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(started.id.as_str(), "last");
    assert_eq!(tags, [("kind", "last"), ("of", "call")]);
}

#[tokio::test]
async fn a_transient_error_is_retried_and_the_typed_error_comes_back_when_it_is_not() {
    let engine = engine();
    let started = engine.now();
    let retried = engine.start(buy(2, 0)).await.unwrap();
    assert_eq!(retried.result().await.unwrap(), Ok(3));
    // Delays of 1 s and 2 s.
    assert_eq!(
        engine.now().duration_since(started).unwrap(),
        Duration::from_secs(3)
    );
    let exhausted = engine.start(buy(9, 0)).await.unwrap();
    assert_eq!(
        exhausted.result().await.unwrap(),
        Err(ChargeError::Unreachable)
    );
    let declined = engine.start(buy(0, 51)).await.unwrap();
    assert_eq!(
        declined.result().await.unwrap(),
        Err(ChargeError::Declined { code: 51 })
    );
    let scheduled = declined.history().await.unwrap();
    let attempts = scheduled
        .iter()
        .filter(|e| matches!(e, HistoryEvent::ActivityScheduled(_)));
    assert_eq!(attempts.count(), 1, "a declined charge is not retried");
    let summary = exhausted.summary().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    assert!(matches!(
        summary.outcome,
        Some(Outcome::Failed(Failure::Returned(_)))
    ));
}

#[tokio::test]
async fn state_reaches_the_body_and_each_call_has_a_key_of_its_own() {
    let ledger = Arc::new(Ledger::default());
    let registry = Registry::new().activity(note).orchestrator(notes);
    let engine = TestEngine::builder()
        .registry(registry)
        .state(Arc::clone(&ledger))
        .start()
        .unwrap();
    let handle = engine.start(notes()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 2);
    let lines = ledger.0.lock().unwrap().clone();
    let keys: std::collections::BTreeSet<_> = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn a_missing_state_is_named_when_the_engine_is_started() {
    let registry = Registry::new().activity(note);
    let started = TestEngine::builder().registry(registry).start();
    let error = started.unwrap_err().to_string();
    assert!(error.contains("activity `note`"), "{error}");
    assert!(
        error.contains("Arc<Ledger>") || error.contains("Arc < Ledger >"),
        "{error}"
    );
    assert!(error.contains(".state("), "{error}");
}

#[tokio::test]
async fn an_attempt_that_hangs_is_timed_out_and_retried_then_a_fault() {
    let engine = engine();
    let handle = engine.start(waits_for_hanging()).await.unwrap();
    engine.settle().await;
    for step in [5, 1, 5] {
        engine.advance(seconds(step)).await;
    }
    assert_eq!(handle.result().await.unwrap(), "TimedOut");
}

#[tokio::test]
async fn the_deadline_of_a_call_gives_elapsed() {
    let engine = engine();
    let handle = engine.start(deadline()).await.unwrap();
    engine.settle().await;
    engine.advance(seconds(3)).await;
    assert!(handle.result().await.unwrap());
}

static RUNNING: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);

#[activity]
async fn counted() {
    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(running, Ordering::SeqCst);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    RUNNING.fetch_sub(1, Ordering::SeqCst);
}

#[orchestrator]
async fn crowd(size: u32) -> usize {
    join_all((0..size).map(|_| counted())).await.len()
}

#[tokio::test]
async fn no_more_activities_run_at_a_time_than_the_limit() {
    let registry = Registry::new().activity(counted).orchestrator(crowd);
    let engine = TestEngine::builder()
        .registry(registry)
        .activity_limit(7)
        .start()
        .unwrap();
    let handle = engine.start(crowd(100)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 100);
    let most = MOST.load(Ordering::SeqCst);
    assert!((2..=7).contains(&most), "{most} ran at a time");
}

static NARROW: AtomicU32 = AtomicU32::new(0);
static MOST_NARROW: AtomicU32 = AtomicU32::new(0);

#[activity(limit = 3)]
async fn narrow() {
    let running = NARROW.fetch_add(1, Ordering::SeqCst) + 1;
    MOST_NARROW.fetch_max(running, Ordering::SeqCst);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    NARROW.fetch_sub(1, Ordering::SeqCst);
}

#[orchestrator]
async fn two_crowds(size: u32) -> usize {
    let (narrow, wide) = join!(
        join_all((0..size).map(|_| narrow())),
        join_all((0..size).map(double)),
    );
    narrow.len() + wide.len()
}

#[tokio::test]
async fn an_activity_has_a_limit_of_its_own() {
    let engine = engine();
    let handle = engine.start(two_crowds(50)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 100);
    assert_eq!(MOST_NARROW.load(Ordering::SeqCst), 3);
}
