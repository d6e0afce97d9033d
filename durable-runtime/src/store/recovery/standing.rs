//! Where every instance stands, from the tables `open` and `log`.
//!
//! `open` says what waiting instances wait for, `log` what is not folded yet; the one applied to the other is where every
//! instance stands. A frame in `log` that is folded already, and waits there for others of its row, is told by its
//! instance's row.
//!
//! Source: `docs/design.md`, "Open".

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};

use crate::clock::Timestamp;
use crate::event::HistoryEvent;
use crate::id::{ExecutionId, InstanceKey, Sequence};
use crate::store::frame::{Checksum, Frame, FrameError, Place};
use crate::store::ledger::{Ledger, Patience};
use crate::store::meta::Meta;
use crate::store::outstanding::Outstanding;
use crate::store::reader::summary_of;
use crate::store::schema::{INSTANCES, LOG, OPEN};
use crate::store::summary::Summary;
use crate::store::tail::{FrameRef, Tail};
use crate::store::{StoreError, row};

/// Where an instance stands as far as it was read.
#[derive(Default)]
struct Standing {
    /// None before the first event.
    summary: Option<Summary>,
    outstanding: Outstanding,
    /// The execution and sequence up to which it is folded, if it is.
    folded: Option<(ExecutionId, Sequence)>,
    frames: Vec<FrameRef>,
}

impl Standing {
    fn folded(summary: Summary, outstanding: Outstanding) -> Self {
        Self {
            folded: Some((summary.execution, Sequence(summary.events))),
            summary: Some(summary),
            outstanding,
            frames: Vec::new(),
        }
    }

    fn apply(&mut self, event: &HistoryEvent) {
        self.outstanding.apply(event);
        match (&mut self.summary, event) {
            (Some(summary), event) => summary.apply(event),
            (none, HistoryEvent::ExecutionStarted(started)) => {
                *none = Some(Summary::started(started));
            }
            (None, _) => {}
        }
    }
}

/// The tables `open` and `log`, read.
pub(super) struct Log {
    checksum: Checksum,
    summaries: ReadOnlyTable<u64, &'static [u8]>,
    standings: BTreeMap<InstanceKey, Standing>,
    patience: Patience,
    ledger: Ledger,
    pub(super) time: Timestamp,
}

/// What the log comes to.
pub(super) struct Settled {
    pub(super) ledger: Ledger,
    pub(super) tail: Tail,
    pub(super) instances: Vec<(InstanceKey, Summary, Outstanding)>,
}

impl Log {
    /// Reads what is folded of the waiting instances.
    pub(super) fn new(
        transaction: &ReadTransaction,
        checksum: Checksum,
        meta: &Meta,
        patience: Patience,
    ) -> Result<Self, StoreError> {
        let mut log = Self {
            checksum,
            summaries: transaction.open_table(INSTANCES)?,
            standings: BTreeMap::new(),
            patience,
            ledger: Ledger::starting_at(meta.next_position, patience),
            time: meta.time,
        };
        for row in transaction.open_table(OPEN)?.iter()? {
            let (key, row) = row?;
            let key = InstanceKey(key.value());
            let outstanding = row::outstanding_from_row(key, row.value(), checksum)?;
            let summary = summary_of(key, &log.summaries, checksum)?.ok_or_else(|| {
                StoreError::damaged(format!("row {} of `instances`", key.0), "it is missing")
            })?;
            row::fit_together(key, &summary, &outstanding)?;
            log.standings
                .insert(key, Standing::folded(summary, outstanding));
        }
        Ok(log)
    }

    /// Reads `log`, whose head was at `head_min` or is behind it.
    pub(super) fn read(
        &mut self,
        transaction: &ReadTransaction,
        head_min: u64,
    ) -> Result<(), StoreError> {
        let log = transaction.open_table(LOG)?;
        if let Some((oldest, _)) = log.first()? {
            self.ledger = Ledger::starting_at(oldest.value(), self.patience);
        }
        for row in log.iter()? {
            let (position, row) = row?;
            let position = position.value();
            if position != self.ledger.head() {
                let expected = self.ledger.head();
                return Err(StoreError::damaged(
                    "`log`",
                    format!("expected row {expected}, found row {position}"),
                ));
            }
            self.read_row(position, &row.value().into())?;
        }
        if self.ledger.head() < head_min {
            let last = head_min.saturating_sub(1);
            return Err(StoreError::damaged(
                "`log`",
                format!("row {last} is missing"),
            ));
        }
        self.ledger.release_empty_rows();
        Ok(())
    }

