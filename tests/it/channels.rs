//! The two channels of failure where they cross: conversions, children, deadlines, open work.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{Failure, FaultKind, Outcome, Registry, Status, WaitError};
use serde::{Deserialize, Serialize};

use crate::support::{engine, kinds};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
enum ShopError {
    #[error("sold out")]
    SoldOut,
    #[error("something broke")]
    Broken(#[from] Fault),
}

/// An error that no fault can become.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused(String);

#[activity(name = "channels.shelf")]
async fn shelf(mood: String) -> Result<u32, ShopError> {
    match &*mood {
        "good" => Ok(1),
        "empty" => Err(ShopError::SoldOut),
        _ => panic!("the shelf fell"),
    }
}

#[activity(name = "channels.strict")]
async fn strict(mood: String) -> Result<u32, Refused> {
    match &*mood {
        "good" => Ok(1),
        "bad" => Err(Refused(mood)),
        _ => panic!("strict"),
    }
}

#[orchestrator(name = "channels.converts")]
async fn converts(mood: String) -> Result<u32, ShopError> {
    let first = shelf(mood).await;
    // The conversion happens at the await: code can look at the fault as at any error.
    match first {
        Err(ShopError::Broken(fault)) if fault.kind() == FaultKind::Panicked => Ok(99),
        other => other,
    }
}

#[orchestrator(name = "channels.strict_child")]
async fn strict_child(mood: String) -> Result<u32, Refused> {
    strict(mood).await
}

#[orchestrator(name = "channels.shop_child")]
async fn shop_child(mood: String) -> Result<u32, ShopError> {
    assert!(mood != "own", "the child itself");
    sleep(hours(1)).await;
    shelf(mood).catch().await.unwrap_or(Ok(7))
}

#[orchestrator(name = "channels.catches_child")]
async fn catches_child(mood: String) -> String {
    match strict_child(mood).catch().await {
        Ok(Ok(n)) => format!("value {n}"),
        Ok(Err(error)) => format!("error {error:?}"),
        Err(fault) => format!("fault of {}: {}", fault.subject(), fault.message()),
    }
}

#[orchestrator(name = "channels.converts_child")]
async fn converts_child(mood: String) -> Result<u32, ShopError> {
    shop_child(mood).await
}

#[orchestrator(name = "channels.passes_on")]
async fn passes_on(mood: String) -> Result<u32, Refused> {
    strict_child(mood).await
}

#[orchestrator(name = "channels.caught_in_time")]
async fn caught_in_time(mood: String, limit: u64) -> String {
    match shop_child(mood).catch().timeout(minutes(limit)).await {
        Ok(Ok(result)) => format!("{result:?}"),
        Ok(Err(fault)) => format!("{:?}", fault.kind()),
        Err(elapsed) => elapsed.to_string(),
    }
}

static WAS_TOLD: AtomicBool = AtomicBool::new(false);

#[activity(name = "channels.bystander")]
async fn bystander() -> u32 {
    activity::cancelled().await;
    WAS_TOLD.store(true, Ordering::SeqCst);
    0
}

#[orchestrator(name = "channels.breaks")]
async fn breaks() -> u32 {
    let child = shop_child("good".to_owned()).id("open-child");
    let broken = async { strict("none".to_owned()).await.map_or(0, |n| n) };
    let (a, _b, (), d) = join!(bystander(), child, sleep(days(2)), broken);
    a + d
}

#[tokio::test]
async fn a_fault_becomes_the_declared_error_and_a_declared_error_stays_itself() {
    let engine = engine();
    for (mood, expected) in [
        ("good", Ok(1)),
        ("empty", Err(ShopError::SoldOut)),
        ("odd", Ok(99)),
    ] {
        let handle = engine.start(converts(mood.to_owned())).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn catch_on_a_child_tells_value_error_and_fault_apart() {
    let engine = engine();
    let expected = [
        ("good", "value 1"),
        ("bad", r#"error Refused("bad")"#),
        ("none", "fault of channels.strict: strict"),
    ];
    for (mood, expected) in expected {
        let handle = engine.start(catches_child(mood.to_owned())).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_fault_of_a_child_becomes_the_declared_error_of_the_child() {
    let engine = engine();
    let handle = engine
        .start(converts_child("own".to_owned()))
        .await
        .unwrap();
    let Err(ShopError::Broken(fault)) = handle.result().await.unwrap() else {
        panic!("a fault was expected");
    };
    assert_eq!(
        fault.to_string(),
        "`channels.shop_child` panicked: the child itself"
    );
}

#[tokio::test]
async fn a_fault_that_nobody_holds_passes_from_child_to_parent() {
    let engine = engine();
    let handle = engine.start(passes_on("none".to_owned())).await.unwrap();
    let Err(WaitError::Fault(fault)) = handle.result().await else {
        panic!("a fault was expected");
    };
    assert_eq!(fault.to_string(), "`channels.strict` panicked: strict");
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    assert_eq!(
        summary.outcome,
        Some(Outcome::Failed(Failure::Fault(fault)))
    );
}

#[tokio::test]
async fn a_caught_call_may_have_a_deadline() {
    let engine = engine();
    let calls = [
        ("good", 90, "Ok(1)"),
        ("good", 30, "the deadline has elapsed"),
        ("own", 30, "Panicked"),
    ];
    for (mood, limit, expected) in calls {
        let handle = engine
            .start(caught_in_time(mood.to_owned(), limit))
            .await
            .unwrap();
        assert_eq!(handle.result().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn an_uncaught_fault_closes_open_work_in_one_terminal_record() {
    let engine = engine();
    let handle = engine.start(breaks()).await.unwrap();
    engine.settle().await;
    let error = handle.result().await.unwrap_err();
    assert_eq!(error.fault().unwrap().subject(), "channels.strict");
    let history = handle.history().await.unwrap();
    let commands = ["activity", "child", "timer", "activity"];
    let expected = [
        &["started", "turn"][..],
        &commands,
        &["activity failed", "turn", "completed"],
    ];
    assert_eq!(kinds(&history), expected.concat());
    check_replay(&Registry::linked(), &history).unwrap();
    engine.settle().await;
    assert!(WAS_TOLD.load(Ordering::SeqCst));
    let child = engine.instance("open-child").await.unwrap().unwrap();
    let child = child.summary().await.unwrap();
    assert_eq!(child.status, Status::Failed);
}
