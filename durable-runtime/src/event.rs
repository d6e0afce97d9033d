//! History events: what is recorded of an execution, in pairs of request and outcome.
//!
//! A history is a sequence of *turns*. Each is some **arrivals** (what reached the instance), one [`TurnStarted`] that
//! delivers them, and the **commands** that the code then asked for; the last turn ends with a terminal event. An
//! arrival whose turn stalled stands alone and is delivered by the next turn that starts.
//!
//! Times are whole milliseconds, as they are recorded; a [`SystemTime`](std::time::SystemTime), as the rest of the API has
//! them, is made from each.
//!
//! These are domain types. What is on disk lives in `encoding`, versioned, and is converted by hand.
//!
//! Source: `docs/design.md`, "Events"; the table there maps each to its Durable Task name.
//!
//! [`TurnStarted`]: HistoryEvent::TurnStarted

mod between;
mod control;
pub(crate) mod encoding;
mod ended;
mod rewound;
mod site;
mod size;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::failure::{Failure, Outcome};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, SiteId};
use crate::payload::Payload;
use crate::retry::RetryPolicy;
use crate::trace::TraceContext;

pub use self::between::{DetachedAwaited, DetachedScheduled, DetachedStarted, EventSent};
pub use self::control::{
    ExecutionResumed, ExecutionSuspended, ExecutionTerminated, InstancePurged,
};
pub(crate) use self::ended::Ended;
pub(crate) use self::rewound::Void;
pub use self::rewound::{ExecutionRewound, Voided, effective};

/// The name of an orchestrator, an activity or an external event.
pub type Name = Cow<'static, str>;

/// The version of the replay rules that new executions are recorded under.
pub(crate) const REPLAY_SEMANTICS: u16 = 1;

/// One record of a history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HistoryEvent {
    /// Arrival: the execution begins.
    ExecutionStarted(Box<ExecutionStarted>),
    /// Arrival: an attempt of an activity returned.
    ActivityCompleted(Completed),
    /// Arrival: an attempt of an activity failed.
    ActivityFailed(Failed),
    /// Arrival: what an attempt of an activity said with its last heartbeat, before it failed or was stopped half-way.
    HeartbeatRecorded(HeartbeatRecorded),
    /// Arrival: a timer is due.
    TimerFired(Fired),
    /// Arrival: a child orchestration returned.
    ChildCompleted(Completed),
    /// Arrival: a child orchestration failed.
    ChildFailed(Failed),
    /// Arrival: somebody raised an external event.
    EventRaised(EventRaised),
    /// Arrival: the parent dropped its call of this child, or ended.
    CancelRequested(CancelRequested),
    /// The turn that delivers every arrival recorded since the turn before.
    TurnStarted(TurnStarted),
    /// Command: run an attempt of an activity.
    ActivityScheduled(ActivityScheduled),
    /// Command: wake the code at a moment.
    TimerCreated(TimerCreated),
    /// Command: start a child orchestration.
    ChildScheduled(ChildScheduled),
    /// Command: the value of a side effect, which ran in this turn.
    MarkerRecorded(MarkerRecorded),
    /// The code dropped what was waiting for an outcome.
    Cancelled(Cancelled),
    /// The custom status as of the end of the turn.
    CustomStatusSet(CustomStatusSet),
    /// Terminal: the code returned or faulted. Closes whatever was open.
    ExecutionCompleted(ExecutionCompleted),
    /// Terminal: the instance goes on as a new execution with this input. Closes whatever was open.
    ExecutionContinued(ExecutionContinued),
    /// The turn could not be run; the instance waits to be mended. The next `TurnStarted` ends it.
    ExecutionStalled(ExecutionStalled),
    /// Command: start an instance that is nobody's child.
    DetachedScheduled(DetachedScheduled),
    /// Arrival: that instance is on disk.
    DetachedStarted(DetachedStarted),
    /// Arrival: that instance was not started.
    DetachedRefused(Failed),
    /// Command: wait for the outcome of an instance that is no child.
    DetachedAwaited(DetachedAwaited),
    /// Arrival: that instance returned.
    DetachedCompleted(Completed),
    /// Arrival: that instance failed, or there is none.
    DetachedFailed(Failed),
    /// Command: raise an event to an instance.
    EventSent(EventSent),
    /// Terminal: somebody ended the instance. Closes whatever was open.
    ExecutionTerminated(ExecutionTerminated),
    /// Somebody holds the instance: no turn runs until it is resumed.
    ExecutionSuspended(ExecutionSuspended),
    /// Somebody lets it go on.
    ExecutionResumed(ExecutionResumed),
    /// Somebody removed the instance. In the log only: a history that holds it is gone.
    InstancePurged(InstancePurged),
    /// Command: the code runs as changed, in this execution.
    ChangeRecorded(ChangeRecorded),
    /// Somebody had the instance go on from before its failure. Makes events before it void.
    ExecutionRewound(Box<ExecutionRewound>),
}

