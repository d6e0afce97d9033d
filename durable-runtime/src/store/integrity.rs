//! The check of a file that is too large for redb's own, which needs the database to itself.
//!
//! It reads what is folded (`history`, `instances`, `open` and the index; `log` was read and checked when the store was opened) row by
//! row, beside everybody else: in short read transactions, so that no page is held back from being used again, and with
//! the memory of one slice. What it finds is told, never mended.
//!
//! Source: `docs/design.md`, "Open".

mod index;

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction};

use self::index::Tally;
use super::course::Course;
use super::frame::Checksum;
use super::index::Facts;
use super::reader::{Ids, Reader, summary_of};
use super::schema::{COUNTS, ENDED, HISTORY, IDS, INDEX, INSTANCES, OPEN};
use super::summary::Summary;
use super::{StoreError, row};
use crate::id::{ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::limits;

/// A check of the whole file, to be done slice by slice.
#[derive(Debug)]
pub(crate) struct Integrity {
    reader: Reader,
    stage: Stage,
    tally: Tally,
    rows: u64,
}

/// What is damaged.
#[derive(Debug)]
pub(crate) struct Damage {
    /// Whose rows; 0 for rows that are of many.
    pub(crate) key: InstanceKey,
    /// The execution that cannot be gone on with, if that is what it comes to.
    pub(crate) execution: Option<ExecutionId>,
    /// Which row, and what was expected and found.
    pub(crate) error: StoreError,
}

/// Where the next slice begins.
#[derive(Debug)]
enum Stage {
    /// In `history`, after this row; not at the next one, as a fold may put more of the same execution between the two.
    History {
        after: Bound<(u64, u32, u32)>,
        walk: Option<Walk>,
    },
    Instances {
        from: u64,
    },
    Open {
        from: u64,
    },
    Index {
        from: (u64, u64),
    },
    Ended {
        from: (u64, u64),
    },
    /// Of what is not folded only the ids are in a table.
    Unfolded {
        from: u64,
    },
    Done,
}

/// An execution of which some segments are checked.
#[derive(Debug)]
struct Walk {
    course: Course,
    /// One damage says it all: what follows it cannot be told apart from its consequences.
    is_damaged: bool,
}

impl Integrity {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            stage: Stage::History {
                after: Bound::Unbounded,
                walk: None,
            },
            tally: Tally::default(),
            rows: 0,
        }
    }

    /// Whether `counts` was compared with what there is: beside folds it cannot be.
    pub(crate) fn has_counted(&self) -> bool {
        self.tally.is_compared
    }

    /// Rows that were checked so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Checks the next slice and returns what is damaged in it; `None` when all is checked.
    ///
    /// # Errors
    /// [`StoreError`] of the database: the file itself is damaged, or the store was closed.
    pub(crate) fn next_slice(&mut self) -> Result<Option<Vec<Damage>>, StoreError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        if matches!(stage, Stage::Done) {
            return Ok(None);
        }
        let shared = self.reader.shared();
        // Before the tables, which then have all that is in the tail.
        let unfolded = match stage {
            Stage::Unfolded { from } => shared.unfolded_from(from, limits::CHECK_SLICE_ROWS),
            _ => Vec::new(),
        };
        let mut slice = Slice::new(&shared.begin_read()?, &self.reader)?;
        self.stage = match stage {
            Stage::History { after, walk } => slice.history(after, walk)?,
            Stage::Instances { from } => slice.instances(from, &mut self.tally)?,
            Stage::Open { from } => slice.open(from)?,
            Stage::Index { from } => slice.index(from)?,
            Stage::Ended { from } => slice.ended(from)?,
            Stage::Unfolded { .. } => slice.unfolded(&unfolded)?,
            Stage::Done => Stage::Done,
        };
        self.tally.found_nothing_else &= slice.found.is_empty();
        self.rows = self.rows.saturating_add(slice.rows);
        Ok(Some(slice.found))
    }
}

type Rows = ReadOnlyTable<u64, &'static [u8]>;
type Pairs = ReadOnlyTable<(u64, u64), &'static [u8]>;

