//! A history in a file of its own, to be replayed by the tests of later builds.
//!
//! Source: `docs/design.md`, "Saved histories".

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::client::error::LookupError;
use crate::event::HistoryEvent;
use crate::event::encoding::json::{from_json, to_json};
use crate::id::{BuildId, InstanceKey, SiteId, StoreId};
use crate::store::chain;

/// The format of the files; it is that of the records in them.
const FORMAT: u64 = 1;

/// The history of one execution and what it takes to replay it anywhere.
///
/// It is made by [`Instance::saved_history`](crate::Instance::saved_history), written by [`save`](Self::save), read by
/// [`load`](Self::load), and replayed against the code of a test by
/// [`assert_replays!`](crate::testing::assert_replays).
///
/// The file is JSON: a few lines that say whose history it is, then one line for each event. Payloads stand in it as JSON
/// where they are JSON: see that no secrets get into it.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedHistory {
    pub(crate) store: StoreId,
    pub(crate) key: InstanceKey,
    /// Where in the source the commands were asked for.
    pub(crate) places: BTreeMap<(BuildId, SiteId), String>,
    pub(crate) events: Vec<HistoryEvent>,
}

impl SavedHistory {
    /// The events, in order.
    pub fn events(&self) -> &[HistoryEvent] {
        &self.events
    }

    /// Writes it to `path`, in place of what is there; directories that are missing are made.
    ///
    /// # Errors
    /// [`SaveError::Write`] if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SaveError> {
        let path = path.as_ref();
        let failed = |source| SaveError::Write {
            path: path.to_owned(),
            source,
        };
        let text = self.to_text().map_err(|error| failed(error.into()))?;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        std::fs::write(path, text).map_err(failed)
    }

    /// Reads what [`save`](Self::save) wrote, in this or an earlier version of the library.
    ///
    /// # Errors
    /// [`LoadError`] if the file cannot be read, is of a later format, or is none of these files.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let text = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_text(&text).map_err(|found| LoadError::Malformed {
            path: path.to_owned(),
            found,
        })
    }

    /// One line for each event, so that two files can be compared by people.
    fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = format!("{{\n  \"format\": {FORMAT},\n");
        if let Some(HistoryEvent::ExecutionStarted(started)) = self.events.first() {
            for (name, value) in [
                ("instance", json!(started.instance.as_str())),
                ("name", json!(started.name)),
                ("version", json!(started.version)),
                ("execution", json!(started.execution.0)),
            ] {
                push(&mut text, format_args!("  \"{name}\": {value},\n"));
            }
        }
        let (store, key) = (self.store.0, self.key.0);
        push(
            &mut text,
            format_args!("  \"store\": \"{store:032x}\",\n  \"key\": {key},\n"),
        );
        let places = self.places.iter();
        let places = places.map(
            |((build, site), place)| json!({ "build": build.0, "site": site.0, "place": place }),
        );
        push_lines(&mut text, "places", places);
        text.push_str(",\n");
        let events: Result<Vec<Value>, _> = self.events.iter().map(to_json).collect();
        push_lines(&mut text, "events", events?);
        text.push_str("\n}\n");
        Ok(text)
    }

    /// # Errors
    /// What was found in place of what was expected.
    fn from_text(text: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let member = |name: &str| value.get(name).ok_or_else(|| format!("it has no `{name}`"));
        let wrong = |name: &str| format!("its `{name}` is none");
        let format = member("format")?;
        if format.as_u64() != Some(FORMAT) {
            return Err(format!(
                "it has format {format}, and this build reads up to {FORMAT}; use the version of the library that wrote \
                 it, or a later one"
            ));
        }
        let store = member("store")?.as_str();
        let store = store.and_then(|digits| u128::from_str_radix(digits, 16).ok());
        let places = member("places")?.as_array();
        let places = places.ok_or_else(|| wrong("places"))?.iter().map(place);
        let events = member("events")?.as_array();
        let events = events.ok_or_else(|| wrong("events"))?.iter().enumerate();
        let events = events.map(|(at, event)| {
            from_json(event).map_err(|error| format!("its event {at} cannot be read: {error}"))
        });
        Ok(Self {
            store: StoreId(store.ok_or_else(|| wrong("store"))?),
            key: InstanceKey(member("key")?.as_u64().ok_or_else(|| wrong("key"))?),
            places: places
                .collect::<Option<_>>()
                .ok_or_else(|| wrong("places"))?,
            events: events.collect::<Result<_, String>>()?,
        })
    }
}

