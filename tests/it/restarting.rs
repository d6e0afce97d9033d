//! Starting an instance again, as it was started before.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, StartError, Status, VersionPolicy, WaitError, named};
use serde_json::json;

use crate::support::{engine, instance};

static GO: Event<u32> = Event::new("restarting-go");

#[orchestrator(name = "restarting.flow", version = "3")]
async fn flow(number: u32) -> u32 {
    number + GO.wait().await
}

#[orchestrator(name = "restarting.rounds")]
async fn rounds(round: u32) -> u32 {
    if round < 3 {
        continue_as_new(rounds(round + 1)).await
    } else {
        round
    }
}

#[tokio::test]
async fn under_the_same_id_it_is_started_as_it_was_once_it_has_ended() {
    let mut engine = engine();
    let start = engine
        .start(flow(40))
        .id("restarting-1")
        .tag("town", "Praha");
    let first = start.await.unwrap();
    engine.settle().await;
    let error = first.restart().await.unwrap_err();
    let StartError::Exists { id, status } = error else {
        panic!("{error}");
    };
    assert_eq!((id.as_str(), status), ("restarting-1", Status::Running));
    first.raise(&GO, 2).await.unwrap();
    assert_eq!(first.result().await.unwrap(), 42);
    let second = first.restart().await.unwrap();
    assert!(matches!(first.wait().await, Err(WaitError::NotFound(_))));
    let error = first.restart().await.unwrap_err();
    assert!(matches!(error, StartError::NotFound(_)), "{error}");
    engine.settle().await;
    let summary = second.summary().await.unwrap();
    assert_eq!(summary.status, Status::Running);
    assert_eq!(summary.tags["town"], "Praha");
    assert_eq!(summary.version.as_deref(), Some("3"));
    engine = engine.restart().await.unwrap();
    let second = engine.handle(flow, "restarting-1").await.unwrap().unwrap();
    second.raise(&GO, 3).await.unwrap();
    assert_eq!(second.result().await.unwrap(), 43);
}

#[tokio::test]
async fn under_another_id_it_is_started_beside_the_old_one_which_may_run() {
    let engine = engine();
    let first = engine.start(flow(1)).id("restarting-2").await.unwrap();
    let made = first.restart().with_new_id().await.unwrap();
    let given = first.restart().id("restarting-2b").await.unwrap();
    assert!(made.id().as_str().starts_with('~'));
    for (handle, number) in [(&first, 1), (&made, 2), (&given, 3)] {
        handle.raise(&GO, number).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), 1 + number);
    }
    // Nobody is replaced by a restart under another id.
    let taken = first.restart().id("restarting-2b").await.unwrap_err();
    assert!(taken.is_conflict(), "{taken}");
    let invalid = first.restart().id("a/b").await.unwrap_err();
    assert!(matches!(invalid, StartError::InvalidId(_)), "{invalid}");
}

#[tokio::test]
async fn the_input_is_that_of_the_last_execution() {
    let engine = engine();
    let first = engine.start(rounds(0)).id("restarting-3").await.unwrap();
    assert_eq!(first.result().await.unwrap(), 3);
    let again = first.restart().await.unwrap();
    assert_eq!(again.result().await.unwrap(), 3);
    let summary = again.summary().await.unwrap();
    assert_eq!(summary.execution.to_string(), "1");
    assert_eq!(summary.input.decode::<u32>().unwrap(), 3);
}

#[orchestrator(name = "restarting.parent")]
async fn parent() -> u32 {
    flow(5).id("restarting-child").await
}

#[tokio::test]
async fn a_child_that_is_started_again_has_no_parent() {
    let engine = engine();
    let parent = engine.start(parent()).await.unwrap();
    engine.settle().await;
    let child = instance(&engine, "restarting-child").await;
    child.raise(&GO, 1).await.unwrap();
    assert_eq!(parent.result().await.unwrap(), 6);
    let again = child.restart().await.unwrap();
    assert_eq!(again.summary().await.unwrap().parent, None);
    again.raise(&GO, 9).await.unwrap();
    again.wait().await.unwrap();
    assert_eq!(parent.result().await.unwrap(), 6);
}

#[tokio::test]
async fn what_this_program_does_not_have_is_not_started_and_the_old_one_stays() {
    let mut engine = engine();
    let first = engine.start(rounds(3)).id("restarting-4").await.unwrap();
    first.wait().await.unwrap();
    engine = engine.restart_with(Registry::new()).await.unwrap();
    let first = instance(&engine, "restarting-4").await;
    let error = first.restart().await.unwrap_err();
    assert!(matches!(error, StartError::Unregistered(_)), "{error}");
    assert_eq!(first.status().await.unwrap(), Status::Completed);
}

/// The policy lets this program run it, and yet it was told that nothing could.
#[tokio::test]
async fn one_of_an_older_version_is_started_again_where_a_greater_one_runs_it() {
    let builder = TestEngine::builder().registry(Registry::new().orchestrator(flow));
    let builder = builder.versions(VersionPolicy::CurrentOrOlder);
    let engine = builder.start().unwrap();
    let older = named::orchestrator("restarting.flow", &json!(1)).version("2");
    let first = engine.start(older).id("restarting-old").await.unwrap();
    first.raise(&GO, 1).await.unwrap();
    first.wait().await.unwrap();
    let again = first.restart().await.unwrap();
    again.raise(&GO, 2).await.unwrap();
    assert_eq!(again.wait().await.unwrap().version.as_deref(), Some("2"));
    assert_eq!(again.result().await.unwrap().unwrap(), json!(3));
}
