use std::sync::Arc;

use serde_json::json;

use super::support::*;
use crate::event::{ChildScheduled, HistoryEvent};
use crate::failure::{Failure, Fault, FaultKind};
use crate::id::EventId;
use crate::orchestration::{named, start};
use crate::replay::{Code, DefaultVersions, Execution, TurnEnd};
use crate::retry::RetryPolicy;

fn scheduled(world: &World, index: usize) -> &ChildScheduled {
    match world.commands()[index] {
        HistoryEvent::ChildScheduled(child) => child,
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_child_is_asked_for_by_name_and_version_under_a_derived_id() {
    let code = code(|(): ()| async { (ship(&json!(1)).await, ship(&json!(1)).await) });
    let mut world = World::start(&code);
    let first = scheduled(&world, 0).clone();
    assert_eq!(
        (&*first.name, first.version.as_deref()),
        ("ship", Some("2"))
    );
    let arrival = world.child_completed(0, "a");
    world.turn(vec![arrival]);
    let second = scheduled(&world, 1);
    assert!(second.instance.as_str().starts_with('~'));
    assert_ne!(first.instance, second.instance);
    let arrival = world.child_completed(1, "b");
    world.turn(vec![arrival]);
    assert_eq!(world.output(), json!(["a", "b"]));
}

#[test]
fn an_id_names_the_first_attempt_only() {
    let code = code(|(): ()| async {
        let call = ship(&json!(1)).id("ship-1").tag("lane", "fast");
        call.retry(RetryPolicy::attempts(2)).version("3").await
    });
    let mut world = World::start(&code);
    let arrival = world.child_failed(0, panicked());
    world.turn(vec![arrival]);
    let turn = world.fire(1);
    let (first, second) = (scheduled(&world, 0), scheduled(&world, 2));
    assert_eq!(first.instance.as_str(), "ship-1");
    assert!(
        second.instance.as_str().starts_with('~'),
        "{}",
        second.instance
    );
    assert_eq!((second.call, second.attempt), (EventId(0), 2));
    assert_eq!(second.version.as_deref(), Some("3"));
    let lane = [("lane".to_owned(), "fast".to_owned())].into();
    assert_eq!(turn.child_tags, [(EventId(2), lane)]);
    let arrival = world.child_completed(2, "ok");
    world.turn(vec![arrival]);
    assert_eq!(world.output(), json!("ok"));
}

#[test]
fn an_id_that_breaks_the_rules_is_a_fault_that_names_the_rule() {
    let code = code(|(): ()| async { ship(&json!(1)).id("a/b").await });
    let world = World::start(&code);
    let fault = world.fault();
    assert_eq!(fault.kind(), FaultKind::Conflict);
    assert!(fault.message().contains("`a/b`"), "{fault}");
    assert!(world.commands().is_empty());
}

#[test]
fn a_fault_of_a_child_reaches_the_await() {
    let code = code(|(): ()| async { ship(&json!(1)).catch().await.map_err(|fault| fault.kind()) });
    let mut world = World::start(&code);
    let fault = Fault::new(FaultKind::Cancelled, "ship", "by hand");
    let arrival = world.child_failed(0, Failure::Fault(fault));
    world.turn(vec![arrival]);
    assert_eq!(world.output(), json!({"Err": "Cancelled"}));
}

#[test]
fn an_end_with_a_child_open_abandons_it() {
    let code = code(|(): ()| async { race(ship(&json!(1)), double(1)).await.is_err() });
    let mut world = World::start(&code);
    let turn = world.complete(1, 2);
    let TurnEnd::Completed { abandoned } = turn.end else {
        panic!("{:?}", turn.end);
    };
    assert_eq!(abandoned.len(), 1);
    assert_eq!(abandoned[0].scheduled, EventId(0));
    assert_eq!(
        kinds(&turn.events)[1..],
        ["TurnStarted", "ExecutionCompleted"]
    );
    assert_eq!(world.output(), json!(true));
}

#[test]
fn an_answer_of_another_kind_is_not_accepted() {
    let code = code(|(): ()| async { ship(&json!(1)).await });
    let world = World::start(&code);
    assert!(
        !world
            .execution
            .accepts(&world.completed(0, "as an activity"))
    );
    assert!(
        world
            .execution
            .accepts(&world.child_completed(0, "as a child"))
    );
}

/// The versions of a build.
struct Known(&'static str);

impl DefaultVersions for Known {
    fn default_of(&self, name: &str) -> Option<String> {
        (name == "ship").then(|| self.0.to_owned())
    }
}

/// An execution of `code` in a build whose greatest version of `ship` is this.
fn in_build(code: &Code, version: &'static str, history: &[HistoryEvent]) -> Execution {
    let execution = Execution::new(IDENTITY, Arc::clone(code));
    let mut execution = execution.with_versions(Arc::new(Known(version)));
    execution.replay(history).unwrap();
    execution
}

#[test]
fn a_child_by_name_gets_the_default_version_and_keeps_it_when_a_greater_one_comes() {
    let by_name = || named::orchestrator("ship", &json!(1));
    let code = code(move |(): ()| async move {
        let start = start(by_name()).await;
        let child = by_name().retry(RetryPolicy::attempts(2)).await;
        let unknown = named::orchestrator("unknown", &json!(1)).catch().await;
        (start.id().to_string(), child.is_ok(), unknown.is_ok())
    });
    let versions = |events: &[HistoryEvent]| -> Vec<Option<String>> {
        let version = |event: &HistoryEvent| match event {
            HistoryEvent::ChildScheduled(child) => Some(child.version.clone()),
            HistoryEvent::DetachedScheduled(start) => Some(start.version.clone()),
            _ => None,
        };
        events.iter().filter_map(version).collect()
    };
    let begin = HistoryEvent::ExecutionStarted(Box::new(started(&json!(null))));
    let mut history = vec![begin];
    let world = World::start(&code);
    let steps = [
        ("2", vec![]),
        ("2", vec![world.detached_started(0)]),
        // A build with a version 3 takes over, also between two attempts.
        ("3", vec![world.child_failed(1, panicked())]),
        ("3", vec![world.fired(2)]),
        ("3", vec![world.child_completed(3, "ok")]),
    ];
    for (build, arrivals) in steps {
        let mut execution = in_build(&code, build, &history);
        history.extend(execution.turn(BEGIN, arrivals).events);
    }
    let two = || Some("2".to_owned());
    assert_eq!(versions(&history), [two(), two(), two(), None]);
    in_build(&code, "4", &history);
}
