//! What an instance was started with, for as long as it lives.

use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_seed};

use super::summary::Summary;
use crate::payload::{Codec, Payload};

/// Digests of what the starter of an instance asked for.
///
/// Kept from its second execution on, whose version and input are others. They are stored: what is digested, and how, is
/// part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Of the name and the version.
    pub(crate) orchestrator: u128,
    /// Of the input: of JSON, its value; else its bytes.
    pub(crate) input: u128,
}

impl Asked {
    /// The digests of these.
    pub(crate) fn of(name: &str, version: Option<&str>, input: &Payload) -> Self {
        Self {
            orchestrator: orchestrator(name, version),
            input: value(input),
        }
    }
}

impl Summary {
    /// How what the instance was first started with differs from this; `None` if it is the same.
    pub(crate) fn differs_from(
        &self,
        name: &str,
        version: Option<&str>,
        input: &Payload,
    ) -> Option<&'static str> {
        let (same_version, same_input) = match self.asked {
            None => (
                self.version.as_deref() == version,
                self.input.means_the_same(input),
            ),
            Some(asked) => {
                let wanted = Asked::of(name, version, input);
                (
                    asked.orchestrator == wanted.orchestrator,
                    asked.input == wanted.input,
                )
            }
        };
        // The name is the one thing of these that continue-as-new never changes.
        if *self.name != *name {
            Some("another orchestrator")
        } else if !same_version {
            Some("another version")
        } else if !same_input {
            Some("another input")
        } else {
            None
        }
    }
}

fn orchestrator(name: &str, version: Option<&str>) -> u128 {
    let mut hasher = Xxh3::new();
    // 255 stands in no UTF-8, so it separates the two.
    hasher.update(name.as_bytes());
    hasher.update(&[0xff, u8::from(version.is_some())]);
    hasher.update(version.unwrap_or_default().as_bytes());
    hasher.digest128()
}

fn value(input: &Payload) -> u128 {
    match input.codec() {
        Codec::Json => match canonical(input.bytes()) {
            Some(json) => xxh3_128_with_seed(&json, 0),
            None => xxh3_128_with_seed(input.bytes(), 0),
        },
        Codec::Bincode => xxh3_128_with_seed(input.bytes(), 1),
    }
}

/// JSON without spaces and with its members in order; `None` if it is none.
fn canonical(json: &[u8]) -> Option<Vec<u8>> {
    let mut value = serde_json::from_slice::<serde_json::Value>(json).ok()?;
    // The members are in order already, unless some other crate of the program asks `serde_json` to keep theirs.
    value.sort_all_objects();
    serde_json::to_vec(&value).ok()
}
