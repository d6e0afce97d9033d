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
use crate::event::{HistoryEvent, Name, Parent};
use crate::id::{ExecutionId, InstanceKey, Sequence};
use crate::store::census::Census;
use crate::store::frame::{Checksum, Frame, FrameError, Place};
use crate::store::ledger::{Ledger, Patience};
use crate::store::meta::Meta;
use crate::store::outstanding::Outstanding;
use crate::store::reader::summary_of;
use crate::store::recovery::Unfinished;
use crate::store::row::StoredSummary;
use crate::store::schema::{INSTANCES, LOG, OPEN};
use crate::store::summary::{Status, Summary};
use crate::store::tail::{FrameRef, Tail};
use crate::store::{StoreError, row};

/// Where an instance stands as far as it was read. There may be a million that wait, so what is only known of few is behind
/// a pointer.
#[derive(Default)]
struct Standing {
    outstanding: Outstanding,
    folded: Option<Folded>,
    unfolded: Option<Box<Unfolded>>,
}

/// What is folded of an instance.
struct Folded {
    /// The execution and sequence up to which it is.
    end: (ExecutionId, Sequence),
    /// Its status as of then, which `counts` knows.
    status: Status,
    parent: Option<Box<Parent>>,
}

/// What is not folded of an instance.
#[derive(Default)]
struct Unfolded {
    /// As of the last event; none before the first.
    summary: Option<Summary>,
    frames: Vec<FrameRef>,
    /// What is missing before its frames; no damage if a later one says that the instance is purged, as then some may be
    /// removed.
    damage: Option<StoreError>,
}

impl Standing {
    fn folded(stored: &StoredSummary<'_>, outstanding: Outstanding) -> Self {
        Self {
            outstanding,
            folded: Some(Folded {
                end: stored.end(),
                status: stored.status(),
                parent: stored.parent().map(Box::new),
            }),
            unfolded: None,
        }
    }

    /// Up to where it is folded, if it is.
    fn end(&self) -> Option<(ExecutionId, Sequence)> {
        self.folded.as_ref().map(|folded| folded.end)
    }
}

impl Unfolded {
    fn apply(&mut self, event: &HistoryEvent) {
        match (&mut self.summary, event) {
            (Some(summary), event) => summary.apply(event),
            (none, HistoryEvent::ExecutionStarted(started)) => {
                *none = Some(Summary::started(started));
            }
            (None, _) => {}
        }
    }
}

/// A purged instance: its tombstone, and what `counts` counts it as.
type Grave = (InstanceKey, FrameRef, Option<(Name, Status)>);

/// The tables `open` and `log`, read.
pub(super) struct Log {
    checksum: Checksum,
    summaries: ReadOnlyTable<u64, &'static [u8]>,
    standings: BTreeMap<InstanceKey, Standing>,
    /// Purged instances of which something is folded.
    graves: Vec<Grave>,
    /// The key behind the last that was purged.
    behind_purged: u64,
    patience: Patience,
    ledger: Ledger,
    pub(super) time: Timestamp,
}

