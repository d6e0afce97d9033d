//! How long a history has grown, and how long it may grow.

use super::stall::Stall;
use crate::event::HistoryEvent;
use crate::id::Sequence;
use crate::limits;

/// The length of the history of one execution: a pure fold of its events, so that it is the same live and on replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Length {
    /// How many events there are, which is also the sequence of the next.
    pub(crate) events: u32,
    /// What they take, in bytes: what they carry of users, and 32 bytes for each.
    pub(crate) bytes: u64,
}

impl Length {
    /// The length with these events behind.
    pub(super) fn and(self, events: &[HistoryEvent]) -> Self {
        let size = |event: &HistoryEvent| event.payload_bytes() + limits::EVENT_BYTES;
        let bytes: usize = events.iter().map(size).sum();
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        Self {
            events: self.events.saturating_add(count),
            bytes: (self.bytes).saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX)),
        }
    }

    /// Where the next event goes.
    pub(super) fn next(self) -> Sequence {
        Sequence(self.events)
    }

    /// How many bytes longer than `before` it is.
    pub(crate) fn grown_since(self, before: Self) -> usize {
        usize::try_from(self.bytes.saturating_sub(before.bytes)).unwrap_or(usize::MAX)
    }

    /// Whether either count has reached that of `bound`.
    pub(crate) fn reaches(self, bound: Self) -> bool {
        self.events >= bound.events || self.bytes >= bound.bytes
    }

    /// From here on it is worth while to continue as new.
    pub(crate) const CONTINUE: Self = Self {
        events: limits::CONTINUE_EVENTS,
        bytes: limits::CONTINUE_BYTES,
    };
    /// From here on a warning is logged.
    pub(crate) const WARN: Self = Self {
        events: limits::HISTORY_EVENTS_WARN,
        bytes: limits::HISTORY_BYTES_WARN,
    };
    /// Beyond this an execution stalls.
    pub(crate) const MAX: Self = Self {
        events: limits::HISTORY_EVENTS_MAX,
        bytes: limits::HISTORY_BYTES_MAX,
    };

    /// The stall of a history that would become this long, if that is beyond `most`.
    pub(super) fn beyond(self, most: Self) -> Option<Stall> {
        if self.events > most.events {
            return Some(Stall::history_events(self.events, most.events));
        }
        (self.bytes > most.bytes).then(|| Stall::history_bytes(self.bytes, most.bytes))
    }
}