/// The tables as of one moment, and what one slice makes of them.
struct Slice {
    history: ReadOnlyTable<(u64, u32, u32), &'static [u8]>,
    instances: Rows,
    open: Rows,
    ids: Ids,
    reader: Reader,
    index: Pairs,
    ended: Pairs,
    counts: ReadOnlyTable<&'static [u8], &'static [u8]>,
    checksum: Checksum,
    rows: u64,
    bytes: usize,
    found: Vec<Damage>,
}

impl Slice {
    fn new(transaction: &ReadTransaction, reader: &Reader) -> Result<Self, StoreError> {
        Ok(Self {
            reader: reader.clone(),
            history: transaction.open_table(HISTORY)?,
            instances: transaction.open_table(INSTANCES)?,
            open: transaction.open_table(OPEN)?,
            ids: Ids::new(transaction.open_table(IDS)?),
            index: transaction.open_table(INDEX)?,
            ended: transaction.open_table(ENDED)?,
            counts: transaction.open_table(COUNTS)?,
            checksum: reader.shared().checksum,
            rows: 0,
            bytes: 0,
            found: Vec::new(),
        })
    }

    /// Follows every execution through its segments.
    fn history(
        &mut self,
        mut after: Bound<(u64, u32, u32)>,
        mut walk: Option<Walk>,
    ) -> Result<Stage, StoreError> {
        for entry in self.history.range((after, Bound::Unbounded))? {
            if self.is_full() {
                return Ok(Stage::History { after, walk });
            }
            let (at, segment) = entry?;
            let at = at.value();
            after = Bound::Excluded(at);
            self.count(segment.value());
            let (key, execution) = (InstanceKey(at.0), ExecutionId(at.1));
            let is_same =
                |walk: &Walk| (walk.course.key, walk.course.execution) == (key, execution);
            let mut on = match walk.take() {
                Some(walk) if is_same(&walk) => walk,
                ended => {
                    self.end(ended)?;
                    Walk {
                        course: Course::new(key, execution, self.checksum),
                        is_damaged: false,
                    }
                }
            };
            if !on.is_damaged
                && let Err(error) = on.course.follow(segment.value(), |_| Ok(()))
            {
                on.is_damaged = true;
                self.tell(key, Some(execution), error)?;
            }
            walk = Some(on);
        }
        self.end(walk)?;
        Ok(Stage::Instances { from: 0 })
    }

