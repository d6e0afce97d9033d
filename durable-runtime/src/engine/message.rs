//! What the machines of the engine say to one another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock::Timestamp;
use crate::engine::backlog::{self, EventLimit};
use crate::engine::observe::News;
use crate::engine::reuse::Reuse;
use crate::engine::suspects::{Accused, Suspect};
use crate::event::{
    ActivityScheduled, Cancelled, ExecutionStarted, HistoryEvent, Parent, StallReason,
};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, SiteId, SourceSite};
use crate::store::{EncodedFrame, Revision, Status, StoreError, Summary, Suspicion};
use crate::trace::TraceContext;

mod control;

pub(crate) use control::{Control, Controlled, Reach, Wish};

/// Where an answer is sent to.
pub(crate) struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    /// A reply and the future of its answer; an error there means that the reply was dropped.
    pub(crate) fn channel() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(self, value: T) {
        // Whoever asked may have lost interest.
        drop(self.0.send(value));
    }

    /// Whether somebody still waits for the answer.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.0.is_closed()
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// A command of an execution, from outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CommandRef {
    pub(crate) instance: InstanceKey,
    pub(crate) execution: ExecutionId,
    pub(crate) scheduled: EventId,
}

impl CommandRef {
    /// All commands that an instance can have, in whichever execution.
    pub(crate) fn all_of(instance: InstanceKey) -> RangeInclusive<Self> {
        let command = |number| Self {
            instance,
            execution: ExecutionId(number),
            scheduled: EventId(number),
        };
        command(0)..=command(u32::MAX)
    }
}

/// One delivery of one attempt of an activity.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) command: CommandRef,
    pub(crate) instance: InstanceId,
    /// The version of the orchestrator that asked for it.
    pub(crate) version: Option<String>,
    pub(crate) scheduled: ActivityScheduled,
    /// The trace context that its execution was recorded in.
    pub(crate) trace: Option<TraceContext>,
    /// What its body is told: 1 for the first delivery, more if the engine has ended while it was outstanding.
    pub(crate) delivery: u32,
    /// Since when it waits for a place, in monotonic time; set where it begins to.
    pub(crate) queued_at: Duration,
}

/// What reaches an instance.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Something that its history will hold.
    Arrival {
        event: HistoryEvent,
        /// The execution it is for; an event raised from outside is for whichever runs.
        execution: Option<ExecutionId>,
        /// Whoever waits to hear that it is on disk.
        reply: Option<Reply<Delivered>>,
    },
    /// There is something recorded that no turn has delivered yet.
    Wake,
    /// It asked for something that this program does not have.
    Stall {
        execution: ExecutionId,
        reason: StallReason,
        report: String,
    },
}

impl Incoming {
    /// An arrival that the engine itself sends: nobody waits to hear of it.
    pub(crate) fn unasked(event: HistoryEvent, execution: Option<ExecutionId>) -> Self {
        Self::Arrival {
            event,
            execution,
            reply: None,
        }
    }
}

impl Incoming {
    /// Whether its history will hold it.
    pub(crate) fn is_arrival(&self) -> bool {
        matches!(self, Self::Arrival { .. })
    }

    /// Whether a client raised it under an id.
    pub(crate) fn has_chosen_id(&self) -> bool {
        matches!(self, Self::Arrival { event, .. } if backlog::chosen_id(event).is_some())
    }

    /// Bytes that grow with what users send.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Arrival { event, .. } => event.payload_bytes(),
            Self::Wake | Self::Stall { .. } => 0,
        }
    }

    /// The same, of which nobody waits to hear.
    pub(crate) fn without_reply(&self) -> Self {
        match self {
            Self::Arrival {
                event, execution, ..
            } => Self::unasked(event.clone(), *execution),
            Self::Wake => Self::Wake,
            Self::Stall {
                execution,
                reason,
                report,
            } => Self::Stall {
                execution: *execution,
                reason: *reason,
                report: report.clone(),
            },
        }
    }

    /// Whoever waits to hear of it.
    pub(crate) fn into_reply(self) -> Option<Reply<Delivered>> {
        match self {
            Self::Arrival { reply, .. } => reply,
            Self::Wake | Self::Stall { .. } => None,
        }
    }
}

/// What became of an arrival that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It is on disk.
    Recorded,
    /// The instance has ended; nothing was recorded.
    Ended,
    /// Nobody has taken what was raised to the instance before, and that is as much as this; nothing was recorded.
    Busy(EventLimit),
    /// There is no such instance.
    Unknown,
    /// What is recorded of the instance is damaged, as this says; nothing was recorded.
    Unreadable(String),
}

