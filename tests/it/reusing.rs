//! Starts of an id that is taken, by the policy that they state.

use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::{FaultKind, Outcome, Reuse, StartError, Status, WaitError};

use crate::support::{Gate, engine, instance};

static GO: Event<u32> = Event::new("reusing-go");

#[orchestrator(name = "reusing.job")]
async fn job(number: u32) -> u32 {
    number
}

#[orchestrator(name = "reusing.waits")]
async fn waits(number: u32) -> u32 {
    number + GO.wait().await
}

#[orchestrator(name = "reusing.fails")]
async fn fails() -> Result<u32, String> {
    Err("no".to_owned())
}

#[tokio::test]
async fn refuse_takes_nothing_for_its_own() {
    let engine = engine();
    let start = |reuse| engine.start(waits(1)).id("reusing-refuse").reuse(reuse);
    start(Reuse::refuse()).await.unwrap();
    engine.settle().await;
    start(Reuse::attach()).await.unwrap();
    let error = start(Reuse::refuse()).await.unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(
        error.to_string(),
        "instance `reusing-refuse` already exists and is Running, which this start may not replace; choose another id, or a \
         policy that allows it"
    );
}

#[tokio::test]
async fn what_has_ended_is_replaced_once_and_what_runs_is_not() {
    let mut engine = engine();
    let first = engine.start(job(1)).id("reusing-ended").await.unwrap();
    assert_eq!(first.result().await.unwrap(), 1);
    for restarted in [false, true] {
        if restarted {
            engine = engine.restart().await.unwrap();
        }
        let start = |n| {
            let start = engine.start(waits(n)).id("reusing-ended");
            start.reuse(Reuse::replace_ended())
        };
        let second = start(2).await.unwrap();
        let error = start(3).await.unwrap_err();
        assert!(matches!(error, StartError::Exists { .. }), "{error}");
        second.raise(&GO, 40).await.unwrap();
        assert_eq!(second.result().await.unwrap(), 42);
    }
    let gone = first.wait().await.unwrap_err();
    assert!(matches!(gone, WaitError::Stopped(_)), "{gone}");
}

#[tokio::test]
async fn a_status_that_is_not_named_is_not_replaced() {
    let engine = engine();
    engine.start(fails()).id("reusing-status").await.unwrap();
    engine.settle().await;
    let start = |statuses: &[Status]| {
        let reuse = Reuse::replace(statuses.iter().copied());
        engine.start(job(5)).id("reusing-status").reuse(reuse)
    };
    let error = start(&[Status::Completed]).await.unwrap_err();
    let StartError::Exists { status, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(status, Status::Failed);
    let handle = start(&[Status::Failed]).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 5);
}

#[tokio::test]
async fn a_contradiction_is_refused_before_anything_is_asked() {
    let engine = engine();
    engine.start(waits(1)).id("reusing-against").await.unwrap();
    engine.settle().await;
    let reuse = Reuse::replace([Status::Completed, Status::Running]);
    let start = engine.start(waits(2)).id("reusing-against").reuse(reuse);
    let error = start.await.unwrap_err().to_string();
    assert!(error.starts_with("an instance that is Running is to be replaced, which terminates it, but one that is Terminated is not"), "{error}");
    let there = instance(&engine, "reusing-against").await;
    assert_eq!(there.status().await.unwrap(), Status::Running);
}

static SLOW: Gate = Gate::new();
static ENDED: AtomicU32 = AtomicU32::new(0);

#[activity(name = "reusing.slow")]
async fn slow(number: u32) -> u32 {
    if number == 1 {
        SLOW.pass().await;
    }
    ENDED.fetch_add(1, Ordering::SeqCst);
    number
}

#[orchestrator(name = "reusing.late")]
async fn late(number: u32) -> u32 {
    let (done, ()) = join!(slow(number), sleep(hours(number.into())));
    done * 100 + GO.wait().await
}

/// What was on its way to the one that was replaced, an outcome, a timer, a turn, is nothing to the one that took its place.
#[tokio::test]
async fn nothing_of_the_old_instance_reaches_the_new_one() {
    let mut engine = engine();
    let old = engine.start(late(1)).id("reusing-late").await.unwrap();
    engine.settle().await;
    old.raise(&GO, 7).await.unwrap();
    let start = engine.start(late(2)).id("reusing-late");
    let new = start.reuse(Reuse::replace_any()).await.unwrap();
    SLOW.open();
    engine.advance(minutes(61)).await;
    assert!(matches!(old.wait().await, Err(WaitError::NotFound(_))));
    assert_eq!(new.status().await.unwrap(), Status::Running);
    engine = engine.restart().await.unwrap();
    engine.advance(hours(2)).await;
    let new = instance(&engine, "reusing-late").await;
    // The event that the old one had taken in is not there.
    assert_eq!(new.status().await.unwrap(), Status::Running);
    new.raise(&GO, 3).await.unwrap();
    let ended = new.wait().await.unwrap();
    let Some(Outcome::Completed(output)) = ended.outcome else {
        panic!("{ended:?}");
    };
    assert_eq!(output.decode::<u32>().unwrap(), 203);
}

#[tokio::test]
async fn of_a_hundred_racing_starts_one_runs_and_then_one_again() {
    let engine = engine();
    for round in 0..4 {
        let starts = (0..100).map(|number| {
            let start = engine.start(waits(round * 1_000 + number));
            start
                .id("reusing-race")
                .reuse(Reuse::replace_ended())
                .into_future()
        });
        let tasks: Vec<_> = starts.map(tokio::spawn).collect();
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(handle) => winners.push(handle),
                Err(error) => assert!(error.is_conflict(), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        winners[0].raise(&GO, 0).await.unwrap();
        let result = winners[0].result().await.unwrap();
        assert_eq!(result / 1_000, round);
    }
}

#[orchestrator(name = "reusing.parent")]
async fn parent() -> String {
    match waits(1).id("reusing-child").catch().await {
        Ok(number) => number.to_string(),
        Err(fault) => fault.to_string(),
    }
}

/// A parent hears that its child was terminated, though that is replaced at once.
#[tokio::test]
async fn who_waits_for_the_replaced_instance_hears_of_its_end() {
    let engine = engine();
    let parent = engine.start(parent()).id("reusing-parent").await.unwrap();
    engine.settle().await;
    let start = engine.start(job(2)).id("reusing-child");
    let new = start.reuse(Reuse::replace_any()).await.unwrap();
    assert_eq!(new.result().await.unwrap(), 2);
    let heard = parent.result().await.unwrap();
    assert!(
        heard.contains("another start of its id has replaced it"),
        "{heard}"
    );
}

#[tokio::test]
async fn a_client_that_waits_for_the_replaced_instance_is_told_that_it_is_gone() {
    let engine = engine();
    let old = engine.start(waits(1)).id("reusing-client").await.unwrap();
    engine.settle().await;
    let waiting = tokio::spawn(async move { old.result().await });
    tokio::task::yield_now().await;
    let start = engine.start(job(2)).id("reusing-client");
    start.reuse(Reuse::replace_any()).await.unwrap();
    match waiting.await.unwrap() {
        Err(WaitError::NotFound(id)) => assert_eq!(id, "reusing-client"),
        Err(WaitError::Fault(fault)) => assert_eq!(fault.kind(), FaultKind::Terminated),
        other => panic!("{other:?}"),
    }
}
