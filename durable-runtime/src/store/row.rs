//! Rows of `open`, and what they have in common with those of `instances`: they are versioned, and sealed with a checksum
//! over the key they belong to.
//!
//! A row is a version byte, a checksum of all that follows it, the kind of row, the instance's key, and the body. As
//! with records, a version is never edited once it is released.

mod summary;

use bincode::{BorrowDecode, Encode};

use super::error::{StoreError, chain};
use super::frame::Checksum;
use super::outstanding::Outstanding;
use crate::clock::Timestamp;
use crate::event::encoding::{self, v1};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, Sequence};

pub(crate) use self::summary::{StoredSummary, stored_summary, summary_from_row, summary_to_row};

/// The version that rows are written in.
const VERSION: u8 = 1;

/// Which table a row belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Summary,
    Outstanding,
    Sent,
}

impl Kind {
    fn tag(self) -> u8 {
        match self {
            Self::Summary => 1,
            Self::Outstanding => 2,
            Self::Sent => 3,
        }
    }

    fn place(self, key: InstanceKey) -> String {
        let table = match self {
            Self::Summary => "instances",
            Self::Outstanding => "open",
            Self::Sent => "sent",
        };
        format!("row {} of `{table}`", key.0)
    }
}

/// A row of `open`.
///
/// # Errors
/// [`StoreError::Unrecordable`]; no value of ours leads to it.
pub(crate) fn outstanding_to_row(
    key: InstanceKey,
    outstanding: &Outstanding,
    checksum: Checksum,
) -> Result<Vec<u8>, StoreError> {
    let mut row = begin(Kind::Outstanding, key);
    put(
        &Item::Head {
            execution: outstanding.execution.0,
            next: outstanding.next.0,
            undelivered: outstanding.undelivered,
            stalled: outstanding.stalled,
            cancel_requested: outstanding.cancel_requested,
            ended: outstanding.ended,
            suspended: outstanding.suspended,
            start_at: outstanding.start_at.map(|at| at.0),
        },
        &mut row,
    )?;
    for (id, due) in &outstanding.timers {
        put(
            &Item::Timer {
                id: id.0,
                due: due.0,
            },
            &mut row,
        )?;
    }
    for scheduled in outstanding.activities.values() {
        let item = match v1::watched(scheduled) {
            Some(watched) => Item::Watched(watched),
            None => Item::Activity(scheduled.into()),
        };
        put(&item, &mut row)?;
    }
    for (id, instance) in &outstanding.children {
        put(
            &Item::Child {
                id: id.0,
                instance: instance.as_str(),
            },
            &mut row,
        )?;
    }
    for (id, instance) in &outstanding.awaited {
        put(
            &Item::Awaited {
                id: id.0,
                instance: instance.as_str(),
            },
            &mut row,
        )?;
    }
    Ok(seal(row, checksum))
}

/// Reads a row of `open`.
///
/// # Errors
/// [`StoreError::Damaged`] or [`StoreError::NewerFormat`].
pub(crate) fn outstanding_from_row(
    key: InstanceKey,
    row: &[u8],
    checksum: Checksum,
) -> Result<Outstanding, StoreError> {
    let mut body = open(Kind::Outstanding, key, row, checksum)?;
    let mut outstanding = Outstanding::default();
    while !body.is_empty() {
        let (item, rest) = encoding::read::<Item<'_>>(body)
            .map_err(|error| StoreError::damaged(Kind::Outstanding.place(key), chain(&error)))?;
        item.add_to(&mut outstanding);
        body = rest;
    }
    Ok(outstanding)
}

/// Checks that the two rows of a waiting instance were written by the same fold: that of `instances` as of this event.
///
/// # Errors
/// [`StoreError::Damaged`]: one of them is older.
pub(crate) fn fit_together(
    key: InstanceKey,
    expected: (ExecutionId, Sequence),
    outstanding: &Outstanding,
) -> Result<(), StoreError> {
    let found = (outstanding.execution, outstanding.next);
    if found == expected {
        return Ok(());
    }
    let reason = format!(
        "expected it as of event {} of execution {}, found it as of event {} of execution {}",
        expected.1.0, expected.0, found.1.0, found.0
    );
    Err(StoreError::damaged(Kind::Outstanding.place(key), reason))
}

