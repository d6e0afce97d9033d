//! Which file a crate may begin with, guessed from where another file of it lies.

use std::path::{Path, PathBuf};

/// Directories above the file that are looked into.
const LEVELS_MAX: usize = 16;

/// The facts that cargo tells a compiler. In an editor there may be none.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The name of the crate, as in paths.
    pub(super) krate: Option<String>,
    /// It is a program.
    pub(super) is_program: bool,
}

impl Facts {
    pub(super) fn from_env() -> Self {
        Self {
            krate: std::env::var("CARGO_CRATE_NAME").ok(),
            is_program: std::env::var_os("CARGO_BIN_NAME").is_some(),
        }
    }
}

/// Files that may be the root of the crate that `file` belongs to, the likeliest first; `file` itself is the last. They exist.
///
/// By cargo's rules that is `lib.rs` or `main.rs` in a directory above, or the file that is named like the crate; or else what
/// the manifest says.
pub(super) fn candidates(file: &Path, facts: &Facts) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let is_root_name = ["lib.rs", "main.rs"]
        .iter()
        .any(|name| file.ends_with(name));
    if is_root_name || is_named_like(file, facts) {
        found.push(file.to_owned());
    }
    for directory in file.ancestors().skip(1).take(LEVELS_MAX) {
        found.extend(in_directory(directory, facts));
        let manifest = directory.join("Cargo.toml");
        if manifest.is_file() {
            found.extend(in_manifest(&manifest, directory));
            break;
        }
    }
    found.push(file.to_owned());
    found
}

fn is_named_like(file: &Path, facts: &Facts) -> bool {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().replace('-', "_"));
    stem.is_some() && stem == facts.krate
}

fn in_directory(directory: &Path, facts: &Facts) -> Vec<PathBuf> {
    let mut names = Vec::new();
    if let Some(krate) = &facts.krate {
        for name in [krate.clone(), krate.replace('_', "-")] {
            names.push(format!("{name}.rs"));
            names.push(format!("{name}/main.rs"));
        }
    }
    let roots = if facts.is_program {
        ["main.rs", "lib.rs"]
    } else {
        ["lib.rs", "main.rs"]
    };
    names.extend(roots.map(str::to_owned));
    let files = names.iter().map(|name| directory.join(name));
    files.filter(|file| file.is_file()).collect()
}

/// What `path = ".."` says of targets; other paths of a manifest are no Rust files.
fn in_manifest(manifest: &Path, directory: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let paths = text.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.split('#').next()?.trim();
        let path = value.trim_matches(|quote| matches!(quote, '"' | '\''));
        let is_root = key.trim() == "path" && Path::new(path).extension()? == "rs";
        is_root.then(|| directory.join(path))
    });
    paths.filter(|file| file.is_file()).collect()
}