    fn read_row(&mut self, position: u64, row: &Arc<[u8]>) -> Result<(), StoreError> {
        self.ledger.push_row(row);
        let mut offset = 0;
        while let Some(rest) = row.get(offset..).filter(|rest| !rest.is_empty()) {
            let damaged = |error: FrameError| {
                StoreError::frame(format!("row {position} of `log`, byte {offset},"), &error)
            };
            let (frame, length, _) = Frame::split(rest).map_err(damaged)?;
            frame.check(self.checksum).map_err(damaged)?;
            if !self.is_folded(frame.place)? {
                let events = frame.events(self.checksum).map_err(damaged)?;
                let frame_ref = FrameRef::new(&frame, position, row, offset, length);
                self.ledger.push_frame(&frame_ref);
                self.add(frame.place, &events, frame_ref)?;
            }
            offset += length;
        }
        Ok(())
    }

    fn is_folded(&mut self, place: Place) -> Result<bool, StoreError> {
        let standing = match self.standings.entry(place.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                // Not in `open`: it is new, or it has ended and is folded.
                let summary = summary_of(place.key, &self.summaries, self.checksum)?;
                if (summary.as_ref()).is_some_and(|summary| !summary.has_ended()) {
                    return Err(row::missing_outstanding(place.key));
                }
                new.insert(summary.map_or_else(Standing::default, |summary| {
                    Standing::folded(summary, Outstanding::default())
                }))
            }
        };
        Ok(Some((place.execution, place.first)) < standing.folded)
    }

    /// Adds an unfolded frame to its instance.
    fn add(
        &mut self,
        place: Place,
        events: &[HistoryEvent],
        frame: FrameRef,
    ) -> Result<(), StoreError> {
        let standing = self.standings.entry(place.key).or_default();
        let next = (standing.outstanding.execution, standing.outstanding.next);
        let begins = matches!(events.first(), Some(HistoryEvent::ExecutionStarted(_)));
        let is_next_execution =
            begins && (place.execution, place.first) == (next.0.next(), Sequence(0));
        if (place.execution, place.first) != next && !is_next_execution {
            return Err(StoreError::damaged(
                format!("the history of instance {} in `log`", place.key.0),
                format!(
                    "expected event {} of execution {}, found event {} of execution {}",
                    next.1.0, next.0, place.first.0, place.execution
                ),
            ));
        }
        for event in events {
            standing.apply(event);
        }
        if let Some(summary) = &standing.summary {
            self.time = (self.time).max(Timestamp::from_system_time(summary.updated_at));
        }
        standing.frames.push(frame);
        Ok(())
    }

    /// What is folded was counted in `meta` by the same commit, so only unfolded creations can be behind that.
    pub(super) fn next_key(&self, known: u64) -> u64 {
        let last = self.standings.keys().next_back();
        known.max(last.map_or(1, |key| key.0.saturating_add(1)))
    }

    pub(super) fn settle(mut self) -> Settled {
        let mut tail = Tail::default();
        let mut instances = Vec::new();
        for (key, standing) in self.standings {
            let Some(summary) = standing.summary else {
                continue;
            };
            let has_ended = summary.has_ended();
            if !standing.frames.is_empty() {
                let shared = Arc::new(summary.clone());
                for frame in standing.frames {
                    tail.push(key, &shared, frame);
                }
                if has_ended {
                    self.ledger.push_ended(key);
                }
            }
            if !has_ended {
                instances.push((key, summary, standing.outstanding));
            }
        }
        Settled {
            ledger: self.ledger,
            tail,
            instances,
        }
    }
}
