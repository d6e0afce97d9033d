//! The file beneath the database, and how far it is in use.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::StorageBackend;

use super::locks::inner_locks;

use super::file::ReadAhead;

/// What is known of the file: the end of the last byte in use, since redb doubles a file's length, so that length says
/// little; and whether a sync has failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extent(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    end: AtomicU64,
    has_lost_sync: AtomicBool,
}

impl Extent {
    /// The end of the last byte written since the store was opened, or of the file as it was then, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.end.load(Ordering::Relaxed)
    }

    /// Whether a sync did not succeed: what was written before it may be lost, though reads still see it.
    pub(crate) fn has_lost_sync(&self) -> bool {
        self.0.has_lost_sync.load(Ordering::Relaxed)
    }

    fn reach(&self, end: u64) {
        self.0.end.fetch_max(end, Ordering::Relaxed);
    }
}

/// A backend that passes everything on, the locks too, and notes how far it was written.
pub(crate) struct Gauge {
    inner: Box<dyn StorageBackend>,
    extent: Extent,
    ahead: Option<ReadAhead>,
}

impl Gauge {
    pub(crate) fn new(
        inner: Box<dyn StorageBackend>,
        ahead: Option<ReadAhead>,
    ) -> io::Result<(Self, Extent)> {
        let extent = Extent::default();
        extent.reach(inner.len()?);
        Ok((
            Self {
                inner,
                extent: extent.clone(),
                ahead,
            },
            extent,
        ))
    }
}

/// A sync that did not succeed, for whatever reason: with room on the disk it is not mended, and so is not told as such.
#[derive(Debug, thiserror::Error)]
#[error("what was written did not reach the disk: {0}")]
struct LostSync(io::Error);

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl StorageBackend for Gauge {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if let Some(ahead) = &self.ahead {
            ahead.note_read();
        }
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data().map_err(|error| {
            self.extent.0.has_lost_sync.store(true, Ordering::Relaxed);
            io::Error::other(LostSync(error))
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.extent.reach(offset.saturating_add(length));
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    inner_locks!();
}
