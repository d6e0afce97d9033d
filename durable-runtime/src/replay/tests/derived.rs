use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::*;
use crate::event::HistoryEvent;
use crate::id::ExecutionId;
use crate::orchestration::{info, is_replaying, random, set_status, side_effect, uuid};
use crate::replay::Execution;

#[test]
fn derived_values_differ_from_each_other_and_are_the_same_on_replay() {
    let code = code(|(): ()| async {
        let first = (uuid(), random());
        double(1).await;
        (first, uuid(), random())
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    let output = world.output();
    let texts: BTreeSet<String> = [&output[0][0], &output[0][1], &output[1], &output[2]]
        .map(Value::to_string)
        .into();
    assert_eq!(texts.len(), 4, "{texts:?}");
    let uuid: uuid::Uuid = serde_json::from_value(output[1].clone()).unwrap();
    assert_eq!(uuid.get_version_num(), 5);
}

#[test]
fn two_executions_of_one_moment_derive_different_values() {
    let code = code(|(): ()| async { uuid() });
    let derive = |execution| {
        let mut begin = started(&Value::Null);
        begin.execution = execution;
        let mut execution = Execution::new(IDENTITY, std::sync::Arc::clone(&code));
        let begin = HistoryEvent::ExecutionStarted(Box::new(begin));
        execution.turn(BEGIN, vec![begin]).events.pop()
    };
    assert_ne!(derive(ExecutionId(1)), derive(ExecutionId(2)));
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_side_effect_runs_once_and_is_ready_in_its_turn() {
    let code = code(|(): ()| async {
        let value = side_effect(|| {
            RUNS.set(RUNS.get() + 1);
            17
        });
        let value = value.await;
        double(value).await
    });
    let world = World::start(&code);
    let expected = ["TurnStarted", "MarkerRecorded", "ActivityScheduled"];
    assert_eq!(kinds(&world.history[1..]), expected);
    assert_eq!(RUNS.get(), 1);
    let mut world = World::resume(&code, &world.history).unwrap_or_else(|s| panic!("{}", s.report));
    assert_eq!(RUNS.get(), 1, "the record answers");
    world.complete(1, 34);
    assert_eq!(world.output(), json!(34));
}

#[test]
fn a_side_effect_returns_what_a_replay_will_return() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Partial {
        kept: u8,
        #[serde(skip)]
        lost: u8,
    }
    let code = code(|(): ()| async {
        let value = side_effect(|| Partial { kept: 1, lost: 2 }).await;
        (value.kept, value.lost)
    });
    assert_eq!(World::start(&code).output(), json!([1, 0]));
}

#[test]
fn replaying_is_told_turn_by_turn() {
    thread_local! {
        static SEEN: Cell<[Option<bool>; 2]> = const { Cell::new([None; 2]) };
    }
    let code = code(|(): ()| async {
        let before = is_replaying();
        double(1).await;
        SEEN.set([Some(before), Some(is_replaying())]);
    });
    let world = World::start(&code);
    let mut world = World::resume(&code, &world.history).unwrap_or_else(|s| panic!("{}", s.report));
    world.complete(0, 2);
    assert_eq!(SEEN.get(), [Some(true), Some(false)]);
}

#[test]
fn an_orchestration_knows_itself() {
    let code = code(|(): ()| async {
        let info = info();
        let tags: Vec<_> = info.tags.into_iter().collect();
        (info.instance.to_string(), info.execution.0, info.name, tags)
    });
    let expected = json!(["order-42", 1, "flow", [["tenant", "a"]]]);
    assert_eq!(World::start(&code).output(), expected);
}

#[test]
fn the_last_status_of_a_turn_is_recorded_if_it_is_new() {
    let code = code(|(): ()| async {
        set_status("thinking");
        set_status(&json!({"step": 1}));
        double(1).await;
        set_status(&json!({"step": 1}));
        double(2).await;
        set_status(&json!({"step": 3}));
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.complete(1, 4);
    let statuses: Vec<_> = world
        .history
        .iter()
        .filter_map(|event| match event {
            HistoryEvent::CustomStatusSet(set) => Some(set.status.decode::<Value>().unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [json!({"step": 1}), json!({"step": 3})]);
    world.check();
}
