//! Calls outside an engine, and calls that travel: made here, moved to another task, started there.

use std::sync::Arc;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{ActivityCall, OrchestratorCall, Registry};
use serde::{Deserialize, Serialize};

/// What an HTTP framework asks of a handler: a future that any of its threads may run.
async fn serve<Fut>(handler: impl FnOnce() -> Fut + Send + 'static) -> Fut::Output
where
    Fut: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(async move { handler().await }).await.unwrap()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ticket {
    seat: u32,
}

#[derive(Clone)]
pub(crate) struct Seats(Arc<Vec<u32>>);

/// Whom an activity greets from.
pub(crate) struct Greeter(&'static str);

#[activity(name = "outside.reserve")]
async fn reserve(#[state] seats: &Seats, wish: u32) -> Result<Ticket, String> {
    let found = seats.0.iter().find(|seat| **seat == wish);
    found
        .map(|seat| Ticket { seat: *seat })
        .ok_or_else(|| format!("no seat {wish}"))
}

#[activity(name = "outside.greet")]
async fn greet(#[state] from: &Arc<Greeter>, #[state] seats: &Seats, name: String) -> String {
    format!("{} greets {name} at {:?}", from.0, seats.0)
}

#[activity(name = "outside.factorial")]
async fn factorial(n: u64) -> u64 {
    // An activity that calls an activity calls a function.
    if n < 2 { 1 } else { n * factorial(n - 1).await }
}

#[activity(name = "outside.many")]
async fn many(
    a: u8,
    (b, c): (u16, i32),
    mut d: Vec<String>,
    _: bool,
    last: Option<char>,
) -> String {
    d.push(format!("{a} {b} {c} {last:?}"));
    d.join(",")
}

#[activity(name = "outside.nothing")]
async fn nothing() {}

#[orchestrator(name = "outside.book")]
async fn book(wish: u32) -> Result<Ticket, String> {
    nothing().await;
    reserve(wish).await
}

/// As deep as it is told to.
#[orchestrator(name = "outside.deep")]
async fn deep(n: u64, mut path: Vec<u64>) -> Vec<u64> {
    path.push(factorial(n).await);
    if n == 0 {
        path
    } else {
        deep(n - 1, path).await
    }
}

#[orchestrator(name = "outside.packed", codec = "bincode")]
async fn packed((low, high): (u64, u64), text: String) -> Result<(u64, String), Ticket> {
    let sum = packed_activity(low, high)
        .await
        .map_err(|seat| Ticket { seat })?;
    let inner = packed_child(text).await.unwrap_or_default();
    Ok((sum, inner))
}

#[activity(name = "outside.packed_activity", codec = "bincode")]
async fn packed_activity(low: u64, high: u64) -> Result<u64, u32> {
    low.checked_add(high).ok_or(3)
}

#[orchestrator(name = "outside.packed_child", codec = "bincode")]
async fn packed_child(text: String) -> Result<String, ()> {
    sleep(hours(1)).await;
    Ok(text)
}

pub(crate) fn seats() -> Seats {
    Seats(Arc::new(vec![1, 2, 3]))
}

pub(crate) fn greeter() -> Arc<Greeter> {
    Arc::new(Greeter("the engine"))
}

fn registry() -> Registry {
    Registry::new()
        .activity(reserve)
        .activity(greet)
        .activity(factorial)
        .activity(many)
        .activity(nothing)
        .activity(packed_activity)
        .orchestrator(book)
        .orchestrator(deep)
        .orchestrator(packed)
        .orchestrator(packed_child)
}

fn engine() -> TestEngine {
    let builder = TestEngine::builder().registry(registry()).state(seats());
    builder.state(greeter()).start().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_may_make_a_call_and_hand_it_to_another_task() {
    let engine = engine();
    let call = book(2);
    let starter = (*engine).clone();
    let ticket = serve(move || async move {
        let handle = starter.start(call).id("booking").await.unwrap();
        tokio::spawn(async move { handle.result().await })
            .await
            .unwrap()
            .unwrap()
    });
    assert_eq!(ticket.await, Ok(Ticket { seat: 2 }));
    let direct = reserve(9);
    let refused = serve(move || async move { direct.with_state(&seats()).await });
    assert_eq!(refused.await, Err("no seat 9".to_owned()));
}

#[tokio::test]
async fn a_call_is_send_and_unpin_and_borrows_nothing() {
    fn free<T: Send + Unpin + 'static>(call: T) -> T {
        call
    }
    let activity: ActivityCall<u64, _> = free(factorial(5));
    assert_eq!(activity.await, 120);
    let orchestrator: OrchestratorCall<Result<Ticket, String>, _> = free(book(1));
    let engine = engine();
    let handle = engine.start(orchestrator).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(Ticket { seat: 1 }));
}

#[tokio::test]
async fn an_activity_outside_runs_its_body_with_the_state_it_is_given() {
    let greeter = Arc::new(Greeter("nobody"));
    let call = greet("Ada".to_owned())
        .with_state(&greeter)
        .with_state(&seats());
    assert_eq!(call.await, "nobody greets Ada at [1, 2, 3]");
    assert_eq!(
        many(1, (2, -3), vec!["x".to_owned()], true, Some('e')).await,
        "x,1 2 -3 Some('e')"
    );
    nothing().await;
}

#[tokio::test]
async fn state_that_is_missing_outside_is_named_in_the_panic() {
    let half = greet("Ada".to_owned()).with_state(&seats());
    let panic = tokio::spawn(half).await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("activity `outside.greet`"), "{message}");
    assert!(message.contains("Greeter"), "{message}");
    assert!(!message.contains("Seats"), "{message}");
    assert!(message.contains(".with_state(&value)"), "{message}");
}

#[tokio::test]
async fn an_orchestrator_awaited_outside_says_how_it_is_started() {
    let panic = tokio::spawn(book(1)).await.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("`outside.book`") && message.contains("engine.start("),
        "{message}"
    );
}

#[tokio::test]
async fn functions_call_themselves() {
    assert_eq!(factorial(10).await, 3_628_800);
    let engine = engine();
    let handle = engine.start(deep(5, vec![])).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), [120, 24, 6, 2, 1, 1]);
}

#[tokio::test]
async fn bincode_goes_all_the_way_and_over_a_restart() {
    let engine = engine();
    let call = packed((u64::MAX - 1, 1), "unchanged".to_owned());
    let handle = engine.start(call).id("packed").await.unwrap();
    engine.settle().await;
    drop(handle);
    let engine = engine.restart_with(registry()).await.unwrap();
    let handle = engine.handle(packed, "packed").await.unwrap().unwrap();
    let expected = (u64::MAX, "unchanged".to_owned());
    assert_eq!(handle.result().await.unwrap(), Ok(expected));
    let overflow = engine
        .start(packed((u64::MAX, 1), String::new()))
        .await
        .unwrap();
    assert_eq!(overflow.result().await.unwrap(), Err(Ticket { seat: 3 }));
}
