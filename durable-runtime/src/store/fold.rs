//! The fold: unfolded frames go to `history`, with the rows of their instances, and leave `log`.
//!
//! Of an instance that has continued as new, the current execution is kept, and what was folded of those before is removed;
//! of one that is purged, everything is.
//!
//! Source: `docs/design.md`, "Fold".

use redb::{ReadableTable, Table, WriteTransaction};

use super::StoreError;
use super::course::Course;
use super::error::chain;
use super::frame::Checksum;
use super::index::{self, Changes, Facts};
use super::ledger::Plan;
use super::outstanding::Outstanding;
use super::row;
use super::schema::{HISTORY, INSTANCES, LOG, OPEN};
use super::summary::Summary;
use super::tail::{FrameRef, Tail, Unfolded};
use crate::event::HistoryEvent;
use crate::id::{ExecutionId, InstanceKey, Sequence};

/// Bytes of one segment, unless its only frame is larger. redb gives a large value a page of its own, and rounds that up
/// to a power of two; so this is a power of two, less what the page itself needs.
const SEGMENT_BYTES: usize = (32 << 10) - 128;

/// Writes what `plan` says. The summaries and frames are those of `tail`, which a commit on its way has not reached yet:
/// what that adds stays unfolded.
///
/// # Errors
/// [`StoreError`] of the database; [`StoreError::Damaged`] if a frame in memory is.
pub(crate) fn write(
    plan: &Plan,
    tail: &Tail,
    checksum: Checksum,
    transaction: &WriteTransaction,
) -> Result<(), StoreError> {
    if !plan.instances.is_empty() {
        let mut tables = Tables::open(transaction)?;
        for (key, _) in &plan.instances {
            if let Some(unfolded) = tail.find(*key) {
                tables.fold(*key, unfolded, checksum)?;
            }
        }
        let changes = std::mem::take(&mut tables.changes);
        drop(tables);
        changes.write(transaction)?;
    }
    if let Some(end) = plan.trim_before {
        transaction
            .open_table(LOG)?
            .retain_in(..end, |_, _| false)?;
    }
    Ok(())
}

