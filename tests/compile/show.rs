//! What the documents show of the compiler is what it says.
//!
//! `BLESS=1` writes the end of `docs/determinism.md` anew; the three in the README are copied from there by hand.

use std::path::Path;

use serde_json::Value;

use super::{cargo, fixtures};

/// Where the part of the document begins that is written here; it goes to the end.
const HEADING: &str = "## Twenty ordinary mistakes\n";

const INTRODUCTION: &str = "
What people write who are new here, and what the compiler says to it, word for word: a test compiles these files together, and compares. Each
gets one error. Left out is what rustc adds to some of them, a note about a bound in the runtime.
";

/// An error as the compiler prints it, and the file that it is in.
struct Printed {
    file: String,
    text: String,
}

fn printed(package: &str, bin: &[&str]) -> Vec<Printed> {
    let (_, messages, said) = cargo(&[&["check", "-p", package], bin].concat());
    let messages = messages
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let errors = messages.filter_map(|line: Value| error(&line["message"]));
    let errors: Vec<Printed> = errors.collect();
    assert!(!errors.is_empty(), "{said}");
    errors
}

/// The last errors of cargo only count the others.
fn error(message: &Value) -> Option<Printed> {
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    (message["level"] == "error").then(|| Printed {
        file: primary["file_name"].as_str().unwrap().to_owned(),
        text: trimmed(message["rendered"].as_str().unwrap()),
    })
}

/// Without the note about the runtime, whose lines come and go, and with a margin as wide as the lines of the user need.
fn trimmed(rendered: &str) -> String {
    let end = rendered.find("\nnote: required by a bound in");
    let kept = rendered[..end.unwrap_or(rendered.len())].trim_end();
    let margin = |line: &str| line.find("--> ");
    let wide = kept.lines().find_map(margin).unwrap();
    let number = |line: &str| {
        let (number, _) = line.split_once(" |")?;
        number.trim().parse::<u32>().ok()?;
        Some(number.trim().len())
    };
    let needed = kept.lines().filter_map(number).max().unwrap();
    let spare = " ".repeat(wide - needed);
    let (said, shown) = kept.split_at(kept.find(&format!("\n{}--> ", " ".repeat(wide))).unwrap());
    let shown = shown
        .lines()
        .map(|line| line.strip_prefix(&spare).unwrap_or(line));
    format!("{said}{}\n", shown.collect::<Vec<_>>().join("\n"))
}

/// The files of the package `shop`, in the order of its modules.
fn mistakes() -> Vec<String> {
    let main = read("shop/src/main.rs");
    let names = main
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("shop/src/{name}.rs")).collect()
}

/// A mistake with its title, its lines, what is said of it, and what to write.
fn section(number: usize, file: &str, errors: &[&Printed]) -> String {
    let text = read(file);
    let (about, code) = text.split_once("\n\n").unwrap();
    let about: Vec<&str> = about.lines().map(|line| line[3..].trim()).collect();
    let [title, "", write] = about[..] else {
        panic!("{file} begins with {about:?}")
    };
    let [error] = errors else {
        panic!("{file} has {} errors", errors.len())
    };
    let code = code.replace("use crate::charge;\n", "");
    let code = code.replace("use durable_runtime::prelude::*;\n", "");
    let (code, error) = (code.trim(), &error.text);
    format!("\n### {number}. {title}\n\n```rust\n{code}\n```\n\n```text\n{error}```\n\n{write}\n")
}

/// Nine mistakes at once, each by the first line of what is said, and the function with all of them mended.
fn at_once() -> String {
    let file = "names/src/bin/checkout.rs";
    let wrong = function(&read(file), "#[orchestrator]\n");
    let lines = wrong.lines().map(|line| line.split(" //~").next().unwrap());
    let wrong: Vec<&str> = lines.collect();
    let mut errors = printed("names", &["--bin", "checkout"]);
    errors.sort_by_key(|error| line_of(&error.text));
    assert_eq!(errors.len(), 9);
    let short = errors.iter().map(|error| {
        let (said, _) = error
            .text
            .split_once(": it")
            .or(error.text.split_once(": its"))
            .unwrap();
        let place = error
            .text
            .lines()
            .find_map(|line| line.trim().strip_prefix("--> "));
        format!(
            "{}\n --> {}\n",
            said.lines().next().unwrap(),
            place.unwrap()
        )
    });
    let short: String = short.collect();
    let mended = function(
        &read("../it/determinism.rs"),
        "#[orchestrator(name = \"determinism.checkout\")]\n",
    );
    let mended = mended.replacen("(name = \"determinism.checkout\")", "", 1);
    format!(
        "\n### Nine at once\n\nOne build tells of all; the imports are as above:\n\n```rust\n{}\n```\n\nOf each, how it begins, and its place:\n\n```text\n{short}```\n\n\
         With each as its message suggests it compiles and runs, in `tests/it/determinism.rs`; `mail` is an activity:\n\n```rust\n{mended}\n```\n",
        wrong.join("\n")
    )
}

fn line_of(text: &str) -> u32 {
    let place = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("--> "))
        .unwrap();
    place.split(':').nth(1).unwrap().parse().unwrap()
}

/// The function that begins with this attribute.
fn function(text: &str, attribute: &str) -> String {
    let begin = text.find(attribute).unwrap();
    let end = text[begin..].find("\n}").unwrap();
    format!("{}\n}}", &text[begin..begin + end])
}

fn read(path: &str) -> String {
    std::fs::read_to_string(fixtures().join(path)).unwrap()
}

#[test]
fn the_documents_show_what_the_compiler_says() {
    let errors = printed("shop", &[]);
    let files = mistakes();
    assert_eq!((files.len(), errors.len()), (20, 20));
    let mut expected = format!("{HEADING}{INTRODUCTION}");
    for (number, file) in (1..).zip(&files) {
        let of_file = errors.iter().filter(|error| error.file == *file);
        expected += &section(number, file, &of_file.collect::<Vec<_>>());
    }
    expected += &at_once();

    let path = Path::new("../../docs/determinism.md");
    let document = read(path.to_str().unwrap());
    let (before, shown) = document.split_at(document.find(HEADING).unwrap());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(fixtures().join(path), format!("{before}{expected}")).unwrap();
    } else {
        for (shown, expected) in shown.lines().zip(expected.lines()) {
            assert_eq!(shown, expected, "BLESS=1 writes it anew");
        }
        assert_eq!(shown, expected, "BLESS=1 writes it anew");
    }

    let readme = read("../../README.md");
    let told = readme
        .split("```text\nerror")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let told: Vec<&str> = told.collect();
    assert_eq!(told.len(), 3);
    for told in told {
        assert!(
            expected.contains(&format!("```text\nerror{told}```")),
            "in the README only:\nerror{told}"
        );
    }
}
