//! The frame: what one instance appended in one commit, and the unit of the log, the fold and the checksum.
//!
//! Source: `docs/design.md`, "Frame", for the layout. The checksum covers everything behind it.

use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::StoreError;
use super::error::chain;
use crate::event::HistoryEvent;
use crate::event::encoding::{self, EncodingError};
use crate::id::{ExecutionId, InstanceKey, Sequence, StoreId};

/// The bytes before the body: length, version, checksum, key, execution, first sequence, count.
const HEADER_BYTES: usize = 4 + 1 + 8 + 8 + 4 + 4 + 4;

/// The bytes before what the checksum covers.
const UNCHECKED_BYTES: usize = 4 + 1 + 8;

/// How bytes of one store are summed: as those of another they are wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checksum {
    seed: u64,
}

impl Checksum {
    pub(crate) fn new(store: StoreId) -> Self {
        Self {
            seed: xxh3_64(&store.0.to_le_bytes()),
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.seed)
    }
}

/// Where the first record of a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: InstanceKey,
    pub(crate) execution: ExecutionId,
    pub(crate) first: Sequence,
}

/// A frame that is ready to be written. Encoding is most of what a commit costs, and needs not be done by the one who commits.
#[derive(Debug)]
pub(crate) struct EncodedFrame {
    place: Place,
    end: Sequence,
    bytes: Vec<u8>,
}

impl EncodedFrame {
    /// The frame of these events.
    ///
    /// # Errors
    /// [`StoreError::Unrecordable`].
    pub(crate) fn new(
        checksum: Checksum,
        place: Place,
        events: &[HistoryEvent],
    ) -> Result<Self, StoreError> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 128 * events.len());
        write(&mut bytes, checksum, place, events).map_err(|error| StoreError::Unrecordable {
            reason: chain(&error),
        })?;
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let end = Sequence(place.first.0.saturating_add(count));
        Ok(Self { place, end, bytes })
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The sequence behind its last record.
    pub(crate) fn end(&self) -> Sequence {
        self.end
    }
}

/// A frame in the bytes it was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) place: Place,
    pub(crate) count: u32,
    version: u8,
    checksum: u64,
    checked: &'a [u8],
    body: &'a [u8],
}

/// Appends a frame to `out` and returns where it lies there.
///
/// # Errors
/// [`FrameError`] if the events cannot be written; `out` is then as it was.
pub(crate) fn write(
    out: &mut Vec<u8>,
    checksum: Checksum,
    place: Place,
    events: &[HistoryEvent],
) -> Result<Range<usize>, FrameError> {
    let start = out.len();
    write_at(out, checksum, place, events)
        .map(|()| start..out.len())
        .inspect_err(|_| out.truncate(start))
}

