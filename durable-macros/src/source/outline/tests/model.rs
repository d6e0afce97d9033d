//! The outline of real files, against what `syn` says of them.

mod bodies;
mod items;

use super::super::super::samples;
use super::*;

/// What one of the two says of a file, each line in the same words.
#[derive(Default)]
struct Said {
    lines: Vec<String>,
    /// Something that `syn` does not know, either.
    is_partial: bool,
}

#[test]
fn the_items_of_every_file_at_hand_are_those_that_syn_finds() {
    check(items::ours, items::theirs);
}

#[test]
fn what_the_bodies_of_every_file_at_hand_mention_is_what_syn_finds() {
    check(bodies::ours, bodies::theirs);
}

/// Compares what the two say of each file, in whatever order.
fn check(ours: fn(&Source) -> Vec<String>, theirs: fn(&syn::File) -> Said) {
    let (mut count, mut differences) = (0, Vec::new());
    for (path, text) in samples::some() {
        let Ok(file) = syn::parse_file(&text) else {
            continue;
        };
        let expected = theirs(&file);
        if !expected.is_partial {
            count += 1;
            let found = ours(&Source::new(text));
            let only_found = without(&found, &expected.lines);
            let only_expected = without(&expected.lines, &found);
            if !only_found.is_empty() || !only_expected.is_empty() {
                differences.push(format!(
                    "{}\n    found: {only_found:?}\n expected: {only_expected:?}",
                    path.display()
                ));
            }
        }
    }
    differences.truncate(20);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(count > 100, "{count}");
}

/// A few lines of which `list` has more than `other`.
fn without(list: &[String], other: &[String]) -> Vec<String> {
    let mut counts: HashMap<&String, usize> = HashMap::new();
    for line in other {
        *counts.entry(line).or_default() += 1;
    }
    let mut only = Vec::new();
    for line in list {
        match counts.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => only.push(line.clone()),
        }
    }
    only.truncate(8);
    only
}

/// Whether a token stands in what a macro takes, which `syn` does not read.
fn is_in_macro(source: &Source, at: usize) -> bool {
    let tokens = &source.tokens;
    tokens
        .groups_around(at)
        .filter(|open| *open >= 2)
        .any(|open| {
            let is_call = tokens.is_punct(open - 1, b'!') && tokens.name(open - 2).is_some();
            let is_definition = tokens.is_punct(open - 2, b'!') && tokens.name(open - 1).is_some();
            is_call || (is_definition && tokens.name(open - 3).is_some())
        })
}

fn plain(ident: &syn::Ident) -> String {
    use syn::ext::IdentExt as _;
    ident.unraw().to_string()
}

fn joined(path: &syn::Path) -> String {
    let root = path.leading_colon.map(|_| String::new());
    let names = path.segments.iter().map(|segment| plain(&segment.ident));
    root.into_iter().chain(names).collect::<Vec<_>>().join("::")
}
