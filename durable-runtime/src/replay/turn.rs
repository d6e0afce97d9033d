//! One turn: where its commands come from, what it recorded, how it ended.

use std::collections::{BTreeMap, VecDeque};

use super::divergence::{self, Divergence, Recorded, Requested};
use super::stall::Stall;
use crate::clock::Timestamp;
use crate::event::{
    Cancelled, ExecutionCompleted, ExecutionContinued, ExecutionStarted, HistoryEvent, TurnStarted,
};
use crate::failure::{Failure, Fault, Outcome};
use crate::id::{BuildId, EventId, Sequence, SiteId, SourceSite};
use crate::payload::Payload;

/// A new turn: what is to be appended, and what follows from it once it is on disk.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The sequence of the first of `events`.
    pub(crate) first: Sequence,
    /// All that is to be appended, in order.
    ///
    /// A command may be followed by its own `Cancelled`: such a command is never to be started.
    pub(crate) events: Vec<HistoryEvent>,
    /// The places of the commands of this turn.
    pub(crate) places: Vec<(SiteId, SourceSite)>,
    /// The labels of the children of this turn, which their creation records.
    pub(crate) child_tags: Vec<(EventId, BTreeMap<String, String>)>,
    /// How it ended.
    pub(crate) end: TurnEnd,
}

/// How a turn ended.
#[derive(Debug)]
pub(crate) enum TurnEnd {
    /// Every await waits.
    Waiting,
    /// The execution and its instance ended.
    Completed {
        /// What was still open.
        abandoned: Vec<Cancelled>,
    },
    /// The execution ended and the instance goes on.
    Continued {
        /// What was still open.
        abandoned: Vec<Cancelled>,
        /// The begin of the next execution, its first event.
        next: Box<ExecutionStarted>,
        /// The arrivals that follow `next`: external events that nobody consumed, in order of arrival, and a wish to
        /// cancel the instance that came too late for this execution.
        carried: Vec<HistoryEvent>,
    },
    /// The turn cannot be run. The live execution is spent; its history, with this turn's arrivals, is not.
    Stalled,
}

impl Turn {
    /// A turn that cannot be run: its arrivals and the stall.
    pub(super) fn stalled(first: Sequence, events: Vec<HistoryEvent>) -> Self {
        Self {
            first,
            events,
            places: Vec::new(),
            child_tags: Vec::new(),
            end: TurnEnd::Stalled,
        }
    }
}

/// How a turn begins.
pub(super) struct Head {
    /// The replay clock during the turn.
    pub(super) at: Timestamp,
    /// Where its commands come from.
    pub(super) mode: Mode,
}

/// Whether the turn is recorded already.
pub(super) enum Mode {
    /// It is: commands are compared with the record.
    Replay(Box<Script>),
    /// It is not: commands are recorded.
    Progress,
}

/// The recorded part of a turn that follows its `TurnStarted`.
pub(super) struct Script {
    /// The build that ran the turn.
    pub(super) build: BuildId,
    /// Its commands that the code has not asked for yet.
    commands: VecDeque<(Sequence, HistoryEvent)>,
    /// The sequence after its last command.
    end: Sequence,
    cancelled: Vec<Cancelled>,
    /// Its last custom status.
    pub(super) status: Option<Payload>,
    terminal: Option<HistoryEvent>,
}

impl Script {
    /// Reads the recorded events of a turn off the front of `rest`; `first` is the sequence of the first of them.
    pub(super) fn read(turn: TurnStarted, first: Sequence, rest: &mut &[HistoryEvent]) -> Self {
        let mut script = Self {
            build: turn.build,
            commands: VecDeque::new(),
            end: first,
            cancelled: Vec::new(),
            status: None,
            terminal: None,
        };
        let mut sequence = first;
        while let Some((event, tail)) = rest.split_first() {
            match event {
                HistoryEvent::ActivityScheduled(_)
                | HistoryEvent::TimerCreated(_)
                | HistoryEvent::ChildScheduled(_)
                | HistoryEvent::MarkerRecorded(_) => {
                    script.commands.push_back((sequence, event.clone()));
                    script.end = after(sequence);
                }
                HistoryEvent::Cancelled(cancelled) => script.cancelled.push(*cancelled),
                HistoryEvent::CustomStatusSet(set) => script.status = Some(set.status.clone()),
                HistoryEvent::ExecutionCompleted(_) | HistoryEvent::ExecutionContinued(_) => {
                    script.terminal = Some(event.clone());
                }
                _ => break,
            }
            sequence = after(sequence);
            *rest = tail;
        }
        script
    }

    /// The next command of the record.
    pub(super) fn next(&mut self) -> Option<(Sequence, HistoryEvent)> {
        self.commands.pop_front()
    }

