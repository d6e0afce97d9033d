//! The unfolded tail: what is committed and stands only in `log` and here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeBounds;
use std::sync::Arc;

use super::StoreError;
use super::census::Census;
use super::frame::{Checksum, Frame, FrameError};
use super::summary::{Status, Summary};
use crate::clock::Timestamp;
use crate::event::HistoryEvent;
use crate::id::{ExecutionId, InstanceId, InstanceKey, Sequence};

/// Every instance that has frames which are not folded.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    instances: BTreeMap<InstanceKey, Unfolded>,
    /// Those of them that have ended, by the time at which they did.
    ended: BTreeSet<(Timestamp, InstanceKey)>,
    /// How many instances there are, the folded ones too.
    census: Census,
    next_key: u64,
    /// Who is purged by the commit that is on its way.
    leaving: HashMap<InstanceId, InstanceKey>,
}

/// An instance's unfolded frames and what it is with them.
#[derive(Debug)]
pub(crate) struct Unfolded {
    /// As of the last committed event; `None` of a purged one, whose rows the fold removes.
    pub(crate) summary: Option<Arc<Summary>>,
    /// The same as in the summary, but here: whoever looks for it looks through many.
    pub(crate) status: Status,
    /// In the order in which they were committed; of a purged one, the last.
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

impl Unfolded {
    /// How many events its current execution had before its last frame.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.frames
            .last()
            .map_or(0, |frame| u64::from(frame.first.0))
    }

    /// Whether nothing of the instance is folded.
    pub(crate) fn begins(&self) -> bool {
        (self.frames.first()).is_some_and(|frame| {
            (frame.execution, frame.first) == (ExecutionId::FIRST, Sequence(0))
        })
    }
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

    /// The keys of all of them.
    pub(crate) fn keys(&self) -> BTreeSet<u64> {
        self.instances.keys().map(|key| key.0).collect()
    }

    /// How many of them there are.
    pub(crate) fn count_instances(&self) -> usize {
        self.instances.len()
    }

    /// The key that the next creation gets; an instance with this or a later one is not committed yet.
    pub(crate) fn next_key(&self) -> u64 {
        self.next_key
    }

    pub(crate) fn set_next_key(&mut self, next_key: u64) {
        self.next_key = next_key;
    }

    /// The unfolded instances with these keys.
    pub(crate) fn range(
        &self,
        keys: impl RangeBounds<InstanceKey>,
    ) -> impl DoubleEndedIterator<Item = (InstanceKey, &Unfolded)> {
        (self.instances.range(keys)).map(|(key, unfolded)| (*key, unfolded))
    }

    /// The unfolded instances that ended at these times.
    pub(crate) fn ended(
        &self,
        times: impl RangeBounds<(Timestamp, InstanceKey)>,
    ) -> impl DoubleEndedIterator<Item = (Timestamp, InstanceKey)> {
        self.ended.range(times).copied()
    }

    /// How many instances there are, the folded ones too.
    pub(crate) fn census(&self) -> &Census {
        &self.census
    }

    pub(crate) fn set_census(&mut self, census: Census) {
        self.census = census;
    }

    /// Notes that a commit has given an instance of that name another status; before, it may not have been there.
    pub(crate) fn count(&mut self, name: &str, from: Option<Status>, to: Option<Status>) {
        self.census.moved(name, from, to);
    }

    /// Adds a committed frame, and the summary as of the end of its commit.
    pub(crate) fn push(&mut self, key: InstanceKey, summary: &Arc<Summary>, frame: FrameRef) {
        let unfolded = (self.instances.entry(key)).or_insert_with(|| Unfolded {
            summary: None,
            status: summary.status,
            frames: Vec::new(),
        });
        if let Some(end) = end_of(unfolded) {
            self.ended.remove(&(end, key));
        }
        unfolded.summary = Some(Arc::clone(summary));
        unfolded.status = summary.status;
        self.ended.extend(end_of(unfolded).map(|end| (end, key)));
        unfolded.frames.push(frame);
    }

    /// Notes whom the next commit purges, as readers may see the tables of that commit before they see this tail changed.
    pub(crate) fn expect_to_leave(&mut self, leaving: HashMap<InstanceId, InstanceKey>) {
        self.leaving = leaving;
    }

    /// Who had the id until the commit that is on its way.
    pub(crate) fn leaving(&self, id: &InstanceId) -> Option<InstanceKey> {
        self.leaving.get(id).copied()
    }

    /// Whether an instance is purged, or is about to be, as far as can be told without its row.
    pub(crate) fn has_left(&self, key: InstanceKey) -> bool {
        self.find(key)
            .is_some_and(|unfolded| unfolded.summary.is_none())
            || self.leaving.values().any(|leaving| *leaving == key)
    }

    /// Forgets an instance whose last frame says that it is purged; returns the frames that nobody needs any more. If
    /// something of it is folded, the last one stays, for the fold to remove that.
    pub(crate) fn bury(&mut self, key: InstanceKey) -> Vec<FrameRef> {
        let Some(unfolded) = self.instances.get_mut(&key) else {
            return Vec::new();
        };
        if let Some(end) = end_of(unfolded) {
            self.ended.remove(&(end, key));
        }
        if unfolded.begins() {
            let buried = self.instances.remove(&key);
            return buried.map(|buried| buried.frames).unwrap_or_default();
        }
        unfolded.summary = None;
        let last = unfolded.frames.len().saturating_sub(1);
        unfolded.frames.drain(..last).collect()
    }

    /// Adds a purged instance of which something is folded.
    pub(crate) fn push_grave(&mut self, key: InstanceKey, tombstone: FrameRef) {
        let grave = Unfolded {
            summary: None,
            status: Status::Terminated,
            frames: vec![tombstone],
        };
        self.instances.insert(key, grave);
    }

    /// Forgets the oldest `frames` of an instance, which are folded; returns what can be dropped outside the lock.
    pub(crate) fn forget(&mut self, key: InstanceKey, frames: usize) -> Vec<FrameRef> {
        let Some(unfolded) = self.instances.get_mut(&key) else {
            return Vec::new();
        };
        if frames < unfolded.frames.len() {
            return unfolded.frames.drain(..frames).collect();
        }
        if let Some(end) = end_of(unfolded) {
            self.ended.remove(&(end, key));
        }
        let emptied = self.instances.remove(&key);
        emptied.map(|unfolded| unfolded.frames).unwrap_or_default()
    }
}

fn end_of(unfolded: &Unfolded) -> Option<Timestamp> {
    let completed_at = unfolded.summary.as_ref()?.completed_at;
    completed_at.map(Timestamp::from_system_time)
}
