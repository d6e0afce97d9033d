//! What a client sees of an instance: status, custom status, history, changes, results.

use std::time::Duration;

use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{
    Failure, FaultKind, LookupError, Outcome, RaiseError, Registry, Status, WaitError,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::kinds;

static GO: Event<u32> = Event::new("looking-go");

#[activity(name = "looking.step")]
async fn step(n: u32) -> u32 {
    n
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Progress {
    done: u32,
    of: u32,
}

#[orchestrator(name = "looking.reports")]
async fn reports() -> u32 {
    set_status(&"begun");
    step(1).await;
    set_status(&Progress { done: 1, of: 3 });
    set_status(&Progress { done: 2, of: 3 });
    let go = GO.wait().await;
    set_status(&());
    let again = GO.wait().await;
    set_status(&"ended");
    go + again
}

#[orchestrator(name = "looking.fails")]
async fn fails(go_wrong: bool) -> Result<u32, String> {
    GO.wait().await;
    assert!(!go_wrong, "it went wrong");
    Err("refused".to_owned())
}

/// Reads a number, which another build would call a word.
#[orchestrator(name = "looking.reads")]
async fn reads() -> u32 {
    GO.wait().await
}

fn registry() -> Registry {
    Registry::new()
        .activity(step)
        .orchestrator(reports)
        .orchestrator(fails)
        .orchestrator(reads)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

#[tokio::test]
async fn a_custom_status_is_seen_after_its_turn_the_last_one_wins_and_null_clears_it() {
    let engine = engine();
    let handle = engine.start(reports()).await.unwrap();
    engine.settle().await;
    let seen: Option<Progress> = handle.custom_status().await.unwrap();
    assert_eq!(seen, Some(Progress { done: 2, of: 3 }));
    let history = kinds(&handle.history().await.unwrap());
    // One record for each turn that changed it, whatever was set in between.
    let first = ["started", "turn", "activity", "status"];
    assert_eq!(
        history,
        [&first[..], &["activity completed", "turn", "status"]].concat()
    );
    let error = handle.custom_status::<u32>().await.unwrap_err();
    assert!(matches!(error, LookupError::Undecodable(_)), "{error}");
    handle.raise(&GO, 1).await.unwrap();
    engine.settle().await;
    assert_eq!(handle.custom_status::<String>().await.unwrap(), None);
    handle.raise(&GO, 2).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 3);
    assert_eq!(
        handle.custom_status::<String>().await.unwrap().unwrap(),
        "ended"
    );
    let engine = engine.restart_with(registry()).await.unwrap();
    let handle = engine
        .handle(reports, handle.id().as_str())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        handle.custom_status::<String>().await.unwrap().unwrap(),
        "ended"
    );
}

#[tokio::test]
async fn a_history_is_read_while_its_instance_runs_and_afterwards_and_after_a_restart() {
    let engine = engine();
    let handle = engine.start(reads()).id("read").await.unwrap();
    engine.settle().await;
    assert_eq!(kinds(&handle.history().await.unwrap()), ["started", "turn"]);
    handle.raise(&GO, 5).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 5);
    let ended = handle.history().await.unwrap();
    assert_eq!(
        kinds(&ended),
        ["started", "turn", "event raised", "turn", "completed"]
    );
    let engine = engine.restart_with(registry()).await.unwrap();
    let handle = engine.instance("read").await.unwrap().unwrap();
    assert_eq!(handle.history().await.unwrap(), ended);
}

#[tokio::test]
async fn changed_resolves_with_each_new_record_and_at_once_if_something_was_missed() {
    let engine = engine();
    let handle = engine.start(reports()).await.unwrap();
    engine.settle().await;
    let seen = handle.summary().await.unwrap();
    let short = Duration::from_millis(50);
    let waiting = tokio::time::timeout(short, handle.changed(&seen)).await;
    assert!(waiting.is_err(), "nothing has changed");
    let waiting = tokio::spawn({
        let (handle, seen) = (handle.clone(), seen.clone());
        async move { handle.changed(&seen).await }
    });
    handle.raise(&GO, 1).await.unwrap();
    let changed = waiting.await.unwrap().unwrap();
    assert!(changed.events > seen.events);
    assert_eq!(changed.custom_status, None);
    // Whoever looks later hears of it without another change.
    assert_eq!(handle.changed(&seen).await.unwrap(), changed);
    handle.raise(&GO, 1).await.unwrap();
    let ended = handle.wait().await.unwrap();
    assert_eq!(handle.changed(&ended).await.unwrap(), ended);
}

