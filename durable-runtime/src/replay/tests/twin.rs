//! What a twin compares, beyond a replay: it has just been recorded by the same program, so everything is to be equal.

use std::cell::Cell;

use serde_json::json;

use super::divergence::GO;
use super::support::*;
use crate::event::HistoryEvent;
use crate::orchestration::{ActivityCall, named, seconds, side_effect, sleep};
use crate::payload::{Codec, Payload};
use crate::replay::{Code, Execution, Stall};

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// How often it was called before, on this thread.
fn runs() -> u32 {
    RUNS.replace(RUNS.get() + 1)
}

/// The history of `code` after one raise of `go`, and what a twin says of it that compares from this event on.
fn twin_of(code: &Code, since: u32) -> (Vec<HistoryEvent>, Result<(), Stall>) {
    RUNS.set(0);
    let mut world = World::start(code);
    if world.end.is_none() {
        world.raise("go", ());
    }
    let twin = Execution::new(IDENTITY, std::sync::Arc::clone(code));
    let mut twin = twin.into_twin(crate::id::Sequence(since));
    let replayed = twin.replay(&world.history);
    (world.history, replayed)
}

fn report(code: &Code) -> String {
    let stall = twin_of(code, 0).1.expect_err("it differs");
    stall.told_of_twin(|_, _| Some("recorded.rs:1:1".to_owned()))
}

#[test]
fn an_input_that_a_replay_lets_pass_is_another_input() {
    let code = code(|(): ()| async {
        let input = match runs() {
            0 => json!({"a": 1}),
            _ => json!({"a": 1, "b": 2}),
        };
        named::activity("charge", &input).await.is_ok()
    });
    let told = report(&code);
    assert!(told.starts_with("[D211]"), "{told}");
    assert!(
        told.contains("first: ActivityScheduled `charge` at recorded.rs:1:1"),
        "{told}"
    );
    assert!(told.contains("again: ActivityScheduled `charge`, with another input at durable-runtime/src/replay/tests/twin.rs:"), "{told}");
    let (_, replayed) = twin_of(&code, u32::MAX);
    assert!(
        replayed.is_ok(),
        "of what is older, what a replay lets pass passes"
    );
}

#[test]
fn the_order_of_the_members_of_a_map_is_no_difference() {
    let code = code(|(): ()| async {
        // As a `HashMap` is written: in whatever order it has.
        let text = if runs() == 0 {
            r#"{"a":1,"b":2}"#
        } else {
            r#"{"b":2,"a":1}"#
        };
        let input = Payload::from_parts(Codec::Json, text.as_bytes());
        ActivityCall::<u32, Double>::__new(Ok(input)).await
    });
    let (_, replayed) = twin_of(&code, 0);
    assert!(replayed.is_ok());
}

#[test]
fn another_place_is_another_command() {
    let code = code(|(): ()| async {
        let first = sleep(seconds(1));
        let again = sleep(seconds(1));
        if runs() == 0 { first } else { again }.await;
    });
    let told = report(&code);
    assert!(told.contains("at another place"), "{told}");
}

#[test]
fn another_due_time_policy_or_id_is_told() {
    let due = code(|(): ()| async { sleep(seconds(u64::from(runs()))).await });
    let told = report(&due);
    assert!(told.contains("first: TimerCreated, due in 0ns"), "{told}");
    assert!(
        told.contains("again: TimerCreated, due in 1s, with another due time"),
        "{told}"
    );
    let id = code(|(): ()| async {
        let child = named::orchestrator("ship", &json!(1)).id(format!("child-{}", runs()));
        child.await.is_ok()
    });
    assert!(report(&id).contains("or id"), "{}", report(&id));
}

/// Whose hashes are seeded anew in each thread.
fn set() -> std::collections::HashSet<u32> {
    (0..64).collect()
}

#[test]
fn a_set_is_told_by_its_order() {
    let said = "with the same elements in another order, as those of a `HashSet`; record a `BTreeSet` or a \
                `durable_runtime::HashSet`";
    let told = report(&code(|(): ()| async {
        GO.wait().await;
        set()
    }));
    assert!(
        told.contains(&format!("again: ExecutionCompleted, {said}")),
        "{told}"
    );
    let told = report(&code(|(): ()| async {
        named::activity("count", &json!(set())).await.is_ok()
    }));
    assert!(
        told.contains(&format!("again: ActivityScheduled `count`, {said} at ")),
        "{told}"
    );
}

#[test]
fn another_output_or_end_is_told_with_the_last_step() {
    let output = code(|(): ()| async {
        GO.wait().await;
        side_effect(|| 1).await;
        runs()
    });
    let told = report(&output);
    assert!(
        told.contains(
            "again: ExecutionCompleted, with another output, after what was asked for at"
        ),
        "{told}"
    );
    let panics = code(|(): ()| async {
        GO.wait().await;
        assert!(runs() == 0, "the second time");
    });
    let told = report(&panics);
    assert!(told.contains("first: ExecutionCompleted\n"), "{told}");
    assert!(
        told.contains("by a fault: `flow` panicked: the second time"),
        "{told}"
    );
}

#[test]
fn a_side_effect_is_not_run_again_and_its_value_is_not_compared() {
    let code = code(|(): ()| async {
        let drawn = side_effect(runs).await;
        named::activity("charge", &json!(drawn)).await.is_ok()
    });
    let (_, replayed) = twin_of(&code, 0);
    assert!(replayed.is_ok());
    assert_eq!(RUNS.get(), 1);
}
