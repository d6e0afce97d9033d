//! One commit in the making.
//!
//! All of it is staged in memory; [`commit`](Transaction::commit) writes it as one redb transaction. So a transaction that is
//! dropped leaves no trace, and no time is spent inside redb but to write.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::sync::Arc;

use super::batch::Batch;
use super::frame::{EncodedFrame, Frame, Place};
use super::reader::Ids;
use super::schema::{ORCHESTRATORS, WHOLE_TURN};
use super::sent::{self, Sent, SentBy};
use super::summary::{Status, Summary};
use super::suspicion::Suspicion;
use super::tail::FrameRef;
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::event::{ExecutionStarted, HistoryEvent, InstancePurged};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, Sequence, SiteId};
use crate::limits;
use crate::trace::Lineage;

/// What a commit will write. Dropped without [`commit`](Self::commit), it never was.
#[derive(Debug)]
pub(crate) struct Transaction<'s> {
    store: &'s mut Store,
    ids: Option<Ids>,
    staged: Staged,
    /// Which of `staged.instances` has a key.
    index: HashMap<InstanceKey, usize>,
    /// The status of each of `staged.instances` before this transaction; `None` for a new one.
    before: Vec<Option<Status>>,
    /// The row of `log` that is being filled.
    row: Vec<u8>,
}

/// What a transaction has gathered.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// Instances with frames, in the order in which they were first touched, as they will be.
    pub(crate) instances: Vec<(InstanceKey, Arc<Summary>)>,
    /// The status that each of them had; `None` for a new one.
    pub(crate) before: Vec<Option<Status>>,
    /// In the order of the calls.
    pub(crate) frames: Vec<StagedFrame>,
    /// Full rows of `log`.
    pub(crate) rows: Vec<Arc<[u8]>>,
    /// Who has an id from now on, if anybody.
    pub(crate) ids: BTreeMap<InstanceId, Option<InstanceKey>>,
    /// Those of `instances` that are no more.
    pub(crate) purged: BTreeSet<InstanceKey>,
    pub(crate) places: BTreeMap<(u32, u32), Vec<u8>>,
    /// What is held against what; `None`: nothing any more.
    pub(crate) suspects: BTreeMap<(u64, u32), Option<Suspicion>>,
    /// Events on their way; `None` removes one that has arrived.
    pub(crate) sent: BTreeMap<SentBy, Option<Vec<u8>>>,
    pub(crate) next_key: u64,
    pub(crate) time: Timestamp,
}

/// A frame in one of the staged rows.
#[derive(Debug)]
pub(crate) struct StagedFrame {
    pub(crate) instance: usize,
    pub(crate) row: usize,
    offset: usize,
    length: usize,
}

impl StagedFrame {
    /// The frame once its row has this position.
    pub(crate) fn place(&self, position: u64, row: &Arc<[u8]>) -> Option<FrameRef> {
        let bytes = row.get(self.offset..self.offset + self.length)?;
        let (frame, _, _) = Frame::split(bytes).ok()?;
        Some(FrameRef::new(
            &frame,
            position,
            row,
            self.offset,
            self.length,
        ))
    }
}

/// What became of a wish to create an instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Created {
    /// It is new.
    New(InstanceKey),
    /// There is one of that id, which may be of the same transaction.
    Existing(InstanceKey, Box<Summary>),
}

impl<'s> Transaction<'s> {
    pub(crate) fn new(store: &'s mut Store, now: Timestamp) -> Self {
        let staged = Staged {
            next_key: store.next_key,
            time: now,
            ..Staged::default()
        };
        let mut row = std::mem::take(&mut store.scratch);
        row.clear();
        Self {
            store,
            ids: None,
            staged,
            index: HashMap::new(),
            before: Vec::new(),
            row,
        }
    }

