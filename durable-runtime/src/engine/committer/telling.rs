//! What a batch notes for those who watch the engine: see [`observe`](crate::engine::observe).

use super::batch::Batch;
use crate::clock::Timestamp;
use crate::event::HistoryEvent;
use crate::id::InstanceKey;
use crate::store::{Summary, Transaction};

impl Batch {
    /// An instance is new, and is to run its first turn, at once or not before `start_at`.
    pub(super) fn created(
        &mut self,
        transaction: &Transaction<'_>,
        key: InstanceKey,
        start_at: Option<Timestamp>,
    ) {
        self.begin_at(key, start_at);
        if let Some(created) = transaction.staged(key) {
            self.observer.created(&mut self.effects.news, created);
        }
    }

    /// These events of an instance are appended; `is_first` says that no turn of its execution had run before.
    pub(super) fn appended(
        &mut self,
        transaction: &Transaction<'_>,
        key: InstanceKey,
        is_first: bool,
        events: &[HistoryEvent],
    ) {
        if let Some(now) = transaction.staged(key) {
            (self.observer).appended(&mut self.effects.news, now, is_first, events);
        }
    }

    /// An instance is no more, of which this was the last.
    pub(super) fn purged(&mut self, last: &Summary) {
        (self.observer).purged(&mut self.effects.news, last, self.now);
    }
}
