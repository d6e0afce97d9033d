//! Lists of instances, page by page.
//!
//! A page is made in two steps. The first gathers *candidates*, in order, from the index and from the tail (the tail first, so
//! that nobody who is folded meanwhile is missed). The second looks at each candidate itself, as it is by then, and leaves out
//! those of which the filter does not hold. So what the index says decides how much is looked at, and nothing else; and what
//! is listed is never older than what the program has been told.
//!
//! Source: `docs/design.md`, "Lists".

mod ahead;
mod cursor;
mod filter;
mod harvest;
mod plan;
mod seek;

use self::filter::Subject;
pub(crate) use self::filter::{Filter, Span};
use self::harvest::Candidate;
use super::reader::Reader;
use super::row::{self, StoredSummary};
use super::schema::INSTANCES;
use super::summary::Summary;
use super::{Census, StoreError};
use crate::clock::Timestamp;
use crate::failure::Outcome;
use crate::id::{InstanceId, InstanceKey};
use crate::limits;

pub use self::cursor::{Cursor, CursorError};

/// In which order a list goes: that of the rows it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Creation,
    Completion,
    Id,
}

/// A place in a list, between two instances: behind one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Position {
    Creation(InstanceKey),
    Completion(Timestamp, InstanceKey),
    Id(InstanceId),
}

/// One page to be made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) filter: Filter,
    /// From the last to the first.
    pub(crate) descending: bool,
    /// Rows, at least one.
    pub(crate) limit: usize,
    pub(crate) after: Option<Position>,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Listing<R> {
    pub(crate) rows: Vec<R>,
    /// Whose they are.
    pub(crate) keys: Vec<InstanceKey>,
    /// What could not be read.
    pub(crate) damaged: Vec<StoreError>,
    /// Where the next page begins; `None` if nothing can follow.
    pub(crate) next: Option<Position>,
}

/// How a row of a list is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<R> {
    /// Of a row of `instances`.
    pub(crate) stored: fn(StoredSummary<'_>) -> R,
    /// Of an instance that is not folded.
    pub(crate) live: fn(&Summary) -> R,
}

/// What looking at an instance counts for, in rows of the index.
const LOOK_STEPS: usize = 4;
/// What it counts for beside that if its row is far from that of the one before.
const FAR_LOOK_STEPS: usize = 12;

impl Request {
    /// Whether a candidate is what it was taken for, and the filter holds of it.
    fn takes(&self, candidate: &Candidate, instance: &impl Subject) -> bool {
        let is_in_place = match &candidate.position {
            // It may have ended again since, and will be met there.
            Position::Completion(at, _) => instance.completed_at() == Some(*at),
            Position::Creation(_) | Position::Id(_) => true,
        };
        is_in_place && self.filter.holds(instance)
    }
}

impl Reader {
    /// How many instances there are, of every status and name.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub(crate) fn census(&self) -> Result<Census, StoreError> {
        let census = self.shared().tail().census().clone();
        // The tail of a closed store is empty.
        drop(self.shared().begin_read()?);
        Ok(census)
    }

    /// The place in a list that a cursor says.
    ///
    /// # Errors
    /// [`CursorError::Foreign`].
    pub(crate) fn position(
        &self,
        cursor: &Cursor,
        request: &Request,
    ) -> Result<Position, CursorError> {
        cursor.position(request, self.shared().checksum)
    }

    /// A place in a list, as a cursor.
    pub(crate) fn cursor(&self, position: Position, request: &Request) -> Cursor {
        Cursor::new(position, request, self.shared().checksum)
    }

    /// Makes a page. It may be shorter than asked for, even empty, though more follows: it looks at no more than
    /// [`PAGE_STEPS_MAX`](limits::PAGE_STEPS_MAX) rows.
    ///
    /// # Errors
    /// [`StoreError`] of the database. Damage of one instance is told in the page.
    pub(crate) fn list<R>(
        &self,
        request: &Request,
        shape: Shape<R>,
    ) -> Result<Listing<R>, StoreError> {
        self.list_within(request, shape, limits::PAGE_STEPS_MAX)
    }

    /// The same with so many steps.
    pub(crate) fn list_within<R>(
        &self,
        request: &Request,
        shape: Shape<R>,
        mut steps: usize,
    ) -> Result<Listing<R>, StoreError> {
        let mut page = Page::new(request, shape);
        let mut after = request.after.clone();
        loop {
            let harvest = harvest::harvest(self, request, after.as_ref(), page.room(), &mut steps)?;
            if let Some(last) = page.add(self, harvest.candidates, &mut steps)? {
                return Ok(page.end(Some(last)));
            }
            after = harvest.end;
            if after.is_none() || page.room() == 0 || steps == 0 {
                return Ok(page.end(after));
            }
        }
    }
}

