//! The table of `docs/races.md`, and what it says of three moves.

use std::collections::BTreeMap;

use super::model::Seen;
use super::moves::{Case, Move};
use super::world::Manner;
use crate::store::Status;

const DOCUMENT: &str = include_str!("../../../../../docs/races.md");

/// What becomes of an instance, as the document says it, and the number of the rule that says why.
type Cell = (String, u32);

/// What the document says of two moves, and of one.
pub(super) struct Book {
    alone: BTreeMap<Move, String>,
    pairs: BTreeMap<(Move, Move), Cell>,
}

impl Book {
    /// Reads the table. Panics if it is not whole, or names a rule that there is not.
    pub(super) fn read() -> Self {
        let rules = DOCUMENT.lines().filter_map(rule).collect::<Vec<_>>();
        let count = u32::try_from(rules.len()).unwrap();
        assert_eq!(rules, (1..=count).collect::<Vec<_>>(), "the rules");
        let mut rows = DOCUMENT.lines().filter(|line| line.starts_with('|'));
        let header = rows.find(|row| row.contains("alone")).unwrap();
        let columns: Vec<_> = cells(header).skip(2).map(named).collect();
        let (mut alone, mut pairs) = (BTreeMap::new(), BTreeMap::new());
        for row in rows.skip(1).take(Move::ALL.len()) {
            let mut cells = cells(row);
            let first = named(cells.next().unwrap().trim_matches('*'));
            alone.insert(first, cells.next().unwrap().to_owned());
            for (second, cell) in columns.iter().zip(cells) {
                let (winner, rule) = cell.split_once(" · ").unwrap();
                let rule = rule.parse().unwrap();
                assert!(rules.contains(&rule), "{row}");
                pairs.insert((first, *second), (winner.to_owned(), rule));
            }
        }
        assert_eq!((alone.len(), pairs.len()), (10, 100));
        Self { alone, pairs }
    }

    fn alone(&self, only: Move) -> &str {
        &self.alone[&only]
    }

    fn pair(&self, first: Move, second: Move) -> &str {
        &self.pairs[&(first, second)].0
    }

    /// The rule that the document gives for a pair.
    pub(super) fn rule(&self, first: Move, second: Move) -> u32 {
        self.pairs[&(first, second)].1
    }

    /// What the document says of one move, of two, or of three; of three, as it follows from two.
    pub(super) fn says(&self, order: &[Move]) -> String {
        match order {
            [only] => self.alone(*only).to_owned(),
            [first, second] => self.pair(*first, *second).to_owned(),
            [first, second, third] => self.follows(*first, *second, *third),
            _ => panic!("{order:?}"),
        }
    }

    /// Whether the last but one is recorded by a commit whose turn is still to come, and the last is asked for in that very
    /// commit: so it comes before that turn.
    pub(super) fn has_turn_to_come(&self, case: &Case, manner: Manner) -> bool {
        let order = case.moves();
        let Some([.., arrival, control]) = case.batches.last().map(|batch| &batch[..]) else {
            return false;
        };
        if !arrival.is_arrival() || control.is_arrival() {
            return false;
        }
        let first = order.first().copied();
        let has_waited = first.is_some_and(|first| self.alone(first) == "waits");
        let is_recorded_first =
            manner == Manner::AfterDeath && has_waited && case.batches.len() == 2;
        // The first turn of the next execution comes with the next commit.
        let is_carried_over =
            order.len() == 3 && first == Some(Move::Anew) && case.batches.len() == 1;
        is_recorded_first || is_carried_over && arrival.is_event()
    }

    fn follows(&self, first: Move, second: Move, third: Move) -> String {
        let both = self.pair(first, second);
        let is_for_instance = |it: Move| !it.is_arrival() || it.is_event();
        if both == self.alone(first) {
            // The second changed nothing.
            self.pair(first, third).to_owned()
        } else if both == self.alone(second) {
            // The first does not matter any more.
            self.pair(second, third).to_owned()
        } else if both == "gone" {
            both.to_owned()
        } else if first == Move::Anew {
            if is_for_instance(third) {
                one_execution_on(self.pair(second, third))
            } else {
                both.to_owned()
            }
        } else if first == Move::Suspend {
            match third {
                Move::Resume => self.alone(second).to_owned(),
                Move::Terminate => self.alone(third).to_owned(),
                arrival if arrival.is_arrival() => format!("{both}, {}", word(arrival)),
                _ => both.to_owned(),
            }
        } else {
            panic!("nothing is said of {first:?}, {second:?}, {third:?}")
        }
    }
}

/// The same in the execution after.
fn one_execution_on(cell: &str) -> String {
    if cell == "gone" {
        return cell.to_owned();
    }
    let (what, waiting) = match cell.split_once(": ") {
        Some((what, waiting)) => (what, format!(": {waiting}")),
        None => (cell, String::new()),
    };
    match what.split_once(" in ") {
        Some((what, number)) => {
            let number: u32 = number.parse().unwrap();
            format!("{what} in {}{waiting}", number + 1)
        }
        None => format!("{what} in 2{waiting}"),
    }
}

/// What was seen, in the words of the document.
pub(super) fn cell(seen: &Seen) -> String {
    let of_execution = |what: &str| match seen.execution {
        1 => what.to_owned(),
        number => format!("{what} in {number}"),
    };
    let waiting: Vec<_> = seen.waiting.iter().map(|it| word(*it)).collect();
    match (seen.status, &seen.output) {
        (None, _) => "gone".to_owned(),
        (Some(Status::Completed), Some(output)) => {
            output.strip_suffix(" in 1").unwrap_or(output).to_owned()
        }
        (Some(Status::Terminated), _) => of_execution("terminated"),
        (Some(Status::Suspended), _) if waiting.is_empty() => of_execution("held"),
        (Some(Status::Suspended), _) => format!("{}: {}", of_execution("held"), waiting.join(", ")),
        (Some(Status::Running), _) => of_execution("waits"),
        _ => format!("{seen:?}"),
    }
}

fn word(it: Move) -> &'static str {
    match it {
        Move::Done => "done",
        Move::Child => "child",
        Move::Failed => "failed",
        Move::Anew => "anew",
        other => other.name(),
    }
}

fn cells(row: &str) -> impl Iterator<Item = &str> {
    row.trim_matches('|').split('|').map(str::trim)
}

fn named(name: &str) -> Move {
    let found = Move::ALL.into_iter().find(|it| it.name() == name);
    found.unwrap_or_else(|| panic!("`{name}` is no move"))
}

/// The number of a rule, if the line begins one.
fn rule(line: &str) -> Option<u32> {
    let (number, rest) = line.split_once(". ")?;
    rest.starts_with("**").then(|| number.parse().ok())?
}
