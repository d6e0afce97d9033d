//! Ending instances from outside, whatever they do.

use std::sync::Mutex;

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{ControlError, FaultKind, Instance, Registry, Status};

use crate::support::{engine_of, instance, recorded};

static GO: Event<u32> = Event::new("terminating-go");

/// What activities of this module have to say.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn say(word: String) {
    SAID.lock().unwrap().push(word);
}

fn said(word: &str) -> usize {
    let said = SAID.lock().unwrap();
    said.iter().filter(|said| *said == word).count()
}

/// Says that it began, and that it was told.
#[activity(name = "terminating.watchful")]
async fn watchful(word: String) -> u32 {
    say(format!("{word} began"));
    activity::cancelled().await;
    say(format!("{word} told"));
    0
}

/// Runs for as long as it is wanted, waits for its time and for its event.
#[orchestrator(name = "terminating.busy")]
async fn busy(word: String) -> u32 {
    let (n, (), go) = join!(watchful(word), sleep(days(1)), GO.wait());
    n + go
}

#[orchestrator(name = "terminating.leaf")]
async fn leaf(word: String) -> u32 {
    watchful(word).await
}

#[orchestrator(name = "terminating.middle")]
async fn middle(word: String) -> u32 {
    leaf(word).id("leaf").await
}

#[orchestrator(name = "terminating.top")]
async fn top(word: String) -> u32 {
    let beside = start(leaf(format!("{word} beside"))).id("beside").await;
    let n = middle(word).id("middle").await;
    n + beside.result().await
}

/// Tells what became of its child.
#[orchestrator(name = "terminating.parent")]
async fn parent() -> String {
    match leaf("its child".to_owned()).id("its-child").catch().await {
        Ok(n) => n.to_string(),
        Err(fault) => format!("{:?}: {fault}", fault.kind()),
    }
}

#[orchestrator(name = "terminating.awaiter")]
async fn awaiter(other: Detached<u32>) -> String {
    match other.result().catch().await {
        Ok(n) => n.to_string(),
        Err(fault) => fault.to_string(),
    }
}

#[orchestrator(name = "terminating.starter")]
async fn starter() -> String {
    let other = start(waits()).id("waited-for").await;
    awaiter(other).await
}

#[orchestrator(name = "terminating.waits")]
async fn waits() -> u32 {
    GO.wait().await
}

/// What is asked for here ran in another program.
fn other_code() -> Registry {
    Registry::new().activity(watchful).orchestrator(waits)
}

fn registry() -> Registry {
    other_code()
        .orchestrator(busy)
        .orchestrator(leaf)
        .orchestrator(middle)
        .orchestrator(top)
        .orchestrator(parent)
        .orchestrator(awaiter)
        .orchestrator(starter)
}

async fn status(engine: &TestEngine, id: &str) -> Status {
    instance(engine, id).await.status().await.unwrap()
}

#[tokio::test]
async fn an_end_from_outside_closes_all_that_is_open_at_once() {
    let engine = engine_of(registry());
    let busy = engine.start(busy("busy".to_owned())).await.unwrap();
    engine.settle().await;
    assert_eq!(said("busy began"), 1);
    busy.terminate("enough").await.unwrap();

    let ended = busy.summary().await.unwrap();
    assert_eq!(ended.status, Status::Terminated);
    assert!(ended.completed_at.is_some());
    let fault = busy.result().await.unwrap_err().fault().cloned().unwrap();
    assert_eq!(fault.kind(), FaultKind::Terminated);
    assert_eq!(
        fault.to_string(),
        "`terminating.busy` was terminated: enough"
    );
    engine.settle().await;
    assert_eq!(said("busy told"), 1);

    // Its timer is gone with it, what its activity returned is dropped, and nobody takes its event.
    engine.advance(days(2)).await;
    let expected = ["started", "turn", "activity", "timer", "terminated"];
    assert_eq!(recorded(&busy).await, expected);
    assert!(busy.raise(&GO, 1).await.unwrap_err().is_ended());
    check_replay(&registry(), &busy.history().await.unwrap()).unwrap();
}

#[tokio::test]
async fn who_has_ended_cannot_be_ended_and_the_answer_says_how_it_did() {
    let engine = engine_of(registry());
    let waits = engine.start(waits()).id("w").await.unwrap();
    waits.raise(&GO, 7).await.unwrap();
    assert_eq!(waits.result().await.unwrap(), 7);
    let before = recorded(&waits).await;
    let error = waits.terminate("too late").await.unwrap_err();
    assert_eq!(error.ended(), Some(Status::Completed));
    let told = "instance `w` has ended (completed), and nothing more can be done to it";
    assert_eq!(error.to_string(), told);
    for error in [
        waits.suspend("").await.unwrap_err(),
        waits.resume("").await.unwrap_err(),
        waits
            .cancel("")
            .await
            .map(|()| durable_runtime::Applied::Now)
            .unwrap_err(),
    ] {
        assert_eq!(error.ended(), Some(Status::Completed));
    }
    assert_eq!(recorded(&waits).await, before);
}

#[tokio::test]
async fn a_parent_hears_of_it_at_the_await_of_its_child() {
    let engine = engine_of(registry());
    let parent = engine.start(parent()).await.unwrap();
    engine.settle().await;
    let child = instance(&engine, "its-child").await;
    child.terminate("not wanted").await.unwrap();
    let told = "Terminated: `terminating.leaf` was terminated: not wanted";
    assert_eq!(parent.result().await.unwrap(), told);
}

#[tokio::test]
async fn who_waits_for_the_outcome_of_another_hears_of_it() {
    let engine = engine_of(registry());
    let starter = engine.start(starter()).await.unwrap();
    engine.settle().await;
    instance(&engine, "waited-for")
        .await
        .terminate("gone")
        .await
        .unwrap();
    let told = "`terminating.waits` was terminated: gone";
    assert_eq!(starter.result().await.unwrap(), told);
}

