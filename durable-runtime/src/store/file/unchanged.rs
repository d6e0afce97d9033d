//! A file that is looked at and stays as it is: what is written to it is kept in memory, and forgotten.
//!
//! Opening a database writes: that it is open, and after a crash what repairs it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::store::locks::inner_locks;

/// What is kept of a write at least, in bytes.
const BLOCK_BYTES: u64 = 4096;

/// A backend that never writes to the one beneath; it locks it, so that nobody else does either.
#[derive(Debug)]
pub(super) struct Unchanged {
    inner: Box<dyn StorageBackend>,
    written: Mutex<Written>,
}

/// What differs from the file beneath.
#[derive(Debug)]
struct Written {
    length: u64,
    /// Up to here a block that was not written is that of the file; beyond, zeros.
    inner_length: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Unchanged {
    pub(super) fn new(inner: Box<dyn StorageBackend>) -> io::Result<Self> {
        let length = inner.len()?;
        let written = Mutex::new(Written {
            length,
            inner_length: length,
            blocks: BTreeMap::new(),
        });
        Ok(Self { inner, written })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what lies beneath; zeros beyond its end.
    fn read_inner(&self, offset: u64, out: &mut [u8], inner_length: u64) -> io::Result<()> {
        out.fill(0);
        let there = usize::try_from(inner_length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let there = there.min(out.len());
        match out.get_mut(..there) {
            Some(there) if !there.is_empty() => self.inner.read(offset, there),
            _ => Ok(()),
        }
    }
}

/// The part of `bytes`, which stand at `offset`, that lies in the block at `block`, and where in it.
fn within(block: u64, offset: u64, bytes: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let begin = block.max(offset);
    let end = (block.checked_add(BLOCK_BYTES)?).min(offset.checked_add(bytes.try_into().ok()?)?);
    let part =
        usize::try_from(begin - offset).ok()?..usize::try_from(end.checked_sub(offset)?).ok()?;
    Some((part, usize::try_from(begin - block).ok()?))
}

/// The block in which a byte lies.
fn block_of(offset: u64) -> u64 {
    offset - offset % BLOCK_BYTES
}

impl StorageBackend for Unchanged {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        let length = u64::try_from(out.len()).unwrap_or(u64::MAX);
        let end = offset.saturating_add(length);
        if end > written.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_inner(offset, out, written.inner_length)?;
        for (block, bytes) in written.blocks.range(block_of(offset)..end) {
            let Some((part, at)) = within(*block, offset, out.len()) else {
                continue;
            };
            if let (Some(part), Some(from)) =
                (out.get_mut(part.clone()), bytes.get(at..at + part.len()))
            {
                part.copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        // What is cut off and comes back is zeros.
        if length < written.length {
            written.inner_length = written.inner_length.min(length);
            drop(written.blocks.split_off(&length));
            let kept = usize::try_from(length % BLOCK_BYTES).unwrap_or_default();
            if let Some(last) = written.blocks.get_mut(&block_of(length))
                && let Some(cut) = last.get_mut(kept..)
            {
                cut.fill(0);
            }
        }
        written.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let end = offset.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        written.length = written.length.max(end);
        let mut block = block_of(offset);
        while block < end {
            if !written.blocks.contains_key(&block) {
                let mut bytes = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or_default()];
                self.read_inner(block, &mut bytes, written.inner_length)?;
                written.blocks.insert(block, bytes);
            }
            if let Some(bytes) = written.blocks.get_mut(&block)
                && let Some((part, at)) = within(block, offset, data.len())
                && let Some(to) = bytes.get_mut(at..at + part.len())
                && let Some(from) = data.get(part)
            {
                to.copy_from_slice(from);
            }
            block = block.saturating_add(BLOCK_BYTES);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    inner_locks!();
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// Numbers that look random, the same in every run.
    fn chance(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    #[test]
    fn it_holds_what_a_disk_would_and_the_disk_beneath_stays_as_it_is() {
        let disk = InMemoryBackend::new();
        let begin: Vec<u8> = (0..20_000_u32)
            .map(|n| u8::try_from(n % 251).unwrap())
            .collect();
        disk.set_len(20_000).unwrap();
        disk.write(0, &begin).unwrap();
        let (shadow, twin) = (
            InMemoryBackend::new(),
            Unchanged::new(Box::new(disk)).unwrap(),
        );
        shadow.set_len(20_000).unwrap();
        shadow.write(0, &begin).unwrap();
        let mut state = 7;
        for round in 0..400_u64 {
            let length = shadow.len().unwrap();
            if chance(&mut state).is_multiple_of(5) {
                let length = 1 + chance(&mut state) % 40_000;
                shadow.set_len(length).unwrap();
                twin.set_len(length).unwrap();
            } else {
                let offset = chance(&mut state) % length;
                let most = (length - offset).min(9_000);
                let data = vec![
                    u8::try_from(round % 251).unwrap();
                    usize::try_from(chance(&mut state) % most + 1).unwrap()
                ];
                let data = &data[..data.len().min(usize::try_from(length - offset).unwrap())];
                shadow.write(offset, data).unwrap();
                twin.write(offset, data).unwrap();
            }
            assert_eq!(shadow.len().unwrap(), twin.len().unwrap());
            let length = usize::try_from(shadow.len().unwrap()).unwrap();
            let (mut expected, mut found) = (vec![0; length], vec![1; length]);
            shadow.read(0, &mut expected).unwrap();
            twin.read(0, &mut found).unwrap();
            assert_eq!(expected, found, "round {round}");
            let at = chance(&mut state) % shadow.len().unwrap();
            let mut one = [0];
            twin.read(at, &mut one).unwrap();
            assert_eq!(one[0], expected[usize::try_from(at).unwrap()]);
        }
        let mut beneath = vec![0; 20_000];
        twin.inner.read(0, &mut beneath).unwrap();
        assert_eq!(beneath, begin);
        assert!(twin.read(twin.len().unwrap(), &mut [0]).is_err());
    }
}
