//! Everything by name and JSON, as tools use it, alone and mixed with what is typed.

use durable_runtime::orchestration::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Error, Failure, FaultKind, LookupError, Outcome, Registry, RetryPolicy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

static SIGNED: Event<u32> = Event::new("by-name-signed");

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TooMuch {
    by: u32,
}

#[activity(name = "by_name.limited")]
async fn limited(amount: u32, limit: u32) -> Result<u32, TooMuch> {
    match amount.checked_sub(limit) {
        Some(by @ 1..) => Err(TooMuch { by }),
        _ => Ok(amount),
    }
}

#[activity(name = "by_name.panics")]
async fn panics() -> u32 {
    panic!("no text");
}

#[orchestrator(name = "by_name.typed")]
async fn typed(amount: u32) -> Result<u32, TooMuch> {
    let amount = limited(amount, 100).await?;
    Ok(amount + SIGNED.wait().await)
}

/// Typed, but what it calls is found by name.
#[orchestrator(name = "by_name.typed_calls_named")]
async fn typed_calls_named(text: String) -> String {
    let shouted = named::activity("by_name.shout", &json!(text)).await;
    let child = named::orchestrator("by_name.closure_flow", &json!(1)).await;
    format!("{} {}", shouted.unwrap(), child.unwrap())
}

#[orchestrator(name = "by_name.other")]
async fn other() {}

async fn shout(text: Value) -> Result<Value, Error> {
    let text: String = serde_json::from_value(text)?;
    if text.is_empty() {
        return Err(Error::msg("nothing to shout"));
    }
    Ok(json!(text.to_uppercase()))
}

/// By name, but what it calls is typed.
async fn closure_flow(n: Value) -> Result<Value, Error> {
    let n: u32 = serde_json::from_value(n)?;
    let plain = limited(n, 100)
        .await
        .map_err(|error| Error::msg(format!("{error:?}")))?;
    sleep(hours(1)).await;
    Ok(json!({ "plain": plain }))
}

/// Every twin once, and what each gives for each kind of end.
async fn twins(input: Value) -> Result<Value, Error> {
    let typed_activity = named::activity("by_name.limited", &json!([7, 100])).await?;
    let refused = named::activity("by_name.limited", &json!([107, 100])).await;
    let Err(Failure::Returned(refused)) = refused else {
        return Err(Error::msg("a returned error was expected"));
    };
    let panicked = named::activity("by_name.panics", &Value::Null).await;
    let Err(Failure::Fault(panicked)) = panicked else {
        return Err(Error::msg("a fault was expected"));
    };
    let event = named::event("by-name-any").wait().await;
    let child = named::orchestrator("by_name.closure_flow", &json!(3))
        .id("the-child")
        .await?;
    Ok(json!({
        "input": input,
        "activity": typed_activity,
        "refused": refused.error.decode::<Value>()?,
        "panicked": panicked.kind() == FaultKind::Panicked,
        "event": event,
        "child": child,
    }))
}

async fn again(left: Value) -> Result<Value, Error> {
    match left.as_u64() {
        Some(0) | None => Ok(json!(info().execution.0)),
        Some(left) => Ok(named::continue_as_new(&json!(left - 1)).await),
    }
}

async fn patient(_: Value) -> Result<Value, Error> {
    let policy = RetryPolicy::attempts(3).initial(seconds(1));
    let call = named::activity("by_name.shout", &json!("")).retry(policy);
    let failure = call.await.unwrap_err();
    let late = named::orchestrator("by_name.closure_flow", &json!(1))
        .timeout(minutes(1))
        .await;
    Ok(json!([failure.to_string(), late.is_err()]))
}

fn registry() -> Registry {
    Registry::new()
        .activity(limited)
        .activity(panics)
        .named_activity("by_name.shout", shout)
        .orchestrator(typed)
        .orchestrator(typed_calls_named)
        .orchestrator(other)
        .named_orchestrator("by_name.closure_flow", closure_flow)
        .named_orchestrator("by_name.twins", twins)
        .named_orchestrator("by_name.again", again)
        .named_orchestrator("by_name.patient", patient)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

#[tokio::test]
async fn a_typed_orchestrator_is_started_and_answered_by_name() {
    let engine = engine();
    let handle = engine
        .start(named::orchestrator("by_name.typed", &json!(20)))
        .id("typed")
        .await
        .unwrap();
    handle
        .raise(&named::event("by-name-signed"), json!(5))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(json!(25)));
    // The very instance, with its types.
    let typed = engine.handle(typed, "typed").await.unwrap().unwrap();
    assert_eq!(typed.result().await.unwrap(), Ok(25));
    let refused = engine
        .start(named::orchestrator("by_name.typed", &json!(101)))
        .await
        .unwrap();
    let Err(Failure::Returned(returned)) = refused.result().await.unwrap() else {
        panic!("a returned error was expected");
    };
    assert_eq!(returned.error.decode::<Value>().unwrap(), json!({"by": 1}));
}

