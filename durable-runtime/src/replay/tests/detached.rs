use serde_json::{Value, json};

use super::support::*;
use crate::event::{DetachedAwaited, DetachedScheduled, HistoryEvent, StallReason};
use crate::failure::{Failure, Fault, FaultKind};
use crate::id::{EventId, InstanceId};
use crate::orchestration::{Detached, continue_as_new, join_all, named, seconds, start};
use crate::replay::{Code, TurnEnd};
use crate::retry::RetryPolicy;

fn scheduled(world: &World, index: usize) -> &DetachedScheduled {
    match world.commands()[index] {
        HistoryEvent::DetachedScheduled(command) => command,
        event => panic!("{event:?}"),
    }
}

fn awaited(world: &World, index: usize) -> &DetachedAwaited {
    match world.commands()[index] {
        HistoryEvent::DetachedAwaited(command) => command,
        event => panic!("{event:?}"),
    }
}

/// Delivers one arrival.
fn deliver(world: &mut World, arrival: HistoryEvent) -> crate::replay::Turn {
    world.turn(vec![arrival])
}

fn conflict() -> Failure {
    Failure::Fault(Fault::new(FaultKind::Conflict, "ship-42", "taken"))
}

fn instance(id: &str) -> InstanceId {
    InstanceId::parse(id).unwrap()
}

#[test]
fn a_start_waits_for_its_answer_and_gives_a_handle_with_the_id() {
    let code = code(|(): ()| async {
        let shipping = start(ship(&json!(1)))
            .id("ship-42")
            .tag("lane", "fast")
            .await;
        shipping.id().to_string()
    });
    let mut execution = World::start(&code);
    let command = scheduled(&execution, 0);
    assert_eq!(
        (
            &*command.name,
            command.version.as_deref(),
            command.instance.as_str()
        ),
        ("ship", Some("2"), "ship-42")
    );
    assert!(execution.end.is_none());
    let arrival = execution.detached_started(0);
    assert!(execution.execution.accepts(&arrival));
    deliver(&mut execution, arrival.clone());
    assert!(!execution.execution.accepts(&arrival));
    assert_eq!(execution.output(), json!("ship-42"));
}

#[test]
fn the_labels_of_a_detached_instance_go_with_its_turn() {
    let code = code(|(): ()| async {
        start(ship(&json!(1)).tag("a", "1")).tag("b", "2").await;
    });
    let mut world = World {
        code: std::sync::Arc::clone(&code),
        execution: crate::replay::Execution::new(IDENTITY, std::sync::Arc::clone(&code)),
        history: Vec::new(),
        end: None,
        at: BEGIN,
    };
    let begin = HistoryEvent::ExecutionStarted(Box::new(started(&Value::Null)));
    let turn = deliver(&mut world, begin);
    let tags = [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(turn.child_tags, [(EventId(0), tags.into())]);
}

#[test]
fn starts_without_an_id_have_ids_of_their_own_and_are_asked_for_in_one_turn() {
    let code = code(|(): ()| async {
        let all = join_all([start(ship(&json!(1))), start(ship(&json!(2)))]).await;
        all[0].id() != all[1].id()
    });
    let mut world = World::start(&code);
    assert_eq!(world.commands().len(), 2);
    assert!(scheduled(&world, 0).instance.as_str().starts_with('~'));
    let arrivals = vec![world.detached_started(0), world.detached_started(1)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!(true));
}

#[test]
fn a_conflict_ends_the_orchestration_unless_it_is_caught() {
    let plain = code(|(): ()| async { start(ship(&json!(1))).id("ship-42").await });
    let mut world = World::start(&plain);
    let arrival = world.detached_refused(0, conflict());
    deliver(&mut world, arrival);
    assert_eq!(world.fault().kind(), FaultKind::Conflict);
    let caught = code(|(): ()| async {
        let start = start(ship(&json!(1))).id("ship-42").catch().await;
        start.map_err(|fault| fault.kind())
    });
    let mut world = World::start(&caught);
    let arrival = world.detached_refused(0, conflict());
    deliver(&mut world, arrival);
    assert_eq!(world.output(), json!({"Err": "Conflict"}));
}

#[test]
fn an_id_that_breaks_the_rules_is_a_fault_and_nothing_is_asked_for() {
    let code = code(|(): ()| async { start(ship(&json!(1))).id("a/b").await });
    let world = World::start(&code);
    assert_eq!(world.fault().kind(), FaultKind::Conflict);
    assert!(world.commands().is_empty());
}

#[test]
fn a_retry_policy_is_refused_where_nothing_is_retried() {
    let code =
        code(|(): ()| async { start(ship(&json!(1)).retry(RetryPolicy::attempts(2))).await });
    let world = World::start(&code);
    let fault = world.fault();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert!(fault.message().contains("remove it"), "{fault}");
}

#[test]
fn the_recorded_id_stays_in_force() {
    let named_by = |id: &'static str| {
        code(move |(): ()| async move {
            let shipping = start(ship(&json!(1))).id(id).await;
            double(1).await;
            shipping.id().to_string()
        })
    };
    let mut world = World::start(&named_by("old"));
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    let mut world = World::resume(&named_by("new"), &world.history).unwrap();
    world.complete(1, 2);
    assert_eq!(world.unchecked_output(), json!("old"));
}

