//! What the failures of a file mean to its owner.

use std::io;
use std::path::{Path, PathBuf};

use redb::{DatabaseError, StorageError};

use crate::store::StoreError;

/// Redb's refusal to open the file.
pub(super) fn refusal(path: PathBuf, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::AlreadyOpen { path }
        }
        DatabaseError::UpgradeRequired(version) => StoreError::Foreign {
            path,
            found: format!("a redb database of file format {version}"),
        },
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == io::ErrorKind::InvalidData =>
        {
            StoreError::Foreign {
                path,
                found: source.to_string(),
            }
        }
        DatabaseError::Storage(StorageError::Io(source)) => io_error(&path, "opened", source),
        DatabaseError::Storage(StorageError::Corrupted(reason)) => {
            StoreError::damaged(format!("store `{}`", path.display()), reason)
        }
        error => redb::Error::from(error).into(),
    }
}

pub(super) fn io_error(path: &Path, doing: &'static str, source: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        doing,
        source,
    }
}
