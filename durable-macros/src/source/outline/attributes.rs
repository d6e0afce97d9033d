//! What attributes say about names.

use std::ops::Range;

use super::super::lexer::Delimiter;
use super::super::tokens::Tokens;

/// The attributes before an item.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) gate: Gate,
    /// `#[path = ".."]`, also those of a `cfg_attr`.
    pub(super) paths: Vec<String>,
    /// One of the paths holds in any case.
    pub(super) has_certain_path: bool,
    /// `#[macro_use]`
    pub(super) brings_macros: bool,
}

/// In which builds an item is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Gate {
    #[default]
    Always,
    /// A `#[cfg]` decides, so that there may be another of its name.
    Sometimes,
    /// Only in those for tests: a `#[cfg]` wants them, or it is a test.
    InTests,
}

impl Attributes {
    /// Reads all that begin at `at`, and tells where they end.
    pub(super) fn read(tokens: &Tokens, at: usize, end: usize) -> (Self, usize) {
        let mut attributes = Self::default();
        let mut at = at;
        while let Some(inner) = attribute(tokens, at, end) {
            attributes.add(tokens, inner.clone());
            at = tokens.after(inner.start - 1);
        }
        (attributes, at)
    }

    fn add(&mut self, tokens: &Tokens, inner: Range<usize>) {
        let arguments = inner.start + 1;
        match tokens.ident(inner.start) {
            Some("cfg") => {
                let is_test = requires_test(tokens, arguments);
                self.add_gate(if is_test {
                    Gate::InTests
                } else {
                    Gate::Sometimes
                });
            }
            Some("path") if tokens.is_punct(arguments, b'=') => {
                self.has_certain_path = true;
                self.paths.extend(string(tokens, arguments + 1));
            }
            Some("cfg_attr") => {
                let is_path = |at| tokens.is(at, "path") && tokens.is_punct(at + 1, b'=');
                let range = arguments + 1..tokens.close_of(arguments);
                let path = tokens.find(range.clone(), is_path);
                if path < range.end {
                    self.paths.extend(string(tokens, path + 2));
                }
            }
            Some("macro_use") => self.brings_macros = true,
            Some(_) => {
                let path = tokens.path(inner.start, inner.end);
                let last = path.as_ref().and_then(|(path, _)| path.last());
                if last.is_some_and(|last| last == "test") {
                    self.add_gate(Gate::InTests);
                }
            }
            None => {}
        }
    }

    fn add_gate(&mut self, gate: Gate) {
        self.gate = self.gate.max(gate);
    }
}

/// What stands in the brackets of the attribute that begins at `at`.
pub(in super::super) fn attribute(tokens: &Tokens, at: usize, end: usize) -> Option<Range<usize>> {
    if !tokens.is_punct(at, b'#') {
        return None;
    }
    let open = if tokens.is_punct(at + 1, b'!') {
        at + 2
    } else {
        at + 1
    };
    let is_whole = open < end && tokens.is_open(open, Delimiter::Bracket);
    is_whole.then(|| open + 1..tokens.close_of(open))
}

/// Whether `(..)` at `open` holds only if `test` does: it says so itself, or all of several things of which one does.
fn requires_test(tokens: &Tokens, open: usize) -> bool {
    let mut waiting = vec![open];
    while let Some(open) = waiting.pop() {
        let end = tokens.close_of(open);
        let mut at = open + 1;
        while at < end {
            let is_group = tokens.is_open(at + 1, Delimiter::Parenthesis);
            if tokens.is(at, "test") && !is_group {
                return true;
            }
            if tokens.is(at, "all") && is_group {
                waiting.push(at + 1);
            }
            at = tokens.after(at);
        }
    }
    false
}

/// The value of a literal without escapes.
fn string(tokens: &Tokens, at: usize) -> Option<String> {
    let text = tokens.text(at).trim_start_matches('r').trim_matches('#');
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\\", "\\"))
}
