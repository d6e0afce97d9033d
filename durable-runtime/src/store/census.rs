//! How many instances there are of each status and name.

use std::collections::BTreeMap;

use super::summary::Status;

/// How many instances there are, by status.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::Status;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn nap(hours_long: u64) {
///     sleep(hours(hours_long)).await;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// for length in [1, 2, 30] {
///     engine.start(nap(length)).await?;
/// }
/// engine.advance(hours(12)).await;
/// let counts = engine.counts().await?;
/// assert_eq!((counts.of(Status::Completed), counts.of(Status::Running)), (2, 1));
/// assert_eq!(counts.total(), 3);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Status, u64>);

impl Counts {
    /// How many have this status.
    pub fn of(&self, status: Status) -> u64 {
        self.0.get(&status).copied().unwrap_or_default()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Every status that an instance has, with how many have it.
    pub fn iter(&self) -> impl Iterator<Item = (Status, u64)> {
        self.0.iter().map(|(status, count)| (*status, *count))
    }

    /// So many more, or fewer; false if there were not so many.
    fn change(&mut self, status: Status, by: i64) -> bool {
        let changed = self.of(status).checked_add_signed(by);
        match changed {
            Some(count) if count > 0 => self.0.insert(status, count),
            _ => self.0.remove(&status),
        };
        changed.is_some()
    }
}

/// The counts by status of every orchestrator's name; names are few, as they stand in code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Census(BTreeMap<Box<str>, Counts>);

impl Census {
    /// An instance of that name has another status; before, or from now on, it may have none, as it is not there.
    pub(crate) fn moved(&mut self, name: &str, from: Option<Status>, to: Option<Status>) {
        if from == to {
            return;
        }
        // A number that the file had wrong stays wrong; the check of the file tells of it.
        if let Some(from) = from {
            self.change(name, from, -1);
        }
        if let Some(to) = to {
            self.change(name, to, 1);
        }
    }

    /// So many more, or fewer; false if there were not so many.
    pub(crate) fn change(&mut self, name: &str, status: Status, by: i64) -> bool {
        let counts = match self.0.get_mut(name) {
            Some(counts) => counts,
            None => self.0.entry(name.into()).or_default(),
        };
        let is_sound = counts.change(status, by);
        if counts.0.is_empty() {
            self.0.remove(name);
        }
        is_sound
    }

    /// Those of one name.
    pub(crate) fn of(&self, name: &str) -> Counts {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Those of all names.
    pub(crate) fn all(&self) -> Counts {
        let mut all = Counts::default();
        for (_, status, count) in self.iter() {
            *all.0.entry(status).or_default() += count;
        }
        all
    }

    /// Every name and status that there is, and how many have both.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Status, u64)> {
        (self.0.iter()).flat_map(|(name, counts)| {
            counts
                .iter()
                .map(move |(status, count)| (&**name, status, count))
        })
    }
}