/// An instance waits, and nothing says for what.
pub(crate) fn missing_outstanding(key: InstanceKey) -> StoreError {
    let reason = "it is missing, and the instance has not ended";
    StoreError::damaged(Kind::Outstanding.place(key), reason)
}

pub(super) fn begin(kind: Kind, key: InstanceKey) -> Vec<u8> {
    let mut row = vec![VERSION];
    row.extend_from_slice(&[0; 8]);
    row.push(kind.tag());
    row.extend_from_slice(&key.0.to_le_bytes());
    row
}

pub(super) fn put(value: &impl Encode, row: &mut Vec<u8>) -> Result<(), StoreError> {
    encoding::write(value, row).map_err(|error| StoreError::Unrecordable {
        reason: chain(&error),
    })
}

pub(super) fn seal(mut row: Vec<u8>, checksum: Checksum) -> Vec<u8> {
    if let Some((head, checked)) = row.split_first_chunk_mut::<9>() {
        let (_, checksum_at) = head.split_at_mut(1);
        checksum_at.copy_from_slice(&checksum.of(checked).to_le_bytes());
    }
    row
}

pub(super) fn open(
    kind: Kind,
    key: InstanceKey,
    row: &[u8],
    checksum: Checksum,
) -> Result<&[u8], StoreError> {
    let damaged = |reason: &str| Err(StoreError::damaged(kind.place(key), reason));
    let Some((&[version], rest)) = row.split_first_chunk() else {
        return damaged("it is empty");
    };
    if version != VERSION {
        return Err(StoreError::NewerFormat {
            found: version,
            known: VERSION,
        });
    }
    let Some((expected, checked)) = rest.split_first_chunk() else {
        return damaged("it is cut off");
    };
    if checksum.of(checked) != u64::from_le_bytes(*expected) {
        return damaged("its checksum is wrong");
    }
    match checked.split_first_chunk::<9>() {
        Some(([tag, owner @ ..], body)) if *tag == kind.tag() && owner == &key.0.to_le_bytes() => {
            Ok(body)
        }
        _ => damaged("it belongs to another table or instance"),
    }
}

/// What version 1 writes of an [`Outstanding`]: its parts one after the other, so that none of them, but not their sum, is
/// bounded by what one stored value may claim.
#[derive(Encode, BorrowDecode)]
enum Item<'a> {
    Head {
        execution: u32,
        next: u32,
        undelivered: u32,
        stalled: bool,
        cancel_requested: bool,
        ended: bool,
        suspended: bool,
        start_at: Option<u64>,
    },
    Timer {
        id: u32,
        due: u64,
    },
    Activity(v1::ActivityScheduled<'a>),
    Child {
        id: u32,
        instance: &'a str,
    },
    /// An activity that says something of heartbeats.
    Watched(v1::ActivityWatched<'a>),
    Awaited {
        id: u32,
        instance: &'a str,
    },
}

impl Item<'_> {
    fn add_to(self, outstanding: &mut Outstanding) {
        match self {
            Item::Head {
                execution,
                next,
                undelivered,
                stalled,
                cancel_requested,
                ended,
                suspended,
                start_at,
            } => {
                outstanding.execution = ExecutionId(execution);
                outstanding.next = Sequence(next);
                outstanding.undelivered = undelivered;
                outstanding.stalled = stalled;
                outstanding.cancel_requested = cancel_requested;
                outstanding.ended = ended;
                outstanding.suspended = suspended;
                outstanding.start_at = start_at.map(Timestamp);
            }
            Item::Timer { id, due } => {
                outstanding.timers.insert(EventId(id), Timestamp(due));
            }
            Item::Activity(scheduled) => {
                outstanding
                    .activities
                    .insert(EventId(scheduled.id), scheduled.into());
            }
            Item::Watched(watched) => {
                let id = EventId(watched.scheduled.id);
                outstanding.activities.insert(id, watched.into());
            }
            Item::Child { id, instance } => {
                outstanding
                    .children
                    .insert(EventId(id), InstanceId::stored(instance));
            }
            Item::Awaited { id, instance } => {
                outstanding
                    .awaited
                    .insert(EventId(id), InstanceId::stored(instance));
            }
        }
    }
}
