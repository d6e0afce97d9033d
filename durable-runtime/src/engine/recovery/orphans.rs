//! Which children are to be cancelled, since nobody waits for them any more.
//!
//! A parent that dropped a child, or ended by itself, has cancelled it; that is said again when the store is opened. One that
//! was terminated has not: the children that it waited for go on.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::Parent;
use crate::id::{EventId, InstanceKey};
use crate::store::{Outstanding, Reader, Status, StoreError, Summary};

/// What is known of the parents that no longer wait for anything.
pub(super) struct Orphans<'a> {
    reader: &'a Reader,
    /// The children that terminated instances waited for; `None` where that cannot be read.
    left: BTreeMap<InstanceKey, Option<BTreeSet<EventId>>>,
}

impl<'a> Orphans<'a> {
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self {
            reader,
            left: BTreeMap::new(),
        }
    }

    /// Whether a child goes on though its parent, which is not open any more or has gone on without it, does not wait for it.
    ///
    /// # Errors
    /// The store could not be read.
    pub(super) fn goes_on(&mut self, parent: &Parent) -> Result<bool, StoreError> {
        let summary = match self.reader.shared_summary(parent.key) {
            Ok(Some(summary)) => summary,
            // Nobody knows that it was to be cancelled, so it is not.
            Ok(None) => return Ok(true),
            Err(error) if error.is_of_one_instance() => return Ok(true),
            Err(error) => return Err(error),
        };
        if summary.status != Status::Terminated || summary.execution != parent.execution {
            return Ok(false);
        }
        if !self.left.contains_key(&parent.key) {
            let left = self.left_by(parent.key, &summary)?;
            self.left.insert(parent.key, left);
        }
        let left = self.left.get(&parent.key).and_then(Option::as_ref);
        Ok(left.is_none_or(|left| left.contains(&parent.scheduled)))
    }

    /// The children that an instance waited for when it was terminated.
    fn left_by(
        &self,
        key: InstanceKey,
        summary: &Summary,
    ) -> Result<Option<BTreeSet<EventId>>, StoreError> {
        let history = match self.reader.current_history(key, summary) {
            Ok(history) => history,
            Err(error) if error.is_of_one_instance() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut outstanding = Outstanding::default();
        let before = history.iter().filter(|event| !event.is_terminal());
        before.for_each(|event| outstanding.apply(event));
        Ok(Some(outstanding.children.into_keys().collect()))
    }
}
