//! What a twin does to the instance that it is of, and what it leaves alone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use durable_runtime::durable::Durable;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Error, HistoryEvent, Registry, StallReason, Status, WaitError, named};
use serde_json::{Value, json};

static RUNS: AtomicU32 = AtomicU32::new(0);

/// `flow` asks for an activity, and then for one by the number of its runs.
fn fickle() -> Registry {
    let echo = |value: Value| async move { Ok::<_, Error>(value) };
    let registry = Registry::new().named_activity("echo", echo);
    registry.named_orchestrator("flow", |_| async {
        let first = named::activity("echo", &json!(1)).await?;
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let second = named::activity("echo", &json!(run)).await?;
        Ok::<_, Error>(json!([first, second]))
    })
}

fn mended() -> Registry {
    let echo = |value: Value| async move { Ok::<_, Error>(value) };
    let registry = Registry::new().named_activity("echo", echo);
    registry.named_orchestrator("flow", |_| async {
        let first = named::activity("echo", &json!(1)).await?;
        let second = named::activity("echo", &json!(2)).await?;
        Ok::<_, Error>(json!([first, second]))
    })
}

fn kinds(history: &[HistoryEvent]) -> Vec<String> {
    let names = history.iter().map(|event| format!("{event:?}"));
    let kind = |name: String| name.split('(').next().unwrap_or_default().to_owned();
    names.map(kind).collect()
}

#[tokio::test]
async fn nothing_of_a_turn_that_differs_is_recorded_and_mended_code_goes_on() {
    let builder = TestEngine::builder().registry(fickle());
    let engine = builder.start().unwrap();
    let flow = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = flow.id("one").await.unwrap();
    let Err(WaitError::NonDeterministic { id, report }) = flow.result().await else {
        panic!("it differs");
    };
    assert_eq!(id, "one");
    assert!(
        report.contains("first: ActivityScheduled `echo` at "),
        "{report}"
    );
    assert!(
        report.contains("again: ActivityScheduled `echo`, with another input at "),
        "{report}"
    );
    let stalled = flow.summary().await.unwrap().stalled.unwrap();
    assert_eq!(stalled.reason, StallReason::NonDeterministic);
    let before = [
        "ExecutionStarted",
        "TurnStarted",
        "ActivityScheduled",
        "ActivityCompleted",
        "ExecutionStalled",
    ];
    assert_eq!(kinds(&flow.history().await.unwrap()), before);
    let engine = engine.restart_with(mended()).await.unwrap();
    let flow = engine.instance("one").await.unwrap().unwrap();
    let ended = flow.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
}

#[tokio::test]
async fn without_the_check_the_same_code_runs_on() {
    let builder = TestEngine::builder().registry(fickle());
    let engine = builder.replay_check(false).start().unwrap();
    let flow = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = flow.await.unwrap();
    assert!(flow.result().await.unwrap().is_ok());
}

/// Counts the polls of what it holds.
struct Counted<F>(F, Arc<AtomicU64>);

impl<F: Durable + Unpin> Durable for Counted<F> {}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll(cx)
    }
}

/// The polls of a chain of `count` activities.
async fn polls_of_a_chain(count: u64, is_checked: bool) -> u64 {
    let polls = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&polls);
    let registry = Registry::new()
        .named_activity("echo", |value| async move { Ok::<_, Error>(value) })
        .named_orchestrator("chain", move |_| {
            let polls = Arc::clone(&counting);
            async move {
                for n in 0..count {
                    Counted(named::activity("echo", &json!(n)), Arc::clone(&polls)).await?;
                }
                Ok::<_, Error>(Value::Null)
            }
        });
    let builder = TestEngine::builder().registry(registry);
    let engine = builder.replay_check(is_checked).start().unwrap();
    let chain = engine.start(named::orchestrator("chain", &Value::Null));
    chain.await.unwrap().result().await.unwrap().unwrap();
    polls.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_twin_runs_each_turn_once_and_the_whole_once_more_at_the_end() {
    for count in [10, 1_000] {
        assert_eq!(polls_of_a_chain(count, false).await, 2 * count);
        assert_eq!(polls_of_a_chain(count, true).await, 3 * 2 * count);
    }
}

/// Counts the copies of an orchestrator that are in memory.
#[tokio::test]
async fn a_twin_goes_from_memory_with_its_instance_and_comes_back_with_it() {
    let held = Arc::new(());
    let copies = Arc::clone(&held);
    let registry = Registry::new().named_orchestrator("wait", move |_| {
        let copy = Arc::clone(&copies);
        async move {
            let first = named::event("go").wait().await;
            let second = named::event("go").wait().await;
            drop(copy);
            Ok::<_, Error>(json!([first, second]))
        }
    });
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    let none = Arc::strong_count(&held);
    let wait = engine.start(named::orchestrator("wait", &Value::Null));
    let wait = wait.await.unwrap();
    engine.settle().await;
    assert_eq!(Arc::strong_count(&held), none + 2);
    engine.evict().await;
    // The twin's thread takes note in its own time.
    for _ in 0..1_000_000 {
        if Arc::strong_count(&held) == none {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&held), none);
    wait.raise(&named::event("go"), json!(1)).await.unwrap();
    engine.settle().await;
    assert_eq!(Arc::strong_count(&held), none + 2);
    wait.raise(&named::event("go"), json!(2)).await.unwrap();
    assert_eq!(wait.result().await.unwrap().unwrap(), json!([1, 2]));
    assert_eq!(wait.status().await.unwrap(), Status::Completed);
}

static CHARGED: AtomicU32 = AtomicU32::new(0);
static DRAWN: AtomicU32 = AtomicU32::new(0);
static TOLD: AtomicU32 = AtomicU32::new(0);

#[activity(name = "guards.charge")]
async fn charge(cents: u32) -> u32 {
    CHARGED.fetch_add(cents, Ordering::Relaxed);
    cents
}

#[orchestrator(name = "guards.checkout")]
async fn checkout() -> u32 {
    let drawn = side_effect(|| DRAWN.fetch_add(1, Ordering::Relaxed) + 1).await;
    #[nondeterminism(
        allow(D022, D050),
        reason = "it counts how often the line is told, and nothing depends on it"
    )]
    println!("{}", told());
    let (a, b) = join!(charge(drawn), charge(drawn + 1));
    sleep(days(1)).await;
    a + b
}

#[orchestrator(name = "guards.parent")]
async fn parent() -> u32 {
    checkout().await + checkout().await
}

/// What a log line says.
fn told() -> u32 {
    TOLD.fetch_add(1, Ordering::Relaxed)
}

#[tokio::test]
async fn activities_side_effects_and_log_lines_of_a_twin_do_not_run() {
    let engine = TestEngine::start().unwrap();
    let result = engine.start(parent()).await.unwrap().result().await;
    assert_eq!(result.unwrap(), 1 + 2 + 2 + 3);
    assert_eq!(DRAWN.load(Ordering::Relaxed), 2);
    assert_eq!(CHARGED.load(Ordering::Relaxed), 8);
    assert_eq!(TOLD.load(Ordering::Relaxed), 2);
}
