//! What can go wrong between a program and its engine.
//!
//! Three kinds, never mixed: *rejected* (nothing was applied), *unknown* (the engine stopped before it could say; it may
//! have been applied, and asking again with the same id is safe), and what the orchestration itself ended with.

use std::fmt;

use crate::engine::Stopped;
use crate::failure::Fault;
use crate::id::InvalidId;
use crate::payload::{DecodeError, EncodeError};
use crate::store::{StoreError, chain};

/// A payload or name that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The value's `Serialize` refused.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
    /// A name is longer than one may be.
    #[error("the name has {bytes} bytes, the limit is {limit}")]
    LongName {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// It is larger than one payload may be.
    #[error(
        "the payload has {bytes} bytes, the limit is {limit}; store it elsewhere and pass a reference"
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
    /// The name or the input cannot be recorded.
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
        matches!(self, Self::Conflict { .. })
    }
}

/// Why there is no result.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The orchestration ended with a fault.
    #[error("the orchestration failed")]
    Fault(#[source] Fault),
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
    #[error("whether the event was recorded is unknown")]
    Unknown(#[source] Stopped),
}

impl RaiseError {
    /// Whether the instance has ended: the event came too late, and raising it again will not help.
    ///
    /// A program that starts and raises again after a restart meets this when the instance ended before.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
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

impl fmt::Debug for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}
