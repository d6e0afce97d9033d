use std::cell::Cell;

use serde_json::json;

use super::support::*;
use crate::failure::FaultKind;
use crate::orchestration::{Event, join_all, set_status};
use crate::replay::TurnEnd;

#[test]
fn a_panic_ends_the_orchestration_with_its_message_and_cancels_nothing() {
    let code = code(|(): ()| async {
        let _held = join_all([double(1)]);
        let sum = double(2).await;
        assert_eq!(sum, 5, "the sum is wrong");
    });
    let mut world = World::start(&code);
    let turn = world.complete(0, 4);
    assert_eq!(
        kinds(&turn.events)[1..],
        ["TurnStarted", "ExecutionCompleted"]
    );
    let fault = world.fault();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert_eq!(fault.subject(), "flow");
    assert!(fault.message().contains("the sum is wrong"), "{fault}");
}

#[test]
fn what_a_panic_drops_is_closed_by_the_end_alone() {
    static GO: Event<()> = Event::new("go");
    let code = code(|(): ()| async {
        let panicking = async {
            GO.wait().await;
            panic!("boom")
        };
        race::<_, std::pin::Pin<Box<dyn Future<Output = ()>>>>(double(1), Box::pin(panicking))
            .await
            .is_ok()
    });
    let mut world = World::start(&code);
    let turn = world.raise("go", ());
    let TurnEnd::Completed { abandoned } = turn.end else {
        panic!("{:?}", turn.end);
    };
    assert_eq!(abandoned.len(), 1);
    assert_eq!(world.fault().message(), "boom");
}

#[test]
fn after_a_fault_nothing_is_asked_for_any_more() {
    let code = code(|(): ()| async {
        let faulty = async {
            double(1).await;
        };
        let other = async {
            double(2).await;
            set_status("too late");
            double(3).await;
        };
        race(faulty, other).await.is_ok()
    });
    let mut world = World::start(&code);
    let arrivals = vec![world.failed(0, panicked()), world.completed(1, 4)];
    let turn = world.turn(arrivals);
    let expected = [
        "ActivityFailed",
        "ActivityCompleted",
        "TurnStarted",
        "ExecutionCompleted",
    ];
    assert_eq!(kinds(&turn.events), expected);
    assert_eq!(world.fault().message(), "boom");
}

#[test]
fn an_input_that_cannot_be_written_is_a_fault_at_the_await() {
    let code = code(|(): ()| async {
        let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
        let call = crate::orchestration::ActivityCall::<u32, Double>::__new(
            crate::payload::Payload::json(&odd),
        );
        call.catch().await.map_err(|fault| fault.kind())
    });
    assert_eq!(World::start(&code).output(), json!({"Err": "Unrecordable"}));
}

#[test]
fn a_side_effect_that_panics_ends_the_orchestration_on_replay_too() {
    let code = code(|(): ()| async {
        crate::orchestration::side_effect(|| assert_eq!(1, 2, "not equal")).await;
    });
    let world = World::start(&code);
    assert_eq!(world.fault().kind(), FaultKind::Panicked);
}

thread_local! {
    static WENT_ON: Cell<bool> = const { Cell::new(false) };
}

#[test]
fn after_a_fault_an_answer_that_is_there_is_not_given_out() {
    static GO: Event<()> = Event::new("go");
    let code = code(|(): ()| async {
        let mut held = double(1);
        assert!(race(&mut held, GO.wait()).await.is_err());
        double(2).await;
        let faulty = async {
            let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
            let input = crate::payload::Payload::json(&unwritable);
            crate::orchestration::ActivityCall::<u32, Double>::__new(input).await;
        };
        let other = async {
            held.await;
            WENT_ON.set(true);
        };
        race(faulty, other).await.is_ok()
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    world.complete(0, 2);
    world.complete(1, 4);
    assert_eq!(world.fault().kind(), FaultKind::Unrecordable);
    assert!(!WENT_ON.get());
}