    /// Creates an instance, unless there is one of that id: reserves the next key and appends `started` as event 0.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`]; [`StoreError::Unrecordable`].
    pub(crate) fn create(&mut self, started: ExecutionStarted) -> Result<Created, StoreError> {
        if let Some((key, summary)) = self.look_up(&started.instance)? {
            let summary = Box::new(Arc::unwrap_or_clone(summary));
            return Ok(Created::Existing(key, summary));
        }
        let key = InstanceKey(self.staged.next_key);
        let summary = Summary::started(&started);
        let id = started.instance.clone();
        let event = HistoryEvent::ExecutionStarted(Box::new(started));
        let place = Place {
            key,
            execution: ExecutionId::FIRST,
            first: Sequence(0),
        };
        let instance = self.staged.instances.len();
        let frame = EncodedFrame::new(self.store.checksum, place, &[event])?;
        self.write_frame(instance, &frame);
        self.index.insert(key, instance);
        self.staged.instances.push((key, Arc::new(summary)));
        self.before.push(None);
        self.staged.next_key += 1;
        self.staged.ids.insert(id, Some(key));
        Ok(Created::New(key))
    }

    /// Appends events to the history of an instance, as one frame.
    ///
    /// # Errors
    /// As [`append_encoded`](Self::append_encoded).
    ///
    /// # Panics
    /// As [`append_encoded`](Self::append_encoded).
    pub(crate) fn append(
        &mut self,
        key: InstanceKey,
        execution: ExecutionId,
        first: Sequence,
        events: &[HistoryEvent],
    ) -> Result<(), StoreError> {
        let place = Place {
            key,
            execution,
            first,
        };
        let frame = EncodedFrame::new(self.store.checksum, place, events)?;
        self.append_encoded(&frame, events)
    }

    /// Appends a frame that was encoded beforehand from these events.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`]; [`StoreError::Unrecordable`].
    ///
    /// # Panics
    /// If there are no events, no such instance, or if `first` does not continue its history: the next sequence of its
    /// current execution, or 0 of the next one.
    pub(crate) fn append_encoded(
        &mut self,
        frame: &EncodedFrame,
        events: &[HistoryEvent],
    ) -> Result<(), StoreError> {
        let place = frame.place();
        let is_next = self.append_next(frame, events)?;
        assert!(
            is_next,
            "event {} of execution {} does not continue the history of instance {}",
            place.first.0, place.execution, place.key.0
        );
        Ok(())
    }

    /// The same, unless something else was recorded of the instance since `first` was its next sequence, or it is gone: then
    /// nothing is appended, and it is `false`.
    ///
    /// # Errors
    /// As [`append_encoded`](Self::append_encoded).
    ///
    /// # Panics
    /// If there are no events, or if `first` lies beyond the end of its history.
    pub(crate) fn append_next(
        &mut self,
        frame: &EncodedFrame,
        events: &[HistoryEvent],
    ) -> Result<bool, StoreError> {
        let place = frame.place();
        assert!(
            !events.is_empty(),
            "an append to instance {} holds no event",
            place.key.0
        );
        let Some(instance) = self.stage(place.key)? else {
            return Ok(false);
        };
        if !self.continues(instance, place, events) {
            assert!(
                self.is_behind(instance, place),
                "event {} of execution {} does not continue the history of instance {}",
                place.first.0,
                place.execution,
                place.key.0
            );
            return Ok(false);
        }
        self.write_frame(instance, frame);
        if let Some((_, summary)) = self.staged.instances.get_mut(instance) {
            let summary = Arc::make_mut(summary);
            for event in events {
                summary.apply(event);
            }
        }
        Ok(true)
    }

    /// Removes an instance that has ended: it can be found no more, and its id is free for another one of this very
    /// transaction. Its rows are removed by a later fold.
    ///
    /// # Errors
    /// As [`append_encoded`](Self::append_encoded).
    ///
    /// # Panics
    /// If there is no such instance, or it has not ended.
    pub(crate) fn purge(&mut self, key: InstanceKey) -> Result<(), StoreError> {
        let summary = self.summary(key)?;
        let ended = summary.filter(|summary| summary.has_ended());
        let instance = self.stage(key)?;
        let (Some(summary), Some(instance)) = (ended, instance) else {
            unreachable!(
                "instance {} is to be purged, but has not ended, or is purged already",
                key.0
            );
        };
        let place = Place {
            key,
            execution: summary.execution,
            first: Sequence(summary.events),
        };
        let at = self.staged.time;
        let tombstone = HistoryEvent::InstancePurged(InstancePurged { at });
        let frame = EncodedFrame::new(self.store.checksum, place, &[tombstone])?;
        self.write_frame(instance, &frame);
        self.clear_suspects(key);
        if self.find(&summary.id)? == Some(key) {
            self.staged.ids.insert(summary.id.clone(), None);
        }
        self.staged.purged.insert(key);
        Ok(())
    }

