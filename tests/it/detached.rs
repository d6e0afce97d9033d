//! Instances that are started without a bond, and their outcomes.

use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{FaultKind, HistoryEvent, InstanceId, Registry, Status, named};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{engine, kinds};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Lost {
    AtSea(u32),
    Fault(String),
}

impl From<Fault> for Lost {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

type Shipped = Result<String, Lost>;

#[orchestrator(name = "detached.ship")]
async fn ship(order: u32) -> Shipped {
    sleep(days(3)).await;
    assert_ne!(order, 13, "the ship does not sail on that day");
    if order == 7 {
        return Err(Lost::AtSea(order));
    }
    Ok(format!("order {order}"))
}

/// Starts a ship and ends, or waits.
#[orchestrator(name = "detached.checkout")]
async fn checkout(order: u32, waits: bool) -> Shipped {
    let shipping = start(ship(order)).id(format!("ship-{order}")).await;
    if waits {
        shipping.result().await
    } else {
        Ok(format!("see {}", shipping.id()))
    }
}

#[orchestrator(name = "detached.follow")]
async fn follow(shipping: Detached<Shipped>) -> Shipped {
    shipping.result().await
}

/// Hands its handle to a child and to its next execution.
#[orchestrator(name = "detached.hand_over")]
async fn hand_over(shipping: Option<Detached<Shipped>>) -> (Shipped, Shipped) {
    match shipping {
        None => {
            let shipping = start(ship(3)).tag("lane", "fast").await;
            continue_as_new(hand_over(Some(shipping))).await
        }
        Some(shipping) => {
            let followed = follow(shipping.clone()).await;
            (followed, shipping.result().await)
        }
    }
}

#[orchestrator(name = "detached.refused")]
async fn refused(order: u32) -> String {
    let caught = start(ship(order)).id("ship-1").catch().await;
    let uncaught = caught.map(|shipping| shipping.id().to_string());
    uncaught.unwrap_or_else(|fault| format!("{:?}: {fault}", fault.kind()))
}

#[orchestrator(name = "detached.missing")]
async fn missing() -> Result<String, FaultKind> {
    let id: InstanceId = "nowhere".parse().unwrap();
    let outcome = Detached::<Shipped>::new(id).result().catch().await;
    outcome.map(|_| String::new()).map_err(|fault| fault.kind())
}

#[orchestrator(name = "detached.impatient")]
async fn impatient() -> (bool, Shipped) {
    let shipping = start(ship(4)).id("slow").await;
    let late = shipping.result().timeout(hours(1)).await.is_err();
    (late, shipping.result().await)
}

/// Starts a ship in a turn that does not wait for it.
#[orchestrator(name = "detached.hasty")]
async fn hasty() -> bool {
    let dropped = select! {
        _ = start(ship(5)).id("never") => false,
        () = async {} => true,
    };
    sleep(seconds(1)).await;
    dropped
}

#[orchestrator(name = "detached.by_name")]
async fn by_name() -> (Value, String) {
    let shipping = start(named::orchestrator("detached.ship", &json!(21)))
        .id("by-name")
        .await;
    let outcome = shipping.result().await.unwrap();
    let failed = start(named::orchestrator("detached.ship", &json!(7))).await;
    let failure = failed.result().await.unwrap_err();
    (outcome, failure.to_string())
}

#[tokio::test]
async fn it_lives_on_when_its_starter_has_ended() {
    let engine = engine();
    let order = engine.start(checkout(1, false)).await.unwrap();
    assert_eq!(order.result().await.unwrap(), Ok("see ship-1".to_owned()));
    let history = order.history().await.unwrap();
    let expected = [
        "started",
        "turn",
        "detached",
        "detached started",
        "turn",
        "completed",
    ];
    assert_eq!(kinds(&history), expected);
    check_replay(&Registry::linked(), &history).unwrap();
    let shipping = engine.handle(ship, "ship-1").await.unwrap().unwrap();
    assert!(shipping.summary().await.unwrap().parent.is_none());
    assert_eq!(shipping.result().await.unwrap(), Ok("order 1".to_owned()));
}

#[tokio::test]
async fn it_outlives_a_starter_that_is_cancelled() {
    #[orchestrator(name = "detached.cancelled_starter")]
    async fn cancelled_starter() {
        start(ship(2)).id("outlives").await;
        sleep(days(30)).await;
    }
    #[orchestrator(name = "detached.canceller")]
    async fn canceller() -> bool {
        cancelled_starter().timeout(hours(1)).await.is_err()
    }
    let engine = engine();
    let handle = engine.start(canceller()).await.unwrap();
    assert!(handle.result().await.unwrap());
    engine.settle().await;
    let shipping = engine.handle(ship, "outlives").await.unwrap().unwrap();
    assert_eq!(shipping.status().await.unwrap(), Status::Running);
    assert_eq!(shipping.result().await.unwrap(), Ok("order 2".to_owned()));
}

#[tokio::test]
async fn its_outcome_comes_back_as_declared_in_both_channels() {
    let engine = engine();
    for (order, expected) in [(1, Ok("order 1".to_owned())), (7, Err(Lost::AtSea(7)))] {
        let handle = engine.start(checkout(order, true)).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), expected);
    }
    let handle = engine.start(checkout(13, true)).await.unwrap();
    let Err(Lost::Fault(fault)) = handle.result().await.unwrap() else {
        panic!("the ship panicked");
    };
    assert!(fault.contains("does not sail on that day"), "{fault}");
}

