//! What can go wrong between a program and its engine.
//!
//! Three kinds, never mixed: *rejected* (nothing was applied), *unknown* (the engine stopped before it could say; it may
//! have been applied, and asking again with the same id is safe), and what the orchestration itself ended with.

use std::fmt;

use crate::engine::Stopped;
use crate::failure::Fault;
use crate::id::InvalidId;
use crate::limits::{InvalidTags, TooLong};
use crate::payload::{DecodeError, EncodeError};
use crate::store::{CursorError, Status, StoreError, chain};

/// A payload, a name, a version or tags that were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The value's `Serialize` refused.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
    /// The id that an event was given cannot be one.
    #[error("`{id}` cannot be the id of an event: {rule}")]
    EventId {
        /// The id, if it is long its beginning.
        id: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A name or a version is longer than one may be.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The instance cannot have such tags.
    #[error(transparent)]
    Tags(#[from] InvalidTags),
    /// It is larger than one payload may be.
    #[error(
        "the payload has {bytes} bytes, the limit is {limit} bytes; keep it elsewhere and pass a reference, or raise \
         `payload_limit` of the engine's builder"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
}

/// Why an orchestration was not started.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The id cannot be one.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The name, the version, the tags or the input cannot be recorded.
    #[error("the orchestration was not started")]
    Input(#[from] Refused),
    /// The engine does not know the orchestrator.
    #[error("{0}")]
    Unregistered(String),
    /// The call has a retry policy, and nobody who retries.
    #[error(
        "`{0}` was given a retry policy, but only a child is retried; remove `.retry(..)`, or start an orchestrator that \
         awaits this call"
    )]
    Retried(String),
    /// The id belongs to another instance.
    #[error("instance `{id}` already exists with {difference}; choose another id")]
    Conflict {
        /// The id.
        id: String,
        /// What differs.
        difference: &'static str,
    },
    /// The id belongs to an instance that this start may not replace, by its [`Reuse`](crate::Reuse).
    #[error(
        "instance `{id}` already exists and is {status:?}, which this start may not replace; choose another id, or a policy \
         that allows it"
    )]
    Exists {
        /// The id.
        id: String,
        /// Where that instance stands.
        status: Status,
    },
    /// The id belongs to an instance that was to be replaced, but somebody is still to hear how it ended; nothing was started.
    #[error(
        "instance `{id}` was not replaced: `{by}` is still to record how it ended, and would never know; see what holds `{by}`, \
         or end it, and start again"
    )]
    Awaited {
        /// The id.
        id: String,
        /// The id of the one that waits for it.
        by: String,
    },
    /// The [`Reuse`](crate::Reuse) contradicts itself; nothing was asked.
    #[error(
        "an instance that is {status:?} is to be replaced, which terminates it, but one that is Terminated is not to be; add \
         `Status::Terminated` to the statuses, or take `{status:?}` out"
    )]
    Contradiction {
        /// A status whose instances are to be replaced, and have not ended.
        status: Status,
    },
    /// There is no instance to start again.
    #[error("there is no instance `{0}`, so it cannot be started again")]
    NotFound(String),
    /// What is recorded of the instance that has the id is damaged; nothing was started.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine has stopped, or its disk is full [for now](Stopped::is_temporary); nothing was started.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The engine stopped before it could say. Starting the same id again is safe.
    #[error("whether the instance was started is unknown; start the same id again to find out")]
    Unknown(#[source] Stopped),
}

impl StartError {
    /// Whether the id belongs to another instance.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Exists { .. })
    }
}

/// Why there is no result.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The orchestration ended with a fault.
    // Told whole, as programs log errors by `Display`: the fault is no source beside that.
    #[error("the orchestration failed: {0}")]
    Fault(Fault),
    /// The recorded result is not what the caller's type can hold.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The engine has stopped. The instance goes on when its store is opened again.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The instance is no longer there.
    #[error("there is no instance `{0}`")]
    NotFound(String),
    /// The [replay check](crate::EngineBuilder::replay_check) is on, and found that the orchestrator's code is not deterministic.
    /// The instance is stalled, or another one that it waits for.
    #[error("instance `{id}` is stalled: {report}")]
    NonDeterministic {
        /// The id of the one that is stalled.
        id: String,
        /// What both runs asked for, and where.
        report: String,
    },
}

