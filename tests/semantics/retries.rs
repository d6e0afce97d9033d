//! RET: retries.

use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, RetryPolicy};

use crate::support::{activities, children, count, engine, replayed};

#[activity(name = "ret.fails")]
async fn fails(word: String) -> Result<u32, String> {
    Err(format!("{word} {}", activity::attempt()))
}

#[activity(name = "ret.panics_once")]
async fn panics_once() -> u32 {
    let attempt = activity::attempt();
    assert!(attempt > 1, "the first attempt");
    attempt
}

/// Delays of 10 s, 30 s, 60 s and 60 s.
fn policy() -> RetryPolicy {
    let policy = RetryPolicy::attempts(5).initial(seconds(10));
    policy.backoff(3.0).max_interval(minutes(1))
}

#[orchestrator(name = "ret.exhausts")]
async fn exhausts() -> Result<u32, String> {
    fails("attempt".to_owned()).retry(policy()).await
}

#[test]
fn ret_1_a_delay_grows_by_its_factor_up_to_the_longest() {
    let delays = (1..=5).map(|failed| policy().delay_after(failed, seconds(0)));
    let expected = [10, 30, 60, 60].map(|length| Some(seconds(length)));
    assert!(delays.eq(expected.into_iter().chain([None])));
    let default = RetryPolicy::attempts(u32::MAX);
    assert_eq!(default.delay_after(1, seconds(0)), Some(seconds(1)));
    assert_eq!(default.delay_after(1_000, seconds(0)), Some(hours(1)));
}

#[tokio::test]
async fn ret_2_each_attempt_and_each_delay_is_recorded() {
    let engine = engine();
    let begin = engine.now();
    let handle = engine.start(exhausts()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err("attempt 5".to_owned()));
    assert_eq!(engine.now(), begin + seconds(10 + 30 + 60 + 60));
    let history = replayed(&handle).await;
    let attempts = activities(&history);
    assert!(attempts.iter().map(|it| it.attempt).eq(1..=5));
    assert!(attempts.iter().all(|it| it.call == attempts[0].id));
    let failed = |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityFailed(_));
    let created = |event: &HistoryEvent| matches!(event, HistoryEvent::TimerCreated(_));
    assert_eq!((count(&history, failed), count(&history, created)), (5, 4));
}

/// Ends with an error that says of itself that another attempt cannot help.
#[activity(name = "ret.fails_for_good")]
async fn fails_for_good() -> Result<u32, Error> {
    let error = Error::msg(format!("attempt {}", activity::attempt()));
    Err(if activity::attempt() == 2 {
        error.non_retryable()
    } else {
        error
    })
}

#[orchestrator(name = "ret.by_itself")]
async fn by_itself() -> Result<u32, Error> {
    fails_for_good().retry(policy()).await
}

#[orchestrator(name = "ret.stops")]
async fn stops() -> (Result<u32, String>, Result<u32, String>, u32) {
    let total = policy().total(seconds(50));
    let by_total = fails("total".to_owned()).retry(total).await;
    let picky = fails("picky".to_owned()).retry(policy());
    let by_filter = picky.retry_when(|error| error == "picky 1").await;
    (by_total, by_filter, panics_once().retry(policy()).await)
}

#[tokio::test]
async fn ret_3_attempts_end_by_the_total_or_by_the_error() {
    let engine = engine();
    let handle = engine.start(stops()).await.unwrap();
    let (by_total, by_filter, panicked) = handle.result().await.unwrap();
    // The attempts begin at 0 s, 10 s and 40 s; a fourth would at 100 s.
    assert_eq!(by_total, Err("total 3".to_owned()));
    assert_eq!(by_filter, Err("picky 2".to_owned()));
    assert_eq!(panicked, 2, "a fault is retried as an error is");
    let handle = engine.start(by_itself()).await.unwrap();
    let by_itself = handle.result().await.unwrap().unwrap_err();
    assert_eq!(by_itself.to_string(), "attempt 2");
    replayed(&handle).await;
}

/// Knows the errors that are worth another attempt, how often, how long, and after which delay.
#[orchestrator(name = "ret.asks_the_handler")]
async fn asks_the_handler() -> Result<u32, String> {
    let call = fails("attempt".to_owned()).retry(policy());
    call.retry_with(|error, context| {
        assert_eq!(*error, format!("attempt {}", context.attempt));
        if context.elapsed < minutes(3) {
            Retry::After(minutes(1))
        } else {
            Retry::Stop
        }
    })
    .await
}

#[tokio::test]
async fn ret_4_a_handler_is_code_that_replays() {
    let engine = engine();
    let handle = engine.start(asks_the_handler()).await.unwrap();
    for _ in 0..4 {
        engine.settle().await;
        engine.evict().await;
        engine.advance(minutes(1)).await;
    }
    assert_eq!(handle.result().await.unwrap(), Err("attempt 4".to_owned()));
    replayed(&handle).await;
}

#[orchestrator(name = "ret.child")]
async fn child() -> Result<u32, String> {
    match info().instance.as_str() {
        "ret-child" => Err("the first".to_owned()),
        _ => Ok(2),
    }
}

#[orchestrator(name = "ret.parent")]
async fn parent() -> Result<u32, String> {
    child().id("ret-child").retry(policy()).await
}

#[tokio::test]
async fn ret_5_children_are_retried_and_each_attempt_keeps_its_history() {
    let engine = engine();
    let handle = engine.start(parent()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(2));
    let history = replayed(&handle).await;
    let attempts = children(&history);
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].instance.as_str(), "ret-child");
    assert_ne!(attempts[0].instance, attempts[1].instance);
    let first = engine.handle(child, "ret-child").await.unwrap().unwrap();
    assert_eq!(first.result().await.unwrap(), Err("the first".to_owned()));
}

#[orchestrator(name = "ret.within_a_total")]
async fn within_a_total() -> Result<u32, String> {
    let policy = policy().total(seconds(50));
    fails("total".to_owned()).retry(policy).await
}

#[tokio::test]
async fn ret_5b_the_total_is_measured_by_the_time_of_the_turns() {
    let engine = engine();
    let handle = engine.start(within_a_total()).id("ret-5b").await.unwrap();
    let decided = handle.result().await.unwrap();
    assert_eq!(decided, Err("total 3".to_owned()));
    // The engine's clock is far beyond the total; replay decides as the first run did.
    engine.advance(days(300)).await;
    replayed(&handle).await;
}
