//! Removing what has ended.
//!
//! Source: `docs/design.md`, "Purge".

use super::batch::{Batch, Stage};
use crate::clock::Timestamp;
use crate::engine::message::{Buried, Left, Purge};
use crate::id::InstanceKey;
use crate::store::{StoreError, Summary, chain};

impl Batch {
    /// Purges those that have ended and of which everybody has heard.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(super) fn purge(
        &mut self,
        stage: &mut Stage<'_, '_>,
        purge: Purge,
    ) -> Result<(), StoreError> {
        let mut buried = Buried::default();
        for key in purge.keys {
            match self.purge_one(stage, key, purge.ended_by) {
                Ok(None) => {}
                Ok(Some(Ok(()))) => buried.count += 1,
                Ok(Some(Err(left))) => buried.left.push((key, left)),
                Err(error) => {
                    self.effects.keep(purge.reply);
                    return Err(error);
                }
            }
        }
        self.effects.answer(purge.reply, buried);
        Ok(())
    }

    /// `None`: there is none, or it is not meant.
    fn purge_one(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        ended_by: Option<Timestamp>,
    ) -> Result<Option<Result<(), Left>>, StoreError> {
        let summary = match stage.transaction.summary(key) {
            Ok(Some(summary)) => summary,
            Ok(None) => return Ok(None),
            Err(error) if error.is_of_one_instance() => {
                return Ok(Some(Err(Left::Unreadable(error))));
            }
            Err(error) => return Err(error),
        };
        if !summary.has_ended() {
            return Ok(Some(Err(Left::Alive(summary.status))));
        }
        let ended_at = summary.completed_at.map(Timestamp::from_system_time);
        if ended_by.is_some_and(|by| ended_at > Some(by)) {
            return Ok(None);
        }
        if let Some(waiter) = stage.bonds.hears_of(key) {
            return Ok(Some(Err(Left::Awaited(waiter))));
        }
        self.bury(stage, key, &summary)?;
        Ok(Some(Ok(())))
    }

    /// Removes an instance that has ended. Which of its children are to end is found by it when the store is opened: to those
    /// that have not recorded that yet it is recorded now.
    pub(super) fn bury(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        last: &Summary,
    ) -> Result<(), StoreError> {
        for child in stage.bonds.take_dismissed(key) {
            match self.record_dismissal(stage, child) {
                Err(error) if error.is_of_one_instance() => {
                    let report = chain(&error);
                    tracing::error!(child = child.0, "a child cannot be told to end: {report}");
                }
                recorded => recorded?,
            }
        }
        stage.transaction.purge(key)?;
        self.purged(last);
        self.touched.push(key);
        Ok(())
    }
}
