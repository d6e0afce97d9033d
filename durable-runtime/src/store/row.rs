//! Rows of `instances` and `open`: versioned, and sealed with a checksum over the key they belong to.
//!
//! A row is a version byte, a checksum of all that follows it, the kind of row, the instance's key, and the body. As
//! with records, a version is never edited once it is released.

use std::collections::BTreeMap;

use bincode::{BorrowDecode, Encode};

use super::asked::Asked;
use super::error::{StoreError, chain};
use super::frame::Checksum;
use super::outstanding::Outstanding;
use super::summary::{Status, Summary};
use crate::clock::Timestamp;
use crate::event::encoding::{self, v1};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, Sequence};

/// The version that rows are written in.
const VERSION: u8 = 1;

/// Which table a row belongs to.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Summary,
    Outstanding,
}

impl Kind {
    fn tag(self) -> u8 {
        match self {
            Self::Summary => 1,
            Self::Outstanding => 2,
        }
    }

    fn place(self, key: InstanceKey) -> String {
        let table = match self {
            Self::Summary => "instances",
            Self::Outstanding => "open",
        };
        format!("row {} of `{table}`", key.0)
    }
}

/// A row of `instances`.
///
/// # Errors
/// [`StoreError::Unrecordable`]; no value of ours leads to it.
pub(crate) fn summary_to_row(
    key: InstanceKey,
    summary: &Summary,
    checksum: Checksum,
) -> Result<Vec<u8>, StoreError> {
    let mut row = begin(Kind::Summary, key);
    put(&StoredSummary::from(summary), &mut row)?;
    Ok(seal(row, checksum))
}

/// Reads a row of `instances`.
///
/// # Errors
/// [`StoreError::Damaged`] or [`StoreError::NewerFormat`].
pub(crate) fn summary_from_row(
    key: InstanceKey,
    row: &[u8],
    checksum: Checksum,
) -> Result<Summary, StoreError> {
    let body = open(Kind::Summary, key, row, checksum)?;
    match encoding::read::<StoredSummary<'_>>(body) {
        Ok((stored, [])) => Ok(stored.into()),
        Ok((_, rest)) => Err(StoreError::damaged(
            Kind::Summary.place(key),
            format!("{} bytes follow it", rest.len()),
        )),
        Err(error) => Err(StoreError::damaged(Kind::Summary.place(key), chain(&error))),
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
        put(&Item::Activity(scheduled.into()), &mut row)?;
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

/// Checks that the two rows of a waiting instance were written by the same fold.
///
/// # Errors
/// [`StoreError::Damaged`]: one of them is older.
pub(crate) fn fit_together(
    key: InstanceKey,
    summary: &Summary,
    outstanding: &Outstanding,
) -> Result<(), StoreError> {
    let expected = (summary.execution, Sequence(summary.events));
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

fn begin(kind: Kind, key: InstanceKey) -> Vec<u8> {
    let mut row = vec![VERSION];
    row.extend_from_slice(&[0; 8]);
    row.push(kind.tag());
    row.extend_from_slice(&key.0.to_le_bytes());
    row
}

fn put(value: &impl Encode, row: &mut Vec<u8>) -> Result<(), StoreError> {
    encoding::write(value, row).map_err(|error| StoreError::Unrecordable {
        reason: chain(&error),
    })
}

fn seal(mut row: Vec<u8>, checksum: Checksum) -> Vec<u8> {
    if let Some((head, checked)) = row.split_first_chunk_mut::<9>() {
        let (_, checksum_at) = head.split_at_mut(1);
        checksum_at.copy_from_slice(&checksum.of(checked).to_le_bytes());
    }
    row
}

fn open(kind: Kind, key: InstanceKey, row: &[u8], checksum: Checksum) -> Result<&[u8], StoreError> {
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

/// What version 1 writes of a [`Summary`].
#[derive(Encode, BorrowDecode)]
struct StoredSummary<'a> {
    id: &'a str,
    name: &'a str,
    version: Option<&'a str>,
    status: StoredStatus,
    execution: u32,
    created_at: u64,
    updated_at: u64,
    completed_at: Option<u64>,
    parent: Option<v1::Parent<'a>>,
    tags: Vec<(&'a str, &'a str)>,
    input: v1::Payload<'a>,
    custom_status: Option<v1::Payload<'a>>,
    outcome: Option<v1::Outcome<'a>>,
    stalled: Option<(v1::StallReason, &'a str)>,
    events: u32,
    asked: Option<StoredAsked>,
}

/// The digests of name and version, and of the input.
#[derive(Encode, BorrowDecode)]
struct StoredAsked {
    orchestrator: u128,
    input: u128,
}

#[derive(Encode, BorrowDecode)]
enum StoredStatus {
    Pending,
    Running,
    Completed,
    Failed,
    Stalled,
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
            } => {
                outstanding.execution = ExecutionId(execution);
                outstanding.next = Sequence(next);
                outstanding.undelivered = undelivered;
                outstanding.stalled = stalled;
                outstanding.cancel_requested = cancel_requested;
                outstanding.ended = ended;
            }
            Item::Timer { id, due } => {
                outstanding.timers.insert(EventId(id), Timestamp(due));
            }
            Item::Activity(scheduled) => {
                outstanding
                    .activities
                    .insert(EventId(scheduled.id), scheduled.into());
            }
            Item::Child { id, instance } => {
                outstanding
                    .children
                    .insert(EventId(id), InstanceId::stored(instance));
            }
        }
    }
}

