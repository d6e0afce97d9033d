//! What is in flight, against a build that may not fit it.

use std::path::{Path, PathBuf};

use durable_runtime::engine::VerifyError;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, StallReason};
use serde_json::{Value, json};

use crate::support::instance;

static GO: Event<u32> = Event::new("verifying-go");
static GO_AS_TEXT: Event<String> = Event::new("verifying-go");

#[activity(name = "verifying.pay")]
async fn pay(n: u32) -> u32 {
    n
}

#[activity(name = "verifying.never")]
async fn never() {
    std::future::pending::<()>().await;
}

#[orchestrator(name = "verifying.order")]
async fn order(n: u32) -> u32 {
    let paid = pay(n).await;
    sleep(days(1)).await;
    paid + GO.wait().await
}

#[orchestrator(name = "verifying.gone", version = "1")]
async fn gone() -> u32 {
    GO.wait().await
}

#[orchestrator(name = "verifying.reads")]
async fn reads() -> u32 {
    GO.wait().await + GO.wait().await
}

#[orchestrator(name = "verifying.hangs")]
async fn hangs() {
    never().await;
}

/// `order` of the next build.
async fn next_order(n: Value) -> Result<Value, Error> {
    let paid = side_effect(move || if n.is_null() { n } else { panic!("it ran") }).await;
    sleep(days(1)).await;
    GO.wait().await;
    Ok(paid)
}

/// `reads` of the next build.
async fn next_reads(_: Value) -> Result<Value, Error> {
    Ok(json!(GO_AS_TEXT.wait().await))
}

fn old_build() -> Registry {
    Registry::new()
        .activity(pay)
        .activity(never)
        .orchestrator(order)
        .orchestrator(gone)
        .orchestrator(reads)
        .orchestrator(hangs)
}

fn new_build() -> Registry {
    Registry::new()
        .activity(pay)
        .named_orchestrator("verifying.order", next_order)
        .named_orchestrator("verifying.reads", next_reads)
        .orchestrator(hangs)
}

async fn begin(engine: &Engine) {
    for n in 1..=2 {
        engine
            .start(order(n))
            .id(format!("order-{n}"))
            .await
            .unwrap();
    }
    engine.start(gone()).id("gone").await.unwrap();
    let reads = engine.start(reads()).id("reads").await.unwrap();
    reads.raise(&GO, 7).await.unwrap();
    engine.start(hangs()).id("hangs").await.unwrap();
}

#[tokio::test]
async fn each_instance_in_flight_is_told_of_and_nothing_is_touched() {
    let engine = TestEngine::builder().registry(old_build()).start().unwrap();
    begin(&engine).await;
    let ended = engine.start(gone()).id("ended").await.unwrap();
    ended.raise(&GO, 1).await.unwrap();
    ended.result().await.unwrap();
    engine.settle().await;
    let verified = engine.verify().await.unwrap();
    assert!(verified.all_fit(), "{verified}");
    assert_eq!(verified.totals.all(), 5);

    let engine = engine.restart_with(new_build()).await.unwrap();
    engine.settle().await;
    let commits = engine.counters().commits;
    let verified = engine.verify().await.unwrap();
    assert_eq!(engine.counters().commits, commits);
    let totals = verified.totals;
    assert_eq!((totals.fit, totals.diverge), (0, 2), "{verified}");
    assert_eq!(
        (totals.unregistered, totals.unreadable),
        (2, 1),
        "{verified}"
    );
    let told: Vec<(&str, StallReason)> = verified
        .misfits
        .iter()
        .map(|misfit| (&*misfit.instance, misfit.reason))
        .collect();
    let expected = [
        ("order-1", StallReason::Divergence),
        ("order-2", StallReason::Divergence),
        ("gone", StallReason::Unregistered),
        ("reads", StallReason::Undecodable),
        ("hangs", StallReason::Unregistered),
    ];
    assert_eq!(told, expected);
    let disagreement = verified.misfits[0].disagreement.as_ref().unwrap();
    let (recorded, requested) = (
        disagreement.recorded.as_ref().unwrap(),
        disagreement.requested.as_ref().unwrap(),
    );
    assert_eq!(recorded.what, "ActivityScheduled `verifying.pay`");
    assert_eq!(requested.what, "MarkerRecorded, a side effect");
    for side in [recorded, requested] {
        let place = side.place.as_ref().unwrap();
        assert!(place.contains("verifying.rs:"), "{place}");
    }
    let gone = verified.orchestrators.iter();
    let gone = gone.filter(|verified| verified.version.as_deref() == Some("1"));
    assert_eq!(gone.map(|verified| verified.totals.all()).sum::<u64>(), 1);
    let text = verified.to_string();
    let begin = "5 instances in flight: 0 fit, 2 would diverge, 2 unregistered, 1 unreadable\n  `verifying.gone` version 1: 0 fit, 1 unregistered\n";
    assert!(text.starts_with(begin), "{text}");
    assert!(
        text.contains(
            "\ninstance `order-1` of `verifying.order`: history and code disagree at event 2"
        ),
        "{text}"
    );

    // With the old code all go on.
    let engine = engine.restart_with(old_build()).await.unwrap();
    engine.advance(days(2)).await;
    let order_1 = engine.handle(order, "order-1").await.unwrap().unwrap();
    order_1.raise(&GO, 2).await.unwrap();
    assert_eq!(order_1.result().await.unwrap(), 3);
}