#[test]
fn a_start_that_is_dropped_in_its_turn_is_cancelled_with_it() {
    let code = code(|(): ()| async {
        let lost = race(start(ship(&json!(1))), std::future::ready(())).await;
        double(1).await;
        lost.is_err()
    });
    let mut world = World::start(&code);
    assert_eq!(
        kinds(&world.history)[2..],
        ["DetachedScheduled", "ActivityScheduled", "Cancelled"]
    );
    world.complete(1, 2);
    assert_eq!(world.output(), json!(true));
}

/// Starts, and awaits the outcome.
fn start_and_await() -> Code {
    code(|(): ()| async {
        let shipping = start(ship(&json!(1))).id("ship-42").await;
        let outcome = shipping.result().catch().await;
        outcome.map_err(|fault| fault.kind())
    })
}

#[test]
fn the_outcome_of_a_start_is_a_command_of_its_own() {
    let mut world = World::start(&start_and_await());
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    assert_eq!(awaited(&world, 1).instance.as_str(), "ship-42");
    let arrival = world.detached_completed(1, "shipped");
    deliver(&mut world, arrival);
    assert_eq!(world.output(), json!({"Ok": "shipped"}));
}

#[test]
fn a_fault_of_the_instance_reaches_the_await() {
    let mut world = World::start(&start_and_await());
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    let arrival = world.detached_failed(1, panicked());
    deliver(&mut world, arrival);
    assert_eq!(world.output(), json!({"Err": "Panicked"}));
    let uncaught = code(|(): ()| async {
        let shipping = start(ship(&json!(1))).await;
        shipping.result().await
    });
    let mut world = World::start(&uncaught);
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    let arrival = world.detached_failed(1, panicked());
    deliver(&mut world, arrival);
    assert_eq!(world.fault().kind(), FaultKind::Panicked);
}

#[test]
fn one_outcome_may_be_awaited_twice_and_a_lost_wait_is_withdrawn() {
    let code = code(|(): ()| async {
        let shipping = start(ship(&json!(1))).await;
        let late = shipping.result().timeout(seconds(60)).await.is_err();
        (late, shipping.result().await)
    });
    let mut world = World::start(&code);
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    let turn = world.fire(2);
    assert_eq!(
        kinds(&turn.events)[2..],
        ["DetachedAwaited", "Cancelled"],
        "the wait is withdrawn, and asked again"
    );
    // The outcome comes once, for whoever still waits.
    assert!(
        !world
            .execution
            .accepts(&world.detached_completed(1, "late"))
    );
    let arrival = world.detached_completed(3, "shipped");
    deliver(&mut world, arrival);
    assert_eq!(world.output(), json!([true, "shipped"]));
}

#[test]
fn an_instance_that_awaits_itself_is_told_so() {
    let code =
        code(|(): ()| async { named::detached(instance("order-42")).result().await.is_ok() });
    let fault = World::start(&code).fault();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert!(fault.message().contains("its own outcome"), "{fault}");
}

