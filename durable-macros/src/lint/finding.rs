//! From a finding to what the user reads.

use proc_macro2::Span;
use quote::ToTokens;

use super::{Lint, Mark};
use crate::catalogue::{Code, Level};

impl Lint {
    /// Reports `what`, at `tokens`, unless it is allowed there.
    pub(super) fn find(&mut self, code: Code, tokens: impl ToTokens, what: &str) {
        self.find_with(code, tokens, what, code.row().instead);
    }

    /// The same, with a remedy of its own.
    pub(super) fn find_with(
        &mut self,
        code: Code,
        tokens: impl ToTokens,
        what: &str,
        instead: &str,
    ) {
        let is_allowed = self.allowed.suppress(code);
        self.marks.push(Mark {
            code,
            depth: self.depth,
            is_allowed,
        });
        if is_allowed {
            return;
        }
        if self.in_unsafe && matches!(code, Code::D041 | Code::D050) {
            return;
        }
        if code.row().level == Level::Warning {
            let tokens = tokens.into_token_stream().into_iter().next();
            let span = tokens.map_or_else(Span::call_site, |token| token.span());
            self.report.warnings.push((code, span));
            return;
        }
        let (place, why) = (self.subject.phrase(), code.row().why);
        // An await of it would be refused by its type.
        let or_say_why = if self.awaited == Some(self.depth) {
            String::new()
        } else {
            let attribute = format!("#[nondeterminism(allow({}), reason = \"..\")]", code.name());
            format!("\nnote: if a replay sees the same, say why: `{attribute}` on the statement")
        };
        let message =
            format!("{what} is not allowed in {place}: it {why}\nhelp: {instead}{or_say_why}");
        self.report.errors.push(code.error(tokens, message));
    }

    /// Warns, unless it is allowed there.
    pub(super) fn warn(&mut self, code: Code, span: Span) {
        if !self.allowed.suppress(code) {
            self.report.warnings.push((code, span));
        }
    }

    /// Notes the use of a variable whose value was refused.
    pub(super) fn mark(&mut self, code: Code) {
        self.marks.push(Mark {
            code,
            depth: self.depth,
            is_allowed: false,
        });
    }
}
