//! What the macros refuse, warn of or change, and what to write instead: one table, with a code for each row.
//!
//! A code is what people search for and what `#[nondeterminism(allow(..))]` names, so it never changes its meaning. Each
//! has a page in `docs/determinism`, which its message names.

mod codes;
mod names;
#[cfg(test)]
mod tests;

use proc_macro2::Span;
use quote::ToTokens;

pub(crate) use self::codes::Code;
pub(crate) use self::names::{
    has_name, is_ours, is_root, judge, judge_macro, judge_method, judge_suffix,
};

/// One row of the catalogue.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) level: Level,
    pub(crate) layer: Layer,
    /// What it is about, in a few words: the heading of its page.
    pub(crate) title: &'static str,
    /// What it does on replay, as it goes on after `it` in a message; for other layers, why the rule is there.
    pub(crate) why: &'static str,
    /// What to write instead.
    pub(crate) instead: &'static str,
}

/// What follows from a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The program is not built.
    Error,
    /// The program is built, and the user told.
    Warning,
    /// The code is changed so that it is right.
    Rewrite,
    /// The instance stalls, or the engine does not start.
    RunTime,
}

/// Who finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The lint of names, in the body and through the functions that it calls.
    Name,
    /// The rewriting of the body, by its form.
    Form,
    /// The rules of signatures and of attributes.
    Signature,
    /// The type checker, with a message of ours.
    Type,
    /// The type checker alone, whose message says enough.
    Compiler,
    /// The engine.
    RunTime,
}

impl Code {
    /// The code that is written so.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == text)
    }

    /// The code that is meant by `text`, which is none.
    pub(crate) fn like(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let distance = |code: &Self| strokes(&text, code.name());
        let nearest = Self::ALL
            .iter()
            .copied()
            .filter(|code| code.is_allowable())
            .min_by_key(distance)?;
        (distance(&nearest) <= 2).then_some(nearest)
    }

    /// Whether the author of the code may say that it is safe: what a name stands for depends on what is done with it, the
    /// form of the code and the types of what is recorded do not.
    pub(crate) fn is_allowable(self) -> bool {
        self.row().layer == Layer::Name || self == Self::D040
    }

    /// What stands at the end of each message.
    pub(crate) fn page(self) -> String {
        format!("docs/determinism/{}.md", self.name())
    }

    /// An error with this code at `tokens`.
    pub(crate) fn error(
        self,
        tokens: impl ToTokens,
        message: impl std::fmt::Display,
    ) -> syn::Error {
        syn::Error::new_spanned(tokens, self.message(message))
    }

    /// The same, where there is no more than a place.
    pub(crate) fn error_at(self, span: Span, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new(span, self.message(message))
    }

    /// What an error with this code says.
    fn message(self, message: impl std::fmt::Display) -> String {
        format!("[{}] {message}\nsee {}", self.name(), self.page())
    }
}

/// How many letters must be put in, left out or changed to come from one word to the other.
fn strokes(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, a) in a.chars().enumerate() {
        let mut before = index;
        let mut left = index + 1;
        for (place, b) in row.iter_mut().skip(1).zip(b.chars()) {
            let changed = before + usize::from(a != b);
            before = *place;
            left = changed.min(*place + 1).min(left + 1);
            *place = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
