//! What an attempt said is there for the next one, and decides nothing else.

use std::time::Duration;

use serde_json::json;

use super::support::*;
use crate::event::{ActivityScheduled, HeartbeatRecorded, HistoryEvent};
use crate::id::EventId;
use crate::payload::Payload;
use crate::replay::Code;
use crate::retry::RetryPolicy;

const LIMIT: Duration = Duration::from_secs(10);

fn tries(name_changes: bool) -> Code {
    code(move |(): ()| async move {
        let policy = RetryPolicy::attempts(4);
        let call = double(1).heartbeat_timeout(LIMIT).retry(policy);
        if name_changes {
            return rate_of(2).await;
        }
        call.await
    })
}

/// Another activity than the history has.
async fn rate_of(n: u32) -> u32 {
    charge(n).await.map_or(0, |_| 1)
}

fn said(world: &World, id: u32, details: &str) -> HistoryEvent {
    HistoryEvent::HeartbeatRecorded(HeartbeatRecorded {
        scheduled: EventId(id),
        at: world.at,
        details: Payload::json(&details).unwrap(),
    })
}

/// The attempts, each with what it is told that was said before.
fn attempts(world: &World) -> Vec<(u32, Option<String>)> {
    let scheduled = world
        .commands()
        .into_iter()
        .filter_map(|event| match event {
            HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled),
            _ => None,
        });
    scheduled
        .map(|ActivityScheduled { id, heartbeats, .. }| {
            let known = heartbeats.as_deref().unwrap();
            assert_eq!(known.timeout, Some(LIMIT));
            let told = known.last.as_ref().map(|details| details.decode().unwrap());
            (id.0, told)
        })
        .collect()
}

#[test]
fn each_attempt_is_told_what_was_said_last_before_it() {
    let mut world = World::start(&tries(false));
    let arrivals = vec![said(&world, 0, "page 7"), world.failed(0, panicked())];
    world.turn(arrivals);
    world.fire(1);
    // This one fails before it says anything; so what the first said is still the last word.
    world.fail(2, panicked());
    world.fire(3);
    // In a turn before that of the failure, as a stop has it recorded.
    let arrival = said(&world, 4, "page 9");
    let turn = world.turn(vec![arrival]);
    assert_eq!(kinds(&turn.events), ["HeartbeatRecorded", "TurnStarted"]);
    world.fail(4, panicked());
    world.fire(5);
    let page = |number: u32| Some(format!("page {number}"));
    let expected = [(0, None), (2, page(7)), (4, page(7)), (6, page(9))];
    assert_eq!(attempts(&world), expected);
    world.complete(6, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn only_the_last_of_several_words_counts_and_a_late_one_is_dropped() {
    let mut world = World::start(&tries(false));
    let first = said(&world, 0, "page 1");
    world.turn(vec![first]);
    let second = said(&world, 0, "page 2");
    world.turn(vec![second]);
    world.fail(0, panicked());
    let late = said(&world, 0, "page 3");
    assert!(!world.execution.accepts(&late));
    world.fire(1);
    assert_eq!(attempts(&world)[1], (2, Some("page 2".to_owned())));
    world.complete(2, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_recorded_limit_stays_in_force_and_a_changed_call_diverges() {
    let mut world = World::start(&tries(false));
    let arrivals = vec![said(&world, 0, "page 7"), world.failed(0, panicked())];
    world.turn(arrivals);
    let without_limit = code(|(): ()| async {
        let policy = RetryPolicy::attempts(4);
        double(1).retry(policy).await
    });
    let mut later = World::resume(&without_limit, &world.history).unwrap();
    later.fire(1);
    later.complete(2, 2);
    assert_eq!(later.unchecked_output(), json!(2));
    let Err(stall) = World::resume(&tries(true), &world.history) else {
        panic!("another activity was asked for");
    };
    assert!(stall.report.contains("`charge`"), "{}", stall.report);
}
