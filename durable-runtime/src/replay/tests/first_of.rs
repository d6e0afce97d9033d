//! `select_all` and `race`.

use std::pin::pin;

use serde_json::json;

use super::divergence::GO;
use super::support::*;
use crate::event::Pending;
use crate::failure::FaultKind;
use crate::orchestration::{
    Event, join_all, race as race_all, seconds, select_all, side_effect, sleep,
};
use crate::replay::Code;

#[test]
fn the_first_of_the_history_wins_and_the_others_run_on() {
    let code = code(|(): ()| async {
        let (first, index, others) = select_all((1..5).map(double)).await;
        GO.wait().await;
        (first, index, join_all(others).await)
    });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 4);
    let arrivals = vec![world.completed(2, 6), world.completed(0, 2)];
    world.turn(arrivals);
    assert_eq!(world.cancelled(), [], "nobody was dropped");
    world.complete(3, 8);
    world.raise("go", ());
    world.complete(1, 4);
    assert_eq!(world.output(), json!([6, 2, [2, 4, 8]]));
}

/// Takes all results, one by one; waits for a go after the first.
fn one_by_one() -> Code {
    code(|(): ()| async {
        let mut results = Vec::new();
        let mut calls: Vec<_> = (0..4).map(double).collect();
        while !calls.is_empty() {
            let (result, index, others) = select_all(calls).await;
            results.push((result, index));
            calls = others;
            if results.len() == 1 {
                GO.wait().await;
            }
        }
        results
    })
}

#[test]
fn of_those_that_ended_before_the_first_in_the_collection_wins() {
    let mut world = World::start(&one_by_one());
    for n in [2, 3, 0] {
        world.complete(n, n);
    }
    world.raise("go", ());
    world.complete(1, 1);
    assert_eq!(world.output(), json!([[2, 2], [0, 0], [3, 1], [1, 0]]));
}

#[test]
fn a_race_gives_the_first_of_the_history_and_cancels_the_others_in_that_turn() {
    let code = code(|(): ()| async {
        let mut calls = pin!(race_all((1..5).map(charge)));
        let winner = (&mut calls).await;
        // What it ran is gone already, though it is still there.
        GO.wait().await;
        winner
    });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 4);
    let arrivals = vec![
        world.failed(2, returned(&Declined::Card)),
        world.completed(0, "2"),
    ];
    world.turn(arrivals);
    assert_eq!(world.cancelled(), [Pending::Activity; 3]);
    world.raise("go", ());
    assert_eq!(world.output(), json!({"Err": "Card"}), "an error wins too");
}

#[test]
fn the_first_counts_also_if_nobody_looked_when_it_came() {
    let code = code(|(): ()| async {
        let mut one = pin!(race_all((0..3).map(double)));
        let mut two = pin!(select_all((0..3).map(double)));
        let both = race(&mut one, &mut two);
        assert!(race(both, GO.wait()).await.is_err());
        sleep(seconds(1)).await;
        (one.await, two.await.0)
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    for n in [2, 1, 5, 3] {
        world.complete(n, n);
    }
    world.fire(6);
    assert_eq!(world.output(), json!([2, 5]));
}

#[test]
fn one_that_is_ready_at_once_keeps_the_rest_of_a_race_from_being_begun() {
    let code = code(|(): ()| async { race_all((3..9).map(|n| side_effect(move || n))).await });
    let world = World::start(&code);
    assert_eq!(world.commands().len(), 1);
    assert_eq!(world.output(), json!(3));
}

#[test]
fn a_lost_event_wait_leaves_the_event_to_the_next() {
    static NEWS: Event<u32> = Event::new("news");
    let code = code(|(): ()| async {
        let first = race_all([NEWS.wait(), NEWS.wait()]).await;
        sleep(seconds(1)).await;
        (first, NEWS.wait().await)
    });
    let mut world = World::start(&code);
    let arrivals = vec![world.raised("news", 1), world.raised("news", 2)];
    world.turn(arrivals);
    world.fire(0);
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn there_is_no_first_of_none() {
    let none = || (0..0).map(double);
    let select = code(move |(): ()| async move { select_all(none()).await.0 });
    let race = code(move |(): ()| async move { race_all(none()).await });
    for (code, name) in [(select, "select_all"), (race, "race")] {
        let fault = World::start(&code).fault();
        assert_eq!(fault.kind(), FaultKind::Panicked);
        let expected = format!("`{name}` was called with no futures");
        assert!(fault.message().contains(&expected), "{fault}");
    }
}

#[test]
fn code_that_now_cancels_the_others_diverges() {
    let old = one_by_one();
    let mut world = World::start(&old);
    world.complete(2, 4);
    world.check();
    let new = code(|(): ()| async {
        race_all((0..4).map(double)).await;
        GO.wait().await;
    });
    let stall = World::resume(&new, &world.history).err().unwrap();
    let report = stall.report;
    assert!(report.contains("Cancelled"), "{report}");
}
