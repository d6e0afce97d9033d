//! Code that does not fit its history, or is not there: the instance waits, keeps everything, and goes on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use durable_runtime::testing::TestEngine;
use durable_runtime::{
    Error, Failure, FaultKind, HistoryEvent, Outcome, Registry, StallReason, Stalled, Status,
    Summary, named,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::{engine_of, instance};

async fn echo(value: Value) -> Result<Value, Error> {
    Ok(value)
}

async fn two_steps(_: Value) -> Result<Value, Error> {
    let first = named::activity("first", &json!(1)).await?;
    let _approved = named::event("approval").wait().await;
    let second = named::activity("second", &json!(2)).await?;
    Ok(json!([first, second]))
}

async fn other_first(_: Value) -> Result<Value, Error> {
    let first = named::activity("another", &json!(1)).await?;
    let _approved = named::event("approval").wait().await;
    Ok(first)
}

async fn other_input(_: Value) -> Result<Value, Error> {
    let first = named::activity("first", &json!(7)).await?;
    let _approved = named::event("approval").wait().await;
    Ok(first)
}

async fn one_more(_: Value) -> Result<Value, Error> {
    let _first = named::activity("first", &json!(1)).await?;
    let extra = named::activity("another", &json!(1)).await?;
    Ok(extra)
}

/// The argument of its step is a set or map that is built anew at each replay.
async fn collects<S>(_: Value) -> Result<Value, Error>
where
    S: FromIterator<(u32, u32)> + Serialize,
{
    let of_one_value: S = (0..64).map(|n| (n, n)).collect();
    named::activity("first", &json!(of_one_value)).await?;
    let _approved = named::event("approval").wait().await;
    Ok(json!("done"))
}

async fn nothing(_: Value) -> Result<Value, Error> {
    Ok(json!("early"))
}

fn activities() -> Registry {
    Registry::new()
        .named_activity("first", echo)
        .named_activity("second", echo)
        .named_activity("another", echo)
}

fn with<F>(body: impl Fn(Value) -> F + Send + Sync + 'static) -> Registry
where
    F: Future<Output = Result<Value, Error>> + 'static,
{
    activities().named_orchestrator("flow", body)
}

/// The same code without the activity of its second step.
fn lacking() -> Registry {
    Registry::new()
        .named_activity("first", echo)
        .named_orchestrator("flow", two_steps)
}

fn flow() -> named::Orchestrator {
    named::orchestrator("flow", &json!(null))
}

/// An engine in which `flow` waits for its event, after its first step.
async fn half_way(registry: Registry) -> TestEngine {
    let engine = engine_of(registry);
    engine.start(flow()).id("one").await.unwrap();
    engine.settle().await;
    engine
}

async fn status(engine: &TestEngine) -> Summary {
    engine.settle().await;
    instance(engine, "one").await.summary().await.unwrap()
}

/// How it ends with the code that it began with.
async fn mended(engine: TestEngine) -> Summary {
    let engine = engine.restart_with(with(two_steps)).await.unwrap();
    instance(&engine, "one").await.wait().await.unwrap()
}

async fn approve(engine: &TestEngine) {
    let one = instance(engine, "one").await;
    one.raise(&named::event("approval"), json!(true))
        .await
        .unwrap();
}

#[tokio::test]
async fn every_kind_of_divergence_stalls_and_fitting_code_goes_on() {
    let changes: [(&str, Registry); 4] = [
        ("`another`", with(other_first)),
        ("input", with(other_input)),
        ("`another`", with(one_more)),
        ("nothing more", with(nothing)),
    ];
    for (expected, changed) in changes {
        let engine = half_way(with(two_steps))
            .await
            .restart_with(changed)
            .await
            .unwrap();
        approve(&engine).await;
        let summary = status(&engine).await;
        assert_eq!(summary.status, Status::Stalled, "{expected}");
        let Stalled { reason, report, .. } = summary.stalled.unwrap();
        assert_eq!(reason, StallReason::Divergence);
        assert!(report.contains(expected), "{expected}: {report}");
        assert!(
            report.contains("recorded:") && report.contains("requested:"),
            "{report}"
        );
        // Both places are named: the recorded one is in this file as well.
        assert!(report.contains("stalls.rs:"), "{report}");
        let summary = mended(engine).await;
        let Some(Outcome::Completed(output)) = summary.outcome else {
            panic!("{summary:?}")
        };
        assert_eq!(output.decode::<Value>().unwrap(), json!([1, 2]));
        assert!(summary.stalled.is_none());
    }
}

/// How an instance ends whose argument is such a set or map, if the engine starts again after it was recorded, with the
/// check of replays off, as it is in a release build. Each replay has seeds of its own, as each process.
async fn ends_with<S>() -> Summary
where
    S: FromIterator<(u32, u32)> + Serialize + 'static,
{
    let builder = TestEngine::builder().replay_check(false);
    let builder = builder.registry(with(collects::<S>));
    let engine = builder.start().unwrap();
    engine.start(flow()).id("one").await.unwrap();
    engine.settle().await;
    let registry = with(collects::<S>);
    let engine = engine.restart_with(registry).await.unwrap();
    approve(&engine).await;
    status(&engine).await
}

#[tokio::test]
async fn a_set_of_std_in_an_argument_stalls_after_a_restart() {
    let Stalled { reason, report, .. } = ends_with::<HashSet<(u32, u32)>>().await.stalled.unwrap();
    assert_eq!(reason, StallReason::Divergence);
    assert!(report.contains("in another order"), "{report}");
    let fine = [
        ends_with::<HashMap<u32, u32>>().await,
        ends_with::<BTreeSet<(u32, u32)>>().await,
        ends_with::<durable_runtime::HashSet<(u32, u32)>>().await,
    ];
    for summary in fine {
        assert_eq!(summary.status, Status::Completed, "{summary:?}");
    }
}

#[tokio::test]
async fn a_stall_is_recorded_once_however_often_the_engine_starts() {
    let mut engine = half_way(with(two_steps))
        .await
        .restart_with(with(other_first))
        .await
        .unwrap();
    approve(&engine).await;
    let events = status(&engine).await.events;
    for _ in 0..3 {
        engine = engine.restart_with(with(other_first)).await.unwrap();
        assert_eq!(status(&engine).await.events, events);
    }
}

#[tokio::test]
async fn an_unknown_orchestrator_stalls_and_says_what_to_do() {
    let engine = half_way(with(two_steps))
        .await
        .restart_with(activities())
        .await
        .unwrap();
    approve(&engine).await;
    let Stalled { reason, report, .. } = status(&engine).await.stalled.unwrap();
    assert_eq!(reason, StallReason::Unregistered);
    assert!(
        report.contains("no orchestrator `flow` is registered"),
        "{report}"
    );
    assert!(report.contains("use that_crate as _;"), "{report}");
}

#[tokio::test]
async fn an_unknown_activity_stalls_and_runs_once_it_is_there() {
    let engine = half_way(lacking()).await;
    approve(&engine).await;
    let Stalled { reason, report, .. } = status(&engine).await.stalled.unwrap();
    assert_eq!(reason, StallReason::Unregistered);
    assert!(
        report.contains("no activity `second` is registered"),
        "{report}"
    );
    assert_eq!(mended(engine).await.status, Status::Completed);
}

#[tokio::test]
async fn an_unknown_name_is_refused_at_the_start() {
    let engine = engine_of(activities());
    let error = engine.start(flow()).await.unwrap_err();
    assert!(
        error.to_string().contains("no orchestrator `flow`"),
        "{error}"
    );
}

#[tokio::test]
async fn an_id_that_breaks_the_rules_is_refused() {
    let engine = half_way(with(two_steps)).await;
    let error = engine.start(flow()).id("a/b").await.unwrap_err();
    assert!(
        error.to_string().contains("`a/b` cannot be an instance id"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stall_for_want_of_an_activity_outlasts_eviction_events_and_restarts() {
    let mut engine = half_way(lacking()).await;
    approve(&engine).await;
    let events = status(&engine).await.events;
    for _ in 0..3 {
        engine = engine.restart_with(lacking()).await.unwrap();
        let summary = status(&engine).await;
        assert_eq!((summary.status, summary.events), (Status::Stalled, events));
    }
    engine.evict().await;
    approve(&engine).await;
    assert_eq!(status(&engine).await.status, Status::Stalled);
    assert_eq!(mended(engine).await.status, Status::Completed);
}

async fn patient(_: Value) -> Result<Value, Error> {
    Ok(named::event("approval").wait().await)
}

async fn impatient(_: Value) -> Result<Value, Error> {
    let child = named::orchestrator("patient", &json!(null)).id("orphan");
    let _elapsed = child.timeout(Duration::from_secs(60)).await;
    Ok(json!("gone"))
}

#[tokio::test]
async fn a_stalled_orphan_is_told_once_however_often_the_engine_starts() {
    let parent = || Registry::new().named_orchestrator("impatient", impatient);
    let both = || parent().named_orchestrator("patient", patient);
    let engine = engine_of(both());
    let started = engine
        .start(named::orchestrator("impatient", &json!(null)))
        .await
        .unwrap();
    engine.settle().await;
    let started = started.id().to_string();
    let mut engine = engine.restart_with(parent()).await.unwrap();
    engine.advance(Duration::from_secs(60)).await;
    let waiter = instance(&engine, &started).await;
    assert_eq!(waiter.wait().await.unwrap().status, Status::Completed);
    for opening in 0..3 {
        engine.settle().await;
        let orphan = instance(&engine, "orphan").await;
        let history = orphan.history().await.unwrap();
        let told = history
            .iter()
            .filter(|event| matches!(event, HistoryEvent::CancelRequested(_)));
        assert_eq!(told.count(), 1, "opening {opening}: {history:?}");
        let summary = orphan.summary().await.unwrap();
        assert_eq!(summary.status, Status::Stalled, "{summary:?}");
        // By turns from the log and from the rows of a fold.
        if opening == 1 {
            engine.shutdown().await;
        }
        engine = engine.restart_with(parent()).await.unwrap();
    }
    let engine = engine.restart_with(both()).await.unwrap();
    let orphan = instance(&engine, "orphan").await;
    let Some(Outcome::Failed(Failure::Fault(fault))) = orphan.wait().await.unwrap().outcome else {
        panic!("{orphan:?}");
    };
    assert_eq!(fault.kind(), FaultKind::Cancelled);
}
