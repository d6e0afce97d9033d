//! Identities: what an instance, an execution, an event and a stored thing are called.
//!
//! Inside the engine no string is an id: text becomes an [`InstanceId`] at the edge, and the engine's own tables
//! are keyed by the ordinal `InstanceKey`.

use std::fmt;
use std::sync::Arc;

use crate::limits;
use crate::sites;

/// The name of one started orchestration, chosen by the caller or made by the engine.
///
/// 1 to 100 printable ASCII characters, none of `/ \ # ?`, not starting with `@`; a leading `~` marks an id made by
/// the engine and is refused from callers. Unique within a store, compared byte by byte.
///
/// Source: `docs/design.md`, "Identities".
///
/// # Examples
///
/// ```
/// use durable_runtime::InstanceId;
///
/// assert_eq!(InstanceId::parse("order-42")?.as_str(), "order-42");
/// let error = InstanceId::parse("orders/42").unwrap_err();
/// assert!(error.to_string().contains("none of"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// Parses an id that a caller chose.
    ///
    /// # Errors
    /// [`InvalidId`] names the first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let broken = if text.is_empty() {
            Some("it is empty")
        } else if text.len() > limits::INSTANCE_ID_BYTES_MAX {
            Some("it is longer than 100 characters")
        } else if text.starts_with(['@', '~']) {
            Some("a leading `@` or `~` is reserved")
        } else if !text.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            Some("it may hold printable ASCII characters only")
        } else if text.contains(['/', '\\', '#', '?']) {
            Some("it may hold none of `/ \\ # ?`")
        } else {
            None
        };
        match broken {
            None => Ok(Self(text.into())),
            Some(rule) => Err(InvalidId {
                text: text.chars().take(120).collect(),
                rule,
            }),
        }
    }

    /// Parses the id of an instance that may be there: one that a caller chose, or one that the engine made.
    ///
    /// # Errors
    /// [`InvalidId`] names the first rule that is broken.
    pub(crate) fn existing(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix('~') {
            Some(rest) => Self::parse(rest).map(|_| Self::stored(text)),
            None => Self::parse(text),
        }
    }

    /// An id that the engine derives from `seed`: `~` and 26 characters of Crockford base 32.
    pub(crate) fn made_from(seed: &[u8]) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let hash = xxhash_rust::xxh3::xxh3_128(seed);
        let digits = (0..26).map(|place| {
            let digit = usize::try_from((hash >> (5 * place)) & 31).unwrap_or_default();
            char::from(DIGITS.get(digit).copied().unwrap_or(b'0'))
        });
        Self(
            std::iter::once('~')
                .chain(digits)
                .collect::<String>()
                .into(),
        )
    }

    /// The id that somebody asks for. Those that the engine made are found as well, though nobody may choose one.
    pub(crate) fn named(text: &str) -> Result<Self, InvalidId> {
        if text.starts_with('~') {
            Ok(Self::stored(text))
        } else {
            Self::parse(text)
        }
    }

    /// An id read back from the store, which checked it when it was written.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for InstanceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for InstanceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::parse(text)
    }
}

/// Text that cannot be an [`InstanceId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be an instance id: {rule}")]
pub struct InvalidId {
    text: String,
    rule: &'static str,
}

impl InvalidId {
    /// The text, or the begin of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The engine's own number for an instance, rising in order of creation: what its tables and
/// records call the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct InstanceKey(pub(crate) u64);

/// The number of one execution of an instance: 1, then one more at each continue-as-new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub u32);

impl ExecutionId {
    /// The execution that `start` creates.
    pub const FIRST: Self = Self(1);

    /// The execution after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a command within its execution: 0, 1, 2 … in the order in which the code first asked.
///
/// An outcome names the command it belongs to by this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u32);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The position of an event in the history of its execution: 0, 1, 2 … without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sequence(pub(crate) u32);

/// A number for a place in the source; [`SourceSite`] is the place itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

/// The ordinal that a store gives to each build of the program that wrote to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId(pub u32);

/// A place in the source where a command was asked for.
///
/// Its id is the same in every process of a build, and mostly in the builds after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSite(&'static std::panic::Location<'static>);

impl SourceSite {
    /// The caller's place.
    #[track_caller]
    pub fn caller() -> Self {
        Self(std::panic::Location::caller())
    }

    /// The number under which the store keeps this place.
    ///
    /// Of annotated code it is the id of its row in the static table, which outlives edits; else a hash of the place, whose
    /// highest bit is 0.
    pub fn id(self) -> SiteId {
        SiteId(sites::id_at(self.0, || self.hash()))
    }

    /// As the compiler told it.
    pub(crate) fn location(self) -> &'static std::panic::Location<'static> {
        self.0
    }

    /// The line of the source that it is in, if that is known.
    pub(crate) fn text(self) -> Option<&'static str> {
        sites::text_at(self.0)
    }

    /// Its place, and in a second line what stands there, if that is known.
    pub(crate) fn spot(self) -> impl fmt::Display {
        struct Spot(SourceSite);
        impl fmt::Display for Spot {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0.text() {
                    Some(text) => write!(f, "{}\n{text}", self.0),
                    None => self.0.fmt(f),
                }
            }
        }
        Spot(self)
    }

    fn hash(self) -> u32 {
        let hash = xxhash_rust::xxh3::xxh3_64_with_seed(
            self.0.file().as_bytes(),
            (u64::from(self.0.line()) << 32) | u64::from(self.0.column()),
        );
        // The upper half is as good a hash as the whole.
        u32::try_from(hash >> 33).unwrap_or_default()
    }
}

impl fmt::Display for SourceSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 128 random bits that name a store; part of every record's checksum and of every idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StoreId(pub(crate) u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_the_rules_and_name_the_broken_one() {
        assert_eq!(InstanceId::parse("order-42").unwrap().as_str(), "order-42");
        assert!(InstanceId::parse(&"x".repeat(100)).is_ok());
        for (bad, rule) in [
            ("", "empty"),
            (&*"x".repeat(101), "longer"),
            ("@x", "reserved"),
            ("~x", "reserved"),
            ("a/b", "none of"),
            ("naïve", "printable ASCII"),
        ] {
            let error = InstanceId::parse(bad).unwrap_err().to_string();
            assert!(error.contains(rule), "{error}");
        }
    }

    #[test]
    fn made_ids_are_stable_and_of_fixed_length() {
        let id = InstanceId::made_from(b"seed");
        assert_eq!(id, InstanceId::made_from(b"seed"));
        assert_ne!(id, InstanceId::made_from(b"another seed"));
        assert_eq!(id.as_str().len(), 27);
    }
}