impl<'a> From<&'a Summary> for StoredSummary<'a> {
    fn from(summary: &'a Summary) -> Self {
        Self {
            id: summary.id.as_str(),
            name: &summary.name,
            version: summary.version.as_deref(),
            status: match summary.status {
                Status::Pending => StoredStatus::Pending,
                Status::Running => StoredStatus::Running,
                Status::Completed => StoredStatus::Completed,
                Status::Failed => StoredStatus::Failed,
                Status::Stalled => StoredStatus::Stalled,
            },
            execution: summary.execution.0,
            created_at: summary.created_at.0,
            updated_at: summary.updated_at.0,
            completed_at: summary.completed_at.map(|at| at.0),
            parent: summary.parent.as_ref().map(Into::into),
            tags: (summary.tags.iter())
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            input: (&summary.input).into(),
            custom_status: summary.custom_status.as_ref().map(Into::into),
            outcome: summary.outcome.as_ref().map(Into::into),
            stalled: (summary.stalled.as_ref())
                .map(|(reason, report)| ((*reason).into(), report.as_str())),
            events: summary.events,
            asked: summary.asked.map(|asked| StoredAsked {
                orchestrator: asked.orchestrator,
                input: asked.input,
            }),
        }
    }
}

impl From<StoredSummary<'_>> for Summary {
    fn from(stored: StoredSummary<'_>) -> Self {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            id: InstanceId::stored(stored.id),
            name: stored.name.to_owned().into(),
            version: stored.version.map(str::to_owned),
            status: match stored.status {
                StoredStatus::Pending => Status::Pending,
                StoredStatus::Running => Status::Running,
                StoredStatus::Completed => Status::Completed,
                StoredStatus::Failed => Status::Failed,
                StoredStatus::Stalled => Status::Stalled,
            },
            execution: ExecutionId(stored.execution),
            created_at: Timestamp(stored.created_at),
            updated_at: Timestamp(stored.updated_at),
            completed_at: stored.completed_at.map(Timestamp),
            parent: stored.parent.map(Into::into),
            tags: stored
                .tags
                .into_iter()
                .map(owned)
                .collect::<BTreeMap<_, _>>(),
            input: stored.input.into(),
            custom_status: stored.custom_status.map(Into::into),
            outcome: stored.outcome.map(Into::into),
            stalled: stored
                .stalled
                .map(|(reason, report)| (reason.into(), report.to_owned())),
            events: stored.events,
            asked: stored.asked.map(|asked| Asked {
                orchestrator: asked.orchestrator,
                input: asked.input,
            }),
        }
    }
}
