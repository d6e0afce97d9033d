//! The read side: short read transactions, and the unfolded tail in memory.
//!
//! A fold moves frames from the tail to `history` in two steps: the commit, then the tail. A reader takes them in the other order, tail
//! first, so it may see frames twice and skips those, but never misses any.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{Database, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition};

use super::StoreError;
use super::course::Course;
use super::frame::{Checksum, EncodedFrame, Frame, Place};
use super::integrity::Integrity;
use super::overview::Overview;
use super::row;
use super::schema::{BUILDS, HISTORY, IDS, INSTANCES, ORCHESTRATORS, SUSPECTS, WHOLE_TURN, number};
use super::summary::Summary;
use super::suspicion::Suspicion;
use super::tail::{FrameRef, Tail, Unfolded};
use super::unended::Unended;
use crate::event::HistoryEvent;
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, Sequence, SiteId};

/// Reads the store beside its writer. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Arc<Shared>);

/// An instance, and the events of its last execution: those that its summary counts, and what was recorded since.
#[derive(Debug)]
pub(crate) struct LastExecution {
    pub(crate) summary: Arc<Summary>,
    /// An error of this instance alone says why its history cannot be read.
    pub(crate) history: Result<Vec<HistoryEvent>, StoreError>,
}

/// What the writer and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Gone once the store is closed, however many readers there are.
    database: RwLock<Option<Database>>,
    tail: RwLock<Tail>,
    pub(crate) checksum: Checksum,
}

type Bytes = ReadOnlyTable<u64, &'static [u8]>;

impl Shared {
    pub(crate) fn new(database: Database, tail: Tail, checksum: Checksum) -> Arc<Self> {
        Arc::new(Self {
            database: RwLock::new(Some(database)),
            tail: RwLock::new(tail),
            checksum,
        })
    }

