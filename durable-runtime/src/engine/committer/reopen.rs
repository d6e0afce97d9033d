//! Opening the file again, once a full disk has room.
//!
//! What was on its way when a write did not succeed is lost to this engine, as to one that was killed; what is on the disk is
//! read anew, and all goes on from there.

use std::sync::Arc;

use super::Committer;
use crate::clock::{Entropy, Timestamp};
use crate::engine::message::{Effects, Submission};
use crate::engine::recovery;
use crate::limits;
use crate::store::{Medium, StoreError};

/// What opening the file again takes.
pub(crate) struct Reopener {
    pub(crate) medium: Medium,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) fingerprint: [u8; 8],
}

impl Committer {
    /// Whether room on the disk is all that is wanting.
    ///
    /// Not so after a sync that did not succeed: what it has lost may still be seen in this process.
    pub(crate) fn can_reopen_after(&self, error: &StoreError) -> bool {
        self.reopener.is_some() && error.is_full() && !self.store.has_lost_sync()
    }

    /// Drops everything that waits to be written, and what is not to be answered any more; keeps the questions.
    pub(crate) fn keep_questions(&mut self, submissions: impl IntoIterator<Item = Submission>) {
        self.queue
            .extend(submissions.into_iter().filter(|it| !it.is_write()));
        // A client that gives up says nothing, and may ask again and again.
        if self.queue.len() >= self.prune_at {
            self.queue.retain(Submission::is_awaited);
            self.prune_at = (self.queue.len() * 2).max(limits::BATCH_RECORDS_MAX);
        }
        self.unanswered.clear();
    }

    /// Opens the file again and works out what is outstanding.
    ///
    /// # Errors
    /// The file could not be opened; it can be tried again.
    pub(crate) fn reopen(&mut self, now: Timestamp) -> Result<Effects, StoreError> {
        let Some(reopener) = &self.reopener else {
            return Err(StoreError::Closed);
        };
        let medium = reopener.medium.again().ok_or(StoreError::Closed)?;
        let mut recovered = (self.store).reopen(medium, now, &*reopener.entropy)?;
        // The process lives: nothing has died of what was outstanding.
        recovered.clean = true;
        self.build = self.store.build(&reopener.fingerprint)?;
        let plan = recovery::plan(&recovered, &self.store.reader(), self.build, now)?;
        plan.record(&mut self.store, now)?;
        self.bonds = plan.bonds;
        let mut effects = plan.effects.without_trials();
        self.watchers.notify_all(&mut effects)?;
        Ok(effects)
    }
}
