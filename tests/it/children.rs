//! Child orchestrations.

use durable_runtime::prelude::*;
use durable_runtime::{Failure, FaultKind, HistoryEvent, Outcome, Status};
use serde::{Deserialize, Serialize};

use crate::support::engine;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OutOfStock {
    sku: String,
}

#[activity]
async fn pick(sku: String) -> Result<String, OutOfStock> {
    if sku.starts_with('x') {
        Err(OutOfStock { sku })
    } else {
        Ok(format!("picked {sku}"))
    }
}

#[orchestrator]
async fn ship(sku: String) -> Result<String, OutOfStock> {
    let picked = pick(sku).await?;
    sleep(hours(1)).await;
    Ok(picked)
}

#[orchestrator]
async fn ship_all(skus: Vec<String>) -> Vec<Result<String, OutOfStock>> {
    join_all(skus.into_iter().map(ship)).await
}

#[orchestrator]
async fn countdown(n: u32) -> u32 {
    if n == 0 {
        0
    } else {
        countdown(n - 1).await + 1
    }
}

#[orchestrator]
async fn impatient() -> String {
    match ship("slow".to_owned()).timeout(minutes(1)).await {
        Ok(_) => "shipped".to_owned(),
        Err(elapsed) => elapsed.to_string(),
    }
}

#[orchestrator]
async fn named_child() -> String {
    match ship("a".to_owned()).id("the-child").catch().await {
        Ok(result) => format!("{result:?}"),
        Err(fault) => format!("{:?}", fault.kind()),
    }
}

#[tokio::test]
async fn typed_results_and_errors_cross_from_child_to_parent_in_order() {
    let engine = engine();
    let skus = ["a", "x1", "b"].map(str::to_owned).to_vec();
    let handle = engine.start(ship_all(skus)).await.unwrap();
    let results = handle.result().await.unwrap();
    let expected = [
        Ok("picked a".to_owned()),
        Err(OutOfStock {
            sku: "x1".to_owned(),
        }),
        Ok("picked b".to_owned()),
    ];
    assert_eq!(results, expected);
}

#[tokio::test]
async fn an_orchestrator_may_call_itself() {
    let engine = engine();
    let handle = engine.start(countdown(50)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 50);
}

#[tokio::test]
async fn a_child_whose_call_is_dropped_is_cancelled() {
    let engine = engine();
    let handle = engine.start(impatient()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "the deadline has elapsed");
    engine.settle().await;
    let history = handle.history().await.unwrap();
    let child = history.iter().find_map(|event| match event {
        HistoryEvent::ChildScheduled(child) => Some(child.instance.clone()),
        _ => None,
    });
    let child = engine
        .instance(child.unwrap().as_str())
        .await
        .unwrap()
        .unwrap();
    let summary = child.summary().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    let Some(Outcome::Failed(Failure::Fault(fault))) = summary.outcome else {
        panic!("{summary:?}");
    };
    assert_eq!(fault.kind(), FaultKind::Cancelled);
}

#[tokio::test]
async fn a_child_id_that_is_taken_is_a_fault_at_the_await() {
    let engine = engine();
    let first = engine.start(named_child()).await.unwrap();
    engine.settle().await;
    let second = engine.start(named_child()).await.unwrap();
    assert_eq!(second.result().await.unwrap(), "Conflict");
    assert_eq!(first.result().await.unwrap(), r#"Ok("picked a")"#);
}
