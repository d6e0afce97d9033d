//! What ends a retry and what it waits for: errors that say so of themselves, handlers, jitter and the total, over restarts.

use std::time::{Duration, SystemTime};

use durable_runtime::event::TimerPurpose;
use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Failure, HistoryEvent, Instance, Outcome, Registry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{engine, instance};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum ApiError {
    Busy { seconds: u64 },
    Down(u32),
    Forbidden,
}

impl Retryable for ApiError {
    fn is_retryable(&self) -> bool {
        *self != Self::Forbidden
    }
}

/// Says `Busy`, then is down for some attempts, then forbids.
#[activity(
    name = "handlers.call",
    retry(max_attempts = 50, initial = "10s", backoff = 1, jitter = 0.5)
)]
async fn call(down_until: u32) -> Result<u32, ApiError> {
    match activity::attempt() {
        1 => Err(ApiError::Busy { seconds: 90 }),
        attempt if attempt < down_until => Err(ApiError::Down(attempt)),
        _ => Err(ApiError::Forbidden),
    }
}

#[orchestrator(name = "handlers.forbidden")]
async fn forbidden() -> Result<u32, ApiError> {
    call(4).await
}

#[orchestrator(name = "handlers.parent")]
async fn parent() -> Result<u32, ApiError> {
    // The child's own error is final, so the child is attempted once.
    forbidden().retry(RetryPolicy::attempts(9)).await
}

#[orchestrator(name = "handlers.handled")]
async fn handled() -> Result<u32, ApiError> {
    let handler = |error: &ApiError, context: &durable_runtime::RetryContext| match error {
        ApiError::Busy { seconds } => Retry::After(Duration::from_secs(*seconds)),
        ApiError::Down(attempt) => {
            assert_eq!(*attempt, context.attempt);
            (context.elapsed < minutes(2)).into()
        }
        ApiError::Forbidden => Retry::AsPolicy,
    };
    let policy = RetryPolicy::attempts(50).initial(seconds(10)).backoff(1.0);
    call(u32::MAX).retry(policy).retry_with(handler).await
}

/// Looks at the delay that an attribute's condition says.
fn patiently(error: &ApiError) -> Retry {
    match error {
        ApiError::Busy { seconds } => Retry::After(Duration::from_secs(*seconds)),
        _ => Retry::Stop,
    }
}

#[activity(name = "handlers.patient", retry(max_attempts = 9, when = patiently))]
async fn patient() -> Result<u32, ApiError> {
    match activity::attempt() {
        1 => Err(ApiError::Busy { seconds: 90 }),
        attempt => Err(ApiError::Down(attempt)),
    }
}

#[orchestrator(name = "handlers.by_attribute")]
async fn by_attribute() -> Result<u32, ApiError> {
    patient().await
}

/// The delays between attempts, in milliseconds.
async fn delays(instance: &Instance) -> Vec<u128> {
    let history = instance.history().await.unwrap();
    check_replay(&Registry::linked(), &history).unwrap();
    let mut now = SystemTime::UNIX_EPOCH;
    let mut delays = Vec::new();
    for event in history {
        match event {
            HistoryEvent::TurnStarted(turn) => now = turn.at.into(),
            HistoryEvent::TimerCreated(timer)
                if matches!(timer.purpose, TimerPurpose::Retry(_)) =>
            {
                let due: SystemTime = timer.due.into();
                delays.push(due.duration_since(now).unwrap().as_millis());
            }
            _ => {}
        }
    }
    delays
}

#[tokio::test]
async fn an_error_that_says_so_of_itself_ends_the_retry_and_that_of_the_parent() {
    let mut engine = engine();
    engine.start(parent()).id("parent").await.unwrap();
    for _ in 0..4 {
        engine.settle().await;
        engine.advance(seconds(10)).await;
        engine = engine.restart().await.unwrap();
    }
    let handle = engine.handle(parent, "parent").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), Err(ApiError::Forbidden));
    assert!(delays(&handle).await.is_empty(), "one attempt of the child");
    let outcome = handle.wait().await.unwrap().outcome;
    let Some(Outcome::Failed(Failure::Returned(returned))) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(returned.details.non_retryable);
}