#[tokio::test]
async fn a_stopped_engine_says_so() {
    let engine = TestEngine::builder().registry(old_build()).start().unwrap();
    engine.shutdown().await;
    let error = engine.verify().await.unwrap_err();
    assert!(matches!(error, VerifyError::Stopped(_)), "{error}");
}

#[tokio::test]
async fn more_than_a_page_of_them_is_found_folded_or_not() {
    let engine = TestEngine::builder().registry(old_build()).start().unwrap();
    let starts: Vec<_> = (0..2_500)
        .map(|n| tokio::spawn(engine.start(gone()).id(format!("many-{n}")).into_future()))
        .collect();
    for (n, start) in starts.into_iter().enumerate() {
        let handle = start.await.unwrap().unwrap();
        if n % 3 == 0 {
            handle.raise(&GO, 1).await.unwrap();
        }
    }
    engine.settle().await;
    let in_flight = 2_500 - 834;
    let verified = engine.verify().await.unwrap();
    assert_eq!(verified.totals.fit, in_flight, "{}", verified.totals);
    let engine = engine.restart_with(new_build()).await.unwrap();
    let verified = engine.verify().await.unwrap();
    assert_eq!(verified.totals.unregistered, in_flight);
    assert_eq!(verified.misfits.len(), 1_000);
    let more = format!("\nand {} more that do not fit", in_flight - 1_000);
    assert!(verified.to_string().ends_with(&more));
}

fn fresh(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("verify-{name}-{}.redb", std::process::id()));
    drop(std::fs::remove_file(&path));
    path
}

async fn verify_file(path: &Path, registry: Registry) -> (u64, u64) {
    let before = std::fs::read(path).unwrap();
    let verified = Engine::builder(path)
        .registry(registry)
        .verify()
        .await
        .unwrap();
    assert!(
        std::fs::read(path).unwrap() == before,
        "the file was changed"
    );
    (verified.totals.fit, verified.totals.misfits())
}

#[tokio::test]
async fn a_file_is_verified_before_anything_runs_and_stays_as_it_is_to_the_byte() {
    let path = fresh("file");
    let engine = Engine::builder(&path)
        .registry(old_build())
        .open()
        .await
        .unwrap();
    begin(&engine).await;
    let waiting = instance_of(&engine, "order-2").await;
    let mut now = waiting.summary().await.unwrap();
    while now.events < 6 {
        now = waiting.changed(&now).await.unwrap();
    }
    let taken = Engine::builder(&path)
        .registry(old_build())
        .verify()
        .await
        .unwrap_err();
    assert!(matches!(taken, VerifyError::Open(_)), "{taken}");
    // As a kill leaves it.
    let copy = fresh("copy");
    std::fs::copy(&path, &copy).unwrap();
    engine.shutdown().await;
    assert_eq!(verify_file(&path, old_build()).await, (5, 0));
    let (fit, misfits) = verify_file(&path, new_build()).await;
    assert_eq!(fit + misfits, 5);
    assert!(misfits >= 3);
    assert_eq!(verify_file(&copy, old_build()).await, (5, 0));
    // It is still a store, and nothing is held against anything.
    let engine = Engine::builder(&copy)
        .registry(old_build())
        .open()
        .await
        .unwrap();
    assert_eq!(engine.verify().await.unwrap().totals.fit, 5);
    engine.shutdown().await;
    for path in [path, copy] {
        std::fs::remove_file(path).unwrap();
    }
}

async fn instance_of(engine: &Engine, id: &str) -> durable_runtime::Instance {
    engine.instance(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let path = fresh("nothing");
    let error = Engine::builder(&path).verify().await.unwrap_err();
    let VerifyError::Open(error) = error else {
        panic!("{error}");
    };
    assert!(
        format!("{error:?}").contains("could not be opened"),
        "{error:?}"
    );
    assert!(!path.exists());
}

#[tokio::test]
async fn code_that_panics_does_not_end_the_verification() {
    let engine = TestEngine::builder().registry(old_build()).start().unwrap();
    engine.start(reads()).id("panics").await.unwrap();
    engine.settle().await;
    let broken = Registry::new().named_orchestrator("verifying.reads", |_| async {
        assert!(info().version.is_some(), "it is broken");
        Ok::<_, Error>(Value::Null)
    });
    let engine = engine.restart_with(broken).await.unwrap();
    let verified = engine.verify().await.unwrap();
    assert_eq!(verified.totals.diverge, 1, "{verified}");
    let still = instance(&engine, "panics").await;
    assert!(!still.summary().await.unwrap().has_ended());
}
