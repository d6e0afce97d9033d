//! What a client sees of an instance.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use super::asked::Asked;
use super::revision::Revision;
use crate::clock::Timestamp;
use crate::event::{
    ExecutionRewound, ExecutionStalled, ExecutionStarted, ExecutionSuspended, HistoryEvent, Name,
    Parent, StallReason,
};
use crate::failure::Outcome;
use crate::id::{ExecutionId, InstanceId};
use crate::payload::{Codec, Payload};
use crate::trace::TraceContext;

/// An instance as of its last recorded event.
///
/// It is a pure fold of the instance's events.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Its id.
    pub id: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The execution that runs, or ran last.
    pub execution: ExecutionId,
    /// When its first execution was recorded.
    pub created_at: SystemTime,
    /// The time of the last event that has one.
    pub updated_at: SystemTime,
    /// The time of the turn that ended it.
    pub completed_at: Option<SystemTime>,
    /// Who started it and waits for it.
    pub parent: Option<Parent>,
    /// The caller's tags.
    pub tags: BTreeMap<String, String>,
    /// The W3C trace context that its current execution was started in: the span that caused it. `None` if nobody gave one.
    pub trace: Option<TraceContext>,
    /// The input of its current execution.
    pub input: Payload,
    /// The custom status; setting `null` clears it.
    pub custom_status: Option<Payload>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it waits to be mended, if it does.
    pub stalled: Option<Stalled>,
    /// Why it is held, if it is.
    pub suspended: Option<Suspended>,
    /// When its first turn may run, if it was started for later.
    pub start_at: Option<SystemTime>,
    /// Events of its current execution, which is also the sequence of the next one.
    pub events: u32,
    /// Whether a turn of it has ever run.
    pub(crate) begun: bool,
    /// What its first execution was started with, once that is not the current one any more.
    pub(crate) asked: Option<Asked>,
}

/// Where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Status {
    /// No turn of it has run yet.
    Pending,
    /// It runs, or waits for what it asked for.
    Running,
    /// It returned.
    Completed,
    /// It returned `Err`, or did not return.
    Failed,
    /// It waits to be mended.
    Stalled,
    /// Somebody ended it.
    Terminated,
    /// Somebody holds it until it is resumed.
    Suspended,
}

impl Status {
    /// Whether it is that of an instance that has ended.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Terminated)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stalled => "stalled",
            Self::Terminated => "terminated",
            Self::Suspended => "suspended",
        })
    }
}

/// Why an instance waits to be mended. Displayed, it is the report.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// The reason, for programs.
    pub reason: StallReason,
    /// What was expected, what was found and what helps, for people.
    pub report: String,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl From<&ExecutionStalled> for Stalled {
    fn from(recorded: &ExecutionStalled) -> Self {
        Self {
            reason: recorded.reason,
            report: recorded.report.clone(),
        }
    }
}

/// Why an instance is held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspended {
    /// What whoever suspended it said.
    pub reason: String,
    /// Since when.
    pub since: SystemTime,
}

impl From<&ExecutionSuspended> for Suspended {
    fn from(recorded: &ExecutionSuspended) -> Self {
        Self {
            reason: recorded.reason.clone(),
            since: recorded.at.into(),
        }
    }
}

impl Summary {
    /// The summary of an instance whose only event this is.
    pub(crate) fn started(started: &ExecutionStarted) -> Self {
        Self {
            id: started.instance.clone(),
            name: started.name.clone(),
            version: started.version.clone(),
            status: Status::Pending,
            execution: started.execution,
            created_at: started.at.into(),
            updated_at: started.at.into(),
            completed_at: None,
            parent: started.parent.clone(),
            tags: started.tags.clone(),
            trace: started.trace.clone(),
            input: started.input.clone(),
            custom_status: None,
            outcome: None,
            stalled: None,
            suspended: None,
            start_at: started.start_at.map(Into::into),
            events: 1,
            begun: false,
            asked: None,
        }
    }

