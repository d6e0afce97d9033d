//! Which rows of `log` are still needed, and what is to be folded next.
//!
//! Source: `docs/design.md`, "Fold".

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::frame::Frame;
use super::tail::{FrameRef, Tail, Unfolded};
use crate::id::InstanceKey;
use crate::limits;

/// Instances that one slice folds; more would be felt by those who wait for the commit.
const SLICE_INSTANCES: usize = 200;
/// Bytes of frames that one slice moves.
const SLICE_BYTES: usize = 4 << 20;
/// Rows of `log` that one slice removes.
const SLICE_ROWS: usize = 10_000;
/// Events of purged instances whose rows one slice removes. One instance alone may have more.
const SLICE_EVENTS: u64 = 50_000;

/// The writer's book of rows. What it plans is taken as done: if that commit does not succeed, the store is given up.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Rows from the oldest that is still in `log` to the head, without gaps.
    rows: VecDeque<Row>,
    /// The position of the oldest of `rows`; of the next one, if there are none.
    oldest: u64,
    /// Instances that have ended, in that order.
    ended: VecDeque<InstanceKey>,
    /// Those among them that are purged, and of which something is to be removed.
    graves: usize,
    /// Instances that have frames which are not folded.
    instances: usize,
    unfolded_bytes: usize,
    patience: Patience,
}

/// What may wait to be folded before that is urgent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Rows of `log`.
    pub(crate) rows: u64,
    /// Bytes of frames.
    pub(crate) bytes: usize,
    /// Instances.
    pub(crate) instances: usize,
    /// Instances that have ended, purged ones too.
    pub(crate) ended: usize,
    /// Purged instances.
    pub(crate) graves: usize,
}

impl Patience {
    fn eighth(self) -> Self {
        Self {
            rows: self.rows / 8,
            bytes: self.bytes / 8,
            instances: self.instances / 8,
            ended: self.ended / 8,
            graves: self.graves / 8,
        }
    }

    fn less(self, by: Self) -> Self {
        Self {
            rows: self.rows - by.rows,
            bytes: self.bytes - by.bytes,
            instances: self.instances - by.instances,
            ended: self.ended - by.ended,
            graves: self.graves - by.graves,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            rows: limits::FOLD_LAG_ROWS,
            bytes: limits::UNFOLDED_BYTES_MAX,
            instances: limits::UNFOLDED_INSTANCES_MAX,
            ended: limits::UNFOLDED_ENDED_MAX,
            graves: limits::UNFOLDED_GRAVES_MAX,
        }
    }
}

#[derive(Debug)]
struct Row {
    /// Gone once no frame of it is needed.
    bytes: Option<Arc<[u8]>>,
    unfolded_frames: u32,
}

/// A share of fold work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slice {
    /// One on its own, of an idle store.
    Idle,
    /// One in a commit that appends so many bytes. It folds twice that, whatever it costs, so that folding keeps up.
    Beside(usize),
}

impl Slice {
    fn goes_on(self, done: Done) -> bool {
        let Done {
            instances,
            bytes,
            removed_events,
        } = done;
        let bytes_min = match self {
            Self::Idle => 0,
            Self::Beside(appended) => appended.saturating_mul(2),
        };
        bytes < bytes_min
            || (instances < SLICE_INSTANCES && bytes < SLICE_BYTES && removed_events < SLICE_EVENTS)
    }

    /// What may still wait when it is done.
    fn goal(self, patience: Patience) -> Patience {
        match self {
            Self::Idle => patience.eighth(),
            // So urgent work is done in large slices, rarely.
            Self::Beside(_) => patience.less(patience.eighth()),
        }
    }
}

/// What a slice has come to.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    instances: usize,
    bytes: usize,
    removed_events: u64,
}

/// What one slice does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Instances to fold, with the number of their frames.
    pub(crate) instances: Vec<(InstanceKey, usize)>,
    /// Rows of `log` before this position are not needed any more.
    pub(crate) trim_before: Option<u64>,
    /// How many rows that are.
    rows: usize,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.trim_before.is_none()
    }
}

impl Ledger {
    /// The book of a log whose next row has this position.
    pub(crate) fn starting_at(position: u64, patience: Patience) -> Self {
        Self {
            oldest: position,
            patience,
            ..Self::default()
        }
    }

    /// The position of the next row.
    pub(crate) fn head(&self) -> u64 {
        self.oldest.saturating_add(self.log_rows())
    }

