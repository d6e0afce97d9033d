use std::time::Duration;

use serde_json::json;

use super::support::*;
use crate::clock::Timestamp;
use crate::event::{HistoryEvent, TimerPurpose};
use crate::orchestration::{days, hours, minutes, now, seconds, sleep, sleep_until};

#[test]
fn a_timer_is_due_from_the_time_of_its_turn_and_wakes_once() {
    let code = code(|(): ()| async {
        sleep(Duration::from_micros(1_500)).await;
        sleep(seconds(5)).await;
        now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_millis()
    });
    let mut world = World::start(&code);
    world.fire(0);
    world.fire(0);
    let created: Vec<_> = world
        .commands()
        .into_iter()
        .map(|event| match event {
            HistoryEvent::TimerCreated(timer) => (timer.due, timer.purpose),
            event => panic!("{event:?}"),
        })
        .collect();
    let expected = [
        (Timestamp(BEGIN.0 + 1_000 + 2), TimerPurpose::Sleep),
        (Timestamp(BEGIN.0 + 2_000 + 5_000), TimerPurpose::Sleep),
    ];
    assert_eq!(
        created, expected,
        "a part of a millisecond counts as a whole one"
    );
    world.fire(1);
    assert_eq!(world.output(), json!(BEGIN.0 + 4_000));
}

#[test]
fn a_recorded_due_time_stays_in_force_whatever_the_code_now_says() {
    let with = |n: u64| code(move |(): ()| async move { sleep(seconds(n)).await });
    let world = World::start(&with(5));
    let later = World::resume(&with(500), &world.history);
    assert!(later.is_ok_and(|later| later.execution.accepts(&later.fired(0))));
}

#[test]
fn a_moment_in_the_past_is_a_timer_too() {
    let code = code(|(): ()| async { sleep_until(std::time::UNIX_EPOCH).await });
    let mut world = World::start(&code);
    world.fire(0);
    assert_eq!(world.output(), json!(null));
}

#[test]
fn spans_are_what_their_names_say() {
    assert_eq!(days(2), hours(48));
    assert_eq!(hours(1), minutes(60));
    assert_eq!(minutes(1), seconds(60));
    assert_eq!(days(u64::MAX), seconds(u64::MAX), "no overflow");
}
