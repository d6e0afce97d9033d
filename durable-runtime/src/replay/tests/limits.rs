use serde_json::json;

use super::support::*;
use crate::event::{HistoryEvent, StallReason};
use crate::failure::FaultKind;
use crate::limits;
use crate::orchestration::{Event, continue_as_new, join_all, named, set_status, side_effect};
use crate::replay::Length;

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
        let call = crate::orchestration::OrchestratorCall::<u32, Flow>::__new(
            crate::payload::Payload::json(&large()),
        );
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
    let Some(HistoryEvent::ExecutionStalled(stalled)) = world.history.last() else {
        panic!("{:?}", world.history.last());
    };
    assert_eq!(stalled.reason, StallReason::LimitExceeded);
    assert!(
        stalled.report.contains("100000 commands"),
        "{}",
        stalled.report
    );
    assert_eq!(world.history.len(), 2);
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
