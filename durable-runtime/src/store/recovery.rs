//! Reading all that is outstanding when a store is opened, and making the store of it.
//!
//! Source: `docs/design.md`, "Open".

mod standing;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use redb::{ReadTransaction, ReadableDatabase, ReadableTable};

use self::standing::{Log, Settled};
use super::file::Opened;
use super::frame::Checksum;
use super::index;
use super::meta::{Meta, note_open};
use super::outstanding::Outstanding;
use super::reader::{Reader, Shared};
use super::schema::{COUNTS, SUSPECTS, WHOLE_TURN};
use super::sent::{self, Sent};
use super::suspicion::Suspicion;
use super::{Store, StoreError, StoreOptions};
use crate::clock::Timestamp;
use crate::event::Parent;
use crate::id::{EventId, InstanceKey};

/// What a store holds when it is opened.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Instances that have not ended, in key order.
    pub(crate) instances: Vec<Unfinished>,
    /// Whether the store was closed before, or is new.
    pub(crate) clean: bool,
    /// Events that were sent and have not arrived; those of one sender in order.
    pub(crate) sent: Vec<Sent>,
    /// What is held against activities, and whole turns, of instances.
    pub(crate) suspects: BTreeMap<(InstanceKey, Option<EventId>), Suspicion>,
    /// The latest time that is recorded.
    pub(crate) last_time: Timestamp,
    /// Whether the store is new.
    pub(crate) created: bool,
    /// Whether the whole file was read through and found undamaged.
    pub(crate) is_checked: bool,
}

/// An instance that has not ended. There may be a million of them, so this is all that is kept of each: the rest can be read.
#[derive(Debug, PartialEq)]
pub(crate) struct Unfinished {
    pub(crate) key: InstanceKey,
    pub(crate) parent: Option<Box<Parent>>,
    pub(crate) outstanding: Outstanding,
}

/// Reads `opened`, and notes in it that it is open.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::NewerFormat`], [`StoreError::Damaged`], or of the database.
pub(crate) fn recover(
    opened: Opened,
    options: StoreOptions,
) -> Result<(Store, Recovered), StoreError> {
    let meta = Meta::read(&opened)?;
    let checksum = Checksum::new(meta.store);
    let transaction = opened.database.begin_read()?;
    let suspects = read_suspects(&transaction)?;
    let sent = sent::read(&transaction, checksum)?;
    let mut log = Log::new(&transaction, checksum, &meta, options.patience)?;
    log.read(&transaction, meta.next_position)?;
    let next_key = log.next_key(meta.next_key)?;
    let (census, _) = index::read_counts(&transaction.open_table(COUNTS)?)?;
    drop(transaction);
    let last_time = log.time;
    let Settled {
        ledger,
        mut tail,
        instances,
    } = log.settle(census)?;
    tail.set_next_key(next_key);
    note_open(&opened.database)?;
    let store = Store {
        reader: Reader::new(Shared::new(opened.database, tail, checksum)),
        id: meta.store,
        checksum,
        options,
        extent: opened.extent,
        ledger,
        next_key,
        time: last_time,
        places: HashSet::new(),
        suspects: suspects.keys().copied().collect::<BTreeSet<_>>(),
        commits: 0,
        fold_commits: 0,
        is_quick: true,
        broken: None,
        scratch: Vec::new(),
    };
    let recovered = Recovered {
        instances,
        clean: meta.is_clean,
        sent,
        suspects: suspects.into_iter().map(named).collect(),
        last_time,
        created: opened.is_new,
        is_checked: opened.is_checked,
    };
    Ok((store, recovered))
}

fn read_suspects(
    transaction: &ReadTransaction,
) -> Result<BTreeMap<(u64, u32), Suspicion>, StoreError> {
    let mut suspects = BTreeMap::new();
    for row in transaction.open_table(SUSPECTS)?.iter()? {
        let (at, suspicion) = row?;
        let suspicion = Suspicion::read(at.value(), suspicion.value())?;
        suspects.insert(at.value(), suspicion);
    }
    Ok(suspects)
}

fn named<T>(((key, event), suspicion): ((u64, u32), T)) -> ((InstanceKey, Option<EventId>), T) {
    let event = (event != WHOLE_TURN).then_some(EventId(event));
    ((InstanceKey(key), event), suspicion)
}
