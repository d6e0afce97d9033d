//! What a client sees of an instance without what its user gave and got.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::revision::Revision;
use super::summary::{Stalled, Status, Summary, Suspended};
use crate::event::{Name, Parent};
use crate::id::{ExecutionId, InstanceId};

/// A [`Summary`] without input, output and custom status: small, however large those are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Overview {
    /// Its id.
    pub id: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The execution that runs, or ran last.
    pub execution: ExecutionId,
    /// When its first execution was recorded.
    pub created_at: SystemTime,
    /// The time of the last event that has one.
    pub updated_at: SystemTime,
    /// The time of the turn that ended it.
    pub completed_at: Option<SystemTime>,
    /// Who started it and waits for it.
    pub parent: Option<Parent>,
    /// The caller's tags.
    pub tags: BTreeMap<String, String>,
    /// Why it waits to be mended, if it does.
    pub stalled: Option<Stalled>,
    /// Why it is held, if it is.
    pub suspended: Option<Suspended>,
    /// When its first turn may run, if it was started for later.
    pub start_at: Option<SystemTime>,
    /// Events of its current execution.
    pub events: u32,
}

impl Overview {
    /// Whether it has ended; nothing is recorded of it any more.
    pub fn has_ended(&self) -> bool {
        self.status.has_ended()
    }

    /// How much of it is recorded; the same as [`Summary::revision`].
    pub fn revision(&self) -> Revision {
        Revision::new(self.execution, self.events)
    }
}

impl From<&Summary> for Overview {
    fn from(summary: &Summary) -> Self {
        Self {
            id: summary.id.clone(),
            name: summary.name.clone(),
            version: summary.version.clone(),
            status: summary.status,
            execution: summary.execution,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            completed_at: summary.completed_at,
            parent: summary.parent.clone(),
            tags: summary.tags.clone(),
            stalled: summary.stalled.clone(),
            suspended: summary.suspended.clone(),
            start_at: summary.start_at,
            events: summary.events,
        }
    }
}
