//! The check of the index: it says what the rows of `instances` say, no less and no more.

use super::{Slice, Stage};
use crate::id::InstanceKey;
use crate::store::StoreError;
use crate::store::census::Census;
use crate::store::index::{Facts, Term, read_counts};

/// The instances that were checked, counted; to be compared with `counts`.
#[derive(Debug)]
pub(super) struct Tally {
    census: Census,
    /// How often `counts` had changed when this began: if it is more by the end, a fold has moved what was counted.
    changes: u64,
    /// What is damaged elsewhere makes for a wrong number here.
    pub(super) found_nothing_else: bool,
    pub(super) is_compared: bool,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            census: Census::default(),
            changes: 0,
            found_nothing_else: true,
            is_compared: false,
        }
    }
}

impl Slice {
    pub(super) fn begin_tally(&mut self, tally: &mut Tally) -> Result<(), StoreError> {
        match read_counts(&self.counts) {
            Ok((_, changes)) => tally.changes = changes,
            Err(error) => {
                tally.found_nothing_else = false;
                self.tell(InstanceKey(0), None, error)?;
            }
        }
        Ok(())
    }

    /// Compares what was counted with `counts`, unless there was a fold meanwhile.
    pub(super) fn end_tally(&mut self, tally: &mut Tally) -> Result<(), StoreError> {
        if !tally.found_nothing_else || !self.found.is_empty() {
            return Ok(());
        }
        let (stored, changes) = read_counts(&self.counts)?;
        if changes != tally.changes {
            return Ok(());
        }
        tally.is_compared = true;
        if stored == tally.census {
            return Ok(());
        }
        let told = |census: &Census| {
            let counts = census.iter();
            let told =
                counts.map(|(name, status, count)| format!("{count} {status:?} of `{name}`"));
            told.collect::<Vec<_>>().join(", ")
        };
        let (expected, found) = (told(&tally.census), told(&stored));
        let reason = format!("expected {expected}; found {found}");
        self.tell(
            InstanceKey(0),
            None,
            StoreError::damaged("`counts`", reason),
        )
    }

    /// Checks that an instance is found by all that holds of it.
    pub(super) fn indexed(
        &mut self,
        key: InstanceKey,
        facts: &Facts<'_>,
        tally: &mut Tally,
    ) -> Result<(), StoreError> {
        tally.census.moved(facts.name, None, Some(facts.status));
        for term in facts.terms() {
            if self.index.get((term.0, key.0))?.is_none() {
                self.tell(key, None, missing("index", (term.0, key.0)))?;
            }
        }
        if let Some(at) = facts.completed_at
            && self.ended.get((at.0, key.0))?.is_none()
        {
            self.tell(key, None, missing("ended", (at.0, key.0)))?;
        }
        Ok(())
    }

    /// Checks that what a term is said to hold of is so.
    pub(super) fn index(&mut self, from: (u64, u64)) -> Result<Stage, StoreError> {
        for entry in self.index.range(from..)? {
            let (at, row) = entry?;
            let from = at.value();
            if self.is_full() {
                return Ok(Stage::Index { from });
            }
            self.count(row.value());
            self.leads("index", from, |facts| facts.terms().contains(&Term(from.0)))?;
        }
        Ok(Stage::Ended { from: (0, 0) })
    }

    /// Checks that what is said to have ended has, and then.
    pub(super) fn ended(&mut self, from: (u64, u64)) -> Result<Stage, StoreError> {
        for entry in self.ended.range(from..)? {
            let (at, row) = entry?;
            let from = at.value();
            if self.is_full() {
                return Ok(Stage::Ended { from });
            }
            self.count(row.value());
            let at = |facts: &Facts<'_>| facts.completed_at.is_some_and(|at| at.0 == from.0);
            self.leads("ended", from, at)?;
        }
        Ok(Stage::Unfolded { from: 0 })
    }

    /// Checks that a row leads to an instance of which it says the truth.
    fn leads(
        &mut self,
        table: &str,
        row: (u64, u64),
        is_so: impl Fn(&Facts<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let key = InstanceKey(row.1);
        let reason = match self.summary(key) {
            Ok(Some(summary)) if is_so(&Facts::of(&summary)) => return Ok(()),
            Ok(Some(_)) => "what it says does not hold of its instance",
            Ok(None) if self.has_history(key)? => return Ok(()),
            Ok(None) => "there is no such instance",
            // The row, as one that is missing and has a history, was told of before.
            Err(error) if error.is_of_one_instance() => return Ok(()),
            Err(error) => return Err(error),
        };
        self.tell(key, None, StoreError::damaged(place(table, row), reason))
    }

    pub(super) fn has_history(&self, key: InstanceKey) -> Result<bool, StoreError> {
        let mut segments = (self.history).range((key.0, 0, 0)..=(key.0, u32::MAX, u32::MAX))?;
        Ok(segments.next().transpose()?.is_some())
    }
}

fn missing(table: &str, row: (u64, u64)) -> StoreError {
    StoreError::damaged(
        place(table, row),
        "it is missing, and it holds of its instance",
    )
}

fn place(table: &str, (first, key): (u64, u64)) -> String {
    format!("row ({first:#x}, {key}) of `{table}`")
}
