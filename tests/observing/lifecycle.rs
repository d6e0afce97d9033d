//! The stream of what happens to instances.

use durable_runtime::prelude::*;
use durable_runtime::{LifecycleEvent, LifecycleEvents, LifecycleKind, Missed};

use crate::{engine, mail};

/// The events up to the one that this instance ended with.
async fn until_the_end(events: &mut LifecycleEvents, id: &str) -> Vec<LifecycleEvent> {
    let mut seen = Vec::new();
    loop {
        let event = events.next().await.unwrap().unwrap();
        let is_end = matches!(event.kind, LifecycleKind::Completed | LifecycleKind::Failed);
        let is_last = is_end && event.id.as_str() == id;
        seen.push(event);
        if is_last {
            return seen;
        }
    }
}

fn stages(events: &[LifecycleEvent]) -> Vec<String> {
    let stage = |event: &LifecycleEvent| format!("{} {} {}", event.id, event.execution, event.kind);
    events.iter().map(stage).collect()
}

#[orchestrator(name = "lifecycle.parent", version = "3")]
async fn parent(rounds: u32) -> Result<u32, String> {
    if rounds > 0 {
        sleep(hours(1)).await;
        return continue_as_new(parent(rounds - 1)).await;
    }
    mail().id("life-child").await;
    Err("it went wrong".to_owned())
}

#[tokio::test]
async fn each_stage_of_an_instance_is_told_once_and_in_order() {
    let engine = engine();
    let mut events = engine.events();
    engine.start(parent(1)).id("life").await.unwrap();
    engine.advance(hours(1)).await;
    let seen = until_the_end(&mut events, "life").await;
    assert_eq!(
        stages(&seen),
        [
            "life 1 created",
            "life 1 started",
            "life 1 continued",
            "life 2 started",
            "life-child 1 created",
            "life-child 1 started",
            "life-child 1 completed",
            "life 2 failed",
        ]
    );
    let (created, failed) = (&seen[0], &seen[7]);
    assert_eq!(created.name, "lifecycle.parent");
    assert_eq!(created.version.as_deref(), Some("3"));
    assert_eq!(failed.reason.as_deref(), Some("it went wrong"));
    let passed = failed.at.duration_since(created.at).unwrap();
    assert!(passed >= hours(1) && passed < hours(2), "{passed:?}");
}

#[tokio::test]
async fn a_stall_is_told_with_its_report() {
    let engine = engine();
    engine.start(parent(1)).id("stalls").await.unwrap();
    engine.settle().await;
    let engine = engine
        .restart_with(durable_runtime::Registry::new())
        .await
        .unwrap();
    let mut events = engine.events();
    engine.advance(hours(2)).await;
    let stalled = events.next().await.unwrap().unwrap();
    assert_eq!(stages(std::slice::from_ref(&stalled)), ["stalls 1 stalled"]);
    assert!(stalled.reason.unwrap().contains("lifecycle.parent"));
}

#[tokio::test]
async fn a_slow_receiver_loses_the_oldest_and_is_told_how_many() {
    let engine = engine();
    let mut events = engine.events();
    // Three events each, and 4,096 are kept.
    for _ in 0..1_500 {
        engine.start(mail()).await.unwrap();
    }
    engine.settle().await;
    assert_eq!(events.next().await, Some(Err(Missed(404))));
    for _ in 0..4_096 {
        assert!(matches!(events.next().await, Some(Ok(_))));
    }
    // Who comes late hears nothing of that, and everybody the same from then on.
    let mut late = engine.events();
    engine.start(mail()).id("late").await.unwrap();
    for events in [&mut events, &mut late] {
        assert_eq!(events.next().await.unwrap().unwrap().id.as_str(), "late");
    }
}

#[tokio::test]
async fn the_stream_ends_with_the_engine() {
    let engine = engine();
    let mut events = engine.events();
    engine
        .start(mail())
        .id("last")
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    engine.shutdown().await;
    for _ in 0..3 {
        assert!(matches!(events.next().await, Some(Ok(_))));
    }
    assert_eq!(events.next().await, None);
    assert_eq!(engine.events().next().await, None);
}
