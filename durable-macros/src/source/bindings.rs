//! The names that a function binds itself, and where each hides what is outside.

use std::ops::Range;

use super::files::Source;
use super::lexer::Delimiter;
use super::outline::{Function, attribute};
use super::tokens::Tokens;

/// What a function binds.
#[derive(Debug)]
pub(super) struct Bindings {
    names: Vec<Binding>,
    /// Patterns, with their types: nothing in them is an expression.
    patterns: Vec<Range<usize>>,
}

/// A name, and the tokens where it is known.
#[derive(Debug)]
struct Binding {
    name: String,
    range: Range<usize>,
    /// A generic parameter, which a path can begin with.
    is_generic: bool,
}

impl Bindings {
    pub(super) const NONE: Self = Self {
        names: Vec::new(),
        patterns: Vec::new(),
    };

    /// Whether a path that stands at a token begins with a name of the function.
    pub(super) fn hide(&self, path: &[String], at: usize) -> bool {
        let Some(head) = path.first() else {
            return false;
        };
        self.names.iter().any(|known| {
            known.name == *head
                && known.range.contains(&at)
                && (known.is_generic || path.len() == 1)
        })
    }

    /// The end of the pattern that begins at a token.
    pub(super) fn pattern_end(&self, start: usize) -> Option<usize> {
        let found = self
            .patterns
            .binary_search_by_key(&start, |range| range.start);
        let range = self.patterns.get(found.ok()?)?;
        Some(range.end)
    }
}

/// What `function` of `source` binds.
pub(super) fn of(source: &Source, function: &Function) -> Bindings {
    let mut reader = Reader {
        source,
        tokens: &source.tokens,
        found: Bindings::NONE,
    };
    if let Some(body) = function.body {
        let range = body..source.tokens.close_of(body);
        let outer = &source.outline.space(function.space).generics;
        reader.generics(outer.clone(), &range);
        reader.generics(function.generics.clone(), &range);
        reader.parameters(function.parameters.clone(), &range);
        reader.body(body + 1..range.end);
    }
    let mut found = reader.found;
    found.patterns.sort_by_key(|range| range.start);
    found
}

struct Reader<'a> {
    source: &'a Source,
    tokens: &'a Tokens,
    found: Bindings,
}

