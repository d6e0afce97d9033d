//! Children: orchestrations that an orchestration starts, each with an id and a history of its own.

use durable_runtime::testing::TestEngine;
use durable_runtime::{Failure, HistoryEvent, Outcome, Status, named};
use serde_json::{Value, json};

use crate::support::{Ran, Started, Turnstile, engine, find};

async fn connect(engine: &TestEngine, names: &[&str]) -> Started {
    let request = engine.start(named::orchestrator("connect_house", &json!(names)));
    request.id("house").await.unwrap()
}

/// The ids of the children, attempt by attempt.
async fn children(house: &Started) -> Vec<String> {
    let history = house.history().await.unwrap();
    let id = |event: &HistoryEvent| match event {
        HistoryEvent::ChildScheduled(child) => Some(child.instance.to_string()),
        _ => None,
    };
    history.iter().filter_map(id).collect()
}

#[tokio::test]
async fn a_child_is_an_instance_that_knows_its_parent_and_has_its_own_history() {
    let engine = Ran::default().engine("children");
    let house = connect(&engine, &["door"]).await;
    house.wait().await.unwrap();
    assert_eq!(children(&house).await, ["device-door"]);
    let child = find(&engine, "device-door").await;
    let summary = child.summary().await.unwrap();
    assert_eq!(summary.status, Status::Completed);
    assert_eq!(summary.parent.unwrap().instance.as_str(), "house");
    let scheduled = |name: &'static str| move |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityScheduled(s) if s.name == name);
    let (own, parents) = (
        child.history().await.unwrap(),
        house.history().await.unwrap(),
    );
    assert!(own.iter().any(scheduled("configure")));
    assert!(!parents.iter().any(scheduled("configure")));
    assert!(parents.iter().any(scheduled("report")));
}

#[tokio::test]
async fn b_results_are_in_the_order_of_the_calls_and_a_failure_keeps_its_details() {
    let engine = Ran::default().engine("children-b");
    let house = connect(&engine, &["door", "toaster", "oven"]).await;
    let devices = house.result().await.unwrap().unwrap();
    let names = |device: &Value| device["Ok"]["name"].as_str().map(str::to_owned);
    let told: Vec<_> = devices.as_array().unwrap().iter().map(names).collect();
    assert_eq!(
        told,
        [Some("door".to_owned()), None, Some("oven".to_owned())]
    );
    assert_eq!(devices[1], json!({"Err": {"Hopeless": "toaster"}}));
    let history = house.history().await.unwrap();
    let failure = history.iter().find_map(|event| match event {
        HistoryEvent::ChildFailed(failed) => Some(failed.failure.clone()),
        _ => None,
    });
    let Some(Failure::Returned(returned)) = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(returned.details.message, "toaster knows no net");
    assert!(returned.details.error_type.ends_with("DeviceError"));
}

#[tokio::test]
async fn c_each_attempt_is_an_instance_and_the_failed_one_can_still_be_read() {
    let engine = Ran::default().engine("children-c");
    let house = connect(&engine, &["lamp", "toaster"]).await;
    house.wait().await.unwrap();
    let ids = children(&house).await;
    assert_eq!(ids[..2], ["device-lamp", "device-toaster"]);
    assert_eq!(ids.len(), 3, "the toaster is hopeless, not tried again");
    assert!(ids[2].starts_with('~'), "{ids:?}");
    let first = find(&engine, "device-lamp").await.summary().await.unwrap();
    assert!(matches!(first.outcome, Some(Outcome::Failed(_))));
    let second = find(&engine, &ids[2]).await.summary().await.unwrap();
    assert!(matches!(second.outcome, Some(Outcome::Completed(_))));
}

#[tokio::test]
async fn d_after_a_crash_what_children_did_is_not_done_again() {
    let turnstile = Turnstile::new();
    let (ran, its_turnstile) = (Ran::default(), turnstile.clone());
    let its_ran = ran.clone();
    let engine = engine("children-d", move |info| {
        its_ran.note(&info);
        let is_late = info.instance.as_str() == "device-oven";
        let turnstile = its_turnstile.clone();
        async move { turnstile.pass(usize::from(is_late)).await }
    });
    turnstile.open_below(1);
    let house = connect(&engine, &["door", "oven"]).await;
    drop(house);
    engine.settle().await;
    engine.advance(std::time::Duration::from_secs(1)).await;
    engine.settle().await;
    assert_eq!(ran.names(), ["lease_address", "lease_address", "configure"]);
    let engine = engine.restart().await.unwrap();
    turnstile.open_below(2);
    let ended = find(&engine, "house").await.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    // Once more what was running, then the rest.
    assert_eq!(ran.names()[3..], ["lease_address", "configure", "report"]);
}

#[tokio::test]
async fn e_a_child_id_that_is_taken_by_another_is_told_to_the_parent() {
    let engine = Ran::default().engine("children-e");
    let first = connect(&engine, &["door"]).await;
    first.wait().await.unwrap();
    let second = engine.start(named::orchestrator("connect_house", &json!(["door"])));
    let second = second.id("other-house").await.unwrap();
    let fault = second.result().await.unwrap_err();
    let fault = fault.fault().unwrap();
    assert!(fault.to_string().contains("device-door"), "{fault}");
}