    /// The summary with one more event.
    pub(crate) fn apply(&mut self, event: &HistoryEvent) {
        self.events = self.events.saturating_add(1);
        match event {
            HistoryEvent::ExecutionStarted(started) => self.continue_as(started),
            HistoryEvent::ActivityCompleted(arrived)
            | HistoryEvent::ChildCompleted(arrived)
            | HistoryEvent::DetachedCompleted(arrived) => self.touch(arrived.at),
            HistoryEvent::ActivityFailed(arrived)
            | HistoryEvent::ChildFailed(arrived)
            | HistoryEvent::DetachedFailed(arrived)
            | HistoryEvent::DetachedRefused(arrived) => self.touch(arrived.at),
            HistoryEvent::DetachedStarted(arrived) => self.touch(arrived.at),
            HistoryEvent::HeartbeatRecorded(arrived) => self.touch(arrived.at),
            HistoryEvent::TimerFired(arrived) => self.touch(arrived.at),
            HistoryEvent::EventRaised(arrived) => self.touch(arrived.at),
            HistoryEvent::CancelRequested(arrived) => self.touch(arrived.at),
            HistoryEvent::TurnStarted(turn) => {
                self.touch(turn.at);
                self.begun = true;
                self.stalled = None;
                self.stand();
            }
            HistoryEvent::CustomStatusSet(set) => self.custom_status = unless_null(&set.status),
            HistoryEvent::ExecutionCompleted(end) => self.end(&end.outcome),
            HistoryEvent::ExecutionStalled(stalled) => {
                self.touch(stalled.at);
                self.stalled = Some(stalled.into());
                self.stand();
            }
            HistoryEvent::ExecutionTerminated(ended) => {
                self.touch(ended.at);
                let outcome = ended.outcome(&self.name);
                self.end(&outcome);
                self.status = Status::Terminated;
            }
            HistoryEvent::ExecutionSuspended(held) => {
                self.touch(held.at);
                self.suspended = Some(held.into());
                self.stand();
            }
            HistoryEvent::ExecutionResumed(released) => {
                self.touch(released.at);
                self.suspended = None;
                self.stand();
            }
            HistoryEvent::ExecutionRewound(rewound) => self.rewind(rewound),
            HistoryEvent::ActivityScheduled(_)
            | HistoryEvent::TimerCreated(_)
            | HistoryEvent::ChildScheduled(_)
            | HistoryEvent::MarkerRecorded(_)
            | HistoryEvent::DetachedScheduled(_)
            | HistoryEvent::DetachedAwaited(_)
            | HistoryEvent::EventSent(_)
            | HistoryEvent::Cancelled(_)
            | HistoryEvent::ExecutionContinued(_)
            | HistoryEvent::ChangeRecorded(_)
            | HistoryEvent::InstancePurged(_) => {}
        }
    }

    /// Whether it has ended; nothing is recorded of it any more, unless it is rewound.
    pub fn has_ended(&self) -> bool {
        self.status.has_ended()
    }

    /// Whether it is stalled since its code is not deterministic, or awaits what is not durable.
    pub(crate) fn is_unsound(&self) -> bool {
        let reason = self.stalled.as_ref().map(|stalled| stalled.reason);
        matches!(
            reason,
            Some(StallReason::NonDeterministic | StallReason::ForeignFuture)
        )
    }

    /// Whether no turn of it runs at `now`: somebody holds it, or it was started for later.
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        let is_early = |at| !self.begun && SystemTime::from(now) < at;
        self.suspended.is_some() || self.start_at.is_some_and(is_early)
    }

    /// How much of it is recorded: rises with everything that is, over restarts and continue-as-new.
    pub fn revision(&self) -> Revision {
        Revision::new(self.execution, self.events)
    }

    fn continue_as(&mut self, started: &ExecutionStarted) {
        // Before the input is that of the next execution; the first one's is not worked out for the many that end with it.
        let asked = || Asked::of(&self.name, self.version.as_deref(), &self.input);
        self.asked = Some(self.asked.unwrap_or_else(asked));
        self.touch(started.at);
        self.stand();
        self.execution = started.execution;
        self.name.clone_from(&started.name);
        self.version.clone_from(&started.version);
        self.parent.clone_from(&started.parent);
        self.tags.clone_from(&started.tags);
        self.trace.clone_from(&started.trace);
        self.input = started.input.clone();
        self.events = 1;
    }

    /// Works out where an instance stands that has not ended.
    fn stand(&mut self) {
        self.status = if self.suspended.is_some() {
            Status::Suspended
        } else if self.stalled.is_some() {
            Status::Stalled
        } else if self.begun {
            Status::Running
        } else {
            Status::Pending
        };
    }

    fn rewind(&mut self, rewound: &ExecutionRewound) {
        self.touch(rewound.at);
        self.outcome = None;
        self.completed_at = None;
        self.stalled = None;
        if let Some(status) = &rewound.status {
            self.custom_status = unless_null(status);
        }
        self.stand();
    }

    fn end(&mut self, outcome: &Outcome) {
        self.suspended = None;
        self.stalled = None;
        self.status = match outcome {
            Outcome::Completed(_) => Status::Completed,
            Outcome::Failed(_) => Status::Failed,
        };
        self.outcome = Some(outcome.clone());
        self.completed_at = Some(self.updated_at);
    }

    fn touch(&mut self, at: Timestamp) {
        self.updated_at = self.updated_at.max(at.into());
    }
}

fn unless_null(status: &Payload) -> Option<Payload> {
    let is_null = status.codec() == Codec::Json && status.bytes() == b"null";
    (!is_null).then(|| status.clone())
}
