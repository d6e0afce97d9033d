//! The candidates for a page, in order: those of the index, and those of the tail.

use std::ops::{Bound, Range, RangeInclusive};

use redb::{ReadOnlyTable, ReadableTable};

use super::plan::Plan;
use super::seek::{Any, Direction, Found, Join, Rows, Source, key_of};
use super::{Order, Position, Request};
use crate::clock::Timestamp;
use crate::id::{InstanceId, InstanceKey};
use crate::store::StoreError;
use crate::store::frame::Checksum;
use crate::store::reader::{Reader, Shared};
use crate::store::row;
use crate::store::schema::{ENDED, IDS, INDEX, INSTANCES, number};
use crate::store::tail::Tail;

/// An instance that may belong to the page, and its place in the list.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) key: InstanceKey,
    pub(super) position: Position,
}

/// All candidates between two places.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) candidates: Vec<Candidate>,
    /// Behind what there may be more; `None` if nothing follows.
    pub(super) end: Option<Position>,
}

/// The candidates that follow `after`: one more than `room` at the least, unless there are fewer or the steps are used up.
pub(super) fn harvest(
    reader: &Reader,
    request: &Request,
    after: Option<&Position>,
    room: usize,
    steps: &mut usize,
) -> Result<Harvest, StoreError> {
    let gathering = Gathering {
        shared: reader.shared(),
        request,
        direction: if request.descending {
            Direction::Descending
        } else {
            Direction::Ascending
        },
        want: room.saturating_add(1),
    };
    match request.filter.order() {
        Order::Creation => gathering.by_creation(after, steps),
        Order::Completion => gathering.by_completion(after, steps),
        Order::Id => gathering.by_id(after),
    }
}

struct Gathering<'r> {
    shared: &'r Shared,
    request: &'r Request,
    direction: Direction,
    want: usize,
}

/// What the tail has, in order.
struct Captured<P> {
    ranks: Vec<P>,
    /// The tail was read up to this place; `None`: all of it.
    covered: Option<P>,
}

/// What the index says next.
enum Next<P> {
    At(P),
    Nothing,
    /// The steps are used up; all up to this place was read.
    Behind(P),
}

/// Unfolded instances that are looked at without letting go of the tail, for which the committer may wait. In tests few, so
/// that their small worlds have several times as many.
const CAPTURED_AT_ONCE: usize = if cfg!(test) { 16 } else { 1_024 };
/// What that counts for: it is all in memory.
const STEPS_OF_A_SLICE: usize = CAPTURED_AT_ONCE / 2;

