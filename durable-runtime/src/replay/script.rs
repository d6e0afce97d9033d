//! How a turn begins: where its commands come from, and if it is a replay, the record that they are compared with.

use std::collections::VecDeque;

use super::divergence::{self, Divergence, Recorded, Requested};
use super::length::Length;
use super::matching;
use super::turn::End;
use crate::clock::Timestamp;
use crate::event::{Cancelled, ExecutionCompleted, HistoryEvent, TurnStarted};
use crate::failure::{Failure, Fault, Outcome};
use crate::id::{BuildId, Sequence};
use crate::payload::Payload;

/// How a turn begins.
pub(super) struct Head {
    /// The replay clock during the turn.
    pub(super) at: Timestamp,
    /// How long the history was when the turn before had ended; what has arrived since does not count.
    pub(super) length: Length,
    /// Bytes of one payload, where the record does not say whether there was room for it.
    pub(super) payload_limit: usize,
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
    /// Whether it was recorded just before by the same program, so that everything is to be equal.
    pub(super) is_of_twin: bool,
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
            is_of_twin: false,
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
                | HistoryEvent::MarkerRecorded(_)
                | HistoryEvent::DetachedScheduled(_)
                | HistoryEvent::DetachedAwaited(_)
                | HistoryEvent::EventSent(_)
                | HistoryEvent::ChangeRecorded(_) => {
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

    /// The next command of the record, which stays there.
    pub(super) fn peek(&self) -> Option<&HistoryEvent> {
        self.commands.front().map(|(_, command)| command)
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
            after: None,
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
                    origin: command.site().map(|site| (self.build, site)),
                }),
                requested: None,
                after: None,
            });
        }
        let (recorded, requested) = self
            .other_end(end)
            .or_else(|| self.other_cancellation(cancelled, end))?;
        let is_of_twin = self.is_of_twin;
        let is_reordered = match (&recorded, &requested) {
            (Some(first), Some(again)) if is_of_twin => matching::same_end_in_order(first, again),
            _ => false,
        };
        let was_end = recorded.as_ref().is_some_and(HistoryEvent::is_terminal);
        Some(Divergence {
            sequence: self.end,
            recorded: recorded.map(|event| Recorded {
                what: divergence::describe(&event, at),
                origin: None,
            }),
            requested: requested.map(|event| Requested {
                what: if is_reordered {
                    format!(
                        "{}, {}",
                        divergence::describe(&event, at),
                        matching::ANOTHER_ORDER
                    )
                } else {
                    describe_end(&event, at, is_of_twin.then_some(was_end))
                },
                site: None,
            }),
            after: None,
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
        let same = same && (!self.is_of_twin || self.has_same_value(end));
        (!same).then(|| (self.terminal.clone(), end.event()))
    }

    /// Whether the code ends, if it does, with the recorded value.
    fn has_same_value(&self, end: &End) -> bool {
        match (&self.terminal, end.event()) {
            (Some(first), Some(again)) => matching::same_end(first, &again),
            _ => true,
        }
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

/// The end that the code comes to. Of a twin's it is told that only its value is another, which is not told, or which fault it is; `twin`
/// says whether the first run had ended as well.
fn describe_end(event: &HistoryEvent, at: Timestamp, twin: Option<bool>) -> String {
    let end = divergence::describe(event, at);
    match (event, twin) {
        (
            HistoryEvent::ExecutionCompleted(ExecutionCompleted {
                outcome: Outcome::Failed(Failure::Fault(fault)),
            }),
            Some(_),
        ) => format!("{end}, by a fault: {fault}"),
        (HistoryEvent::ExecutionCompleted(_), Some(true)) => end + ", with another output",
        (HistoryEvent::ExecutionContinued(_), Some(true)) => end + ", with another input",
        _ => end,
    }
}

/// What is recorded, and what is asked for.
type Sides = (Option<HistoryEvent>, Option<HistoryEvent>);

/// The sequence after this one.
pub(super) fn after(sequence: Sequence) -> Sequence {
    Sequence(sequence.0.saturating_add(1))
}
