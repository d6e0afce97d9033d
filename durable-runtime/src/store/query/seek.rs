//! Ordered streams of instances, and the instances that are in all of them.
//!
//! A stream can be asked for its first instance from some place on. Where several must agree, each is asked from where the one
//! before has come to: so what only some of them have is jumped over, not walked through (a *leapfrog* join, after Veldhuizen).
//!
//! Source: T. L. Veldhuizen, *Leapfrog Triejoin: A Simple, Worst-Case Optimal Join Algorithm*, ICDT 2014.

use redb::{Range, ReadOnlyTable};

use crate::id::InstanceKey;
use crate::store::StoreError;
use crate::store::index::Term;

/// Which way a list goes. A *rank* is a number that rises that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    /// The rank of a number, or the number of a rank.
    pub(super) fn rank(self, number: u64) -> u64 {
        match self {
            Self::Ascending => number,
            Self::Descending => u64::MAX - number,
        }
    }
}

/// Instances in the order of their ranks.
pub(super) trait Stream {
    /// The first rank from this one on; what is asked for never falls.
    fn seek(&mut self, from: u64) -> Result<Option<u64>, StoreError>;
}

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This rank is in all streams.
    At(u64),
    /// There is none any more.
    Nothing,
    /// The steps are used up; there is none before this rank.
    NotBefore(u64),
}

/// The first rank from `from` on that is in all streams.
pub(super) fn agree<S: Stream>(
    streams: &mut [S],
    from: u64,
    steps: &mut usize,
) -> Result<Found, StoreError> {
    let (mut at, mut agreed, mut turn) = (from, 0, 0);
    let count = streams.len();
    while let Some(stream) = streams.get_mut(turn) {
        if *steps == 0 {
            return Ok(Found::NotBefore(at));
        }
        *steps -= 1;
        let Some(next) = stream.seek(at)? else {
            return Ok(Found::Nothing);
        };
        agreed = if next == at { agreed + 1 } else { 1 };
        at = next;
        if agreed == count {
            return Ok(Found::At(at));
        }
        turn = (turn + 1) % count;
    }
    Ok(Found::Nothing)
}

/// The instances that are in any of several streams.
pub(super) struct Any<S>(pub(super) Vec<S>);

impl<S: Stream> Stream for Any<S> {
    fn seek(&mut self, from: u64) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        for stream in &mut self.0 {
            let found = stream.seek(from)?;
            first = first.into_iter().chain(found).min();
        }
        Ok(first)
    }
}

/// The rows of one term, or all instances.
pub(super) struct Rows<'t> {
    source: Source<'t>,
    direction: Direction,
    /// The rows that follow; `None` before the first search.
    open: Option<Open>,
    /// The rank that was read last; `None`: there are no more.
    last: Option<u64>,
}

/// Where rows are read from.
#[derive(Clone, Copy)]
pub(super) enum Source<'t> {
    Term(&'t ReadOnlyTable<(u64, u64), &'static [u8]>, Term),
    All(&'t ReadOnlyTable<u64, &'static [u8]>),
}

enum Open {
    Term(Range<'static, (u64, u64), &'static [u8]>),
    All(Range<'static, u64, &'static [u8]>),
}

/// Rows that are walked through before it is cheaper to look for a place anew.
const STRIDE: usize = 8;

impl<'t> Rows<'t> {
    pub(super) fn new(source: Source<'t>, direction: Direction) -> Self {
        Self {
            source,
            direction,
            open: None,
            last: None,
        }
    }

    fn reopen(&mut self, from: u64) -> Result<(), StoreError> {
        let keys = match self.direction {
            Direction::Ascending => self.direction.rank(from)..=u64::MAX,
            Direction::Descending => 0..=self.direction.rank(from),
        };
        self.open = Some(match self.source {
            Source::Term(table, term) => {
                Open::Term(table.range((term.0, *keys.start())..=(term.0, *keys.end()))?)
            }
            Source::All(table) => Open::All(table.range(keys)?),
        });
        Ok(())
    }

