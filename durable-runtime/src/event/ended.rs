//! From an outcome to the event that records it.

use super::{Completed, Failed, HistoryEvent};
use crate::clock::Timestamp;
use crate::failure::Outcome;
use crate::id::EventId;

/// What has ended: which pair of events its outcome is told in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ended {
    Activity,
    Child,
    /// An instance that is no child.
    Detached,
}

impl Ended {
    /// The arrival that answers the command `scheduled`.
    pub(crate) fn with(self, outcome: Outcome, scheduled: EventId, at: Timestamp) -> HistoryEvent {
        match outcome {
            Outcome::Completed(output) => self.completed()(Completed {
                scheduled,
                at,
                output,
            }),
            Outcome::Failed(failure) => self.failed()(Failed {
                scheduled,
                at,
                failure,
            }),
        }
    }

    fn completed(self) -> fn(Completed) -> HistoryEvent {
        match self {
            Self::Activity => HistoryEvent::ActivityCompleted,
            Self::Child => HistoryEvent::ChildCompleted,
            Self::Detached => HistoryEvent::DetachedCompleted,
        }
    }

    fn failed(self) -> fn(Failed) -> HistoryEvent {
        match self {
            Self::Activity => HistoryEvent::ActivityFailed,
            Self::Child => HistoryEvent::ChildFailed,
            Self::Detached => HistoryEvent::DetachedFailed,
        }
    }
}
