//! How far a failed instance goes back, worked out from its history alone.
//!
//! Whole turns are taken back, from the *cut* on, and what reached the instance in them is delivered again, but for the
//! failures that led to the end: what had failed is asked for again. What stands before the cut stays as it is. So the
//! code finds in its history what it found before, and no activity that has succeeded for a command before the cut runs
//! again.
//!
//! Source: `docs/design.md`, "Rewind".

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::event::{
    ChildScheduled, DetachedAwaited, DetachedScheduled, ExecutionRewound, HistoryEvent,
    TimerPurpose, Void, Voided,
};
use crate::failure::{Failure, FaultKind, Outcome};
use crate::id::{EventId, Sequence};
use crate::payload::{Codec, Payload};
use crate::store::Outstanding;

mod turns;

use turns::{Turn, answered, turns};

/// What a rewind comes to.
#[derive(Debug)]
pub(crate) struct Rewinding {
    pub(crate) event: ExecutionRewound,
    /// The commands of children that are to be waited for again.
    pub(crate) children: Vec<ChildScheduled>,
    /// The questions for outcomes that are to be asked again.
    pub(crate) awaited: Vec<DetachedAwaited>,
    /// The detached starts that were refused and are to be tried again.
    pub(crate) starts: Vec<DetachedScheduled>,
}

/// Works out how an execution that has failed goes on. `None`: this history does not end with a failure.
pub(crate) fn plan(history: &[HistoryEvent], at: Timestamp, reason: &str) -> Option<Rewinding> {
    let HistoryEvent::ExecutionCompleted(end) = history.last()? else {
        return None;
    };
    let Outcome::Failed(failure) = &end.outcome else {
        return None;
    };
    let before = Void::of(history, Sequence(0));
    let past = Past::read(history, &before)?;
    let cut = past.cut(failure);
    let void = past.void(&cut);
    Some(past.rewinding(&void, at, reason))
}

/// A history as far as it counts, by turns.
struct Past<'h> {
    history: &'h [HistoryEvent],
    /// The positions that count.
    counts: Vec<usize>,
    turns: Vec<Turn>,
    /// By the number of each command, the turn that asked for it.
    asked: BTreeMap<EventId, usize>,
    /// By call, the position of the last sign that it is tried again.
    retried: BTreeMap<EventId, usize>,
    /// By the number of each attempt, its call.
    calls: BTreeMap<EventId, EventId>,
}

/// From where on a history counts no more.
struct Cut {
    /// Failures in the turns from this one on are taken back.
    from: usize,
    /// This turn is void, and all after it.
    turn: usize,
}

impl<'h> Past<'h> {
    fn read(history: &'h [HistoryEvent], before: &Void) -> Option<Self> {
        let position = |at: usize| Sequence(u32::try_from(at).unwrap_or(u32::MAX));
        let counts: Vec<usize> = (0..history.len())
            .filter(|at| !before.holds(position(*at)))
            .collect();
        let turns = turns(history, &counts);
        let mut past = Self {
            history,
            counts,
            asked: BTreeMap::new(),
            retried: BTreeMap::new(),
            calls: BTreeMap::new(),
            turns: Vec::new(),
        };
        for (turn, of) in turns.iter().enumerate() {
            for at in &of.body {
                past.note(turn, *at);
            }
        }
        past.turns = turns;
        (!past.turns.is_empty()).then_some(past)
    }

    fn note(&mut self, turn: usize, at: usize) {
        let Some(event) = self.history.get(at) else {
            return;
        };
        if let Some(id) = event.command() {
            self.asked.insert(id, turn);
        }
        let (id, call, attempt) = match event {
            HistoryEvent::ActivityScheduled(it) => (it.id, it.call, it.attempt),
            HistoryEvent::ChildScheduled(it) => (it.id, it.call, it.attempt),
            HistoryEvent::TimerCreated(it) => {
                if let TimerPurpose::Retry(call) = it.purpose {
                    self.retried.insert(call, at);
                }
                return;
            }
            _ => return,
        };
        self.calls.insert(id, call);
        if attempt > 1 {
            self.retried.insert(call, at);
        }
    }

