use std::sync::Arc;

use serde_json::json;

use super::support::*;
use crate::event::{Completed, ExecutionStalled, HistoryEvent, StallReason};
use crate::failure::FaultKind;
use crate::id::EventId;
use crate::limits;
use crate::orchestration::{
    Event, continue_as_new, join_all, named, set_status, should_continue_as_new, side_effect,
};
use crate::payload::Payload;
use crate::replay::{Execution, Length};

fn large() -> String {
    "x".repeat(limits::PAYLOAD_BYTES_MAX)
}

#[test]
fn a_payload_that_is_too_large_is_a_fault_that_names_the_limit() {
    let code = code(|which: u8| async move {
        let failure = match which {
            0 => named::activity("charge", &json!(large())).await.err(),
            1 => named::orchestrator("ship", &json!(large())).await.err(),
            2 => {
                side_effect(large).await;
                None
            }
            3 => {
                set_status(&large());
                None
            }
            _ => return large(),
        };
        failure
            .map(|failure| panic!("{failure}"))
            .unwrap_or_default()
    });
    let limit = format!("the limit is {} bytes", limits::PAYLOAD_BYTES_MAX);
    for which in 0..5 {
        let world = World::start_with(&code, &json!(which));
        let fault = world.fault();
        assert!(fault.message().contains(&limit), "{which}: {fault}");
        assert!(which < 2 || fault.kind() == FaultKind::LimitExceeded);
    }
    let goes_on = super::support::code(|(): ()| async {
        let call =
            crate::orchestration::OrchestratorCall::<u32, Flow>::__new(Payload::json(&large()));
        continue_as_new(call).await
    });
    assert_eq!(
        World::start(&goes_on).fault().kind(),
        FaultKind::LimitExceeded
    );
}

