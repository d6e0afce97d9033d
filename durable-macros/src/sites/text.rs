//! The source of a body, as it stands in its file: asked for once, and cut where it is needed.

use proc_macro2::{Span, TokenStream};

use super::{end, position};

/// Of a line no more than this many characters is kept.
const LINE_MAX: usize = 160;
/// Of an expression in a title no more than this many.
const TITLE_MAX: usize = 48;

/// The text of a body.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The first line of the body: what is before its brace is not known, and is blank.
    first: usize,
    lines: Vec<String>,
}

impl Text {
    /// The text from the first character of `body` to its last; nothing where there is no file.
    pub(super) fn of(body: Span) -> Self {
        let Some(text) = body.source_text() else {
            return Self::default();
        };
        let (first, column) = position(body);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if let Some(line) = lines.first_mut() {
            line.insert_str(0, &" ".repeat(column.saturating_sub(1)));
        }
        Self { first, lines }
    }

    fn at(&self, line: usize) -> &str {
        let index = line.checked_sub(self.first);
        let found = index.and_then(|index| self.lines.get(index));
        found.map(String::as_str).unwrap_or_default()
    }

    /// A line as it stands in its file, or as much of it as is kept.
    pub(super) fn line(&self, line: usize) -> String {
        self.at(line).trim_end().chars().take(LINE_MAX).collect()
    }

    /// What `tokens` are in the source, in one line.
    pub(super) fn title(&self, tokens: TokenStream) -> String {
        let mut tokens = tokens.into_iter();
        let Some(first) = tokens.next() else {
            return String::new();
        };
        let last = tokens.last().unwrap_or_else(|| first.clone());
        self.cut(position(first.span()), end(last.span()))
    }

    /// What stands between two places, in one line.
    fn cut(&self, (line, column): (usize, usize), (last, stop): (usize, usize)) -> String {
        let mut words = Vec::new();
        for number in line..=last {
            let skipped = if number == line {
                column.saturating_sub(1)
            } else {
                0
            };
            let kept = if number == last {
                stop.saturating_sub(1)
            } else {
                usize::MAX
            };
            let part: String = self.at(number).chars().take(kept).skip(skipped).collect();
            words.extend(part.split_whitespace().map(str::to_owned));
            if words.len() > TITLE_MAX {
                break;
            }
        }
        bounded(&words.join(" "))
    }
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= TITLE_MAX {
        return text.to_owned();
    }
    text.chars().take(TITLE_MAX - 1).chain(['…']).collect()
}
