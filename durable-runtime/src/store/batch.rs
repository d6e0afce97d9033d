//! Everything that one redb transaction writes.

use std::sync::Arc;

use redb::WriteTransaction;

use super::StoreError;
use super::fold;
use super::frame::Checksum;
use super::ledger::Plan;
use super::schema::{BUILDS, IDS, LOG, META, SENT, SUSPECTS};
use super::tail::Tail;
use super::transaction::Staged;

/// What is staged, and what the store adds to it.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) staged: Staged,
    /// The position of the first of the staged rows.
    pub(crate) head: u64,
    /// Fold work that rides along.
    pub(crate) fold: Plan,
    /// Values of `meta`.
    pub(crate) meta: Vec<(u32, Vec<u8>)>,
}

impl Batch {
    pub(crate) fn of(staged: Staged) -> Self {
        Self {
            staged,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let staged = &self.staged;
        staged.rows.is_empty()
            && staged.places.is_empty()
            && staged.suspects.is_empty()
            && staged.sent.is_empty()
            && self.fold.is_empty()
            && self.meta.is_empty()
    }

    /// Bytes that it appends to `log`.
    pub(crate) fn appended_bytes(&self) -> usize {
        self.staged.rows.iter().map(|row| row.len()).sum()
    }

    /// The staged rows with their positions.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, &Arc<[u8]>)> {
        (self.head..).zip(&self.staged.rows)
    }

    /// Writes it all.
    ///
    /// # Errors
    /// [`StoreError`] of the database; [`StoreError::Damaged`] if fold work meets damage.
    pub(crate) fn write(
        &self,
        tail: &Tail,
        checksum: Checksum,
        transaction: &WriteTransaction,
    ) -> Result<(), StoreError> {
        if !self.staged.rows.is_empty() {
            let mut log = transaction.open_table(LOG)?;
            for (position, row) in self.rows() {
                log.insert(position, &**row)?;
            }
        }
        self.write_ids(transaction)?;
        self.write_places(transaction)?;
        self.write_suspects(transaction)?;
        self.write_sent(transaction)?;
        fold::write(&self.fold, tail, checksum, transaction)?;
        self.write_meta(transaction)
    }

    fn write_ids(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.staged.ids.is_empty() {
            return Ok(());
        }
        let mut ids = transaction.open_table(IDS)?;
        for (id, key) in &self.staged.ids {
            let id = id.as_str().as_bytes();
            match key {
                Some(key) => ids.insert(id, key.0.to_le_bytes().as_slice())?,
                None => ids.remove(id)?,
            };
        }
        Ok(())
    }

    fn write_places(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.staged.places.is_empty() {
            return Ok(());
        }
        let mut builds = transaction.open_table(BUILDS)?;
        for (at, place) in &self.staged.places {
            builds.insert(*at, place.as_slice())?;
        }
        Ok(())
    }

    fn write_suspects(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.staged.suspects.is_empty() {
            return Ok(());
        }
        let mut suspects = transaction.open_table(SUSPECTS)?;
        for (at, suspicion) in &self.staged.suspects {
            match suspicion {
                Some(suspicion) => suspects.insert(*at, suspicion.to_bytes().as_slice())?,
                None => suspects.remove(*at)?,
            };
        }
        Ok(())
    }

    fn write_sent(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.staged.sent.is_empty() {
            return Ok(());
        }
        let mut sent = transaction.open_table(SENT)?;
        for (by, row) in &self.staged.sent {
            match row {
                Some(row) => sent.insert(by.row(), row.as_slice())?,
                None => sent.remove(by.row())?,
            };
        }
        Ok(())
    }

    fn write_meta(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.meta.is_empty() {
            return Ok(());
        }
        let mut meta = transaction.open_table(META)?;
        for (number, value) in &self.meta {
            meta.insert(*number, value.as_slice())?;
        }
        Ok(())
    }
}