impl Gathering<'_> {
    fn by_creation(
        &self,
        after: Option<&Position>,
        steps: &mut usize,
    ) -> Result<Harvest, StoreError> {
        let mut ranks = self.ranks(self.keys()?);
        if let Some(Position::Creation(key)) = after {
            let behind = self.direction.rank(key.0).saturating_add(1);
            ranks = behind.max(*ranks.start())..=*ranks.end();
        }
        if ranks.is_empty() {
            return Ok(Harvest::default());
        }
        let captured = self.capture(steps, *ranks.start(), |tail, at, captured| {
            let mut looked_at = 0;
            let keys = self.ranks(at..=*ranks.end());
            if keys.is_empty() {
                return None;
            }
            let mut rows = tail.range(InstanceKey(*keys.start())..=InstanceKey(*keys.end()));
            while let Some((key, unfolded)) = self.step(&mut rows) {
                looked_at += 1;
                let rank = self.direction.rank(key.0);
                captured.covered = Some(rank);
                let filter = &self.request.filter;
                let summary = unfolded.summary.as_deref();
                if filter.allows(unfolded.status)
                    && summary.is_some_and(|summary| filter.holds(summary))
                {
                    captured.ranks.push(rank);
                }
                if looked_at == CAPTURED_AT_ONCE || captured.ranks.len() >= self.want {
                    return rank.checked_add(1);
                }
            }
            None
        });
        let transaction = self.shared.begin_read()?;
        let (index, instances) = (
            transaction.open_table(INDEX)?,
            transaction.open_table(INSTANCES)?,
        );
        let mut join = Join::new(self.streams(&index, &instances));
        let mut at = Some(*ranks.start());
        let merged = merge(captured, self.want, || {
            let Some(from) = at.filter(|at| ranks.contains(at)) else {
                return Ok(Next::Nothing);
            };
            Ok(match join.seek(from, steps)? {
                Found::At(rank) if ranks.contains(&rank) => {
                    at = rank.checked_add(1);
                    Next::At(rank)
                }
                Found::At(_) | Found::Nothing => Next::Nothing,
                Found::NotBefore(rank) => Next::Behind(rank.saturating_sub(1)),
            })
        })?;
        Ok(merged.into_harvest(|rank| {
            let key = key_of(rank, self.direction);
            (key, Position::Creation(key))
        }))
    }

    fn streams<'t>(
        &self,
        index: &'t ReadOnlyTable<(u64, u64), &'static [u8]>,
        instances: &'t ReadOnlyTable<u64, &'static [u8]>,
    ) -> Vec<Any<Rows<'t>>> {
        let Plan(groups) = Plan::of(&self.request.filter);
        let rows = |source| Rows::new(source, self.direction);
        if groups.is_empty() {
            return vec![Any(vec![rows(Source::All(instances))])];
        }
        let any = |group: Vec<_>| {
            group
                .into_iter()
                .map(|term| rows(Source::Term(index, term)))
        };
        groups
            .into_iter()
            .map(|group| Any(any(group).collect()))
            .collect()
    }

    fn by_completion(
        &self,
        after: Option<&Position>,
        steps: &mut usize,
    ) -> Result<Harvest, StoreError> {
        let span = self.request.filter.completed.clone().unwrap_or(0..u64::MAX);
        let Some(last) = span.end.checked_sub(1).filter(|last| *last >= span.start) else {
            return Ok(Harvest::default());
        };
        let mut ranks = self.pairs((span.start, 0)..=(last, u64::MAX));
        if let Some(Position::Completion(at, key)) = after {
            let Some(behind) = successor(self.pair((at.0, key.0))) else {
                return Ok(Harvest::default());
            };
            ranks = behind.max(*ranks.start())..=*ranks.end();
        }
        if ranks.is_empty() {
            return Ok(Harvest::default());
        }
        let captured = self.capture(steps, *ranks.start(), |tail, at, captured| {
            let mut looked_at = 0;
            let places = self.pairs(at..=*ranks.end());
            if places.is_empty() {
                return None;
            }
            let place = |pair: &(u64, u64)| (Timestamp(pair.0), InstanceKey(pair.1));
            let mut rows = tail.ended(place(places.start())..=place(places.end()));
            while let Some((time, key)) = self.step(&mut rows) {
                looked_at += 1;
                let rank = self.pair((time.0, key.0));
                captured.covered = Some(rank);
                let summary = tail
                    .find(key)
                    .and_then(|unfolded| unfolded.summary.as_ref());
                if summary.is_some_and(|summary| self.request.filter.holds(&**summary)) {
                    captured.ranks.push(rank);
                }
                if looked_at == CAPTURED_AT_ONCE || captured.ranks.len() >= self.want {
                    return successor(rank);
                }
            }
            None
        });
        let ended = self.shared.open_table(ENDED)?;
        let mut rows = ended.range(self.pairs(ranks))?;
        let merged = merge(captured, self.want, || {
            let row = self.step(&mut rows).transpose()?;
            Ok(row.map_or(Next::Nothing, |(row, _)| Next::At(self.pair(row.value()))))
        })?;
        Ok(merged.into_harvest(|rank| {
            let (time, key) = self.pair(rank);
            (
                InstanceKey(key),
                Position::Completion(Timestamp(time), InstanceKey(key)),
            )
        }))
    }

    /// An id is in its table from the commit on that creates its instance: the tail has none that is not there.
    fn by_id(&self, after: Option<&Position>) -> Result<Harvest, StoreError> {
        let prefix = self.request.filter.id_prefix.as_deref().unwrap_or_default();
        // Ids are ASCII.
        let beyond = [prefix.as_bytes(), &[u8::MAX]].concat();
        let mut bounds = (
            Bound::Included(prefix.as_bytes()),
            Bound::Excluded(beyond.as_slice()),
        );
        if let Some(Position::Id(id)) = after {
            let behind = Bound::Excluded(id.as_str().as_bytes());
            match self.direction {
                Direction::Ascending => bounds.0 = behind,
                Direction::Descending => bounds.1 = behind,
            }
        }
        let ids = self.shared.open_table(IDS)?;
        let mut rows = ids.range::<&[u8]>(bounds)?;
        let mut candidates = Vec::new();
        while candidates.len() < self.want {
            let Some(row) = self.step(&mut rows) else {
                return Ok(Harvest {
                    candidates,
                    end: None,
                });
            };
            let (id, key) = row?;
            let id = InstanceId::stored(&String::from_utf8_lossy(id.value()));
            let key = number(key.value()).map(InstanceKey).ok_or_else(|| {
                StoreError::damaged(format!("row `{id}` of `ids`"), "it is no number of 8 bytes")
            })?;
            candidates.push(Candidate {
                key,
                position: Position::Id(id),
            });
        }
        let end = candidates.last().map(|last| last.position.clone());
        Ok(Harvest { candidates, end })
    }

    /// The keys between which all instances are that were created in the span that is asked for.
    fn keys(&self) -> Result<RangeInclusive<u64>, StoreError> {
        let Some(span) = &self.request.filter.created else {
            return Ok(0..=u64::MAX);
        };
        let instances = self.shared.open_table(INSTANCES)?;
        let checksum = self.shared.checksum;
        let first = created_before(&instances, span.start, checksum)?;
        let end = created_before(&instances, span.end, checksum)?;
        // Beyond the last that was before the end, and not folded, there may be more that were.
        let beyond = instances.range(end..)?.next().transpose()?;
        Ok(first..=beyond.map_or(u64::MAX, |(key, _)| key.value().saturating_sub(1)))
    }

    /// Reads the tail by slices, of which each says where the next one begins.
    fn capture<P: Copy>(
        &self,
        steps: &mut usize,
        from: P,
        slice: impl Fn(&Tail, P, &mut Captured<P>) -> Option<P>,
    ) -> Captured<P> {
        let mut captured = Captured {
            ranks: Vec::new(),
            covered: None,
        };
        let mut at = from;
        // Half of the steps are for the index.
        let steps_min = steps.div_ceil(2);
        for _ in 0..=steps_min / STEPS_OF_A_SLICE {
            *steps = steps.saturating_sub(STEPS_OF_A_SLICE).max(steps_min);
            match slice(&self.shared.tail(), at, &mut captured) {
                Some(next) if captured.ranks.len() < self.want => at = next,
                Some(_) => return captured,
                None => {
                    captured.covered = None;
                    return captured;
                }
            }
        }
        captured
    }

    fn step<T>(&self, rows: &mut impl DoubleEndedIterator<Item = T>) -> Option<T> {
        match self.direction {
            Direction::Ascending => rows.next(),
            Direction::Descending => rows.next_back(),
        }
    }

    /// From numbers to ranks, or from ranks to numbers.
    fn ranks(&self, numbers: RangeInclusive<u64>) -> RangeInclusive<u64> {
        let (start, end) = numbers.into_inner();
        match self.direction {
            Direction::Ascending => start..=end,
            Direction::Descending => self.direction.rank(end)..=self.direction.rank(start),
        }
    }

    fn pair(&self, (first, second): (u64, u64)) -> (u64, u64) {
        (self.direction.rank(first), self.direction.rank(second))
    }

    fn pairs(&self, pairs: RangeInclusive<(u64, u64)>) -> RangeInclusive<(u64, u64)> {
        let (start, end) = pairs.into_inner();
        match self.direction {
            Direction::Ascending => start..=end,
            Direction::Descending => self.pair(end)..=self.pair(start),
        }
    }
}

