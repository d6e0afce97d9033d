//! Events on their way from one instance to another.
//!
//! A row of `sent` is written by the commit that holds the sender's command, and removed by the one that holds the event
//! in the history of the instance that it is for. So an event is in one of the two places, and never in both.
//!
//! Source: `docs/design.md`, "Events between instances".

use bincode::{BorrowDecode, Encode};
use redb::{ReadTransaction, ReadableTable, TableError};

use super::StoreError;
use super::error::chain;
use super::frame::Checksum;
use super::row::{self, Kind};
use super::schema::SENT;
use crate::event::EventRaised;
use crate::event::encoding::{self, v1};
use crate::id::{EventId, ExecutionId, InstanceKey};

/// The command that sent an event; the key of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SentBy {
    pub(crate) sender: InstanceKey,
    pub(crate) execution: ExecutionId,
    pub(crate) command: EventId,
}

/// An event on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) by: SentBy,
    pub(crate) to: InstanceKey,
    pub(crate) event: EventRaised,
}

/// What version 1 writes of a [`Sent`], behind its sender.
#[derive(Encode, BorrowDecode)]
struct Stored<'a> {
    execution: u32,
    command: u32,
    to: u64,
    event: v1::EventRaised<'a>,
}

impl SentBy {
    pub(crate) fn row(self) -> (u64, u32, u32) {
        (self.sender.0, self.execution.0, self.command.0)
    }
}

/// A row of `sent`.
///
/// # Errors
/// [`StoreError::Unrecordable`]; no value of ours leads to it.
pub(crate) fn to_row(sent: &Sent, checksum: Checksum) -> Result<Vec<u8>, StoreError> {
    let mut row = row::begin(Kind::Sent, sent.by.sender);
    let stored = Stored {
        execution: sent.by.execution.0,
        command: sent.by.command.0,
        to: sent.to.0,
        event: (&sent.event).into(),
    };
    row::put(&stored, &mut row)?;
    Ok(row::seal(row, checksum))
}

/// Reads the row of `sent` that has this key.
///
/// # Errors
/// [`StoreError::Damaged`] or [`StoreError::NewerFormat`].
pub(crate) fn from_row(
    key: (u64, u32, u32),
    row: &[u8],
    checksum: Checksum,
) -> Result<Sent, StoreError> {
    let sender = InstanceKey(key.0);
    let damaged = |reason: &str| StoreError::damaged(format!("row {key:?} of `sent`"), reason);
    let body = row::open(Kind::Sent, sender, row, checksum)?;
    let (stored, rest) =
        encoding::read::<Stored<'_>>(body).map_err(|error| damaged(&chain(&error)))?;
    if !rest.is_empty() {
        return Err(damaged("something follows it"));
    }
    if (stored.execution, stored.command) != (key.1, key.2) {
        return Err(damaged("it belongs to another command"));
    }
    Ok(Sent {
        by: SentBy {
            sender,
            execution: ExecutionId(stored.execution),
            command: EventId(stored.command),
        },
        to: InstanceKey(stored.to),
        event: stored.event.into(),
    })
}

/// All events on their way: those of one sender in the order in which they were sent.
///
/// # Errors
/// [`StoreError`] of the database; [`StoreError::Damaged`].
pub(crate) fn read(
    transaction: &ReadTransaction,
    checksum: Checksum,
) -> Result<Vec<Sent>, StoreError> {
    let table = match transaction.open_table(SENT) {
        Ok(table) => table,
        // The first event that is sent makes the table in a store that is older than it.
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for row in table.iter()? {
        let (key, row) = row?;
        all.push(from_row(key.value(), row.value(), checksum)?);
    }
    Ok(all)
}
