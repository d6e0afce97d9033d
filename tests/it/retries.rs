//! Attempts: what of them is recorded, who decides, and what a kill changes.

use std::sync::Mutex;

use durable_runtime::event::TimerPurpose;
use durable_runtime::orchestration::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Error, HistoryEvent, Registry, RetryPolicy};
use serde_json::{Value, json};

use crate::support::{Gate, engine, kinds};

#[activity(name = "retries.fails_until")]
async fn fails_until(good: u32) -> Result<u32, String> {
    match activity::attempt() {
        attempt if attempt >= good => Ok(attempt),
        attempt => Err(format!("attempt {attempt}")),
    }
}

#[activity(name = "retries.panics_until")]
async fn panics_until(good: u32) -> u32 {
    let attempt = activity::attempt();
    assert!(attempt >= good, "attempt {attempt}");
    attempt
}

#[activity(name = "retries.hangs_until")]
async fn hangs_until(good: u32) -> u32 {
    let attempt = activity::attempt();
    if attempt < good {
        std::future::pending::<()>().await;
    }
    attempt
}

#[orchestrator(name = "retries.three_attempts")]
async fn three_attempts() -> Result<u32, String> {
    let policy = RetryPolicy::attempts(5).initial(seconds(10)).backoff(3.0);
    fails_until(3).retry(policy).await
}

#[orchestrator(name = "retries.panicking")]
async fn panicking() -> u32 {
    panics_until(3).retry(RetryPolicy::attempts(3)).await
}

#[orchestrator(name = "retries.timing_out")]
async fn timing_out() -> u32 {
    let call = hangs_until(3).retry(RetryPolicy::attempts(3).initial(seconds(1)));
    call.attempt_timeout(seconds(30)).await
}

#[orchestrator(name = "retries.bounded")]
async fn bounded() -> Result<u32, String> {
    // Attempts at 0 s, 10 s and 30 s; the next would be at 70 s.
    let policy = RetryPolicy::attempts(100)
        .initial(seconds(10))
        .total(minutes(1));
    fails_until(u32::MAX).retry(policy).await
}

#[orchestrator(name = "retries.picky")]
async fn picky() -> Result<u32, String> {
    let call = fails_until(9).retry(RetryPolicy::attempts(9));
    call.retry_when(|error| error == "attempt 1").await
}

#[orchestrator(name = "retries.child_of_several_attempts")]
async fn child_of_several_attempts() -> Result<u32, String> {
    let policy = RetryPolicy::attempts(3).initial(hours(1));
    fragile().id("fragile").retry(policy).await
}

#[orchestrator(name = "retries.fragile")]
async fn fragile() -> Result<u32, String> {
    // Every attempt is an instance of its own; the first alone has the id that was given.
    match info().instance.as_str() {
        "fragile" => Err("the first".to_owned()),
        _ => fails_until(1).await,
    }
}

#[tokio::test]
async fn attempts_and_the_delays_between_them_are_recorded() {
    let engine = engine();
    let started = engine.now();
    let handle = engine.start(three_attempts()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(3));
    assert_eq!(
        engine.now().duration_since(started).unwrap(),
        seconds(10 + 30)
    );
    let history = handle.history().await.unwrap();
    let retry = [
        "activity failed",
        "turn",
        "timer",
        "timer fired",
        "turn",
        "activity",
    ];
    let expected = [
        &["started", "turn", "activity"][..],
        &retry,
        &retry,
        &["activity completed", "turn", "completed"],
    ];
    assert_eq!(kinds(&history), expected.concat());
    let scheduled: Vec<_> = history.iter().filter_map(as_scheduled).collect();
    let call = scheduled[0].id;
    assert!(scheduled.iter().all(|attempt| attempt.call == call));
    assert!(
        scheduled
            .iter()
            .map(|attempt| attempt.attempt)
            .eq([1, 2, 3])
    );
    let policies = scheduled
        .iter()
        .map(|attempt| attempt.retry.map(|policy| policy.max_attempts));
    assert!(
        policies.eq([Some(5), None, None]),
        "the policy is recorded with the first"
    );
    let purposes = history.iter().filter_map(|event| match event {
        HistoryEvent::TimerCreated(timer) => Some(timer.purpose),
        _ => None,
    });
    assert!(purposes.eq([TimerPurpose::Retry(call), TimerPurpose::Retry(call)]));
}