#[test]
fn an_activity_too_many_is_a_fault_at_its_await() {
    static GO: Event<()> = Event::new("go");
    let code = code(|(): ()| async {
        let most = u32::try_from(limits::PENDING_MAX).unwrap();
        let rest = async {
            GO.wait().await;
            double(0).catch().await.map_err(|fault| fault.kind())
        };
        race(join_all((0..most).map(double)), rest).await.err()
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    assert_eq!(world.unchecked_output(), json!({"Err": "LimitExceeded"}));
    // With room for one more it is asked for.
    let mut world = World::start(&code);
    world.complete(0, 0);
    world.raise("go", ());
    assert!(world.end.is_none());
    assert_eq!(world.asked(), ["ActivityScheduled"]);
}

/// The report of an execution that stalled in its first turn.
fn stall(world: &World) -> Option<&ExecutionStalled> {
    match world.history.last() {
        Some(HistoryEvent::ExecutionStalled(stalled)) => Some(stalled),
        _ => None,
    }
}

#[test]
fn a_turn_without_end_stalls() {
    let code = code(|(): ()| async {
        let mut rounds = 0_u64;
        while rounds < u64::MAX {
            side_effect(|| ()).await;
            rounds += 1;
        }
    });
    let world = World::start(&code);
    let stalled = stall(&world).unwrap();
    assert_eq!(stalled.reason, StallReason::LimitExceeded);
    let report = &stalled.report;
    assert!(report.contains("the limit is 100000 commands"), "{report}");
    assert_eq!(world.history.len(), 2);
}

#[test]
fn a_turn_has_as_many_commands_as_the_limit_and_no_more() {
    let code = code(|commands: usize| async move {
        for _ in 0..commands {
            side_effect(|| ()).await;
        }
        named::event("go").wait().await;
    });
    for (spare, stalls) in [(-1, false), (0, false), (1, true)] {
        let commands = limits::TURN_COMMANDS_MAX.checked_add_signed(spare).unwrap();
        let world = World::start_with(&code, &json!(commands));
        assert_eq!(stall(&world).is_some(), stalls, "{commands}");
    }
}

#[test]
fn the_commands_of_a_turn_have_as_many_bytes_as_the_limit_and_no_more() {
    let code = code(|last: usize| async move {
        let text = |bytes: usize| "x".repeat(bytes - 2);
        let whole = limits::TURN_BYTES_MAX / limits::PAYLOAD_BYTES_MAX - 1;
        for _ in 0..whole {
            side_effect(|| text(limits::PAYLOAD_BYTES_MAX)).await;
        }
        side_effect(|| text(last)).await;
        named::event("go").wait().await;
    });
    let commands = limits::TURN_BYTES_MAX / limits::PAYLOAD_BYTES_MAX;
    let most = limits::PAYLOAD_BYTES_MAX - commands * size_of::<HistoryEvent>();
    for (last, stalls) in [(most - 1, false), (most, false), (most + 1, true)] {
        let world = World::start_with(&code, &json!(last));
        assert_eq!(stall(&world).is_some(), stalls, "{last}");
        let told = stall(&world).map(|stalled| {
            stalled
                .report
                .contains("67108865 bytes, the limit is 67108864 bytes")
        });
        assert!(told.unwrap_or(true), "{:?}", stall(&world));
    }
}

#[test]
fn one_command_may_be_as_large_as_the_largest_payload() {
    let code = code(|bytes: usize| async move {
        let failure = named::activity("read", &json!("x".repeat(bytes - 2)))
            .await
            .err();
        failure.map(|failure| failure.to_string())
    });
    let most = limits::PAYLOAD_BYTES_CEILING;
    let mut execution = Execution::new(IDENTITY, code).with_payload_limit(most);
    let input = started(&json!(most));
    let turn = execution.turn(BEGIN, vec![HistoryEvent::ExecutionStarted(Box::new(input))]);
    let asked = turn.events.iter().filter(|event| is_command(event));
    assert_eq!(asked.count(), 1);
}

/// Caught, a refusal leaves no record: a replay under another limit has to find out by what follows.
#[test]
fn a_changed_limit_of_payloads_changes_no_recorded_turn() {
    let code = code(|bytes: usize| async move {
        set_status(&"begun");
        let large = named::activity("read", &json!("x".repeat(bytes - 2))).await;
        let refused = large.is_err();
        named::activity("note", &json!(refused)).await.unwrap();
        refused
    });
    let raised = limits::PAYLOAD_BYTES_MAX + 2;
    let bytes = limits::PAYLOAD_BYTES_MAX + 1;
    for (recorded, now) in [
        (limits::PAYLOAD_BYTES_MAX, raised),
        (raised, limits::PAYLOAD_BYTES_MAX),
    ] {
        let is_refused = recorded < bytes;
        let of = |limit| Execution::new(IDENTITY, Arc::clone(&code)).with_payload_limit(limit);
        let mut execution = of(recorded);
        let input = started(&json!(bytes));
        let begin = HistoryEvent::ExecutionStarted(Box::new(input));
        let history = execution.turn(BEGIN, vec![begin]).events;
        let mut again = of(now);
        again
            .replay(&history)
            .unwrap_or_else(|stall| panic!("{}", stall.report));
        let done = Completed {
            scheduled: EventId(0),
            at: BEGIN,
            output: Payload::json(&json!("done")).unwrap(),
        };
        let next = again.turn(BEGIN, vec![HistoryEvent::ActivityCompleted(done)]);
        let asked = next.events.iter().filter(|event| is_command(event)).count();
        // What was refused has gone on in the first turn.
        assert_eq!(asked, usize::from(!is_refused));
    }
}

#[test]
fn a_status_that_had_room_has_room_on_replay() {
    let code = code(|bytes: usize| async move {
        set_status(&"x".repeat(bytes - 2));
        named::event("go").wait().await;
    });
    let bytes = limits::PAYLOAD_BYTES_MAX + 1;
    let of = |limit| Execution::new(IDENTITY, Arc::clone(&code)).with_payload_limit(limit);
    let begin = || HistoryEvent::ExecutionStarted(Box::new(started(&json!(bytes))));
    let had_room = of(bytes).turn(BEGIN, vec![begin()]).events;
    of(bytes - 1).replay(&had_room).unwrap();
    // One that had none ended it, and does so again.
    let had_none = of(bytes - 1).turn(BEGIN, vec![begin()]).events;
    assert!(had_none.last().is_some_and(HistoryEvent::is_terminal));
    of(bytes).replay(&had_none).unwrap();
}

#[test]
fn an_execution_should_continue_as_new_from_the_recorded_length_on_and_replays_so() {
    let code = code(|(): ()| async {
        let mut rounds = 0_u32;
        while !should_continue_as_new() {
            // The answer holds for the whole turn.
            assert!(!should_continue_as_new());
            named::event("go").wait().await;
            rounds += 1;
        }
        rounds
    });
    // By events: two for the first turn, then an event and a turn for each round.
    let mut world = World::start(&code);
    for _ in 0..1_998 {
        world.raise("go", ());
    }
    assert_eq!(world.execution.length().events, limits::CONTINUE_EVENTS - 2);
    world.raise("go", ());
    assert_eq!(world.execution.length().events, limits::CONTINUE_EVENTS);
    // At the begin of the next turn there are as many as that.
    assert!(world.end.is_none());
    world.raise("go", ());
    assert_eq!(world.unchecked_output(), json!(2_000));
    Execution::new(IDENTITY, Arc::clone(&code))
        .replay(&world.history)
        .unwrap();
    // By bytes.
    let mut world = World::start(&code);
    world.raise("go", large());
    world.raise("go", large());
    assert!(world.execution.length().bytes > limits::CONTINUE_BYTES);
    assert!(world.end.is_none());
    world.raise("go", ());
    assert_eq!(world.output(), json!(3));
}

#[test]
fn a_history_of_too_many_bytes_stalls_and_one_of_just_as_many_as_may_be_does_not() {
    let code = code(|(): ()| async {
        let first: String =
            serde_json::from_value(named::activity("read", &json!(1)).await.unwrap()).unwrap();
        let second: String =
            serde_json::from_value(named::activity("read", &json!(2)).await.unwrap()).unwrap();
        first.len() + second.len()
    });
    let whole = |most| {
        let mut world = World::start_at_most(&code, most);
        world.complete(0, large());
        world
    };
    let length = whole(Length::MAX).execution.length();
    let payload = u64::try_from(limits::PAYLOAD_BYTES_MAX).unwrap();
    assert!(
        (payload..payload + 1_000).contains(&length.bytes),
        "{length:?}"
    );
    for (spare, stalls) in [(1, false), (0, false), (-1, true)] {
        let bytes = length.bytes.checked_add_signed(spare).unwrap();
        let mut world = whole(Length {
            bytes,
            ..Length::MAX
        });
        let last = world.history.last();
        let Some(HistoryEvent::ExecutionStalled(stalled)) = last else {
            assert!(!stalls, "{last:?}");
            world.check();
            // An end may go beyond the limit.
            world.complete(1, "end");
            assert_eq!(world.output(), json!(payload + 3));
            continue;
        };
        assert!(stalls, "{stalled:?}");
        assert_eq!(stalled.reason, StallReason::LimitExceeded);
        let told = format!("{} bytes, the limit is {bytes} bytes", length.bytes);
        assert!(stalled.report.contains(&told), "{}", stalled.report);
        // What has arrived is kept, and with more room it goes on from there.
        let mut world = World::resume(&code, &world.history).unwrap();
        world.turn(Vec::new());
        world.complete(1, "end");
        assert_eq!(world.unchecked_output(), json!(payload + 3));
    }
}

#[test]
fn a_history_of_too_many_events_stalls() {
    let code = code(|(): ()| async {
        for round in 0..3 {
            double(round).await;
        }
    });
    let step = |most| {
        let mut world = World::start_at_most(&code, most);
        world.complete(0, 0);
        world
    };
    let length = step(Length::MAX).execution.length();
    for (spare, stalls) in [(1, false), (0, false), (-1, true)] {
        let events = length.events.checked_add_signed(spare).unwrap();
        let world = step(Length {
            events,
            ..Length::MAX
        });
        let last = world.history.last();
        let is_stalled = matches!(last, Some(HistoryEvent::ExecutionStalled(stalled)) if
            stalled.report.contains(&format!("{} events, the limit is {events} events", length.events)));
        assert_eq!(is_stalled, stalls, "{last:?}");
    }
}

#[test]
fn the_length_is_the_same_live_and_on_replay() {
    let code = code(|(): ()| async {
        set_status(&"half-way");
        let done = join_all((0..3).map(double)).await;
        side_effect(|| "a side effect".to_owned()).await;
        named::event("go").wait().await;
        done.into_iter().sum::<u32>()
    });
    let mut world = World::start(&code);
    for number in 0..3 {
        world.complete(number, number);
    }
    world.raise("go", "now");
    let replayed = World::resume(&code, &world.history).unwrap();
    assert_eq!(replayed.execution.length(), world.execution.length());
    assert_eq!(
        world.execution.length(),
        Length::default().and(&world.history)
    );
}
