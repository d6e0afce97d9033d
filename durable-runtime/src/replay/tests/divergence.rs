use std::future::ready;

use serde_json::{Value, json};

use super::support::*;
use crate::event::StallReason;
use crate::helper;
use crate::id::{BuildId, ExecutionId, InstanceId};
use crate::orchestration::{
    ActivityCall, Event, continue_as_new, join_all, named, seconds, side_effect, sleep,
};
use crate::payload::Payload;
use crate::replay::Code;
use crate::replay::divergence::Divergence;

pub(super) static GO: Event<()> = Event::new("go");

/// What tells `new` from the history of `old`, after one raise of `go` if `old` waits for it.
pub(super) fn divergence(old: &Code, new: &Code) -> Divergence {
    let mut world = World::start(old);
    if world.end.is_none() {
        world.raise("go", ());
    }
    world.check();
    let stall = World::resume(new, &world.history)
        .err()
        .expect("it diverges");
    assert_eq!(stall.reason, StallReason::Divergence);
    *stall.divergence.expect("with both sides")
}

pub(super) fn sides(divergence: &Divergence) -> (Option<&str>, Option<&str>) {
    let recorded = divergence.recorded.as_ref().map(|side| &*side.what);
    let requested = divergence.requested.as_ref().map(|side| &*side.what);
    (recorded, requested)
}

#[test]
fn another_kind_name_or_purpose() {
    let old = code(|(): ()| async { double(1).await });
    let timer = code(|(): ()| async { sleep(seconds(30)).await });
    let divergence_of = divergence(&old, &timer);
    let expected = (
        Some("ActivityScheduled `double`"),
        Some("TimerCreated, due in 30s"),
    );
    assert_eq!(sides(&divergence_of), expected);
    let charged = code(|(): ()| async { charge(1).await });
    let other = divergence(&old, &charged);
    assert_eq!(sides(&other).1, Some("ActivityScheduled `charge`"));
    let deadline = code(|(): ()| async { GO.wait().timeout(seconds(30)).await.is_ok() });
    let other = divergence(&timer, &deadline);
    assert_eq!(
        sides(&other).1,
        Some("TimerCreated for a deadline, due in 30s")
    );
}

#[test]
fn another_version_of_a_child() {
    let old = code(|(): ()| async { ship(&json!(1)).await });
    let new = code(|(): ()| async { ship(&json!(1)).version("3").await });
    let expected = (
        Some("ChildScheduled `ship` v2"),
        Some("ChildScheduled `ship` v3"),
    );
    assert_eq!(sides(&divergence(&old, &new)), expected);
}

#[test]
fn another_input_is_told_by_its_place_and_an_added_member_passes() {
    let call = |input: Value| {
        code(move |(): ()| ActivityCall::<u32, Double>::__new(Payload::json(&input)))
    };
    let old = call(json!({"order": {"id": 1}}));
    let other = divergence(&old, &call(json!({"order": {"id": 2}})));
    let expected = "ActivityScheduled `double`, whose input differs at `/order/id`";
    assert_eq!(sides(&other).1, Some(expected));
    let world = World::start(&old);
    let added = call(json!({"order": {"id": 1, "note": ""}, "vip": true}));
    assert!(World::resume(&added, &world.history).is_ok());
}

#[test]
fn a_command_too_many_or_too_few() {
    let one = code(|(): ()| async { join_all([double(1)]).await.len() });
    let two = code(|(): ()| async { join_all([double(1), double(2)]).await.len() });
    let expected = (None, Some("ActivityScheduled `double`"));
    assert_eq!(sides(&divergence(&one, &two)), expected);
    let expected = (Some("ActivityScheduled `double`"), None);
    assert_eq!(sides(&divergence(&two, &one)), expected);
}

#[test]
fn an_end_where_there_was_none_and_none_where_there_was_one() {
    let waits = code(|(): ()| async {
        GO.wait().await;
        GO.wait().await;
    });
    let ends = code(|(): ()| async { GO.wait().await });
    assert_eq!(
        sides(&divergence(&waits, &ends)),
        (None, Some("ExecutionCompleted"))
    );
    assert_eq!(
        sides(&divergence(&ends, &waits)),
        (Some("ExecutionCompleted"), None)
    );
    let panics = code(|fails: Option<bool>| async move {
        GO.wait().await;
        assert_eq!(
            fails,
            Some(false),
            "a mistake of the new build stalls, it does not end the instance"
        );
    });
    assert_eq!(
        sides(&divergence(&waits, &panics)).1,
        Some("ExecutionCompleted")
    );
    let goes_on = code(|(): ()| async {
        GO.wait().await;
        continue_as_new(flow(1)).await
    });
    let expected = (Some("ExecutionCompleted"), Some("ExecutionContinued"));
    assert_eq!(sides(&divergence(&ends, &goes_on)), expected);
}

