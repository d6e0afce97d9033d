use serde_json::json;

use super::support::*;
use crate::event::{
    ExecutionResumed, ExecutionSuspended, ExecutionTerminated, HistoryEvent, Pending,
};
use crate::failure::{FaultKind, Outcome};
use crate::orchestration::{Event, cancellation, seconds, sleep};
use crate::payload::Payload;
use crate::replay::TurnEnd;

static GO: Event<u32> = Event::new("go");
const REASON: &str = "the parent no longer waits";

#[test]
fn code_that_wants_to_hear_of_a_request_cleans_up() {
    let code = code(|(): ()| async {
        let cancel = cancellation();
        match race(cancel.requested(), double(1)).await {
            Ok(reason) => (reason, double(2).await),
            Err(n) => (String::new(), n),
        }
    });
    let mut world = World::start(&code);
    world.cancel();
    assert_eq!(world.cancelled(), [Pending::Activity]);
    assert_eq!(world.asked(), ["ActivityScheduled"]);
    world.complete(1, 4);
    assert_eq!(world.output(), json!([REASON, 4]));
}

#[test]
fn code_that_looks_goes_on_until_it_looks() {
    let code = code(|(): ()| async {
        let cancel = cancellation();
        let mut rounds = 0;
        while !cancel.is_requested() {
            sleep(seconds(1)).await;
            rounds += 1;
        }
        rounds
    });
    let mut world = World::start(&code);
    world.fire(0);
    let turn = world.cancel();
    assert_eq!(kinds(&turn.events), ["CancelRequested", "TurnStarted"]);
    world.fire(1);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn without_a_value_a_request_ends_the_code_where_it_waits() {
    let code = code(|(): ()| async {
        {
            let cancel = cancellation();
            assert!(!cancel.is_requested());
        }
        double(1).await
    });
    let mut world = World::start(&code);
    world.cancel();
    assert_eq!(world.fault().kind(), FaultKind::Cancelled);
    assert_eq!(world.asked(), Vec::<String>::new());
}

/// It would have been lost: neither did the code hear of it, nor did it end the code.
#[test]
fn a_request_that_nobody_was_told_of_ends_the_code_at_the_next_wait_after_the_last_value() {
    let code = code(|(): ()| async {
        let shield = cancellation();
        let first = double(1).await;
        drop(shield);
        let second = double(first).await;
        double(second).await
    });
    let mut world = World::start(&code);
    world.cancel();
    world.complete(0, 2);
    assert_eq!(world.asked(), ["ActivityScheduled"]);
    assert_eq!(world.fault().kind(), FaultKind::Cancelled);
}

#[test]
fn a_request_that_nobody_was_told_of_does_not_undo_a_return() {
    let code = code(|(): ()| async {
        let _shield = cancellation();
        double(1).await
    });
    let mut world = World::start(&code);
    world.cancel();
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_request_that_was_told_is_dealt_with() {
    let code = code(|(): ()| async {
        let cancel = cancellation();
        let reason = cancel.requested().await;
        drop(cancel);
        (reason, double(1).await)
    });
    let mut world = World::start(&code);
    world.cancel();
    let again = world.cancel_requested();
    assert!(!world.execution.accepts(&again), "it would change nothing");
    world.complete(0, 2);
    assert_eq!(world.output(), json!([REASON, 2]));
}

#[test]
fn all_who_wait_hear_of_it_also_those_who_ask_later() {
    let code = code(|(): ()| async {
        let cancel = cancellation();
        let both = (cancel.requested(), cancel.requested());
        drop(cancel);
        let (first, second) = both;
        let one = first.await;
        (one == second.await, one == cancellation().requested().await)
    });
    let mut world = World::start(&code);
    world.cancel();
    assert_eq!(world.output(), json!([true, true]));
}

#[test]
fn a_wait_stands_for_the_value_that_made_it_and_a_dropped_one_for_nothing() {
    let code = code(|(): ()| async {
        let wait = cancellation().requested();
        let lost = race(GO.wait(), wait).await;
        assert!(lost.is_ok());
        GO.wait().await
    });
    let mut world = World::start(&code);
    world.raise("go", 1);
    world.cancel();
    assert_eq!(world.fault().kind(), FaultKind::Cancelled);
}

/// Two requests stand in the history of one that was held: nobody could tell that the second was one too many.
#[test]
fn a_second_request_on_record_changes_nothing() {
    let code = code(|(): ()| async {
        let cancel = cancellation();
        let reason = cancel.requested().await;
        (reason, double(1).await)
    });
    let mut world = World::start(&code);
    let twice = vec![world.cancel_requested(), world.cancel_requested()];
    let turn = world.execution.turn(world.at, twice);
    assert_eq!(
        kinds(&turn.events),
        [
            "CancelRequested",
            "CancelRequested",
            "TurnStarted",
            "ActivityScheduled"
        ]
    );
    world.history.extend(turn.events);
    world.complete(0, 2);
    assert_eq!(world.output(), json!([REASON, 2]));
}

#[test]
fn the_next_execution_hears_of_a_request_that_nobody_was_told_of() {
    for hears in [false, true] {
        let code = code(move |(): ()| async move {
            let cancel = cancellation();
            GO.wait().await;
            if hears {
                assert!(cancel.is_requested());
            }
            crate::orchestration::named::continue_as_new(&json!(1)).await
        });
        let mut world = World::start(&code);
        world.cancel();
        world.raise("go", 1);
        world.check();
        let Some(TurnEnd::Continued { carried, .. }) = &world.end else {
            panic!("{:?}", world.end);
        };
        let expected: &[&str] = if hears { &[] } else { &["CancelRequested"] };
        assert_eq!(kinds(carried), expected);
    }
}

#[test]
fn a_divergence_after_a_request_is_found() {
    let cleans = code(|(): ()| async {
        let cancel = cancellation();
        cancel.requested().await;
        double(1).await
    });
    let mut world = World::start(&cleans);
    world.cancel();
    let ends = code(|(): ()| async {
        sleep(seconds(1)).await;
        0
    });
    let Err(stall) = World::resume(&ends, &world.history) else {
        panic!("it has no clean-up any more");
    };
    assert!(stall.divergence.is_some(), "{}", stall.report);
}

/// What the committer records of an instance that is held and let go stands between turns.
#[test]
fn a_hold_is_nothing_to_the_code() {
    let code = code(|(): ()| async { GO.wait().await + GO.wait().await });
    let mut world = World::start(&code);
    let (at, reason) = (world.at, String::new());
    world
        .history
        .push(HistoryEvent::ExecutionSuspended(ExecutionSuspended {
            at,
            reason: reason.clone(),
        }));
    let (one, two) = (world.raised("go", 1), world.raised("go", 2));
    world.history.extend([one, two]);
    world
        .history
        .push(HistoryEvent::ExecutionResumed(ExecutionResumed {
            at,
            reason,
        }));
    let mut resumed = World::resume(&code, &world.history).unwrap();
    assert!(resumed.execution.has_undelivered());
    resumed.turn(Vec::new());
    let Some(HistoryEvent::ExecutionCompleted(completed)) = resumed.history.last() else {
        panic!("{:?}", resumed.history);
    };
    let three = Outcome::Completed(Payload::json(&3).unwrap());
    assert_eq!(completed.outcome, three);
    World::resume(&code, &resumed.history).unwrap();
}

#[test]
fn nothing_follows_the_end_of_one_that_was_terminated() {
    let code = code(|(): ()| async { GO.wait().await });
    let mut world = World::start(&code);
    let (at, reason) = (world.at, String::new());
    let ended = ExecutionTerminated { at, reason };
    world.history.push(HistoryEvent::ExecutionTerminated(ended));
    let ended = World::resume(&code, &world.history).unwrap();
    assert!(!ended.execution.accepts(&ended.raised("go", 1)));
    let late = world.raised("go", 1);
    world.history.push(late);
    let Err(stall) = World::resume(&code, &world.history) else {
        panic!("an event stands behind the end");
    };
    assert!(
        stall.report.contains("something follows its end"),
        "{}",
        stall.report
    );
}