/// What a shard is told.
#[derive(Debug)]
pub(crate) enum ShardInput {
    Incoming(InstanceKey, Incoming),
    /// The turn that this instance had submitted is on disk, and behind it these answers to its commands.
    Committed(InstanceKey, Vec<HistoryEvent>),
    /// The turn that this instance had submitted is not recorded: its own row is damaged, or something else was recorded of it
    /// first.
    Refused(InstanceKey),
    /// Something was recorded of this instance that no turn of it asked for: what it is in memory is out of date.
    Changed(InstanceKey),
    /// This instance was ended from outside.
    Terminated(InstanceKey),
    /// The file was opened again: whatever the shard knows is void.
    Reset,
    /// Asks, once everything before it is dealt with, whether the shard has nothing on its way to the disk.
    Probe(Reply<bool>),
}

impl ShardInput {
    /// Whom it is for.
    pub(crate) fn instance(&self) -> Option<InstanceKey> {
        match self {
            Self::Incoming(key, _)
            | Self::Committed(key, _)
            | Self::Refused(key)
            | Self::Changed(key)
            | Self::Terminated(key) => Some(*key),
            Self::Reset | Self::Probe(_) => None,
        }
    }
}

/// What asks for a place in the next commit.
#[derive(Debug)]
pub(crate) enum Submission {
    Start(Box<Start>),
    Turn(Box<TurnCommit>),
    Control(Box<Control>),
    Watch(Watch),
    Purge(Purge),
    Rewind(Box<Rewind>),
    /// Changes what is held against what.
    Mark(Vec<Mark>, Reply<()>),
    /// Asks to hear when everything before it is on disk.
    Probe(Reply<()>),
}

/// A row of `suspects`, and what is held there from now on, if anything.
pub(crate) type Mark = ((InstanceKey, Option<EventId>), Option<Suspicion>);

/// A client's wish to start an instance. The committer fills in the time.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) started: ExecutionStarted,
    pub(crate) reuse: Reuse,
    pub(crate) reply: Reply<Started>,
}

/// What became of a start.
#[derive(Debug)]
pub(crate) enum Started {
    Created(InstanceKey),
    /// The instance was there, with the same name, version and input.
    Attached(InstanceKey),
    /// The id belongs to another instance.
    Conflict {
        difference: &'static str,
    },
    /// The id belongs to an instance of this status, which is not to be replaced.
    Exists(Status),
    /// The id belongs to an instance that is to be replaced, once this one has recorded how it ended.
    Awaited(InstanceKey),
    /// The id belongs to an instance whose row is damaged; nothing was started.
    Unreadable(StoreError),
}

/// A wish that instances be no more.
#[derive(Debug)]
pub(crate) struct Purge {
    pub(crate) keys: Vec<InstanceKey>,
    /// Of one that ended later than this, nothing is meant: it was rewound since.
    pub(crate) ended_by: Option<Timestamp>,
    pub(crate) reply: Reply<Buried>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(crate) struct Buried {
    /// How many were purged.
    pub(crate) count: u64,
    /// Which were not; of one that is no more already, or not meant, nothing is said.
    pub(crate) left: Vec<(InstanceKey, Left)>,
}

/// Why an instance was not purged.
#[derive(Debug)]
pub(crate) enum Left {
    /// It has not ended.
    Alive(Status),
    /// This one is to hear how it ended, and has not recorded that yet.
    Awaited(InstanceKey),
    /// What is recorded of it is damaged.
    Unreadable(StoreError),
}

/// A wish that an instance that has failed go on from before its failure.
#[derive(Debug)]
pub(crate) struct Rewind {
    pub(crate) key: InstanceKey,
    pub(crate) reason: String,
    pub(crate) reply: Reply<Rewound>,
}

/// What became of a rewind.
#[derive(Debug)]
pub(crate) enum Rewound {
    Done,
    /// It has not failed; nothing was recorded.
    NotFailed(Status),
    /// There is no such instance.
    Unknown,
    /// What would run again has more input than one record may hold; nothing was recorded.
    TooLarge {
        bytes: usize,
    },
    /// What is recorded of the instance is damaged; nothing was recorded.
    Unreadable(StoreError),
}

/// The events of one turn, and what follows from their being on disk.
#[derive(Debug)]
pub(crate) struct TurnCommit {
    pub(crate) instance: InstanceId,
    pub(crate) key: InstanceKey,
    pub(crate) execution: ExecutionId,
    pub(crate) frame: EncodedFrame,
    pub(crate) events: Vec<HistoryEvent>,
    pub(crate) places: Vec<(SiteId, SourceSite)>,
    /// The labels of the instances that the turn starts.
    pub(crate) child_tags: Vec<(EventId, BTreeMap<String, String>)>,
    pub(crate) end: TurnCommitEnd,
    /// Whether no turn of the execution had run before.
    pub(crate) is_first: bool,
    pub(crate) replies: Vec<Reply<Delivered>>,
}

impl TurnCommit {
    /// Whether code was run for it; else it records what has arrived, or a stall.
    pub(crate) fn has_run(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event, HistoryEvent::TurnStarted(_)))
    }
}