    /// The tail; held for a look, and by the writer while it folds, never while it waits for the disk.
    pub(crate) fn tail(&self) -> RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tail_mut(&self) -> RwLockWriteGuard<'_, Tail> {
        self.tail.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some of the unfolded instances, from this key on.
    pub(crate) fn unfolded_from(&self, from: u64, count: u64) -> Vec<(InstanceKey, Arc<Summary>)> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let tail = self.tail();
        let unpurged =
            |(key, unfolded): (InstanceKey, &Unfolded)| Some((key, unfolded.summary.clone()?));
        let some = tail
            .range(InstanceKey(from)..)
            .filter_map(unpurged)
            .take(count);
        some.collect()
    }

    pub(crate) fn begin_write(&self) -> Result<redb::WriteTransaction, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(StoreError::Closed)?;
        Ok(database.begin_write()?)
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(StoreError::Closed)?;
        Ok(database.begin_read()?)
    }

    pub(crate) fn open_table<K: Key + 'static>(
        &self,
        definition: TableDefinition<'static, K, &'static [u8]>,
    ) -> Result<ReadOnlyTable<K, &'static [u8]>, StoreError> {
        Ok(self.begin_read()?.open_table(definition)?)
    }

    /// Gives away the file that is open.
    pub(crate) fn take(&self) -> Option<(Database, Tail)> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let tail = std::mem::take(&mut *self.tail_mut());
        database.take().map(|database| (database, tail))
    }

    /// Goes on with another opening of the same file.
    pub(crate) fn install(&self, opened: Database, tail: Tail) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *self.tail_mut() = tail;
        *database = Some(opened);
    }

    /// Closes the file, and with it every reader.
    pub(crate) fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
        // Only now, so that nobody who misses something here takes it for never having been.
        *self.tail_mut() = Tail::default();
    }
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Encodes events as the frame that [`Transaction::append_encoded`](super::Transaction::append_encoded) takes.
    ///
    /// # Errors
    /// [`StoreError::Unrecordable`].
    pub(crate) fn encode(
        &self,
        key: InstanceKey,
        execution: ExecutionId,
        first: Sequence,
        events: &[HistoryEvent],
    ) -> Result<EncodedFrame, StoreError> {
        let place = Place {
            key,
            execution,
            first,
        };
        EncodedFrame::new(self.0.checksum, place, events)
    }

    /// The keys of the instances that have not ended.
    pub(crate) fn unended(&self) -> Unended {
        Unended::new(self.clone())
    }

    /// The key of an instance, if there is one of that id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn find(&self, id: &InstanceId) -> Result<Option<InstanceKey>, StoreError> {
        let found = self.ids()?.find(id)?;
        // Between a commit and its way into the tail, an id is found whose instance cannot be read yet. If it is to take the
        // place of another, that still has it.
        let tail = self.0.tail();
        match found {
            Some(key) if key.0 >= tail.next_key() => Ok(tail.leaving(id)),
            found => Ok(found),
        }
    }

    /// The ids as of now, for several look-ups.
    pub(crate) fn ids(&self) -> Result<Ids, StoreError> {
        Ok(Ids::new(self.0.open_table(IDS)?))
    }

    /// What a client sees of an instance; `None` if no instance has the key.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn summary(&self, key: InstanceKey) -> Result<Option<Summary>, StoreError> {
        Ok(self.shared_summary(key)?.map(Arc::unwrap_or_clone))
    }

    /// As [`summary`](Self::summary), without a copy.
    pub(crate) fn shared_summary(
        &self,
        key: InstanceKey,
    ) -> Result<Option<Arc<Summary>>, StoreError> {
        let unfolded = (self.0.tail().find(key)).map(|unfolded| unfolded.summary.clone());
        match unfolded {
            Some(summary) => Ok(summary),
            None => {
                Ok(summary_of(key, &self.0.open_table(INSTANCES)?, self.0.checksum)?.map(Arc::new))
            }
        }
    }

    /// The same without what its user gave and got, which is not copied; `None` if no instance has the key.
    ///
    /// # Errors
    /// As [`summary`](Self::summary).
    pub(crate) fn overview(&self, key: InstanceKey) -> Result<Option<Overview>, StoreError> {
        let unfolded = (self.0.tail().find(key)).map(|unfolded| unfolded.summary.clone());
        if let Some(summary) = unfolded {
            return Ok(summary.as_deref().map(Overview::from));
        }
        let row = self.0.open_table(INSTANCES)?.get(key.0)?;
        row.map(|row| Ok(row::stored_summary(key, row.value(), self.0.checksum)?.overview()))
            .transpose()
    }

    /// The events of one execution, in order; empty if there is no such execution.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`] if a frame is wrong or missing.
    pub(crate) fn history(
        &self,
        key: InstanceKey,
        execution: ExecutionId,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        self.history_of(key, execution, 0)
    }

    /// The events of the execution that `summary` tells of, in order: those that it counts, and what was recorded since it
    /// was read.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`] if a frame is wrong or missing.
    pub(crate) fn current_history(
        &self,
        key: InstanceKey,
        summary: &Summary,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        self.history_of(key, summary.execution, summary.events)
    }

    /// The events of the last execution of an instance, in order; `None` if there is no such instance.
    ///
    /// # Errors
    /// As [`current_history`](Self::current_history).
    pub(crate) fn last_history(
        &self,
        key: InstanceKey,
    ) -> Result<Option<Vec<HistoryEvent>>, StoreError> {
        let last = self.last_execution(key, self.shared_summary(key)?)?;
        last.map(|last| last.history).transpose()
    }

    /// An instance that was as `seen` a moment ago, with the history of the execution that it is told of in; `None` if there is
    /// none any more.
    ///
    /// # Errors
    /// As [`summary`](Self::summary). What is wrong with the history is told in its place.
    pub(crate) fn last_execution(
        &self,
        key: InstanceKey,
        mut seen: Option<Arc<Summary>>,
    ) -> Result<Option<LastExecution>, StoreError> {
        while let Some(summary) = seen {
            let history = match self.current_history(key, &summary) {
                Err(error) if error.is_of_one_instance() => {
                    seen = self.shared_summary(key)?;
                    // Else its rows were removed while they were read: it is purged, or has continued as new.
                    if (seen.as_ref()).is_none_or(|now| now.execution != summary.execution) {
                        continue;
                    }
                    Err(error)
                }
                history => Ok(history?),
            };
            return Ok(Some(LastExecution { summary, history }));
        }
        Ok(None)
    }

    /// Whether an instance is no more, or will not be once the commit on its way is there.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn is_purged(&self, key: InstanceKey) -> Result<bool, StoreError> {
        let has_left = self.0.tail().has_left(key);
        Ok(has_left || self.shared_summary(key)?.is_none())
    }

    fn history_of(
        &self,
        key: InstanceKey,
        execution: ExecutionId,
        events_min: u32,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        let unfolded = self.unfolded(key, execution);
        let mut course = Course::new(key, execution, self.0.checksum);
        let mut events = Vec::new();
        let mut take = |frame: &Frame<'_>| {
            events.extend(frame.read()?);
            Ok(())
        };
        let segments = self.0.open_table(HISTORY)?;
        let at = |sequence| (key.0, execution.0, sequence);
        for segment in segments.range(at(0)..=at(u32::MAX))? {
            course.follow(segment?.1.value(), &mut take)?;
        }
        for frame in &unfolded {
            course.follow(frame.bytes(), &mut take)?;
        }
        course.reaches(events_min)?;
        Ok(events)
    }

    /// The place of a site in the sources of a build, if it was recorded.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn place(&self, build: BuildId, site: SiteId) -> Result<Option<String>, StoreError> {
        let line = |mut spot: String| {
            spot.truncate(spot.find('\n').unwrap_or(spot.len()));
            spot
        };
        Ok(self.spot(build, site)?.map(line))
    }

    /// What is kept of the orchestrators of a build.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn orchestrators(&self, build: BuildId) -> Result<Option<String>, StoreError> {
        let row = self.0.open_table(BUILDS)?.get((build.0, ORCHESTRATORS))?;
        Ok(row.map(|row| String::from_utf8_lossy(row.value()).into_owned()))
    }

    /// The same, and in a second line what stood there, if that build knew.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn spot(&self, build: BuildId, site: SiteId) -> Result<Option<String>, StoreError> {
        if site.0 <= ORCHESTRATORS {
            return Ok(None);
        }
        let place = self.0.open_table(BUILDS)?.get((build.0, site.0))?;
        Ok(place.map(|place| String::from_utf8_lossy(place.value()).into_owned()))
    }

    /// What is held against an activity, or a turn, of an instance.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn suspicion(
        &self,
        key: InstanceKey,
        event: Option<EventId>,
    ) -> Result<Option<Suspicion>, StoreError> {
        let at = (key.0, event.map_or(WHOLE_TURN, |event| event.0));
        let row = self.0.open_table(SUSPECTS)?.get(at)?;
        row.map(|row| Suspicion::read(at, row.value())).transpose()
    }

    /// A check of everything that is folded, to be done beside all else.
    pub(crate) fn integrity(&self) -> Integrity {
        Integrity::new(self.clone())
    }

    fn unfolded(&self, key: InstanceKey, execution: ExecutionId) -> Vec<FrameRef> {
        let tail = self.0.tail();
        let frames = tail.find(key).map(|unfolded| unfolded.frames.iter());
        frames
            .into_iter()
            .flatten()
            .filter(|frame| frame.execution == execution)
            .cloned()
            .collect()
    }
}

/// The table of ids as of one moment.
#[derive(Debug)]
pub(crate) struct Ids(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Ids {
    pub(crate) fn new(table: ReadOnlyTable<&'static [u8], &'static [u8]>) -> Self {
        Self(table)
    }

    pub(crate) fn find(&self, id: &InstanceId) -> Result<Option<InstanceKey>, StoreError> {
        let Some(row) = self.0.get(id.as_str().as_bytes())? else {
            return Ok(None);
        };
        number(row.value())
            .map(|key| Some(InstanceKey(key)))
            .ok_or_else(|| {
                StoreError::damaged(
                    format!("row `{id}` of `ids`"),
                    format!("expected 8 bytes, found {}", row.value().len()),
                )
            })
    }
}

/// The row of an instance in `instances`.
pub(crate) fn summary_of(
    key: InstanceKey,
    instances: &Bytes,
    checksum: Checksum,
) -> Result<Option<Summary>, StoreError> {
    (instances.get(key.0)?)
        .map(|row| row::summary_from_row(key, row.value(), checksum))
        .transpose()
}
