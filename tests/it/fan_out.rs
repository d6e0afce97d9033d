//! Fan-out: every size, and what it costs. Costs are counted, not timed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use durable_runtime::durable::Durable;
use durable_runtime::orchestration::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Error, HistoryEvent, Registry};
use serde_json::{Value, json};

#[activity(name = "fan_out.square")]
async fn square(n: u64) -> u64 {
    // The later ones end first.
    for _ in 0..(n % 5) {
        tokio::task::yield_now().await;
    }
    n * n
}

#[orchestrator(name = "fan_out.squares")]
async fn squares(count: u64) -> Vec<u64> {
    join_all((0..count).map(square)).await
}

#[orchestrator(name = "fan_out.child")]
async fn child(n: u64) -> u64 {
    sleep(hours(n % 3)).await;
    n
}

#[orchestrator(name = "fan_out.children")]
async fn children(count: u64) -> Vec<u64> {
    join_all((0..count).map(child)).await
}

#[activity(name = "fan_out.picky")]
async fn picky(n: u64) -> Result<u64, String> {
    if n == 3 {
        Err("three".to_owned())
    } else {
        Ok(n)
    }
}

#[orchestrator(name = "fan_out.one_fails")]
async fn one_fails(count: u64) -> (u64, Vec<String>) {
    let results = join_all((0..count).map(picky)).await;
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let sum = good.into_iter().flatten().sum();
    (sum, bad.into_iter().filter_map(Result::err).collect())
}

fn registry() -> Registry {
    Registry::new()
        .activity(square)
        .activity(picky)
        .orchestrator(squares)
        .orchestrator(child)
        .orchestrator(children)
        .orchestrator(one_fails)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

/// Sizes around those at which something inside changes: handed over in lots, places, a batch.
const SIZES: [u64; 8] = [0, 1, 31, 32, 33, 1_023, 1_024, 1_025];

#[tokio::test]
async fn activities_of_every_number_answer_in_order() {
    let engine = engine();
    for size in SIZES.into_iter().chain([10_000]) {
        let handle = engine.start(squares(size)).await.unwrap();
        let expected: Vec<u64> = (0..size).map(|n| n * n).collect();
        assert_eq!(handle.result().await.unwrap(), expected, "{size}");
        let history = handle.history().await.unwrap();
        let first = history
            .iter()
            .filter(|event| matches!(event, HistoryEvent::ActivityScheduled(_)));
        assert_eq!(first.count(), usize::try_from(size).unwrap());
    }
}

#[tokio::test]
async fn children_of_every_number_answer_in_order() {
    let engine = engine();
    for size in SIZES {
        let handle = engine.start(children(size)).await.unwrap();
        let expected: Vec<u64> = (0..size).collect();
        assert_eq!(handle.result().await.unwrap(), expected, "{size}");
    }
}

#[tokio::test]
async fn the_other_results_of_a_fan_out_survive_the_failure_of_one() {
    let engine = engine();
    let handle = engine.start(one_fails(10)).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap(),
        (45 - 3, vec!["three".to_owned()])
    );
}

/// Counts the polls of what it holds.
struct Counted<F> {
    inner: F,
    polls: Arc<AtomicU64>,
}

impl<F: Durable + Unpin> Durable for Counted<F> {}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll(cx)
    }
}

/// The commits and the polls of a fan-out over `count` activities.
async fn cost(count: u64) -> (u64, u64) {
    let polls = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&polls);
    let flow = move |count: Value| {
        let polls = Arc::clone(&counting);
        async move {
            let calls = (0..count.as_u64().unwrap_or(0)).map(|n| Counted {
                inner: named::activity("echo", &json!(n)),
                polls: Arc::clone(&polls),
            });
            let results = join_all(calls).await;
            let sum: Option<u64> = results.iter().map(|n| n.as_ref().ok()?.as_u64()).sum();
            Ok::<_, Error>(json!(sum))
        }
    };
    let registry = Registry::new()
        .named_activity("echo", async |n| Ok::<_, Error>(n))
        .named_orchestrator("flow", flow);
    let builder = TestEngine::builder().registry(registry);
    let engine = builder.replay_check(false).start().unwrap();
    let before = engine.counters();
    let handle = engine
        .start(named::orchestrator("flow", &json!(count)))
        .await
        .unwrap();
    let sum = count * count.saturating_sub(1) / 2;
    assert_eq!(handle.result().await.unwrap(), Ok(json!(sum)));
    let after = engine.counters();
    let commits = (after.commits - after.fold_commits) - (before.commits - before.fold_commits);
    (commits, polls.load(Ordering::Relaxed))
}

#[tokio::test]
async fn the_commits_and_polls_of_a_fan_out_are_linear_up_to_a_hundred_thousand() {
    for count in [1_000, 10_000, 100_000] {
        let (commits, polls) = cost(count).await;
        // One poll that asks and one that takes the answer, whatever the size.
        assert_eq!(polls, 2 * count);
        // The creation and the first turn, then outcomes in the lots in which they come.
        assert!(commits <= 3 + count / 32, "{commits} commits for {count}");
    }
}
