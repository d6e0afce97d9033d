//! One live instance: its execution, or the reason why it has none.

use std::rc::Rc;

use crate::clock::Timestamp;
use crate::engine::backlog::{Backlog, Room};
use crate::engine::large;
use crate::engine::message::{Incoming, TurnCommit, TurnCommitEnd};
use crate::engine::twin::{Twin, Twins};
use crate::event::{ExecutionStalled, ExecutionStarted, HistoryEvent, Name, Parent, StallReason};
use crate::id::{ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::limits;
use crate::replay::{Execution, Length, Load, Turn, TurnEnd};
use crate::store::{Reader, Stalled, StoreError};
use crate::trace::TraceContext;

/// An instance in memory.
pub(crate) struct Live {
    pub(crate) key: InstanceKey,
    pub(crate) begun: Begun,
    pub(crate) phase: Phase,
    /// The stall that is the last word on record; the next turn that starts ends it.
    pub(crate) stalled: Option<Stalled>,
    pub(crate) backlog: Backlog,
    /// A second copy of its code, if turns are checked.
    pub(crate) twin: Option<Box<Twin>>,
}

/// What is kept of how its execution started: the code has the rest.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) instance: InstanceId,
    pub(crate) execution: ExecutionId,
    pub(crate) name: Name,
    pub(crate) version: Option<Box<str>>,
    pub(crate) parent: Option<Box<Parent>>,
    pub(crate) trace: Option<Box<TraceContext>>,
}

impl Begun {
    pub(crate) fn of(started: &ExecutionStarted) -> Self {
        Self {
            instance: started.instance.clone(),
            execution: started.execution,
            name: started.name.clone(),
            version: started.version.clone().map(Into::into),
            parent: started.parent.clone().map(Box::new),
            trace: started.trace.clone().map(Box::new),
        }
    }
}

/// What an instance in memory does.
pub(crate) enum Phase {
    /// It waits for arrivals, or has a turn on its way to the disk.
    Running(Execution),
    /// Its turn cannot be run. What arrives is recorded and waits until it is mended.
    Stalled {
        /// Where the next event goes.
        next: Sequence,
        /// What is to be recorded of the stall; nothing, if it is on record already.
        unrecorded: Option<(StallReason, String)>,
    },
    /// No turn of it is run for now: somebody holds it, or its time has not come. What arrives is recorded and waits.
    Held {
        /// Where the next event goes.
        next: Sequence,
        /// When its time comes; none if somebody holds it.
        until: Option<Timestamp>,
    },
    /// Its last turn is on its way to the disk.
    Over,
}

/// What is to be committed, before it is encoded.
struct Draft {
    turn: Turn,
    end: TurnCommitEnd,
}

impl Draft {
    /// Of what is recorded without running anything; `None` if there is nothing.
    fn of_record(turn: Turn) -> Option<Self> {
        let end = TurnCommitEnd::Open;
        (!turn.events.is_empty()).then_some(Self { turn, end })
    }
}

/// An inbox, sorted into what a turn needs.
struct Sorted {
    events: Vec<HistoryEvent>,
    stall: Option<(StallReason, String)>,
}

impl Phase {
    /// How many wait for an event of this name and have none.
    fn awaited(&self, name: &str) -> usize {
        match self {
            Self::Running(execution) => execution.awaited(name),
            Self::Stalled { .. } | Self::Held { .. } | Self::Over => 0,
        }
    }
}

impl Live {
    /// Whether nothing more will happen to it in this execution.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// From now on it has a twin, if turns are checked.
    pub(crate) fn have_twin(&mut self, twins: Option<&Rc<Twins>>) {
        let twin = self.twin.take();
        self.twin = twin.or_else(|| twins.map(|twins| Box::new(twins.twin())));
    }

