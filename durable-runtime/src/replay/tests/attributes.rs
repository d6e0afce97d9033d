//! What the attributes make of a function, run by the core.

use std::cell::Cell;
use std::sync::Arc;

use serde_json::json;

use super::support::*;
use crate::definition::OrchestratorMarker;
use crate::event::HistoryEvent;
use crate::failure::{Failure, Outcome, ReturnedError};
use crate::orchestration::{OrchestratorCall, now};
use crate::replay::Code;
use crate::{activity, helper, orchestrator};

#[activity(crate = crate)]
async fn double_it(n: u32) -> u32 {
    n * 2
}

#[activity(crate = crate)]
async fn charge(cents: u32) -> Result<u32, Declined> {
    if cents == 0 {
        Err(Declined::Card)
    } else {
        Ok(cents)
    }
}

/// The code of an annotated function, found through its call.
pub(super) fn flow<Out: 'static, M: OrchestratorMarker<Out>>(_: OrchestratorCall<Out, M>) -> Code {
    Arc::new(M::DEF.run)
}

/// The declared error that ended the execution.
pub(super) fn returned_error(world: &World) -> ReturnedError {
    world.check();
    match world.history.last() {
        Some(HistoryEvent::ExecutionCompleted(completed)) => match &completed.outcome {
            Outcome::Failed(Failure::Returned(returned)) => returned.clone(),
            outcome => panic!("{outcome:?}"),
        },
        event => panic!("{event:?}"),
    }
}

thread_local! {
    static LINES: Cell<u32> = const { Cell::new(0) };
}

/// Named as the log macro, so that the attribute takes it for one.
macro_rules! info {
    () => {
        LINES.set(LINES.get() + 1)
    };
}

#[helper(crate = crate)]
async fn logs_and_doubles(n: &mut u32) {
    info!();
    *n = double_it(*n).await;
    info!();
}

#[orchestrator(crate = crate)]
async fn logs(n: u32) -> u32 {
    let mut n = n;
    info!();
    logs_and_doubles(&mut n).await;
    logs_and_doubles(&mut n).await;
    n
}

#[test]
fn each_line_is_logged_once_however_often_it_is_replayed() {
    let mut world = World::start_with(&flow(logs(1)), &json!(1));
    assert_eq!(LINES.get(), 2);
    world.complete(0, 2);
    assert_eq!(LINES.get(), 4);
    world = World::resume(&world.code, &world.history).unwrap();
    assert_eq!(LINES.get(), 4, "a replay logs nothing");
    world.complete(1, 4);
    assert_eq!(LINES.get(), 5);
    World::resume(&world.code, &world.history).unwrap();
    assert_eq!(LINES.get(), 5);
    assert_eq!(world.unchecked_output(), json!(4));
}

#[orchestrator(crate = crate)]
async fn pays(orders: Vec<u32>, tip: u32) -> Result<u32, Declined> {
    let mut sum = 0;
    for order in orders {
        sum += charge(order).await?;
    }
    let _ = now();
    Ok(sum + tip)
}

#[test]
fn several_arguments_are_one_list() {
    let mut world = World::start_with(&flow(pays(vec![], 0)), &json!([[5, 6], 1]));
    world.complete(0, 5);
    world.complete(1, 6);
    assert_eq!(world.output(), json!(12));
}

#[test]
fn a_declared_error_comes_back_as_declared_with_its_details() {
    let mut world = World::start_with(&flow(pays(vec![], 0)), &json!([[5], 1]));
    world.fail(0, returned(&Declined::Card));
    let returned = returned_error(&world);
    assert_eq!(returned.error.decode::<Declined>().unwrap(), Declined::Card);
    assert_eq!(
        returned.details.message, "\"Card\"",
        "it is neither `Error` nor `Display`"
    );
    assert!(returned.details.error_type.ends_with("::Declined"));
}

#[test]
fn a_fault_is_the_declared_error_where_that_can_hold_it() {
    let mut world = World::start_with(&flow(pays(vec![], 0)), &json!([[5], 1]));
    world.fail(0, panicked());
    let returned = returned_error(&world);
    assert_eq!(
        returned.error.decode::<Declined>().unwrap(),
        Declined::Fault("`charge` panicked: boom".to_owned())
    );
}
