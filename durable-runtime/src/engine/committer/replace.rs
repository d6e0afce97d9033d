//! A start that may take the place of another instance.
//!
//! Source: `docs/design.md`, "Purge".

use super::batch::{Batch, Stage};
use crate::engine::message::{Reach, Started};
use crate::engine::reuse::{Reuse, Rule};
use crate::id::{InstanceId, InstanceKey};
use crate::store::{StoreError, Summary};

/// What whoever waits for a replaced instance is told.
const REASON: &str = "another start of its id has replaced it";

impl Batch {
    /// Removes who has the id, if that is what the start wants; returns the answer if it is not to be created.
    ///
    /// # Errors
    /// [`StoreError`]; if it is [of one instance](StoreError::is_of_one_instance), nothing is staged.
    pub(super) fn make_room(
        &mut self,
        stage: &mut Stage<'_, '_>,
        id: &InstanceId,
        reuse: Reuse,
    ) -> Result<Option<Started>, StoreError> {
        if reuse.0 == Rule::Attach {
            return Ok(None);
        }
        let Some((key, summary)) = stage.transaction.look_up(id)? else {
            return Ok(None);
        };
        let is_replaced = match reuse.0 {
            Rule::Attach => false,
            Rule::Replace(statuses) => statuses.contains(summary.status),
            Rule::Succeed(ended) => key == ended && summary.has_ended(),
        };
        if !is_replaced {
            return Ok(Some(Started::Exists(summary.status)));
        }
        self.replace(stage, key, &summary)
    }

    fn replace(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        summary: &Summary,
    ) -> Result<Option<Started>, StoreError> {
        if !summary.has_ended() {
            self.terminate(stage, key, REASON, Reach::Alone)?;
        }
        if let Some(waiter) = stage.bonds.hears_of(key) {
            return Ok(Some(Started::Awaited(waiter)));
        }
        self.bury(stage, key, summary)?;
        Ok(None)
    }
}
