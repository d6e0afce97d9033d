//! The event log in one redb file.
//!
//! A commit appends one journal row for everybody's frames; what has aged is folded later into rows that stand
//! together for each instance. [`Store`] is the write side and has one owner; [`Reader`]s read beside it.
//!
//! Source: `docs/design.md`, "The file".

mod asked;
mod batch;
mod builds;
mod census;
mod commit;
mod course;
mod error;
mod file;
mod fold;
mod frame;
mod gauge;
mod index;
mod integrity;
mod ledger;
mod locks;
mod meta;
mod outstanding;
mod overview;
mod query;
mod reader;
mod recovery;
mod revision;
mod row;
mod schema;
mod sent;
mod summary;
mod suspicion;
mod tail;
mod transaction;
mod unended;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use redb::StorageBackend;

pub(crate) use self::census::Census;
pub use self::census::Counts;
pub use self::error::StoreError;
pub(crate) use self::error::{chain, panic_text};
pub(crate) use self::frame::EncodedFrame;
pub(crate) use self::integrity::{Damage, Integrity};
pub(crate) use self::outstanding::Outstanding;
pub use self::overview::Overview;
pub use self::query::{Cursor, CursorError};
pub(crate) use self::query::{Filter, Position, Request, Shape, Span};
pub(crate) use self::reader::{LastExecution, Reader};
pub(crate) use self::recovery::{Recovered, Unfinished};
pub use self::revision::Revision;
pub(crate) use self::sent::{Sent, SentBy};
pub use self::summary::{Stalled, Status, Summary, Suspended};
pub(crate) use self::suspicion::Suspicion;
pub(crate) use self::transaction::{Created, Transaction};

use self::batch::Batch;
use self::frame::Checksum;
use self::gauge::Extent;
use self::ledger::{Ledger, Patience, Slice};
use self::schema::{FINGERPRINT, META_CLEAN, ORCHESTRATORS};
use crate::clock::{Entropy, Timestamp};
use crate::id::{BuildId, StoreId};

/// Where a store lives.
#[derive(Debug)]
pub(crate) enum Medium {
    /// In a file, which is created if there is none.
    File(PathBuf),
    /// In a file that is there and stays as it is: what is written is forgotten.
    Unchanged(PathBuf),
    /// In something else that holds bytes; a new store if that has no length.
    Backend(Box<dyn StorageBackend>),
    /// The same, of which there is another one each time it is opened.
    #[cfg(test)]
    Renewed(tests::faulty::Faulty),
}

impl Medium {
    /// The same once more, if it can be opened again.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::File(path) => Some(Self::File(path.clone())),
            Self::Unchanged(_) | Self::Backend(_) => None,
            #[cfg(test)]
            Self::Renewed(disk) => Some(Self::Renewed(disk.clone())),
        }
    }
}

/// A file up to this many bytes is read through and checked when it is opened: that takes some 200 ms.
const INTEGRITY_CHECK_BYTES_MAX: u64 = 64 << 20;

/// What may be chosen about a store.
#[derive(Debug, Clone)]
pub(crate) struct StoreOptions {
    /// Memory for pages of the file, in bytes.
    pub(crate) cache_bytes: usize,
    /// A file up to this many bytes is read through and checked when it is opened.
    pub(crate) integrity_check_bytes_max: u64,
    /// How large a file may be that every commit leaves such that it opens at once after a crash.
    pub(crate) quick_repair: QuickRepair,
    /// What may wait to be folded before that is urgent.
    pub(crate) patience: Patience,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 128 << 20,
            integrity_check_bytes_max: INTEGRITY_CHECK_BYTES_MAX,
            quick_repair: QuickRepair::default(),
            patience: Patience::default(),
        }
    }
}

/// When a commit also writes down what redb would else find out by reading the whole file after a crash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QuickRepair {
    /// With no more bytes in use than this, no commit does: such a file is read through whenever it is opened.
    pub(crate) beyond: u64,
    /// With more in use than this, only the last commit of an idle stretch does, as it costs the more the larger the file is.
    pub(crate) up_to: u64,
}

impl Default for QuickRepair {
    fn default() -> Self {
        Self {
            beyond: INTEGRITY_CHECK_BYTES_MAX,
            up_to: 256 << 20,
        }
    }
}

/// What a store has done since it was opened, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Commits, of all kinds.
    pub commits: u64,
    /// Commits among them that tidied the file beside or instead of recording something.
    pub fold_commits: u64,
    /// Rows of `log`.
    pub log_rows: u64,
    /// Bytes of frames that wait to be folded.
    pub unfolded_bytes: usize,
    /// The end of the last byte in use, in the file.
    pub allocated_bytes: u64,
}

/// The write side of a store. After a write did not succeed it takes no more: what that write did is known when the
/// store is opened again.
#[derive(Debug)]
pub(crate) struct Store {
    reader: Reader,
    id: StoreId,
    checksum: Checksum,
    options: StoreOptions,
    extent: Extent,
    ledger: Ledger,
    next_key: u64,
    time: Timestamp,
    places: HashSet<(u32, u32)>,
    suspects: BTreeSet<(u64, u32)>,
    commits: u64,
    fold_commits: u64,
    /// Whether the last commit left a file that opens at once after a crash.
    is_quick: bool,
    /// The first thing that went wrong.
    broken: Option<String>,
    /// The buffer of the row that is being filled, kept between transactions.
    scratch: Vec<u8>,
}

