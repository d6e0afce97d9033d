//! What instances are found by: tables beside `instances`, written by the fold that writes there.
//!
//! A *term* is something that holds of an instance: a status, a name, a tag. `index` has a row for every term and instance
//! of which it holds, so the instances of one term stand together, in order of creation. `ended` has what has ended by the
//! time at which it did, `counts` how many there are. A row is written or removed only where what holds has changed.
//!
//! Names and tags are digested, so that every row is 16 bytes. Two that have one digest share their rows; whoever reads
//! them looks at the instance itself as well.
//!
//! Source: `docs/design.md`, "The index".

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable, Table, WriteTransaction};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::StoreError;
use super::census::Census;
use super::row::StoredSummary;
use super::schema::{CHANGES, COUNTS, ENDED, INDEX, number};
use super::summary::{Status, Summary};
use crate::clock::Timestamp;
use crate::id::InstanceKey;

/// What an instance is found by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) status: Status,
    pub(crate) tags: Vec<(&'a str, &'a str)>,
    pub(crate) created_at: Timestamp,
    pub(crate) completed_at: Option<Timestamp>,
}

/// Something that holds of instances, as a number: that of a status, or the digest of a name or a tag with the highest bit
/// set. It is stored: what is digested, and how, is part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term(pub(crate) u64);

impl<'a> Facts<'a> {
    pub(crate) fn of(summary: &'a Summary) -> Self {
        let tags = summary.tags.iter();
        Self {
            id: summary.id.as_str(),
            name: &summary.name,
            status: summary.status,
            tags: tags
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            created_at: Timestamp::from_system_time(summary.created_at),
            completed_at: summary.completed_at.map(Timestamp::from_system_time),
        }
    }

    /// All that holds of the instance.
    pub(crate) fn terms(&self) -> BTreeSet<Term> {
        let tags = self.tags.iter().map(|(key, value)| Term::tag(key, value));
        [Term::status(self.status), Term::name(self.name)]
            .into_iter()
            .chain(tags)
            .collect()
    }
}

impl Term {
    const DIGEST: u64 = 1 << 63;

    pub(crate) fn status(status: Status) -> Self {
        Self(u64::from(status.number()))
    }

    pub(crate) fn name(name: &str) -> Self {
        Self(Self::DIGEST | xxh3_64_with_seed(name.as_bytes(), 1))
    }

    pub(crate) fn tag(key: &str, value: &str) -> Self {
        let key_bytes = u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes();
        let tag = [key_bytes.as_slice(), key.as_bytes(), value.as_bytes()].concat();
        Self(Self::DIGEST | xxh3_64_with_seed(&tag, 2))
    }
}

/// The number of every status, in the index and in cursors, of which none is ever used again.
macro_rules! numbers {
    ($($status:ident = $number:literal,)*) => {
        impl Status {
            /// Every status that there is.
            pub(crate) const ALL: &[Self] = &[$(Self::$status),*];

            /// The number under which it is stored.
            pub(crate) fn number(self) -> u8 {
                match self {
                    $(Self::$status => $number,)*
                }
            }
        }
    };
}

numbers! {
    Pending = 0,
    Running = 1,
    Completed = 2,
    Failed = 3,
    Stalled = 4,
    Terminated = 5,
    Suspended = 6,
}

/// The changes of one fold to the index: gathered first, then written in the order of the rows.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether a row of `index` is to be there.
    index: BTreeMap<(u64, u64), bool>,
    /// The same of `ended`.
    ended: BTreeMap<(u64, u64), bool>,
    /// By status and name, how many more there are.
    counts: BTreeMap<(Status, String), i64>,
}

