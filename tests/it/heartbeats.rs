//! Heartbeats: silence is noticed, what was said is there for the next attempt, and time is virtual.

use std::sync::Mutex;
use std::time::Duration;

use durable_runtime::activity::Heart;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Registry};

use crate::real_files::Scratch;
use crate::support::{Gate, engine, kinds};

/// Where the attempts of a test got to, and what they had been told.
static LOG: Mutex<Vec<(String, u32, Option<u32>)>> = Mutex::new(Vec::new());

fn log_of(job: &str) -> Vec<(u32, Option<u32>)> {
    let log = LOG.lock().unwrap();
    let ours = log.iter().filter(|(of, ..)| of == job);
    ours.map(|(_, attempt, told)| (*attempt, *told)).collect()
}

/// Hearts of attempts that beat only when the test says so.
static HEARTS: Mutex<Vec<(String, Heart)>> = Mutex::new(Vec::new());

fn beat(job: &str, page: u32) {
    let hearts = HEARTS.lock().unwrap();
    let (_, heart) = hearts.iter().rev().find(|(of, _)| of == job).unwrap();
    heart.beat(page);
}

/// Notes what it was told and then hangs; its heart beats when the test says so.
#[activity(
    name = "heartbeats.hangs",
    heartbeat_timeout = "10s",
    retry(max_attempts = 3, initial = "1s")
)]
async fn hangs(job: String) -> u32 {
    let told = activity::last_heartbeat::<u32>();
    LOG.lock()
        .unwrap()
        .push((job.clone(), activity::attempt(), told));
    HEARTS.lock().unwrap().push((job, activity::heart()));
    std::future::pending().await
}

#[orchestrator(name = "heartbeats.waits")]
async fn waits(job: String) -> String {
    match hangs(job).catch().await {
        Ok(n) => format!("returned {n}"),
        Err(fault) => format!("{:?}: {}", fault.kind(), fault.message()),
    }
}

#[tokio::test]
async fn a_silent_attempt_times_out_and_the_next_is_told_what_was_said_last() {
    let engine = engine();
    let job = || "silent".to_owned();
    let handle = engine.start(waits(job())).await.unwrap();
    engine.settle().await;
    // It may be silent for ten seconds at a time, and for as long as it likes in all.
    for page in 1..=5 {
        engine.advance(seconds(9)).await;
        beat(&job(), page);
    }
    engine.advance(Duration::from_millis(9_999)).await;
    assert_eq!(log_of(&job()), [(1, None)]);
    engine.advance(Duration::from_millis(1)).await;
    engine.advance(seconds(1)).await;
    assert_eq!(log_of(&job()), [(1, None), (2, Some(5))]);
    // The second says nothing, so the third is told what the first had said.
    for step in [10, 2, 10] {
        engine.advance(seconds(step)).await;
    }
    assert_eq!(log_of(&job()), [(1, None), (2, Some(5)), (3, Some(5))]);
    let end = handle.result().await.unwrap();
    assert!(
        end.starts_with("TimedOut: the attempt sent no heartbeat"),
        "{end}"
    );
    let history = handle.history().await.unwrap();
    assert_eq!(
        kinds(&history)[2..5],
        ["activity", "heartbeat", "activity failed"]
    );
}

#[activity(name = "heartbeats.fails", retry(max_attempts = 2, initial = "1s"))]
async fn fails(how: String) -> Result<Option<u32>, String> {
    let told = activity::last_heartbeat::<u32>();
    if told.is_none() {
        activity::heartbeat(6);
        activity::heartbeat(7);
        match &*how {
            "panics" => panic!("at seven"),
            "cannot be read" => activity::heartbeat("text"),
            "within" => within().await,
            _ => {}
        }
        if activity::attempt() == 1 {
            return Err("at seven".to_owned());
        }
    }
    Ok(told)
}

/// A call within an activity beats with that one's heart.
#[activity(name = "heartbeats.within")]
async fn within() {
    activity::heartbeat(8);
}

#[orchestrator(name = "heartbeats.retries")]
async fn retries(how: String) -> Result<Option<u32>, String> {
    fails(how).await
}

#[tokio::test]
async fn however_an_attempt_fails_its_last_word_is_kept() {
    let engine = engine();
    for (how, told) in [
        ("returns", Some(7)),
        ("panics", Some(7)),
        ("cannot be read", None),
        ("within", Some(8)),
    ] {
        let handle = engine.start(retries(how.to_owned())).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), Ok(told), "{how}");
    }
}

#[activity(name = "heartbeats.unrecordable")]
async fn unrecordable() {
    activity::heartbeat("x".repeat(70_000));
}

