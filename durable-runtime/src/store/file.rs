//! Opening the file, which is created first if it is not there.
//!
//! On Linux it is dropped from the page cache before, so that nothing is built on pages that never reached the disk.
//!
//! Source: `docs/design.md`, "Open".

mod ahead;
mod creation;
mod refusal;
mod unchanged;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, StorageBackend};

pub(crate) use self::ahead::ReadAhead;
use self::creation::{create_if_missing, initialize, open_options, sweep};
use self::refusal::{io_error, refusal};
use self::unchanged::Unchanged;
use super::gauge::{Extent, Gauge};
use super::{Medium, StoreError, StoreOptions};
use crate::clock::{Entropy, Timestamp};
use crate::id::StoreId;

/// A database with our tables in it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) extent: Extent,
    pub(crate) path: PathBuf,
    pub(crate) is_new: bool,
    pub(crate) is_checked: bool,
}

/// Opens what `medium` says, and creates it first if it is not there.
///
/// # Errors
/// All of [`StoreError`] that tell of a file.
pub(crate) fn open(
    medium: Medium,
    options: &StoreOptions,
    wall: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Opened, StoreError> {
    let store = StoreId(entropy.bits());
    match medium {
        Medium::File(path) => {
            let is_new = create_if_missing(&path, store, wall, entropy)?;
            let Existing {
                backend,
                ahead,
                names,
            } = existing_file(&path)?;
            let ahead = Some(ahead);
            let opened = Opener {
                path,
                options,
                ahead,
            }
            .open(backend, is_new)?;
            if is_new || names > 1 {
                sweep(&opened.path);
            }
            Ok(opened)
        }
        Medium::Unchanged(path) => {
            let Existing { backend, ahead, .. } = existing_file(&path)?;
            let backend = Unchanged::new(backend);
            let backend = backend.map_err(|source| io_error(&path, "measured", source))?;
            let opener = Opener {
                path,
                options,
                ahead: Some(ahead),
            };
            opener.open(Box::new(backend), false)
        }
        Medium::Backend(backend) => Opener::nameless(options).open_or_create(backend, store, wall),
        #[cfg(test)]
        Medium::Renewed(disk) => {
            Opener::nameless(options).open_or_create(Box::new(disk), store, wall)
        }
    }
}

struct Opener<'o> {
    path: PathBuf,
    options: &'o StoreOptions,
    ahead: Option<ReadAhead>,
}

impl<'o> Opener<'o> {
    fn nameless(options: &'o StoreOptions) -> Self {
        Self {
            path: PathBuf::from("(not a file)"),
            options,
            ahead: None,
        }
    }

    fn open_or_create(
        self,
        backend: Box<dyn StorageBackend>,
        store: StoreId,
        wall: Timestamp,
    ) -> Result<Opened, StoreError> {
        let length = backend
            .len()
            .map_err(|source| io_error(&self.path, "measured", source))?;
        let opened = self.open(backend, length == 0)?;
        if opened.is_new {
            initialize(&opened.database, store, wall)?;
        }
        Ok(opened)
    }

    fn open(self, backend: Box<dyn StorageBackend>, is_new: bool) -> Result<Opened, StoreError> {
        let _opening = self.ahead.as_ref().map(ReadAhead::opening);
        let (backend, extent) = Gauge::new(backend, self.ahead)
            .map_err(|source| io_error(&self.path, "measured", source))?;
        let is_checked = extent.bytes() <= self.options.integrity_check_bytes_max;
        let database = Builder::new()
            .set_cache_size(self.options.cache_bytes)
            .set_check_integrity_on_open(is_checked)
            .create_with_backend(backend);
        match database {
            Ok(database) => Ok(Opened {
                database,
                extent,
                path: self.path,
                is_new,
                is_checked,
            }),
            Err(error) => Err(refusal(self.path, error)),
        }
    }
}

/// A file that is there.
struct Existing {
    backend: Box<dyn StorageBackend>,
    ahead: ReadAhead,
    /// How many names it has.
    names: u64,
}

fn existing_file(path: &Path) -> Result<Existing, StoreError> {
    let failed = |doing| move |source| io_error(path, doing, source);
    let file = open_options().open(path).map_err(failed("opened"))?;
    let metadata = file.metadata().map_err(failed("measured"))?;
    if metadata.len() == 0 {
        return Err(StoreError::Empty {
            path: path.to_owned(),
        });
    }
    forget_cached_pages(&file).map_err(failed("dropped from the page cache"))?;
    let ahead = ReadAhead::of(&file).map_err(failed("opened"))?;
    match FileBackend::new(file) {
        Ok(backend) => Ok(Existing {
            backend: Box::new(backend),
            ahead,
            names: names_of(&metadata),
        }),
        Err(error) => Err(refusal(path.to_owned(), error)),
    }
}

/// A crash between the link and the removal of the temporary name leaves a store with two names.
#[cfg(unix)]
fn names_of(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

/// Elsewhere only a creation sweeps.
#[cfg(not(unix))]
fn names_of(_metadata: &fs::Metadata) -> u64 {
    1
}

/// After a sync that did not succeed, the page cache may hold what never reached the disk. Nothing is built on that.
#[cfg(target_os = "linux")]
fn forget_cached_pages(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(
        file,
        0,
        None,
        rustix::fs::Advice::DontNeed,
    )?)
}

#[cfg(not(target_os = "linux"))]
fn forget_cached_pages(_file: &File) -> io::Result<()> {
    Ok(())
}