/// The begin of an execution and all that its code can ask about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionStarted {
    /// When it was recorded.
    pub at: Timestamp,
    /// The instance's id.
    pub instance: InstanceId,
    /// Which execution of the instance this is.
    pub execution: ExecutionId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// The input.
    pub input: Payload,
    /// Who started it and waits for it.
    pub parent: Option<Parent>,
    /// The caller's tags.
    pub tags: BTreeMap<String, String>,
    /// The W3C trace context it was started in: the span that caused it. `None` if nobody gave one: its trace begins with its
    /// creation, and is derived. An execution that begins a trace of its own has the context of its own span.
    pub trace: Option<TraceContext>,
    /// The version of the replay rules that this history is recorded under.
    pub replay_semantics: u16,
    /// The caller's id of the start request.
    pub request: Option<String>,
    /// No turn runs before this moment; a start for later has it.
    pub start_at: Option<Timestamp>,
}

/// The instance that waits for a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Its id.
    pub instance: InstanceId,
    /// Its key in the store.
    pub(crate) key: InstanceKey,
    /// The execution that started the child.
    pub execution: ExecutionId,
    /// The `ChildScheduled` that the child's outcome answers.
    pub scheduled: EventId,
}

/// The value that an activity, a child or another instance returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The command it answers.
    pub scheduled: EventId,
    /// When it arrived.
    pub at: Timestamp,
    /// The value, or what was in `Ok`.
    pub output: Payload,
}

/// How an activity, a child or another instance failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The command it answers.
    pub scheduled: EventId,
    /// When it arrived.
    pub at: Timestamp,
    /// Why.
    pub failure: Failure,
}

/// What an attempt of an activity said with its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatRecorded {
    /// The attempt's command.
    pub scheduled: EventId,
    /// When it arrived.
    pub at: Timestamp,
    /// What was said.
    pub details: Payload,
}

/// A timer that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// The `TimerCreated` it answers.
    pub scheduled: EventId,
    /// When it arrived; never before it was due.
    pub at: Timestamp,
}

/// A named message to the instance, buffered until it is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRaised {
    /// When it arrived.
    pub at: Timestamp,
    /// Its name, compared without regard to ASCII case.
    pub name: Name,
    /// What it carries.
    pub payload: Payload,
    /// The sender's id of it; `~sender/execution/command` if an instance sent it, which no two events share.
    pub event: Option<String>,
}

/// A wish that the instance end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequested {
    /// When it arrived.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// The begin of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnStarted {
    /// The replay clock during the whole turn.
    pub at: Timestamp,
    /// The build that ran it; source sites of its commands are those of this build.
    pub build: BuildId,
}

/// A wish to run an activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityScheduled {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// The first attempt's number, equal to `id` there.
    pub call: EventId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The activity's name.
    pub name: Name,
    /// Its input.
    pub input: Payload,
    /// The longest that this attempt may run.
    pub attempt_timeout: Option<Duration>,
    /// What there is to know of heartbeats; of most attempts, nothing.
    pub heartbeats: Option<Box<Heartbeats>>,
    /// The policy in force; with the first attempt only.
    pub retry: Option<RetryPolicy>,
}

/// What there is to know of the heartbeats of an attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeats {
    /// The longest that it may go without one.
    pub timeout: Option<Duration>,
    /// The details of the last one before it.
    pub last: Option<Payload>,
}

impl Heartbeats {
    /// What there is to know, if it is anything at all.
    pub(crate) fn some(timeout: Option<Duration>, last: Option<Payload>) -> Option<Box<Self>> {
        (timeout.is_some() || last.is_some()).then(|| Box::new(Self { timeout, last }))
    }
}

