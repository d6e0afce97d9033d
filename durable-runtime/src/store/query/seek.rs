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
    /// The first rank from this one on; what is asked for never falls. It counts the rows that it reads.
    fn seek(&mut self, from: u64, steps: &mut usize) -> Result<Option<u64>, StoreError>;
}

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This rank is in all streams, but for those that were trusted.
    At(u64),
    /// There is none any more.
    Nothing,
    /// The steps are used up; there is none before this rank.
    NotBefore(u64),
}

/// The instances that are in all of several streams, and perhaps some that are not.
///
/// A stream that has had whatever the others asked it for is *trusted*: of what comes next it is not asked about some, as long
/// as it then has the next one again. For where a rare tag meets a common status, each question about the status would read a
/// page of the file, and whoever looks at the instance sees its status.
pub(super) struct Join<S> {
    members: Vec<Member<S>>,
    /// The one that leads on: that which last had something else than it was asked for.
    leader: usize,
}

struct Member<S> {
    stream: S,
    /// How often in a row it had what it was asked for.
    streak: u32,
    /// How often it will not be asked.
    trust: u32,
}

/// Before a stream is trusted, it had so many in a row.
const STREAK_MIN: u32 = 4;
/// So many are taken for granted at a time: each may be one that is looked at in vain.
const TRUST_MAX: u32 = 16;

impl<S: Stream> Join<S> {
    pub(super) fn new(streams: Vec<S>) -> Self {
        let member = |stream| Member {
            stream,
            streak: 0,
            trust: 0,
        };
        Self {
            members: streams.into_iter().map(member).collect(),
            leader: 0,
        }
    }

    /// The first rank from `from` on that is in all streams.
    pub(super) fn seek(&mut self, from: u64, steps: &mut usize) -> Result<Found, StoreError> {
        let count = self.members.len();
        let (mut at, mut agreed, mut turn) = (from, 0, self.leader);
        while let Some(member) = self.members.get_mut(turn) {
            // Never before it led on, so that whoever asks again comes to an end.
            if *steps == 0 && at > from {
                return Ok(Found::NotBefore(at));
            }
            let Some(next) = member.ask(at, turn == self.leader, steps)? else {
                return Ok(Found::Nothing);
            };
            if next == at {
                agreed += 1;
            } else {
                (at, agreed, self.leader) = (next, 1, turn);
            }
            if agreed == count {
                return Ok(Found::At(at));
            }
            turn = (turn + 1) % count;
        }
        Ok(Found::Nothing)
    }
}

impl<S: Stream> Member<S> {
    fn ask(&mut self, at: u64, leads: bool, steps: &mut usize) -> Result<Option<u64>, StoreError> {
        if leads {
            return self.stream.seek(at, steps);
        }
        if self.trust > 0 {
            self.trust -= 1;
            return Ok(Some(at));
        }
        let next = self.stream.seek(at, steps)?;
        if next == Some(at) {
            self.streak = self.streak.saturating_add(1);
            if self.streak >= STREAK_MIN {
                self.trust = self.streak.min(TRUST_MAX);
            }
        } else {
            self.streak = 0;
        }
        Ok(next)
    }
}

/// The instances that are in any of several streams.
pub(super) struct Any<S>(pub(super) Vec<S>);

