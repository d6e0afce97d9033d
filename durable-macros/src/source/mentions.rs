//! What a body mentions, read from its tokens: what a macro takes is read like any other code.

use std::ops::Range;

use super::What;
use super::bindings::Bindings;
use super::files::Source;
use super::lexer::Delimiter;
use super::outline::attribute;
use super::tokens::Tokens;

/// A mention, at a token.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) what: What,
    pub(super) at: usize,
    pub(super) in_unsafe: bool,
    pub(super) in_side_effect: bool,
    pub(super) allowed: Vec<String>,
}

/// What the body of a function mentions, in order.
pub(super) fn of(source: &Source, function: usize) -> Vec<Found> {
    let body = source
        .outline
        .function(function)
        .and_then(|function| function.body);
    let Some(body) = body else {
        return Vec::new();
    };
    let mut reader = Reader {
        source,
        tokens: &source.tokens,
        bindings: source.bindings(function),
        around: Vec::new(),
        found: Vec::new(),
    };
    let end = source.tokens.close_of(body);
    let mut at = body + 1;
    while at < end {
        at = reader.next(at, end).max(at + 1);
    }
    reader.found
}

struct Reader<'a> {
    source: &'a Source,
    tokens: &'a Tokens,
    bindings: &'a Bindings,
    /// What lies around the current token, with the end of each.
    around: Vec<(usize, Context)>,
    found: Vec<Found>,
}

enum Context {
    Unsafe,
    SideEffect,
    Allowed(Vec<String>),
}