#[tokio::test]
async fn what_ended_badly_says_so_in_result_and_status() {
    let engine = engine();
    let failed = engine.start(fails(false)).await.unwrap();
    let faulted = engine.start(fails(true)).await.unwrap();
    failed.raise(&GO, 1).await.unwrap();
    faulted.raise(&GO, 1).await.unwrap();
    assert_eq!(failed.result().await.unwrap(), Err("refused".to_owned()));
    let summary = failed.summary().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    let Some(Outcome::Failed(Failure::Returned(returned))) = summary.outcome else {
        panic!("{:?}", summary.outcome);
    };
    assert_eq!(returned.details.message, "refused");
    assert!(returned.details.error_type.ends_with("String"));

    let Err(WaitError::Fault(fault)) = faulted.result().await else {
        panic!("a fault was expected");
    };
    assert_eq!(
        (fault.kind(), fault.message()),
        (FaultKind::Panicked, "it went wrong")
    );
    let summary = faulted.wait().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    assert_eq!(summary.completed_at, Some(summary.updated_at));
}

#[tokio::test]
async fn a_status_tells_the_stages_of_an_instance() {
    let engine = engine();
    let handle = engine
        .start(reads())
        .id("staged")
        .tag("kind", "test")
        .await
        .unwrap();
    engine.settle().await;
    let running = handle.summary().await.unwrap();
    assert_eq!(
        (running.status, running.name.as_ref()),
        (Status::Running, "looking.reads")
    );
    assert_eq!(running.tags.get("kind").map(String::as_str), Some("test"));
    assert_eq!(
        (running.outcome.clone(), running.completed_at),
        (None, None)
    );
    engine.advance(hours(1)).await;
    handle.raise(&GO, 5).await.unwrap();
    let ended = handle.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    assert_eq!(ended.created_at, running.created_at);
    assert_eq!(
        ended
            .completed_at
            .unwrap()
            .duration_since(ended.created_at)
            .unwrap(),
        hours(1)
    );
}

#[tokio::test]
async fn a_stall_does_not_end_the_wait_and_mended_code_answers_it() {
    let engine = engine();
    let handle = engine.start(reads()).id("stalled").await.unwrap();
    handle
        .raise(&named::event("looking-go"), json!("a word"))
        .await
        .unwrap();
    engine.settle().await;
    assert_eq!(handle.status().await.unwrap(), Status::Stalled);
    let short = Duration::from_millis(50);
    assert!(tokio::time::timeout(short, handle.result()).await.is_err());
    let words = |_: serde_json::Value| async {
        let word = named::event("looking-go").wait().await;
        Ok::<_, Error>(word)
    };
    let mended = Registry::new().named_orchestrator("looking.reads", words);
    let engine = engine.restart_with(mended).await.unwrap();
    let handle = engine.instance("stalled").await.unwrap().unwrap();
    let summary = handle.wait().await.unwrap();
    assert_eq!((summary.status, summary.stalled), (Status::Completed, None));
}

#[tokio::test]
async fn a_stopped_engine_says_so_to_whoever_asks() {
    let engine = engine();
    let handle = engine.start(reads()).id("left").await.unwrap();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.result().await }
    });
    engine.settle().await;
    engine.shutdown().await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine has stopped: it was shut down"
    );
    assert!(matches!(handle.result().await, Err(WaitError::Stopped(_))));
    assert!(matches!(
        handle.raise(&GO, 1).await,
        Err(RaiseError::Stopped(_))
    ));
    let error = engine.start(reads()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine has stopped: it was shut down"
    );
}
