//! The line of the source behind a command.

use super::HistoryEvent;
use crate::id::SiteId;

impl HistoryEvent {
    /// Where the code asked, if this is a command.
    pub fn site(&self) -> Option<SiteId> {
        match self {
            Self::ActivityScheduled(command) => Some(command.site),
            Self::TimerCreated(command) => Some(command.site),
            Self::ChildScheduled(command) => Some(command.site),
            Self::MarkerRecorded(command) => Some(command.site),
            Self::DetachedScheduled(command) => Some(command.site),
            Self::DetachedAwaited(command) => Some(command.site),
            Self::EventSent(command) => Some(command.site),
            Self::ChangeRecorded(command) => Some(command.site),
            _ => None,
        }
    }
}
