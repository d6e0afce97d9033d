use serde_json::json;

use super::support::*;
use crate::event::{HistoryEvent, StallReason};
use crate::failure::FaultKind;
use crate::limits;
use crate::orchestration::{Event, continue_as_new, join_all, named, set_status, side_effect};

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
