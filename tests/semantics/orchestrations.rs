//! ORC: identity, start, lifecycle.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};

use durable_runtime::prelude::*;
use durable_runtime::{
    Failure, HistoryEvent, Outcome, Registry, Reuse, StallReason, StartError, Status, named,
};
use serde_json::json;

use crate::support::{children, count, engine, engine_that_runs_once, instance, replayed, settled};

static GO: Event<u32> = Event::new("orc-go");

#[orchestrator(name = "orc.echo")]
async fn echo(n: u32) -> u32 {
    n
}

#[orchestrator(name = "orc.waits")]
async fn waits(n: u32) -> Result<u32, String> {
    match GO.wait().await {
        0 => Err(format!("{n} was not wanted")),
        go => Ok(n + go),
    }
}

#[tokio::test]
async fn orc_1_an_id_is_chosen_by_the_rules_or_made() {
    let engine = engine();
    let long = "x".repeat(100);
    // Not folded: the first two would be in conflict.
    for (n, id) in (0..).zip(["a", "A", "a b~@!", &long]) {
        let handle = engine.start(echo(n)).id(id).await.unwrap();
        assert_eq!(handle.id().as_str(), id);
    }
    let too_long = "x".repeat(101);
    let wrong = [
        "", "@a", "~a", "a/b", "a\\b", "a#b", "a?b", "a\tb", "\u{e9}", &too_long,
    ];
    for id in wrong {
        let refused = engine.start(echo(1)).id(id).await;
        assert!(matches!(refused, Err(StartError::InvalidId(_))), "`{id}`");
    }
    let made = engine.start(echo(1)).await.unwrap();
    let other = engine.start(echo(1)).await.unwrap();
    assert!(made.id().as_str().starts_with('~') && made.id().as_str().len() == 27);
    assert_ne!(made.id(), other.id());
}

#[tokio::test]
async fn orc_2_a_start_of_a_taken_id_attaches_or_is_a_conflict() {
    let engine = engine();
    let first = engine.start(waits(1)).id("taken").await.unwrap();
    for ended in [false, true] {
        let same = engine.start(waits(1)).id("taken").await.unwrap();
        let error = engine.start(waits(2)).id("taken").await.unwrap_err();
        assert!(error.is_conflict(), "{error}");
        let error = engine.start(echo(1)).id("taken").await.unwrap_err();
        assert!(error.is_conflict(), "{error}");
        if !ended {
            same.raise(&GO, 4).await.unwrap();
            assert_eq!(first.result().await.unwrap(), Ok(5));
        }
    }
}

static BEGUN: Barrier = Barrier::new(2);
static MAY_END: Barrier = Barrier::new(2);

/// Holds up the turn, until the test has looked.
fn hold() {
    BEGUN.wait();
    MAY_END.wait();
}

#[orchestrator(name = "orc.held")]
async fn held() -> u32 {
    #[nondeterminism(allow(D050), reason = "holds up the turn for the test")]
    hold();
    GO.wait().await
}

#[tokio::test]
async fn orc_3_a_status_changes_with_commits() {
    let engine = engine_that_runs_once();
    let handle = engine.start(held()).await.unwrap();
    BEGUN.wait();
    // The first turn runs, and is not committed.
    let during = handle.status().await.unwrap();
    MAY_END.wait();
    assert_eq!(during, Status::Pending);
    engine.settle().await;
    assert_eq!(handle.status().await.unwrap(), Status::Running);
    handle.raise(&GO, 1).await.unwrap();
    assert_eq!(handle.wait().await.unwrap().status, Status::Completed);
    let failing = engine.start(waits(1)).await.unwrap();
    failing.raise(&GO, 0).await.unwrap();
    assert_eq!(failing.wait().await.unwrap().status, Status::Failed);
    let ended = engine.start(waits(1)).await.unwrap();
    engine.settle().await;
    ended.suspend("for now").await.unwrap();
    assert_eq!(ended.status().await.unwrap(), Status::Suspended);
    ended.terminate("for good").await.unwrap();
    assert_eq!(ended.wait().await.unwrap().status, Status::Terminated);
}

#[tokio::test]
async fn orc_4_a_start_for_later_is_pending_until_then() {
    let engine = engine();
    let at = engine.now() + days(1);
    let later = engine.start(echo(1)).at(at).await.unwrap();
    engine.advance(hours(23)).await;
    let summary = later.summary().await.unwrap();
    assert_eq!(
        (summary.status, summary.start_at),
        (Status::Pending, Some(at))
    );
    assert_eq!(later.result().await.unwrap(), 1);
    assert_eq!(later.summary().await.unwrap().completed_at, Some(at));
    let ended = engine.start(echo(2)).after(days(1)).await.unwrap();
    ended.terminate("not needed").await.unwrap();
    engine.advance(days(2)).await;
    assert_eq!(ended.status().await.unwrap(), Status::Terminated);
}

