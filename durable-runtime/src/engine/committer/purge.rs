//! Removing what has ended.
//!
//! Source: `docs/design.md`, "Purge".

use super::batch::{Batch, Stage};
use crate::engine::message::{Buried, Left, Purge};
use crate::id::InstanceKey;
use crate::store::StoreError;

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
            match self.purge_one(stage, key) {
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

    /// `None`: there is none.
    fn purge_one(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
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
        if let Some(waiter) = stage.bonds.hears_of(key) {
            return Ok(Some(Err(Left::Awaited(waiter))));
        }
        stage.transaction.purge(key)?;
        self.touched.push(key);
        Ok(Some(Ok(())))
    }
}