impl Changes {
    /// What holds of an instance has changed; before, or from now on, it may not be there.
    pub(crate) fn replace(
        &mut self,
        key: InstanceKey,
        before: Option<&Facts<'_>>,
        after: Option<&Facts<'_>>,
    ) {
        let terms = |facts: Option<&Facts<'_>>| facts.map(Facts::terms).unwrap_or_default();
        let (gone, new) = (terms(before), terms(after));
        for term in gone.difference(&new) {
            self.index.insert((term.0, key.0), false);
        }
        for term in new.difference(&gone) {
            self.index.insert((term.0, key.0), true);
        }
        let ended = |facts: Option<&Facts<'_>>| facts?.completed_at;
        let (gone, new) = (ended(before), ended(after));
        if gone != new {
            self.ended.extend(gone.map(|at| ((at.0, key.0), false)));
            self.ended.extend(new.map(|at| ((at.0, key.0), true)));
        }
        let counted = |facts: &Facts<'_>| (facts.status, facts.name.to_owned());
        let (gone, new) = (before.map(counted), after.map(counted));
        if gone != new {
            for (place, by) in gone
                .map(|gone| (gone, -1))
                .into_iter()
                .chain(new.map(|new| (new, 1)))
            {
                *self.counts.entry(place).or_default() += by;
            }
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn write(self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if !self.index.is_empty() {
            set_rows(&self.index, transaction.open_table(INDEX)?)?;
        }
        if !self.ended.is_empty() {
            set_rows(&self.ended, transaction.open_table(ENDED)?)?;
        }
        let mut counts = self.counts;
        counts.retain(|_, by| *by != 0);
        if !counts.is_empty() {
            add_up(&counts, transaction.open_table(COUNTS)?)?;
        }
        Ok(())
    }
}

fn set_rows(
    rows: &BTreeMap<(u64, u64), bool>,
    mut table: Table<'_, (u64, u64), &'static [u8]>,
) -> Result<(), StoreError> {
    for (row, is_there) in rows {
        if *is_there {
            table.insert(*row, [].as_slice())?;
        } else {
            table.remove(*row)?;
        }
    }
    Ok(())
}

fn add_up(
    changes: &BTreeMap<(Status, String), i64>,
    mut table: Table<'_, &'static [u8], &'static [u8]>,
) -> Result<(), StoreError> {
    let stored = |row: Option<redb::AccessGuard<'_, &'static [u8]>>| {
        row.and_then(|row| number(row.value())).unwrap_or_default()
    };
    for ((status, name), by) in changes {
        let row = count_row(*status, name);
        let count = stored(table.get(row.as_slice())?).checked_add_signed(*by);
        if count.is_none() {
            tracing::error!(%name, ?status, "`counts` has fewer instances than there were; nothing else depends on it");
        }
        match count {
            Some(count) if count > 0 => {
                table.insert(row.as_slice(), count.to_le_bytes().as_slice())?;
            }
            _ => {
                table.remove(row.as_slice())?;
            }
        }
    }
    let number_of_changes = stored(table.get(CHANGES)?).saturating_add(1);
    table.insert(CHANGES, number_of_changes.to_le_bytes().as_slice())?;
    Ok(())
}

/// The key of a row of `counts`.
fn count_row(status: Status, name: &str) -> Vec<u8> {
    [&[status.number()], name.as_bytes()].concat()
}

/// The table `counts`, and how often it was changed.
///
/// # Errors
/// [`StoreError`] of the database; [`StoreError::Damaged`].
pub(crate) fn read_counts(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<(Census, u64), StoreError> {
    let (mut census, mut changes) = (Census::default(), 0);
    for entry in table.iter()? {
        let (row, count) = entry?;
        let place = || format!("row `{}` of `counts`", row.value().escape_ascii());
        let count = number(count.value())
            .ok_or_else(|| StoreError::damaged(place(), "it is no number of 8 bytes"))?;
        if row.value() == CHANGES {
            changes = count;
            continue;
        }
        let (status, name) = counted(row.value())
            .ok_or_else(|| StoreError::damaged(place(), "it is no status and name"))?;
        census.change(name, status, i64::try_from(count).unwrap_or(i64::MAX));
    }
    Ok((census, changes))
}

fn counted(row: &[u8]) -> Option<(Status, &str)> {
    let (status, name) = row.split_first()?;
    let status = Status::ALL.iter().find(|known| known.number() == *status)?;
    Some((*status, std::str::from_utf8(name).ok()?))
}

/// What was folded of an instance, by its row as it was; by the index, if that is damaged.
pub(crate) fn folded<'a>(
    row: Result<&'a StoredSummary<'_>, &StoreError>,
    now: &'a Facts<'_>,
    key: InstanceKey,
    transaction: &WriteTransaction,
) -> Result<Option<Facts<'a>>, StoreError> {
    let index = match row {
        Ok(stored) => return Ok(Some(stored.facts())),
        Err(_) => transaction.open_table(INDEX)?,
    };
    for status in Status::ALL {
        if index.get((Term::status(*status).0, key.0))?.is_some() {
            return Ok(Some(Facts {
                status: *status,
                completed_at: None,
                ..now.clone()
            }));
        }
    }
    Ok(None)
}
