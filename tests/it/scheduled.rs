//! Starts for later.

use std::time::SystemTime;

use durable_runtime::prelude::*;
use durable_runtime::{Registry, Status};

use crate::support::{engine_of, instance, recorded};

static GO: Event<u32> = Event::new("scheduled-go");

/// When it began, by its own time.
#[orchestrator(name = "scheduled.begins")]
async fn begins() -> SystemTime {
    now()
}

#[orchestrator(name = "scheduled.takes")]
async fn takes() -> (u32, u32) {
    (GO.wait().await, GO.wait().await)
}

fn registry() -> Registry {
    Registry::new().orchestrator(begins).orchestrator(takes)
}

#[tokio::test]
async fn the_first_turn_runs_when_its_time_has_come_and_not_before() {
    let engine = engine_of(registry());
    let at = engine.now() + days(3);
    let begins = engine.start(begins()).at(at).await.unwrap();
    engine.advance(hours(71)).await;
    let summary = begins.summary().await.unwrap();
    assert_eq!(
        (summary.status, summary.start_at),
        (Status::Pending, Some(at))
    );
    assert_eq!(recorded(&begins).await, ["started"]);
    assert_eq!(begins.result().await.unwrap(), at);
}

#[tokio::test]
async fn a_time_in_the_past_is_now() {
    let engine = engine_of(registry());
    let before = engine.now() - days(1);
    let begun = engine.start(begins()).at(before).await.unwrap();
    assert_eq!(begun.result().await.unwrap(), engine.now());
    assert_eq!(begun.summary().await.unwrap().start_at, Some(before));
}

#[tokio::test]
async fn what_reaches_it_before_is_recorded_and_waits() {
    let engine = engine_of(registry());
    let takes = engine.start(takes()).id("t").after(days(1)).await.unwrap();
    takes.raise(&GO, 1).await.unwrap();
    engine.evict().await;
    let engine = engine.restart_with(registry()).await.unwrap();
    let takes = instance(&engine, "t").await;
    takes.raise(&GO, 2).await.unwrap();
    engine.settle().await;
    let before = ["started", "event raised", "event raised"];
    assert_eq!(recorded(&takes).await, before);
    assert_eq!(takes.status().await.unwrap(), Status::Pending);
    engine.advance(days(1)).await;
    assert_eq!(takes.status().await.unwrap(), Status::Completed);
    assert_eq!(recorded(&takes).await[3..], ["turn", "completed"]);
}

/// The time has passed while nobody ran.
#[tokio::test]
async fn it_begins_at_the_next_opening_if_its_time_has_come_meanwhile() {
    let engine = engine_of(registry());
    engine
        .start(begins())
        .id("b")
        .after(hours(1))
        .await
        .unwrap();
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.advance(hours(1)).await;
    let begun = instance(&engine, "b").await;
    assert_eq!(begun.status().await.unwrap(), Status::Completed);
}

#[tokio::test]
async fn a_second_start_attaches_whatever_its_time() {
    let engine = engine_of(registry());
    let first = engine
        .start(begins())
        .id("one")
        .after(days(1))
        .await
        .unwrap();
    let again = engine.start(begins()).id("one").await.unwrap();
    engine.settle().await;
    assert_eq!(again.status().await.unwrap(), Status::Pending);
    assert_eq!(again.result().await.unwrap(), first.result().await.unwrap());
}

#[tokio::test]
async fn one_that_waits_for_its_time_can_be_ended() {
    let engine = engine_of(registry());
    let begins = engine.start(begins()).after(days(1)).await.unwrap();
    begins.terminate("not needed").await.unwrap();
    engine.advance(days(2)).await;
    assert_eq!(begins.status().await.unwrap(), Status::Terminated);
    assert_eq!(recorded(&begins).await, ["started", "terminated"]);
}
