//! `timeout` over a block.

use std::pin::pin;

use serde_json::json;

use super::divergence::{GO, divergence, sides};
use super::support::*;
use crate::durable::op::DurableOp as _;
use crate::event::Pending;
use crate::failure::Elapsed;
use crate::orchestration::{Event, join_all, seconds, side_effect, sleep, timeout};
use crate::replay::Code;

static NEWS: Event<u32> = Event::new("news");

/// Two activities one after the other in 30 seconds, then a sleep.
fn limited() -> Code {
    code(|(): ()| async {
        let block = async {
            let once = double(1).await;
            double(once).await
        };
        let mut limited = pin!(timeout(seconds(30), block.__durable_block()));
        let result = (&mut limited).await;
        // What it ran is gone already, though it is still there.
        sleep(seconds(1)).await;
        result.ok()
    })
}

#[test]
fn a_block_that_ends_in_time_cancels_its_deadline() {
    let mut world = World::start(&limited());
    assert_eq!(world.asked(), ["ActivityScheduled", "TimerCreated"]);
    world.complete(0, 2);
    assert_eq!(world.asked(), ["ActivityScheduled"], "one deadline for all");
    world.complete(2, 4);
    assert_eq!(world.cancelled(), [Pending::Timer]);
    world.fire(3);
    assert_eq!(world.output(), json!(4));
}

#[test]
fn a_deadline_cancels_all_that_the_block_waits_for_in_that_turn() {
    let code = code(|(): ()| async {
        let block = async {
            let pair = join_all([double(1), double(2)]);
            let rest = async {
                ship(&json!(1)).await;
                NEWS.wait().await;
            };
            race(race(pair, sleep(seconds(60))), race(rest, NEWS.wait()))
                .await
                .is_ok()
        };
        let result = timeout(seconds(30), block.__durable_block()).await;
        (result.is_err(), NEWS.wait().await)
    });
    let mut world = World::start(&code);
    assert_eq!(world.commands().len(), 5);
    let arrivals = vec![
        world.completed(1, 4),
        world.fired(4),
        world.raised("news", 7),
    ];
    world.turn(arrivals);
    let expected = json!([true, 7]);
    assert_eq!(
        world.output(),
        expected,
        "the event goes to who still waits"
    );
}

#[test]
fn what_is_cancelled_is_on_record() {
    let mut world = World::start(&limited());
    world.complete(0, 2);
    world.fire(1);
    assert_eq!(world.cancelled(), [Pending::Activity]);
    assert!(!world.execution.accepts(&world.completed(2, 4)));
    world.fire(3);
    assert_eq!(world.output(), json!(null));
}

#[test]
fn of_an_end_and_a_deadline_in_one_turn_the_first_counts() {
    for (end_first, expected) in [(true, json!(4)), (false, json!(null))] {
        let mut world = World::start(&limited());
        world.complete(0, 2);
        let mut arrivals = vec![world.completed(2, 4), world.fired(1)];
        if !end_first {
            arrivals.reverse();
        }
        world.turn(arrivals);
        world.fire(3);
        assert_eq!(world.output(), expected);
    }
}

#[test]
fn the_first_counts_also_if_both_came_while_nobody_asked() {
    for (end_first, expected) in [(true, json!(4)), (false, json!(null))] {
        let code = code(|(): ()| async {
            let mut limited = pin!(timeout(seconds(30), double(2)));
            assert!(race(&mut limited, GO.wait()).await.is_err());
            sleep(seconds(60)).await;
            limited.await.ok()
        });
        let mut world = World::start(&code);
        world.raise("go", ());
        let mut arrivals = vec![world.completed(0, 4), world.fired(1)];
        if !end_first {
            arrivals.reverse();
        }
        world.turn(arrivals);
        world.fire(2);
        assert_eq!(world.output(), expected, "end first: {end_first}");
    }
}

#[test]
fn a_block_that_needs_no_time_needs_no_timer() {
    let code = code(|(): ()| async {
        let block = async { side_effect(|| 5).await };
        timeout(seconds(0), block.__durable_block()).await.ok()
    });
    let world = World::start(&code);
    assert_eq!(world.asked(), ["MarkerRecorded"]);
    assert_eq!(world.output(), json!(5));
}

#[test]
fn what_is_given_by_reference_goes_on_after_the_deadline() {
    let code = code(|(): ()| async {
        let both = async { double(1).await + double(2).await };
        let mut both = pin!(both.__durable_block());
        let mut late = 0;
        loop {
            match timeout(seconds(30), &mut both).await {
                Ok(sum) => return (sum, late),
                Err(Elapsed {}) => late += 1,
            }
        }
    });
    let mut world = World::start(&code);
    world.fire(1);
    assert_eq!(world.asked(), ["TimerCreated"]);
    world.complete(0, 2);
    world.fire(2);
    world.complete(3, 4);
    assert_eq!(world.output(), json!([6, 2]));
}

#[test]
fn deadlines_nest() {
    let code = code(|(): ()| async {
        let inner = async {
            let inner = timeout(seconds(10), double(1)).await;
            (inner.is_err(), GO.wait().await)
        };
        let outer = timeout(seconds(30), inner.__durable_block()).await;
        outer.map_err(|Elapsed {}| "all")
    });
    let mut world = World::start(&code);
    assert_eq!(world.commands().len(), 3);
    world.fire(1);
    assert_eq!(world.cancelled(), [Pending::Activity]);
    world.raise("go", ());
    assert_eq!(world.output(), json!({"Ok": [true, null]}));
    let mut world = World::start(&code);
    let arrivals = vec![world.fired(2), world.fired(1)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!({"Err": "all"}));
}

#[test]
fn a_recorded_deadline_stays_in_force_and_its_absence_diverges() {
    let of = |limit| {
        code(move |(): ()| async move {
            let wait = timeout(seconds(limit), GO.wait()).await;
            wait.is_ok()
        })
    };
    let mut world = World::start(&of(30));
    world.raise("go", ());
    World::resume(&of(40), &world.history).unwrap();
    let without = code(|(): ()| async { GO.wait().await });
    let divergence = divergence(&of(30), &without);
    let deadline = Some("TimerCreated for a deadline, due in 30s");
    assert_eq!(sides(&divergence), (deadline, None));
}
