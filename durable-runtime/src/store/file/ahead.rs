//! Reading the file through in order, when opening it turns out to mean that.
//!
//! After a stop amid commits redb reads every page that is in use, twice, and in the order of its trees: from a disk, page by
//! page, that takes several times what it takes to read the file from its beginning to its end. A file that was left well is
//! opened with a few hundred reads. So what shows that all will be read is that this many were; from then on a thread has the
//! kernel read the file in order, ahead of redb.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Reads after which the whole file will be read: an open that need not do that does with the allocator's state, some 200 KB
/// for each GB, and the roots.
const READS_MIN: u32 = 1_024;
/// Bytes that are asked for at a time.
#[cfg(target_os = "linux")]
const STRIDE: u64 = 4 << 20;
/// Bytes that are read ahead at most: what is not in memory any more when redb comes there was read in vain.
#[cfg(target_os = "linux")]
const BYTES_MAX: u64 = 4 << 30;

/// Reads ahead once that is due, until the file is open.
#[derive(Debug)]
pub(crate) struct ReadAhead {
    file: Arc<File>,
    reads: AtomicU32,
    is_over: Arc<AtomicBool>,
}

/// Ends the reading ahead when it is dropped.
#[derive(Debug)]
pub(crate) struct Opening(Arc<AtomicBool>);

impl ReadAhead {
    /// # Errors
    /// The file has no other handle.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self {
            file: Arc::new(file.try_clone()?),
            reads: AtomicU32::new(0),
            is_over: Arc::default(),
        })
    }

    /// As long as this is there, the file is being opened.
    pub(crate) fn opening(&self) -> Opening {
        Opening(Arc::clone(&self.is_over))
    }

    /// Notes that the file was read.
    pub(crate) fn note_read(&self) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        if self.reads.fetch_add(1, Ordering::Relaxed) == READS_MIN {
            let (file, is_over) = (Arc::clone(&self.file), Arc::clone(&self.is_over));
            let thread = std::thread::Builder::new().name("durable-ahead".to_owned());
            // Without it, opening takes longer.
            drop(thread.spawn(move || read_through(&file, &is_over)));
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
fn read_through(file: &File, is_over: &AtomicBool) {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let stride = std::num::NonZeroU64::new(STRIDE);
    let mut at = 0;
    while at < length.min(BYTES_MAX) && !is_over.load(Ordering::Relaxed) {
        if rustix::fs::fadvise(file, at, stride, rustix::fs::Advice::WillNeed).is_err() {
            return;
        }
        at += STRIDE;
    }
}

#[cfg(not(target_os = "linux"))]
fn read_through(_file: &File, _is_over: &AtomicBool) {}