/// One of the `places`.
fn place(value: &Value) -> Option<((BuildId, SiteId), String)> {
    let number = |name| u32::try_from(value.get(name)?.as_u64()?).ok();
    let place = value.get("place")?.as_str()?.to_owned();
    Some(((BuildId(number("build")?), SiteId(number("site")?)), place))
}

/// Appends a member whose value is an array, one line for each item.
fn push_lines(text: &mut String, name: &str, items: impl IntoIterator<Item = Value>) {
    push(text, format_args!("  \"{name}\": ["));
    for (at, item) in items.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        push(text, format_args!("{comma}\n    {item}"));
    }
    text.push_str("\n  ]");
}

/// Appends to text, which cannot fail.
fn push(text: &mut String, more: fmt::Arguments<'_>) {
    text.write_fmt(more).unwrap_or_default();
}

/// Why a history was not saved.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// It could not be read.
    #[error("the history was not saved, as it could not be read")]
    Lookup(#[from] LookupError),
    /// The file could not be written.
    #[error("the history was not saved, as `{}` could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
}

/// Why a saved history was not read.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("the saved history `{}` could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("`{}` is no saved history: {found}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        found: String,
    },
}

// What `main` returns is printed as `Debug`, to be read by people.
impl fmt::Debug for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::encoding::samples::every_kind;

    fn every() -> SavedHistory {
        let place = |build, site, place: &str| ((BuildId(build), SiteId(site)), place.to_owned());
        SavedHistory {
            store: StoreId(0xfeed_beef),
            key: InstanceKey(0x0102_0304),
            places: [
                place(1, 11, "src/shop.rs:3:5"),
                place(2, 11, "src/\"shop\".rs:4:5"),
            ]
            .into(),
            events: every_kind(),
        }
    }

    #[test]
    fn every_kind_of_event_comes_back_as_it_was() {
        let saved = every();
        let read = SavedHistory::from_text(saved.to_text().unwrap().as_bytes());
        assert_eq!(read.unwrap(), saved);
    }

    /// The golden file is never changed once it is released; `BLESS=1` writes it if it is missing.
    #[test]
    fn what_version_1_saved_is_read_for_ever() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.join("../tests/golden/v1/every-kind.history.json");
        if std::env::var_os("BLESS").is_some() && !path.exists() {
            every().save(&path).unwrap();
        }
        assert_eq!(SavedHistory::load(&path).unwrap(), every());
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            every().to_text().unwrap()
        );
    }

    #[test]
    fn what_is_none_is_refused_with_what_was_found() {
        let text = every().to_text().unwrap();
        for (from, to, found) in [
            (
                "\"format\": 1",
                "\"format\": 2",
                "it has format 2, and this build reads up to 1",
            ),
            ("\"format\"", "\"form\"", "it has no `format`"),
            ("\"events\"", "\"event\"", "it has no `events`"),
            ("\"key\": ", "\"key\": -", "its `key` is none"),
            (
                "\"TimerFired\"",
                "\"TimerFried\"",
                "its event 4 cannot be read: unknown variant `TimerFried`",
            ),
            ("}\n", "", "it is no JSON"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = SavedHistory::from_text(text.replacen(from, to, 1).as_bytes());
            let error = error.unwrap_err();
            assert!(error.starts_with(found), "{error}");
        }
        let error = SavedHistory::load("no/such/file.json").unwrap_err();
        assert!(error.to_string().contains("`no/such/file.json`"), "{error}");
    }
}