#[test]
fn another_set_of_cancellations() {
    let holds = code(|(): ()| async {
        let mut held = double(1);
        race(&mut held, GO.wait()).await.ok();
        held.await
    });
    let drops = code(|(): ()| async {
        race(double(1), GO.wait()).await.ok();
        GO.wait().await;
    });
    let cancelled = Some("Cancelled activity, command 0");
    assert_eq!(sides(&divergence(&holds, &drops)), (None, cancelled));
    assert_eq!(sides(&divergence(&drops, &holds)), (cancelled, None));
}

#[test]
fn a_side_effect_that_came_or_went() {
    let without = code(|(): ()| async { double(1).await });
    let with = code(|(): ()| async {
        side_effect(|| 1).await;
        double(1).await
    });
    let marker = Some("MarkerRecorded, a side effect");
    let activity = Some("ActivityScheduled `double`");
    assert_eq!(sides(&divergence(&without, &with)), (activity, marker));
    assert_eq!(sides(&divergence(&with, &without)), (marker, activity));
}

#[test]
fn the_report_names_both_places_the_instance_and_the_remedy() {
    let old = code(|(): ()| async { named::activity("charge", &json!(1)).await.is_ok() });
    let new = code(|(): ()| async { sleep(seconds(30)).await });
    let divergence = divergence(&old, &new);
    let (build, _) = divergence.recorded.as_ref().unwrap().origin.unwrap();
    assert_eq!(build, BuildId(1));
    let site = divergence.requested.as_ref().unwrap().site.unwrap();
    let instance = InstanceId::parse("order-42").unwrap();
    let whose = Some((&instance, ExecutionId(2)));
    let report = divergence.render(Some("src/flow.rs:7:3"), whose);
    let expected = format!(
        "history and code disagree at event 2 of `order-42`, execution 2
  recorded:  ActivityScheduled `charge`
   --> src/flow.rs:7:3
  requested: TimerCreated, due in 30s
   --> {site}
  = help: usually the orchestration changed while instances were running; register the change as a new version"
    );
    assert_eq!(report, expected);
}

#[test]
fn the_report_shows_both_lines_as_a_compiler_does() {
    #[helper(crate = crate)]
    async fn pauses() {
        sleep(seconds(30)).await;
    }
    let line = line!() - 2;
    let old = code(|(): ()| async { named::activity("charge", &json!(1)).await.is_ok() });
    let new = code(|(): ()| pauses());
    let divergence = divergence(&old, &new);
    let spot = "src/flow.rs:7:16\n    let paid = charge(order.clone()).await?;";
    let report = divergence.render(Some(spot), None);
    let (file, width) = (file!(), line.to_string().len());
    let (margin, seven) = (" ".repeat(width), format!("{:>width$}", 7));
    let expected = format!(
        "history and code disagree at event 2
  recorded:  ActivityScheduled `charge`
  {margin}--> src/flow.rs:7:16
  {margin} |
  {seven} |     let paid = charge(order.clone()).await?;
  {margin} |                ^^^^^^
  requested: TimerCreated, due in 30s
  {margin}--> {file}:{line}:9
  {margin} |
  {line} |         sleep(seconds(30)).await;
  {margin} |         ^^^^^
  = help: usually the orchestration changed while instances were running; register the change as a new version"
    );
    assert_eq!(report, expected);
}

#[test]
fn an_instance_that_diverged_goes_on_when_the_code_fits_again() {
    let old = code(|(): ()| async { double(1).await });
    let new = code(|(): ()| ready(1));
    let world = World::start(&old);
    let stall = World::resume(&new, &world.history).err().unwrap();
    let mut history = world.history;
    history.push(crate::event::HistoryEvent::ExecutionStalled(
        crate::event::ExecutionStalled {
            at: BEGIN,
            reason: stall.reason,
            report: stall.report,
        },
    ));
    let mut world = World::resume(&old, &history).unwrap();
    let turn = world.turn(Vec::new());
    assert_eq!(kinds(&turn.events), ["TurnStarted"], "the stall is over");
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}
