use std::time::Duration;

use serde_json::{Value, json};

use super::support::*;
use crate::event::{HistoryEvent, TimerPurpose};
use crate::failure::{Elapsed, Failure, Fault, FaultKind};
use crate::id::EventId;
use crate::orchestration::named;
use crate::retry::RetryPolicy;

#[test]
fn a_chain_records_one_turn_for_each_outcome_and_returns_the_last() {
    let code = code(|(): ()| async { double(double(1).await).await });
    let mut world = World::start(&code);
    assert_eq!(
        kinds(&world.history),
        ["ExecutionStarted", "TurnStarted", "ActivityScheduled"]
    );
    world.complete(0, 2);
    world.complete(1, 4);
    assert_eq!(world.output(), json!(4));
    let expected = ["ActivityCompleted", "TurnStarted", "ActivityScheduled"];
    assert_eq!(kinds(&world.history[3..6]), expected);
    let expected = ["ActivityCompleted", "TurnStarted", "ExecutionCompleted"];
    assert_eq!(kinds(&world.history[6..]), expected);
}

#[test]
fn a_declared_error_comes_back_as_declared() {
    let code = code(|(): ()| async { charge(5).await });
    let mut world = World::start(&code);
    world.fail(0, returned(&Declined::Card));
    assert_eq!(world.output(), json!({"Err": "Card"}), "not worth a retry");
}

#[test]
fn a_fault_becomes_the_declared_error_that_can_hold_it() {
    let code = code(|(): ()| async { charge(5).retry(RetryPolicy::NONE).await });
    let mut world = World::start(&code);
    world.fail(0, panicked());
    assert_eq!(
        world.output(),
        json!({"Err": {"Fault": "`charge` panicked: boom"}})
    );
}

#[test]
fn catch_gives_a_fault_as_a_value_and_leaves_the_declared_error_alone() {
    let code = code(|cents: u32| async move {
        let caught = charge(cents).retry(RetryPolicy::NONE).catch().await;
        match caught {
            Ok(Ok(receipt)) => receipt,
            Ok(Err(declined)) => format!("{declined:?}"),
            Err(fault) => format!("caught: {}", fault.message()),
        }
    });
    for (failure, expected) in [
        (panicked(), "caught: boom"),
        (returned(&Declined::Card), "Card"),
    ] {
        let mut world = World::start_with(&code, &json!(7));
        world.fail(0, failure);
        assert_eq!(world.output(), json!(expected));
    }
}

#[test]
fn a_fault_that_nothing_holds_ends_the_orchestration_and_closes_open_work() {
    let code = code(|(): ()| async {
        let both = crate::orchestration::join_all([double(1), double(2)]).await;
        assert!(both.is_empty(), "never reached");
    });
    let mut world = World::start(&code);
    let turn = world.fail(1, panicked());
    assert_eq!(world.fault().kind(), FaultKind::Panicked);
    let crate::replay::TurnEnd::Completed { abandoned } = turn.end else {
        panic!("{:?}", turn.end);
    };
    assert_eq!(abandoned.len(), 1);
    assert_eq!(abandoned[0].scheduled, EventId(0));
}

#[test]
fn retries_leave_timers_and_attempts_that_name_their_call() {
    let code = code(|(): ()| async { charge(5).await });
    let mut world = World::start(&code);
    world.fail(0, panicked());
    world.fire(1);
    world.fail(2, returned(&Declined::Fault("busy".to_owned())));
    let turn = world.fire(3);
    let HistoryEvent::ActivityScheduled(third) = turn.events.last().unwrap() else {
        panic!("{:?}", turn.events);
    };
    assert_eq!(
        (third.id, third.call, third.attempt),
        (EventId(4), EventId(0), 3)
    );
    assert_eq!(
        third.retry, None,
        "the policy is recorded with the first attempt"
    );
    world.fail(4, panicked());
    assert_eq!(
        world.output(),
        json!({"Err": {"Fault": "`charge` panicked: boom"}})
    );
    let delays: Vec<_> = world
        .commands()
        .into_iter()
        .filter_map(|event| match event {
            HistoryEvent::TimerCreated(timer) => Some(timer.purpose),
            _ => None,
        })
        .collect();
    assert_eq!(delays, [TimerPurpose::Retry(EventId(0)); 2]);
}

#[test]
fn the_recorded_policy_stays_in_force() {
    let with = |attempts: u32| {
        code(move |(): ()| async move {
            let policy = RetryPolicy::attempts(attempts);
            double(1)
                .retry(policy)
                .catch()
                .await
                .map_err(|fault| fault.to_string())
        })
    };
    let mut world = World::start(&with(2));
    world.fail(0, panicked());
    let mut later = World::resume(&with(9), &world.history).unwrap();
    later.fire(1);
    later.fail(2, panicked());
    assert_eq!(
        later.unchecked_output(),
        json!({"Err": "`charge` panicked: boom"})
    );
}

