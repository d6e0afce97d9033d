//! The rules of this repository, as tests: who may know whom, how long a file may be, what must be written down.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a file of the repository that cannot be read fails the test, as it should"
)]

use std::path::{Path, PathBuf};

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/semantics.rs"]
mod semantics;
#[path = "tidy/source.rs"]
mod source;

/// Where the rule about the length of a file ends the discussion.
const FILE_LINES_MAX: usize = 500;
/// An example is read from top to bottom in one go.
const EXAMPLE_LINES_MAX: usize = 150;

#[test]
fn modules_use_only_what_lies_below_them() {
    let src = root().join("durable-runtime/src");
    let mut wrong = Vec::new();
    for path in files(&src, "rs") {
        let inside = path.strip_prefix(&src).unwrap();
        let shown = relative(&path);
        wrong.extend(
            layers::breaches(inside, &read(&path)).map(|breach| format!("{shown}:{breach}")),
        );
    }
    assert_none(&wrong);
}

#[test]
fn no_file_is_longer_than_a_chapter() {
    let long = files(&root(), "rs").into_iter().filter_map(|path| {
        let lines = read(&path).lines().count();
        let is_example = path.parent() == Some(&root().join("examples"));
        let max = if is_example {
            EXAMPLE_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        too_long(&relative(&path), lines, max)
    });
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn the_changelog_tells_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = read(&root().join("CHANGELOG.md"));
    assert!(
        documents::has_release(&changelog, version),
        "CHANGELOG.md has no section `## {version}`"
    );
}

#[test]
fn relative_links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in files(&root(), "md") {
        let directory = path.parent().unwrap();
        for (line, link) in documents::relative_links(&read(&path)) {
            if !directory.join(&link).exists() {
                broken.push(format!(
                    "{}:{line}: `{link}` does not exist",
                    relative(&path)
                ));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn what_the_documents_name_is_there() {
    let sources = files(&root(), "rs").into_iter();
    let sources: Vec<_> = sources.map(|path| (relative(&path), read(&path))).collect();
    let mut missing = Vec::new();
    for path in files(&root(), "md") {
        let named = documents::named(&read(&path)).into_iter();
        let unknown = named.filter(|(_, named)| !named.is_among(&sources));
        let shown = relative(&path);
        missing
            .extend(unknown.map(|(line, named)| format!("{shown}:{line}: there is no {named:?}")));
    }
    assert_none(&missing);
}

#[test]
fn every_rule_that_is_said_to_hold_has_a_test() {
    let sources = files(&root().join("tests/semantics"), "rs").into_iter();
    let tests: Vec<_> = sources
        .flat_map(|path| semantics::tests_of(&read(&path)))
        .collect();
    let table = read(&root().join("docs/semantics.md"));
    assert_none(&semantics::wrong(&table, &tests));
}

#[test]
fn every_example_is_declared_and_says_how_to_run_it() {
    let manifest = read(&root().join("examples/Cargo.toml"));
    let examples = std::fs::read_dir(root().join("examples")).unwrap();
    let sources = examples
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let wrong: Vec<String> = sources
        .filter_map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            documents::undeclared(&name, &read(&path), &manifest)
        })
        .collect();
    assert_none(&wrong);
}

fn too_long(file: &str, lines: usize, max: usize) -> Option<String> {
    (lines > max).then(|| format!("{file}: {lines} lines, at most {max}; look for its second idea"))
}

#[test]
fn a_file_of_just_too_many_lines_is_too_long() {
    assert_eq!(too_long("a.rs", 500, 500), None);
    let message = too_long("a.rs", 501, 500).unwrap();
    assert!(message.starts_with("a.rs: 501 lines"), "{message}");
}

/// Fails with all that is wrong, not with the first.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

/// All files below `directory` with this extension, ordered; not what is hidden or built.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
