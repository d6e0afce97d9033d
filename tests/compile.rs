//! What the compiler says, by code and place: robust against the words around ours, which change with the toolchain.
//!
//! A comment `//~ D040 stock` says that the line has one error of that code, and that `stock` is underlined; several are
//! divided by `; `. There must be these errors and no others. The words are in `tests/ui`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what cargo does not say as expected fails the test, as it should"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[path = "compile/pages.rs"]
mod pages;
#[path = "compile/show.rs"]
mod show;

/// An error: its code, its line, what is underlined there.
type Mistake = (String, u64, String);

/// The mistakes of each file.
type Mistakes = BTreeMap<String, Vec<Mistake>>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compile")
}

/// Runs cargo over the fixtures with the versions that the workspace has locked.
fn cargo(arguments: &[&str]) -> (bool, String, String) {
    let fixtures = fixtures();
    std::fs::copy(
        fixtures.join("../../Cargo.lock"),
        fixtures.join("Cargo.lock"),
    )
    .unwrap();
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--message-format=json"])
        .current_dir(&fixtures)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Beside what trybuild builds, in the target directory of this very test.
fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.ancestors().nth(3).unwrap().join("tests")
}

/// The errors in what cargo said.
fn found(messages: &str) -> Mistakes {
    let mut mistakes = Mistakes::new();
    for line in messages.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = &line["message"];
        let is_told = message["level"] == "error" || warned_code(message).is_some();
        if line["reason"] != "compiler-message" || !is_told {
            continue;
        }
        let spans = message["spans"].as_array().unwrap();
        for span in spans.iter().filter(|span| span["is_primary"] == true) {
            let file = span["file_name"].as_str().unwrap().to_owned();
            let of_file = mistakes.entry(file).or_default();
            of_file.push((
                code(message),
                span["line_start"].as_u64().unwrap(),
                underlined(span),
            ));
        }
    }
    for mistakes in mistakes.values_mut() {
        mistakes.sort();
    }
    mistakes
}

/// A warning of ours is the use of something that is deprecated: its code is in the middle.
fn warned_code(message: &Value) -> Option<String> {
    let (_, note) = message["message"]
        .as_str()?
        .split_once("durable_runtime::warning::")?;
    Some(note.split('`').next()?.to_owned())
}

/// Ours, or rustc's; those of its parser have none.
fn code(message: &Value) -> String {
    if let Some(code) = warned_code(message) {
        return code;
    }
    let text = message["message"].as_str().unwrap();
    let ours = text
        .strip_prefix('[')
        .and_then(|text| text.split(']').next());
    let code = ours.or_else(|| message["code"]["code"].as_str());
    code.unwrap_or("syntax").to_owned()
}

/// What is underlined in the first line of the span.
fn underlined(span: &Value) -> String {
    let line = &span["text"][0];
    let column = |name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap() - 1;
    let (start, end) = (column("highlight_start"), column("highlight_end"));
    let text = line["text"].as_str().unwrap().chars();
    let text: String = text.skip(start).take(end - start).collect();
    let code = text.split("//~").next().unwrap_or_default();
    code.trim_end().to_owned()
}

/// What the comments say of a file.
fn expected(text: &str) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((_, comment)) = text.split_once("//~ ") else {
            continue;
        };
        for mistake in comment.split("; ") {
            let (code, underlined) = mistake.split_once(' ').unwrap_or((mistake, ""));
            mistakes.push((code.to_owned(), line, underlined.to_owned()));
        }
    }
    mistakes.sort();
    mistakes
}

/// What the comments say of each file below the directory.
fn expected_below(directory: &str) -> Mistakes {
    let root = fixtures();
    let mut mistakes = Mistakes::new();
    for entry in std::fs::read_dir(root.join(directory)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            mistakes.extend(expected_below(name));
            continue;
        }
        let of_file = expected(&std::fs::read_to_string(&path).unwrap());
        if !of_file.is_empty() {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy();
            mistakes.insert(name.into_owned(), of_file);
        }
    }
    mistakes
}

