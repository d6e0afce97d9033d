use std::time::Duration;

use serde_json::json;

use super::support::*;
use crate::clock::Timestamp;
use crate::event::{HistoryEvent, StallReason};
use crate::failure::Failure;
use crate::replay::{Code, Execution};
use crate::retry::{Retry, RetryPolicy};

const SECOND: Duration = Duration::from_secs(1);

/// The delays that a history's timers say, each from the time of its turn.
fn delays(history: &[HistoryEvent]) -> Vec<u64> {
    let mut now = BEGIN;
    let mut delays = Vec::new();
    for event in history {
        match event {
            HistoryEvent::TurnStarted(turn) => now = turn.at,
            HistoryEvent::TimerCreated(timer) => delays.push(timer.due.0 - now.0),
            _ => {}
        }
    }
    delays
}

fn jittery(jitter: f64) -> Code {
    code(move |(): ()| async move {
        let policy = RetryPolicy::attempts(4).initial(100 * SECOND).backoff(1.0);
        let call = charge(1).retry(policy.jitter(jitter));
        call.retry_when(|_| true).await.is_err()
    })
}

#[test]
fn jitter_differs_from_attempt_to_attempt_and_is_derived_again() {
    let run = |code: &Code| {
        let mut world = World::start(code);
        for attempt in 0..4 {
            world.fail(2 * attempt, returned(&Declined::Card));
            if attempt < 3 {
                world.fire(2 * attempt + 1);
            }
        }
        assert_eq!(world.output(), json!(true));
        delays(&world.history)
    };
    let jittered = run(&jittery(0.5));
    assert_eq!(jittered, run(&jittery(0.5)), "chance is derived");
    assert!(
        jittered
            .iter()
            .all(|delay| (50_000..=100_000).contains(delay)),
        "{jittered:?}"
    );
    assert!(jittered[0] != jittered[1] && jittered[1] != jittered[2]);
    assert_eq!(run(&jittery(0.0)), [100_000; 3]);
}

#[test]
fn the_jitter_and_the_due_times_on_record_stay_in_force() {
    let mut world = World::start(&jittery(0.5));
    world.fail(0, returned(&Declined::Card));
    let recorded = delays(&world.history);
    // Other code follows the record, and goes on by the recorded policy.
    world = World::resume(&jittery(0.0), &world.history).unwrap();
    world.fire(1);
    world.fail(2, returned(&Declined::Card));
    let gone_on = delays(&world.history);
    assert_eq!(gone_on[..1], recorded);
    assert!(gone_on[1] < 100_000, "{gone_on:?}");
}

#[test]
fn after_an_error_that_says_so_of_itself_there_is_no_other_attempt() {
    let code = code(|(): ()| async {
        let call = charge(1).retry(RetryPolicy::attempts(9));
        call.retry_with(|_, _| Retry::After(SECOND)).await.is_err()
    });
    let Failure::Returned(mut last) = returned(&Declined::Card) else {
        panic!();
    };
    last.details.non_retryable = true;
    let mut world = World::start(&code);
    world.fail(0, returned(&Declined::Card));
    world.fire(1);
    world.fail(2, Failure::Returned(last));
    assert_eq!(world.output(), json!(true));
}

/// Retries after as many seconds as the number of the attempt, for less than a minute.
fn handled() -> Code {
    code(|(): ()| async {
        let call = charge(1).retry(RetryPolicy::attempts(100).max_interval(SECOND));
        let call = call.retry_with(|error, context| {
            assert_eq!(*error, Declined::Card);
            if context.elapsed < 60 * SECOND {
                Retry::After(SECOND * 20 * context.attempt)
            } else {
                Retry::Stop
            }
        });
        call.await.is_err()
    })
}

#[test]
fn a_handler_sees_attempt_and_time_and_says_the_delay() {
    let mut world = World::start(&handled());
    world.fail(0, returned(&Declined::Card));
    world.fire(1);
    // What is not the declared error it is not asked about: that goes by the policy.
    world.fail(2, panicked());
    world.fire(3);
    world.fail(4, returned(&Declined::Card));
    assert_eq!(delays(&world.history), [20_000, 1_000, 60_000]);
    world.at = Timestamp(world.at.0 + 60_000);
    world.fire(5);
    world.fail(6, returned(&Declined::Card));
    assert_eq!(world.output(), json!(true));
}

#[test]
fn a_handler_that_decides_otherwise_on_replay_diverges() {
    let mut world = World::start(&handled());
    world.fail(0, returned(&Declined::Card));
    let changed = code(|(): ()| async {
        let call = charge(1).retry(RetryPolicy::attempts(100));
        call.retry_with(|_, _| false).await.is_err()
    });
    let stall = Execution::new(IDENTITY, changed)
        .replay(&world.history)
        .unwrap_err();
    assert_eq!(stall.reason, StallReason::Divergence);
    // Another delay is no divergence: the recorded timer is in force.
    let slower = code(|(): ()| async {
        let call = charge(1).retry(RetryPolicy::attempts(100));
        (call.retry_with(|_, _| Retry::After(500 * SECOND)).await).is_err()
    });
    assert!(World::resume(&slower, &world.history).is_ok());
}

#[test]
fn a_handler_is_bounded_by_the_policy() {
    for policy in [
        RetryPolicy::attempts(2),
        RetryPolicy::attempts(9).total(30 * SECOND),
        RetryPolicy::NONE,
    ] {
        let code = code(move |(): ()| async move {
            let call = charge(1).retry(policy);
            (call.retry_with(|_, _| Retry::After(20 * SECOND)).await).is_err()
        });
        let mut world = World::start(&code);
        world.fail(0, returned(&Declined::Card));
        if policy != RetryPolicy::NONE {
            world.at = Timestamp(world.at.0 + 20_000);
            world.fire(1);
            world.fail(2, returned(&Declined::Card));
        }
        assert_eq!(world.output(), json!(true), "{policy:?}");
    }
}
