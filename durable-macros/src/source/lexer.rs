//! Tokens of Rust source, as far as names need them: comments are no tokens, a literal is one, delimiters know their partners.
//!
//! Every text has tokens: what is no Rust becomes [`Kind::Other`], and what is not closed ends with the file. The time
//! is linear in the length of the text. `proc_macro2` is not used, because its fallback is a switch for the whole process.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With `r#`, if it is written.
    Ident,
    Lifetime,
    /// With its suffix.
    Literal,
    Open(Delimiter),
    Close(Delimiter),
    /// One character of ASCII; `->` is two tokens.
    Punct(u8),
    /// Nothing that Rust knows.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    Parenthesis,
    Bracket,
    Brace,
}

/// Bytes of the text, and the place among the delimiters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of an `Open`, the index of the token that ends the group: its `Close`, that of a group around it, or the count of
    /// tokens. Of a `Close` that closes something, the index of its `Open`. Of any other token, its own index.
    pub(super) partner: usize,
    /// The index of the `Open` of the group around it.
    pub(super) parent: Option<usize>,
}

/// All tokens of `text`.
pub(super) fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: start_of_code(text),
    };
    let mut groups = Groups::default();
    while let Some((kind, start)) = lexer.next() {
        groups.push(kind, start, lexer.at);
    }
    groups.finish()
}

/// The bytes of a byte order mark, which rustc drops before it counts columns.
pub(super) fn mark_length(text: &str) -> usize {
    if text.starts_with('\u{feff}') { 3 } else { 0 }
}

/// After the mark and after a first line such as `#!/usr/bin/env`, which `#![..]` is not.
fn start_of_code(text: &str) -> usize {
    let mark = mark_length(text);
    let code = text.get(mark..).unwrap_or_default();
    let Some(rest) = code.strip_prefix("#!") else {
        return mark;
    };
    let mut after = Lexer {
        text: rest,
        bytes: rest.as_bytes(),
        at: 0,
    };
    let is_attribute = matches!(after.next(), Some((Kind::Open(Delimiter::Bracket), _)));
    match code.find('\n') {
        _ if is_attribute => mark,
        Some(end) => mark + end,
        None => text.len(),
    }
}

/// Pairs the delimiters while tokens arrive.
#[derive(Default)]
struct Groups {
    tokens: Vec<Token>,
    open: Vec<(usize, Delimiter)>,
    /// How many of each are open, so that a stray one is known without a search.
    counts: [usize; 3],
}

