//! The second channel: panics and what becomes of them.

use durable_runtime::prelude::*;
use durable_runtime::{Error, FaultKind, Status};

use crate::support::engine;

#[activity]
async fn panics(message: String) -> u32 {
    panic!("{message}");
}

#[orchestrator]
async fn uncaught() -> u32 {
    panics("boom".to_owned()).await
}

#[orchestrator]
async fn caught() -> String {
    let fault = panics("boom".to_owned()).catch().await.unwrap_err();
    fault.to_string()
}

#[activity]
async fn panics_with_error(message: String) -> Result<u32, Error> {
    panic!("{message}");
}

#[orchestrator]
async fn converted() -> Result<u32, Error> {
    panics_with_error("boom".to_owned()).await
}

#[orchestrator]
async fn parent_of_uncaught() -> String {
    uncaught().catch().await.unwrap_err().to_string()
}

#[orchestrator]
async fn panics_itself(n: u32) -> u32 {
    assert!(n > 3, "{n} is too small");
    n
}

#[tokio::test]
async fn an_uncaught_fault_ends_the_orchestration_as_failed() {
    let engine = engine();
    let handle = engine.start(uncaught()).await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert_eq!(
        error.fault().unwrap().to_string(),
        "`panics` panicked: boom"
    );
    assert_eq!(handle.status().await.unwrap(), Status::Failed);
}

#[tokio::test]
async fn a_caught_fault_is_a_value() {
    let engine = engine();
    let handle = engine.start(caught()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "`panics` panicked: boom");
}

#[tokio::test]
async fn a_fault_becomes_the_declared_error_if_that_can_be_made_of_it() {
    let engine = engine();
    let handle = engine.start(converted()).await.unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "`panics_with_error` panicked: boom");
}

#[tokio::test]
async fn a_fault_of_a_child_reaches_its_parent() {
    let engine = engine();
    let handle = engine.start(parent_of_uncaught()).await.unwrap();
    assert!(handle.result().await.unwrap().contains("boom"));
}

#[tokio::test]
async fn a_panic_of_an_orchestrator_fails_it_and_nobody_else() {
    let engine = engine();
    let bad = engine.start(panics_itself(3)).await.unwrap();
    let good = engine.start(panics_itself(4)).await.unwrap();
    assert_eq!(good.result().await.unwrap(), 4);
    let error = bad.result().await.unwrap_err();
    assert_eq!(error.fault().unwrap().kind(), FaultKind::Panicked);
    assert_eq!(error.fault().unwrap().message(), "3 is too small");
}
