//! `join!`, `try_join!` and `select!` as the attributes and macros write them.

use serde_json::json;

use super::attributes::{flow, returned_error};
use super::support::*;
use crate::event::Pending;
use crate::orchestration::{Event, hours, sleep};
use crate::{activity, helper, join, orchestrator, select, try_join};

static NOTE: Event<Option<u32>> = Event::new("note");

#[activity(crate = crate)]
async fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[activity(crate = crate)]
async fn charge(cents: u32) -> Result<u32, Declined> {
    if cents == 0 {
        Err(Declined::Card)
    } else {
        Ok(cents)
    }
}

#[helper(crate = crate)]
async fn add_twice(base: &u32) -> u32 {
    let once = add(*base, 1).await;
    add(once, 1).await
}

#[orchestrator(crate = crate)]
async fn joins(n: u32) -> (u32, u32, String) {
    let name = String::from("both");
    join!(add(n, 1), add_twice(&n), async {
        sleep(hours(1)).await;
        name.clone()
    })
}

#[test]
fn join_begins_all_branches_in_one_turn_and_waits_for_each() {
    let mut world = World::start_with(&flow(joins(5)), &json!(5));
    assert_eq!(world.commands().len(), 3);
    world.complete(1, 60);
    world.fire(2);
    world.complete(3, 70);
    assert!(world.end.is_none());
    world.complete(0, 50);
    assert_eq!(world.output(), json!([50, 70, "both"]));
}

#[orchestrator(crate = crate)]
async fn tries(n: u32) -> Result<u32, Declined> {
    let (a, b) = try_join!(charge(n), async { Ok(add(n, charge(n).await?).await) })?;
    Ok(a + b)
}

#[test]
fn try_join_gives_all_values() {
    let mut world = World::start_with(&flow(tries(5)), &json!(5));
    world.complete(1, 5);
    world.complete(2, 10);
    world.complete(0, 5);
    assert_eq!(world.output(), json!(15));
}

#[test]
fn try_join_gives_the_first_error_and_cancels_the_rest() {
    let mut world = World::start_with(&flow(tries(5)), &json!(5));
    world.fail(1, returned(&Declined::Card));
    assert_eq!(world.cancelled(), []);
    let returned = returned_error(&world);
    assert_eq!(returned.error.decode::<Declined>().unwrap(), Declined::Card);
}

/// Waits for an hour and no longer, then looks away for another.
#[orchestrator(crate = crate)]
async fn looks_away() -> Result<u32, Declined> {
    let mut both = std::pin::pin!(async { try_join!(charge(1), charge(2)) });
    select! {
        early = &mut both => return early.map(|_| 0),
        () = sleep(hours(1)) => {}
    }
    sleep(hours(1)).await;
    both.await.map(|(a, b)| a + b)
}

#[test]
fn try_join_gives_the_first_error_also_if_nobody_looked_when_it_came() {
    let mut world = World::start(&flow(looks_away()));
    world.fire(2);
    let first = Declined::Fault("first".to_owned());
    world.fail(1, returned(&first));
    world.fail(0, returned(&Declined::Card));
    world.fire(3);
    let returned = returned_error(&world);
    assert_eq!(returned.error.decode::<Declined>().unwrap(), first);
}

#[orchestrator(crate = crate)]
async fn selects(take_notes: bool) -> Result<Vec<u32>, Declined> {
    let mut seen = Vec::new();
    loop {
        let told = select! {
            biased;
            Some(note) = NOTE.wait(), if take_notes => note,
            charged = charge(7) => {
                seen.push(charged?);
                return Ok(seen);
            }
            () = sleep(hours(1)) => add(1, 1).await,
        };
        seen.push(told);
    }
}

#[test]
fn the_winner_of_a_select_cancels_the_others_before_its_handler_runs() {
    let mut world = World::start_with(&flow(selects(true)), &json!(true));
    assert_eq!(
        kinds(&world.history)[2..],
        ["ActivityScheduled", "TimerCreated"]
    );
    world.fire(1);
    let last = &kinds(&world.history)[4..];
    assert_eq!(
        last,
        [
            "TimerFired",
            "TurnStarted",
            "ActivityScheduled",
            "Cancelled"
        ]
    );
    assert_eq!(world.cancelled(), [Pending::Activity]);
    world.complete(2, 2);
    world.complete(3, 7);
    assert_eq!(world.output(), json!([2, 7]));
}

#[test]
fn the_first_ready_branch_in_written_order_wins() {
    let mut world = World::start_with(&flow(selects(true)), &json!(true));
    let arrivals = vec![world.completed(0, 7), world.raised("note", Some(3))];
    world.turn(arrivals);
    assert_eq!(
        world.output(),
        json!([7]),
        "arrivals are delivered one at a time"
    );
    let mut world = World::start_with(&flow(selects(true)), &json!(true));
    world.raise("note", Some(3));
    assert_eq!(world.cancelled(), [Pending::Activity, Pending::Timer]);
    world.complete(2, 8);
    assert_eq!(world.output(), json!([3, 8]));
}

#[test]
fn a_branch_whose_pattern_does_not_match_is_out_of_the_race() {
    let mut world = World::start_with(&flow(selects(true)), &json!(true));
    world.raise("note", None::<u32>);
    world.raise("note", Some(3));
    assert_eq!(world.commands().len(), 2, "nothing was begun anew");
    world.complete(0, 7);
    assert_eq!(world.output(), json!([7]));
}

#[test]
fn a_branch_whose_condition_is_false_takes_no_part() {
    let mut world = World::start_with(&flow(selects(false)), &json!(false));
    world.raise("note", Some(3));
    world.complete(0, 7);
    assert_eq!(world.output(), json!([7]));
}

#[test]
fn a_question_mark_in_a_handler_leaves_the_orchestrator() {
    let mut world = World::start_with(&flow(selects(true)), &json!(true));
    world.fail(0, returned(&Declined::Card));
    let returned = returned_error(&world);
    assert_eq!(returned.error.decode::<Declined>().unwrap(), Declined::Card);
}

#[orchestrator(crate = crate)]
async fn may_have_none(enabled: bool) -> u32 {
    select! {
        Some(note) = NOTE.wait(), if enabled => note,
        else => 99,
    }
}

#[test]
fn else_runs_when_no_branch_is_left() {
    let world = World::start_with(&flow(may_have_none(false)), &json!(false));
    assert_eq!(world.output(), json!(99));
    let mut world = World::start_with(&flow(may_have_none(true)), &json!(true));
    world.raise("note", None::<u32>);
    assert_eq!(world.output(), json!(99));
}

#[orchestrator(crate = crate)]
async fn must_have_one() -> u32 {
    select! { Some(note) = NOTE.wait() => note }
}

#[test]
fn no_branch_left_and_no_else_is_a_panic() {
    let mut world = World::start(&flow(must_have_one()));
    world.raise("note", None::<u32>);
    assert!(world.fault().message().contains("no `else` branch"));
}