    /// Records where in the sources of a build a site is, if that is not recorded yet. Nearly always it is: `place` is put
    /// into words only if not.
    pub(crate) fn place(&mut self, build: BuildId, site: SiteId, place: impl Display) {
        let at = (build.0, site.0);
        // One site in a billion has a number that stands for the build: its place is not kept.
        if site.0 > ORCHESTRATORS && !self.store.places.contains(&at) {
            (self.staged.places.entry(at)).or_insert_with(|| place.to_string().into_bytes());
        }
    }

    /// Records what is held against this activity, or a whole turn, of an instance.
    pub(crate) fn set_suspect(
        &mut self,
        key: InstanceKey,
        event: Option<EventId>,
        suspicion: Suspicion,
    ) {
        (self.staged.suspects).insert(suspect(key, event), Some(suspicion));
    }

    /// Holds nothing against it any more. Costs nothing if that is so already.
    pub(crate) fn clear_suspect(&mut self, key: InstanceKey, event: Option<EventId>) {
        let at = suspect(key, event);
        if self.store.suspects.contains(&at) || self.staged.suspects.contains_key(&at) {
            self.staged.suspects.insert(at, None);
        }
    }

    /// Holds nothing against anything of an instance any more. Costs nothing if that is so already.
    pub(crate) fn clear_suspects(&mut self, key: InstanceKey) {
        let all = (key.0, 0)..=(key.0, u32::MAX);
        for (_, suspicion) in self.staged.suspects.range_mut(all.clone()) {
            *suspicion = None;
        }
        for at in self.store.suspects.range(all) {
            self.staged.suspects.insert(*at, None);
        }
    }

