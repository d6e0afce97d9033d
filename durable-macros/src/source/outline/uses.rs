//! `use` trees.

use super::super::lexer::Delimiter;
use super::super::tokens::Tokens;

/// Groups in groups beyond this are not read.
const DEPTH_MAX: usize = 32;

/// What a tree brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    /// A name, at a token, and the path that it stands for.
    Name(String, usize, Vec<String>),
    Glob(Vec<String>),
}

/// The leaves of the tree in `at..end`.
pub(super) fn leaves(tokens: &Tokens, at: usize, end: usize) -> Vec<Leaf> {
    let mut reader = Reader {
        tokens,
        leaves: Vec::new(),
    };
    reader.tree(at, end, &[], 0);
    reader.leaves
}

struct Reader<'a> {
    tokens: &'a Tokens,
    leaves: Vec<Leaf>,
}

impl Reader<'_> {
    fn tree(&mut self, at: usize, end: usize, prefix: &[String], depth: usize) {
        let mut path = prefix.to_vec();
        let mut at = at;
        if self.tokens.is_path_separator(at) {
            if path.is_empty() {
                path.push(String::new());
            }
            at += 2;
        }
        while at < end {
            if self.tokens.is_open(at, Delimiter::Brace) {
                if depth < DEPTH_MAX {
                    self.group(at, end, &path, depth + 1);
                }
                return;
            }
            if self.tokens.is_punct(at, b'*') {
                self.leaves.push(Leaf::Glob(path));
                return;
            }
            let Some(name) = self.tokens.name(at) else {
                return;
            };
            // `a::{self}` is `a`; `self` alone is a path.
            if name != "self" || path.is_empty() {
                path.push(name.to_owned());
            }
            if !self.tokens.is_path_separator(at + 1) || at + 1 >= end {
                self.name(at, end, path);
                return;
            }
            at += 3;
        }
    }

    fn group(&mut self, open: usize, end: usize, prefix: &[String], depth: usize) {
        let end = self.tokens.close_of(open).min(end);
        let mut at = open + 1;
        while at < end {
            let comma = self
                .tokens
                .find(at..end, |at| self.tokens.is_punct(at, b','));
            self.tree(at, comma, prefix, depth);
            at = comma + 1;
        }
    }

    /// The last segment, at `at`, which may be renamed.
    fn name(&mut self, at: usize, end: usize, path: Vec<String>) {
        let is_renamed = at + 2 < end && self.tokens.is(at + 1, "as");
        let name = if is_renamed {
            // `as _` brings no name.
            self.tokens.name(at + 2).map(str::to_owned)
        } else {
            path.last().cloned()
        };
        let at = if is_renamed { at + 2 } else { at };
        self.leaves
            .extend(name.map(|name| Leaf::Name(name, at, path)));
    }
}
