//! Searches in a list of tokens, which go over groups and not into them.

use std::ops::Range;

use super::Tokens;

/// Steps of one search. What a person writes has fewer; what is no Rust must not cost the square of its length.
const STEPS_MAX: usize = 1_000;

impl Tokens {
    /// The first index in `range` at which `is_found`, not looking into groups; the end, if there is none.
    pub(in super::super) fn find(
        &self,
        range: Range<usize>,
        is_found: impl Fn(usize) -> bool,
    ) -> usize {
        search(range, is_found, |at| self.after(at))
    }

    /// The same, not looking into angle brackets either, where braces and `=` mean something else.
    pub(in super::super) fn find_flat(
        &self,
        range: Range<usize>,
        is_found: impl Fn(usize) -> bool,
    ) -> usize {
        let end = range.end;
        search(range, is_found, |at| {
            if self.is_punct(at, b'<') {
                self.after_generics(at, end)
            } else {
                self.after(at)
            }
        })
    }

    /// The same in expressions, where `<` begins generic arguments only after `::`, or in the type of a cast.
    pub(in super::super) fn find_in_code(
        &self,
        range: Range<usize>,
        is_found: impl Fn(usize) -> bool,
    ) -> usize {
        let end = range.end;
        search(range, is_found, |at| {
            if self.is_path_separator(at) && self.is_punct(at + 2, b'<') {
                self.after_generics(at + 2, end)
            } else if self.is(at, "as") {
                self.after_cast(at + 1, end)
            } else if self.begins_qualified(at) {
                self.after_generics(at, end)
            } else {
                self.after(at)
            }
        })
    }

    /// The parts of a list in `range`, without what is in groups and angle brackets.
    pub(in super::super) fn split(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut start = range.start;
        std::iter::from_fn(move || {
            let from = start;
            let comma = self.find_flat(from..range.end, |at| self.is_punct(at, b','));
            start = comma + 1;
            (from < range.end).then_some(from..comma)
        })
    }

    /// After the `<..>` that begins at `index`; a `>` after `-` or `=` belongs to an arrow. Ends at a `;` at the latest.
    pub(in super::super) fn after_generics(&self, index: usize, end: usize) -> usize {
        let mut depth = 0_usize;
        let mut at = index;
        for _ in 0..STEPS_MAX {
            if at >= end {
                break;
            }
            if self.is_punct(at, b'<') {
                depth += 1;
            } else if self.is_pair(at, *b"->") || self.is_pair(at, *b"=>") {
                at += 1;
            } else if self.is_punct(at, b'>') {
                depth = depth.saturating_sub(1);
            } else if self.is_punct(at, b';') || self.is_any_close(at) {
                return at;
            }
            at = self.after(at);
            if depth == 0 {
                return at;
            }
        }
        end
    }

    /// The `<` of `<A as B>::c`, which is no comparison.
    pub(in super::super) fn begins_qualified(&self, at: usize) -> bool {
        let is_shift = || {
            at.checked_sub(1)
                .is_some_and(|before| self.is_pair(before, *b"<<"))
        };
        self.is_punct(at, b'<') && self.begins_expression(at) && !is_shift()
    }

    /// After the type of a cast, which names nothing that runs.
    pub(in super::super) fn after_cast(&self, at: usize, end: usize) -> usize {
        let is_sigil = |at| {
            let is_mark =
                self.is_punct(at, b'*') || self.is_punct(at, b'&') || self.is_lifetime(at);
            is_mark || ["const", "mut", "dyn"].iter().any(|word| self.is(at, word))
        };
        let start = (at..end).find(|at| !is_sigil(*at)).unwrap_or(end);
        if self.is_any_open(start) {
            return self.after(start);
        }
        let path = self.type_path(start, end);
        path.map_or(start, |(_, after)| after).max(at)
    }

    /// The path that begins at `index`, generic arguments left out, and the index after it. A leading `::` is an empty segment.
    pub(in super::super) fn path(&self, index: usize, end: usize) -> Option<(Vec<String>, usize)> {
        let mut path = Vec::new();
        let mut at = index;
        if self.is_path_separator(at) {
            path.push(String::new());
            at += 2;
        }
        path.push(self.name(at).filter(|_| at < end)?.to_owned());
        at += 1;
        loop {
            if self.is_path_separator(at) && at + 2 < end {
                if self.is_punct(at + 2, b'<') {
                    at = self.after_generics(at + 2, end);
                    continue;
                }
                if let Some(name) = self.name(at + 2) {
                    path.push(name.to_owned());
                    at += 3;
                    continue;
                }
            }
            return Some((path, at));
        }
    }

    /// The same of a type, where generic arguments need no `::`.
    pub(in super::super) fn type_path(
        &self,
        index: usize,
        end: usize,
    ) -> Option<(Vec<String>, usize)> {
        let (mut path, mut at) = self.path(index, end)?;
        while at < end {
            // After a cast there may be a comparison.
            if self.is_punct(at, b'<') && !self.is_pair(at, *b"<=") {
                at = self.after_generics(at, end);
            } else if self.is_path_separator(at)
                && let Some((rest, after)) = self.path(at + 2, end)
            {
                path.extend(rest);
                at = after;
            } else {
                break;
            }
        }
        Some((path, at))
    }
}

fn search(
    range: Range<usize>,
    is_found: impl Fn(usize) -> bool,
    next: impl Fn(usize) -> usize,
) -> usize {
    let mut at = range.start;
    for _ in 0..STEPS_MAX {
        if at >= range.end {
            break;
        }
        if is_found(at) {
            return at;
        }
        at = next(at).max(at + 1);
    }
    range.end
}
