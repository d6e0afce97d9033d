//! Events for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::{
    ActivityScheduled, CancelRequested, Cancelled, ChangeRecorded, ChildScheduled, Completed,
    CustomStatusSet, DetachedAwaited, DetachedScheduled, DetachedStarted, EventRaised, EventSent,
    ExecutionCompleted, ExecutionContinued, ExecutionResumed, ExecutionRewound, ExecutionStalled,
    ExecutionStarted, ExecutionSuspended, ExecutionTerminated, Failed, Fired, HeartbeatRecorded,
    Heartbeats, HistoryEvent, InstancePurged, MarkerRecorded, Parent, Pending, REPLAY_SEMANTICS,
    StallReason, TimerCreated, TimerPurpose, TurnStarted, Voided,
};
use crate::failure::{Failure, FailureDetails, Fault, FaultKind, Outcome, ReturnedError};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, SiteId};
use crate::payload::{Codec, Payload};
use crate::retry::RetryPolicy;
use crate::trace::TraceContext;

/// One event of each kind, with every optional field once there and once not.
pub(crate) fn every_kind() -> Vec<HistoryEvent> {
    let mut full = started("every-kind", 1, 10);
    full.parent = Some(Parent {
        instance: id("parent"),
        key: InstanceKey(3),
        execution: ExecutionId(2),
        scheduled: EventId(4),
    });
    full.tags = BTreeMap::from([
        ("eu".to_owned(), "yes".to_owned()),
        ("x".to_owned(), String::new()),
    ]);
    full.trace = Some(TraceContext::from_parts(0xab, 0xcd, 1, Some("a=b")));
    full.request = Some("request-1".to_owned());
    let mut events = vec![HistoryEvent::ExecutionStarted(Box::new(full))];
    events.push(HistoryEvent::ExecutionStarted(Box::new(ExecutionStarted {
        version: None,
        input: Payload::from_parts(Codec::Bincode, vec![0, 255, 7]),
        ..started("every-kind", 2, 11)
    })));
    events.extend(every_arrival());
    events.extend(every_command());
    events.extend(every_end());
    events.extend(every_word_of_heartbeats());
    // The golden files are numbered: what is new comes last.
    events.extend(every_detached());
    events.extend(poisoned());
    events.extend(every_control());
    events.extend(every_rewind());
    events.push(HistoryEvent::ExecutionStalled(stalled(
        24,
        StallReason::NonDeterministic,
    )));
    events
}

/// What is done to an instance from outside, and what came with that.
fn every_control() -> Vec<HistoryEvent> {
    let (at, reason) = (Timestamp(21), "out of stock".to_owned());
    let terminated = ExecutionTerminated {
        at,
        reason: reason.clone(),
    };
    let suspended = ExecutionSuspended {
        at,
        reason: reason.clone(),
    };
    vec![
        HistoryEvent::ChildFailed(failed(8, 21, fault_of_terminated(&terminated))),
        HistoryEvent::ExecutionTerminated(terminated),
        HistoryEvent::ExecutionSuspended(suspended),
        HistoryEvent::ExecutionResumed(ExecutionResumed { at, reason }),
        HistoryEvent::InstancePurged(InstancePurged { at }),
        HistoryEvent::ChangeRecorded(ChangeRecorded {
            id: EventId(12),
            site: SiteId(11),
            change: "tax-2027".into(),
        }),
        HistoryEvent::ExecutionStarted(Box::new(ExecutionStarted {
            start_at: Some(Timestamp(1 << 41)),
            ..started("every-kind", 1, 22)
        })),
    ]
}

/// Rewinds that void much and have much run again, and nothing of either.
fn every_rewind() -> [HistoryEvent; 2] {
    let heartbeats = Heartbeats::some(Some(Duration::from_secs(3)), Some(payload("at 7")));
    let full = ExecutionRewound {
        at: Timestamp(23),
        reason: "the bank is back".to_owned(),
        void: vec![
            Voided { first: 3, last: 3 },
            Voided {
                first: 5,
                last: 300,
            },
        ],
        next: EventId(301),
        undelivered: 2,
        activities: vec![
            activity(1),
            ActivityScheduled {
                heartbeats,
                ..activity(2)
            },
        ],
        timers: vec![(EventId(3), Timestamp(1 << 41))],
        children: vec![(EventId(4), id("child-4"))],
        awaited: vec![(EventId(5), id("ship-42"))],
        status: Some(payload("packing")),
        is_alone: false,
    };
    let bare = ExecutionRewound {
        at: full.at,
        reason: String::new(),
        void: Vec::new(),
        next: EventId(0),
        undelivered: 0,
        activities: Vec::new(),
        timers: Vec::new(),
        children: Vec::new(),
        awaited: Vec::new(),
        status: None,
        is_alone: true,
    };
    [full, bare].map(|rewound| HistoryEvent::ExecutionRewound(Box::new(rewound)))
}

