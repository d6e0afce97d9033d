//! What is purged by itself, some time after its end.

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, TestEngineBuilder};
use durable_runtime::{Registry, Status};

static GO: Event<u32> = Event::new("retention-go");

#[orchestrator(name = "retention.ends")]
async fn ends(number: u32) -> Result<u32, String> {
    sleep(hours(1)).await;
    if number.is_multiple_of(2) {
        Err("even".to_owned())
    } else {
        Ok(number)
    }
}

#[orchestrator(name = "retention.waits")]
async fn waits() -> u32 {
    GO.wait().await
}

fn builder() -> TestEngineBuilder {
    let registry = Registry::new().orchestrator(ends).orchestrator(waits);
    TestEngine::builder().registry(registry)
}

/// How many there are of each status: completed, failed, terminated, running.
async fn counts(engine: &TestEngine) -> [u64; 4] {
    let counts = engine.counts().await.unwrap();
    let statuses = [
        Status::Completed,
        Status::Failed,
        Status::Terminated,
        Status::Running,
    ];
    statuses.map(|status| counts.of(status))
}

#[tokio::test]
async fn what_ended_is_purged_when_its_time_is_over_and_not_before() {
    let builder = builder()
        .retention(days(30))
        .retention_of(Status::Failed, days(90));
    let mut engine = builder.start().unwrap();
    for number in 0..300 {
        engine.start(ends(number)).await.unwrap();
    }
    engine.start(waits()).id("retention-1").await.unwrap();
    let ended = engine.start(waits()).await.unwrap();
    ended.terminate("enough").await.unwrap();
    engine.advance(hours(1)).await;
    assert_eq!(counts(&engine).await, [150, 150, 1, 1]);
    engine.advance(days(29)).await;
    assert_eq!(counts(&engine).await, [150, 150, 1, 1]);
    engine.advance(days(1) + hours(1)).await;
    assert_eq!(counts(&engine).await, [0, 150, 0, 1]);
    // How long is kept is said by the program, and not recorded.
    engine = engine
        .restart_with(Registry::new().orchestrator(ends).orchestrator(waits))
        .await
        .unwrap();
    engine.start(ends(1)).id("retention-2").await.unwrap();
    engine.advance(days(40)).await;
    engine.advance(days(40)).await;
    assert_eq!(counts(&engine).await, [0, 0, 0, 1]);
}

#[tokio::test]
async fn without_a_word_everything_is_kept() {
    let engine = builder().start().unwrap();
    for number in 0..10 {
        engine.start(ends(number)).await.unwrap();
    }
    engine.advance(days(1)).await;
    engine.advance(days(10_000)).await;
    assert_eq!(counts(&engine).await, [5, 5, 0, 0]);
}

/// The clock of a test goes on for what somebody waits for, and for nothing else.
#[tokio::test]
async fn the_look_for_what_is_over_moves_no_clock() {
    let engine = builder().retention(days(1)).start().unwrap();
    let began = engine.now();
    let handle = engine.start(waits()).await.unwrap();
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(200), handle.wait());
    assert!(waiting.await.is_err());
    assert_eq!(engine.now(), began);
}