#[tokio::test]
async fn a_handler_sees_attempt_and_time_and_says_the_delay_over_restarts() {
    let mut engine = engine();
    engine.start(handled()).id("handled").await.unwrap();
    for _ in 0..6 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
        engine.advance(seconds(30)).await;
    }
    let handle = engine.handle(handled, "handled").await.unwrap().unwrap();
    let ended = handle.result().await.unwrap();
    // Asked at 0 s, 90 s, and then each time the clock is moved.
    assert_eq!(ended, Err(ApiError::Down(3)));
    assert_eq!(delays(&handle).await, [90_000, 10_000]);
}

#[tokio::test]
async fn the_condition_of_an_attribute_may_say_the_delay() {
    let engine = engine();
    let handle = engine.start(by_attribute()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err(ApiError::Down(2)));
    assert_eq!(delays(&handle).await, [90_000]);
}

#[tokio::test]
async fn jitter_keeps_instances_apart_and_a_recorded_delay_stays() {
    let mut engine = engine();
    for id in ["a", "b", "c"] {
        engine.start(forbidden()).id(id).await.unwrap();
    }
    engine.settle().await;
    let mut firsts = Vec::new();
    for id in ["a", "b", "c"] {
        firsts.push(delays(&instance(&engine, id).await).await);
    }
    let all: Vec<u128> = firsts.concat();
    assert!(
        all.iter().all(|delay| (5_000..=10_000).contains(delay)),
        "{all:?}"
    );
    assert!(
        all[0] != all[1] && all[1] != all[2] && all[0] != all[2],
        "{all:?}"
    );
    engine = engine.restart().await.unwrap();
    for (id, first) in ["a", "b", "c"].into_iter().zip(firsts) {
        let handle = engine.handle(forbidden, id).await.unwrap().unwrap();
        assert_eq!(handle.result().await.unwrap(), Err(ApiError::Forbidden));
        let delays = delays(&handle).await;
        assert_eq!((delays.len(), &delays[..1]), (3, &first[..]));
        assert!(
            delays[0] != delays[1] && delays[1] != delays[2],
            "{delays:?}"
        );
    }
}

async fn fails(_: Value) -> Result<Value, Error> {
    let attempt = activity::attempt();
    let error = Error::msg(format!("attempt {attempt}"));
    Err(if attempt == 3 {
        error.non_retryable()
    } else {
        error
    })
}

async fn tries(_: Value) -> Result<Value, Error> {
    let call = named::activity("fails", &json!(null)).retry(RetryPolicy::attempts(9));
    Ok(call.await?)
}

/// The library's own error keeps what it says through `?`, in functions by name as in others.
#[tokio::test]
async fn any_error_can_say_that_it_is_not_to_be_retried() {
    let registry = Registry::new()
        .named_activity("fails", fails)
        .named_orchestrator("tries", tries);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    let handle = engine.start(named::orchestrator("tries", &json!(null)));
    let handle = handle.await.unwrap();
    let failure = handle.result().await.unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "attempt 3");
    let Failure::Returned(returned) = failure else {
        panic!("{failure:?}");
    };
    assert!(returned.details.non_retryable);
    let error: Error = returned.error.decode().unwrap();
    assert!(!error.is_retryable());
}

#[activity(name = "handlers.never")]
async fn never() -> Result<u32, String> {
    Err(format!("attempt {}", activity::attempt()))
}

/// Attempts at 0 s, 60 s and 120 s by the time of the turns; the next would be at 180 s.
#[orchestrator(name = "handlers.in_time")]
async fn in_time() -> Result<u32, String> {
    let policy = RetryPolicy::attempts(100).initial(minutes(1)).backoff(1.0);
    never().retry(policy.total(seconds(150))).await
}

/// The time in which nothing ran counts, and what was decided before is not decided anew.
#[tokio::test]
async fn a_total_time_is_that_of_the_turns_over_restarts() {
    let mut engine = engine();
    let begin = engine.now();
    engine.start(in_time()).id("in_time").await.unwrap();
    for _ in 0..3 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
        engine.advance(minutes(1)).await;
    }
    let handle = engine.handle(in_time, "in_time").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), Err("attempt 3".to_owned()));
    assert_eq!(delays(&handle).await, [60_000, 60_000]);
    // Down for longer than the total while a delay ran: the attempt that was decided comes, and it is the last.
    let late = engine.start(in_time()).id("late").await.unwrap();
    engine.settle().await;
    engine = engine.restart().await.unwrap();
    engine.advance(hours(5)).await;
    drop(late);
    let late = engine.handle(in_time, "late").await.unwrap().unwrap();
    assert_eq!(late.result().await.unwrap(), Err("attempt 2".to_owned()));
    assert!(engine.now() >= begin + hours(5));
}