#[test]
fn a_total_ends_retries_by_the_replay_clock() {
    let code = code(|(): ()| async {
        let policy = RetryPolicy::attempts(9).total(Duration::from_millis(2_500));
        double(1).retry(policy).catch().await.is_err()
    });
    let mut world = World::start(&code);
    world.fail(0, panicked());
    world.fire(1);
    world.fail(2, panicked());
    assert_eq!(
        world.output(),
        json!(true),
        "the third would begin 5 s after the first"
    );
}

#[test]
fn faults_that_would_only_come_again_are_not_retried() {
    let code = code(|(): ()| async {
        double(1)
            .retry(RetryPolicy::attempts(5))
            .catch()
            .await
            .map_err(|fault| fault.to_string())
    });
    let mut world = World::start(&code);
    let conflict = Fault::new(FaultKind::Cancelled, "double", "by hand");
    world.fail(0, Failure::Fault(conflict));
    assert_eq!(
        world.output(),
        json!({"Err": "`double` was cancelled: by hand"})
    );
}

#[test]
fn a_condition_of_the_call_decides_about_declared_errors_and_not_about_faults() {
    let code = code(|lasting: Value| async move {
        let lasting: Declined = serde_json::from_value(lasting).unwrap();
        let call = charge(1).retry_when(move |error| *error != lasting);
        call.await.map_err(|error| format!("{error:?}"))
    });
    let other = Declined::Fault("other".to_owned());
    let mut world = World::start_with(&code, &json!(other));
    world.fail(0, returned(&Declined::Card));
    world.fire(1);
    world.fail(2, panicked());
    world.fire(3);
    world.fail(4, returned(&other));
    assert_eq!(world.output(), json!({"Err": r#"Fault("other")"#}));
    // The attribute's condition, in whose place it stands, would have retried this.
    let mut world = World::start_with(&code, &json!(other));
    world.fail(0, returned(&other));
    assert_eq!(world.output(), json!({"Err": r#"Fault("other")"#}));
}

#[test]
fn a_condition_of_a_call_by_name_sees_what_was_returned() {
    let code = code(|(): ()| async {
        let call = named::activity("charge", &json!(1)).retry(RetryPolicy::attempts(3));
        let call = call.retry_when(|failure| failure.to_string() != "declined");
        call.await.map_err(|failure| failure.to_string())
    });
    let mut world = World::start(&code);
    world.fail(0, panicked());
    world.fire(1);
    world.fail(2, returned(&Declined::Card));
    assert_eq!(world.output(), json!({"Err": "declined"}));
}

#[test]
fn a_deadline_that_passes_cancels_the_call() {
    let code = code(|(): ()| async {
        let first = double(1).timeout(Duration::from_secs(60)).await;
        (first, double(2).await)
    });
    let mut world = World::start(&code);
    let turn = world.fire(1);
    let expected = [
        "TimerFired",
        "TurnStarted",
        "ActivityScheduled",
        "Cancelled",
    ];
    assert_eq!(kinds(&turn.events), expected);
    let late = world.complete(0, 2);
    assert_eq!(
        kinds(&late.events),
        ["TurnStarted"],
        "a late outcome is dropped"
    );
    world.complete(2, 4);
    assert_eq!(world.output(), json!([{"Err": Elapsed {}}, 4]));
}

#[test]
fn an_outcome_before_the_deadline_cancels_the_timer() {
    let code = code(|(): ()| async {
        let first = charge(1).catch().timeout(Duration::from_secs(60)).await;
        let text = format!("{first:?}");
        double(2).await;
        text
    });
    let mut world = World::start(&code);
    let turn = world.complete(0, "receipt");
    assert_eq!(kinds(&turn.events[2..]), ["ActivityScheduled", "Cancelled"]);
    let fired = world.fire(1);
    assert_eq!(
        kinds(&fired.events),
        ["TurnStarted"],
        "a cancelled timer fires for nobody"
    );
    world.complete(2, 4);
    assert_eq!(world.output(), json!(r#"Ok(Ok(Ok("receipt")))"#));
}

#[test]
fn an_attempt_time_out_is_recorded_for_whoever_runs_the_attempt() {
    let code = code(|(): ()| async { double(1).attempt_timeout(Duration::from_secs(3)).await });
    let mut world = World::start(&code);
    let HistoryEvent::ActivityScheduled(scheduled) = world.commands()[0] else {
        panic!();
    };
    assert_eq!(scheduled.attempt_timeout, Some(Duration::from_secs(3)));
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_call_by_name_gives_json_and_either_failure() {
    let code = code(|(): ()| async {
        let value = named::activity("double", &json!(1)).await;
        let failure = named::activity("charge", &json!(1)).await;
        let child = named::orchestrator("ship", &json!({}))
            .id("ship-1")
            .version("2")
            .await;
        (value.ok(), failure.err().map(|f| f.to_string()), child.ok())
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.fail(1, returned(&Declined::Card));
    let arrival = world.child_completed(2, "done");
    world.turn(vec![arrival]);
    assert_eq!(world.output(), json!([2, "declined", "done"]));
}