#[test]
fn a_handle_of_a_type_that_nothing_returns_stalls_with_both_named() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Unheard;
    let code = code(|(): ()| async {
        Detached::<Unheard>::new(instance("ship-42")).result().await;
    });
    let world = World::start(&code);
    let Some(HistoryEvent::ExecutionStalled(stalled)) = world.history.last() else {
        panic!("{:?}", world.history);
    };
    assert_eq!(stalled.reason, StallReason::Unregistered);
    assert!(stalled.report.contains("Unheard"), "{}", stalled.report);
    assert!(stalled.report.contains("ship-42"), "{}", stalled.report);
}

#[test]
fn by_name_a_failure_of_either_channel_is_a_value() {
    let code = code(|(): ()| async {
        let shipping = start(named::orchestrator("ship", &json!({"order": 1})))
            .id("ship-42")
            .await;
        let other = named::detached(instance("ship-43"));
        let other = other.result().await.map_err(|failure| failure.to_string());
        (shipping.result().await.ok(), other)
    });
    let mut world = World::start(&code);
    assert_eq!(scheduled(&world, 0).version, None);
    let arrival = world.detached_started(0);
    deliver(&mut world, arrival);
    let arrival = world.detached_failed(1, returned(&"no"));
    deliver(&mut world, arrival);
    let arrival = world.detached_completed(2, json!({"by": "sea"}));
    deliver(&mut world, arrival);
    assert_eq!(world.output(), json!([{"by": "sea"}, {"Err": "declined"}]));
}

#[test]
fn a_handle_goes_along_with_continue_as_new_as_its_id() {
    let code = code(|(): ()| async {
        let shipping = start(ship(&json!(1))).id("ship-42").await;
        assert_eq!(json!(shipping), json!("ship-42"));
        assert_eq!(
            serde_json::from_value::<Detached<String>>(json!("ship-42")).unwrap(),
            shipping
        );
        assert!(serde_json::from_value::<Detached<String>>(json!("a/b")).is_err());
        continue_as_new(flow(1)).await
    });
    let mut world = World::start(&code);
    let arrival = world.detached_started(0);
    let turn = deliver(&mut world, arrival);
    let TurnEnd::Continued { abandoned, .. } = turn.end else {
        panic!("{:?}", turn.end);
    };
    assert!(abandoned.is_empty());
    world.check();
}

#[test]
fn another_orchestrator_input_or_instance_diverges() {
    let told = |old: &Code, new: &Code| {
        let world = World::start(old);
        let stall = World::resume(new, &world.history).err().unwrap();
        let divergence = stall.divergence.unwrap();
        let side = |what: Option<String>| what.unwrap_or_default();
        (
            side(divergence.recorded.map(|side| side.what)),
            side(divergence.requested.map(|side| side.what)),
        )
    };
    let starts = |order: u32| {
        code(move |(): ()| async move {
            start(ship(&json!({ "order": order }))).await;
        })
    };
    let other = code(|(): ()| async {
        start(flow(1)).await;
    });
    let child = code(|(): ()| async {
        ship(&json!({"order": 1})).await;
    });
    let waits = |id: &'static str| {
        code(move |(): ()| async move { named::detached(instance(id)).result().await.is_ok() })
    };
    let recorded = "DetachedScheduled `ship` v2".to_owned();
    assert_eq!(
        told(&starts(1), &starts(2)),
        (
            recorded.clone(),
            format!("{recorded}, whose input differs at `/order`")
        )
    );
    assert_eq!(
        told(&starts(1), &other),
        (recorded.clone(), "DetachedScheduled `flow`".to_owned())
    );
    assert_eq!(
        told(&starts(1), &child),
        (recorded, "ChildScheduled `ship` v2".to_owned())
    );
    assert_eq!(
        told(&waits("a"), &waits("b")),
        (
            "DetachedAwaited `a`".to_owned(),
            "DetachedAwaited `b`".to_owned()
        )
    );
    // An input that has grown a member is the same.
    let grown = code(|(): ()| async {
        start(ship(&json!({"order": 1, "note": ""}))).await;
    });
    assert!(World::resume(&grown, &World::start(&starts(1)).history).is_ok());
}
