//! The commit machine: everything that asks to be recorded goes through one transaction after another.
//!
//! It is fed with submissions, writes all of them in one transaction, and only then hands out what follows from them.
//! Ids are resolved while a batch forms, so that two starts of one id never both create.

use std::collections::HashSet;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::engine::failpoint;
use crate::engine::message::{Effects, Submission};
use crate::engine::observe::Observer;
use crate::engine::watchers::Watchers;
use crate::id::{BuildId, InstanceKey};
use crate::limits;
use crate::store::{Counters, Store, StoreError};

mod arrivals;
mod batch;
mod between;
mod bonds;
mod control;
mod overtaken;
mod purge;
mod reopen;
mod replace;
mod rewind;
mod telling;

pub(crate) use arrivals::{cancel_request, child_conflict, child_outcome, sent_event, unreadable};
pub(crate) use bonds::Bonds;

pub(crate) use reopen::Reopener;

use batch::{Batch, Stage};

/// The write side of the store and those who wait for what it writes.
pub(crate) struct Committer {
    store: Store,
    observer: Arc<Observer>,
    build: BuildId,
    queue: Vec<Submission>,
    bonds: Bonds,
    watchers: Watchers,
    /// What followed from a batch that was not written; kept for its replies.
    unanswered: Vec<Effects>,
    reopener: Option<Reopener>,
    /// How many questions may wait for room on the disk before those are let go that nobody asks any more.
    prune_at: usize,
}

impl Committer {
    pub(crate) fn new(
        store: Store,
        observer: Arc<Observer>,
        build: BuildId,
        bonds: Bonds,
        reopener: Option<Reopener>,
    ) -> Self {
        Self {
            watchers: Watchers::new(store.reader()),
            store,
            observer,
            build,
            queue: Vec::new(),
            unanswered: Vec::new(),
            bonds,
            reopener,
            prune_at: limits::BATCH_RECORDS_MAX,
        }
    }

    /// Takes submissions in; nothing is written before [`commit`](Self::commit).
    pub(crate) fn submit(&mut self, submissions: impl IntoIterator<Item = Submission>) {
        self.queue.extend(submissions);
    }

    /// Writes everything that was submitted in one transaction and returns what follows from it.
    ///
    /// # Errors
    /// The outcome of the transaction is unknown and the store refuses everything from now on. Whoever waits for an answer gets
    /// none, but only once the committer is dropped: by then, it can be known why.
    pub(crate) fn commit(&mut self, now: Timestamp) -> Result<Effects, StoreError> {
        let mut batch = Batch::new(now, self.build, Arc::clone(&self.observer));
        match self.fill(&mut batch) {
            Ok(()) => Ok(batch.effects),
            Err(error) => {
                self.unanswered.push(batch.effects);
                Err(error)
            }
        }
    }

    fn fill(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let queue = std::mem::take(&mut self.queue);
        let (mut writes, questions): (Vec<_>, Vec<_>) =
            queue.into_iter().partition(Submission::is_write);
        self.queue = questions;
        if writes.iter().any(Submission::is_rewind) {
            // A rewind reads what it goes back over, and that is on disk: so it goes before all that the batch changes.
            let (rewinds, others) = writes.into_iter().partition(Submission::is_rewind);
            writes = others;
            if let Err(error) = self.write(batch, rewinds) {
                self.queue.extend(writes);
                return Err(error);
            }
        }
        if !writes.is_empty() {
            self.write(batch, writes)?;
        }
        batch.effects.take_back_closed();
        for question in std::mem::take(&mut self.queue) {
            match question {
                Submission::Watch(watch) => self.watchers.watch(watch, &mut batch.effects)?,
                Submission::Probe(reply) => batch.effects.answer(reply, ()),
                Submission::Start(_)
                | Submission::Turn(_)
                | Submission::Purge(_)
                | Submission::Control(_)
                | Submission::Rewind(_)
                | Submission::Mark(..) => {}
            }
        }
        self.watchers.notify(&batch.touched, &mut batch.effects)
    }

    /// Writes all of these in one transaction.
    fn write(&mut self, batch: &mut Batch, writes: Vec<Submission>) -> Result<(), StoreError> {
        failpoint::hit("commit.before");
        let (count, begun) = (writes.len(), self.observer.meters.now());
        let before = self.store.counters().commits;
        let mut transaction = self.store.begin(batch.now)?;
        let mut writes = writes.into_iter();
        let mut stage = Stage {
            transaction: &mut transaction,
            bonds: &mut self.bonds,
        };
        let written = writes
            .try_for_each(|write| batch.write(&mut stage, write))
            .and_then(|()| transaction.commit());
        if let Err(error) = written {
            self.queue.extend(writes);
            return Err(error);
        }
        // A batch that holds nothing after all writes nothing.
        if self.store.counters().commits > before {
            self.observer.meters.commit(count, begun);
        }
        failpoint::hit("commit.after");
        Ok(())
    }

    /// One slice of what keeps the file in order; true if there is more to do.
    pub(crate) fn maintain(&mut self) -> Result<bool, StoreError> {
        self.store.maintain()
    }

    pub(crate) fn maintenance_is_due(&self) -> bool {
        self.store.fold_is_due()
    }

    /// Whether anything was submitted.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// How many submissions wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// What the store has counted.
    pub(crate) fn counters(&self) -> Counters {
        self.store.counters()
    }

    pub(crate) fn close(self, now: Timestamp) -> Result<(), StoreError> {
        self.store.close(now)
    }

    /// What those are told who wait for an end that a stall may hold up, each instance's once until `told` is cleared.
    pub(crate) fn tell_of_stalls(
        &mut self,
        told: &mut HashSet<InstanceKey>,
    ) -> Result<Effects, StoreError> {
        let mut effects = Effects::default();
        self.watchers.notify_of_stalls(told, &mut effects)?;
        Ok(effects)
    }

    /// How many wait to hear of a change.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.count()
    }
}

impl Submission {
    /// Whether it writes; the others ask, and are answered after the commit.
    fn is_write(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::Turn(_)
            | Self::Control(_)
            | Self::Purge(_)
            | Self::Rewind(_)
            | Self::Mark(..) => true,
            Self::Watch(_) | Self::Probe(_) => false,
        }
    }

    fn is_rewind(&self) -> bool {
        matches!(self, Self::Rewind(_))
    }
}

impl Submission {
    /// Whether somebody still waits for the answer; nobody gives up a write.
    fn is_awaited(&self) -> bool {
        match self {
            Self::Watch(watch) => watch.reply.is_awaited(),
            Self::Probe(reply) => reply.is_awaited(),
            Self::Start(_)
            | Self::Turn(_)
            | Self::Control(_)
            | Self::Purge(_)
            | Self::Rewind(_)
            | Self::Mark(..) => true,
        }
    }
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Committer with {} submissions waiting", self.queue.len())
    }
}