fn successor((first, second): (u64, u64)) -> Option<(u64, u64)> {
    match second.checked_add(1) {
        Some(second) => Some((first, second)),
        None => Some((first.checked_add(1)?, 0)),
    }
}

/// What two sources have between two places, in order.
struct Merged<P> {
    ranks: Vec<P>,
    end: Option<P>,
}

impl<P: Copy> Merged<P> {
    fn into_harvest(self, place: impl Fn(P) -> (InstanceKey, Position)) -> Harvest {
        let candidate = |rank| {
            let (key, position) = place(rank);
            Candidate { key, position }
        };
        Harvest {
            candidates: self.ranks.into_iter().map(candidate).collect(),
            end: self.end.map(|end| place(end).1),
        }
    }
}

/// What the tail has and what the index has, each once, until there are enough.
fn merge<P: Ord + Copy>(
    captured: Captured<P>,
    want: usize,
    mut next: impl FnMut() -> Result<Next<P>, StoreError>,
) -> Result<Merged<P>, StoreError> {
    let covered = captured.covered;
    let mut tail = captured.ranks.into_iter().peekable();
    let mut ranks = Vec::new();
    loop {
        let found = match next()? {
            // The tail is not known there.
            Next::At(rank) if covered.is_some_and(|covered| rank > covered) => Next::Nothing,
            found => found,
        };
        let up_to = match &found {
            Next::At(rank) | Next::Behind(rank) => Some(*rank),
            Next::Nothing => None,
        };
        while let Some(rank) = tail.next_if(|rank| up_to.is_none_or(|up_to| *rank <= up_to)) {
            ranks.push(rank);
        }
        match found {
            Next::At(rank) if ranks.last() == Some(&rank) => {}
            Next::At(rank) => ranks.push(rank),
            Next::Nothing => {
                return Ok(Merged {
                    ranks,
                    end: covered,
                });
            }
            Next::Behind(rank) => {
                let end = Some(covered.map_or(rank, |covered| covered.min(rank)));
                return Ok(Merged { ranks, end });
            }
        }
        if ranks.len() >= want {
            let end = ranks.last().copied();
            return Ok(Merged { ranks, end });
        }
    }
}