impl Groups {
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let index = self.tokens.len();
        let partner = match kind {
            Kind::Close(delimiter) => self.close(delimiter, index),
            _ => None,
        };
        self.tokens.push(Token {
            kind,
            start,
            end,
            partner: partner.unwrap_or(index),
            parent: self.open.last().map(|(open, _)| *open),
        });
        if let Kind::Open(delimiter) = kind {
            self.open.push((index, delimiter));
            *self.count(delimiter) += 1;
        }
    }

    /// Ends the innermost group of `delimiter` and all in it, if there is one.
    fn close(&mut self, delimiter: Delimiter, index: usize) -> Option<usize> {
        if *self.count(delimiter) == 0 {
            return None;
        }
        while let Some((open, found)) = self.open.pop() {
            *self.count(found) -= 1;
            self.set_partner(open, index);
            if found == delimiter {
                return Some(open);
            }
        }
        None
    }

    fn finish(mut self) -> Vec<Token> {
        let end = self.tokens.len();
        while let Some((open, _)) = self.open.pop() {
            self.set_partner(open, end);
        }
        self.tokens
    }

    fn set_partner(&mut self, open: usize, partner: usize) {
        if let Some(token) = self.tokens.get_mut(open) {
            token.partner = partner;
        }
    }

    fn count(&mut self, delimiter: Delimiter) -> &mut usize {
        let [parentheses, brackets, braces] = &mut self.counts;
        match delimiter {
            Delimiter::Parenthesis => parentheses,
            Delimiter::Bracket => brackets,
            Delimiter::Brace => braces,
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    /// The next token and where it begins; it ends where the lexer then stands.
    fn next(&mut self) -> Option<(Kind, usize)> {
        self.skip_blank();
        let start = self.at;
        let first = self.byte(0)?;
        let kind = match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(),
            b'0'..=b'9' => self.number(),
            b'"' => self.string(),
            b'\'' => self.quote(),
            b'(' => self.one(Kind::Open(Delimiter::Parenthesis)),
            b'[' => self.one(Kind::Open(Delimiter::Bracket)),
            b'{' => self.one(Kind::Open(Delimiter::Brace)),
            b')' => self.one(Kind::Close(Delimiter::Parenthesis)),
            b']' => self.one(Kind::Close(Delimiter::Bracket)),
            b'}' => self.one(Kind::Close(Delimiter::Brace)),
            _ if first.is_ascii_punctuation() => self.one(Kind::Punct(first)),
            _ => self.one(Kind::Other),
        };
        // An escape may have led beyond the end.
        self.at = self.at.min(self.bytes.len());
        Some((kind, start))
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn is(&self, ahead: usize, byte: u8) -> bool {
        self.byte(ahead) == Some(byte)
    }

    fn char(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn one(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    fn skip_blank(&mut self) {
        while let Some(next) = self.byte(0) {
            match next {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'/' if self.is(1, b'/') => self.skip_line(),
                b'/' if self.is(1, b'*') => self.skip_comment(),
                0x80.. => match self.char() {
                    Some(blank) if is_blank(blank) => self.at += blank.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Comments nest, and `/*/` does not end itself.
    fn skip_comment(&mut self) {
        self.at += 2;
        let mut depth = 1_usize;
        while depth > 0 {
            match (self.byte(0), self.byte(1)) {
                (None, _) => return,
                (Some(b'/'), Some(b'*')) => (self.at, depth) = (self.at + 2, depth + 1),
                (Some(b'*'), Some(b'/')) => (self.at, depth) = (self.at + 2, depth - 1),
                _ => self.at += 1,
            }
        }
    }

    /// An identifier, or a literal with a letter before it.
    fn word(&mut self) -> Kind {
        match (self.byte(0), self.byte(1), self.byte(2)) {
            (Some(b'r'), Some(b'"' | b'#'), _) if self.raw_string(1) => Kind::Literal,
            (Some(b'b' | b'c'), Some(b'r'), Some(b'"' | b'#')) if self.raw_string(2) => {
                Kind::Literal
            }
            (Some(b'b' | b'c'), Some(b'"'), _) => {
                self.at += 1;
                self.string()
            }
            (Some(b'b'), Some(b'\''), _) => {
                self.at += 1;
                self.quote()
            }
            (Some(b'r'), Some(b'#'), Some(next)) if begins_ident(next) => {
                self.at += 2;
                self.ident()
            }
            _ => self.ident(),
        }
    }

    fn ident(&mut self) -> Kind {
        let start = self.at;
        self.skip_word();
        if self.at > start {
            return Kind::Ident;
        }
        self.at += self.char().map_or(1, char::len_utf8);
        Kind::Other
    }

    fn skip_word(&mut self) {
        while let Some(next) = self.byte(0) {
            match next {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => self.at += 1,
                0x80.. => match self.char() {
                    Some(letter) if letter.is_alphanumeric() => self.at += letter.len_utf8(),
                    _ => return,
                },
                _ => return,
            }
        }
    }

    fn number(&mut self) -> Kind {
        let start = self.at;
        let is_decimal = !(self.is(0, b'0') && matches!(self.byte(1), Some(b'x' | b'o' | b'b')));
        self.skip_word();
        if is_decimal {
            // `1..2` is a range and `1.max(2)` a call.
            let is_method = self.byte(1).is_some_and(begins_ident);
            if self.is(0, b'.') && !self.is(1, b'.') && !is_method {
                self.at += 1;
                self.skip_word();
            }
            if self.has_exponent(start) {
                self.at += 1;
                self.skip_word();
            }
        }
        Kind::Literal
    }

    /// Whether `e` was read last, and the sign of its number follows.
    fn has_exponent(&self, start: usize) -> bool {
        let read = self.bytes.get(start..self.at).unwrap_or_default();
        let is_after_e = matches!(read, [_, .., b'e' | b'E']);
        let is_sign = matches!(self.byte(0), Some(b'+' | b'-'));
        is_after_e && is_sign && matches!(self.byte(1), Some(b'0'..=b'9' | b'_'))
    }

    /// From the first quotation mark on.
    fn string(&mut self) -> Kind {
        self.at += 1;
        loop {
            match self.byte(0) {
                None => break,
                Some(b'\\') => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    self.suffix();
                    break;
                }
                Some(_) => self.at += 1,
            }
        }
        Kind::Literal
    }

    /// A raw string ends with as many `#` as it begins with, `prefix` bytes from here. Stays, if none begins here.
    fn raw_string(&mut self, prefix: usize) -> bool {
        let start = self.at + prefix;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
        if rest.get(hashes) != Some(&b'"') {
            return false;
        }
        self.at = start + hashes + 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(end) = rest.find('"') else {
                self.at = self.bytes.len();
                return true;
            };
            self.at += end + 1;
            let after = self.bytes.get(self.at..).unwrap_or_default();
            let found = after.iter().take(hashes).take_while(|byte| **byte == b'#');
            if found.count() == hashes {
                self.at += hashes;
                self.suffix();
                return true;
            }
        }
    }

    /// A character or a lifetime, from its apostrophe on.
    fn quote(&mut self) -> Kind {
        self.at += 1;
        let Some(first) = self.char() else {
            return Kind::Other;
        };
        let after = first.len_utf8();
        if first == '\\' {
            // What is escaped may be an apostrophe.
            self.at += 2;
            while self
                .byte(0)
                .is_some_and(|byte| !matches!(byte, b'\'' | b'\n'))
            {
                self.at += 1;
            }
        } else if self.is(after, b'\'') && first != '\'' {
            self.at += after;
        } else if first == '_' || first.is_alphabetic() {
            let is_raw = first == 'r' && self.is(1, b'#');
            self.at += if is_raw { 2 } else { 0 };
            self.skip_word();
            return Kind::Lifetime;
        } else {
            return Kind::Other;
        }
        self.at += 1;
        self.suffix();
        Kind::Literal
    }

    fn suffix(&mut self) {
        if self.byte(0).is_some_and(begins_ident) {
            self.skip_word();
        }
    }
}

fn begins_ident(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic() || byte >= 0x80
}

/// White space as Rust has it.
fn is_blank(char: char) -> bool {
    char.is_whitespace() || matches!(char, '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests;
