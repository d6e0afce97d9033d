//! The tokens of one file, asked by index. A question beyond the last is answered like one about an unknown token.

mod search;

use std::ops::Range;

use super::lexer::{self, Delimiter, Kind, Token};

/// The text of a file and its tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    text: String,
    list: Vec<Token>,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

impl Tokens {
    pub(super) fn new(text: String) -> Self {
        let list = lexer::lex(&text);
        let mut lines = vec![lexer::mark_length(&text)];
        let mut at = 0;
        while let Some(end) = text.get(at..).and_then(|rest| rest.find('\n')) {
            at += end + 1;
            lines.push(at);
        }
        Self { text, list, lines }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn line_count(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn token(&self, index: usize) -> Option<&Token> {
        self.list.get(index)
    }

    /// As written.
    pub(super) fn text(&self, index: usize) -> &str {
        let token = self.list.get(index);
        let text = token.and_then(|token| self.text.get(token.start..token.end));
        text.unwrap_or_default()
    }

    /// What is written from the first token of `range` to its last.
    pub(super) fn text_of(&self, range: Range<usize>) -> &str {
        let first = self.list.get(range.start);
        let last = range.end.checked_sub(1).and_then(|i| self.list.get(i));
        match (first, last) {
            (Some(first), Some(last)) => self.text.get(first.start..last.end).unwrap_or_default(),
            _ => "",
        }
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.list.get(index).map(|token| token.kind)
    }

    /// Whether the token is the keyword, or identifier, `word`; `r#word` is not.
    pub(super) fn is(&self, index: usize, word: &str) -> bool {
        self.kind(index) == Some(Kind::Ident) && self.text(index) == word
    }

    /// The identifier, without `r#`; keywords are identifiers.
    pub(super) fn ident(&self, index: usize) -> Option<&str> {
        (self.kind(index)? == Kind::Ident).then(|| {
            let text = self.text(index);
            text.strip_prefix("r#").unwrap_or(text)
        })
    }

    /// The identifier, if it is not a keyword that can stand in no path.
    pub(super) fn name(&self, index: usize) -> Option<&str> {
        let is_raw = self.text(index).starts_with("r#");
        self.ident(index)
            .filter(|name| is_raw || KEYWORDS.binary_search(name).is_err())
    }

    pub(super) fn is_lifetime(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Lifetime)
    }

    pub(super) fn is_literal(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Literal)
    }

    pub(super) fn is_punct(&self, index: usize, byte: u8) -> bool {
        self.kind(index) == Some(Kind::Punct(byte))
    }

    /// Whether two characters of punctuation begin at `index` with nothing between them, such as `::`.
    pub(super) fn is_pair(&self, index: usize, pair: [u8; 2]) -> bool {
        let [first, second] = pair;
        self.is_punct(index, first)
            && self.is_punct(index + 1, second)
            && self.token(index).map(|token| token.end)
                == self.token(index + 1).map(|token| token.start)
    }

    pub(super) fn is_path_separator(&self, index: usize) -> bool {
        self.is_pair(index, *b"::")
    }

    pub(super) fn is_open(&self, index: usize, delimiter: Delimiter) -> bool {
        self.kind(index) == Some(Kind::Open(delimiter))
    }

    pub(super) fn is_close(&self, index: usize, delimiter: Delimiter) -> bool {
        self.kind(index) == Some(Kind::Close(delimiter))
    }

    /// `:` alone.
    pub(super) fn is_colon(&self, index: usize) -> bool {
        let is_second = index
            .checked_sub(1)
            .is_some_and(|before| self.is_path_separator(before));
        self.is_punct(index, b':') && !self.is_path_separator(index) && !is_second
    }

    /// `=` alone: no comparison, no arrow, no range.
    pub(super) fn is_assignment(&self, index: usize) -> bool {
        let pairs = |before: usize| {
            b"=!<>.+-*/%^&|"
                .iter()
                .any(|b| self.is_pair(before, [*b, b'=']))
        };
        let is_second = index.checked_sub(1).is_some_and(pairs);
        self.is_punct(index, b'=')
            && !self.is_pair(index, *b"==")
            && !self.is_pair(index, *b"=>")
            && !is_second
    }

    pub(super) fn is_any_open(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(Kind::Open(_)))
    }

    pub(super) fn is_any_close(&self, index: usize) -> bool {
        matches!(self.kind(index), Some(Kind::Close(_)))
    }

    /// The index of what ends the group that `open` begins.
    pub(super) fn close_of(&self, open: usize) -> usize {
        self.token(open).map_or(open, |token| token.partner)
    }

    /// The index after the token, or after the group that it begins. Always greater than `index`.
    pub(super) fn after(&self, index: usize) -> usize {
        if !self.is_any_open(index) {
            return index + 1;
        }
        let partner = self.close_of(index);
        // A group that is not closed ends before a token that belongs to another.
        let is_own = self.token(partner).is_some_and(|end| end.partner == index);
        let end = if is_own { partner + 1 } else { partner };
        end.max(index + 1)
    }

    /// The end of the innermost group around a token.
    pub(super) fn group_end(&self, index: usize) -> usize {
        let parent = self.token(index).and_then(|token| token.parent);
        parent.map_or(self.len(), |open| self.close_of(open))
    }

    /// Whether an expression may begin at `index`: what stands before it is no operand.
    pub(super) fn begins_expression(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(1) else {
            return true;
        };
        let is_operand = match self.kind(before) {
            Some(Kind::Ident) => self.name(before).is_some() || self.is(before, "await"),
            Some(Kind::Literal) => true,
            // The bracket of an attribute is none.
            Some(Kind::Close(_)) => {
                let open = self.close_of(before).checked_sub(1);
                !open.is_some_and(|hash| self.is_punct(hash, b'#'))
            }
            Some(Kind::Punct(byte)) => byte == b'?',
            _ => false,
        };
        !is_operand || self.is_close(before, Delimiter::Brace)
    }

    /// Line and column of a token, both from 1, the column in characters.
    pub(super) fn position(&self, index: usize) -> (usize, usize) {
        let offset = self.token(index).map_or(self.text.len(), |t| t.start);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.wrapping_sub(1)).copied();
        let before = start.and_then(|start| self.text.get(start..offset));
        (
            line.max(1),
            before.map_or(0, |text| text.chars().count()) + 1,
        )
    }

    /// The token at a place, or the first after it.
    pub(super) fn at(&self, line: usize, column: usize) -> usize {
        let start = self.lines.get(line.wrapping_sub(1)).copied();
        let start = start.unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        let ahead = rest.char_indices().nth(column.wrapping_sub(1));
        let offset = ahead.map_or(self.text.len(), |(ahead, _)| start + ahead);
        self.list.partition_point(|token| token.end <= offset)
    }

    /// The first tokens of the groups around a token, from the innermost on.
    pub(super) fn groups_around(&self, index: usize) -> impl Iterator<Item = usize> {
        let parent = |index: &usize| self.token(*index).and_then(|token| token.parent);
        // Parents come before their children, so this ends.
        std::iter::successors(parent(&index), parent)
    }

    /// Those of them that are braces.
    pub(super) fn braces_around(&self, index: usize) -> impl Iterator<Item = usize> {
        self.groups_around(index)
            .filter(|open| self.is_open(*open, Delimiter::Brace))
    }
}

/// What can be no segment of a path, sorted. `self`, `super`, `crate` and `Self` can, and so can what is a keyword in some places
/// only.
const KEYWORDS: &[&str] = &[
    "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
    "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

#[cfg(test)]
mod tests;