    fn next(&mut self) -> Result<Option<u64>, StoreError> {
        let is_ascending = self.direction == Direction::Ascending;
        let key = match &mut self.open {
            None => None,
            Some(Open::Term(rows)) => {
                let row = if is_ascending {
                    rows.next()
                } else {
                    rows.next_back()
                };
                row.transpose()?.map(|(row, _)| row.value().1)
            }
            Some(Open::All(rows)) => {
                let row = if is_ascending {
                    rows.next()
                } else {
                    rows.next_back()
                };
                row.transpose()?.map(|(row, _)| row.value())
            }
        };
        Ok(key.map(|key| self.direction.rank(key)))
    }
}

impl Stream for Rows<'_> {
    fn seek(&mut self, from: u64) -> Result<Option<u64>, StoreError> {
        if self.open.is_some() {
            for _ in 0..STRIDE {
                match self.last {
                    Some(last) if last < from => self.last = self.next()?,
                    known => return Ok(known),
                }
            }
        }
        self.reopen(from)?;
        self.last = self.next()?;
        Ok(self.last)
    }
}

/// The key of a rank.
pub(super) fn key_of(rank: u64, direction: Direction) -> InstanceKey {
    InstanceKey(direction.rank(rank))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A stream in memory, which counts how often it is asked.
    struct Numbers {
        numbers: BTreeSet<u64>,
        asked: usize,
    }

    impl Stream for Numbers {
        fn seek(&mut self, from: u64) -> Result<Option<u64>, StoreError> {
            self.asked += 1;
            Ok(self.numbers.range(from..).next().copied())
        }
    }

    fn numbers(numbers: impl IntoIterator<Item = u64>) -> Numbers {
        Numbers {
            numbers: numbers.into_iter().collect(),
            asked: 0,
        }
    }

    fn all_of(streams: &mut [impl Stream]) -> Vec<u64> {
        let (mut all, mut from) = (Vec::new(), 0);
        while let Found::At(at) = agree(streams, from, &mut 1_000_000).unwrap() {
            all.push(at);
            from = at + 1;
        }
        all
    }

    #[test]
    fn what_is_in_all_streams_is_found_in_order() {
        let mut streams = [2, 3, 5].map(|by| numbers((0..1_000).filter(move |it| it % by == 0)));
        let expected: Vec<u64> = (0..1_000).filter(|it| it % 30 == 0).collect();
        assert_eq!(all_of(&mut streams), expected);
        assert_eq!(all_of(&mut [numbers([3, 9])]), [3, 9]);
        assert_eq!(all_of(&mut [numbers([3]), numbers([])]), [0; 0]);
        let any = |one: &[u64], other: &[u64]| {
            Any(vec![
                numbers(one.iter().copied()),
                numbers(other.iter().copied()),
            ])
        };
        let mut both = [any(&[1, 5, 9], &[2, 5]), any(&[5, 9], &[1, 7])];
        assert_eq!(all_of(&mut both), [1, 5, 9]);
    }

    #[test]
    fn what_only_one_stream_has_is_jumped_over() {
        let mut streams = [numbers(0..100_000), numbers([7, 50_000, 99_999])];
        assert_eq!(all_of(&mut streams), [7, 50_000, 99_999]);
        let asked: usize = streams.iter().map(|stream| stream.asked).sum();
        assert!(asked < 20, "they were asked {asked} times");
    }

    #[test]
    fn when_the_steps_are_used_up_it_is_said_how_far_they_led() {
        let mut streams = [0, 1].map(|odd| numbers((0..1_000).filter(move |it| it % 2 == odd)));
        let mut steps = 100;
        let Found::NotBefore(at) = agree(&mut streams, 0, &mut steps).unwrap() else {
            panic!("they have nothing in common, and it takes longer to tell");
        };
        assert!((90..110).contains(&at), "{at}");
        assert_eq!(
            agree(&mut streams, at, &mut 10_000).unwrap(),
            Found::Nothing
        );
    }
}
