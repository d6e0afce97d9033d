//! The unfolded tail: what is committed and stands only in `log` and here.

use std::collections::HashMap;
use std::sync::Arc;

use super::StoreError;
use super::frame::{Checksum, Frame, FrameError};
use super::summary::Summary;
use crate::event::HistoryEvent;
use crate::id::{ExecutionId, InstanceKey, Sequence};

/// Every instance that has frames which are not folded. Look-ups only; nothing is decided by its order.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    instances: HashMap<InstanceKey, Unfolded>,
    next_key: u64,
}

/// An instance's unfolded frames and what it is with them.
#[derive(Debug)]
pub(crate) struct Unfolded {
    /// As of the last committed event.
    pub(crate) summary: Arc<Summary>,
    /// In the order in which they were committed.
    pub(crate) frames: Vec<FrameRef>,
}

/// A frame in a row of `log` that is kept in memory.
#[derive(Debug, Clone)]
pub(crate) struct FrameRef {
    pub(crate) execution: ExecutionId,
    pub(crate) first: Sequence,
    pub(crate) position: u64,
    row: Arc<[u8]>,
    offset: usize,
    length: usize,
}

impl FrameRef {
    pub(crate) fn new(
        frame: &Frame<'_>,
        position: u64,
        row: &Arc<[u8]>,
        offset: usize,
        length: usize,
    ) -> Self {
        Self {
            execution: frame.place.execution,
            first: frame.place.first,
            position,
            row: Arc::clone(row),
            offset,
            length,
        }
    }

    /// The frame as it was written.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.row
            .get(self.offset..self.offset.saturating_add(self.length))
            .unwrap_or_default()
    }

    /// Whether it is what was written.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: the memory of the process is damaged.
    pub(crate) fn check(&self, checksum: Checksum) -> Result<(), StoreError> {
        Frame::split(self.bytes())
            .and_then(|(frame, _, _)| frame.check(checksum))
            .map_err(|error| self.damaged(&error))
    }

    /// Its events, checked.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn events(&self, checksum: Checksum) -> Result<Vec<HistoryEvent>, StoreError> {
        Frame::split(self.bytes())
            .and_then(|(frame, _, _)| frame.events(checksum))
            .map_err(|error| self.damaged(&error))
    }

    fn damaged(&self, error: &FrameError) -> StoreError {
        let place = format!("row {} of `log`, in memory,", self.position);
        StoreError::frame(place, error)
    }
}

impl Tail {
    pub(crate) fn find(&self, key: InstanceKey) -> Option<&Unfolded> {
        self.instances.get(&key)
    }

    /// The key that the next creation gets; an instance with this or a later one is not committed yet.
    pub(crate) fn next_key(&self) -> u64 {
        self.next_key
    }

    pub(crate) fn set_next_key(&mut self, next_key: u64) {
        self.next_key = next_key;
    }

    /// Adds a committed frame, and the summary as of the end of its commit.
    pub(crate) fn push(&mut self, key: InstanceKey, summary: &Arc<Summary>, frame: FrameRef) {
        let unfolded = (self.instances.entry(key)).or_insert_with(|| Unfolded {
            summary: Arc::clone(summary),
            frames: Vec::new(),
        });
        unfolded.summary = Arc::clone(summary);
        unfolded.frames.push(frame);
    }

    /// Forgets the oldest `frames` of an instance, which are folded; returns what can be dropped outside the lock.
    pub(crate) fn forget(&mut self, key: InstanceKey, frames: usize) -> Vec<FrameRef> {
        let Some(unfolded) = self.instances.get_mut(&key) else {
            return Vec::new();
        };
        if frames < unfolded.frames.len() {
            return unfolded.frames.drain(..frames).collect();
        }
        let emptied = self.instances.remove(&key);
        emptied.map(|unfolded| unfolded.frames).unwrap_or_default()
    }
}
