//! Whether an annotated function stands in an `impl` or `trait` block, which an attribute is not told.
//!
//! The file is read as text up to the function. Where it cannot be read, as in an editor, the answer is no, and rustc
//! reports the expansion instead: less kindly, never wrongly.

use std::iter::Peekable;
use std::str::Chars;

use proc_macro2::Span;

/// Whether the block around `span` holds associated items.
pub(crate) fn holds_associated_items(span: Span) -> bool {
    if !proc_macro::is_available() {
        return false;
    }
    let span = span.unwrap();
    let text = span
        .local_file()
        .and_then(|file| std::fs::read_to_string(file).ok());
    text.is_some_and(|text| Scanner::new(&text).scan_to(span.line(), span.column()))
}

/// Knows just enough of Rust to count braces.
struct Scanner<'a> {
    chars: Peekable<Chars<'a>>,
    line: usize,
    column: usize,
    /// For each open brace, whether it holds associated items.
    blocks: Vec<bool>,
    /// The code since the last brace or semicolon.
    header: String,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            chars: text.chars().peekable(),
            line: 1,
            column: 1,
            blocks: Vec::new(),
            header: String::new(),
        }
    }

    fn scan_to(mut self, line: usize, column: usize) -> bool {
        while (self.line, self.column) < (line, column) {
            let Some(next) = self.bump() else {
                return false;
            };
            self.code(next);
        }
        if (self.line, self.column) > (line, column) {
            // It stands in a comment: the example in the documentation of a method is no method.
            return false;
        }
        self.blocks.last().copied().unwrap_or(false)
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        if next == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn code(&mut self, next: char) {
        match next {
            '{' => {
                self.blocks.push(begins_associated_items(&self.header));
                self.header.clear();
            }
            '}' => {
                self.blocks.pop();
                self.header.clear();
            }
            ';' => self.header.clear(),
            '/' if self.chars.peek() == Some(&'/') => self.skip_until('\n'),
            '/' if self.chars.peek() == Some(&'*') => self.skip_comment(),
            '"' => self.skip_string(),
            '\'' => self.skip_char(),
            other => self.header.push(other),
        }
    }

    fn skip_until(&mut self, end: char) {
        while self.bump().is_some_and(|next| next != end) {}
    }

    fn skip_comment(&mut self) {
        // `/*/` does not end itself.
        self.bump();
        let (mut depth, mut before) = (1, None);
        while depth > 0 {
            let Some(next) = self.bump() else {
                return;
            };
            match (before, next) {
                (Some('/'), '*') => (depth, before) = (depth + 1, None),
                (Some('*'), '/') => (depth, before) = (depth - 1, None),
                _ => before = Some(next),
            }
        }
    }

    /// A raw string ends with as many `#` as stand before it.
    fn skip_string(&mut self) {
        let before = self.header.trim_end_matches('#');
        if !before.ends_with('r') {
            while let Some(next) = self.bump() {
                match next {
                    '\\' => drop(self.bump()),
                    '"' => return,
                    _ => {}
                }
            }
            return;
        }
        let hashes = self.header.len() - before.len();
        loop {
            self.skip_until('"');
            let mut found = 0;
            while found < hashes && self.chars.peek() == Some(&'#') {
                self.bump();
                found += 1;
            }
            if found == hashes || self.chars.peek().is_none() {
                return;
            }
        }
    }

    /// A character or a lifetime; only the first has an end.
    fn skip_char(&mut self) {
        match self.bump() {
            Some('\\') => {
                self.bump();
                self.skip_until('\'');
            }
            Some(_) if self.chars.peek() == Some(&'\'') => drop(self.bump()),
            _ => {}
        }
    }
}

/// Whether a block with this text before it is an `impl` or a `trait`: the first keyword of an item decides.
fn begins_associated_items(header: &str) -> bool {
    let words = header.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut items = words.filter(|word| {
        matches!(
            *word,
            "fn" | "mod"
                | "impl"
                | "trait"
                | "struct"
                | "enum"
                | "union"
                | "const"
                | "static"
                | "extern"
                | "match"
                | "if"
                | "for"
                | "while"
                | "loop"
                | "macro_rules"
        )
    });
    matches!(items.next(), Some("impl" | "trait"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer where `@` stands.
    fn answer(text: &str) -> bool {
        let before = text.split('@').next().unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        Scanner::new(text).scan_to(line, column)
    }

    #[test]
    fn associated_items_are_told_from_others() {
        for text in [
            "impl A { fn x() {} @",
            "struct B;\nunsafe impl<T> X for Y<T> where T: Fn() {\n  @",
            "pub(crate) trait T {\n @",
            "mod m { impl A { const C: u8 = 1; @",
            "#[cfg(x)]\nimpl A { @",
        ] {
            assert!(answer(text), "{text}");
        }
        for text in [
            "@",
            "impl A { fn x() {} } @",
            "mod m { @",
            "impl A { fn x() { @",
            "fn f() -> impl X { @",
            "// impl A {\n @",
            "impl A {\n /// @ fn x() {}\n",
            "/* impl A { /* */ impl B { */ @",
            "const A: &str = \"impl A {\"; @",
            "const A: &str = r#\"\" impl A { \"#; @",
            "const A: char = '{'; const B: &'static str = \"\\\"\"; const C: char = '\\''; @",
        ] {
            assert!(!answer(text), "{text}");
        }
    }
}
