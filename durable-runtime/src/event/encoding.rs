//! Versioned records: what a history event looks like on disk.
//!
//! The stored types stand apart from the domain types and are converted by hand, so that neither can change the other
//! by accident. A version is never edited once it is released: the next one gets a module of its own beside [`v1`] and
//! an arm in [`decode`], and what older ones wrote is read for ever. The golden files of `tests/golden` hold us to it.
//!
//! Source: `docs/design.md`, "Frame".

pub(crate) mod json;
pub(crate) mod v1;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};

use crate::event::HistoryEvent;

/// The version that new records are written in.
pub(crate) const VERSION: u8 = 1;

/// Bytes that one stored value may claim while it is decoded: damage cannot ask for more. The largest values are a row of all that
/// is outstanding for an instance, which its history of 256 MiB holds as well, and a summary with three payloads of 64 MiB.
const VALUE_BYTES_MAX: usize = 512 << 20;

type Config = Configuration<LittleEndian, Varint, Limit<VALUE_BYTES_MAX>>;

/// bincode 2, standard configuration; the limit changes no byte of the format.
const CONFIG: Config = bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();

/// Appends `events` to `out`, one record after the other.
///
/// # Errors
/// [`EncodingError::Unwritable`]; what was appended until then is left in `out`.
pub(crate) fn encode(events: &[HistoryEvent], out: &mut Vec<u8>) -> Result<(), EncodingError> {
    events
        .iter()
        .try_for_each(|event| write(&v1::Record::from(event), out))
}

/// Reads exactly `count` records that fill `body`.
///
/// # Errors
/// [`EncodingError`] says which record is wrong, and how. No input makes it panic, and none makes it allocate more
/// than a fixed multiple of the input's length and 512 MiB.
pub(crate) fn decode(
    version: u8,
    count: u32,
    body: &[u8],
) -> Result<Vec<HistoryEvent>, EncodingError> {
    if version != VERSION {
        return Err(EncodingError::UnknownVersion { found: version });
    }
    let expected = usize::try_from(count).unwrap_or(usize::MAX);
    // A record has at least one byte, so a wrong count reserves no more than the body's length.
    let mut events = Vec::with_capacity(expected.min(body.len()));
    let mut rest = body;
    for index in 0..count {
        let (record, after) =
            read::<v1::Record<'_>>(rest).map_err(|source| EncodingError::Unreadable {
                index,
                count,
                source,
            })?;
        events.push(HistoryEvent::from(record));
        rest = after;
    }
    if rest.is_empty() {
        Ok(events)
    } else {
        Err(EncodingError::Trailing {
            count,
            bytes: rest.len(),
        })
    }
}

/// Appends one stored value to `out`.
///
/// # Errors
/// [`EncodingError::Unwritable`].
pub(crate) fn write(value: &impl bincode::Encode, out: &mut Vec<u8>) -> Result<(), EncodingError> {
    bincode::encode_into_writer(value, Appender(out), CONFIG).map_err(EncodingError::Unwritable)
}

/// Reads one stored value from the front of `bytes`; returns it and what follows it.
pub(crate) fn read<'a, T>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), DecodeError>
where
    T: bincode::BorrowDecode<'a, ()>,
{
    let (value, length) = bincode::borrow_decode_from_slice(bytes, CONFIG)?;
    Ok((value, bytes.get(length..).unwrap_or_default()))
}

struct Appender<'a>(&'a mut Vec<u8>);

impl Writer for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Records that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodingError {
    /// A later version wrote them.
    #[error(
        "its records have format version {found}, and this build reads up to {VERSION}; open it with the version of \
         the library that wrote it, or a later one"
    )]
    UnknownVersion {
        /// The version byte.
        found: u8,
    },
    /// One of them is no record.
    #[error("record {index} of {count} cannot be read")]
    Unreadable {
        /// Which, from 0.
        index: u32,
        /// How many there should be.
        count: u32,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// Something follows them.
    #[error("{bytes} bytes follow its {count} records")]
    Trailing {
        /// How many records there should be.
        count: u32,
        /// How much follows.
        bytes: usize,
    },
    /// bincode refused; it does so for no type of ours.
    #[error("a record cannot be written")]
    Unwritable(#[source] EncodeError),
}