fn fault_of_terminated(terminated: &ExecutionTerminated) -> Failure {
    match terminated.outcome("checkout") {
        Outcome::Failed(failure) => failure,
        Outcome::Completed(_) => unreachable!("a terminated instance returned nothing"),
    }
}

/// What is given up.
fn poisoned() -> [HistoryEvent; 3] {
    let fault = Fault::new(FaultKind::Poisoned, "charge", "it was given up");
    let failed = failed(5, 13, Failure::Fault(fault));
    let stalled = |reason| HistoryEvent::ExecutionStalled(stalled(18, reason));
    [
        HistoryEvent::ActivityFailed(failed),
        stalled(StallReason::Poisoned),
        stalled(StallReason::Endless),
    ]
}

fn every_word_of_heartbeats() -> Vec<HistoryEvent> {
    let watched = |timeout: Option<u64>, last| {
        let heartbeats = Heartbeats {
            timeout: timeout.map(Duration::from_secs),
            last,
        };
        HistoryEvent::ActivityScheduled(ActivityScheduled {
            heartbeats: Some(Box::new(heartbeats)),
            ..activity(6)
        })
    };
    vec![
        watched(Some(10), None),
        watched(None, Some(payload("page 7"))),
        HistoryEvent::HeartbeatRecorded(HeartbeatRecorded {
            scheduled: EventId(6),
            at: Timestamp(18),
            details: payload("page 8"),
        }),
    ]
}

fn every_arrival() -> Vec<HistoryEvent> {
    let faults = [
        FaultKind::Panicked,
        FaultKind::TimedOut,
        FaultKind::Cancelled,
        FaultKind::LimitExceeded,
        FaultKind::Conflict,
        FaultKind::Unrecordable,
    ];
    let fault = |kind| {
        let fault =
            Fault::new(kind, "charge", "it ended").with_causes(vec!["out of paper".to_owned()]);
        failed(5, 13, Failure::Fault(fault))
    };
    let completed = Completed {
        scheduled: EventId(4),
        at: Timestamp(12),
        output: payload("out"),
    };
    let mut events = vec![
        HistoryEvent::ActivityCompleted(completed.clone()),
        HistoryEvent::ActivityFailed(failed(5, 13, Failure::Returned(declined()))),
        HistoryEvent::TimerFired(Fired {
            scheduled: EventId(300),
            at: Timestamp(1 << 40),
        }),
        HistoryEvent::ChildCompleted(completed),
    ];
    events.extend(faults.map(fault).map(HistoryEvent::ChildFailed));
    for event in [None, Some("event-1".to_owned())] {
        events.push(HistoryEvent::EventRaised(EventRaised {
            at: Timestamp(15),
            name: "approval".into(),
            payload: payload("yes"),
            event,
        }));
    }
    events.push(HistoryEvent::CancelRequested(CancelRequested {
        at: Timestamp(16),
        reason: "the parent ended".to_owned(),
    }));
    events.push(turn(17, 70_000));
    events
}

fn every_command() -> Vec<HistoryEvent> {
    let policy = RetryPolicy::attempts(5)
        .initial(Duration::from_millis(1_500))
        .backoff(1.5)
        .total(Duration::from_secs(60))
        .jitter(0.25);
    let mut events = Vec::new();
    for retry in [Some(policy), Some(RetryPolicy::NONE), None] {
        let mut scheduled = activity(6);
        scheduled.attempt_timeout = retry.map(|_| Duration::from_millis(250));
        scheduled.retry = retry;
        events.push(HistoryEvent::ActivityScheduled(scheduled));
        events.push(HistoryEvent::ChildScheduled(ChildScheduled {
            retry,
            ..child(8)
        }));
    }
    for purpose in [
        TimerPurpose::Sleep,
        TimerPurpose::Retry(EventId(6)),
        TimerPurpose::Deadline,
    ] {
        events.push(HistoryEvent::TimerCreated(TimerCreated {
            purpose,
            ..timer(7, 99)
        }));
    }
    events.push(HistoryEvent::MarkerRecorded(MarkerRecorded {
        id: EventId(9),
        site: SiteId(u32::MAX),
        value: payload(""),
    }));
    for pending in [Pending::Activity, Pending::Timer, Pending::Child] {
        events.push(HistoryEvent::Cancelled(Cancelled {
            scheduled: EventId(6),
            pending,
        }));
    }
    events
}

fn every_end() -> Vec<HistoryEvent> {
    let status = Payload::json(&()).unwrap();
    let mut events = vec![HistoryEvent::CustomStatusSet(CustomStatusSet { status })];
    for outcome in [
        Outcome::Completed(payload("done")),
        Outcome::Failed(Failure::Returned(declined())),
    ] {
        events.push(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
            outcome,
        }));
    }
    events.push(HistoryEvent::ExecutionContinued(ExecutionContinued {
        input: payload("next"),
    }));
    for reason in [
        StallReason::Divergence,
        StallReason::Unregistered,
        StallReason::Undecodable,
        StallReason::ForeignFuture,
        StallReason::LimitExceeded,
        StallReason::UnknownSemantics,
        StallReason::Damaged,
    ] {
        events.push(HistoryEvent::ExecutionStalled(stalled(18, reason)));
    }
    events
}

