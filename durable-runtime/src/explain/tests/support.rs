//! Surroundings in which nothing is known, and histories by hand.

use crate::clock::Timestamp;
use crate::event::{
    ActivityScheduled, ChildScheduled, EventRaised, ExecutionStarted, Failed, Fired, HistoryEvent,
    Name, REPLAY_SEMANTICS, TimerCreated, TimerPurpose, TurnStarted,
};
use crate::explain::reason::{Around, Recorded, Replayed, explain};
use crate::explain::wait::{Delivery, Heartbeat, Link, Wait};
use crate::explain::{Explanation, NextTurn};
use crate::failure::{Failure, Fault, FaultKind};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, SiteId};
use crate::payload::Payload;
use crate::replay;
use crate::retry::RetryPolicy;
use crate::store::{Status, Summary, Suspicion};

pub(super) const BEGIN: Timestamp = Timestamp(1_767_225_600_000);

/// Surroundings in which nothing is known, but for what a test says.
#[derive(Default)]
pub(super) struct Nowhere {
    pub(super) suspicion: Option<Suspicion>,
}

impl Around for Nowhere {
    fn now(&self) -> Timestamp {
        at(100)
    }

    fn place(&self, build: BuildId, site: SiteId) -> Option<String> {
        Some(format!("build {}, site {}", build.0, site.0))
    }

    fn delivery(&self, _: EventId, _: &Name) -> (Delivery, Option<Heartbeat>) {
        (Delivery::Elsewhere, None)
    }

    fn suspicion(&self, event: Option<EventId>) -> Option<Suspicion> {
        self.suspicion.filter(|_| event.is_some())
    }

    fn next_turn(&self) -> NextTurn {
        NextTurn::None
    }

    fn without_room(&self) -> Vec<(Name, Timestamp)> {
        Vec::new()
    }

    fn instance(&self, _: &InstanceId) -> (Option<Status>, Link) {
        (Some(Status::Running), Link::NotFollowed)
    }
}

/// So many seconds after the begin.
pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp(BEGIN.0 + 1_000 * seconds)
}

pub(super) fn id(text: &str) -> InstanceId {
    InstanceId::parse(text).unwrap()
}

pub(super) fn started() -> HistoryEvent {
    HistoryEvent::ExecutionStarted(Box::new(ExecutionStarted {
        at: at(0),
        instance: id("order-42"),
        execution: ExecutionId::FIRST,
        name: Name::Borrowed("flow"),
        version: None,
        input: Payload::json(&()).unwrap(),
        parent: None,
        tags: [].into(),
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    }))
}

/// A turn so many seconds after the begin, of the build of that number.
pub(super) fn turn(seconds: u64) -> HistoryEvent {
    let build = BuildId(u32::try_from(seconds).unwrap());
    HistoryEvent::TurnStarted(TurnStarted {
        at: at(seconds),
        build,
    })
}

pub(super) fn activity(number: u32, call: u32, attempt: u32) -> ActivityScheduled {
    ActivityScheduled {
        id: EventId(number),
        site: SiteId(9),
        call: EventId(call),
        attempt,
        name: Name::Borrowed("charge"),
        input: Payload::json(&()).unwrap(),
        attempt_timeout: None,
        heartbeats: None,
        retry: (attempt == 1).then_some(RetryPolicy::attempts(5)),
    }
}

pub(super) fn scheduled(activity: ActivityScheduled) -> HistoryEvent {
    HistoryEvent::ActivityScheduled(activity)
}

pub(super) fn failure(scheduled: u32, message: &str) -> Failed {
    Failed {
        scheduled: EventId(scheduled),
        at: at(1),
        failure: Failure::Fault(Fault::new(FaultKind::Panicked, "charge", message)),
    }
}

pub(super) fn timer(number: u32, due: u64, purpose: TimerPurpose) -> HistoryEvent {
    HistoryEvent::TimerCreated(TimerCreated {
        id: EventId(number),
        site: SiteId(8),
        due: at(due),
        purpose,
    })
}

pub(super) fn fired(number: u32) -> HistoryEvent {
    HistoryEvent::TimerFired(Fired {
        scheduled: EventId(number),
        at: at(2),
    })
}

pub(super) fn child(number: u32, attempt: u32) -> HistoryEvent {
    HistoryEvent::ChildScheduled(ChildScheduled {
        id: EventId(number),
        site: SiteId(7),
        call: EventId(0),
        attempt,
        instance: id(&format!("child-{number}")),
        name: Name::Borrowed("ship"),
        version: None,
        input: Payload::json(&()).unwrap(),
        retry: (attempt == 1).then_some(RetryPolicy::attempts(3)),
    })
}

pub(super) fn raised(name: &'static str, seconds: u64) -> HistoryEvent {
    HistoryEvent::EventRaised(EventRaised {
        at: at(seconds),
        name: Name::Borrowed(name),
        payload: Payload::json(&()).unwrap(),
        event: None,
    })
}

pub(super) fn summary(history: &[HistoryEvent]) -> Summary {
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        panic!("{history:?}");
    };
    let mut summary = Summary::started(started);
    history[1..].iter().for_each(|event| summary.apply(event));
    summary
}

pub(super) fn explained_by(
    history: &[HistoryEvent],
    replayed: Replayed,
    around: &Nowhere,
) -> Explanation {
    let recorded = Recorded {
        summary: &summary(history),
        history: Ok(history),
        replayed,
    };
    explain(recorded, around)
}

pub(super) fn explained(history: &[HistoryEvent]) -> Explanation {
    let nothing = Replayed::Awaits(replay::Awaited::default());
    explained_by(history, nothing, &Nowhere::default())
}

#[track_caller]
pub(super) fn only(explanation: &Explanation) -> &Wait {
    let [wait] = &explanation.waits[..] else {
        panic!("{explanation}");
    };
    wait
}
