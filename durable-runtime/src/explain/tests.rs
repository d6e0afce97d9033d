//! Explanations from given histories.

mod support;

use self::support::*;
use super::Standing;
use super::open::OpenCommands;
use super::reason::{Recorded, Replayed, WAITS_MAX, explain, remedy};
use super::wait::{Awaited, Delivery, OutcomeOf, TimerUse};
use crate::engine::rewinding;
use crate::event::{
    ActivityScheduled, Cancelled, Completed, DetachedAwaited, DetachedScheduled,
    ExecutionCompleted, ExecutionStalled, ExecutionSuspended, HeartbeatRecorded, Heartbeats,
    HistoryEvent, Name, Pending, StallReason, TimerPurpose,
};
use crate::failure::Outcome;
use crate::id::{EventId, SiteId};
use crate::payload::Payload;
use crate::store::{Outstanding, Status, Suspicion};

#[test]
fn an_attempt_is_told_with_its_call_its_site_and_the_error_before() {
    let mut history = vec![started(), turn(1), scheduled(activity(0, 0, 1))];
    let wait = explained(&history);
    let wait = only(&wait);
    assert_eq!(wait.place.as_deref(), Some("build 1, site 9"));
    history.extend([HistoryEvent::ActivityFailed(failure(0, "no")), turn(3)]);
    history.push(timer(1, 500, TimerPurpose::Retry(EventId(0))));
    let told = explained(&history);
    let wait = only(&told);
    // Of the call, not of the timer.
    assert_eq!((wait.command, wait.since), (Some(EventId(1)), at(1).into()));
    let Awaited::Activity(charge) = &wait.awaited else {
        panic!("{told}");
    };
    let until = at(500).into();
    assert_eq!(charge.delivery, Delivery::Delayed { until });
    assert_eq!((charge.attempt, charge.attempts_max), (2, 5));
    assert_eq!(charge.last_error.as_deref(), Some("`charge` panicked: no"));
    history.extend([fired(1), turn(5), scheduled(activity(2, 0, 2))]);
    let told = explained(&history);
    let wait = only(&told);
    assert_eq!(wait.place.as_deref(), Some("build 5, site 9"));
    let Awaited::Activity(charge) = &wait.awaited else {
        panic!("{told}");
    };
    assert_eq!((charge.attempt, charge.attempts_max), (2, 5));
    assert_eq!(charge.last_error.as_deref(), Some("`charge` panicked: no"));
    let done = Completed {
        scheduled: EventId(2),
        at: at(6),
        output: Payload::json(&()).unwrap(),
    };
    history.push(HistoryEvent::ActivityCompleted(done));
    let told = explained(&history);
    assert_eq!((told.waits.len(), told.undelivered), (0, 1));
}

#[test]
fn a_child_between_two_attempts_is_told_as_the_child() {
    let history = [
        started(),
        turn(1),
        child(0, 1),
        HistoryEvent::ChildFailed(failure(0, "sunk")),
        turn(2),
        timer(1, 300, TimerPurpose::Retry(EventId(0))),
    ];
    let told = explained(&history);
    let Awaited::Instance(ship) = &only(&told).awaited else {
        panic!("{told}");
    };
    assert_eq!((ship.attempt, ship.attempts_max), (2, 3));
    assert_eq!(ship.instance.as_str(), "child-0");
    assert_eq!(ship.delayed_until, Some(at(300).into()));
    assert_eq!(ship.last_error.as_deref(), Some("`charge` panicked: sunk"));
    assert!(
        told.to_string().contains("next attempt in 3 min 20 s"),
        "{told}"
    );
}

