//! Creating the file, whole or not at all.
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
use redb::{Builder, Database};

use super::refusal::{io_error, refusal};
use crate::clock::{Entropy, Timestamp};
use crate::id::StoreId;
use crate::store::{StoreError, schema};

/// The end of the name under which a store is made.
const TEMPORARY_SUFFIX: &str = ".new";

/// Makes a store at `path` unless something is there; true if it did.
pub(super) fn create_if_missing(
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
pub(super) fn sweep(path: &Path) {
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
pub(super) fn initialize(
    database: &Database,
    store: StoreId,
    wall: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    transaction.open_table(schema::LOG)?;
    transaction.open_table(schema::HISTORY)?;
    transaction.open_table(schema::INSTANCES)?;
    transaction.open_table(schema::OPEN)?;
    transaction.open_table(schema::SUSPECTS)?;
    transaction.open_table(schema::SENT)?;
    transaction.open_table(schema::IDS)?;
    transaction.open_table(schema::BUILDS)?;
    transaction.open_table(schema::INDEX)?;
    transaction.open_table(schema::ENDED)?;
    transaction.open_table(schema::COUNTS)?;
    let mut meta = transaction.open_table(schema::META)?;
    meta.insert(schema::META_FORMAT, [schema::FORMAT].as_slice())?;
    meta.insert(schema::META_STORE_ID, store.0.to_le_bytes().as_slice())?;
    meta.insert(schema::META_TIME, wall.0.to_le_bytes().as_slice())?;
    meta.insert(schema::META_CLEAN, [1].as_slice())?;
    drop(meta);
    transaction.commit()?;
    Ok(())
}

/// For reading and writing, and for nobody but its owner: payloads may hold secrets.
pub(super) fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