#[tokio::test]
async fn a_handle_is_handed_to_a_child_and_to_the_next_execution() {
    let mut engine = engine();
    let handle = engine.start(hand_over(None)).id("hands").await.unwrap();
    engine.settle().await;
    // Who waits is known again after a death.
    engine = engine.restart().await.unwrap();
    let handle_id = handle.id().to_string();
    let handle = engine.handle(hand_over, &handle_id).await.unwrap().unwrap();
    let there = Ok("order 3".to_owned());
    assert_eq!(handle.result().await.unwrap(), (there.clone(), there));
    assert_eq!(handle.summary().await.unwrap().execution.0, 2);
}

#[tokio::test]
async fn one_that_has_ended_answers_at_once_and_many_may_wait() {
    let engine = engine();
    let shipping = engine.start(ship(1)).id("ship-1").await.unwrap();
    let asks = || engine.start(named::orchestrator("detached.follow", &json!("ship-1")));
    let (a, b) = (asks().await.unwrap(), asks().await.unwrap());
    assert_eq!(a.result().await.unwrap().unwrap(), json!("order 1"));
    assert_eq!(b.result().await.unwrap().unwrap(), json!("order 1"));
    shipping.result().await.unwrap().unwrap();
    let before = engine.now();
    let late = asks().await.unwrap();
    assert_eq!(late.result().await.unwrap().unwrap(), json!("order 1"));
    assert_eq!(engine.now(), before, "nothing was waited for");
}

#[tokio::test]
async fn a_taken_id_attaches_to_the_same_and_refuses_another() {
    let engine = engine();
    engine.start(ship(1)).id("ship-1").await.unwrap();
    let same = engine.start(refused(1)).await.unwrap();
    assert_eq!(same.result().await.unwrap(), "ship-1");
    let history = same.history().await.unwrap();
    let was_there = history.iter().any(|event| match event {
        HistoryEvent::DetachedStarted(started) => started.was_there,
        _ => false,
    });
    assert!(was_there, "{history:?}");
    let other = engine.start(refused(2)).await.unwrap();
    assert_eq!(
        other.result().await.unwrap(),
        "Conflict: `ship-1` could not be started: the id belongs to an instance of another input; choose another with \
         `.id(..)`"
    );
}

#[tokio::test]
async fn an_outcome_that_can_never_come_is_a_fault() {
    let engine = engine();
    let handle = engine.start(missing()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err(FaultKind::NotFound));
}

#[tokio::test]
async fn a_wait_that_is_given_up_leaves_the_instance_alone() {
    let engine = engine();
    let handle = engine.start(impatient()).await.unwrap();
    let expected = (true, Ok("order 4".to_owned()));
    assert_eq!(handle.result().await.unwrap(), expected);
}

#[tokio::test]
async fn a_start_that_is_dropped_in_its_turn_starts_nothing() {
    let engine = engine();
    let handle = engine.start(hasty()).await.unwrap();
    assert!(handle.result().await.unwrap());
    assert!(engine.instance("never").await.unwrap().is_none());
}

#[tokio::test]
async fn by_name_it_is_the_same() {
    let engine = engine();
    let handle = engine.start(by_name()).await.unwrap();
    let (outcome, failure) = handle.result().await.unwrap();
    assert_eq!(outcome, json!("order 21"));
    assert_eq!(failure, r#"{"AtSea":7}"#);
    let history = handle.history().await.unwrap();
    check_replay(&Registry::linked(), &history).unwrap();
}

#[tokio::test]
async fn a_handle_of_the_wrong_type_stalls_who_reads_it() {
    #[orchestrator(name = "detached.misread")]
    async fn misread(shipping: Detached<u32>) -> u32 {
        shipping.result().await
    }
    let engine = engine();
    engine.start(ship(1)).id("ship-1").await.unwrap();
    let request = engine.start(named::orchestrator("detached.misread", &json!("ship-1")));
    let handle = request.id("misread").await.unwrap();
    engine.advance(days(3)).await;
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.status, Status::Stalled);
    let report = summary.stalled.unwrap().report;
    assert!(report.contains("ship-1"), "{report}");
}

#[tokio::test]
async fn it_is_found_again_after_a_kill_at_every_quiet_point() {
    let mut engine = engine();
    engine.start(checkout(8, true)).id("buy").await.unwrap();
    for _ in 0..5 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
        engine.settle().await;
        engine.advance(days(1)).await;
        engine = engine.restart().await.unwrap();
    }
    engine.settle().await;
    let handle = engine.handle(checkout, "buy").await.unwrap().unwrap();
    assert_eq!(handle.status().await.unwrap(), Status::Completed);
    assert_eq!(handle.result().await.unwrap(), Ok("order 8".to_owned()));
}