impl Reader<'_> {
    /// Reads at a token, and tells where to go on.
    fn next(&mut self, at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        self.around.retain(|(until, _)| at < *until);
        let passed = self.source.outline.nested_item(at);
        if let Some(after) = passed.or_else(|| self.bindings.pattern_end(at)) {
            return after;
        }
        if let Some(inner) = attribute(tokens, at, end) {
            let after = tokens.after(inner.start - 1);
            self.attribute(inner, after);
            return after;
        }
        if tokens.is_pair(at, *b"..") {
            return at + 2;
        }
        if tokens.is_punct(at, b'.') {
            return self.member(at + 1);
        }
        if tokens.begins_qualified(at) {
            return self.qualified(at, end);
        }
        match tokens.ident(at) {
            Some("unsafe") if tokens.is_open(at + 1, Delimiter::Brace) => {
                self.add(What::Unsafe, at);
                self.around.push((tokens.close_of(at + 1), Context::Unsafe));
                at + 1
            }
            Some("as") => tokens.after_cast(at + 1, end),
            _ => match tokens.path(at, end) {
                Some((path, after)) => self.path(at, path, after),
                None => at + 1,
            },
        }
    }

    fn add(&mut self, what: What, at: usize) {
        let allowed = self.around.iter().filter_map(|(_, context)| match context {
            Context::Allowed(codes) => Some(codes.clone()),
            Context::Unsafe | Context::SideEffect => None,
        });
        let contexts = || self.around.iter().map(|(_, context)| context);
        self.found.push(Found {
            what,
            at,
            in_unsafe: contexts().any(|context| matches!(context, Context::Unsafe)),
            in_side_effect: contexts().any(|context| matches!(context, Context::SideEffect)),
            allowed: allowed.flatten().collect(),
        });
    }

    /// After a dot: a call, a field, `await`.
    fn member(&mut self, at: usize) -> usize {
        let tokens = self.tokens;
        let Some(name) = tokens.ident(at) else {
            return at + usize::from(tokens.is_literal(at));
        };
        let is_generic = tokens.is_path_separator(at + 1) && tokens.is_punct(at + 3, b'<');
        let open = if is_generic {
            tokens.after_generics(at + 3, tokens.group_end(at))
        } else {
            at + 1
        };
        if !tokens.is_open(open, Delimiter::Parenthesis) {
            return at + 1;
        }
        let what = What::Method {
            name: name.to_owned(),
            arguments: self.arguments(open),
        };
        self.add(what, at);
        open
    }

    /// How many arguments a call has; the commas of closures' parameters and of generic arguments separate none.
    fn arguments(&self, open: usize) -> usize {
        let tokens = self.tokens;
        let end = tokens.close_of(open);
        let (mut count, mut at) = (0, open + 1);
        while at < end {
            count += 1;
            // A closure's parameters are passed over once it begins.
            loop {
                let ends =
                    |at| tokens.is_punct(at, b',') || self.bindings.pattern_end(at).is_some();
                at = tokens.find_in_code(at..end, ends);
                match self.bindings.pattern_end(at) {
                    Some(after) if after > at => at = after,
                    _ => break,
                }
            }
            at += 1;
        }
        count
    }

    /// `<Type>::name` is `Type::name`, `<Type as Trait>::name` is `Trait::name`.
    fn qualified(&mut self, at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let after = tokens.after_generics(at, end);
        let inner = at + 1..after.saturating_sub(1);
        let is_as = tokens.find_flat(inner.clone(), |at| tokens.is(at, "as"));
        let start = if is_as < inner.end {
            is_as + 1
        } else {
            inner.start
        };
        // Of `<Token![.]>::default` nothing is known.
        let head = tokens
            .type_path(start, inner.end)
            .filter(|(_, after)| *after >= inner.end.min(is_as));
        let rest = tokens
            .is_path_separator(after)
            .then(|| tokens.path(after + 2, end));
        match (head, rest.flatten()) {
            (Some((mut path, _)), Some((rest, after))) => {
                path.extend(rest);
                self.path(at, path, after)
            }
            (_, rest) => rest.map_or(after, |(_, after)| after),
        }
    }

    /// A path that begins at `at`, and what follows it at `after`.
    fn path(&mut self, at: usize, path: Vec<String>, after: usize) -> usize {
        let tokens = self.tokens;
        if tokens.is_punct(after, b'!') && tokens.is_any_open(after + 1) {
            self.add(What::Macro { path }, at);
            return after + 1;
        }
        let is_field = path.len() == 1
            && tokens.is_colon(after)
            && (tokens.is_any_open(at - 1) || tokens.is_punct(at - 1, b','));
        let is_this =
            path.len() == 1 && matches!(path.first().map(String::as_str), Some("self" | "Self"));
        if is_field || is_this || self.bindings.hide(&path, at) {
            return after;
        }
        let is_called = tokens.is_open(after, Delimiter::Parenthesis);
        let is_side_effect = is_called && path.last().is_some_and(|last| last == "side_effect");
        self.add(What::Path { path, is_called }, at);
        if is_side_effect {
            self.around
                .push((tokens.close_of(after), Context::SideEffect));
        }
        after
    }

    /// `#[nondeterminism(allow(D040), reason = "..")]`, before a statement that begins at `after`.
    fn attribute(&mut self, inner: Range<usize>, after: usize) {
        let tokens = self.tokens;
        let Some((path, open)) = tokens.path(inner.start, inner.end) else {
            return;
        };
        if path.last().is_none_or(|last| last != "nondeterminism") {
            return;
        }
        let list = open + 1..tokens.close_of(open);
        let allow = tokens.find(list.clone(), |at| tokens.is(at, "allow")) + 1;
        if allow < list.end {
            let codes = (allow + 1..tokens.close_of(allow)).filter_map(|at| tokens.ident(at));
            let codes = codes.map(str::to_owned).collect();
            self.around
                .push((self.statement_end(after), Context::Allowed(codes)));
        }
    }

    /// Where the statement at `at` ends: with its semicolon, or with its last block.
    fn statement_end(&self, at: usize) -> usize {
        let tokens = self.tokens;
        let end = tokens.group_end(at);
        let is_block = tokens.is_open(at, Delimiter::Brace)
            || ["for", "while", "loop", "if", "match", "unsafe"]
                .iter()
                .any(|word| tokens.is(at, word));
        if !is_block {
            return tokens.find(at..end, |at| tokens.is_punct(at, b';'));
        }
        let mut at = at;
        loop {
            at = tokens.after(tokens.find(at..end, |at| tokens.is_open(at, Delimiter::Brace)));
            if !tokens.is(at, "else") || at >= end {
                return at.min(end);
            }
        }
    }
}