/// What the log comes to.
pub(super) struct Settled {
    pub(super) ledger: Ledger,
    pub(super) tail: Tail,
    pub(super) instances: Vec<Unfinished>,
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
            graves: Vec::new(),
            behind_purged: 0,
            patience,
            ledger: Ledger::starting_at(meta.next_position, patience),
            time: meta.time,
        };
        for row in transaction.open_table(OPEN)?.iter()? {
            let (key, row) = row?;
            let key = InstanceKey(key.value());
            let outstanding = row::outstanding_from_row(key, row.value(), checksum)?;
            let summary = log.summaries.get(key.0)?.ok_or_else(|| {
                StoreError::damaged(format!("row {} of `instances`", key.0), "it is missing")
            })?;
            let stored = row::stored_summary(key, summary.value(), checksum)?;
            row::fit_together(key, stored.end(), &outstanding)?;
            log.standings
                .insert(key, Standing::folded(&stored, outstanding));
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
                if let [HistoryEvent::InstancePurged(purged)] = events.as_slice() {
                    self.bury(frame.place.key, frame_ref, purged.at)?;
                } else {
                    self.ledger.push_frame(&frame_ref);
                    self.add(frame.place, &events, frame_ref)?;
                }
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
                let Some(summary) = self.summaries.get(place.key.0)? else {
                    new.insert(Standing::default());
                    return Ok(false);
                };
                let stored = row::stored_summary(place.key, summary.value(), self.checksum)?;
                if !stored.status().has_ended() {
                    return Err(row::missing_outstanding(place.key));
                }
                let (execution, next) = stored.end();
                let outstanding = Outstanding::ended(execution, next);
                new.insert(Standing::folded(&stored, outstanding))
            }
        };
        Ok(Some((place.execution, place.first)) < standing.end())
    }

    /// Adds an unfolded frame to its instance.
    fn add(
        &mut self,
        place: Place,
        events: &[HistoryEvent],
        frame: FrameRef,
    ) -> Result<(), StoreError> {
        let standing = self.standings.entry(place.key).or_default();
        let unfolded = standing.unfolded.get_or_insert_default();
        if unfolded.damage.is_some() {
            unfolded.frames.push(frame);
            return Ok(());
        }
        if unfolded.frames.is_empty() && standing.folded.is_some() {
            unfolded.summary = summary_of(place.key, &self.summaries, self.checksum)?;
        }
        let next = (standing.outstanding.execution, standing.outstanding.next);
        let begins = matches!(events.first(), Some(HistoryEvent::ExecutionStarted(_)));
        let is_next_execution =
            begins && (place.execution, place.first) == (next.0.next(), Sequence(0));
        if (place.execution, place.first) != next && !is_next_execution {
            unfolded.damage = Some(StoreError::damaged(
                format!("the history of instance {} in `log`", place.key.0),
                format!(
                    "expected event {} of execution {}, found event {} of execution {}",
                    next.1.0, next.0, place.first.0, place.execution
                ),
            ));
        }
        for event in events {
            standing.outstanding.apply(event);
            unfolded.apply(event);
        }
        if let Some(summary) = &unfolded.summary {
            self.time = (self.time).max(Timestamp::from_system_time(summary.updated_at));
        }
        unfolded.frames.push(frame);
        Ok(())
    }

    /// Forgets a purged instance, but for what the fold has to remove of it. Whatever else of it is in the log stands before
    /// this, and is all of it only if nothing of it was ever folded or removed.
    fn bury(
        &mut self,
        key: InstanceKey,
        tombstone: FrameRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let standing = self.standings.remove(&key).unwrap_or_default();
        if let Some(unfolded) = standing.unfolded {
            self.ledger.release(&unfolded.frames);
        }
        if let Some(folded) = standing.folded {
            self.ledger.push_frame(&tombstone);
            let summary = summary_of(key, &self.summaries, self.checksum)?;
            let counted = summary.map(|summary| (summary.name, folded.status));
            self.graves.push((key, tombstone, counted));
        }
        self.behind_purged = self.behind_purged.max(key.0.saturating_add(1));
        self.time = self.time.max(at);
        Ok(())
    }

    /// What is folded was counted in `meta` by the same commit, so only unfolded creations can be behind that; but a number of
    /// `meta` that is damaged must not give a key twice.
    pub(super) fn next_key(&self, known: u64) -> Result<u64, StoreError> {
        let folded = self.summaries.last()?.map(|(key, _)| key.value());
        let last = self.standings.keys().next_back().map(|key| key.0);
        let next = folded.max(last).map_or(1, |key| key.saturating_add(1));
        Ok(known.max(next).max(self.behind_purged))
    }

    /// # Errors
    /// [`StoreError::Damaged`] if something is missing of an instance that is not purged.
    pub(super) fn settle(mut self, census: Census) -> Result<Settled, StoreError> {
        let mut tail = Tail::default();
        tail.set_census(census);
        let mut instances = Vec::new();
        for (key, tombstone, counted) in self.graves {
            if let Some((name, status)) = counted {
                tail.count(&name, Some(status), None);
            }
            tail.push_grave(key, tombstone);
            self.ledger.push_grave(key);
        }
        for (key, standing) in self.standings {
            let folded = standing.folded;
            let counted = folded.as_ref().map(|folded| folded.status);
            let (status, parent) = match standing.unfolded {
                None => (counted, folded.and_then(|folded| folded.parent)),
                Some(unfolded) => {
                    let Unfolded {
                        summary,
                        frames,
                        damage,
                    } = *unfolded;
                    if let Some(damage) = damage {
                        return Err(damage);
                    }
                    let Some(summary) = summary.map(Arc::new) else {
                        continue;
                    };
                    tail.count(&summary.name, counted, Some(summary.status));
                    for frame in frames {
                        tail.push(key, &summary, frame);
                    }
                    if summary.has_ended() {
                        self.ledger.push_ended(key);
                    }
                    (Some(summary.status), summary.parent.clone().map(Box::new))
                }
            };
            if status.is_some_and(|status| !status.has_ended()) {
                instances.push(Unfinished {
                    key,
                    parent,
                    outstanding: standing.outstanding,
                });
            }
        }
        self.ledger.set_instances(tail.count_instances());
        Ok(Settled {
            ledger: self.ledger,
            tail,
            instances,
        })
    }
}
