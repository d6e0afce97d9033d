//! Changes of the code under running executions: which of them an execution has begun with.
//!
//! Source: `docs/design.md`, "Changes of code".

use std::collections::BTreeMap;

use super::context::Context;
use super::script::Mode;
use crate::event::{ChangeRecorded, HistoryEvent, Name};
use crate::id::SourceSite;

/// What an execution has been told of changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The first answer for each, which stays.
    said: BTreeMap<Name, bool>,
    /// How many log lines are being evaluated.
    tellings: u32,
}

impl Context {
    /// Whether this execution runs with the change. The first time it is asked live, that is recorded.
    pub(crate) fn changed(&mut self, site: SourceSite, change: Name) -> bool {
        if let Some(said) = self.changes.said.get(&change) {
            return *said;
        }
        // A log line is left out on replay, so it decides nothing.
        if self.changes.tellings > 0 || !self.is_running() {
            return !self.is_replaying();
        }
        let has = match &self.mode {
            Mode::Replay(_) => self.is_next(&change),
            Mode::Progress => true,
        };
        if has {
            self.record_change(site, change.clone());
        }
        self.changes.said.insert(change, has);
        has
    }

    /// Passes the mark of a change, if it is recorded here; records nothing.
    pub(crate) fn retired(&mut self, site: SourceSite, change: Name) {
        if self.is_running() && self.is_replaying() && self.is_next(&change) {
            self.record_change(site, change.clone());
            self.changes.said.insert(change, true);
        }
    }

    /// Whether the next recorded command is the mark of this change.
    fn is_next(&self, change: &Name) -> bool {
        let Mode::Replay(script) = &self.mode else {
            return false;
        };
        matches!(script.peek(), Some(HistoryEvent::ChangeRecorded(mark)) if mark.change == *change)
    }

    fn record_change(&mut self, site: SourceSite, change: Name) {
        let command = |id| {
            HistoryEvent::ChangeRecorded(ChangeRecorded {
                id,
                site: site.id(),
                change,
            })
        };
        // If the turn has no room for it, it is stopped, and the answer counts for nothing.
        self.tell(site, command);
    }

    /// Says that a log line begins.
    pub(crate) fn begin_telling(&mut self) {
        self.changes.tellings = self.changes.tellings.saturating_add(1);
    }

    /// Says that a log line ends.
    pub(crate) fn end_telling(&mut self) {
        self.changes.tellings = self.changes.tellings.saturating_sub(1);
    }
}
