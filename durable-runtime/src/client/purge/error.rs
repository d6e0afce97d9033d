//! What can go wrong with a purge.

use std::fmt;

use crate::client::error::LookupError;
use crate::engine::Stopped;
use crate::id::InvalidId;
use crate::store::{Status, StoreError, chain};

/// Why an instance was not purged.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PurgeError {
    /// A text cannot be an id; nothing was asked.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// It has not ended.
    #[error(
        "instance `{id}` was not purged: it is {status:?}, and only what has ended can be; wait for its end, or end it first"
    )]
    Running {
        /// The id.
        id: String,
        /// Where it stands.
        status: Status,
    },
    /// Another instance is to hear how it ended.
    #[error(
        "instance `{id}` was not purged: `{by}` is still to record how it ended, and would never know; see what holds `{by}`, \
         or end it, and ask again"
    )]
    Awaited {
        /// The id.
        id: String,
        /// The id of the one that waits for it.
        by: String,
    },
    /// The list of what is to be purged could not be made.
    #[error(transparent)]
    List(LookupError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine has stopped, or its disk is full [for now](Stopped::is_temporary).
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The engine stopped before it could say. Asking again is safe.
    #[error("how much was purged is unknown; ask again")]
    Unknown(#[source] Stopped),
}

impl From<LookupError> for PurgeError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Stopped(stopped) => Self::Stopped(stopped),
            LookupError::Store(error) => Self::Store(error),
            error => Self::List(error),
        }
    }
}

// What `main` returns is printed as `Debug`, to be read by people.
impl fmt::Debug for PurgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}
