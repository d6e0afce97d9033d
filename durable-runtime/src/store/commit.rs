//! How the store commits: one redb transaction, then the books and the tail.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Batch;
use super::error::chain;
use super::ledger::Slice;
use super::schema::{META_NEXT_KEY, META_NEXT_POSITION, META_TIME};
use super::transaction::Staged;
use super::{QuickRepair, Store, StoreError, Summary};
use crate::id::InstanceKey;

impl Store {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.broken {
            Some(cause) => Err(StoreError::Broken {
                cause: cause.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Commits what a transaction staged.
    pub(super) fn commit(&mut self, mut batch: Batch) -> Result<(), StoreError> {
        self.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        if self.ledger.is_urgent() {
            let slice = Slice::Beside(batch.appended_bytes());
            batch.fold = self.ledger.plan(&self.reader.shared().tail(), slice);
        }
        self.commit_planned(batch, false)
    }

    pub(super) fn commit_planned(
        &mut self,
        mut batch: Batch,
        quick: bool,
    ) -> Result<(), StoreError> {
        batch.head = self.ledger.head();
        self.time = self.time.max(batch.staged.time);
        if !batch.fold.is_empty() || !batch.meta.is_empty() {
            let positions = self.positions(&batch);
            batch.meta.extend(positions);
        }
        let QuickRepair { beyond, up_to } = self.options.quick_repair;
        let in_use = self.extent.bytes();
        let quick = quick || in_use > beyond && in_use <= up_to;
        self.announce(&batch);
        match self.write(&batch, quick) {
            Ok(()) => {
                self.is_quick = quick;
                self.apply(&batch);
                Ok(())
            }
            Err(error) => {
                self.broken = Some(chain(&error));
                Err(error)
            }
        }
    }

    /// Tells readers whom this commit purges.
    fn announce(&self, batch: &Batch) {
        let staged = &batch.staged;
        if staged.purged.is_empty() {
            return;
        }
        let is_purged = |(key, _): &&(InstanceKey, Arc<Summary>)| staged.purged.contains(key);
        let purged = staged.instances.iter().filter(is_purged);
        let leaving = purged.map(|(key, summary)| (summary.id.clone(), *key));
        (self.reader.shared().tail_mut()).expect_to_leave(leaving.collect());
    }

    fn write(&self, batch: &Batch, quick: bool) -> Result<(), StoreError> {
        let shared = self.reader.shared();
        let mut transaction = shared.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(quick);
        batch.write(&shared.tail(), self.checksum, &transaction)?;
        transaction.commit()?;
        Ok(())
    }

    /// Shows readers what is on disk now, and enters it into the books.
    fn apply(&mut self, batch: &Batch) {
        self.commits += 1;
        self.fold_commits += u64::from(!batch.fold.is_empty());
        self.next_key = batch.staged.next_key;
        for (position, row) in batch.rows() {
            debug_assert_eq!(position, self.ledger.head(), "rows are entered in order");
            self.ledger.push_row(row);
        }
        self.apply_suspects(batch);
        self.places.extend(batch.staged.places.keys());
        let mut dropped = Vec::new();
        let mut tail = self.reader.shared().tail_mut();
        for (key, frames) in &batch.fold.instances {
            dropped.push(tail.forget(*key, *frames));
        }
        for staged in &batch.staged.frames {
            let Some(row) = batch.staged.rows.get(staged.row) else {
                continue;
            };
            let Some((key, summary)) = batch.staged.instances.get(staged.instance) else {
                continue;
            };
            let position = batch.head + u64::try_from(staged.row).unwrap_or_default();
            if let Some(frame) = staged.place(position, row) {
                self.ledger.push_frame(&frame);
                tail.push(*key, summary, frame);
            }
        }
        let instances = batch.staged.instances.iter();
        for ((key, summary), before) in instances.zip(&batch.staged.before) {
            let after = (!batch.staged.purged.contains(key)).then_some(summary.status);
            tail.count(&summary.name, *before, after);
        }
        for key in &batch.staged.purged {
            let needless = tail.bury(*key);
            self.ledger.release(&needless);
            if tail.find(*key).is_some() {
                self.ledger.push_grave(*key);
            }
            dropped.push(needless);
        }
        self.ledger.set_instances(tail.count_instances());
        if !batch.staged.purged.is_empty() {
            tail.expect_to_leave(HashMap::new());
        }
        tail.set_next_key(self.next_key);
        drop(tail);
        for (key, summary) in &batch.staged.instances {
            if summary.has_ended() && !batch.staged.purged.contains(key) {
                self.ledger.push_ended(*key);
            }
        }
    }

    fn apply_suspects(&mut self, batch: &Batch) {
        for (at, suspicion) in &batch.staged.suspects {
            if suspicion.is_some() {
                self.suspects.insert(*at);
            } else {
                self.suspects.remove(at);
            }
        }
    }

    /// Values of `meta` that recovery would else find out by reading on.
    fn positions(&self, batch: &Batch) -> Vec<(u32, Vec<u8>)> {
        let rows = u64::try_from(batch.staged.rows.len()).unwrap_or_default();
        let next_position = batch.head.saturating_add(rows);
        [
            (META_NEXT_POSITION, next_position),
            (META_NEXT_KEY, batch.staged.next_key),
            (META_TIME, self.time.0),
        ]
        .map(|(number, value)| (number, value.to_le_bytes().to_vec()))
        .to_vec()
    }

    /// What is staged when nothing is.
    pub(super) fn unchanged(&self) -> Staged {
        Staged {
            next_key: self.next_key,
            time: self.time,
            ..Staged::default()
        }
    }
}
