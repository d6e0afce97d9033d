//! Creating and opening the file.
//!
//! A new store is made under a temporary name, committed and synced, and then linked into place, which fails if the name
//! exists; so a crash leaves no half-made store, and two creators make one store. The next creation, or whoever finds a
//! store with two names, sweeps up what a crash has left under a temporary one. An existing empty file is never taken for
//! a new store.
//!
//! Source: `docs/design.md`, "Open".

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend, StorageError};

use super::gauge::{Extent, Gauge};
use super::schema;
use super::{Medium, StoreError, StoreOptions};
use crate::clock::{Entropy, Timestamp};
use crate::id::StoreId;

/// The end of the name under which a store is made.
const TEMPORARY_SUFFIX: &str = ".new";

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
            let (backend, names) = existing_file(&path)?;
            let opened = Opener { path, options }.open(backend, is_new)?;
            if is_new || names > 1 {
                sweep(&opened.path);
            }
            Ok(opened)
        }
        Medium::Backend(backend) => Opener::nameless(options).open_or_create(backend, store, wall),
    }
}

struct Opener<'o> {
    path: PathBuf,
    options: &'o StoreOptions,
}

impl<'o> Opener<'o> {
    fn nameless(options: &'o StoreOptions) -> Self {
        Self {
            path: PathBuf::from("(not a file)"),
            options,
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
        let (backend, extent) =
            Gauge::new(backend).map_err(|source| io_error(&self.path, "measured", source))?;
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

/// What redb's refusal to open a file means to its owner.
fn refusal(path: PathBuf, error: DatabaseError) -> StoreError {
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

/// Makes a store at `path` unless something is there; true if it did.
fn create_if_missing(
    path: &Path,
    store: StoreId,
    wall: Timestamp,
    entropy: &dyn Entropy,
) -> Result<bool, StoreError> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    let (directory, name) = split(path)?;
    let temporary = Temporary(directory.join(temporary_name(name, entropy.bits())));
    let failed = |doing| move |source| io_error(path, doing, source);
    let file = open_options()
        .create_new(true)
        .open(&temporary.0)
        .map_err(failed("created"))?;
    let synced = file.try_clone().map_err(failed("created"))?;
    let database = FileBackend::new(file)
        .and_then(|backend| Builder::new().create_with_backend(backend))
        .map_err(|error| refusal(path.to_owned(), error))?;
    initialize(&database, store, wall)?;
    drop(database);
    synced.sync_all().map_err(failed("synced"))?;
    let is_new = match fs::hard_link(&temporary.0, path) {
        Ok(()) => true,
        // Another creator was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        // It was, and has swept up what stood in its way.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => false,
        Err(error) => return Err(io_error(path, "linked into place", error)),
    };
    sync_directory(directory).map_err(failed("linked into place for good"))?;
    Ok(is_new)
}

fn split(path: &Path) -> Result<(&Path, &OsStr), StoreError> {
    let name = path.file_name().ok_or_else(|| StoreError::Foreign {
        path: path.to_owned(),
        found: "it has no file name".to_owned(),
    })?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if directory.is_dir() {
        Ok((directory, name))
    } else {
        Err(StoreError::NoDirectory {
            path: path.to_owned(),
        })
    }
}

/// Removes a file when dropped; once it is linked to its place, only this name goes.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left behind, if this does not succeed, is in nobody's way.
        fs::remove_file(&self.0).ok();
    }
}

fn temporary_name(name: &OsStr, bits: u128) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{bits:032x}{TEMPORARY_SUFFIX}"));
    temporary
}

/// Removes what crashes have left of creations of the store at `path`. The store stands, so whatever is there under a
/// temporary name of it is of no use, also to a creator that is still at work: that one has lost already.
fn sweep(path: &Path) {
    let Ok((directory, name)) = split(path) else {
        return;
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_temporary(&entry.file_name(), name)) {
        match fs::remove_file(entry.path()) {
            Ok(()) => tracing::info!("`{}`, left by a crash, was removed", entry.path().display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(
                %error,
                "`{}`, left by a crash, could not be removed",
                entry.path().display()
            ),
        }
    }
}

/// Whether a file is a temporary one of the store `name`, and not one of another store whose name begins like it.
fn is_temporary(file: &OsStr, name: &OsStr) -> bool {
    let bits = (file.as_encoded_bytes().strip_prefix(b"."))
        .and_then(|rest| rest.strip_prefix(name.as_encoded_bytes()))
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(TEMPORARY_SUFFIX.as_bytes()));
    bits.is_some_and(|bits| bits.len() == 32 && bits.iter().all(u8::is_ascii_hexdigit))
}

/// The file, and how many names it has.
fn existing_file(path: &Path) -> Result<(Box<dyn StorageBackend>, u64), StoreError> {
    let failed = |doing| move |source| io_error(path, doing, source);
    let file = open_options().open(path).map_err(failed("opened"))?;
    let metadata = file.metadata().map_err(failed("measured"))?;
    if metadata.len() == 0 {
        return Err(StoreError::Empty {
            path: path.to_owned(),
        });
    }
    forget_cached_pages(&file).map_err(failed("dropped from the page cache"))?;
    match FileBackend::new(file) {
        Ok(backend) => Ok((Box::new(backend), names_of(&metadata))),
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

/// For reading and writing, and for nobody but its owner: payloads may hold secrets.
fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be opened for that; the link is as safe as the file system makes it.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes all tables of a new store.
fn initialize(database: &Database, store: StoreId, wall: Timestamp) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    transaction.open_table(schema::LOG)?;
    transaction.open_table(schema::HISTORY)?;
    transaction.open_table(schema::INSTANCES)?;
    transaction.open_table(schema::OPEN)?;
    transaction.open_table(schema::SUSPECTS)?;
    transaction.open_table(schema::IDS)?;
    transaction.open_table(schema::BUILDS)?;
    let mut meta = transaction.open_table(schema::META)?;
    meta.insert(schema::META_FORMAT, [schema::FORMAT].as_slice())?;
    meta.insert(schema::META_STORE_ID, store.0.to_le_bytes().as_slice())?;
    meta.insert(schema::META_TIME, wall.0.to_le_bytes().as_slice())?;
    meta.insert(schema::META_CLEAN, [1].as_slice())?;
    drop(meta);
    transaction.commit()?;
    Ok(())
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        doing,
        source,
    }
}