fn assert_same(found: &Mistakes, expected: &Mistakes) {
    let mut differences = Vec::new();
    let files: std::collections::BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    for file in files {
        let none = Vec::new();
        let (found, expected) = (
            found.get(file).unwrap_or(&none),
            expected.get(file).unwrap_or(&none),
        );
        let mut rest = found.clone();
        for mistake in expected {
            match rest.iter().position(|it| it == mistake) {
                Some(at) => drop(rest.remove(at)),
                None => differences.push((
                    file,
                    mistake.1,
                    format!("missing: {} at `{}`", mistake.0, mistake.2),
                )),
            }
        }
        let unexpected = rest
            .into_iter()
            .map(|(code, line, text)| (file, line, format!("unexpected: {code} at `{text}`")));
        differences.extend(unexpected);
    }
    differences.sort();
    let lines: Vec<_> = differences
        .iter()
        .map(|(file, line, what)| format!("{file}:{line}: {what}"))
        .collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn every_mistake_is_one_error_where_it_was_made() {
    let (_, messages, said) = cargo(&["check", "-p", "mistakes", "--bins", "--keep-going"]);
    let found = found(&messages);
    assert!(!found.is_empty(), "{said}");
    assert_same(&found, &expected_below("mistakes/src/bin"));
}

#[test]
fn every_name_is_told_of_under_whatever_name() {
    let (_, messages, said) = cargo(&["check", "-p", "names", "--bins", "--keep-going"]);
    let found = found(&messages);
    assert!(!found.is_empty(), "{said}");
    assert_same(&found, &expected_below("names/src/bin"));
}

/// What the pages say to write instead says nothing, in a crate of an older edition as well, and under other paths.
#[test]
fn what_the_pages_say_to_write_instead_is_accepted() {
    let (is_built, messages, said) = cargo(&["check", "-p", "older", "--all-targets"]);
    assert!(is_built, "{said}{messages}");
    assert_same(&found(&messages), &Mistakes::new());
}

#[test]
fn ordinary_errors_are_those_of_plain_rust() {
    let check = ["check", "-p", "ordinary", "--bins", "--keep-going"];
    let (_, messages, said) = cargo(&check);
    let durable = found(&messages);
    assert!(!durable.is_empty(), "{said}");
    let (_, messages, _) = cargo(&[&check[..], &["--features", "plain"]].concat());
    assert_same(&durable, &found(&messages));
    assert_same(&durable, &expected_below("ordinary/src/bin"));
}

/// Each of the functions is told of, at its own lines, and never at its attribute; who calls them is not.
#[test]
fn a_half_typed_body_hides_no_signature() {
    let (_, messages, said) = cargo(&["check", "-p", "half_typed"]);
    let found = found(&messages)
        .remove("half_typed/src/main.rs")
        .expect(&said);
    let text = std::fs::read_to_string(fixtures().join("half_typed/src/main.rs")).unwrap();
    let mut function = String::new();
    let mut told = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((_, rest)) = line.split_once("async fn ") {
            function = rest.split('(').next().unwrap_or_default().to_owned();
        }
        let here = found.iter().filter(|mistake| mistake.1 == number);
        assert!(
            !line.starts_with("#[") || here.clone().next().is_none(),
            "{number}: {line}"
        );
        *told.entry(function.clone()).or_insert(0) += here.count();
    }
    for (function, count) in told {
        let is_typed = function.starts_with("typed_");
        assert_eq!(
            count > 0,
            is_typed,
            "`{function}` has {count} errors: {found:#?}"
        );
    }
}

/// A crate of which not all is read says so once, and is built; read as a whole, it says what is wrong.
#[test]
fn what_was_not_read_is_told_of_once() {
    let bound = "env.DURABLE_INDEX_LINES=\"20\"";
    let (is_built, messages, said) = cargo(&["check", "-p", "large", "--config", bound]);
    assert!(is_built, "{said}");
    assert_same(&found(&messages), &expected_below("large/src"));
    let (is_built, messages, said) = cargo(&["check", "-p", "large", "--features", "whole"]);
    assert!(!is_built, "{said}");
    let found = found(&messages).remove("large/src/lib.rs").expect(&said);
    let told: Vec<_> = found
        .iter()
        .map(|(code, _, what)| (code.as_str(), what.as_str()))
        .collect();
    assert_eq!(told, [("D001", "far::today"), ("D001", "far::today")]);
}

/// The corpus denies warnings, so one would be an error.
#[test]
fn nothing_is_said_of_ordinary_code() {
    let (is_built, messages, said) = cargo(&["check", "-p", "corpus"]);
    assert_eq!(found(&messages), Mistakes::new());
    assert!(is_built, "{said}");
}

/// Lines that are neither empty nor comments.
#[test]
fn the_corpus_is_large_enough_to_mean_something() {
    let mut lines = 0;
    for entry in std::fs::read_dir(fixtures().join("corpus/src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        lines += text.lines().map(str::trim).filter(is_code).count();
    }
    assert!(lines >= 3000, "{lines} lines of code");
}
