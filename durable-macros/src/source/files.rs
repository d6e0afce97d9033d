//! Source files, read when they are needed and kept while they do not change.
//!
//! A process may expand one attribute or, in an editor, live for days: what is kept is bounded, and every use asks the
//! file system whether it still holds. What cannot be read is as if it were not there; reporting it is rustc's task.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use super::bindings::{self, Bindings};
use super::modules::lines_max;
use super::outline::Outline;
use super::tokens::Tokens;

/// A file beyond this many bytes is not written by hand.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Lines that are kept for the next attribute: about 20 MB. More, if one attribute reads more.
const KEPT_LINES_MAX: usize = 40_000;

/// A file, understood.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) tokens: Tokens,
    pub(super) outline: Outline,
    /// For each function of the outline, once somebody asked.
    bindings: Vec<OnceLock<Bindings>>,
}

impl Source {
    pub(super) fn new(text: String) -> Self {
        let tokens = Tokens::new(text);
        let outline = Outline::of(&tokens);
        let bindings = outline.functions().iter().map(|_| OnceLock::new());
        Self {
            bindings: bindings.collect(),
            tokens,
            outline,
        }
    }

    /// The names that a function and its body bind.
    pub(super) fn bindings(&self, function: usize) -> &Bindings {
        static NONE: Bindings = Bindings::NONE;
        let (known, item) = (self.bindings.get(function), self.outline.function(function));
        match (known, item) {
            (Some(known), Some(item)) => known.get_or_init(|| bindings::of(self, item)),
            _ => &NONE,
        }
    }
}

/// The file at `path`, if it is one and can be understood.
pub(super) fn open(path: &Path) -> Option<Arc<Source>> {
    static KEPT: Mutex<Kept> = Mutex::new(Kept::new());
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let path = std::path::absolute(path).ok()?;
    let stamp = Stamp::of(&path)?;
    if let Some(source) = kept().find(&path, stamp) {
        return Some(source);
    }
    let source = Arc::new(Source::new(std::fs::read_to_string(&path).ok()?));
    kept().add(path, stamp, Arc::clone(&source));
    Some(source)
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let length = metadata.len();
        let is_readable = metadata.is_file() && length <= FILE_BYTES_MAX;
        is_readable.then(|| Self {
            length,
            modified: metadata.modified().ok(),
        })
    }
}

/// The files used last.
struct Kept {
    files: BTreeMap<PathBuf, KeptFile>,
    lines: usize,
    uses: u64,
}

struct KeptFile {
    stamp: Stamp,
    source: Arc<Source>,
    used: u64,
}

impl Kept {
    const fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            lines: 0,
            uses: 0,
        }
    }

    fn find(&mut self, path: &Path, stamp: Stamp) -> Option<Arc<Source>> {
        self.uses += 1;
        let file = self.files.get_mut(path)?;
        if file.stamp != stamp {
            self.remove(&path.to_owned());
            return None;
        }
        file.used = self.uses;
        Some(Arc::clone(&file.source))
    }

    fn add(&mut self, path: PathBuf, stamp: Stamp, source: Arc<Source>) {
        self.remove(&path);
        self.lines += source.tokens.line_count();
        let used = self.uses;
        self.files.insert(
            path,
            KeptFile {
                stamp,
                source,
                used,
            },
        );
        while self.lines > KEPT_LINES_MAX.max(lines_max()) {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.used);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
                return;
            };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, path: &PathBuf) {
        if let Some(file) = self.files.remove(path) {
            self.lines -= file.source.tokens.line_count();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        length: 1,
        modified: None,
    };

    fn source(lines: usize) -> Arc<Source> {
        Arc::new(Source::new("\n".repeat(lines - 1)))
    }

    #[test]
    fn what_was_not_used_for_longest_is_dropped() {
        let mut kept = Kept::new();
        let half = KEPT_LINES_MAX / 2;
        for name in ["a", "b"] {
            assert!(kept.find(Path::new(name), STAMP).is_none());
            kept.add(name.into(), STAMP, source(half));
        }
        assert!(kept.find(Path::new("a"), STAMP).is_some());
        kept.add("c".into(), STAMP, source(1));
        assert_eq!(kept.lines, half + 1);
        let names: Vec<&PathBuf> = kept.files.keys().collect();
        assert_eq!(names, [Path::new("a"), Path::new("c")]);
    }

    #[test]
    fn what_has_changed_is_not_kept() {
        let mut kept = Kept::new();
        kept.add("a".into(), STAMP, source(10));
        let modified = Some(SystemTime::UNIX_EPOCH);
        let later = Stamp { modified, ..STAMP };
        assert!(kept.find(Path::new("a"), later).is_none());
        assert_eq!((kept.lines, kept.files.len()), (0, 0));
    }

    #[test]
    fn a_file_larger_than_all_is_not_kept() {
        let mut kept = Kept::new();
        kept.add("a".into(), STAMP, source(KEPT_LINES_MAX + 1));
        assert_eq!((kept.lines, kept.files.len()), (0, 0));
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        assert!(open(Path::new("")).is_none());
        assert!(open(Path::new(env!("CARGO_MANIFEST_DIR"))).is_none());
        assert!(open(Path::new("no/such/file.rs")).is_none());
        assert!(open(Path::new("/dev/zero")).is_none());
    }
}
