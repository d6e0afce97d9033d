//! What a rewind records: which events of a history count no more, and what is outstanding again.
//!
//! Nothing is taken out of a history. What counts of it, its *effective* history, is all but what the rewinds in it have
//! made void; replay and everybody who asks what an instance does look at that.
//!
//! Source: `docs/design.md`, "Rewind".

use super::{ActivityScheduled, HistoryEvent};
use crate::clock::Timestamp;
use crate::id::{EventId, InstanceId, Sequence};
use crate::payload::Payload;

/// An instance that had failed goes on from before its failure, in the same execution.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionRewound {
    /// When.
    pub at: Timestamp,
    /// Why, as whoever rewound it says.
    pub reason: String,
    /// Which events count no more, beside those that earlier rewinds have made void; rising, and apart from one another.
    pub void: Vec<Voided>,
    /// The number of the next command; no command before has it, void ones included.
    pub next: EventId,
    /// How many arrivals the next turn delivers, of those that void turns had delivered.
    pub undelivered: u32,
    /// Attempts that have no outcome now; they run again.
    pub activities: Vec<ActivityScheduled>,
    /// Timers that have not fired, and when they are due.
    pub timers: Vec<(EventId, Timestamp)>,
    /// Children that have no outcome now.
    pub children: Vec<(EventId, InstanceId)>,
    /// Instances that are no children and whose outcome it waits for.
    pub awaited: Vec<(EventId, InstanceId)>,
    /// The custom status as of what counts, if what was set last is void; `null` if none was set before.
    pub status: Option<Payload>,
    /// Whether it was rewound by itself, and not as a child with its parent. So nobody may wait for it, and it is not to end
    /// for that.
    pub is_alone: bool,
}

/// Some events in a row that count no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voided {
    /// The position of the first in the history of its execution.
    pub first: u32,
    /// The position of the last.
    pub last: u32,
}

/// The events of a history that count, in order: all but those that a rewind made void.
///
/// The rewinds themselves are among them.
pub fn effective(history: &[HistoryEvent]) -> impl Iterator<Item = &HistoryEvent> {
    let void = Void::of(history, Sequence(0));
    let numbered = (0..).zip(history);
    numbered.filter_map(move |(position, event)| (!void.holds(Sequence(position))).then_some(event))
}

/// Which events of a history count no more.
#[derive(Debug, Default)]
pub(crate) struct Void(Vec<Voided>);

impl Void {
    /// What the rewinds among these events say; `first` is the position of the first of them.
    pub(crate) fn of(events: &[HistoryEvent], first: Sequence) -> Self {
        let mut all: Vec<Voided> = Vec::new();
        for event in events {
            if let HistoryEvent::ExecutionRewound(rewound) = event {
                // Of what was fed before, nothing can become void any more.
                let void = rewound.void.iter().copied();
                all.extend(void.filter(|void| void.last >= first.0));
            }
        }
        all.sort_unstable_by_key(|void| void.first);
        Self(all)
    }

    /// Whether the event at this position is void.
    pub(crate) fn holds(&self, position: Sequence) -> bool {
        let after = self.0.partition_point(|void| void.first <= position.0);
        let before = after.checked_sub(1).and_then(|at| self.0.get(at));
        before.is_some_and(|void| position.0 <= void.last)
    }
}

impl ExecutionRewound {
    /// Bytes of payloads and text of users that it carries.
    pub(super) fn payload_bytes(&self) -> usize {
        let inputs = self.activities.iter().map(|it| it.input.bytes().len());
        let status = self.status.as_ref().map_or(0, |it| it.bytes().len());
        inputs.sum::<usize>() + status + self.reason.len()
    }
}