fn as_scheduled(event: &HistoryEvent) -> Option<&durable_runtime::event::ActivityScheduled> {
    match event {
        HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled),
        _ => None,
    }
}

#[tokio::test]
async fn a_panic_is_retried_as_an_error_is() {
    let engine = engine();
    let handle = engine.start(panicking()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 3);
}

#[tokio::test]
async fn an_attempt_beyond_its_time_out_is_retried() {
    let engine = engine();
    let started = engine.now();
    let handle = engine.start(timing_out()).await.unwrap();
    for pause in [30, 1, 30, 2] {
        engine.settle().await;
        engine.advance(seconds(pause)).await;
    }
    assert_eq!(handle.result().await.unwrap(), 3);
    assert_eq!(engine.now().duration_since(started).unwrap(), seconds(63));
}

#[tokio::test]
async fn no_attempt_starts_after_the_total() {
    let engine = engine();
    let started = engine.now();
    let handle = engine.start(bounded()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err("attempt 3".to_owned()));
    assert_eq!(engine.now().duration_since(started).unwrap(), seconds(30));
}

#[tokio::test]
async fn the_condition_of_the_call_decides_what_is_retried() {
    let engine = engine();
    let handle = engine.start(picky()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err("attempt 2".to_owned()));
}

#[tokio::test]
async fn each_attempt_of_a_child_is_an_instance_with_a_history_of_its_own() {
    let engine = engine();
    let handle = engine.start(child_of_several_attempts()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(1));
    let history = handle.history().await.unwrap();
    let children = history.iter().filter_map(|event| match event {
        HistoryEvent::ChildScheduled(child) => Some(child.instance.as_str()),
        _ => None,
    });
    let children: Vec<_> = children.collect();
    assert_eq!((children.len(), children[0]), (2, "fragile"));
    let first = engine.handle(fragile, "fragile").await.unwrap().unwrap();
    assert_eq!(first.result().await.unwrap(), Err("the first".to_owned()));
    let second = engine.handle(fragile, children[1]).await.unwrap().unwrap();
    assert_eq!(second.result().await.unwrap(), Ok(1));
}

fn flow_with(policy: RetryPolicy) -> Registry {
    let flow = move |_: Value| async move {
        let call = named::activity("fails", &Value::Null).retry(policy);
        Ok::<_, Error>(json!(call.await.unwrap_err().to_string()))
    };
    let fails = |_| async { Err(Error::msg(format!("attempt {}", activity::attempt()))) };
    Registry::new()
        .named_activity("fails", fails)
        .named_orchestrator("flow", flow)
}

#[tokio::test]
async fn the_policy_recorded_with_the_first_attempt_wins_over_changed_code() {
    let recorded = RetryPolicy::attempts(3).initial(minutes(1));
    let engine = TestEngine::builder()
        .registry(flow_with(recorded))
        .start()
        .unwrap();
    let started = engine.now();
    engine
        .start(named::orchestrator("flow", &Value::Null))
        .id("one")
        .await
        .unwrap();
    engine.settle().await;
    let changed = RetryPolicy::attempts(50).initial(seconds(1)).backoff(1.0);
    let engine = engine.restart_with(flow_with(changed)).await.unwrap();
    let handle = engine
        .start(named::orchestrator("flow", &Value::Null))
        .id("one")
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(json!("attempt 3")));
    assert_eq!(
        engine.now().duration_since(started).unwrap(),
        minutes(1 + 2)
    );
    // The other way round: code that no longer retries does not cut a recorded policy short.
    check_replay(
        &flow_with(RetryPolicy::NONE),
        &handle.history().await.unwrap(),
    )
    .unwrap();
}