#[tokio::test]
async fn children_go_on_unless_the_whole_tree_is_asked_for() {
    for is_recursive in [false, true] {
        let engine = engine_of(registry());
        let word = format!("tree {is_recursive}");
        let top = engine.start(top(word.clone())).id("top").await.unwrap();
        engine.settle().await;
        let before = engine.counters();
        let request = top.terminate("the lot");
        if is_recursive {
            request.recursive().await.unwrap();
        } else {
            request.await.unwrap();
        }
        let after = engine.counters();
        let folds = after.fold_commits - before.fold_commits;
        assert_eq!(after.commits - before.commits - folds, 1);
        engine.settle().await;
        let below = if is_recursive {
            Status::Terminated
        } else {
            Status::Running
        };
        assert_eq!(status(&engine, "middle").await, below);
        assert_eq!(status(&engine, "leaf").await, below);
        assert_eq!(said(&format!("{word} told")), usize::from(is_recursive));
        // It is nobody's child.
        assert_eq!(status(&engine, "beside").await, Status::Running);
    }
}

/// It would have been taken for one whose parent dropped it, and cancelled.
#[tokio::test]
async fn a_child_that_goes_on_after_its_parent_was_ended_goes_on_after_a_restart_too() {
    let engine = engine_of(registry());
    let top = engine
        .start(top("orphan".to_owned()))
        .id("top")
        .await
        .unwrap();
    engine.settle().await;
    top.terminate("alone").await.unwrap();
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.settle().await;
    for id in ["middle", "leaf"] {
        let kinds = recorded(&instance(&engine, id).await).await;
        assert!(!kinds.contains(&"cancel requested"), "{kinds:?}");
        assert_eq!(status(&engine, id).await, Status::Running);
    }
}

#[tokio::test]
async fn an_instance_that_waits_to_be_mended_can_be_ended() {
    let engine = engine_of(registry());
    let parent = engine.start(parent()).id("p").await.unwrap();
    engine.settle().await;
    drop(parent);
    // Its code is gone.
    let engine = engine.restart_with(other_code()).await.unwrap();
    let parent = instance(&engine, "p").await;
    let child = instance(&engine, "its-child").await;
    for stalled in [&child, &parent] {
        stalled.raise(&GO, 1).await.unwrap();
        engine.settle().await;
        assert_eq!(stalled.status().await.unwrap(), Status::Stalled);
        stalled.terminate("given up").await.unwrap();
        let summary = stalled.summary().await.unwrap();
        assert_eq!(summary.status, Status::Terminated);
        assert_eq!(summary.stalled, None);
    }
}

#[tokio::test]
async fn an_end_outlives_restarts() {
    let engine = engine_of(registry());
    let first = engine
        .start(busy("lasting".to_owned()))
        .id("b")
        .await
        .unwrap();
    engine.settle().await;
    first.terminate("for good").await.unwrap();
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.advance(days(2)).await;
    assert_eq!(status(&engine, "b").await, Status::Terminated);
    assert_eq!(said("lasting began"), 1);
    let again = engine
        .start(busy("lasting".to_owned()))
        .id("b")
        .await
        .unwrap();
    assert!(again.result().await.unwrap_err().fault().is_some());
}

#[tokio::test]
async fn many_are_ended_in_one_commit_and_each_is_told_for_itself() {
    let engine = engine_of(registry());
    let mut ids = Vec::new();
    for number in 0..100 {
        let id = format!("many-{number}");
        engine.start(waits()).id(&*id).await.unwrap();
        ids.push(id);
    }
    engine.settle().await;
    instance(&engine, "many-7")
        .await
        .raise(&GO, 1)
        .await
        .unwrap();
    ids.extend(["nobody".to_owned(), "no/id".to_owned()]);
    let before = engine.counters();
    let ended = engine.many(ids.clone()).terminate("sale is over").await;
    let after = engine.counters();
    let folds = after.fold_commits - before.fold_commits;
    assert_eq!(after.commits - before.commits - folds, 1);
    assert_eq!(
        ended.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(),
        ids
    );
    for (id, ended) in ended {
        match &*id {
            "many-7" => assert_eq!(ended.unwrap_err().ended(), Some(Status::Completed)),
            "nobody" | "no/id" => {
                assert_eq!(
                    ended.unwrap_err().to_string(),
                    format!("there is no instance `{id}`")
                );
            }
            _ => {
                ended.unwrap();
                assert_eq!(status(&engine, &id).await, Status::Terminated);
            }
        }
    }
}

#[tokio::test]
async fn a_reason_has_a_limit() {
    let engine = engine_of(registry());
    let waits = engine.start(waits()).await.unwrap();
    let too_long = "x".repeat((16 << 10) + 1);
    let error = waits.terminate(&*too_long).await.unwrap_err();
    assert!(
        matches!(
            error,
            ControlError::LongReason {
                bytes: 16_385,
                limit: 16_384
            }
        ),
        "{error}"
    );
    assert_eq!(
        waits.suspend(&*too_long).await.unwrap_err().to_string(),
        error.to_string()
    );
    waits.suspend(&too_long[1..]).await.unwrap();
    waits.terminate(&too_long[1..]).await.unwrap();
}

#[tokio::test]
async fn after_the_engine_has_stopped_nothing_is_done_and_the_error_says_so() {
    let engine = engine_of(registry());
    let waits: Instance = Instance::clone(&*engine.start(waits()).await.unwrap());
    engine.shutdown().await;
    let error = waits.terminate("late").await.unwrap_err();
    assert!(matches!(error, ControlError::Stopped(_)), "{error}");
}