/// It was told to wait until it is resumed, and nothing else; resumed, it went on standing still.
#[test]
fn what_keeps_one_back_that_is_suspended_is_told_beside_that() {
    let suspended = HistoryEvent::ExecutionSuspended(ExecutionSuspended {
        at: at(3),
        reason: "lunch".to_owned(),
    });
    let mut later = started();
    if let HistoryEvent::ExecutionStarted(started) = &mut later {
        started.start_at = Some(at(1 << 30));
    }
    let told = explained(&[later, suspended.clone()]).to_string();
    assert!(
        told.contains("runs at 2060-01-10T13:37:04Z or later"),
        "{told}"
    );
    let stalled = HistoryEvent::ExecutionStalled(ExecutionStalled {
        at: at(2),
        reason: StallReason::Undecodable,
        report: "it is no number".to_owned(),
    });
    let history = [started(), turn(1), stalled, suspended.clone()];
    let told = explained(&history).to_string();
    assert!(told.contains("stalled too (Undecodable)"), "{told}");
    assert!(told.contains("it is no number"), "{told}");
    let history = [started(), turn(1), suspended];
    assert!(explained(&history).hints.is_empty());
    let refused = Replayed::Refused(StallReason::Divergence, "no".to_owned());
    let told = explained_by(&history, refused, &Nowhere::default()).to_string();
    assert!(told.contains("(Divergence) once it is resumed"), "{told}");
}