    /// The fault that ended the execution, if all commands before it have been asked for.
    pub(super) fn last_fault(&self) -> Option<&Fault> {
        match &self.terminal {
            Some(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
                outcome: Outcome::Failed(Failure::Fault(fault)),
            })) if self.commands.is_empty() => Some(fault),
            _ => None,
        }
    }

    /// The divergence of a request beyond what is recorded.
    pub(super) fn beyond(&self, requested: Requested) -> Divergence {
        Divergence {
            sequence: self.end,
            recorded: None,
            requested: Some(requested),
        }
    }

    /// What tells the end of the turn from the recorded one: a command or cancellation too many or too few, another end.
    pub(super) fn remainder(
        &mut self,
        at: Timestamp,
        cancelled: &[Cancelled],
        end: &End,
    ) -> Option<Divergence> {
        if let Some((sequence, command)) = self.next() {
            return Some(Divergence {
                sequence,
                recorded: Some(Recorded {
                    what: divergence::describe(&command, at),
                    origin: divergence::site(&command).map(|site| (self.build, site)),
                }),
                requested: None,
            });
        }
        let (recorded, requested) = self
            .other_end(end)
            .or_else(|| self.other_cancellation(cancelled, end))?;
        Some(Divergence {
            sequence: self.end,
            recorded: recorded.map(|event| Recorded {
                what: divergence::describe(&event, at),
                origin: None,
            }),
            requested: requested.map(|event| Requested {
                what: divergence::describe(&event, at),
                site: None,
            }),
        })
    }

    /// The recorded and the present end, if they are of different kinds.
    fn other_end(&self, end: &End) -> Option<Sides> {
        let same = matches!(
            (&self.terminal, end),
            (Some(HistoryEvent::ExecutionCompleted(_)), End::Completed(_))
                | (
                    Some(HistoryEvent::ExecutionContinued(_)),
                    End::Continued { .. }
                )
                | (None, End::Waiting | End::Stalled(_))
        );
        (!same).then(|| (self.terminal.clone(), end.event()))
    }

    /// The first cancellation that only one side has. A terminal record closes all open work, so there are none to
    /// compare in a last turn.
    fn other_cancellation(&mut self, cancelled: &[Cancelled], end: &End) -> Option<Sides> {
        if !matches!(end, End::Waiting) {
            return None;
        }
        let mut requested = cancelled.to_vec();
        requested.sort_unstable();
        self.cancelled.sort_unstable();
        let only = |these: &[Cancelled], those: &[Cancelled]| {
            let lone = these.iter().find(|one| !those.contains(one));
            lone.copied().map(HistoryEvent::Cancelled)
        };
        if requested == self.cancelled {
            return None;
        }
        Some((
            only(&self.cancelled, &requested),
            only(&requested, &self.cancelled),
        ))
    }
}

/// What is recorded, and what is asked for.
type Sides = (Option<HistoryEvent>, Option<HistoryEvent>);

/// The sequence after this one.
pub(super) fn after(sequence: Sequence) -> Sequence {
    Sequence(sequence.0.saturating_add(1))
}

/// What a live turn records, and what a replayed one would.
#[derive(Debug, Default)]
pub(super) struct TurnRecord {
    /// Its commands; stays empty on replay.
    pub(super) commands: Vec<HistoryEvent>,
    /// How many commands there were.
    pub(super) count: usize,
    /// The size of their payloads, in bytes.
    pub(super) bytes: usize,
    /// What was cancelled.
    pub(super) cancelled: Vec<Cancelled>,
    /// The last custom status.
    pub(super) status: Option<Payload>,
    /// Where the commands were asked for.
    pub(super) places: BTreeMap<SiteId, SourceSite>,
    /// The labels of children.
    pub(super) child_tags: Vec<(EventId, BTreeMap<String, String>)>,
}

impl TurnRecord {
    /// How many events it becomes.
    pub(super) fn len(&self) -> usize {
        let head_and_end = 2;
        let status = usize::from(self.status.is_some());
        self.commands.len() + self.cancelled.len() + status + head_and_end
    }
}

/// What running a turn came to.
pub(super) enum End {
    /// Every await waits.
    Waiting,
    /// The code returned, or a fault ended it.
    Completed(Outcome),
    /// The code asked for a new execution.
    Continued {
        next: Box<ExecutionStarted>,
        carried: Vec<HistoryEvent>,
    },
    /// The turn cannot be run.
    Stalled(Stall),
}

impl End {
    /// The terminal event, if the execution ended.
    pub(super) fn event(&self) -> Option<HistoryEvent> {
        match self {
            Self::Waiting | Self::Stalled(_) => None,
            Self::Completed(outcome) => {
                let outcome = outcome.clone();
                Some(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
                    outcome,
                }))
            }
            Self::Continued { next, .. } => {
                let input = next.input.clone();
                Some(HistoryEvent::ExecutionContinued(ExecutionContinued {
                    input,
                }))
            }
        }
    }

    /// What follows from it once the turn is on disk.
    pub(super) fn concluded(self, abandoned: Vec<Cancelled>) -> TurnEnd {
        match self {
            Self::Waiting => TurnEnd::Waiting,
            Self::Completed(_) => TurnEnd::Completed { abandoned },
            Self::Continued { next, carried } => TurnEnd::Continued {
                abandoned,
                next,
                carried,
            },
            Self::Stalled(_) => TurnEnd::Stalled,
        }
    }
}