impl Reader<'_> {
    fn bind(&mut self, name: &str, range: &Range<usize>, is_generic: bool) {
        self.found.names.push(Binding {
            name: name.to_owned(),
            range: range.clone(),
            is_generic,
        });
    }

    fn generics(&mut self, generics: Range<usize>, known: &Range<usize>) {
        let inner = generics.start + 1..generics.end.max(1) - 1;
        for parameter in self.tokens.split(inner) {
            let is_const = self.tokens.is(parameter.start, "const");
            if let Some(name) = self.tokens.name(parameter.start + usize::from(is_const)) {
                self.bind(name, known, true);
            }
        }
    }

    /// Patterns, each with its type.
    fn parameters(&mut self, list: Range<usize>, known: &Range<usize>) {
        for parameter in self.tokens.split(list) {
            let colon = self
                .tokens
                .find(parameter.clone(), |at| self.tokens.is_colon(at));
            self.pattern(parameter.start..colon, known);
        }
    }

    /// Each small name that is no path, no field and no constructor.
    fn pattern(&mut self, pattern: Range<usize>, known: &Range<usize>) {
        let tokens = self.tokens;
        for at in pattern.clone() {
            let Some(name) = tokens.name(at) else {
                continue;
            };
            let is_part = at
                .checked_sub(2)
                .is_some_and(|before| tokens.is_path_separator(before));
            let is_head = tokens.is_path_separator(at + 1)
                || tokens.is_any_open(at + 1)
                || tokens.is_punct(at + 1, b'!')
                || (at + 1 < pattern.end && tokens.is_colon(at + 1));
            if !is_part && !is_head && !name.starts_with(char::is_uppercase) {
                self.bind(name, known, false);
            }
        }
    }

    fn body(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            if let Some(after) = self.source.outline.nested_item(at) {
                at = after.max(at + 1);
                continue;
            }
            let end = self.tokens.group_end(at).min(range.end);
            match self.tokens.ident(at) {
                Some("let") => self.let_(at, end),
                Some("for") => self.for_(at, end),
                Some("match") => self.match_(at, end),
                None if self.tokens.is_punct(at, b'|') => {
                    at = self.closure(at, end).unwrap_or(at);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// `let pattern: Type = value;`, or in a condition, up to the end of its block.
    fn let_(&mut self, at: usize, end: usize) {
        let tokens = self.tokens;
        let is_condition = at.checked_sub(1).is_some_and(|before| {
            tokens.is(before, "if")
                || tokens.is(before, "while")
                || tokens.is_punct(before, b'&')
                || tokens.is_punct(before, b'|')
        });
        let ends = |at| tokens.is_assignment(at) || tokens.is_punct(at, b';');
        let colon = tokens.find(at + 1..end, |at| tokens.is_colon(at) || ends(at));
        let value = tokens.find_flat(colon..end, ends);
        if value == end {
            return;
        }
        let known = if is_condition {
            let is_next = |at| tokens.is_pair(at, *b"&&") || self.begins_block(at);
            let start = tokens.find(value..end, is_next);
            let block = tokens.find(start..end, |at| self.begins_block(at));
            start..tokens.close_of(block)
        } else {
            tokens.find(value..end, |at| tokens.is_punct(at, b';'))..end
        };
        self.pattern(at + 1..colon, &known);
        self.found.patterns.push(at + 1..value);
    }

    fn for_(&mut self, at: usize, end: usize) {
        let tokens = self.tokens;
        let is_end = |at| tokens.is(at, "in") || tokens.is_punct(at, b';');
        let iterated = tokens.find(at + 1..end, is_end);
        if !tokens.is(iterated, "in") {
            return;
        }
        let block = tokens.find(iterated..end, |at| self.begins_block(at));
        self.pattern(at + 1..iterated, &(block..tokens.close_of(block)));
        self.found.patterns.push(at + 1..iterated);
    }

    /// The names of an arm are known in its guard and its expression.
    fn match_(&mut self, at: usize, end: usize) {
        let tokens = self.tokens;
        let open = tokens.find(at + 1..end, |at| self.begins_block(at));
        if open == end {
            return;
        }
        let end = tokens.close_of(open);
        let mut at = open + 1;
        while at < end {
            while let Some(inner) = attribute(tokens, at, end) {
                at = tokens.after(inner.start - 1);
            }
            let arrow = tokens.find(at..end, |at| tokens.is_pair(at, *b"=>"));
            if arrow == end {
                return;
            }
            let guard = tokens.find(at..arrow, |at| tokens.is(at, "if"));
            let after = self.arm_end(arrow + 2, end);
            self.pattern(at..guard, &(at..after));
            self.found.patterns.push(at..guard);
            at = after + usize::from(tokens.is_punct(after, b','));
        }
    }

    /// Where an arm's expression ends: at its comma, or where it ends with a block.
    fn arm_end(&self, body: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let labelled = tokens.is_lifetime(body) && tokens.is_colon(body + 1);
        let start = if labelled { body + 2 } else { body };
        let is = |word: &str| tokens.is(start, word);
        let mut after = if tokens.is_open(start, Delimiter::Brace) {
            tokens.after(start)
        } else if is("unsafe") || is("loop") {
            tokens.after(start + 1)
        } else if ["if", "match", "for", "while"].into_iter().any(is) {
            self.after_block(start, end)
        } else {
            start
        };
        while after > start && tokens.is(after, "else") {
            after = self.after_block(after, end);
        }
        let goes_on = tokens.is_punct(after, b'.') || tokens.is_punct(after, b'?');
        if after == start || goes_on {
            tokens.find_in_code(after..end, |at| tokens.is_punct(at, b','))
        } else {
            after.min(end)
        }
    }

    /// After the block that a condition or an iterated value is followed by.
    fn after_block(&self, at: usize, end: usize) -> usize {
        let block = self.tokens.find(at..end, |at| self.begins_block(at));
        self.tokens.after(block)
    }

    /// `|a, b: B| -> C { .. }`, whose names are known up to the comma or semicolon after it. The last token before the body.
    fn closure(&mut self, at: usize, end: usize) -> Option<usize> {
        let tokens = self.tokens;
        if !tokens.begins_expression(at) || tokens.is_pair(at - 1, *b"||") {
            return None;
        }
        let close = tokens.find(at + 1..end, |at| tokens.is_punct(at, b'|'));
        let has_type = tokens.is_pair(close + 1, *b"->");
        let is_empty = tokens.is_pair(at, *b"||");
        if close == end || (is_empty && !has_type) {
            return (is_empty && close < end).then_some(close);
        }
        let body = if has_type {
            tokens.find_flat(close + 3..end, |at| tokens.is_open(at, Delimiter::Brace))
        } else {
            close + 1
        };
        let ends = |at| tokens.is_punct(at, b',') || tokens.is_punct(at, b';');
        let known = body..tokens.find_in_code(body..end, ends);
        self.parameters(at + 1..close, &known);
        self.found.patterns.push(at + 1..body);
        Some(body - 1)
    }

    /// A brace that is no operand: in a condition, the block after it.
    fn begins_block(&self, at: usize) -> bool {
        let is_of = |word| {
            at.checked_sub(1)
                .is_some_and(|before| self.tokens.is(before, word))
        };
        let is_operand = ["unsafe", "async", "move", "const", "loop"]
            .into_iter()
            .any(is_of);
        self.tokens.is_open(at, Delimiter::Brace) && !is_operand
    }
}
