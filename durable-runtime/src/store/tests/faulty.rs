//! A disk on which things go wrong.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::support::Disk;
use crate::store::Medium;

/// What goes wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// No write and no sync succeeds any more.
    Full,
    /// One sync does not succeed, and all that was written since the last one never reaches the disk, though reads still see
    /// it. What is written afterwards is kept.
    LostSync,
}

/// A disk that goes wrong after some operations.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    fault: Fault,
    /// What the process sees.
    live: Disk,
    state: Arc<Mutex<FaultyState>>,
}

#[derive(Debug, Default)]
struct FaultyState {
    /// What is on the disk, as of the last sync.
    durable: Vec<u8>,
    /// What was done since.
    pending: Vec<Operation>,
    operations_left: Option<u64>,
    /// Whether what was refused first was a sync.
    began_with_sync: Option<bool>,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            live: Disk::default(),
            state: Arc::default(),
        }
    }

    pub(crate) fn medium(&self) -> Medium {
        Medium::Backend(Box::new(self.clone()))
    }

    /// The fault begins after so many more operations.
    pub(crate) fn fail_after(&self, operations: u64) {
        let mut state = self.state.lock().unwrap();
        state.operations_left = Some(operations);
        state.began_with_sync = None;
    }

    /// Whether the first operation that did not succeed was a sync; `None` if all did.
    pub(crate) fn began_with_sync(&self) -> Option<bool> {
        self.state.lock().unwrap().began_with_sync
    }

    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().operations_left = None;
    }

    /// What another process finds, which does not trust the page cache.
    pub(crate) fn image(&self) -> Vec<u8> {
        let state = self.state.lock().unwrap();
        let mut image = state.durable.clone();
        for operation in &state.pending {
            apply(&mut image, operation, |_| true);
        }
        image
    }

    fn note(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let is_sync = matches!(operation, Operation::Sync);
        let is_due = state.operations_left == Some(0);
        state.operations_left = state.operations_left.map(|left| left.saturating_sub(1));
        if is_due {
            state.began_with_sync.get_or_insert(is_sync);
        }
        match self.fault {
            Fault::Full if is_due => return Err(io::ErrorKind::StorageFull.into()),
            Fault::LostSync if is_due && is_sync => {
                state.operations_left = None;
                state.pending.clear();
                return Err(io::ErrorKind::Other.into());
            }
            Fault::Full | Fault::LostSync => {}
        }
        state.pending.push(operation);
        if is_sync {
            for operation in std::mem::take(&mut state.pending) {
                apply(&mut state.durable, &operation, |_| true);
            }
        }
        Ok(())
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        self.live.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.live.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.note(Operation::SetLen(length))?;
        self.live.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Operation::Write(offset, data.to_vec()))?;
        self.live.write(offset, data)
    }
}

/// What is done to a disk.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    SetLen(u64),
    Write(u64, Vec<u8>),
    Sync,
}

/// Does what survives of an operation, sector by sector.
pub(crate) fn apply(
    image: &mut Vec<u8>,
    operation: &Operation,
    mut survives: impl FnMut(u64) -> bool,
) {
    const SECTOR: usize = 512;
    match operation {
        Operation::SetLen(length) => {
            if survives(0) {
                image.resize(usize::try_from(*length).unwrap(), 0);
            }
        }
        Operation::Write(offset, data) => {
            let offset = usize::try_from(*offset).unwrap();
            for (number, sector) in (0u64..).zip(data.chunks(SECTOR)) {
                let start = offset + SECTOR * usize::try_from(number).unwrap();
                if survives(number) {
                    // The length may have been lost; a write beyond it is what makes it.
                    image.resize(image.len().max(start + sector.len()), 0);
                    image[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        Operation::Sync => {}
    }
}