impl WaitError {
    /// The fault that the orchestration ended with, if that is what it was.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

/// Why an event was not raised.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RaiseError {
    /// The name or the payload cannot be recorded.
    #[error("the event was not raised")]
    Payload(#[from] Refused),
    /// The instance has ended; nothing was recorded.
    #[error("instance `{0}` has ended and takes no more events")]
    Ended(String),
    /// The instance is not there.
    #[error("there is no instance `{0}`")]
    NotFound(String),
    /// Nobody has taken what was raised before, and that is as much as may wait; nothing was recorded.
    #[error(
        "instance `{id}` has not taken what was raised to it before, of which no more than {events} events and {bytes} bytes \
         may wait; raise it again later, or give the engine's builder another `event_limit`"
    )]
    Busy {
        /// The id.
        id: String,
        /// How many events may wait.
        events: usize,
        /// How many bytes they may have together.
        bytes: usize,
    },
    /// The id cannot be that of an instance.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The store could not be read; nothing was recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is recorded of the instance is damaged; nothing was recorded.
    #[error("instance `{id}` cannot be read: {report}")]
    Damaged {
        /// The id.
        id: String,
        /// What is damaged, and how.
        report: String,
    },
    /// The engine has stopped, or its disk is full [for now](Stopped::is_temporary); nothing was recorded.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The engine stopped before it could say.
    #[error(
        "whether the event was recorded is unknown; under an id of its own (`.id(..)`) it can be raised again to find out"
    )]
    Unknown(#[source] Stopped),
}

impl RaiseError {
    /// Whether the instance has ended: the event came too late, and raising it again will not help.
    ///
    /// A program that starts and raises again after a restart meets this when the instance ended before.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether there is no room for now: raising it again later may help.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

/// Why an instance was not terminated, suspended, resumed or cancelled.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The reason is longer than one may be.
    #[error("the reason has {bytes} bytes, the limit is {limit}; give a shorter one")]
    LongReason {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// The instance has ended; nothing was recorded.
    #[error("instance `{id}` has ended ({status}), and nothing more can be done to it")]
    Ended {
        /// The id.
        id: String,
        /// How it ended.
        status: Status,
    },
    /// The instance is not there.
    #[error("there is no instance `{0}`")]
    NotFound(String),
    /// What is recorded of the instance is damaged; nothing was recorded.
    #[error("instance `{id}` cannot be read: {report}")]
    Damaged {
        /// The id.
        id: String,
        /// What is damaged, and how.
        report: String,
    },
    /// The engine has stopped, or its disk is full [for now](Stopped::is_temporary); nothing was recorded.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The engine stopped before it could say. Asking again is safe.
    #[error("whether that was recorded is unknown; ask again to find out")]
    Unknown(#[source] Stopped),
}

impl ControlError {
    /// How the instance ended, if that is why.
    pub fn ended(&self) -> Option<Status> {
        match self {
            Self::Ended { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Why an instance could not be looked at.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The id cannot be one.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The engine has stopped, and its file is closed.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is recorded is not what the caller's type can hold.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// The cursor is of another list, or none.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A list was asked for by too much at once.
    #[error(
        "a list was asked for by {count} statuses, names and tags, the limit is {limit}; ask for fewer, and leave the rest out \
         of what comes back"
    )]
    TooManyFilters {
        /// How many there were.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The instance runs another orchestrator than the caller asked for.
    #[error("instance `{id}` runs `{found}`, not `{wanted}`")]
    OtherOrchestrator {
        /// The id.
        id: String,
        /// What it runs.
        found: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The instance is no longer there.
    #[error("there is no instance `{0}`")]
    NotFound(String),
}

// What `main` returns is printed as `Debug`, to be read by people.

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for RaiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}