struct Tables<'t> {
    history: Table<'t, (u64, u32, u32), &'static [u8]>,
    instances: Table<'t, u64, &'static [u8]>,
    open: Table<'t, u64, &'static [u8]>,
    /// What follows for the index.
    changes: Changes,
    transaction: &'t WriteTransaction,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            history: transaction.open_table(HISTORY)?,
            instances: transaction.open_table(INSTANCES)?,
            open: transaction.open_table(OPEN)?,
            changes: Changes::default(),
            transaction,
        })
    }

    fn fold(
        &mut self,
        key: InstanceKey,
        unfolded: &Unfolded,
        checksum: Checksum,
    ) -> Result<(), StoreError> {
        let Some(summary) = &unfolded.summary else {
            return self.remove(key, checksum);
        };
        let is_first_fold = unfolded.begins();
        let frames = of_current(&unfolded.frames, summary.execution);
        let begins = (frames.first()).is_some_and(|frame| frame.first == Sequence(0));
        if begins && !is_first_fold {
            // All that is folded is of executions that are over.
            self.remove_history(key, summary.execution)?;
        }
        for segment in segments(frames) {
            self.write_segment(key, segment, checksum)?;
        }
        self.write_summary(key, summary, checksum)?;
        if summary.has_ended() {
            if !is_first_fold {
                self.open.remove(key.0)?;
            }
            return Ok(());
        }
        let before = if begins {
            Ok(Outstanding::default())
        } else {
            self.read_open(key, unfolded, checksum)
        };
        match before {
            Ok(before) => self.write_open(key, before, frames, checksum),
            Err(error) if error.is_of_one_instance() => {
                self.mend_open(key, summary, &error, checksum)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes all that is left of a purged instance, if it is not removed yet.
    fn remove(&mut self, key: InstanceKey, checksum: Checksum) -> Result<(), StoreError> {
        let all = (key.0, 0, 0)..=(key.0, u32::MAX, u32::MAX);
        self.history.retain_in(all, |_, _| false)?;
        if let Some(row) = self.instances.remove(key.0)? {
            match row::stored_summary(key, row.value(), checksum) {
                Ok(stored) => self.changes.replace(key, Some(&stored.facts()), None),
                // Who reads the index looks at the instance as well, and finds none.
                Err(error) => {
                    tracing::error!("{}; what leads to it in the index stays", chain(&error));
                }
            }
        }
        self.open.remove(key.0)?;
        Ok(())
    }

    /// Removes the history of all executions before `current`.
    fn remove_history(&mut self, key: InstanceKey, current: ExecutionId) -> Result<(), StoreError> {
        let before = (key.0, 0, 0)..(key.0, current.0, 0);
        self.history.retain_in(before, |_, _| false)?;
        Ok(())
    }

    /// Writes the row of an instance, and finds out from the one that it replaces what changes in the index.
    fn write_summary(
        &mut self,
        key: InstanceKey,
        summary: &Summary,
        checksum: Checksum,
    ) -> Result<(), StoreError> {
        let row = row::summary_to_row(key, summary, checksum)?;
        let facts = Facts::of(summary);
        let Some(before) = self.instances.insert(key.0, row.as_slice())? else {
            self.changes.replace(key, None, Some(&facts));
            return Ok(());
        };
        let before = row::stored_summary(key, before.value(), checksum);
        let before = index::folded(before.as_ref(), &facts, key, self.transaction)?;
        self.changes.replace(key, before.as_ref(), Some(&facts));
        Ok(())
    }

    /// Works out a damaged row of `open` anew: it says nothing that the history does not say.
    fn mend_open(
        &mut self,
        key: InstanceKey,
        summary: &Summary,
        error: &StoreError,
        checksum: Checksum,
    ) -> Result<(), StoreError> {
        let id = &summary.id;
        match self.replay(key, summary, checksum) {
            Ok(outstanding) => {
                tracing::error!(instance = %id, "{}; it was mended from the history", chain(error));
                let open = row::outstanding_to_row(key, &outstanding, checksum)?;
                self.open.insert(key.0, open.as_slice())?;
                Ok(())
            }
            // It stays as it is, and whoever opens the store next is told of it.
            Err(worse) if worse.is_of_one_instance() => {
                let worse = chain(&worse);
                tracing::error!(instance = %id, "{}; it cannot be mended: {worse}", chain(error));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What is outstanding for an instance by the folded history of its current execution.
    fn replay(
        &self,
        key: InstanceKey,
        summary: &Summary,
        checksum: Checksum,
    ) -> Result<Outstanding, StoreError> {
        let execution = summary.execution;
        let mut course = Course::new(key, execution, checksum);
        let mut outstanding = Outstanding::default();
        let at = |sequence| (key.0, execution.0, sequence);
        for segment in self.history.range(at(0)..=at(u32::MAX))? {
            course.follow(segment?.1.value(), |frame| {
                for event in frame.read()? {
                    outstanding.apply(&event);
                }
                Ok(())
            })?;
        }
        course.reaches(summary.events)?;
        Ok(outstanding)
    }

    fn write_segment(
        &mut self,
        key: InstanceKey,
        frames: &[FrameRef],
        checksum: Checksum,
    ) -> Result<(), StoreError> {
        let Some(first) = frames.first() else {
            return Ok(());
        };
        // From here on the copy in `log` may go.
        (frames.iter()).try_for_each(|frame| frame.check(checksum))?;
        let segment: Vec<&[u8]> = frames.iter().map(FrameRef::bytes).collect();
        let at = (key.0, first.execution.0, first.first.0);
        self.history.insert(at, segment.concat().as_slice())?;
        Ok(())
    }

    /// What was outstanding before the unfolded frames.
    fn read_open(
        &self,
        key: InstanceKey,
        unfolded: &Unfolded,
        checksum: Checksum,
    ) -> Result<Outstanding, StoreError> {
        if let Some(row) = self.open.get(key.0)? {
            return row::outstanding_from_row(key, row.value(), checksum);
        }
        // It had ended, and goes on since.
        if let Some(first) = unfolded.frames.first()
            && let Some(HistoryEvent::ExecutionRewound(_)) = first.events(checksum)?.first()
        {
            return Ok(Outstanding::ended(first.execution, first.first));
        }
        Err(row::missing_outstanding(key))
    }

    fn write_open(
        &mut self,
        key: InstanceKey,
        mut outstanding: Outstanding,
        frames: &[FrameRef],
        checksum: Checksum,
    ) -> Result<(), StoreError> {
        for frame in frames {
            for event in frame.events(checksum)? {
                outstanding.apply(&event);
            }
        }
        let open = row::outstanding_to_row(key, &outstanding, checksum)?;
        self.open.insert(key.0, open.as_slice())?;
        Ok(())
    }
}

/// The frames of the current execution: those before are of executions whose history nobody needs any more.
fn of_current(frames: &[FrameRef], current: ExecutionId) -> &[FrameRef] {
    let first = frames.partition_point(|frame| frame.execution < current);
    frames.get(first..).unwrap_or_default()
}

/// Cuts the frames of one execution before what would overfill a segment.
fn segments(frames: &[FrameRef]) -> Vec<&[FrameRef]> {
    let mut bytes = frames.first().map_or(0, |frame| frame.bytes().len());
    let fits = |_: &FrameRef, after: &FrameRef| {
        let length = after.bytes().len();
        let fits = bytes + length <= SEGMENT_BYTES;
        bytes = if fits { bytes + length } else { length };
        fits
    };
    frames.chunk_by(fits).collect()
}