    /// Where a history is cut that has ended with this failure.
    fn cut(&self, failure: &Failure) -> Cut {
        let last = self.turns.len().saturating_sub(1);
        // Turns that asked for nothing new: whatever they were told may have led to the end.
        let quiet = (0..last).rev().take_while(|turn| self.is_quiet(*turn));
        let stretch = quiet.last().unwrap_or(last)..=last;
        let from = (stretch.into_iter())
            .find(|turn| self.failures(*turn).next().is_some())
            .or_else(|| (0..last).rev().find(|turn| self.tells(*turn, failure)))
            .unwrap_or(last);
        let loud = (from..last).find(|turn| !self.is_quiet(*turn));
        let mut turn = loud.unwrap_or(last);
        // What asked for nothing at all is run again rather than replayed without what it was told.
        while turn > from && self.turns.get(turn - 1).is_some_and(|turn| turn.is_silent) {
            turn -= 1;
        }
        Cut { from, turn }
    }

    fn is_quiet(&self, turn: usize) -> bool {
        self.turns.get(turn).is_some_and(|turn| turn.is_quiet)
    }

    /// The failures that reached the instance in a turn and were not followed by another attempt.
    fn failures(&self, turn: usize) -> impl Iterator<Item = usize> {
        let arrivals = (self.turns.get(turn)).map_or(&[][..], |turn| &turn.arrivals);
        let arrivals = arrivals.iter().copied();
        arrivals.filter(|at| self.is_final(*at))
    }

    fn is_final(&self, at: usize) -> bool {
        match self.history.get(at) {
            Some(HistoryEvent::ActivityFailed(failed) | HistoryEvent::ChildFailed(failed)) => {
                let call = self.calls.get(&failed.scheduled);
                let again = call.and_then(|call| self.retried.get(call));
                again.is_none_or(|again| *again < at)
            }
            Some(
                HistoryEvent::DetachedFailed(_)
                | HistoryEvent::DetachedRefused(_)
                | HistoryEvent::CancelRequested(_),
            ) => true,
            _ => false,
        }
    }

    /// Whether a failure of this turn is what the execution ended with, or is told of in it.
    fn tells(&self, turn: usize, end: &Failure) -> bool {
        self.failures(turn).any(|at| match self.history.get(at) {
            Some(HistoryEvent::CancelRequested(requested)) => {
                matches!(end, Failure::Fault(fault) if fault.kind() == FaultKind::Cancelled)
                    || is_message_told_in(&requested.reason, end)
            }
            Some(
                HistoryEvent::ActivityFailed(failed)
                | HistoryEvent::ChildFailed(failed)
                | HistoryEvent::DetachedFailed(failed)
                | HistoryEvent::DetachedRefused(failed),
            ) => failed.failure == *end || is_told_in(&failed.failure, end),
            _ => false,
        })
    }

    /// The positions that count no more from now on.
    fn void(&self, cut: &Cut) -> Vec<usize> {
        let mut void = Vec::new();
        for (number, turn) in self.turns.iter().enumerate().skip(cut.from) {
            let is_void = number >= cut.turn;
            let arrivals = turn.arrivals.iter().copied();
            void.extend(arrivals.filter(|at| match answered(self.history.get(*at)) {
                // An answer to what was not asked: to a command of a void turn, or of none.
                Some(id) if self.asked.get(&id).is_none_or(|asked| *asked >= cut.turn) => true,
                _ => self.is_final(*at),
            }));
            if is_void {
                void.extend(&turn.body);
            }
        }
        void.sort_unstable();
        void
    }

