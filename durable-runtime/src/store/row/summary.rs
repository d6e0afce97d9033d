//! Rows of `instances`: what clients see of an instance.

use std::collections::BTreeMap;

use bincode::{BorrowDecode, Encode};

use super::{Kind, begin, open, put, seal};
use crate::clock::Timestamp;
use crate::event::Parent;
use crate::event::encoding::{self, v1};
use crate::id::{ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::store::asked::Asked;
use crate::store::error::{StoreError, chain};
use crate::store::frame::Checksum;
use crate::store::index::Facts;
use crate::store::overview::Overview;
use crate::store::summary::{Stalled, Status, Summary, Suspended};

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
    Ok(stored_summary(key, row, checksum)?.into())
}

/// Reads a row of `instances` without copying it.
///
/// # Errors
/// As [`summary_from_row`].
pub(crate) fn stored_summary(
    key: InstanceKey,
    row: &[u8],
    checksum: Checksum,
) -> Result<StoredSummary<'_>, StoreError> {
    let body = open(Kind::Summary, key, row, checksum)?;
    match encoding::read::<StoredSummary<'_>>(body) {
        Ok((stored, [])) => Ok(stored),
        Ok((_, rest)) => Err(StoreError::damaged(
            Kind::Summary.place(key),
            format!("{} bytes follow it", rest.len()),
        )),
        Err(error) => Err(StoreError::damaged(Kind::Summary.place(key), chain(&error))),
    }
}

/// What version 1 writes of a [`Summary`].
#[derive(Encode, BorrowDecode)]
pub(crate) struct StoredSummary<'a> {
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
    trace: Option<v1::TraceContext<'a>>,
    input: v1::Payload<'a>,
    custom_status: Option<v1::Payload<'a>>,
    outcome: Option<v1::Outcome<'a>>,
    stalled: Option<(v1::StallReason, &'a str)>,
    /// Since when, and why.
    suspended: Option<(u64, &'a str)>,
    start_at: Option<u64>,
    begun: bool,
    events: u32,
    asked: Option<StoredAsked>,
}

/// The digests of name and version, and of the input.
#[derive(Encode, BorrowDecode)]
struct StoredAsked {
    orchestrator: u128,
    input: u128,
}

#[derive(Clone, Copy, Encode, BorrowDecode)]
enum StoredStatus {
    Pending,
    Running,
    Completed,
    Failed,
    Stalled,
    Terminated,
    Suspended,
}

impl From<StoredStatus> for Status {
    fn from(stored: StoredStatus) -> Self {
        match stored {
            StoredStatus::Pending => Self::Pending,
            StoredStatus::Running => Self::Running,
            StoredStatus::Completed => Self::Completed,
            StoredStatus::Failed => Self::Failed,
            StoredStatus::Stalled => Self::Stalled,
            StoredStatus::Terminated => Self::Terminated,
            StoredStatus::Suspended => Self::Suspended,
        }
    }
}

impl StoredSummary<'_> {
    /// What it is found by.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            id: self.id,
            name: self.name,
            status: self.status.into(),
            tags: self.tags.clone(),
            created_at: Timestamp(self.created_at),
            completed_at: self.completed_at.map(Timestamp),
        }
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> Status {
        self.status.into()
    }

    /// The current execution, and the sequence of its next event.
    pub(crate) fn end(&self) -> (ExecutionId, Sequence) {
        (ExecutionId(self.execution), Sequence(self.events))
    }

    /// Who started it and waits for it.
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.parent.clone().map(Into::into)
    }

    /// Its id.
    pub(crate) fn id(&self) -> InstanceId {
        InstanceId::stored(self.id)
    }

    /// All of it but what its user gave and got.
    pub(crate) fn overview(self) -> Overview {
        Overview {
            id: self.id(),
            name: self.name.to_owned().into(),
            version: self.version.map(str::to_owned),
            status: self.status.into(),
            execution: ExecutionId(self.execution),
            created_at: Timestamp(self.created_at).into(),
            updated_at: Timestamp(self.updated_at).into(),
            completed_at: self.completed_at.map(|at| Timestamp(at).into()),
            parent: self.parent.map(Into::into),
            tags: owned_tags(self.tags),
            stalled: self.stalled.map(stalled),
            suspended: self.suspended.map(suspended),
            start_at: self.start_at.map(|at| Timestamp(at).into()),
            events: self.events,
        }
    }
}

fn owned_tags(stored: Vec<(&str, &str)>) -> BTreeMap<String, String> {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    stored.into_iter().map(owned).collect()
}

fn stalled((reason, report): (v1::StallReason, &str)) -> Stalled {
    Stalled {
        reason: reason.into(),
        report: report.to_owned(),
    }
}

fn suspended((since, reason): (u64, &str)) -> Suspended {
    Suspended {
        reason: reason.to_owned(),
        since: Timestamp(since).into(),
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
                Status::Terminated => StoredStatus::Terminated,
                Status::Suspended => StoredStatus::Suspended,
            },
            execution: summary.execution.0,
            created_at: Timestamp::from_system_time(summary.created_at).0,
            updated_at: Timestamp::from_system_time(summary.updated_at).0,
            completed_at: (summary.completed_at).map(|at| Timestamp::from_system_time(at).0),
            parent: summary.parent.as_ref().map(Into::into),
            tags: (summary.tags.iter())
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            trace: summary.trace.as_ref().map(Into::into),
            input: (&summary.input).into(),
            custom_status: summary.custom_status.as_ref().map(Into::into),
            outcome: summary.outcome.as_ref().map(Into::into),
            stalled: (summary.stalled.as_ref())
                .map(|stalled| (stalled.reason.into(), stalled.report.as_str())),
            suspended: (summary.suspended.as_ref()).map(|held| {
                let since = Timestamp::from_system_time(held.since).0;
                (since, held.reason.as_str())
            }),
            start_at: (summary.start_at).map(|at| Timestamp::from_system_time(at).0),
            begun: summary.begun,
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
        Self {
            id: InstanceId::stored(stored.id),
            name: stored.name.to_owned().into(),
            version: stored.version.map(str::to_owned),
            status: stored.status.into(),
            execution: ExecutionId(stored.execution),
            created_at: Timestamp(stored.created_at).into(),
            updated_at: Timestamp(stored.updated_at).into(),
            completed_at: stored.completed_at.map(|at| Timestamp(at).into()),
            parent: stored.parent.map(Into::into),
            tags: owned_tags(stored.tags),
            trace: stored.trace.map(Into::into),
            input: stored.input.into(),
            custom_status: stored.custom_status.map(Into::into),
            outcome: stored.outcome.map(Into::into),
            stalled: stored.stalled.map(stalled),
            suspended: stored.suspended.map(suspended),
            start_at: stored.start_at.map(|at| Timestamp(at).into()),
            begun: stored.begun,
            events: stored.events,
            asked: stored.asked.map(|asked| Asked {
                orchestrator: asked.orchestrator,
                input: asked.input,
            }),
        }
    }
}