    /// The instance of that id as of this transaction; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn look_up(
        &mut self,
        id: &InstanceId,
    ) -> Result<Option<(InstanceKey, Arc<Summary>)>, StoreError> {
        let Some(key) = self.find(id)? else {
            return Ok(None);
        };
        match self.summary(key)? {
            Some(summary) => Ok(Some((key, summary))),
            None => Err(StoreError::damaged(
                format!("row `{id}` of `ids`"),
                format!("expected instance {}, found none", key.0),
            )),
        }
    }

    /// The history of the current execution of an instance that this transaction has not changed.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn history(
        &self,
        key: InstanceKey,
        summary: &Summary,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        self.store.reader.current_history(key, summary)
    }

    /// What the spans of an execution are derived from, whose instance this transaction writes to.
    pub(crate) fn lineage(&self, key: InstanceKey, execution: ExecutionId) -> Lineage {
        let trace = (self.staged(key)).and_then(|summary| summary.trace.clone());
        Lineage::new(self.store.id(), key, execution, trace)
    }

    /// An instance as it will be, if this transaction writes to it.
    pub(crate) fn staged(&self, key: InstanceKey) -> Option<&Summary> {
        let at = self.index.get(&key)?;
        (self.staged.instances.get(*at)).map(|(_, summary)| &**summary)
    }

    /// Keeps an event until it has [`arrived`](Self::arrived).
    ///
    /// # Errors
    /// [`StoreError::Unrecordable`].
    pub(crate) fn send(&mut self, sent: &Sent) -> Result<(), StoreError> {
        let row = sent::to_row(sent, self.store.checksum)?;
        self.staged.sent.insert(sent.by, Some(row));
        Ok(())
    }

    /// An event that was sent is in the history of the instance that it was for, or is given up.
    pub(crate) fn arrived(&mut self, by: SentBy) {
        self.staged.sent.insert(by, None);
    }

    /// Writes everything, with a slice of fold work if that is urgent, and waits for the disk. A transaction that holds
    /// nothing writes nothing.
    ///
    /// # Durability
    /// When it returns `Ok`, all is on disk and readers see it. After an error it is unknown whether it is.
    ///
    /// # Errors
    /// [`StoreError`] of the database, after which the store takes no more writes; [`StoreError::Broken`] if that was before.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        self.seal_row();
        self.staged.before = std::mem::take(&mut self.before);
        self.ids = None;
        self.store.scratch = std::mem::take(&mut self.row);
        self.store.commit(Batch::of(self.staged))
    }

    fn find(&mut self, id: &InstanceId) -> Result<Option<InstanceKey>, StoreError> {
        if let Some(key) = self.staged.ids.get(id) {
            return Ok(*key);
        }
        if self.ids.is_none() {
            self.ids = Some(self.store.reader.ids()?);
        }
        self.ids.as_ref().map_or(Ok(None), |ids| ids.find(id))
    }

    /// The version of an instance's orchestrator.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn version(&self, key: InstanceKey) -> Result<Option<String>, StoreError> {
        let summary = self.summary(key)?;
        Ok(summary.and_then(|summary| summary.version.clone()))
    }

    /// An instance as of this transaction; `None` if there is none, or none any more.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`].
    pub(crate) fn summary(&self, key: InstanceKey) -> Result<Option<Arc<Summary>>, StoreError> {
        if self.staged.purged.contains(&key) {
            return Ok(None);
        }
        let staged = (self.index.get(&key)).and_then(|at| self.staged.instances.get(*at));
        match staged {
            Some((_, summary)) => Ok(Some(Arc::clone(summary))),
            None => self.store.reader.shared_summary(key),
        }
    }

    /// The index of an instance in `staged.instances`; `None` if there is no such instance.
    fn stage(&mut self, key: InstanceKey) -> Result<Option<usize>, StoreError> {
        if self.staged.purged.contains(&key) {
            return Ok(None);
        }
        if let Some(instance) = self.index.get(&key) {
            return Ok(Some(*instance));
        }
        let Some(summary) = self.store.reader.shared_summary(key)? else {
            return Ok(None);
        };
        let instance = self.staged.instances.len();
        self.before.push(Some(summary.status));
        self.staged.instances.push((key, summary));
        self.index.insert(key, instance);
        Ok(Some(instance))
    }

    fn continues(&self, instance: usize, place: Place, events: &[HistoryEvent]) -> bool {
        let Some((_, summary)) = self.staged.instances.get(instance) else {
            return false;
        };
        if place.execution == summary.execution {
            let goes_on = !summary.has_ended() || begins_anew(events);
            return place.first == Sequence(summary.events) && goes_on;
        }
        let begins = matches!(events.first(), Some(HistoryEvent::ExecutionStarted(_)));
        begins && place.execution == summary.execution.next() && place.first == Sequence(0)
    }

    /// Whether the history has come further than this place, or has ended.
    fn is_behind(&self, instance: usize, place: Place) -> bool {
        let staged = self.staged.instances.get(instance);
        staged.is_some_and(|(_, summary)| {
            let next = (summary.execution, Sequence(summary.events));
            (place.execution, place.first) < next || summary.has_ended()
        })
    }

    fn write_frame(&mut self, instance: usize, frame: &EncodedFrame) {
        let bytes = frame.bytes();
        if !self.row.is_empty() && self.row.len() + bytes.len() > limits::LOG_ROW_BYTES {
            self.seal_row();
        }
        self.staged.frames.push(StagedFrame {
            instance,
            row: self.staged.rows.len(),
            offset: self.row.len(),
            length: bytes.len(),
        });
        self.row.extend_from_slice(bytes);
    }

    fn seal_row(&mut self) {
        if !self.row.is_empty() {
            self.staged.rows.push(self.row.as_slice().into());
            self.row.clear();
        }
    }
}

/// Whether an execution that has ended goes on with these events.
fn begins_anew(events: &[HistoryEvent]) -> bool {
    matches!(events.first(), Some(HistoryEvent::ExecutionRewound(_)))
}

/// The key of a row of `suspects`.
fn suspect(key: InstanceKey, event: Option<EventId>) -> (u64, u32) {
    (key.0, event.map_or(WHOLE_TURN, |event| event.0))
}
