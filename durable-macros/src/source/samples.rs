//! Texts to try the index on: every Rust file of this repository, of the crates that were downloaded to build it, and chance.

use std::path::{Path, PathBuf};

/// The files of this repository, each with its text.
pub(super) fn ours() -> impl Iterator<Item = (PathBuf, String)> {
    read(written())
}

/// All files.
pub(super) fn all() -> impl Iterator<Item = (PathBuf, String)> {
    let mut files = written();
    files.extend(downloaded());
    read(files)
}

/// Enough of them for what takes long; all with `DURABLE_SAMPLES=all`.
pub(super) fn some() -> impl Iterator<Item = (PathBuf, String)> {
    let is_all = std::env::var_os("DURABLE_SAMPLES").is_some_and(|samples| samples == "all");
    let mut files = written();
    files.extend(
        downloaded()
            .into_iter()
            .step_by(if is_all { 1 } else { 12 }),
    );
    read(files)
}

fn read(files: Vec<PathBuf>) -> impl Iterator<Item = (PathBuf, String)> {
    files.into_iter().filter_map(|file| {
        let text = std::fs::read_to_string(&file).ok()?;
        Some((file, text))
    })
}

fn written() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for part in ["durable-macros", "durable-runtime", "examples", "tests"] {
        collect(&here.join(part), &mut files);
    }
    assert!(files.len() > 100, "this repository has files");
    files
}

fn downloaded() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(cargo) = cargo.or_else(|| Some(std::env::home_dir()?.join(".cargo"))) {
        collect(&cargo.join("registry").join("src"), &mut files);
    }
    files
}

/// The Rust files in a directory, in order.
pub(crate) fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    entries.sort();
    for entry in entries {
        // What is in `ui` is there to be wrong.
        if entry.is_dir() && !entry.ends_with("target") && !entry.ends_with("ui") {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

/// Without what is before the code, which only rustc's driver reads.
pub(super) fn code(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_script = text.starts_with("#!") && !text[2..].trim_start().starts_with('[');
    match text.find('\n') {
        Some(end) if is_script => &text[end..],
        _ => text,
    }
}

/// Chance, the same at each run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Pieces of Rust, put together by somebody who does not know it.
    pub(super) fn text(&mut self, pieces: usize) -> String {
        (0..pieces)
            .map(|_| PIECES[self.below(PIECES.len())])
            .collect()
    }
}

const PIECES: &[&str] = &[
    "use ",
    "mod ",
    "fn ",
    "impl ",
    "for ",
    "trait ",
    "enum ",
    "struct ",
    "type ",
    "static ",
    "const ",
    "let ",
    "match ",
    "if ",
    "else ",
    "unsafe ",
    "async ",
    "move ",
    "pub ",
    "extern ",
    "crate",
    "self",
    "super",
    "Self",
    "as ",
    "in ",
    "where ",
    "macro_rules",
    "a",
    "b",
    "f",
    "x ",
    "T",
    "::",
    ":",
    ";",
    ",",
    ".",
    "..",
    "=",
    "=>",
    "->",
    "==",
    "&&",
    "||",
    "|",
    "<",
    ">",
    "<<",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#",
    "#!",
    "!",
    "$",
    "*",
    "&",
    "'",
    "'a",
    "'a'",
    "'\\",
    "\"",
    "\\",
    "r\"",
    "r#",
    "r#\"",
    "b'",
    "br#\"",
    "c\"",
    "/*",
    "*/",
    "//",
    "\n",
    " ",
    "1",
    "1.",
    "0x",
    "e-",
    "é",
    "\u{1F600}",
    "\u{0}",
    "\u{feff}",
    "\u{200e}",
    "#[cfg(test)]",
    "#[path = \"",
    "#[cfg(all(",
    "union ",
    "?",
    "side_effect(",
    "nondeterminism(allow(",
];
