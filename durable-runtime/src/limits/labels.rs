//! The names, versions and tags that instances are known by, within their bounds.

use std::collections::BTreeMap;

use super::{NAME_BYTES_MAX, TAG_KEY_BYTES_MAX, TAG_VALUE_BYTES_MAX, TAGS_MAX, VERSION_BYTES_MAX};

/// A name or version that is longer than one may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error(
    "its {what} has {bytes} bytes, the limit is {limit} bytes, which is the same everywhere; choose a shorter one"
)]
pub struct TooLong {
    /// What it is.
    pub what: &'static str,
    /// Its length.
    pub bytes: usize,
    /// The greatest length.
    pub limit: usize,
}

/// Tags that an instance cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTags {
    /// There are too many.
    #[error(
        "it has {count} tags, the limit is {limit}, which is the same everywhere; put what only the code reads into the input"
    )]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A key or a value is longer than one may be.
    #[error(
        "the {part} of its tag `{key}` has {bytes} bytes, the limit is {limit} bytes, which is the same everywhere; put what \
         only the code reads into the input"
    )]
    TooLong {
        /// The key, or the begin of it.
        key: String,
        /// `key` or `value`.
        part: &'static str,
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// A key begins with `durabletask.`, as those do that tools give a meaning to.
    #[error(
        "the key of its tag `{key}` begins with `durabletask.`, which is reserved; choose another"
    )]
    Reserved {
        /// The key.
        key: String,
    },
}

/// Whether this can be the name of an orchestrator, an activity or an event.
pub(crate) fn check_name(name: &str) -> Result<(), TooLong> {
    check_length(name, "name", NAME_BYTES_MAX)
}

/// Whether this can be the version of an orchestrator.
pub(crate) fn check_version(version: Option<&str>) -> Result<(), TooLong> {
    check_length(version.unwrap_or_default(), "version", VERSION_BYTES_MAX)
}

fn check_length(text: &str, what: &'static str, limit: usize) -> Result<(), TooLong> {
    let bytes = text.len();
    if bytes > limit {
        return Err(TooLong { what, bytes, limit });
    }
    Ok(())
}

/// Whether an instance can have these tags.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), InvalidTags> {
    if tags.len() > TAGS_MAX {
        return Err(InvalidTags::TooMany {
            count: tags.len(),
            limit: TAGS_MAX,
        });
    }
    tags.iter()
        .try_for_each(|(key, value)| check_tag(key, value))
}

fn check_tag(key: &str, value: &str) -> Result<(), InvalidTags> {
    const RESERVED: &str = "durabletask.";
    let parts = [
        ("key", key, TAG_KEY_BYTES_MAX),
        ("value", value, TAG_VALUE_BYTES_MAX),
    ];
    for (part, text, limit) in parts {
        if text.len() > limit {
            return Err(InvalidTags::TooLong {
                key: key.chars().take(TAG_KEY_BYTES_MAX).collect(),
                part,
                bytes: text.len(),
                limit,
            });
        }
    }
    let begin = key.get(..RESERVED.len());
    if begin.is_some_and(|begin| begin.eq_ignore_ascii_case(RESERVED)) {
        let key = key.to_owned();
        return Err(InvalidTags::Reserved { key });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> String {
        "n".repeat(bytes)
    }

    #[test]
    fn names_and_versions_are_as_long_as_their_limits_and_no_longer() {
        for spare in [1, 0] {
            assert_eq!(check_name(&text(NAME_BYTES_MAX - spare)), Ok(()));
            let version = text(VERSION_BYTES_MAX - spare);
            assert_eq!(check_version(Some(&version)), Ok(()));
        }
        let told = check_name(&text(NAME_BYTES_MAX + 1)).unwrap_err();
        assert!(
            told.to_string()
                .starts_with("its name has 129 bytes, the limit is 128 bytes")
        );
        let told = check_version(Some(&text(VERSION_BYTES_MAX + 1))).unwrap_err();
        assert!(
            told.to_string()
                .starts_with("its version has 129 bytes, the limit is 128 bytes")
        );
        assert_eq!(check_version(None), Ok(()));
    }

    #[test]
    fn tags_are_as_many_and_as_long_as_their_limits_and_no_more() {
        let tags = |count: usize| (0..count).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(check_tags(&tags(TAGS_MAX - 1)), Ok(()));
        assert_eq!(check_tags(&tags(TAGS_MAX)), Ok(()));
        let told = check_tags(&tags(TAGS_MAX + 1)).unwrap_err().to_string();
        assert!(
            told.starts_with("it has 17 tags, the limit is 16"),
            "{told}"
        );
        let (key, value) = (TAG_KEY_BYTES_MAX, TAG_VALUE_BYTES_MAX);
        for (key, value, expected) in [
            (key - 1, value - 1, None),
            (key, value, None),
            (key + 1, value, Some("the key of its tag")),
            (key, value + 1, Some("the value of its tag")),
        ] {
            let told = check_tag(&text(key), &text(value));
            let told = told.map_err(|error| error.to_string());
            match expected {
                None => assert_eq!(told, Ok(())),
                Some(begin) => assert!(told.unwrap_err().starts_with(begin), "{key} {value}"),
            }
        }
    }

    #[test]
    fn what_tools_give_a_meaning_to_is_reserved() {
        for key in ["durabletask.displayName", "DurableTask."] {
            let told = check_tag(key, "x").unwrap_err().to_string();
            assert!(told.contains("is reserved"), "{told}");
        }
        assert_eq!(check_tag("durabletask", "x"), Ok(()));
        assert_eq!(check_tag("my.durabletask.x", "x"), Ok(()));
    }
}