impl<S: Stream> Stream for Any<S> {
    fn seek(&mut self, from: u64, steps: &mut usize) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        for stream in &mut self.0 {
            let found = stream.seek(from, steps)?;
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
/// What looking for a place anew counts for, in rows.
const REOPEN_STEPS: usize = 8;

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
    fn seek(&mut self, from: u64, steps: &mut usize) -> Result<Option<u64>, StoreError> {
        if self.open.is_some() {
            for _ in 0..STRIDE {
                match self.last {
                    Some(last) if last < from => {
                        *steps = steps.saturating_sub(1);
                        self.last = self.next()?;
                    }
                    known => return Ok(known),
                }
            }
        }
        *steps = steps.saturating_sub(REOPEN_STEPS);
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
        fn seek(&mut self, from: u64, steps: &mut usize) -> Result<Option<u64>, StoreError> {
            self.asked += 1;
            *steps = steps.saturating_sub(1);
            Ok(self.numbers.range(from..).next().copied())
        }
    }

    fn numbers(numbers: impl IntoIterator<Item = u64>) -> Numbers {
        Numbers {
            numbers: numbers.into_iter().collect(),
            asked: 0,
        }
    }

    fn join<S: Stream>(streams: impl IntoIterator<Item = S>) -> Join<S> {
        Join::new(streams.into_iter().collect())
    }

    fn all_of(join: &mut Join<impl Stream>) -> Vec<u64> {
        let (mut all, mut from) = (Vec::new(), 0);
        while let Found::At(at) = join.seek(from, &mut 1_000_000).unwrap() {
            all.push(at);
            from = at + 1;
        }
        all
    }

    #[test]
    fn what_is_in_all_streams_is_found_in_order() {
        let mut streams =
            join([2, 3, 5].map(|by| numbers((0..1_000).filter(move |it| it % by == 0))));
        let expected: Vec<u64> = (0..1_000).filter(|it| it % 30 == 0).collect();
        assert_eq!(all_of(&mut streams), expected);
        assert_eq!(all_of(&mut join([numbers([3, 9])])), [3, 9]);
        assert_eq!(all_of(&mut join([numbers([3]), numbers([])])), [0; 0]);
        let any = |one: &[u64], other: &[u64]| {
            Any(vec![
                numbers(one.iter().copied()),
                numbers(other.iter().copied()),
            ])
        };
        let mut both = join([any(&[1, 5, 9], &[2, 5]), any(&[5, 9], &[1, 7])]);
        assert_eq!(all_of(&mut both), [1, 5, 9]);
    }

    #[test]
    fn what_only_one_stream_has_is_jumped_over() {
        let mut streams = join([numbers(0..100_000), numbers([7, 50_000, 99_999])]);
        assert_eq!(all_of(&mut streams), [7, 50_000, 99_999]);
        let asked: usize = asked(&streams).iter().sum();
        assert!(asked < 20, "they were asked {asked} times");
    }

    fn asked(join: &Join<Numbers>) -> Vec<usize> {
        join.members
            .iter()
            .map(|member| member.stream.asked)
            .collect()
    }

    #[test]
    fn a_stream_that_has_all_that_the_rare_one_has_is_seldom_asked() {
        let rare = || numbers((0..100_000).filter(|it| it % 1_000 == 7));
        let mut streams = join([numbers(0..100_000), rare()]);
        let expected: Vec<u64> = rare().numbers.into_iter().collect();
        assert_eq!(all_of(&mut streams), expected);
        let asked = asked(&streams);
        assert!(asked[0] < 20 && asked[1] > 99, "{asked:?}");
    }

    /// It is asked again before long, and then no more is taken for granted than it was right about.
    #[test]
    fn of_what_a_trusted_stream_does_not_have_only_a_few_are_found() {
        let mut streams = join([numbers(0..50), numbers((0..1_000).step_by(2))]);
        let found = all_of(&mut streams);
        let expected: Vec<u64> = (0..50).step_by(2).collect();
        assert_eq!(found[..25], expected[..]);
        let beyond = found.len() - expected.len();
        assert!(beyond <= 16, "{beyond} were found that are in one alone");
    }

    #[test]
    fn when_the_steps_are_used_up_it_is_said_how_far_they_led() {
        let odd_and_even = [0, 1].map(|odd| numbers((0..1_000).filter(move |it| it % 2 == odd)));
        let mut streams = join(odd_and_even);
        let mut steps = 100;
        let Found::NotBefore(at) = streams.seek(0, &mut steps).unwrap() else {
            panic!("they have nothing in common, and it takes longer to tell");
        };
        assert!((90..110).contains(&at), "{at}");
        assert_eq!(streams.seek(at, &mut 10_000).unwrap(), Found::Nothing);
    }

    #[test]
    fn without_any_steps_it_still_leads_on() {
        let mut streams = join([numbers(0..9), numbers(0..9), numbers([5])]);
        assert_eq!(streams.seek(0, &mut 0).unwrap(), Found::NotBefore(5));
    }
}
