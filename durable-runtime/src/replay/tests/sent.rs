use serde_json::json;

use super::support::*;
use crate::event::{EventSent, HistoryEvent};
use crate::failure::FaultKind;
use crate::limits;
use crate::orchestration::{Event, info, named};
use crate::replay::Code;

static APPROVAL: Event<u32> = Event::new("approval");

fn sent(world: &World, index: usize) -> &EventSent {
    match world.commands()[index] {
        HistoryEvent::EventSent(command) => command,
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_send_is_recorded_and_ready_in_the_same_turn() {
    let code = code(|(): ()| async {
        APPROVAL.send("ship-42", 7).await;
        named::event("note").send("~made", json!({"a": 1})).await;
        double(1).await
    });
    let mut world = World::start(&code);
    assert_eq!(
        kinds(&world.history)[2..],
        ["EventSent", "EventSent", "ActivityScheduled"]
    );
    let command = sent(&world, 0);
    assert_eq!(
        (&*command.name, command.instance.as_str()),
        ("approval", "ship-42")
    );
    assert_eq!(command.payload.decode::<u32>().unwrap(), 7);
    assert_eq!(sent(&world, 1).instance.as_str(), "~made");
    world.complete(2, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn an_instance_sends_to_itself_and_receives_in_a_later_turn() {
    let code = code(|(): ()| async {
        APPROVAL.send(&info().instance, 1).await;
        APPROVAL.wait().await
    });
    let mut world = World::start(&code);
    assert!(world.end.is_none());
    assert_eq!(sent(&world, 0).instance.as_str(), "order-42");
    world.raise("approval", 1);
    assert_eq!(world.output(), json!(1));
}

#[test]
fn a_send_in_the_last_turn_is_recorded_before_the_end() {
    let code = code(|(): ()| async { APPROVAL.send("ship-42", 7).await });
    let world = World::start(&code);
    assert_eq!(
        kinds(&world.history)[2..],
        ["EventSent", "ExecutionCompleted"]
    );
    world.check();
}

#[test]
fn a_send_that_is_never_polled_sends_nothing() {
    let code = code(|(): ()| async {
        drop(APPROVAL.send("ship-42", 7));
        double(1).await
    });
    let mut world = World::start(&code);
    assert_eq!(kinds(&world.history)[2..], ["ActivityScheduled"]);
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn what_cannot_be_sent_is_a_fault_that_names_the_event() {
    let fault = |code: &Code| {
        let world = World::start(code);
        assert!(world.commands().is_empty());
        world.fault()
    };
    let to_nobody = code(|(): ()| async { APPROVAL.send("a/b", 7).await });
    let told = fault(&to_nobody);
    assert_eq!(told.kind(), FaultKind::NotFound);
    assert_eq!(
        told.to_string(),
        "`a/b` could not be found: event `approval` was to be sent there, but `a/b` cannot be an instance id: it may \
         hold none of `/ \\ # ?`"
    );
    let too_large = code(|(): ()| async {
        let text = json!("x".repeat(limits::PAYLOAD_BYTES_MAX));
        named::event("note").send("ship-42", text).await;
    });
    assert_eq!(fault(&too_large).kind(), FaultKind::LimitExceeded);
    let long_name = code(|(): ()| async {
        let name = "n".repeat(limits::NAME_BYTES_MAX + 1);
        named::event(name).send("ship-42", json!(1)).await;
    });
    assert_eq!(fault(&long_name).kind(), FaultKind::LimitExceeded);
}

#[test]
fn another_receiver_name_or_payload_diverges_and_another_case_does_not() {
    let send = |name: &'static str, to: &'static str, value: u32| {
        code(move |(): ()| async move {
            named::event(name).send(to, json!(value)).await;
            double(1).await
        })
    };
    let world = World::start(&send("approval", "a", 1));
    let told = |new: &Code| {
        let stall = World::resume(new, &world.history).err().unwrap();
        stall.divergence.unwrap().requested.unwrap().what
    };
    assert_eq!(
        told(&send("approval", "b", 1)),
        "EventSent `approval` to `b`"
    );
    assert_eq!(told(&send("other", "a", 1)), "EventSent `other` to `a`");
    assert_eq!(
        told(&send("approval", "a", 2)),
        "EventSent `approval` to `a`, with another input"
    );
    assert!(World::resume(&send("APPROVAL", "a", 1), &world.history).is_ok());
    let silent = code(|(): ()| async { double(1).await });
    assert_eq!(told(&silent), "ActivityScheduled `double`");
}
