//! What stands at a number. The recorder is that of the whole process, so here one engine runs at a time.
#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a failed expectation is a failed test, and what is counted is whole"
)]

#[expect(dead_code, reason = "others ask it for more")]
mod recorder;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use tokio::sync::{Mutex, MutexGuard};

/// An engine that runs one activity at a time, alone in the process.
async fn engine() -> (MutexGuard<'static, ()>, TestEngine) {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let alone = ALONE.lock().await;
    recorder::install();
    // The one before ends by itself, and gives all back.
    let given_back = async {
        while stands_at() != [0.0; 3] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(seconds(10), given_back).await.unwrap();
    let engine = TestEngine::builder().activity_limit(1).start().unwrap();
    (alone, engine)
}

/// Instances in memory, attempts that run, and attempts that wait.
fn stands_at() -> [f64; 3] {
    [
        "durable_live_instances",
        "durable_activities_running",
        "durable_activities_waiting",
    ]
    .map(recorder::last)
}

/// Runs until it is told that nobody waits for it.
#[activity(name = "gauges.works")]
async fn works() {
    activity::cancelled().await;
}

#[orchestrator(name = "gauges.asks")]
async fn asks() {
    join!(works(), works());
}

/// Nothing else happens to the engine that could set right what was left standing.
#[tokio::test]
async fn what_an_instance_held_is_given_back_when_it_is_terminated() {
    let (_alone, engine) = engine().await;
    let asking = engine.start(asks()).await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [1.0, 1.0, 1.0]);
    // All that this one asks for waits behind that.
    let behind = engine.start(asks()).await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [2.0, 1.0, 3.0]);
    behind.terminate("enough").await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [1.0, 1.0, 1.0]);
    asking.terminate("enough").await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [0.0; 3]);
    assert_eq!(
        recorder::last("durable_completions_total{orchestrator=gauges.asks,status=terminated}"),
        2.0
    );
    let started = || recorder::last("durable_starts_total{orchestrator=gauges.asks}");
    let before = started();
    asking.restart().await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [1.0, 1.0, 1.0]);
    assert_eq!(started(), before + 1.0);
    let purged = recorder::last("durable_purges_total{orchestrator=gauges.asks}");
    assert_eq!(purged, 1.0);
}

#[orchestrator(name = "gauges.waits")]
async fn waits(time: u32) -> u32 {
    sleep(hours(time.into())).await;
    time
}

#[tokio::test]
async fn an_instance_that_has_ended_is_not_in_memory() {
    let (_alone, engine) = engine().await;
    let waiting = engine.start(waits(1)).await.unwrap();
    engine.settle().await;
    waiting.suspend("wait").await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [0.0; 3]);
    waiting.resume("go on").await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [1.0, 0.0, 0.0]);
    waiting.result().await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [0.0; 3]);
}

#[tokio::test]
async fn an_engine_that_has_stopped_holds_nothing() {
    let (_alone, engine) = engine().await;
    engine.start(asks()).await.unwrap();
    engine.settle().await;
    assert_eq!(stands_at(), [1.0, 1.0, 1.0]);
    engine.shutdown().await;
    drop(engine);
    assert_eq!(stands_at(), [0.0; 3]);
}

/// A commit that records nothing is none, and an instance is not purged twice.
#[tokio::test]
async fn what_changes_nothing_is_not_counted() {
    let (_alone, engine) = engine().await;
    let waiting = engine.start(waits(1)).id("once").await.unwrap();
    engine.settle().await;
    waiting.suspend("wait").await.unwrap();
    let counted = || {
        let waits = "{orchestrator=gauges.waits}";
        let [starts, turns] =
            ["starts", "turns"].map(|of| recorder::last(&format!("durable_{of}_total{waits}")));
        (starts, turns, recorder::last("durable_commits_total"))
    };
    let before = counted();
    waiting.suspend("wait").await.unwrap();
    engine.start(waits(1)).id("once").await.unwrap();
    engine.settle().await;
    assert_eq!(counted(), before);
    // What is raised while it is held is recorded, and no code is run for it.
    let raised = || recorder::last("durable_events_raised_total");
    let raised_before = raised();
    waiting.raise(&Event::<u32>::new("noise"), 1).await.unwrap();
    let (starts, turns, commits) = before;
    assert_eq!(counted(), (starts, turns, commits + 1.0));
    assert_eq!(raised(), raised_before + 1.0);
}