    /// Compares an execution that was followed to its end with what its instance's row says.
    fn end(&mut self, walk: Option<Walk>) -> Result<(), StoreError> {
        let Some(Walk {
            course,
            is_damaged: false,
        }) = walk
        else {
            return Ok(());
        };
        match self.summary(course.key) {
            Ok(Some(summary)) if summary.execution == course.execution => (course
                .reaches(summary.events))
            .or_else(|error| self.tell(course.key, Some(course.execution), error)),
            Ok(Some(_)) => Ok(()),
            // It was purged since the last slice.
            Ok(None) if !self.has_history(course.key)? => Ok(()),
            Ok(None) => {
                let place = format!("row {} of `instances`", course.key.0);
                let error = StoreError::damaged(place, "it is missing, and there is a history");
                self.tell(course.key, None, error)
            }
            // The row is told of when its table is checked.
            Err(error) if error.is_of_one_instance() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Checks every instance's row, and that it leads to the others.
    fn instances(&mut self, from: u64, tally: &mut Tally) -> Result<Stage, StoreError> {
        if from == 0 {
            self.begin_tally(tally)?;
        }
        for entry in self.instances.range(from..)? {
            let (at, row) = entry?;
            let from = at.value();
            if self.is_full() {
                return Ok(Stage::Instances { from });
            }
            self.count(row.value());
            let key = InstanceKey(from);
            match row::summary_from_row(key, row.value(), self.checksum) {
                Ok(summary) => {
                    self.instance(key, &summary)?;
                    self.indexed(key, &Facts::of(&summary), tally)?;
                }
                Err(error) => self.tell(key, None, error)?,
            }
        }
        self.end_tally(tally)?;
        Ok(Stage::Open { from: 0 })
    }

    fn instance(&mut self, key: InstanceKey, summary: &Summary) -> Result<(), StoreError> {
        self.found_by(key, &summary.id)?;
        let execution = summary.execution;
        let at = |sequence| (key.0, execution.0, sequence);
        let segments = self.history.range(at(0)..=at(u32::MAX))?;
        if segments.into_iter().next().is_none() {
            let course = Course::new(key, execution, self.checksum);
            if let Err(error) = course.reaches(summary.events) {
                self.tell(key, Some(execution), error)?;
            }
        }
        if !summary.has_ended() && self.open.get(key.0)?.is_none() {
            self.tell(key, Some(execution), row::missing_outstanding(key))?;
        }
        Ok(())
    }

    /// Checks that an id leads to its instance.
    fn found_by(&mut self, key: InstanceKey, id: &InstanceId) -> Result<(), StoreError> {
        match self.ids.find(id) {
            Ok(Some(found)) if found == key => Ok(()),
            // Its id is free, while its rows wait to be removed.
            Ok(_) if self.reader.is_purged(key)? => Ok(()),
            Ok(found) => {
                let found = found.map_or_else(|| "none".to_owned(), |found| found.0.to_string());
                let place = format!("row `{id}` of `ids`");
                let reason = format!("expected instance {}, found {found}", key.0);
                self.tell(key, None, StoreError::damaged(place, reason))
            }
            Err(error) => self.tell(key, None, error),
        }
    }

    /// Checks that instances are found which are not folded.
    fn unfolded(&mut self, unfolded: &[(InstanceKey, Arc<Summary>)]) -> Result<Stage, StoreError> {
        for (key, summary) in unfolded {
            self.found_by(*key, &summary.id)?;
        }
        Ok(match unfolded.last() {
            Some((last, _)) => Stage::Unfolded { from: last.0 + 1 },
            None => Stage::Done,
        })
    }

    /// Checks what is recorded of all that waits.
    fn open(&mut self, from: u64) -> Result<Stage, StoreError> {
        for entry in self.open.range(from..)? {
            let (at, row) = entry?;
            let from = at.value();
            if self.is_full() {
                return Ok(Stage::Open { from });
            }
            self.count(row.value());
            let key = InstanceKey(from);
            let Some(summary) = self.readable_summary(key)? else {
                continue;
            };
            let end = (summary.execution, Sequence(summary.events));
            let checked = row::outstanding_from_row(key, row.value(), self.checksum)
                .and_then(|outstanding| row::fit_together(key, end, &outstanding));
            if let Err(error) = checked {
                self.tell(key, Some(summary.execution), error)?;
            }
        }
        Ok(Stage::Index { from: (0, 0) })
    }

    /// The row of an instance, unless it is damaged, which was told of before; that it is missing is told of here.
    fn readable_summary(&mut self, key: InstanceKey) -> Result<Option<Summary>, StoreError> {
        match self.summary(key) {
            Ok(Some(summary)) => Ok(Some(summary)),
            Ok(None) => {
                let place = format!("row {} of `instances`", key.0);
                let error = StoreError::damaged(place, "it is missing, and the instance waits");
                self.tell(key, None, error).map(|()| None)
            }
            Err(error) if error.is_of_one_instance() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn summary(&self, key: InstanceKey) -> Result<Option<Summary>, StoreError> {
        summary_of(key, &self.instances, self.checksum)
    }

    /// Notes damage; an error of the database is none.
    fn tell(
        &mut self,
        key: InstanceKey,
        execution: Option<ExecutionId>,
        error: StoreError,
    ) -> Result<(), StoreError> {
        if !error.is_of_one_instance() {
            return Err(error);
        }
        self.found.push(Damage {
            key,
            execution,
            error,
        });
        Ok(())
    }

    fn count(&mut self, row: &[u8]) {
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(row.len());
    }

    fn is_full(&self) -> bool {
        self.rows >= limits::CHECK_SLICE_ROWS || self.bytes >= limits::CHECK_SLICE_BYTES
    }
}