/// A wish to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerCreated {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// When.
    pub due: Timestamp,
    /// What for.
    pub purpose: TimerPurpose,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimerPurpose {
    /// The code sleeps.
    Sleep,
    /// The delay before another attempt of this call.
    Retry(EventId),
    /// The deadline of a call or block.
    Deadline,
}

/// A wish to start a child orchestration.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildScheduled {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// The first attempt's number, equal to `id` there.
    pub call: EventId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The child's id.
    pub instance: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// The child's input.
    pub input: Payload,
    /// The policy in force; with the first attempt only.
    pub retry: Option<RetryPolicy>,
}

/// The recorded value of a side effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerRecorded {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// What the side effect returned.
    pub value: Payload,
}

/// A mark that the code of this execution runs as changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecorded {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// The name of the change.
    pub change: Name,
}

/// A command whose outcome nobody waits for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cancelled {
    /// The command.
    pub scheduled: EventId,
    /// What it had asked for.
    pub pending: Pending,
}

/// What a command waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pending {
    /// An activity.
    Activity,
    /// A timer.
    Timer,
    /// A child orchestration.
    Child,
    /// The answer to a detached start.
    Start,
    /// The end of an instance that is no child.
    End,
}

/// A new custom status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomStatusSet {
    /// The status; `null` clears it.
    pub status: Payload,
}

/// The end of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionCompleted {
    /// How it ended.
    pub outcome: Outcome,
}

/// The end of an execution whose instance goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionContinued {
    /// The next execution's input.
    pub input: Payload,
}

/// Why an instance waits to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionStalled {
    /// When it was found.
    pub at: Timestamp,
    /// What kind of trouble it is.
    pub reason: StallReason,
    /// For people: what was expected and found, where, and the remedy.
    pub report: String,
}

/// What kind of trouble stalls an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StallReason {
    /// History and code disagree.
    Divergence,
    /// No orchestrator, or activity, of that name is registered.
    Unregistered,
    /// A recorded value is no longer what the code can read.
    Undecodable,
    /// The code awaited something that is not in the event log.
    ForeignFuture,
    /// A history or a turn grew beyond its limit.
    LimitExceeded,
    /// The history was recorded under replay rules that this build does not know.
    UnknownSemantics,
    /// What is recorded of it is damaged: the bytes in the file are not those that were written.
    Damaged,
    /// The process died of its turn ten times in a row, each time while nothing else ran. This build does not run it again.
    Poisoned,
    /// A turn ran longer than one may ([`EngineBuilder::turn_limit`](crate::EngineBuilder::turn_limit)).
    Endless,
    /// Run again over what it had just recorded, the code asked for something else
    /// ([`EngineBuilder::replay_check`](crate::EngineBuilder::replay_check)).
    NonDeterministic,
}

impl HistoryEvent {
    /// Whether this is something that reached the instance, as opposed to what its code asked for.
    pub fn is_arrival(&self) -> bool {
        matches!(
            self,
            Self::ExecutionStarted(_)
                | Self::ActivityCompleted(_)
                | Self::ActivityFailed(_)
                | Self::HeartbeatRecorded(_)
                | Self::TimerFired(_)
                | Self::ChildCompleted(_)
                | Self::ChildFailed(_)
                | Self::EventRaised(_)
                | Self::CancelRequested(_)
                | Self::DetachedStarted(_)
                | Self::DetachedRefused(_)
                | Self::DetachedCompleted(_)
                | Self::DetachedFailed(_)
        )
    }

    /// Whether it is for the instance, whichever execution of it runs when it arrives.
    pub(crate) fn is_for_instance(&self) -> bool {
        matches!(self, Self::EventRaised(_) | Self::CancelRequested(_))
    }

    /// The number of the command that this is; `None` if it is none.
    pub(crate) fn command(&self) -> Option<EventId> {
        match self {
            Self::ActivityScheduled(command) => Some(command.id),
            Self::TimerCreated(command) => Some(command.id),
            Self::ChildScheduled(command) => Some(command.id),
            Self::MarkerRecorded(command) => Some(command.id),
            Self::ChangeRecorded(command) => Some(command.id),
            Self::DetachedScheduled(command) => Some(command.id),
            Self::DetachedAwaited(command) => Some(command.id),
            Self::EventSent(command) => Some(command.id),
            _ => None,
        }
    }

    /// Whether the execution ends here.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::ExecutionCompleted(_)
                | Self::ExecutionContinued(_)
                | Self::ExecutionTerminated(_)
        )
    }
}
