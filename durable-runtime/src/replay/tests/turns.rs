use std::sync::Arc;

use serde_json::{Value, json};

use super::support::*;
use crate::event::{HistoryEvent, REPLAY_SEMANTICS, StallReason};
use crate::id::Sequence;
use crate::orchestration::{Event, join_all};
use crate::replay::{Execution, TurnEnd};

fn last_stall(world: &World) -> (StallReason, &str) {
    match world.history.last() {
        Some(HistoryEvent::ExecutionStalled(stalled)) => (stalled.reason, &stalled.report),
        event => panic!("{event:?}"),
    }
}

#[test]
fn arrivals_of_one_turn_are_delivered_one_at_a_time() {
    let code = code(|(): ()| async {
        let first = race(double(1), double(2)).await.is_ok();
        (first, double(3).await)
    });
    let mut world = World::start(&code);
    let arrivals = vec![world.completed(1, 4), world.completed(0, 2)];
    let turn = world.turn(arrivals);
    let expected = [
        "ActivityCompleted",
        "ActivityCompleted",
        "TurnStarted",
        "ActivityScheduled",
        "Cancelled",
    ];
    assert_eq!(kinds(&turn.events), expected);
    world.complete(2, 6);
    assert_eq!(world.output(), json!([false, 6]));
}

#[test]
fn a_created_instance_runs_its_first_turn_over_the_recorded_start() {
    let code = code(|n: u32| async move { n + 1 });
    let begin = HistoryEvent::ExecutionStarted(Box::new(started(&json!(1))));
    let mut world = World::resume(&code, &[begin]).unwrap();
    let turn = world.turn(Vec::new());
    assert_eq!(turn.first, Sequence(1));
    assert_eq!(kinds(&turn.events), ["TurnStarted", "ExecutionCompleted"]);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn duplicates_and_strangers_are_not_accepted() {
    let code = code(|(): ()| async { join_all([double(1), double(2)]).await });
    let mut world = World::start(&code);
    world.complete(0, 2);
    let begin = HistoryEvent::ExecutionStarted(Box::new(started(&Value::Null)));
    for stranger in [
        world.completed(0, 2),
        world.completed(9, 2),
        world.fired(1),
        begin,
    ] {
        assert!(!world.execution.accepts(&stranger), "{stranger:?}");
    }
    // Both reach the inbox before either is delivered: the second changes nothing.
    let arrivals = vec![world.completed(1, 4), world.completed(1, 5)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!([2, 4]));
}

#[test]
fn a_recorded_arrival_that_waits_for_delivery_is_not_accepted_twice() {
    let code = code(|(): ()| async { double(1).await });
    let world = World::start(&code);
    let mut history = world.history.clone();
    history.push(world.completed(0, 2));
    let world = World::resume(&code, &history).unwrap();
    assert!(!world.execution.accepts(&world.completed(0, 3)));
}

#[test]
fn an_input_that_cannot_be_read_stalls_before_any_turn() {
    let code = code(|n: u32| async move { n });
    let world = World::start_with(&code, &json!("text"));
    assert_eq!(
        kinds(&world.history),
        ["ExecutionStarted", "ExecutionStalled"]
    );
    let (reason, report) = last_stall(&world);
    assert_eq!(reason, StallReason::Undecodable);
    assert!(report.contains("the input of `flow`"), "{report}");
    let mended = super::support::code(|text: String| async move { text });
    let mut world = World::resume(&mended, &world.history).unwrap();
    world.turn(Vec::new());
    assert_eq!(world.output(), json!("text"));
}

#[test]
fn a_result_that_cannot_be_read_stalls_and_keeps_its_arrival() {
    let code = code(|(): ()| async { double(1).await });
    let mut world = World::start(&code);
    let turn = world.complete(0, "text");
    assert!(matches!(turn.end, TurnEnd::Stalled));
    assert_eq!(
        kinds(&turn.events),
        ["ActivityCompleted", "ExecutionStalled"]
    );
    let (reason, report) = last_stall(&world);
    assert_eq!(reason, StallReason::Undecodable);
    assert!(report.contains("the result of `double`"), "{report}");
    assert!(
        !world.execution.accepts(&world.raised("any", ())),
        "the live execution is spent"
    );
}

#[test]
fn unknown_replay_rules_stall() {
    let code = code(|(): ()| async {});
    let mut begin = started(&Value::Null);
    begin.replay_semantics = REPLAY_SEMANTICS + 1;
    let begin = HistoryEvent::ExecutionStarted(Box::new(begin));
    let mut execution = Execution::new(IDENTITY, code);
    let turn = execution.turn(BEGIN, vec![begin]);
    let HistoryEvent::ExecutionStalled(stalled) = &turn.events[1] else {
        panic!("{:?}", turn.events);
    };
    assert_eq!(stalled.reason, StallReason::UnknownSemantics);
}

#[test]
fn a_disordered_history_stalls() {
    let code = code(|(): ()| async { double(1).await });
    let mut world = World::start(&code);
    world.complete(0, 2);
    let history = &world.history;
    let resume = |events: Vec<HistoryEvent>| World::resume(&code, &events).err().unwrap();
    let stray_command = vec![history[0].clone(), history[2].clone()];
    assert!(resume(stray_command).report.contains("outside a turn"));
    let no_begin = history[3..].to_vec();
    assert!(resume(no_begin).report.contains("does not begin"));
    let mut past_end = history.clone();
    past_end.push(history[3].clone());
    assert!(resume(past_end).report.contains("follows its end"));
}

#[test]
fn time_never_goes_back_between_turns() {
    let code = code(|(): ()| async { join_all([double(1), double(2)]).await });
    let world = World::start(&code);
    let mut execution = Execution::new(IDENTITY, Arc::clone(&code));
    execution.replay(&world.history).unwrap();
    let turn = execution.turn(BEGIN, vec![world.completed(0, 2)]);
    let HistoryEvent::TurnStarted(head) = turn.events[1] else {
        panic!("{:?}", turn.events);
    };
    assert_eq!(head.at, world.at);
}

#[test]
fn memory_grows_with_what_waits() {
    let with = |n: u32| {
        let code = code(move |(): ()| async move { join_all((0..n).map(double)).await });
        World::start(&code).execution.memory()
    };
    assert!(with(1_000) > with(1) + 100_000);
}

#[test]
fn what_was_awaited_and_dropped_leaves_nothing_behind() {
    static NEWS: Event<u32> = Event::new("news");
    let code = code(|(): ()| async {
        loop {
            let other = Event::<u32>::named(format!("other-{}", crate::orchestration::random()));
            race(NEWS.wait(), join_all([other.wait()])).await.ok();
            if crate::orchestration::random() == 0 {
                break;
            }
        }
    });
    let mut world = World::start(&code);
    world.raise("news", 0);
    let before = world.execution.memory();
    for n in 1..50 {
        world.raise("news", n);
    }
    assert_eq!(world.execution.memory(), before);
    world.check();
}
