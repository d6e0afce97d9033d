//! A change of code, from its first release to the last, over instances that run.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Outcome, Registry, StallReason, Status, named};
use serde_json::{Value, json};

use crate::support::instance;

static NEXT: Event<()> = Event::new("patching-next");

#[activity(name = "patching.step")]
async fn step(name: String) -> String {
    name
}

/// The orchestrator without the change.
async fn one(_: Value) -> Result<Value, Error> {
    let mut done = Vec::new();
    NEXT.wait().await;
    done.push(step("paid".to_owned()).await);
    NEXT.wait().await;
    done.push(step("sent".to_owned()).await);
    NEXT.wait().await;
    Ok(json!(done))
}

/// With the change.
async fn two(_: Value) -> Result<Value, Error> {
    let mut done = Vec::new();
    NEXT.wait().await;
    done.push(step("paid".to_owned()).await);
    if changed("insure") {
        done.push(step("insured".to_owned()).await);
    }
    NEXT.wait().await;
    done.push(step("sent".to_owned()).await);
    NEXT.wait().await;
    Ok(json!(done))
}

/// All that are left have it.
async fn three(_: Value) -> Result<Value, Error> {
    let mut done = Vec::new();
    NEXT.wait().await;
    done.push(step("paid".to_owned()).await);
    retired("insure");
    done.push(step("insured".to_owned()).await);
    NEXT.wait().await;
    done.push(step("sent".to_owned()).await);
    NEXT.wait().await;
    Ok(json!(done))
}

/// None that is left has the mark.
async fn four(_: Value) -> Result<Value, Error> {
    let mut done = Vec::new();
    NEXT.wait().await;
    done.push(step("paid".to_owned()).await);
    done.push(step("insured".to_owned()).await);
    NEXT.wait().await;
    done.push(step("sent".to_owned()).await);
    NEXT.wait().await;
    Ok(json!(done))
}

fn release(number: u32) -> Registry {
    let registry = Registry::new().activity(step);
    match number {
        1 => registry.named_orchestrator("patching.flow", one),
        2 => registry.named_orchestrator("patching.flow", two),
        3 => registry.named_orchestrator("patching.flow", three),
        _ => registry.named_orchestrator("patching.flow", four),
    }
}

/// Starts one instance for each number of steps that it then has taken.
async fn begin(engine: &TestEngine, name: &str) {
    for steps in 0..3 {
        let call = named::orchestrator("patching.flow", &Value::Null);
        let handle = engine.start(call).id(format!("{name}-{steps}"));
        let handle = handle.await.unwrap();
        for _ in 0..steps {
            handle.raise(&NEXT, ()).await.unwrap();
        }
    }
    engine.settle().await;
}

/// Lets what was begun go on to its end; gives what each has done.
async fn finish(engine: &TestEngine, name: &str) -> Vec<usize> {
    let mut done = Vec::new();
    for steps in 0..3 {
        let instance = instance(engine, &format!("{name}-{steps}")).await;
        for _ in steps..3 {
            instance.raise(&NEXT, ()).await.unwrap();
        }
        let Some(Outcome::Completed(output)) = instance.wait().await.unwrap().outcome else {
            panic!("it returns");
        };
        done.push(output.decode::<Vec<String>>().unwrap().len());
    }
    done
}

#[tokio::test]
async fn a_change_goes_through_its_releases_and_no_instance_stalls() {
    let engine = TestEngine::builder().registry(release(1)).start().unwrap();
    begin(&engine, "one").await;
    let engine = engine.restart_with(release(2)).await.unwrap();
    begin(&engine, "two").await;
    assert!(engine.verify().await.unwrap().all_fit());
    // Those that had paid are not insured.
    assert_eq!(finish(&engine, "one").await, [3, 2, 2]);
    let engine = engine.restart_with(release(3)).await.unwrap();
    let verified = engine.verify().await.unwrap();
    assert!(verified.all_fit(), "{verified}");
    begin(&engine, "three").await;
    assert_eq!(finish(&engine, "two").await, [3, 3, 3]);
    let engine = engine.restart_with(release(4)).await.unwrap();
    let verified = engine.verify().await.unwrap();
    assert!(verified.all_fit(), "{verified}");
    assert_eq!(finish(&engine, "three").await, [3, 3, 3]);
}

#[tokio::test]
async fn a_release_too_early_stalls_whom_it_concerns_and_one_step_back_mends_it() {
    for (from, early) in [(1, 3), (2, 4)] {
        let engine = TestEngine::builder()
            .registry(release(from))
            .start()
            .unwrap();
        begin(&engine, "early").await;
        let engine = engine.restart_with(release(early)).await.unwrap();
        let verified = engine.verify().await.unwrap();
        assert_eq!(
            (verified.totals.fit, verified.totals.diverge),
            (1, 2),
            "{verified}"
        );
        let waiting = instance(&engine, "early-1").await;
        waiting.raise(&NEXT, ()).await.unwrap();
        engine.settle().await;
        let stalled = waiting.summary().await.unwrap().stalled.unwrap();
        assert_eq!(stalled.reason, StallReason::Divergence);
        if from == 2 {
            assert!(
                stalled.report.contains("`retired(\"insure\")`"),
                "{}",
                stalled.report
            );
        }
        let engine = engine.restart_with(release(2)).await.unwrap();
        engine.settle().await;
        let waiting = instance(&engine, "early-1").await;
        assert_eq!(waiting.status().await.unwrap(), Status::Running);
    }
}

#[orchestrator(name = "patching.loops")]
async fn loops(round: u32) -> Vec<bool> {
    let mut said = Vec::new();
    for _ in 0..3 {
        NEXT.wait().await;
        said.push(changed("loop"));
    }
    if round == 0 {
        return continue_as_new(loops(1)).await;
    }
    said
}

#[tokio::test]
async fn an_execution_asks_once_and_the_next_one_asks_anew() {
    let engine = TestEngine::builder()
        .registry(Registry::new().orchestrator(loops))
        .start()
        .unwrap();
    let handle = engine.start(loops(0)).await.unwrap();
    for _ in 0..6 {
        handle.raise(&NEXT, ()).await.unwrap();
        engine.settle().await;
        engine.evict().await;
    }
    assert_eq!(handle.result().await.unwrap(), [true; 3]);
    let history = handle.history().await.unwrap();
    let marks = history
        .iter()
        .filter(|event| matches!(event, HistoryEvent::ChangeRecorded(_)));
    assert_eq!(marks.count(), 1);
}