#[tokio::test]
async fn every_twin_does_what_the_typed_one_does() {
    let engine = engine();
    let handle = engine
        .start(named::orchestrator("by_name.twins", &json!({"a": 1})))
        .await
        .unwrap();
    handle
        .raise(&named::event("BY-NAME-ANY"), json!(["x"]))
        .await
        .unwrap();
    let expected = json!({
        "input": {"a": 1},
        "activity": 7,
        "refused": {"by": 7},
        "panicked": true,
        "event": ["x"],
        "child": {"plain": 3},
    });
    assert_eq!(handle.result().await.unwrap(), Ok(expected));
    let child = engine.instance("the-child").await.unwrap().unwrap();
    let parent = child.summary().await.unwrap().parent.unwrap();
    assert_eq!(&parent.instance, handle.id());
}

#[tokio::test]
async fn typed_code_calls_what_is_registered_by_name_and_the_other_way_round() {
    let engine = engine();
    let handle = engine
        .start(typed_calls_named("hi".to_owned()))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), r#""HI" {"plain":1}"#);
    let closure = engine
        .start(named::orchestrator("by_name.closure_flow", &json!(107)))
        .await
        .unwrap();
    let error = closure.result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "TooMuch { by: 7 }");
}

#[tokio::test]
async fn a_closure_continues_as_new_retries_and_keeps_deadlines() {
    let engine = engine();
    let handle = engine
        .start(named::orchestrator("by_name.again", &json!(4)))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(json!(5)));
    let started = engine.now();
    let handle = engine
        .start(named::orchestrator("by_name.patient", &Value::Null))
        .await
        .unwrap();
    let result = handle.result().await.unwrap();
    assert_eq!(result, Ok(json!(["nothing to shout", true])));
    let took = engine.now().duration_since(started).unwrap();
    assert_eq!(took, seconds(1 + 2 + 60));
}

#[tokio::test]
async fn an_error_of_a_closure_is_told_as_a_failure() {
    let engine = engine();
    let handle = engine
        .start(named::orchestrator(
            "by_name.closure_flow",
            &json!("no number"),
        ))
        .await
        .unwrap();
    let summary = handle.wait().await.unwrap();
    let Some(Outcome::Failed(Failure::Returned(returned))) = summary.outcome else {
        panic!("{:?}", summary.outcome);
    };
    assert_eq!(returned.details.error_type, "serde_json::error::Error");
    assert!(
        returned.details.message.contains("invalid type"),
        "{:?}",
        returned.details
    );
}

#[tokio::test]
async fn a_handle_with_the_types_of_another_orchestrator_is_refused() {
    let engine = engine();
    engine.start(other()).id("one").await.unwrap();
    let error = engine.handle(typed, "one").await.unwrap_err();
    assert!(matches!(error, LookupError::OtherOrchestrator { .. }));
    assert_eq!(
        error.to_string(),
        "instance `one` runs `by_name.other`, not `by_name.typed`"
    );
    assert!(engine.handle(other, "one").await.unwrap().is_some());
}

#[tokio::test]
async fn handles_are_found_by_id_also_by_ids_that_the_engine_made() {
    let engine = engine();
    let handle = engine.start(other()).await.unwrap();
    let id = handle.id().as_str();
    assert!(id.starts_with('~') && id.len() == 27, "{id}");
    let found = engine.handle(other, id).await.unwrap().unwrap();
    found.result().await.unwrap();
    assert!(engine.instance("nobody").await.unwrap().is_none());
    assert!(engine.handle(other, "nobody").await.unwrap().is_none());
    let error = engine.instance("not/an/id").await.unwrap_err();
    assert!(matches!(error, LookupError::InvalidId(_)), "{error}");
}
