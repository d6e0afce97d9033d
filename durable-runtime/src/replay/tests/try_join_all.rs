use std::pin::pin;

use serde_json::json;

use super::divergence::{GO, divergence, sides};
use super::support::*;
use crate::event::Pending;
use crate::failure::{Failure, Fault, FaultKind};
use crate::orchestration::{join_all, seconds, sleep, try_join_all};

#[test]
fn values_are_in_the_order_of_the_calls() {
    let code = code(|(): ()| async { try_join_all((1..5).map(charge)).await });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 4, "all are begun in one turn");
    for n in [2, 0, 3, 1] {
        assert!(world.end.is_none());
        world.complete(n, format!("{n}"));
    }
    assert_eq!(world.output(), json!({"Ok": ["0", "1", "2", "3"]}));
}

#[test]
fn none_is_ok_at_once() {
    let code = code(|(): ()| async { try_join_all((0..0).map(charge)).await });
    assert_eq!(World::start(&code).output(), json!({"Ok": []}));
}

/// Fails with the first error, then sleeps.
fn fails_and_goes_on() -> crate::replay::Code {
    code(|(): ()| async {
        let mut all = pin!(try_join_all((0..4).map(charge)));
        let charged = (&mut all).await;
        // What it ran is gone already, though it is still there.
        sleep(seconds(1)).await;
        charged
    })
}

#[test]
fn the_first_error_of_the_history_ends_it_and_cancels_the_rest_in_that_turn() {
    let mut world = World::start(&fails_and_goes_on());
    world.complete(1, "1");
    let other = Declined::Fault("late".to_owned());
    let arrivals = vec![
        world.failed(3, returned(&Declined::Card)),
        world.failed(0, returned(&other)),
    ];
    world.turn(arrivals);
    // The other error came after the first had closed its call.
    assert_eq!(world.cancelled(), [Pending::Activity, Pending::Activity]);
    world.fire(4);
    assert_eq!(world.output(), json!({"Err": "Card"}));
}

fn fault(message: &str) -> Failure {
    Failure::Fault(Fault::new(FaultKind::Panicked, "double", message))
}

#[test]
fn the_first_error_counts_also_if_nobody_looked_when_it_came() {
    let code = code(|(): ()| async {
        let mut doubles = pin!(try_join_all((0..3).map(|n| double(n).catch())));
        assert!(race(&mut doubles, GO.wait()).await.is_err());
        sleep(seconds(1)).await;
        doubles.await.map_err(|fault| fault.message().to_owned())
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    world.fail(2, fault("first"));
    world.fail(0, fault("second"));
    world.fire(3);
    assert_eq!(world.output(), json!({"Err": "first"}));
}

#[test]
fn a_call_that_is_ready_with_an_error_keeps_the_rest_from_being_begun() {
    let code = code(|(): ()| async {
        let values = (0..3).map(|n| {
            let fails = n == 1;
            crate::orchestration::side_effect(move || if fails { Err(n) } else { Ok(n) })
        });
        try_join_all(values).await
    });
    let world = World::start(&code);
    assert_eq!(world.commands().len(), 2);
    assert_eq!(world.output(), json!({"Err": 1}));
}

#[test]
fn code_that_now_waits_for_all_diverges_where_the_rest_was_cancelled() {
    let old = fails_and_goes_on();
    let mut world = World::start(&old);
    world.fail(3, returned(&Declined::Card));
    world.check();
    let new = code(|(): ()| async {
        let charged = join_all((0..4).map(charge)).await;
        sleep(seconds(1)).await;
        charged
    });
    let stall = World::resume(&new, &world.history).err().unwrap();
    let divergence = *stall.divergence.unwrap();
    assert_eq!(
        sides(&divergence),
        (Some("TimerCreated, due in 1s"), None),
        "it is still waiting"
    );
}

#[test]
fn one_call_more_diverges() {
    let of = |count| code(move |(): ()| async move { try_join_all((1..count).map(charge)).await });
    let more = divergence(&of(3), &of(4));
    assert_eq!(sides(&more).1, Some("ActivityScheduled `charge`"));
    let fewer = divergence(&of(4), &of(3));
    assert_eq!(sides(&fewer).0, Some("ActivityScheduled `charge`"));
}
