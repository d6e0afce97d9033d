use serde_json::json;

use super::support::*;
use crate::event::{Cancelled, HistoryEvent, Pending};
use crate::failure::FaultKind;
use crate::id::EventId;
use crate::orchestration::{Event, join_all, seconds, sleep};
use crate::replay::{Execution, TurnEnd};

static GO: Event<()> = Event::new("go");

#[test]
fn a_dropped_call_is_cancelled_in_the_turn_of_the_drop() {
    let code = code(|(): ()| async {
        drop(race(join_all([double(1), double(2)]), GO.wait()).await);
        sleep(seconds(1)).await;
    });
    let mut world = World::start(&code);
    let turn = world.raise("go", ());
    let cancelled: Vec<_> = turn
        .events
        .iter()
        .filter_map(|event| match event {
            HistoryEvent::Cancelled(cancelled) => Some((cancelled.scheduled.0, cancelled.pending)),
            _ => None,
        })
        .collect();
    assert_eq!(cancelled, [(0, Pending::Activity), (1, Pending::Activity)]);
    assert!(
        !world.execution.accepts(&world.completed(0, 2)),
        "a late outcome counts for nothing"
    );
    world.fire(2);
    assert_eq!(world.output(), json!(null));
}

#[test]
fn a_call_that_was_answered_is_not_cancelled() {
    let code = code(|(): ()| async {
        let winner = race(double(1), double(2)).await;
        sleep(seconds(1)).await;
        winner.is_ok()
    });
    let mut world = World::start(&code);
    let arrivals = vec![world.completed(1, 4), world.completed(0, 2)];
    let turn = world.turn(arrivals);
    let cancelled = HistoryEvent::Cancelled(Cancelled {
        scheduled: EventId(0),
        pending: Pending::Activity,
    });
    assert!(
        turn.events.contains(&cancelled),
        "its outcome came after the drop: {:?}",
        turn.events
    );
    world.fire(2);
    assert_eq!(world.output(), json!(false));
}

#[test]
fn a_command_may_be_cancelled_in_its_own_turn() {
    let code = code(|(): ()| async {
        let value = crate::orchestration::side_effect(|| 1);
        assert_eq!(race(double(1), value).await, Err(1));
        GO.wait().await;
    });
    let mut world = World::start(&code);
    let expected = [
        "TurnStarted",
        "ActivityScheduled",
        "MarkerRecorded",
        "Cancelled",
    ];
    assert_eq!(kinds(&world.history[1..]), expected);
    world.raise("go", ());
    assert_eq!(world.output(), json!(null));
}

#[test]
fn an_eviction_cancels_nothing() {
    let code = code(|(): ()| async { double(1).await });
    let mut world = World::start(&code);
    world.execution = Execution::new(IDENTITY, std::sync::Arc::clone(&code));
    world.execution.replay(&world.history).unwrap();
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_cancel_request_ends_the_instance_and_its_open_work() {
    let code = code(|(): ()| async { join_all([double(1), double(2)]).await });
    let mut world = World::start(&code);
    world.complete(0, 2);
    let turn = world.cancel();
    assert_eq!(
        kinds(&turn.events),
        ["CancelRequested", "TurnStarted", "ExecutionCompleted"]
    );
    let TurnEnd::Completed { abandoned } = turn.end else {
        panic!("{:?}", turn.end);
    };
    assert_eq!(abandoned.len(), 1);
    let fault = world.fault();
    assert_eq!(
        (fault.kind(), fault.message()),
        (FaultKind::Cancelled, "the parent no longer waits")
    );
    assert!(
        !world.execution.accepts(&world.raised("go", ())),
        "it is over"
    );
}

#[test]
fn destructors_of_an_ended_orchestration_can_ask_but_change_nothing() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            assert_eq!(&*crate::orchestration::info().name, "flow");
            crate::orchestration::set_status("dropped");
        }
    }
    let code = code(|(): ()| async {
        let _guard = Guard;
        double(1).await
    });
    let mut world = World::start(&code);
    let turn = world.cancel();
    assert_eq!(
        kinds(&turn.events),
        ["CancelRequested", "TurnStarted", "ExecutionCompleted"]
    );
    world.check();
    drop(World::start(&code));
}

#[test]
fn an_answer_that_nobody_took_is_dropped_without_a_cancellation() {
    let code = code(|(): ()| async {
        let mut held = double(1);
        assert!(race(&mut held, GO.wait()).await.is_err());
        double(2).await;
        drop(held);
        double(3).await
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    world.complete(0, 2);
    let turn = world.complete(1, 4);
    assert_eq!(
        kinds(&turn.events)[1..],
        ["TurnStarted", "ActivityScheduled"]
    );
    world.complete(2, 6);
    assert_eq!(world.output(), json!(6));
}

#[test]
fn a_decided_deadline_cancels_the_loser_even_while_it_is_held() {
    let code = code(|(): ()| async {
        let mut call = double(1).timeout(seconds(60));
        let value = (&mut call).await;
        GO.wait().await;
        drop(call);
        value.ok()
    });
    let mut world = World::start(&code);
    let turn = world.complete(0, 2);
    assert_eq!(kinds(&turn.events)[1..], ["TurnStarted", "Cancelled"]);
    world.raise("go", ());
    assert_eq!(world.output(), json!(2));
}