impl Store {
    /// Opens a store, or creates it, and reads all that is outstanding in it.
    ///
    /// `wall` becomes the store time of a new store, `entropy` gives it its id.
    ///
    /// # Durability
    /// A new store is on disk, complete, when this returns. From then on its stop counts as unclean until [`close`](Self::close).
    ///
    /// # Errors
    /// [`StoreError`] names what was expected and found. A damaged store is refused, never guessed at.
    pub(crate) fn open(
        medium: Medium,
        options: StoreOptions,
        wall: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Recovered), StoreError> {
        let place = match &medium {
            Medium::File(path) | Medium::Unchanged(path) => format!("store `{}`", path.display()),
            Medium::Backend(_) => "the store".to_owned(),
            #[cfg(test)]
            Medium::Renewed(_) => "the store".to_owned(),
        };
        // In a page that is no page any more, redb panics.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let opened = file::open(medium, &options, wall, entropy)?;
            recovery::recover(opened, options)
        }));
        opened.unwrap_or_else(|panic| {
            let reason = format!("reading it panicked: {}", panic_text(panic.as_ref()));
            Err(StoreError::damaged(place, reason))
        })
    }

    /// Closes the file and opens it again, after a write that did not succeed; those who read go on with it. If that does not
    /// succeed either, the store is closed, and it can be tried again.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn reopen(
        &mut self,
        medium: Medium,
        wall: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Recovered, StoreError> {
        self.reader.shared().close();
        let (mut store, recovered) = Self::open(medium, self.options.clone(), wall, entropy)?;
        if store.id != self.id {
            let reason = "it was exchanged for another one while it was closed";
            return Err(StoreError::damaged("the store", reason));
        }
        let opened = store.reader.shared().take();
        store.reader = self.reader.clone();
        store.commits += self.commits;
        store.fold_commits += self.fold_commits;
        drop(std::mem::replace(self, store));
        if let Some((database, tail)) = opened {
            self.reader.shared().install(database, tail);
        }
        Ok(recovered)
    }

    /// Whether a sync did not succeed: then it is not known what is on the disk, and opening the file again in this process
    /// would not tell.
    pub(crate) fn has_lost_sync(&self) -> bool {
        self.extent.has_lost_sync()
    }

    /// A reader of this store.
    pub(crate) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The store's id.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    /// Begins a commit at store time `now`.
    ///
    /// # Errors
    /// [`StoreError::Broken`].
    pub(crate) fn begin(&mut self, now: Timestamp) -> Result<Transaction<'_>, StoreError> {
        self.check()?;
        Ok(Transaction::new(self, now))
    }

    /// Does one slice of what can wait until the store is idle: folds, trims, and at last leaves a file that opens at
    /// once after a crash. True if there is more to do now; never commits if there is nothing to do.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub(crate) fn maintain(&mut self) -> Result<bool, StoreError> {
        self.check()?;
        let mut batch = Batch::of(self.unchanged());
        if self.ledger.is_due() {
            batch.fold = self.ledger.plan(&self.reader.shared().tail(), Slice::Idle);
        }
        let is_last = batch.fold.is_empty();
        if is_last && !self.repair_would_be_slow() {
            return Ok(false);
        }
        self.commit_planned(batch, is_last)?;
        Ok(!is_last && self.fold_is_due())
    }

    /// Whether there is work for [`maintain`](Self::maintain).
    pub(crate) fn fold_is_due(&self) -> bool {
        self.ledger.is_due() || self.repair_would_be_slow()
    }

    /// Whether the file, as the last commit left it, would be slow to open after a crash.
    fn repair_would_be_slow(&self) -> bool {
        !self.is_quick && self.extent.bytes() > self.options.quick_repair.beyond
    }

    /// What the store has done and holds.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            commits: self.commits,
            fold_commits: self.fold_commits,
            log_rows: self.ledger.log_rows(),
            unfolded_bytes: self.ledger.unfolded_bytes(),
            allocated_bytes: self.extent.bytes(),
        }
    }

    /// Closes the store, and with it every reader. Folds nothing; the stop counts as clean.
    ///
    /// # Errors
    /// As [`Transaction::commit`]; the file is closed all the same.
    pub(crate) fn close(mut self, now: Timestamp) -> Result<(), StoreError> {
        self.check()?;
        self.time = self.time.max(now);
        let mut batch = Batch::of(self.unchanged());
        batch.meta.push((META_CLEAN, vec![1]));
        self.commit_planned(batch, true)
        // Dropping the store closes the file.
    }

    /// The ordinal of the build with this fingerprint, which is recorded if it is new.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub(crate) fn build(&mut self, fingerprint: &[u8]) -> Result<BuildId, StoreError> {
        Ok(self.build_of(fingerprint, "")?.0)
    }

    /// The same, with what is to be kept of its orchestrators if it is new; and whether it is.
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub(crate) fn build_of(
        &mut self,
        fingerprint: &[u8],
        orchestrators: &str,
    ) -> Result<(BuildId, bool), StoreError> {
        self.check()?;
        let builds = builds::Builds::read(&self.reader)?;
        let (build, is_new) = builds.find(fingerprint)?;
        if is_new {
            let mut staged = self.unchanged();
            staged
                .places
                .insert((build.0, FINGERPRINT), fingerprint.to_vec());
            (staged.places).insert((build.0, ORCHESTRATORS), orchestrators.into());
            self.commit_planned(Batch::of(staged), false)?;
        }
        self.places = builds.places(build)?;
        Ok((build, is_new))
    }
}

impl Drop for Store {
    /// Closes the file, whatever readers there are.
    fn drop(&mut self) {
        self.reader.shared().close();
    }
}