/// How the instance stands after the turn.
#[derive(Debug)]
pub(crate) enum TurnCommitEnd {
    /// It waits, or is stalled.
    Open,
    /// No turn was run: one is to deliver what has arrived, and this is held against it.
    Due(Option<Suspicion>),
    /// The last event is its outcome.
    Completed {
        parent: Option<Parent>,
        abandoned: Vec<Cancelled>,
    },
    Continued {
        next: Box<ExecutionStarted>,
        carried: Vec<HistoryEvent>,
        abandoned: Vec<Cancelled>,
    },
}

/// A wish to hear when an instance has changed.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) key: InstanceKey,
    pub(crate) until: Until,
    /// `None`: there is no such instance.
    pub(crate) reply: Reply<Result<Option<Summary>, StoreError>>,
}

/// What a watcher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    Ended,
    /// The end, or a stall that this process does not get out of: its code is not deterministic.
    EndedOrUnsound,
    /// A turn that ran, or could not.
    Started,
    /// Anything recorded beyond this revision.
    Beyond(Revision),
    /// This revision.
    Reached(Revision),
}

/// What may be armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TimerRef {
    /// A timer of an execution.
    Durable(CommandRef),
    /// The first turn of an instance that was started for later.
    Begin(InstanceKey),
    /// The time-out of a running attempt.
    Attempt(CommandRef),
    /// The moment at which a running attempt has been silent for too long, unless its heart has beaten.
    Heartbeat(CommandRef),
    /// The patience with a suspect that is on trial.
    Trial,
    /// The next look for what is to be purged by itself.
    Expiry,
}

/// What follows from a commit, once it is on disk.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) to_shards: Vec<ShardInput>,
    pub(crate) run: Vec<Task>,
    pub(crate) cancel: Vec<CommandRef>,
    pub(crate) arm: Vec<(TimerRef, Timestamp)>,
    pub(crate) disarm: Vec<TimerRef>,
    /// Instances all of whose open work is closed: their timers are disarmed, what waits for a place never starts, what runs is
    /// told.
    pub(crate) close: BTreeSet<InstanceKey>,
    pub(crate) answers: Vec<Answer>,
    /// What is to be told to those who watch the engine.
    pub(crate) news: News,
    /// What is to be started before anything else; only when a store is opened.
    pub(crate) suspects: Vec<Suspect>,
}

/// An answer that may be given.
pub(crate) struct Answer(Box<dyn FnOnce() + Send>);

impl Answer {
    pub(crate) fn give(self) {
        (self.0)();
    }
}

impl Effects {
    /// The same where the process has not died: nothing is tried, all goes on.
    pub(crate) fn without_trials(mut self) -> Self {
        for suspect in std::mem::take(&mut self.suspects) {
            match suspect.accused {
                Accused::Turn(key) => {
                    let wake = ShardInput::Incoming(key, Incoming::Wake);
                    self.to_shards.push(wake);
                }
                Accused::Activity(task) => self.run.push(*task),
            }
        }
        self
    }

    /// Takes back what is not to follow after all, since the instance that it is for was closed later in the same batch.
    pub(crate) fn take_back_closed(&mut self) {
        let close = &self.close;
        if close.is_empty() {
            return;
        }
        (self.run).retain(|task| !close.contains(&task.command.instance));
        self.arm.retain(|(timer, _)| match timer {
            TimerRef::Durable(command) => !close.contains(&command.instance),
            TimerRef::Begin(key) => !close.contains(key),
            TimerRef::Attempt(_) | TimerRef::Heartbeat(_) | TimerRef::Trial | TimerRef::Expiry => {
                true
            }
        });
    }

    /// Answers `reply` with `value` when these effects are released.
    pub(crate) fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, value: T) {
        self.answers
            .push(Answer(Box::new(move || reply.send(value))));
    }

    /// Keeps a reply, which will not be given, from being dropped before these effects are.
    pub(crate) fn keep<T: Send + 'static>(&mut self, reply: Reply<T>) {
        self.answers.push(Answer(Box::new(move || drop(reply))));
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
