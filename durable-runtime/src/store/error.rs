//! Why the store refused.

use std::any::Any;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::frame::FrameError;

/// An operation of the store that could not be done.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is open already, in this process or another.
    #[error("store `{}` is open already, in this process or another; close it there first", path.display())]
    AlreadyOpen {
        /// The file.
        path: PathBuf,
    },
    /// The file exists and is empty.
    #[error(
        "store `{}` is an empty file, expected a store; if it never held one, delete it, else bring it back from a backup",
        path.display()
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The directory of the file does not exist.
    #[error("the directory of store `{}` does not exist; create it first", path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
    },
    /// The file is no store.
    #[error("`{}` is not a store of durable functions: {found}; choose another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A later version of the library wrote the file.
    #[error(
        "the store has format {found}, and this build reads up to {known}; open it with the version of the library \
         that wrote it, or a later one"
    )]
    NewerFormat {
        /// The file's format.
        found: u8,
        /// The latest format that this build knows.
        known: u8,
    },
    /// Bytes that are not what was written. They are never guessed at.
    #[error("{place} is damaged: {reason}; bring the store back from a backup")]
    Damaged {
        /// Which table, row or instance.
        place: String,
        /// What was expected and found.
        reason: String,
    },
    /// The operating system refused an operation on the file or its directory.
    #[error("store `{}` could not be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done, as a participle.
        doing: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The database refused. If that was while writing, the outcome is unknown until the store is opened again.
    #[error("the database could not be read or written")]
    Database(#[source] Box<redb::Error>),
    /// An earlier write did not succeed, so no other is tried.
    #[error("the store takes no more writes after this: {cause}; open it again")]
    Broken {
        /// The first thing that went wrong.
        cause: String,
    },
    /// The turn is larger than a record can be.
    #[error("a turn could not be recorded: {reason}")]
    Unrecordable {
        /// Why.
        reason: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the disk is full: making room and opening the store again mends it.
    pub fn is_full(&self) -> bool {
        let kind = match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Database(source) => match &**source {
                redb::Error::Io(source) => Some(source.kind()),
                _ => None,
            },
            _ => None,
        };
        matches!(
            kind,
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        )
    }

    /// Whether it is about the rows of one instance: all others can go on.
    pub(crate) fn is_of_one_instance(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::NewerFormat { .. } | Self::Unrecordable { .. }
        )
    }

    pub(crate) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged {
            place: place.into(),
            reason: reason.into(),
        }
    }

    /// A frame that could not be read back.
    pub(crate) fn frame(place: impl Into<String>, error: &FrameError) -> Self {
        Self::damaged(place, chain(error))
    }
}

// What `main` returns is printed as `Debug`, to be read by people.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

/// An error and its sources, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseClosed => Self::Closed,
            error => Self::Database(Box::new(error)),
        }
    }
}

impl From<redb::StorageError> for StoreError {
    fn from(error: redb::StorageError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::TableError> for StoreError {
    fn from(error: redb::TableError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::TransactionError> for StoreError {
    fn from(error: redb::TransactionError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<redb::CommitError> for StoreError {
    fn from(error: redb::CommitError) -> Self {
        redb::Error::from(error).into()
    }
}