    /// Rows that are in `log`.
    pub(crate) fn log_rows(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    /// Bytes of frames that wait to be folded.
    pub(crate) fn unfolded_bytes(&self) -> usize {
        self.unfolded_bytes
    }

    /// Enters the row at the head.
    pub(crate) fn push_row(&mut self, bytes: &Arc<[u8]>) {
        self.rows.push_back(Row {
            bytes: Some(Arc::clone(bytes)),
            unfolded_frames: 0,
        });
    }

    /// Enters a frame of a row that was entered before.
    pub(crate) fn push_frame(&mut self, frame: &FrameRef) {
        self.unfolded_bytes = self.unfolded_bytes.saturating_add(frame.bytes().len());
        if let Some(row) = self.row(frame.position) {
            row.unfolded_frames = row.unfolded_frames.saturating_add(1);
        }
    }

    /// Drops the bytes of rows that were entered without any unfolded frame.
    pub(crate) fn release_empty_rows(&mut self) {
        for row in self.rows.iter_mut().filter(|row| row.unfolded_frames == 0) {
            row.bytes = None;
        }
    }

    /// Notes how many instances have frames that are not folded.
    pub(crate) fn set_instances(&mut self, instances: usize) {
        self.instances = instances;
    }

    /// Notes that an instance has ended.
    pub(crate) fn push_ended(&mut self, key: InstanceKey) {
        self.ended.push_back(key);
    }

    /// Notes that an instance is purged of which rows are to be removed.
    pub(crate) fn push_grave(&mut self, key: InstanceKey) {
        self.graves += 1;
        self.ended.push_back(key);
    }

    /// Whether fold work can wait no longer.
    pub(crate) fn is_urgent(&self) -> bool {
        self.exceeds(self.patience)
    }

    /// Whether there is fold work for an idle store. It folds instances long before that is urgent, as a short log is what
    /// makes opening quick.
    pub(crate) fn is_due(&self) -> bool {
        let front = self.rows.front();
        let is_front_unneeded = front.is_some_and(|row| row.unfolded_frames == 0);
        !self.ended.is_empty() || is_front_unneeded || self.exceeds(self.patience.eighth())
    }

    fn exceeds(&self, patience: Patience) -> bool {
        self.log_rows() > patience.rows
            || self.unfolded_bytes > patience.bytes
            || self.instances > patience.instances
            || self.ended.len() > patience.ended
            || self.graves > patience.graves
    }

    /// Plans one slice and enters it as done.
    pub(crate) fn plan(&mut self, tail: &Tail, slice: Slice) -> Plan {
        let mut plan = Plan::default();
        let mut planned = BTreeSet::new();
        let mut done = Done::default();
        let goal = slice.goal(self.patience);
        while self.trim(&mut plan) && slice.goes_on(done) {
            let chosen = self.choose(tail, &planned, goal);
            if chosen.is_empty() {
                break;
            }
            for (key, unfolded) in chosen {
                if !slice.goes_on(done) {
                    break;
                }
                planned.insert(key);
                done.instances += 1;
                self.instances = self.instances.saturating_sub(1);
                done.bytes += self.release(&unfolded.frames);
                if unfolded.summary.is_none() {
                    self.graves = self.graves.saturating_sub(1);
                    done.removed_events += unfolded.last_sequence();
                }
                plan.instances.push((key, unfolded.frames.len()));
            }
        }
        plan
    }

    /// The next instances to fold: one that has ended, else all that hold the oldest row back, while more waits than
    /// `goal`.
    fn choose<'t>(
        &mut self,
        tail: &'t Tail,
        planned: &BTreeSet<InstanceKey>,
        goal: Patience,
    ) -> Vec<(InstanceKey, &'t Unfolded)> {
        let unplanned = |key: InstanceKey| {
            let unfolded = tail.find(key)?;
            (!planned.contains(&key)).then_some((key, unfolded))
        };
        while let Some(key) = self.ended.pop_front() {
            if let Some(found) = unplanned(key) {
                return vec![found];
            }
        }
        if !self.exceeds(goal) {
            return Vec::new();
        }
        let oldest = self.rows.front().and_then(|row| row.bytes.as_deref());
        // The row may be older than the frames that are left of an instance, if it was folded since.
        let is_held_back = |(_, unfolded): &(InstanceKey, &Unfolded)| {
            (unfolded.frames.first()).is_some_and(|frame| frame.position == self.oldest)
        };
        let keys = keys_of(oldest.unwrap_or_default()).into_iter();
        keys.filter_map(unplanned).filter(is_held_back).collect()
    }

    /// Enters that frames are folded, or will never be; returns their bytes.
    pub(crate) fn release(&mut self, frames: &[FrameRef]) -> usize {
        let mut bytes = 0;
        for frame in frames {
            bytes += frame.bytes().len();
            if let Some(row) = self.row(frame.position) {
                row.unfolded_frames = row.unfolded_frames.saturating_sub(1);
                if row.unfolded_frames == 0 {
                    row.bytes = None;
                }
            }
        }
        self.unfolded_bytes = self.unfolded_bytes.saturating_sub(bytes);
        bytes
    }

    /// Removes unneeded rows from the front; false if the slice may remove no more.
    fn trim(&mut self, plan: &mut Plan) -> bool {
        while plan.rows < SLICE_ROWS {
            match self.rows.front() {
                Some(row) if row.unfolded_frames == 0 => {}
                _ => return true,
            }
            self.rows.pop_front();
            self.oldest = self.oldest.saturating_add(1);
            plan.rows += 1;
            plan.trim_before = Some(self.oldest);
        }
        false
    }

    fn row(&mut self, position: u64) -> Option<&mut Row> {
        let index = position.checked_sub(self.oldest)?;
        self.rows.get_mut(usize::try_from(index).ok()?)
    }
}

/// The instances that have a frame in a row, in key order.
fn keys_of(row: &[u8]) -> BTreeSet<InstanceKey> {
    let mut keys = BTreeSet::new();
    let mut rest = row;
    while let Ok((frame, _, after)) = Frame::split(rest) {
        keys.insert(frame.place.key);
        rest = after;
    }
    keys
}
