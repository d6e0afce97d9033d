//! The pure folds of events: what a client sees, and what an instance waits for.

use crate::clock::Timestamp;
use crate::event::encoding::samples::{
    activity, awaited, child, detached, every_kind, failed, id, payload, sent, stalled, started,
    timer, turn,
};
use crate::event::{
    CancelRequested, Cancelled, Completed, CustomStatusSet, EventRaised, ExecutionCompleted,
    ExecutionContinued, Fired, HistoryEvent, Pending, StallReason,
};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, ExecutionId, Sequence};
use crate::payload::Payload;
use crate::store::{Outstanding, Status, Summary};

fn raised(at: u64) -> HistoryEvent {
    HistoryEvent::EventRaised(EventRaised {
        at: Timestamp(at),
        name: "approval".into(),
        payload: payload("yes"),
        event: None,
    })
}

fn status(payload: Payload) -> HistoryEvent {
    HistoryEvent::CustomStatusSet(CustomStatusSet { status: payload })
}

fn summary_of(events: &[HistoryEvent]) -> Summary {
    let mut summary = Summary::started(&started("order-1", 1, 10));
    for event in events {
        summary.apply(event);
    }
    summary
}

fn outstanding_of(events: &[HistoryEvent]) -> Outstanding {
    let mut outstanding = Outstanding::default();
    let start = HistoryEvent::ExecutionStarted(Box::new(started("order-1", 1, 10)));
    outstanding.apply(&start);
    for event in events {
        outstanding.apply(event);
    }
    outstanding
}

#[test]
fn an_instance_is_pending_running_stalled_and_at_last_completed() {
    assert_eq!(summary_of(&[]).status, Status::Pending);
    let mut events = vec![turn(20, 1), status(payload("half"))];
    let running = summary_of(&events);
    assert_eq!((running.status, running.events), (Status::Running, 3));
    assert_eq!(
        (running.created_at, running.updated_at),
        (Timestamp(10).into(), Timestamp(20).into())
    );
    assert_eq!(running.custom_status, Some(payload("half")));
    events.extend([
        raised(30),
        HistoryEvent::ExecutionStalled(stalled(30, StallReason::Divergence)),
    ]);
    let waiting = summary_of(&events);
    assert_eq!(waiting.status, Status::Stalled);
    let stall = waiting.stalled.unwrap();
    assert_eq!(
        (stall.reason, stall.to_string().as_str()),
        (StallReason::Divergence, "history and code disagree")
    );
    events.extend([turn(40, 2), status(Payload::json(&()).unwrap())]);
    let mended = summary_of(&events);
    assert_eq!(
        (mended.status, mended.stalled, mended.custom_status),
        (Status::Running, None, None)
    );
    let outcome = Outcome::Completed(payload("done"));
    events.push(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
        outcome: outcome.clone(),
    }));
    let ended = summary_of(&events);
    assert_eq!((ended.status, ended.has_ended()), (Status::Completed, true));
    assert_eq!(
        (ended.outcome, ended.completed_at),
        (Some(outcome), Some(Timestamp(40).into()))
    );
}

#[test]
fn continue_as_new_keeps_the_beginning_and_the_custom_status() {
    let mut next = started("order-1", 2, 50);
    next.input = payload("next");
    let summary = summary_of(&[
        turn(20, 1),
        status(payload("half")),
        HistoryEvent::ExecutionContinued(ExecutionContinued {
            input: payload("next"),
        }),
        HistoryEvent::ExecutionStarted(Box::new(next)),
        raised(50),
    ]);
    assert_eq!(
        (summary.status, summary.execution),
        (Status::Running, ExecutionId(2))
    );
    assert_eq!(
        (summary.events, summary.created_at),
        (2, Timestamp(10).into())
    );
    assert_eq!(
        (summary.input, summary.custom_status),
        (payload("next"), Some(payload("half")))
    );
}

#[test]
fn commands_are_outstanding_until_they_are_answered_or_cancelled() {
    let mut events = vec![
        turn(20, 1),
        HistoryEvent::ActivityScheduled(activity(0)),
        HistoryEvent::ActivityScheduled(activity(1)),
        HistoryEvent::TimerCreated(timer(2, 99)),
        HistoryEvent::TimerCreated(timer(3, 100)),
        HistoryEvent::ChildScheduled(child(4)),
        HistoryEvent::ChildScheduled(child(5)),
    ];
    let all = outstanding_of(&events);
    assert_eq!(
        all.activities.into_values().collect::<Vec<_>>(),
        [activity(0), activity(1)]
    );
    assert_eq!(
        all.timers.into_iter().collect::<Vec<_>>(),
        [(EventId(2), Timestamp(99)), (EventId(3), Timestamp(100))]
    );
    assert_eq!(
        all.children.into_values().collect::<Vec<_>>(),
        [id("child-4"), id("child-5")]
    );
    assert_eq!((all.next, all.undelivered), (Sequence(8), 0));
    let output = payload("out");
    let completed = |number| Completed {
        scheduled: EventId(number),
        at: Timestamp(30),
        output: output.clone(),
    };
    events.extend([
        HistoryEvent::ActivityCompleted(completed(0)),
        HistoryEvent::TimerFired(Fired {
            scheduled: EventId(2),
            at: Timestamp(99),
        }),
        HistoryEvent::ChildCompleted(completed(4)),
    ]);
    let answered = outstanding_of(&events);
    assert!(answered.activities.keys().eq(&[EventId(1)]));
    assert!(answered.timers.keys().eq(&[EventId(3)]));
    assert!(answered.children.keys().eq(&[EventId(5)]));
    assert_eq!(answered.undelivered, 3);
    events.push(turn(99, 1));
    for (number, pending) in [
        (1, Pending::Activity),
        (3, Pending::Timer),
        (5, Pending::Child),
    ] {
        events.push(HistoryEvent::Cancelled(Cancelled {
            scheduled: EventId(number),
            pending,
        }));
    }
    let none = Outstanding {
        next: Sequence(15),
        ..Outstanding::default()
    };
    assert_eq!(outstanding_of(&events), none);
}

