//! Histories that were saved from running programs, replayed against the code of a test.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{ReplayError, replay};
use crate::client::SavedHistory;
use crate::registry::Registry;

#[doc(hidden)]
#[macro_export]
macro_rules! __assert_replays {
    ($pattern:expr $(,)?) => {
        $crate::testing::assert_replays!($pattern, $crate::Registry::linked())
    };
    ($pattern:expr, $registry:expr $(,)?) => {
        $crate::testing::assert_saved(env!("CARGO_MANIFEST_DIR"), $pattern, &$registry)
    };
}

/// Replays every saved history that matches a pattern against the code of this test, and panics if one does not fit.
///
/// `assert_replays!("histories/*")` is relative to the directory of the crate's `Cargo.toml`; a `*` in the name of the
/// file stands for any text. That no file matches is a failure: a test that looks into the wrong directory tests nothing.
/// The code is all that is linked in, or that of a second argument: `assert_replays!("histories/*", registry)`.
///
/// Files come from [`Instance::save_history`](crate::Instance::save_history): one of each way that instances go, saved from
/// the program as it runs.
///
/// ```no_run
/// # use durable_runtime::Instance;
/// # async fn example(instance: Instance) -> Result<(), Box<dyn std::error::Error>> {
/// instance.save_history("histories/refused.json").await?;
/// # Ok(()) }
///
/// #[test]
/// fn what_is_recorded_still_fits() {
///     durable_runtime::testing::assert_replays!("histories/*");
/// }
/// ```
///
/// # Panics
/// If a history does not fit, if a file is no saved history, or if there is none; the message tells of all of them.
#[doc(inline)]
pub use __assert_replays as assert_replays;

/// What [`assert_replays!`] does.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "a failed assertion of a test")]
pub fn assert_saved(root: &str, pattern: &str, registry: &Registry) {
    if let Err(report) = check_all(Path::new(root), pattern, registry) {
        panic!("{report}");
    }
}

/// Replays a saved history against the code of `registry`, without any side effect.
///
/// # Errors
/// As [`check_replay`](super::check_replay); the report also names the recorded line of the source.
pub fn check_saved(registry: &Registry, saved: &SavedHistory) -> Result<(), ReplayError> {
    let place = |build, site| saved.places.get(&(build, site)).cloned();
    replay::check(registry, (saved.store, saved.key), &saved.events, place)
}

/// # Errors
/// A report of all that do not fit.
fn check_all(root: &Path, pattern: &str, registry: &Registry) -> Result<(), String> {
    let files = matching(root, pattern)?;
    let mut report = String::new();
    for file in &files {
        let checked = match SavedHistory::load(file) {
            Ok(saved) => check_saved(registry, &saved).map_err(|error| error.to_string()),
            Err(error) => Err(format!("{error:?}")),
        };
        if let Err(why) = checked {
            let name = file.strip_prefix(root).unwrap_or(file).display();
            // Writing to a `String` cannot fail.
            write!(report, "\n\n{name}: {why}").unwrap_or_default();
        }
    }
    if report.is_empty() {
        return Ok(());
    }
    let all = files.len();
    Err(format!(
        "of {all} saved histories that match `{pattern}`, some do not fit this code:{report}"
    ))
}

/// The files that match, in order.
///
/// # Errors
/// There are none.
fn matching(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let path = root.join(pattern);
    let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return Err(format!("`{pattern}` names no file"));
    };
    let entries = std::fs::read_dir(directory);
    let entries = entries.map_err(|error| {
        format!(
            "no saved history matches `{}`: its directory cannot be read: {error}",
            path.display()
        )
    })?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|file| matches(name, file))
        })
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "no saved history matches `{}`; save one with `save_history`",
            path.display()
        ));
    }
    Ok(files)
}

/// Whether a name matches a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(begin) else {
        return false;
    };
    let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    ends.any(|at| name.get(at..).is_some_and(|name| matches(rest, name)))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("*", "a.json", true),
            ("*.json", "a.json", true),
            ("*.json", "a.json.bak", false),
            ("a*c*", "abcd", true),
            ("a*c", "abcd", false),
            ("a.json", "a.json", true),
            ("a", "ab", false),
            ("é*", "é", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