#[orchestrator(name = "heartbeats.says_too_much")]
async fn says_too_much() -> String {
    let fault = unrecordable().catch().await.unwrap_err();
    fault.to_string()
}

#[tokio::test]
async fn details_that_are_too_large_are_a_fault_that_says_so() {
    let engine = engine();
    let handle = engine.start(says_too_much()).await.unwrap();
    let fault = handle.result().await.unwrap();
    assert!(
        fault.contains("`heartbeats.unrecordable` panicked")
            && fault.contains("the limit is 65536 bytes"),
        "{fault}"
    );
}

#[activity(name = "heartbeats.told")]
async fn told() -> Option<u32> {
    activity::heartbeat(1);
    activity::last_heartbeat()
}

#[tokio::test]
async fn without_an_engine_a_heart_beats_for_nobody() {
    assert_eq!(told().await, None);
}

static SLOW: Gate = Gate::new();

#[activity(name = "heartbeats.slow")]
async fn slow() -> u32 {
    SLOW.pass().await;
    1
}

#[orchestrator(name = "heartbeats.by_call")]
async fn by_call() -> bool {
    let call = slow().attempt_timeout(hours(1));
    let limited = call.heartbeat_timeout(seconds(5)).catch().await;
    GO.wait().await;
    limited.is_err()
}

static GO: Event<()> = Event::new("heartbeats-go");

#[tokio::test]
async fn a_call_may_set_the_limit_and_an_attempt_that_never_beats_times_out() {
    let engine = engine();
    let handle = engine.start(by_call()).await.unwrap();
    engine.settle().await;
    engine.advance(seconds(5)).await;
    // The limit that it did not run into is not waited for any more: nothing is left that could move the clock.
    let before = engine.now();
    let waited = tokio::time::timeout(Duration::from_millis(20), handle.wait()).await;
    assert!(waited.is_err());
    engine.settle().await;
    assert_eq!(engine.now(), before);
    handle.raise(&GO, ()).await.unwrap();
    assert!(handle.result().await.unwrap());
    SLOW.open();
}

/// What was recorded before is there after a kill, what the killed attempt had said is not.
#[tokio::test]
async fn a_kill_keeps_what_failed_attempts_said() {
    let registry = || Registry::new().activity(hangs).orchestrator(waits);
    let engine = TestEngine::builder().registry(registry()).start().unwrap();
    let job = "killed";
    let id = "heartbeats-killed";
    engine.start(waits(job.to_owned())).id(id).await.unwrap();
    engine.settle().await;
    beat(job, 3);
    engine.advance(seconds(10)).await;
    engine.advance(seconds(1)).await;
    beat(job, 4);
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.settle().await;
    let expected = [(1, None), (2, Some(3)), (2, Some(3))];
    assert_eq!(log_of(job), expected);
}

/// A deployment in the middle of a long attempt does not throw its work away.
#[tokio::test]
async fn a_shutdown_keeps_what_running_attempts_said() {
    let scratch = Scratch::new("heartbeats");
    let registry = || Registry::new().activity(hangs).orchestrator(waits);
    let open = || Engine::builder(scratch.file()).registry(registry()).open();
    let engine = open().await.unwrap();
    let job = "deployed";
    let id = "heartbeats-deployed";
    let handle = engine.start(waits(job.to_owned())).id(id).await.unwrap();
    begun(job, 1).await;
    beat(job, 12);
    engine.shutdown_within(Duration::ZERO).await;
    drop(handle);
    let engine = open().await.unwrap();
    begun(job, 2).await;
    assert_eq!(log_of(job), [(1, None), (1, Some(12))]);
    let handle = engine.handle(waits, id).await.unwrap().unwrap();
    let history = handle.history().await.unwrap();
    assert_eq!(kinds(&history)[3..], ["heartbeat", "turn"]);
    assert!(matches!(history[3], HistoryEvent::HeartbeatRecorded(_)));
    // A second stop without a new word records nothing new.
    engine.shutdown_within(Duration::ZERO).await;
    let engine = open().await.unwrap();
    begun(job, 3).await;
    assert_eq!(log_of(job)[2], (1, Some(12)));
    engine.shutdown_within(Duration::ZERO).await;
}

/// Waits until that many attempts have begun.
async fn begun(job: &str, count: usize) {
    let has_begun = || {
        let hearts = HEARTS.lock().unwrap();
        hearts.iter().filter(|(of, _)| of == job).count() >= count
    };
    while !has_begun() {
        tokio::task::yield_now().await;
    }
}