#[test]
fn a_terminal_event_closes_everything() {
    let mut events = vec![
        turn(20, 1),
        HistoryEvent::ActivityScheduled(activity(0)),
        HistoryEvent::TimerCreated(timer(2, 99)),
        HistoryEvent::ChildScheduled(child(4)),
    ];
    let before = events.clone();
    let outcome = Outcome::Completed(payload("done"));
    events.push(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
        outcome,
    }));
    let ended = Outstanding {
        next: Sequence(6),
        ended: true,
        ..Outstanding::default()
    };
    assert_eq!(outstanding_of(&events), ended);
    events = before;
    let input = payload("next");
    events.push(HistoryEvent::ExecutionContinued(ExecutionContinued {
        input,
    }));
    events.push(HistoryEvent::ExecutionStarted(Box::new(started(
        "order-1", 2, 30,
    ))));
    events.push(raised(30));
    let next = Outstanding {
        execution: ExecutionId(2),
        next: Sequence(2),
        undelivered: 2,
        ..Outstanding::default()
    };
    assert_eq!(outstanding_of(&events), next);
}

#[test]
fn a_stall_lasts_until_a_turn_starts() {
    let stall = HistoryEvent::ExecutionStalled(stalled(30, StallReason::Unregistered));
    let mut events = vec![turn(20, 1), raised(30), stall];
    let waiting = outstanding_of(&events);
    assert_eq!((waiting.stalled, waiting.undelivered), (true, 1));
    events.push(turn(40, 2));
    let mended = outstanding_of(&events);
    assert_eq!((mended.stalled, mended.undelivered), (false, 0));
}

#[test]
fn a_wish_to_end_is_kept_until_the_execution_ends() {
    let request = HistoryEvent::CancelRequested(CancelRequested {
        at: Timestamp(30),
        reason: "enough".to_owned(),
    });
    let stall = HistoryEvent::ExecutionStalled(stalled(30, StallReason::Unregistered));
    let start = || HistoryEvent::ExecutionStarted(Box::new(started("order-1", 2, 40)));
    let told = |events: &[HistoryEvent]| outstanding_of(events).cancel_requested;
    assert!(!told(&[turn(20, 1)]));
    assert!(told(&[turn(20, 1), request.clone(), stall]));
    assert!(!told(&[request.clone(), start()]));
    assert!(told(&[start(), request]));
}

#[test]
fn the_wait_for_an_instance_lasts_until_it_is_answered_withdrawn_or_closed() {
    let waits = [
        HistoryEvent::DetachedScheduled(detached(9)),
        HistoryEvent::DetachedAwaited(awaited(10)),
        HistoryEvent::DetachedAwaited(awaited(11)),
        HistoryEvent::EventSent(sent(12)),
    ];
    let left = |then: HistoryEvent| {
        let all = outstanding_of(&[&waits[..], &[then]].concat()).awaited;
        all.into_keys().map(|id| id.0).collect::<Vec<_>>()
    };
    let completed = Completed {
        scheduled: EventId(10),
        at: Timestamp(30),
        output: payload("shipped"),
    };
    let fault = Failure::Fault(Fault::new(
        FaultKind::NotFound,
        "ship-42",
        "it is not there",
    ));
    let pending = Pending::End;
    let scheduled = EventId(10);
    assert_eq!(left(turn(20, 1)), [10, 11]);
    assert_eq!(left(HistoryEvent::DetachedCompleted(completed)), [11]);
    assert_eq!(
        left(HistoryEvent::DetachedFailed(failed(11, 30, fault))),
        [10]
    );
    let withdrawn = Cancelled { scheduled, pending };
    assert_eq!(left(HistoryEvent::Cancelled(withdrawn)), [11]);
    let outcome = Outcome::Completed(payload("done"));
    let ended = HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome });
    assert_eq!(left(ended), [0; 0]);
}

#[test]
fn every_kind_of_event_takes_one_place() {
    let events = every_kind();
    let (mut next, mut outstanding) = (0, Outstanding::default());
    for event in &events {
        next = if matches!(event, HistoryEvent::ExecutionStarted(_)) {
            1
        } else {
            next + 1
        };
        outstanding.apply(event);
        assert_eq!(outstanding.next, Sequence(next), "{event:?}");
    }
}