/// A page in the making.
struct Page<'r, R> {
    request: &'r Request,
    shape: Shape<R>,
    rows: Vec<R>,
    keys: Vec<InstanceKey>,
    damaged: Vec<StoreError>,
    bytes: usize,
}

impl<'r, R> Page<'r, R> {
    fn new(request: &'r Request, shape: Shape<R>) -> Self {
        Self {
            request,
            shape,
            rows: Vec::new(),
            keys: Vec::new(),
            damaged: Vec::new(),
            bytes: 0,
        }
    }

    fn room(&self) -> usize {
        let filled = self.rows.len() + self.damaged.len();
        self.request.limit.saturating_sub(filled)
    }

    fn end(self, next: Option<Position>) -> Listing<R> {
        Listing {
            rows: self.rows,
            keys: self.keys,
            damaged: self.damaged,
            next,
        }
    }

    /// Looks at candidates; the position of the last one that was looked at if the page is full before the last.
    fn add(
        &mut self,
        reader: &Reader,
        candidates: Vec<Candidate>,
        steps: &mut usize,
    ) -> Result<Option<Position>, StoreError> {
        let shared = reader.shared();
        let (unfolded, next_key) = {
            let tail = shared.tail();
            let summary = |candidate: &Candidate| {
                (tail.find(candidate.key)).map(|unfolded| unfolded.summary.clone())
            };
            let unfolded: Vec<_> = candidates.iter().map(summary).collect();
            (unfolded, tail.next_key())
        };
        // After the tail, so that who is not in it is here.
        let folded = shared.open_table(INSTANCES)?;
        let count = candidates.len();
        let rows = candidates.iter().zip(&unfolded);
        let rows = rows.filter(|(_, unfolded)| unfolded.is_none());
        let far = ahead::far_apart(rows.map(|(candidate, _)| candidate.key.0));
        *steps = steps.saturating_sub(count * LOOK_STEPS + far.len() * FAR_LOOK_STEPS);
        ahead::read(&folded, &far);
        for (place, (candidate, unfolded)) in (1..).zip(candidates.into_iter().zip(unfolded)) {
            let row = match unfolded {
                Some(summary) => {
                    if let Some(summary) = summary {
                        self.add_live(&candidate, &summary);
                    }
                    None
                }
                // A later one is not committed yet.
                None if candidate.key.0 < next_key => folded.get(candidate.key.0)?,
                None => None,
            };
            if let Some(row) = row {
                match row::stored_summary(candidate.key, row.value(), shared.checksum) {
                    Ok(stored) => self.add_stored(&candidate, stored, row.value().len()),
                    Err(error) if error.is_of_one_instance() => self.damaged.push(error),
                    Err(error) => return Err(error),
                }
            }
            let is_full = self.room() == 0 || self.bytes >= limits::PAGE_BYTES_MAX;
            if is_full && place < count {
                return Ok(Some(candidate.position));
            }
        }
        Ok(None)
    }

    fn add_live(&mut self, candidate: &Candidate, summary: &Summary) {
        if self.request.takes(candidate, summary) {
            self.bytes = self.bytes.saturating_add(payload_bytes(summary));
            self.rows.push((self.shape.live)(summary));
            self.keys.push(candidate.key);
        }
    }

    fn add_stored(&mut self, candidate: &Candidate, stored: StoredSummary<'_>, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.request.takes(candidate, &stored.facts()) {
            self.rows.push((self.shape.stored)(stored));
            self.keys.push(candidate.key);
        }
    }
}

fn payload_bytes(summary: &Summary) -> usize {
    let output = match &summary.outcome {
        Some(Outcome::Completed(output)) => Some(output),
        _ => None,
    };
    let payloads = [Some(&summary.input), summary.custom_status.as_ref(), output];
    payloads
        .iter()
        .flatten()
        .map(|payload| payload.bytes().len())
        .sum()
}