/// The key behind the last folded instance that was created before `time`: with the keys, times never fall.
fn created_before(
    instances: &ReadOnlyTable<u64, &'static [u8]>,
    time: u64,
    checksum: Checksum,
) -> Result<u64, StoreError> {
    let (mut from, mut to) = (0, instances.last()?.map_or(0, |(key, _)| key.value() + 1));
    while from < to {
        let middle = from + (to - from) / 2;
        match created_from(instances, middle..to, checksum)? {
            Some((key, created_at)) if created_at.0 < time => from = key + 1,
            _ => to = middle,
        }
    }
    Ok(from)
}

/// The first of these instances that can be read, and when it was created.
fn created_from(
    instances: &ReadOnlyTable<u64, &'static [u8]>,
    keys: Range<u64>,
    checksum: Checksum,
) -> Result<Option<(u64, Timestamp)>, StoreError> {
    for entry in instances.range(keys)? {
        let (key, row) = entry?;
        let key = key.value();
        match row::stored_summary(InstanceKey(key), row.value(), checksum) {
            Ok(stored) => return Ok(Some((key, stored.facts().created_at))),
            // It is told of when it is to be listed.
            Err(error) if error.is_of_one_instance() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a tail with these ranks, read up to a place, and an index with these.
    fn merged(tail: &[u64], covered: Option<u64>, index: &[u64]) -> (Vec<u64>, Option<u64>) {
        let captured = Captured {
            ranks: tail.to_vec(),
            covered,
        };
        let mut index = index.iter();
        let merged = merge(captured, 4, || {
            Ok(index.next().map_or(Next::Nothing, |rank| Next::At(*rank)))
        });
        let Merged { ranks, end } = merged.unwrap();
        (ranks, end)
    }

    #[test]
    fn what_is_in_both_comes_once_and_in_order() {
        assert_eq!(merged(&[2, 5], None, &[1, 2]), (vec![1, 2, 5], None));
        assert_eq!(merged(&[], None, &[]), (vec![], None));
        assert_eq!(
            merged(&[], None, &[1, 2, 3, 4, 5]).1,
            Some(4),
            "there are enough"
        );
    }

    /// Between what was read of the tail and what the index has there may be somebody who is only in the tail.
    #[test]
    fn nothing_is_taken_from_beyond_what_was_read_of_the_tail() {
        assert_eq!(merged(&[2], Some(5), &[1, 7, 8]), (vec![1, 2], Some(5)));
        assert_eq!(merged(&[], Some(5), &[]), (vec![], Some(5)));
    }
}
