//! A place in a list, as text that a client can keep.
//!
//! It is the hexadecimal form of: a version byte, a digest of the store and of what is listed, the kind of the place and the
//! place, and a digest of all that.
//!
//! Source: `docs/design.md`, "Lists".

use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Order, Position, Request, Span};
use crate::clock::Timestamp;
use crate::id::{InstanceId, InstanceKey};
use crate::store::frame::Checksum;

/// A place in a list, from which the next page goes on.
///
/// It is opaque: text to be kept or sent and given back to the same list, with [`to_string`](ToString::to_string) and
/// [`parse`](str::parse), also by another process and after a restart. It holds no lock and never grows old: the list goes on
/// behind the place, whatever was created, has changed or is gone meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    list: u64,
    position: Position,
}

/// Why text, or a cursor, is no place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// It is not what a page gave, letter for letter.
    #[error(
        "this is no cursor, or it was changed on its way; begin the list anew, without a cursor"
    )]
    Malformed,
    /// A later version of the library made it.
    #[error(
        "the cursor has version {found}, and this build reads up to {VERSION}; begin the list anew, without a cursor"
    )]
    Newer {
        /// Its version.
        found: u8,
    },
    /// It is of another store, or of a list with other filters or another order.
    #[error(
        "the cursor belongs to another list: expected one of the same store, filters and order; ask with those that the \
         page before had, or begin the list anew, without a cursor"
    )]
    Foreign,
}

/// The version of the cursors that this build makes.
const VERSION: u8 = 1;
const LIST_SEED: u64 = 3;
const TEXT_SEED: u64 = 4;

impl Cursor {
    pub(crate) fn new(position: Position, request: &Request, checksum: Checksum) -> Self {
        Self {
            list: list(request, checksum),
            position,
        }
    }

    /// The place, if it is one of this list.
    ///
    /// # Errors
    /// [`CursorError::Foreign`].
    pub(crate) fn position(
        &self,
        request: &Request,
        checksum: Checksum,
    ) -> Result<Position, CursorError> {
        let order = match self.position {
            Position::Creation(_) => Order::Creation,
            Position::Completion(..) => Order::Completion,
            Position::Id(_) => Order::Id,
        };
        if self.list == list(request, checksum) && order == request.filter.order() {
            Ok(self.position.clone())
        } else {
            Err(CursorError::Foreign)
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.list.to_le_bytes());
        match &self.position {
            Position::Creation(key) => {
                bytes.push(0);
                bytes.extend(key.0.to_le_bytes());
            }
            Position::Completion(at, key) => {
                bytes.push(1);
                bytes.extend(at.0.to_le_bytes());
                bytes.extend(key.0.to_le_bytes());
            }
            Position::Id(id) => {
                bytes.push(2);
                bytes.extend(id.as_str().as_bytes());
            }
        }
        let check = xxh3_64_with_seed(&bytes, TEXT_SEED);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CursorError> {
        let (checked, check) = bytes.split_last_chunk().ok_or(CursorError::Malformed)?;
        if xxh3_64_with_seed(checked, TEXT_SEED) != u64::from_le_bytes(*check) {
            return Err(CursorError::Malformed);
        }
        let ([found], rest) = checked.split_first_chunk().ok_or(CursorError::Malformed)?;
        if *found != VERSION {
            return Err(CursorError::Newer { found: *found });
        }
        let (list, place) = rest.split_first_chunk().ok_or(CursorError::Malformed)?;
        Ok(Self {
            list: u64::from_le_bytes(*list),
            position: position(place).ok_or(CursorError::Malformed)?,
        })
    }
}

/// A digest of the store, and of all that decides what a list holds and in which order.
fn list(request: &Request, checksum: Checksum) -> u64 {
    let filter = &request.filter;
    let mut all = vec![u8::from(request.descending)];
    let mut put = |kind: u8, parts: &[&[u8]]| {
        all.push(kind);
        for part in parts {
            all.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            all.extend_from_slice(part);
        }
    };
    for status in &filter.statuses {
        put(1, &[&[status.number()]]);
    }
    for name in &filter.names {
        put(2, &[name.as_bytes()]);
    }
    for (key, value) in &filter.tags {
        put(3, &[key.as_bytes(), value.as_bytes()]);
    }
    let mut put_span = |kind, span: &Option<Span>| {
        if let Some(span) = span {
            put(kind, &[&span.start.to_le_bytes(), &span.end.to_le_bytes()]);
        }
    };
    put_span(4, &filter.created);
    put_span(5, &filter.completed);
    if let Some(prefix) = &filter.id_prefix {
        put(6, &[prefix.as_bytes()]);
    }
    xxh3_64_with_seed(&all, checksum.of(&LIST_SEED.to_le_bytes()))
}

fn position(place: &[u8]) -> Option<Position> {
    let (kind, place) = place.split_first()?;
    Some(match kind {
        0 => Position::Creation(InstanceKey(u64::from_le_bytes(place.try_into().ok()?))),
        1 => {
            let (at, key) = place.split_first_chunk()?;
            let key = u64::from_le_bytes(key.try_into().ok()?);
            Position::Completion(Timestamp(u64::from_le_bytes(*at)), InstanceKey(key))
        }
        2 => Position::Id(InstanceId::stored(std::str::from_utf8(place).ok()?)),
        _ => return None,
    })
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for byte in self.to_bytes() {
            write!(text, "{byte:02x}")?;
        }
        f.pad(&text)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
        Self::from_bytes(&bytes.ok_or(CursorError::Malformed)?)
    }
}