#[test]
fn what_was_cancelled_or_closed_is_not_awaited() {
    let cancelled = |number, pending| {
        HistoryEvent::Cancelled(Cancelled {
            scheduled: EventId(number),
            pending,
        })
    };
    let mut history = vec![started(), turn(1), scheduled(activity(0, 0, 1))];
    history.push(timer(1, 300, TimerPurpose::Deadline));
    history.push(timer(2, 400, TimerPurpose::Sleep));
    let told = explained(&history);
    let uses: Vec<_> = told.waits[1..]
        .iter()
        .map(|wait| match &wait.awaited {
            Awaited::Timer(timer) => timer.of,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(uses, [TimerUse::Deadline, TimerUse::Sleep]);
    let fire_and_cancel = [
        fired(1),
        turn(2),
        cancelled(0, Pending::Activity),
        cancelled(2, Pending::Timer),
    ];
    history.extend(fire_and_cancel);
    assert!(explained(&history).waits.is_empty());
    history.push(timer(3, 500, TimerPurpose::Sleep));
    assert_eq!(explained(&history).waits.len(), 1);
    let outcome = Outcome::Completed(Payload::json(&()).unwrap());
    let end = ExecutionCompleted { outcome };
    history.push(HistoryEvent::ExecutionCompleted(end));
    let told = explained(&history);
    assert!(told.waits.is_empty());
    assert!(matches!(
        told.standing,
        Standing::Ended { failure: None, .. }
    ));
}

#[test]
fn other_instances_are_told_by_what_of_them_is_awaited() {
    let history = [
        started(),
        turn(1),
        HistoryEvent::DetachedScheduled(DetachedScheduled {
            id: EventId(0),
            site: SiteId(1),
            instance: id("other"),
            name: Name::Borrowed("ship"),
            version: None,
            input: Payload::json(&()).unwrap(),
        }),
        HistoryEvent::DetachedAwaited(DetachedAwaited {
            id: EventId(1),
            site: SiteId(2),
            instance: id("third"),
        }),
    ];
    let told = explained(&history);
    let of: Vec<_> = told
        .waits
        .iter()
        .map(|wait| match &wait.awaited {
            Awaited::Instance(wait) => (wait.of, wait.instance.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        of,
        [(OutcomeOf::Start, "other"), (OutcomeOf::Detached, "third")]
    );
}

#[test]
fn what_an_attempt_said_is_told_from_the_record() {
    let said = |text: &str| Payload::json(&text).unwrap();
    let inherited = ActivityScheduled {
        heartbeats: Heartbeats::some(None, Some(said("page 3"))),
        ..activity(0, 0, 2)
    };
    let mut history = vec![started(), turn(1), scheduled(inherited)];
    let heartbeat = |history: &[HistoryEvent]| {
        let told = explained(history);
        match &only(&told).awaited {
            Awaited::Activity(activity) => activity.heartbeat.clone().unwrap().details,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(heartbeat(&history), r#""page 3""#);
    history.push(HistoryEvent::HeartbeatRecorded(HeartbeatRecorded {
        scheduled: EventId(0),
        at: at(2),
        details: said("page 7"),
    }));
    assert_eq!(heartbeat(&history), r#""page 7""#);
}

#[test]
fn events_that_no_turn_has_delivered_count_as_there() {
    let mut history = vec![started(), turn(1), raised("go", 3), raised("GO", 4)];
    history.push(raised("stop", 5));
    let told = explained(&history);
    let buffered: Vec<_> = told.buffered.iter().map(|b| (&*b.name, b.count)).collect();
    assert_eq!(buffered, [("go", 2), ("stop", 1)]);
    assert_eq!(told.buffered[0].oldest, at(3).into());
    assert_eq!(told.undelivered, 3);
    history.push(turn(6));
    let told = explained(&history);
    assert_eq!((told.undelivered, told.buffered.len()), (0, 0));
}

#[test]
fn a_stall_is_told_with_its_remedy_and_what_is_open() {
    let reason = StallReason::Divergence;
    let history = [
        started(),
        turn(1),
        scheduled(activity(0, 0, 1)),
        HistoryEvent::ExecutionStalled(ExecutionStalled {
            at: at(7),
            reason,
            report: "this\nand that".to_owned(),
        }),
    ];
    // That this build does not fit either is no news.
    let refused = Replayed::Refused(reason, "again".to_owned());
    let told = explained_by(&history, refused, &Nowhere::default());
    assert_eq!(
        told.standing,
        Standing::Stalled {
            reason,
            report: "this\nand that".to_owned(),
            remedy: remedy(reason),
        }
    );
    assert!(told.hints.is_empty());
    assert_eq!(told.waits.len(), 1);
    let page = told.to_string();
    assert!(
        page.contains("Stalled (Divergence), last change 1 min 33 s ago"),
        "{page}"
    );
    assert!(
        page.contains("cause:  this\n  and that\n  remedy: start a build"),
        "{page}"
    );
}

#[test]
fn one_that_this_build_does_not_fit_is_told_before_it_stalls() {
    let history = [started(), turn(1), scheduled(activity(0, 0, 1))];
    let refused = Replayed::Refused(StallReason::Divergence, "they disagree".to_owned());
    let told = explained_by(&history, refused, &Nowhere::default());
    assert_eq!(told.standing, Standing::Waits);
    let hint = &told.hints[0];
    assert!(
        hint.contains("stalls (Divergence)") && hint.contains("they disagree"),
        "{hint}"
    );
}

#[test]
fn what_is_not_replayed_is_said_to_be_missing() {
    let history = [started(), turn(1), scheduled(activity(0, 0, 1))];
    let told = explained_by(
        &history,
        Replayed::Not("there is no time"),
        &Nowhere::default(),
    );
    assert!(
        told.hints[0].ends_with("not told here: there is no time"),
        "{told}"
    );
    let pending = explained_by(&history[..1], Replayed::Not(""), &Nowhere::default());
    assert_eq!(pending.standing, Standing::NotBegun { start_at: None });
    assert!(pending.hints.is_empty());
}

#[test]
fn of_what_cannot_be_read_the_rest_is_told() {
    let history = [started(), turn(1)];
    let recorded = Recorded {
        summary: &summary(&history),
        history: Err("a frame is wrong"),
        replayed: Replayed::Not(""),
    };
    let told = explain(recorded, &Nowhere::default());
    let Standing::Unreadable { report } = &told.standing else {
        panic!("{told}");
    };
    assert_eq!(report, "a frame is wrong");
    assert_eq!(told.status, Status::Running);
}

#[test]
fn of_very_many_waits_the_first_are_told_and_the_rest_counted_and_alike_ones_together() {
    let count = u32::try_from(WAITS_MAX).unwrap() + 5;
    let mut history = vec![started(), turn(1)];
    history.extend((0..count).map(|number| scheduled(activity(number, number, 1))));
    let odd = ActivityScheduled {
        name: Name::Borrowed("refund"),
        ..activity(count, count, 1)
    };
    history.insert(
        2,
        scheduled(ActivityScheduled {
            id: EventId(count),
            ..odd
        }),
    );
    let told = explained(&history);
    assert_eq!((told.waits.len(), told.more), (WAITS_MAX, 6));
    let page = told.to_string();
    assert!(page.contains("waits for 1006 things"), "{page}");
    assert!(
        page.contains("activity `charge`, attempt 1 of 5, 1000 alike"),
        "{page}"
    );
    assert!(page.ends_with("and 6 more"), "{page}");
}

#[test]
fn what_the_process_died_of_is_told() {
    let suspicion = |deaths, alone| Nowhere {
        suspicion: Some(Suspicion {
            deaths,
            alone,
            ..Suspicion::default()
        }),
    };
    let history = [started(), turn(1), scheduled(activity(0, 0, 1))];
    let told = |around| explained_by(&history, Replayed::Not(""), &around).to_string();
    let page = told(suspicion(1, 0));
    assert!(
        page.ends_with("the process died 1 time while it was outstanding"),
        "{page}"
    );
    let page = told(suspicion(6, 4));
    assert!(page.contains("died 6 times"), "{page}");
    assert!(
        page.ends_with("4 in a row with nothing else running; at 10 it is given up"),
        "{page}"
    );
}

#[test]
fn an_explanation_is_data_for_programs_too() {
    let mut history = vec![started(), turn(1), scheduled(activity(0, 0, 1))];
    history.extend([HistoryEvent::ActivityFailed(failure(0, "no")), turn(3)]);
    history.push(timer(1, 500, TimerPurpose::Retry(EventId(0))));
    let json = serde_json::to_value(explained(&history)).unwrap();
    assert_eq!(json["instance"], "order-42");
    assert_eq!(json["status"], "Running");
    assert_eq!(json["at"], "2026-01-01T00:01:40Z");
    let charge = &json["waits"][0]["awaited"]["Activity"];
    assert_eq!(charge["attempt"], 2);
    assert_eq!(
        charge["delivery"]["Delayed"]["until"],
        "2026-01-01T00:08:20Z"
    );
}

#[test]
fn the_fold_agrees_with_what_the_store_keeps_as_outstanding() {
    let mut history = vec![started()];
    history.extend(crate::event::encoding::samples::every_kind());
    // What is outstanding after one that is made up is not in that history.
    history.retain(|event| !matches!(event, HistoryEvent::ExecutionRewound(_)));
    let mut outstanding = Outstanding::default();
    for (number, event) in history.iter().enumerate() {
        outstanding.apply(event);
        let open = OpenCommands::of(&history[..=number]);
        let is = |kind: fn(&HistoryEvent) -> bool| {
            let open = open.commands.iter().filter(|(_, open)| kind(open.command));
            open.map(|(&id, _)| id).collect::<Vec<_>>()
        };
        let activities: Vec<_> = outstanding.activities.keys().copied().collect();
        let timers: Vec<_> = outstanding.timers.keys().copied().collect();
        if !matches!(event, HistoryEvent::ExecutionStarted(_)) {
            assert_eq!(
                is(|e| matches!(e, HistoryEvent::ActivityScheduled(_))),
                activities
            );
            assert_eq!(is(|e| matches!(e, HistoryEvent::TimerCreated(_))), timers);
        }
    }
}

/// It asked for something else when its call had failed, then ended with that failure, and was rewound to before it was told.
#[test]
fn what_a_rewind_has_made_void_is_not_told() {
    let failed = failure(0, "no");
    let outcome = Outcome::Failed(failed.failure.clone());
    let mut history = vec![started(), turn(1), scheduled(activity(0, 0, 1))];
    history.extend([HistoryEvent::ActivityFailed(failed), turn(2)]);
    history.push(scheduled(activity(1, 1, 1)));
    history.push(timer(2, 500, TimerPurpose::Sleep));
    history.push(HistoryEvent::ActivityCompleted(Completed {
        scheduled: EventId(1),
        at: at(3),
        output: Payload::json(&()).unwrap(),
    }));
    history.extend([turn(3), scheduled(activity(3, 3, 1))]);
    history.push(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
        outcome,
    }));
    let plan = rewinding::plan(&history, at(4), "mended").unwrap();
    history.push(HistoryEvent::ExecutionRewound(Box::new(plan.event)));
    let told = explained(&history);
    let wait = only(&told);
    assert_eq!((wait.command, wait.since), (Some(EventId(0)), at(1).into()));
    let Awaited::Activity(charge) = &wait.awaited else {
        panic!("{told}");
    };
    assert_eq!((charge.attempt, charge.last_error.as_deref()), (1, None));
    assert_eq!(
        (told.status, told.undelivered),
        (Status::Running, 0),
        "{told}"
    );
    let mut outstanding = Outstanding::default();
    for event in &history {
        outstanding.apply(event);
    }
    assert!(outstanding.activities.keys().eq(&[EventId(0)]));
    assert!(outstanding.timers.is_empty() && outstanding.undelivered == 0);
}
