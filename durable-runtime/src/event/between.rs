//! What instances that are no relatives have to do with one another: detached starts, their outcomes, and events sent.
//!
//! Source: `docs/design.md`, "Detached instances" and "Events between instances".

use super::Name;
use crate::clock::Timestamp;
use crate::id::{EventId, InstanceId, SiteId};
use crate::payload::Payload;

/// A wish to start an instance that is nobody's child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedScheduled {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// The instance's id.
    pub instance: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// The instance's input.
    pub input: Payload,
}

/// A detached instance that is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetachedStarted {
    /// The `DetachedScheduled` it answers.
    pub scheduled: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// Whether it was there already, started with the same name, version and input.
    pub was_there: bool,
}

/// A wish to know how an instance ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedAwaited {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// The instance.
    pub instance: InstanceId,
}

/// A wish to raise an event to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSent {
    /// Its number.
    pub id: EventId,
    /// Where the code asked.
    pub site: SiteId,
    /// Whom it is for.
    pub instance: InstanceId,
    /// Its name, compared without regard to ASCII case.
    pub name: Name,
    /// What it carries.
    pub payload: Payload,
}