    fn rewinding(&self, void: &[usize], at: Timestamp, reason: &str) -> Rewinding {
        let kept = || {
            let counts = self.counts.iter();
            let kept = counts.filter(|at| void.binary_search(at).is_err());
            kept.filter_map(|at| self.history.get(*at))
        };
        let mut open = Outstanding::default();
        let before = |event: &&HistoryEvent| !matches!(event, HistoryEvent::ExecutionRewound(_));
        kept().filter(before).for_each(|event| open.apply(event));
        let mut rewinding = Rewinding {
            event: ExecutionRewound {
                at,
                reason: reason.to_owned(),
                void: rows(void),
                next: next_command(self.history),
                undelivered: open.undelivered,
                status: self.status(void, kept()),
                activities: open.activities.into_values().collect(),
                timers: open.timers.into_iter().collect(),
                is_alone: true,
                children: Vec::new(),
                awaited: Vec::new(),
            },
            children: Vec::new(),
            awaited: Vec::new(),
            starts: Vec::new(),
        };
        let refused = self.refused(void);
        for event in kept() {
            match event {
                HistoryEvent::ChildScheduled(it) if open.children.contains_key(&it.id) => {
                    rewinding.children.push(it.clone());
                }
                HistoryEvent::DetachedAwaited(it) if open.awaited.contains_key(&it.id) => {
                    rewinding.awaited.push(it.clone());
                }
                HistoryEvent::DetachedScheduled(it) if refused.contains(&it.id) => {
                    rewinding.starts.push(it.clone());
                }
                _ => {}
            }
        }
        rewinding.event.children = open.children.into_iter().collect();
        rewinding.event.awaited = open.awaited.into_iter().collect();
        rewinding
    }

    /// The custom status that counts, if the one that was set last does not.
    fn status(
        &self,
        void: &[usize],
        kept: impl Iterator<Item = &'h HistoryEvent>,
    ) -> Option<Payload> {
        let is_status = |at: &&usize| {
            let event = self.history.get(**at);
            matches!(event, Some(HistoryEvent::CustomStatusSet(_)))
        };
        void.iter().find(is_status)?;
        let set = kept.filter_map(|event| match event {
            HistoryEvent::CustomStatusSet(set) => Some(set.status.clone()),
            _ => None,
        });
        let none = || Payload::from_parts(Codec::Json, &b"null"[..]);
        Some(set.last().unwrap_or_else(none))
    }

    /// The starts whose refusal counts no more.
    fn refused(&self, void: &[usize]) -> BTreeSet<EventId> {
        let refused = void.iter().filter_map(|at| match self.history.get(*at)? {
            HistoryEvent::DetachedRefused(refused) => Some(refused.scheduled),
            _ => None,
        });
        refused.collect()
    }
}

/// Whether the message of a failure is found in what the execution ended with.
fn is_told_in(failure: &Failure, end: &Failure) -> bool {
    let message = match failure {
        Failure::Returned(returned) => returned.details.message.as_str(),
        Failure::Fault(fault) => fault.message(),
    };
    is_message_told_in(message, end)
}

fn is_message_told_in(message: &str, end: &Failure) -> bool {
    let (told, causes) = match end {
        Failure::Returned(returned) => (
            returned.details.message.as_str(),
            returned.details.causes.as_slice(),
        ),
        Failure::Fault(fault) => (fault.message(), fault.causes()),
    };
    let holds = |text: &str| !message.is_empty() && text.contains(message);
    holds(told) || causes.iter().any(|cause| holds(cause))
}

/// Positions that follow one another as rows.
fn rows(positions: &[usize]) -> Vec<Voided> {
    let rows = positions.chunk_by(|before, after| before + 1 == *after);
    let position = |at: &usize| u32::try_from(*at).unwrap_or(u32::MAX);
    rows.filter_map(|row| {
        Some(Voided {
            first: position(row.first()?),
            last: position(row.last()?),
        })
    })
    .collect()
}

/// The number that no command of a history has, void or not.
fn next_command(history: &[HistoryEvent]) -> EventId {
    let after = |event: &HistoryEvent| match event {
        HistoryEvent::ExecutionRewound(rewound) => Some(rewound.next.0),
        event => event.command().map(|id| id.0.saturating_add(1)),
    };
    EventId(history.iter().filter_map(after).max().unwrap_or(0))
}