fn write_at(
    out: &mut Vec<u8>,
    checksum: Checksum,
    place: Place,
    events: &[HistoryEvent],
) -> Result<(), FrameError> {
    let start = out.len();
    let count = u32::try_from(events.len()).map_err(|_| FrameError::TooLong)?;
    out.extend_from_slice(&[0; UNCHECKED_BYTES]);
    out.extend_from_slice(&place.key.0.to_le_bytes());
    out.extend_from_slice(&place.execution.0.to_le_bytes());
    out.extend_from_slice(&place.first.0.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    encoding::encode(events, out)?;
    let frame = out.get_mut(start..).unwrap_or_default();
    let length = u32::try_from(frame.len().saturating_sub(4)).map_err(|_| FrameError::TooLong)?;
    if let Some((head, checked)) = frame.split_first_chunk_mut::<UNCHECKED_BYTES>() {
        let (length_at, rest) = head.split_at_mut(4);
        length_at.copy_from_slice(&length.to_le_bytes());
        let (version_at, checksum_at) = rest.split_at_mut(1);
        version_at.copy_from_slice(&[encoding::VERSION]);
        checksum_at.copy_from_slice(&checksum.of(checked).to_le_bytes());
    }
    Ok(())
}

impl<'a> Frame<'a> {
    /// Takes the frame at the front of `bytes`, unchecked; returns it, its length and what follows it.
    ///
    /// # Errors
    /// [`FrameError::Cut`] if `bytes` end before the frame does.
    pub(crate) fn split(bytes: &'a [u8]) -> Result<(Self, usize, &'a [u8]), FrameError> {
        let cut = FrameError::Cut { bytes: bytes.len() };
        let Some((frame, length, rest)) = split_off(bytes) else {
            return Err(cut);
        };
        Self::parse(frame).map_or(Err(cut), |frame| Ok((frame, length, rest)))
    }

    fn parse(frame: &'a [u8]) -> Option<Self> {
        let (&[version], rest) = frame.split_first_chunk()?;
        let (checksum, checked) = rest.split_first_chunk()?;
        let (key, rest) = checked.split_first_chunk()?;
        let (execution, rest) = rest.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (count, body) = rest.split_first_chunk()?;
        Some(Self {
            place: Place {
                key: InstanceKey(u64::from_le_bytes(*key)),
                execution: ExecutionId(u32::from_le_bytes(*execution)),
                first: Sequence(u32::from_le_bytes(*first)),
            },
            count: u32::from_le_bytes(*count),
            version,
            checksum: u64::from_le_bytes(*checksum),
            checked,
            body,
        })
    }

    /// Whether it is what was written.
    ///
    /// # Errors
    /// [`FrameError`] if the version is unknown or the checksum is wrong.
    pub(crate) fn check(&self, checksum: Checksum) -> Result<(), FrameError> {
        // The version first: a later one may sum differently.
        if self.version != encoding::VERSION {
            let found = self.version;
            return Err(EncodingError::UnknownVersion { found }.into());
        }
        if checksum.of(self.checked) == self.checksum {
            Ok(())
        } else {
            Err(FrameError::Checksum)
        }
    }

    /// Checks the frame and reads its events.
    ///
    /// # Errors
    /// As [`check`](Self::check), and if a record cannot be read.
    pub(crate) fn events(&self, checksum: Checksum) -> Result<Vec<HistoryEvent>, FrameError> {
        self.check(checksum)?;
        self.read()
    }

    /// Reads the events of a frame that was checked.
    ///
    /// # Errors
    /// [`FrameError::Encoding`] if a record cannot be read.
    pub(crate) fn read(&self) -> Result<Vec<HistoryEvent>, FrameError> {
        Ok(encoding::decode(self.version, self.count, self.body)?)
    }
}

fn split_off(bytes: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (frame, rest) = rest.split_at_checked(length)?;
    Some((frame, length.checked_add(4)?, rest))
}

/// A frame that is not what was written, or cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// It ends too early.
    #[error(
        "a frame is cut off: {bytes} bytes are left of it, and a header alone has {HEADER_BYTES}"
    )]
    Cut {
        /// What is left.
        bytes: usize,
    },
    /// Its bytes are not those that were written.
    #[error("its checksum is wrong")]
    Checksum,
    /// More than a frame's header can say.
    #[error("a turn of 4 GiB or of 4 billion events cannot be written")]
    TooLong,
    /// Its records are wrong.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::encoding::samples::every_kind;

    const PLACE: Place = Place {
        key: InstanceKey(7),
        execution: ExecutionId(2),
        first: Sequence(40),
    };

    fn checksum() -> Checksum {
        Checksum::new(StoreId(9))
    }

    fn written() -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, checksum(), PLACE, &every_kind()).unwrap();
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<HistoryEvent>, FrameError> {
        Frame::split(bytes)?.0.events(checksum())
    }

    #[test]
    fn frames_follow_one_another() {
        let mut out = b"before".to_vec();
        let first = write(&mut out, checksum(), PLACE, &every_kind()[..2]).unwrap();
        let second = write(&mut out, checksum(), PLACE, &every_kind()[2..]).unwrap();
        assert_eq!(
            (first.start, first.end, second.end),
            (6, second.start, out.len())
        );
        let (frame, length, rest) = Frame::split(&out[6..]).unwrap();
        assert_eq!((frame.place, frame.count, length), (PLACE, 2, first.len()));
        assert_eq!(frame.events(checksum()).unwrap(), every_kind()[..2]);
        assert_eq!(read(rest).unwrap(), every_kind()[2..]);
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_found() {
        let written = written();
        for at in 0..written.len() {
            for bit in 0..8 {
                let mut bytes = written.clone();
                bytes[at] ^= 1 << bit;
                assert!(read(&bytes).is_err(), "byte {at}, bit {bit}");
            }
            assert!(read(&written[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn a_frame_of_another_store_is_refused() {
        let written = written();
        let (frame, _, _) = Frame::split(&written).unwrap();
        let error = frame.events(Checksum::new(StoreId(10))).unwrap_err();
        assert_eq!(error.to_string(), "its checksum is wrong");
    }
}
