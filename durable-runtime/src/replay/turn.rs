//! One turn: what it records, how it ends.

use std::collections::BTreeMap;

use super::stall::Stall;
use crate::event::{
    Cancelled, ExecutionCompleted, ExecutionContinued, ExecutionStalled, ExecutionStarted,
    HistoryEvent,
};
use crate::failure::{Failure, FaultKind, Outcome};
use crate::id::{EventId, Sequence, SiteId, SourceSite};
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
    /// The labels of the instances that this turn starts, which their creation records.
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
    /// The same turn, of which nothing counts but what had arrived.
    pub(crate) fn refused(self, stall: &Stall) -> Self {
        let mut events = self.events;
        let turn = events
            .iter()
            .enumerate()
            .find_map(|(at, event)| match event {
                HistoryEvent::TurnStarted(turn) => Some((at, turn.at)),
                _ => None,
            });
        let (arrived, at) = turn.unwrap_or_default();
        events.truncate(arrived);
        events.push(HistoryEvent::ExecutionStalled(ExecutionStalled {
            at,
            reason: stall.reason,
            report: stall.report.clone(),
        }));
        Self::stalled(self.first, events)
    }

    /// Whether the panic of some code ended it.
    pub(crate) fn has_panicked(&self) -> bool {
        matches!(
            self.events.last(),
            Some(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
                outcome: Outcome::Failed(Failure::Fault(fault)),
            })) if fault.kind() == FaultKind::Panicked
        )
    }

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
    /// The labels of the instances that it starts.
    pub(super) child_tags: Vec<(EventId, BTreeMap<String, String>)>,
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