static DELIVERED: Mutex<Vec<(u32, u32, String)>> = Mutex::new(Vec::new());
static LAST: Gate = Gate::new();

#[activity(name = "retries.noted", retry(max_attempts = 2, initial = "1s"))]
async fn noted() -> Result<u32, String> {
    let key = activity::key().to_string();
    DELIVERED
        .lock()
        .unwrap()
        .push((activity::attempt(), activity::delivery(), key));
    if activity::attempt() == 1 {
        LAST.pass().await;
        return Err("once".to_owned());
    }
    Ok(activity::attempt())
}

#[orchestrator(name = "retries.counting")]
async fn counting() -> Result<u32, String> {
    noted().await
}

#[tokio::test]
async fn a_kill_counts_as_a_delivery_and_never_as_an_attempt() {
    let mut engine = engine();
    engine.start(counting()).id("counting").await.unwrap();
    for _ in 0..3 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
    }
    engine.settle().await;
    LAST.open();
    let handle = engine.handle(counting, "counting").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(2));
    let delivered = DELIVERED.lock().unwrap().clone();
    let numbers = delivered
        .iter()
        .map(|(attempt, delivery, _)| (*attempt, *delivery));
    assert!(
        numbers.eq([(1, 1), (1, 2), (1, 3), (1, 4), (2, 1)]),
        "{delivered:?}"
    );
    assert!(
        delivered.iter().all(|(.., key)| *key == delivered[0].2),
        "{delivered:?}"
    );
}

static SURVIVED: Gate = Gate::new();

#[activity(name = "retries.long")]
async fn long() -> u32 {
    SURVIVED.pass().await;
    activity::delivery()
}

#[orchestrator(name = "retries.waiting")]
async fn waiting() -> u32 {
    long().await
}

/// A long activity sees many processes die, and mostly of something else.
#[tokio::test]
async fn an_activity_is_never_given_up_however_often_its_process_dies() {
    let mut engine = engine();
    engine.start(waiting()).id("waiting").await.unwrap();
    for stop in 0..24 {
        engine.settle().await;
        if stop % 2 == 0 {
            engine.shutdown().await;
        }
        engine = engine.restart().await.unwrap();
    }
    engine.settle().await;
    SURVIVED.open();
    let handle = engine.handle(waiting, "waiting").await.unwrap().unwrap();
    assert_eq!(
        handle.result().await.unwrap(),
        13,
        "12 deaths, and this one"
    );
}

async fn delivery(_: Value) -> Result<Value, Error> {
    let delivery = activity::delivery();
    if delivery < 4 {
        std::future::pending::<()>().await;
    }
    Ok(json!(delivery))
}

async fn asking(_: Value) -> Result<Value, Error> {
    Ok(named::activity("delivery", &json!(null)).await?)
}

/// A stall, and the empty turn that ends it, say nothing about the activity that waits meanwhile.
#[tokio::test]
async fn a_stall_that_comes_and_goes_keeps_the_count_of_deaths() {
    let lacking = || Registry::new().named_orchestrator("asking", asking);
    let all = || lacking().named_activity("delivery", delivery);
    let mut engine = TestEngine::builder().registry(all()).start().unwrap();
    let start = engine
        .start(named::orchestrator("asking", &json!(null)))
        .id("asking");
    start.await.unwrap();
    for registry in [lacking(), all(), all()] {
        engine.settle().await;
        engine = engine.restart_with(registry).await.unwrap();
    }
    engine.settle().await;
    let instance = engine.instance("asking").await.unwrap().unwrap();
    let history = instance.history().await.unwrap();
    let expected = [
        "started",
        "turn",
        "activity",
        "stalled",
        "turn",
        "activity completed",
        "turn",
        "completed",
    ];
    assert_eq!(kinds(&history), expected);
    let HistoryEvent::ActivityCompleted(done) = &history[5] else {
        panic!("{history:?}");
    };
    assert_eq!(done.output.decode::<u32>().unwrap(), 4);
}