    /// Whether it is held no longer, since its time has come. To one that somebody holds, a change of it says so.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        matches!(self.phase, Phase::Held { until: Some(at), .. } if at <= now)
    }

    /// How many outcomes it waits for, and how many events, if its code runs.
    pub(crate) fn waits_for(&self) -> Option<(usize, usize)> {
        match &self.phase {
            Phase::Running(execution) => Some(execution.waits_for()),
            Phase::Stalled { .. } | Phase::Held { .. } | Phase::Over => None,
        }
    }

    /// An estimate of the memory it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        const BASE: usize = 512;
        let backlog = self.backlog.memory();
        BASE + backlog
            + match &self.phase {
                Phase::Running(execution) => {
                    execution.memory() * if self.twin.is_some() { 2 } else { 1 }
                }
                Phase::Stalled { .. } | Phase::Held { .. } | Phase::Over => 0,
            }
    }

    /// Delivers an inbox: runs a turn, or records what has arrived if the instance is stalled. Whoever waits to hear of that is the
    /// shard's to tell.
    pub(crate) fn step(
        &mut self,
        inbox: Vec<Incoming>,
        now: Timestamp,
        reader: &Reader,
    ) -> Result<Option<TurnCommit>, StoreError> {
        let sorted = self.sort(inbox);
        if let Phase::Running(execution) = &self.phase
            && let Some(stall) = sorted.stall.clone()
        {
            self.backlog.undelivered = execution.untaken();
            self.phase = Phase::Stalled {
                next: execution.next(),
                unrecorded: Some(stall),
            };
        }
        let is_first = matches!(&self.phase, Phase::Running(execution) if execution.is_new());
        let draft = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Running(execution) => self.run(execution, sorted, now),
            Phase::Stalled { next, unrecorded } => {
                let turn = self.record(next, unrecorded, sorted.events, now);
                self.phase = Phase::Stalled {
                    next: after(&turn),
                    unrecorded: None,
                };
                Draft::of_record(turn)
            }
            Phase::Held { next, until } => {
                let turn = self.record(next, sorted.stall, sorted.events, now);
                let next = after(&turn);
                self.phase = Phase::Held { next, until };
                Draft::of_record(turn)
            }
            Phase::Over => None,
        };
        let commit = draft.map(|draft| self.commit(draft, reader)).transpose()?;
        Ok(commit.map(|commit| TurnCommit { is_first, ..commit }))
    }

    /// Takes note of answers that were recorded behind its last turn; the next one delivers them.
    pub(crate) fn answered(&mut self, answers: Vec<HistoryEvent>) {
        if let Phase::Running(execution) = &mut self.phase {
            if let Some(twin) = &self.twin {
                twin.note(&answers);
            }
            execution.answered(answers);
        }
    }

    /// Keeps what is for this execution, may still change something, and has room.
    fn sort(&mut self, inbox: Vec<Incoming>) -> Sorted {
        let mut sorted = Sorted {
            events: Vec::new(),
            stall: None,
        };
        let mut intake = self.backlog.open(self.untaken());
        for (place, incoming) in inbox.into_iter().enumerate() {
            match incoming {
                Incoming::Arrival {
                    event, execution, ..
                } => {
                    let is_ours = execution.is_none_or(|wanted| wanted == self.begun.execution);
                    let is_taken = is_ours
                        && self.accepts(&event)
                        && match &event {
                            HistoryEvent::EventRaised(raised) => {
                                let awaited = |name: &str| self.phase.awaited(name);
                                (self.backlog).accepts(&mut intake, place, raised, awaited)
                            }
                            _ => true,
                        };
                    if is_taken {
                        sorted.events.push(event);
                    }
                }
                Incoming::Wake => {}
                Incoming::Stall {
                    execution,
                    reason,
                    report,
                } => {
                    if execution == self.begun.execution {
                        sorted.stall = Some((reason, report));
                    }
                }
            }
        }
        self.backlog.close(&intake);
        sorted
    }

    /// How much has been raised that nobody has taken.
    fn untaken(&self) -> Load {
        match &self.phase {
            Phase::Running(execution) => execution.untaken(),
            Phase::Stalled { .. } | Phase::Held { .. } | Phase::Over => self.backlog.undelivered,
        }
    }

    /// Which events that wait for room may be delivered now.
    pub(crate) fn room(&self) -> Room {
        let any = match &self.phase {
            // What waits is in vain now, or for the next execution to judge.
            Phase::Over => return Room::UNBOUNDED,
            Phase::Running(_) | Phase::Stalled { .. } | Phase::Held { .. } => {
                self.backlog.room(self.untaken())
            }
        };
        let names = match &self.phase {
            Phase::Running(execution) if any == 0 => execution.wanted(),
            _ => Vec::new(),
        };
        Room { any, names }
    }

    fn accepts(&self, arrival: &HistoryEvent) -> bool {
        match &self.phase {
            Phase::Running(execution) => execution.accepts(arrival),
            Phase::Stalled { .. } | Phase::Held { .. } => true,
            Phase::Over => false,
        }
    }

    fn run(&mut self, mut execution: Execution, sorted: Sorted, now: Timestamp) -> Option<Draft> {
        let is_due = !sorted.events.is_empty() || execution.has_undelivered();
        if !is_due && self.stalled.is_none() {
            self.phase = Phase::Running(execution);
            return None;
        }
        let before = execution.length();
        let untaken = execution.untaken();
        let mut turn = execution.turn(now, sorted.events);
        if let Some(twin) = &self.twin {
            turn = twin.check(self.key, self.begun.execution, turn);
        }
        self.warn_of_length(before, execution.length());
        if execution.length().grown_since(before) >= limits::PAYLOAD_BYTES_WARN {
            large::warn_of_events(&self.begun.name, &turn.events);
        }
        let end = self.end_of(&mut turn, execution);
        if matches!(self.phase, Phase::Stalled { .. }) {
            self.backlog.undelivered = untaken.and_all(&turn.events);
        }
        (!turn.events.is_empty()).then_some(Draft { turn, end })
    }

    /// What the end of a turn means for the instance.
    fn end_of(&mut self, turn: &mut Turn, execution: Execution) -> TurnCommitEnd {
        match std::mem::replace(&mut turn.end, TurnEnd::Waiting) {
            TurnEnd::Waiting => {
                self.stalled = None;
                self.phase = Phase::Running(execution);
                TurnCommitEnd::Open
            }
            TurnEnd::Completed { abandoned } => TurnCommitEnd::Completed {
                parent: self.begun.parent.as_deref().cloned(),
                abandoned,
            },
            TurnEnd::Continued {
                abandoned,
                next,
                carried,
            } => TurnCommitEnd::Continued {
                next,
                carried,
                abandoned,
            },
            TurnEnd::Stalled => {
                if let Some(HistoryEvent::ExecutionStalled(stalled)) = turn.events.pop() {
                    let ExecutionStalled { at, reason, report } = stalled;
                    self.note_stall(&mut turn.events, reason, report, at);
                }
                self.phase = Phase::Stalled {
                    next: after(turn),
                    unrecorded: None,
                };
                TurnCommitEnd::Open
            }
        }
    }

    /// Records arrivals, and the stall itself if it is new, without running anything.
    fn record(
        &mut self,
        next: Sequence,
        unrecorded: Option<(StallReason, String)>,
        mut events: Vec<HistoryEvent>,
        now: Timestamp,
    ) -> Turn {
        self.backlog.undelivered = self.backlog.undelivered.and_all(&events);
        if let Some((reason, report)) = unrecorded {
            self.note_stall(&mut events, reason, report, now);
        }
        Turn {
            first: next,
            events,
            places: Vec::new(),
            child_tags: Vec::new(),
            end: TurnEnd::Waiting,
        }
    }

    /// A history that grows long is told of once, in time to end it.
    fn warn_of_length(&self, before: Length, after: Length) {
        if !before.reaches(Length::WARN) && after.reaches(Length::WARN) {
            tracing::warn!(
                instance = %self.begun.instance,
                events = after.events,
                events_max = Length::MAX.events,
                bytes = after.bytes,
                bytes_max = Length::MAX.bytes,
                "the history grows long; end the execution in time with `continue_as_new`"
            );
        }
    }

    /// Adds a stall to what is recorded, unless it is on record already: a restart that finds the same adds nothing.
    fn note_stall(
        &mut self,
        events: &mut Vec<HistoryEvent>,
        reason: StallReason,
        report: String,
        at: Timestamp,
    ) {
        let stall = ExecutionStalled { at, reason, report };
        let found = Some(Stalled::from(&stall));
        if self.stalled != found {
            tracing::error!(instance = %self.begun.instance, ?reason, "{}", stall.report);
            events.push(HistoryEvent::ExecutionStalled(stall));
            self.stalled = found;
        }
    }

    /// Encodes a draft here, beside the committer, which everybody waits for.
    fn commit(&self, draft: Draft, reader: &Reader) -> Result<TurnCommit, StoreError> {
        let Draft { turn, end } = draft;
        let execution = self.begun.execution;
        let frame = reader.encode(self.key, execution, turn.first, &turn.events)?;
        Ok(TurnCommit {
            instance: self.begun.instance.clone(),
            key: self.key,
            execution,
            frame,
            events: turn.events,
            places: turn.places,
            child_tags: turn.child_tags,
            end,
            is_first: false,
            replies: Vec::new(),
        })
    }
}

/// The sequence after a turn's last event.
fn after(turn: &Turn) -> Sequence {
    let count = u32::try_from(turn.events.len()).unwrap_or(u32::MAX);
    Sequence(turn.first.0.saturating_add(count))
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phase = match self.phase {
            Phase::Running(_) => "running",
            Phase::Stalled { .. } => "stalled",
            Phase::Held { .. } => "held",
            Phase::Over => "over",
        };
        write!(f, "`{}` {phase}", self.begun.instance)
    }
}