fn every_detached() -> Vec<HistoryEvent> {
    let fault = |kind| Failure::Fault(Fault::new(kind, "ship-42", "it is not there"));
    let mut events = vec![
        HistoryEvent::DetachedScheduled(detached(9)),
        HistoryEvent::DetachedScheduled(DetachedScheduled {
            version: None,
            ..detached(300)
        }),
    ];
    for was_there in [false, true] {
        events.push(HistoryEvent::DetachedStarted(DetachedStarted {
            scheduled: EventId(9),
            at: Timestamp(19),
            was_there,
        }));
    }
    let completed = Completed {
        scheduled: EventId(10),
        at: Timestamp(20),
        output: payload("shipped"),
    };
    let refused = failed(9, 19, fault(FaultKind::Conflict));
    events.push(HistoryEvent::DetachedRefused(refused));
    events.push(HistoryEvent::DetachedAwaited(awaited(10)));
    events.push(HistoryEvent::DetachedCompleted(completed));
    let failed = failed(10, 20, fault(FaultKind::NotFound));
    events.push(HistoryEvent::DetachedFailed(failed));
    events.push(HistoryEvent::EventSent(sent(11)));
    for pending in [Pending::Start, Pending::End] {
        events.push(HistoryEvent::Cancelled(Cancelled {
            scheduled: EventId(10),
            pending,
        }));
    }
    events
}

fn declined() -> ReturnedError {
    ReturnedError {
        error: payload("Declined"),
        details: FailureDetails {
            error_type: "shop::ChargeError".to_owned(),
            message: "the card was declined".to_owned(),
            causes: vec!["limit".to_owned(), "bank".to_owned()],
            non_retryable: true,
        },
    }
}

pub(crate) fn id(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

pub(crate) fn payload(text: &str) -> Payload {
    Payload::json(&text).unwrap()
}

pub(crate) fn started(instance: &str, execution: u32, at: u64) -> ExecutionStarted {
    ExecutionStarted {
        at: Timestamp(at),
        instance: id(instance),
        execution: ExecutionId(execution),
        name: "checkout".into(),
        version: Some("2".to_owned()),
        input: payload("input"),
        parent: None,
        tags: BTreeMap::new(),
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    }
}

pub(crate) fn failed(scheduled: u32, at: u64, failure: Failure) -> Failed {
    Failed {
        scheduled: EventId(scheduled),
        at: Timestamp(at),
        failure,
    }
}

pub(crate) fn turn(at: u64, build: u32) -> HistoryEvent {
    HistoryEvent::TurnStarted(TurnStarted {
        at: Timestamp(at),
        build: BuildId(build),
    })
}

pub(crate) fn activity(number: u32) -> ActivityScheduled {
    ActivityScheduled {
        id: EventId(number),
        site: SiteId(11),
        call: EventId(number),
        attempt: 1,
        name: "charge".into(),
        input: payload("order"),
        attempt_timeout: None,
        heartbeats: None,
        retry: None,
    }
}

pub(crate) fn timer(number: u32, due: u64) -> TimerCreated {
    TimerCreated {
        id: EventId(number),
        site: SiteId(12),
        due: Timestamp(due),
        purpose: TimerPurpose::Sleep,
    }
}

pub(crate) fn child(number: u32) -> ChildScheduled {
    ChildScheduled {
        id: EventId(number),
        site: SiteId(13),
        call: EventId(number),
        attempt: 1,
        instance: id(&format!("child-{number}")),
        name: "ship".into(),
        version: Some("1".to_owned()),
        input: payload("box"),
        retry: None,
    }
}

pub(crate) fn detached(number: u32) -> DetachedScheduled {
    DetachedScheduled {
        id: EventId(number),
        site: SiteId(14),
        instance: id("ship-42"),
        name: "ship".into(),
        version: Some("1".to_owned()),
        input: payload("box"),
    }
}

pub(crate) fn awaited(number: u32) -> DetachedAwaited {
    DetachedAwaited {
        id: EventId(number),
        site: SiteId(15),
        instance: id("ship-42"),
    }
}

pub(crate) fn sent(number: u32) -> EventSent {
    EventSent {
        id: EventId(number),
        site: SiteId(16),
        instance: id("ship-42"),
        name: "approval".into(),
        payload: payload("yes"),
    }
}

pub(crate) fn stalled(at: u64, reason: StallReason) -> ExecutionStalled {
    ExecutionStalled {
        at: Timestamp(at),
        reason,
        report: "history and code disagree".to_owned(),
    }
}
