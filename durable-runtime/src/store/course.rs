//! The frames of one execution, one after the other.

use super::StoreError;
use super::frame::{Checksum, Frame, FrameError};
use crate::id::{ExecutionId, InstanceKey, Sequence};

/// How far an execution was followed through its frames. Whoever reads a history and whoever only checks it find the same
/// damage, in the same words.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) key: InstanceKey,
    pub(crate) execution: ExecutionId,
    checksum: Checksum,
    /// Of the event after the last that was followed, which is also how many there were.
    next: Sequence,
}

impl Course {
    /// The course of an execution from its first event on.
    pub(crate) fn new(key: InstanceKey, execution: ExecutionId, checksum: Checksum) -> Self {
        Self {
            key,
            execution,
            checksum,
            next: Sequence(0),
        }
    }

    /// Checks `frames` and hands those to `take` that go on where the last one ended. One that was followed already is
    /// skipped.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if a frame is wrong or missing, or if `take` finds it so.
    pub(crate) fn follow(
        &mut self,
        frames: &[u8],
        mut take: impl FnMut(&Frame<'_>) -> Result<(), FrameError>,
    ) -> Result<(), StoreError> {
        let mut rest = frames;
        while !rest.is_empty() {
            let (frame, _, after) = Frame::split(rest).map_err(|error| self.unreadable(&error))?;
            (frame.check(self.checksum)).map_err(|error| self.unreadable(&error))?;
            if self.is_next(&frame)? {
                take(&frame).map_err(|error| self.unreadable(&error))?;
                self.next = Sequence(self.next.0.saturating_add(frame.count));
            }
            rest = after;
        }
        Ok(())
    }

    /// Checks that it has come as far as the instance's row says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if events are missing at its end.
    pub(crate) fn reaches(&self, events: u32) -> Result<(), StoreError> {
        if self.next.0 >= events {
            return Ok(());
        }
        Err(self.damaged(format!("expected {events} events, found {}", self.next.0)))
    }

    /// False for a frame that was followed already.
    fn is_next(&self, frame: &Frame<'_>) -> Result<bool, StoreError> {
        let found = frame.place;
        let is_ours = found.key == self.key && found.execution == self.execution;
        if is_ours && found.first <= self.next {
            return Ok(found.first == self.next);
        }
        Err(self.damaged(format!(
            "expected event {}, found event {} of instance {}, execution {}",
            self.next.0, found.first.0, found.key.0, found.execution
        )))
    }

    fn unreadable(&self, error: &FrameError) -> StoreError {
        StoreError::frame(self.place(), error)
    }

    fn damaged(&self, reason: String) -> StoreError {
        StoreError::damaged(self.place(), reason)
    }

    fn place(&self) -> String {
        format!(
            "the history of instance {}, execution {}, from event {} on,",
            self.key.0, self.execution, self.next.0
        )
    }
}
