//! Who may know whom.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source;

/// The modules of the runtime, lowest first. A module uses those of the lines above its own, and nothing else.
const LAYERS: &[&[&str]] = &[
    &["collections", "limits", "panics", "sites", "warning"],
    &["clock", "id", "payload"],
    &["failure", "retry", "trace"],
    &["error", "event"],
    &["activity", "durable"],
    &["definition"],
    &["replay", "store"],
    &["orchestration"],
    &["registry"],
    &["engine"],
    &["explain"],
    &["client"],
    &["testing"],
    // The doorway for expansions: nothing of ours goes through it.
    &["private"],
];

/// Files that may use everything: the crate's page and its curated exports.
const ABOVE_ALL: [&str; 2] = ["lib", "prelude"];

/// The breaches of the order in one file of the runtime, each with its line.
pub(crate) fn breaches(file: &Path, text: &str) -> impl Iterator<Item = String> {
    let module = file.iter().next().unwrap_or_default().to_string_lossy();
    let module = module.trim_end_matches(".rs").to_owned();
    let is_free = ABOVE_ALL.contains(&&*module) || is_test(file);
    let uses = if is_free { BTreeSet::new() } else { uses(text) };
    uses.into_iter().filter_map(move |(line, used)| {
        let why = refusal(&module, &used)?;
        Some(format!("{line}: `{module}` uses `crate::{used}`; {why}"))
    })
}

fn refusal(module: &str, used: &str) -> Option<&'static str> {
    match (layer(module), layer(used)) {
        _ if module == used => None,
        (None, _) => Some("it has no place in the order of layers; give it one"),
        (_, None) => Some("that is no module in the order of layers; name the module"),
        (Some(own), Some(other)) if other < own => None,
        (Some(own), Some(other)) if other == own => Some("the two may not see one another"),
        _ => Some("that lies above it"),
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn is_test(file: &Path) -> bool {
    file.iter()
        .any(|part| part == "tests" || part == "tests.rs")
}

/// What follows each `crate::` in code that is not test code, with its line.
fn uses(text: &str) -> BTreeSet<(usize, String)> {
    let code = source::without_tests(&source::code_only(text));
    let mut uses = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate` is the doorway of a macro: it is entered from the user's crate.
        if code[..at].ends_with('$') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let path = &code[at + "crate::".len()..];
        uses.extend(heads(path).into_iter().map(|head| (line, head)));
    }
    uses
}

/// The first names of a path: one, or those of a group.
fn heads(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut depth = 0;
    let mut heads = vec![name(group.trim_start())];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    heads.retain(|head| !head.is_empty());
    heads
}

fn name(path: &str) -> String {
    let is_part = |character: &char| character.is_alphanumeric() || *character == '_';
    path.chars().take_while(is_part).collect()
}

#[cfg(test)]
fn told(file: &str, text: &str) -> Vec<String> {
    breaches(Path::new(file), text).collect()
}

#[test]
fn a_use_of_what_lies_below_is_free() {
    assert_eq!(
        told(
            "engine/shard.rs",
            "use crate::event::Name;\nuse crate::engine::x;"
        ),
        [""; 0]
    );
    assert_eq!(
        told("lib.rs", "pub use crate::testing::TestEngine;"),
        [""; 0]
    );
}

#[test]
fn a_use_of_what_lies_above_is_told_with_its_line() {
    let told = told("event.rs", "\nfn f() { crate::store::open() }");
    assert_eq!(told, ["2: `event` uses `crate::store`; that lies above it"]);
}

#[test]
fn store_and_replay_never_see_one_another() {
    let used = "use crate::{id::{EventId, SiteId},\n replay};";
    assert_eq!(
        told("store/fold.rs", used),
        ["1: `store` uses `crate::replay`; the two may not see one another"]
    );
    assert!(told("replay.rs", "use crate::store::Store;")[0].contains("one another"));
}

#[test]
fn what_has_no_place_in_the_order_is_refused() {
    assert!(told("helpers.rs", "use crate::id::EventId;")[0].contains("give it one"));
    assert!(told("store.rs", "use crate::Payload;")[0].contains("name the module"));
}

#[test]
fn comments_texts_and_tests_may_mention_anything() {
    let text = "//! [`crate::client`]\nconst A: &str = \"crate::client\";\n\
                #[cfg(test)]\nmod tests { use crate::client::Handle; }";
    assert_eq!(told("id.rs", text), [""; 0]);
    assert_eq!(
        told("id.rs", "macro_rules! m { () => { $crate::client::f() } }"),
        [""; 0]
    );
    assert_eq!(
        told("store/tests/crash.rs", "use crate::client::Handle;"),
        [""; 0]
    );
}