#[orchestrator(name = "orc.family")]
async fn family() -> Result<u32, String> {
    set_status("waits for the child");
    waits(2).id("orc-child").await
}

#[tokio::test]
async fn orc_5_what_is_known_of_an_instance() {
    let engine = engine();
    let begin = engine.now();
    let request = engine.start(family()).id("orc-5").tag("lane", "fast");
    let handle = request.await.unwrap();
    engine.advance(hours(1)).await;
    let child = instance(&engine, "orc-child").await;
    child.raise(&GO, 1).await.unwrap();
    let ended = handle.wait().await.unwrap();
    assert_eq!(
        (ended.id.as_str(), ended.name.as_ref()),
        ("orc-5", "orc.family")
    );
    assert_eq!((ended.version.as_deref(), ended.execution.0), (None, 1));
    assert_eq!(ended.created_at, begin);
    assert_eq!(ended.completed_at, Some(begin + hours(1)));
    assert_eq!(ended.updated_at, begin + hours(1));
    assert_eq!(ended.tags.get("lane").map(String::as_str), Some("fast"));
    let light = handle.overview().await.unwrap();
    assert_eq!(
        (light.status, light.revision()),
        (ended.status, ended.revision())
    );
    assert_eq!((&light.id, &light.tags), (&ended.id, &ended.tags));
    assert_eq!(light.completed_at, ended.completed_at);
    let status: String = ended.custom_status.unwrap().decode().unwrap();
    assert_eq!(status, "waits for the child");
    assert!(ended.parent.is_none() && ended.outcome.is_some());
    let child = child.summary().await.unwrap();
    assert_eq!(child.parent.unwrap().instance.as_str(), "orc-5");
}

#[tokio::test]
async fn orc_6_the_output_is_the_value_as_json_or_the_failure() {
    let engine = engine();
    let handle = engine.start(echo(42)).await.unwrap();
    let Some(Outcome::Completed(output)) = handle.wait().await.unwrap().outcome else {
        panic!("it returned");
    };
    assert_eq!(output.bytes(), b"42");
    let failing = engine.start(waits(7)).await.unwrap();
    failing.raise(&GO, 0).await.unwrap();
    let Some(Outcome::Failed(Failure::Returned(returned))) = failing.wait().await.unwrap().outcome
    else {
        panic!("it returned an error");
    };
    assert_eq!(returned.details.message, "7 was not wanted");
    assert_eq!(returned.error.bytes(), br#""7 was not wanted""#);
}

#[tokio::test]
async fn orc_7_an_unknown_name_is_refused_or_waits_to_be_mended() {
    let engine = engine();
    let unknown = named::orchestrator("orc.nobody", &json!(null));
    let error = engine.start(unknown).await.unwrap_err();
    assert!(matches!(error, StartError::Unregistered(_)), "{error}");
    engine.start(waits(1)).id("orc-7").await.unwrap();
    engine.settle().await;
    let without = Registry::new().orchestrator(echo);
    let engine = engine.restart_with(without).await.unwrap();
    let there = instance(&engine, "orc-7").await;
    there.raise(&GO, 1).await.unwrap();
    let summary = settled(&engine, "orc-7").await;
    assert_eq!(summary.stalled.unwrap().reason, StallReason::Unregistered);
    let engine = engine.restart().await.unwrap();
    let ended = instance(&engine, "orc-7").await.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
}

static TOLD: AtomicBool = AtomicBool::new(false);

/// Number 0 ends at once, any other when nobody wants it.
#[activity(name = "orc.lingers")]
async fn lingers(n: u32) -> u32 {
    if n > 0 {
        activity::cancelled().await;
        TOLD.store(true, Ordering::SeqCst);
    }
    n
}

#[orchestrator(name = "orc.leaves_work_open")]
async fn leaves_work_open() -> Option<u32> {
    let mut open = FuturesUnordered::new();
    open.push(lingers(0));
    open.push(lingers(1));
    open.next().await
}

#[tokio::test]
async fn orc_8_an_end_does_not_wait_for_open_work() {
    let engine = engine();
    let handle = engine.start(leaves_work_open()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Some(0));
    engine.settle().await;
    assert!(TOLD.load(Ordering::SeqCst), "whoever works on is told");
    let history = replayed(&handle).await;
    let completed = |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityCompleted(_));
    assert_eq!(count(&history, completed), 1, "{history:?}");
    assert!(matches!(
        history.last(),
        Some(HistoryEvent::ExecutionCompleted(_))
    ));
}

static REPLAYING: Mutex<Vec<bool>> = Mutex::new(Vec::new());

fn note_replaying() {
    REPLAYING.lock().unwrap().push(is_replaying());
}

#[orchestrator(name = "orc.context", version = "3")]
async fn context() -> (String, Vec<String>, bool, u32) {
    #[nondeterminism(allow(D050), reason = "tells the test what it saw")]
    note_replaying();
    let (begin, first, chance) = (now(), uuid(), random());
    side_effect(|| ()).await;
    let is_constant = now() == begin;
    GO.wait().await;
    let info = info();
    let facts = vec![
        info.instance.to_string(),
        info.name.to_string(),
        info.version.unwrap_or_default(),
        info.tags.get("lane").cloned().unwrap_or_default(),
    ];
    let is_other = uuid() != first && random() != chance;
    (
        first.to_string(),
        facts,
        is_constant && is_other && now() > begin,
        info.execution.0,
    )
}

#[tokio::test]
async fn orc_9_what_the_code_knows_is_the_same_on_replay() {
    let mut first = Vec::new();
    for evicts in [false, true] {
        let engine = engine_that_runs_once();
        let request = engine.start(context()).id("orc-9").tag("lane", "fast");
        let handle = request.await.unwrap();
        engine.advance(hours(1)).await;
        if evicts {
            engine.evict().await;
        }
        handle.raise(&GO, 1).await.unwrap();
        let (id, facts, holds, execution) = handle.result().await.unwrap();
        assert_eq!(facts, ["orc-9", "orc.context", "3", "fast"]);
        assert!(holds && execution == 1);
        assert_eq!(&id[14..15], "5", "the version of `{id}`");
        first.push(id);
    }
    assert_eq!(first[0], first[1]);
    assert_eq!(*REPLAYING.lock().unwrap(), [false, false, true]);
}

#[orchestrator(name = "orc.makes_an_id")]
async fn makes_an_id() -> String {
    uuid().to_string()
}

#[tokio::test]
async fn orc_9_no_two_instances_make_the_same_id() {
    let engine = engine();
    let (a, b) = (
        engine.start(makes_an_id()).await.unwrap(),
        engine.start(makes_an_id()).await.unwrap(),
    );
    assert_ne!(a.result().await.unwrap(), b.result().await.unwrap());
}

static RAN: AtomicU32 = AtomicU32::new(0);

#[activity(name = "orc.counted")]
async fn counted() -> u32 {
    RAN.fetch_add(1, Ordering::SeqCst) + 1
}

#[orchestrator(name = "orc.singleton")]
async fn singleton() -> u32 {
    counted().await + GO.wait().await
}

#[tokio::test]
async fn orc_10_of_many_starters_one_starts() {
    let engine = engine();
    let starts = (0..50).map(|_| tokio::spawn(engine.start(singleton()).id("one").into_future()));
    for start in starts.collect::<Vec<_>>() {
        assert_eq!(start.await.unwrap().unwrap().id().as_str(), "one");
    }
    let one = engine.handle(singleton, "one").await.unwrap().unwrap();
    one.raise(&GO, 10).await.unwrap();
    assert_eq!(one.result().await.unwrap(), 11);
    assert!(children(&replayed(&one).await).is_empty());
    assert_eq!(RAN.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn orc_2_a_policy_says_what_is_replaced() {
    let engine = engine();
    let start = |n, reuse| engine.start(waits(n)).id("policy").reuse(reuse);
    let first = start(1, Reuse::refuse()).await.unwrap();
    engine.settle().await;
    for reuse in [Reuse::refuse(), Reuse::replace_ended()] {
        assert!(start(1, reuse).await.unwrap_err().is_conflict());
    }
    let second = start(2, Reuse::replace_any()).await.unwrap();
    assert!(first.summary().await.is_err());
    second.raise(&GO, 4).await.unwrap();
    assert_eq!(second.result().await.unwrap(), Ok(6));
    let failed_only = Reuse::replace([Status::Failed]);
    assert!(start(3, failed_only).await.unwrap_err().is_conflict());
    let third = start(3, Reuse::replace_ended()).await.unwrap();
    third.raise(&GO, 4).await.unwrap();
    assert_eq!(third.result().await.unwrap(), Ok(7));
    let running_only = Reuse::replace([Status::Running]);
    let error = start(4, running_only).await.unwrap_err();
    assert!(matches!(error, StartError::Contradiction { .. }), "{error}");
}

#[tokio::test]
async fn orc_10_a_singleton_is_started_anew_once_it_has_ended() {
    let engine = engine();
    for round in 0..3 {
        let starts = (0..100).map(|_| {
            let start = engine.start(waits(round)).id("single");
            tokio::spawn(start.reuse(Reuse::replace_ended()).into_future())
        });
        let mut started = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            started.extend(start.await.unwrap().ok());
        }
        assert_eq!(started.len(), 1);
        started[0].raise(&GO, 1).await.unwrap();
        assert_eq!(started[0].result().await.unwrap(), Ok(round + 1));
    }
}
