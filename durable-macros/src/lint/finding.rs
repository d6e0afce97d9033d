//! From a finding to what the user reads.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

use super::{Lint, Mark, Report};
use crate::catalogue::{Code, Level};

/// The conditions under which it is one, its code, its place.
pub(crate) type Warning = (TokenStream, Code, Span);

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
            self.report.warnings.push((TokenStream::new(), code, span));
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
            self.report.warnings.push((TokenStream::new(), code, span));
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

impl Report {
    /// How many there are of errors, of those under a condition, and of warnings.
    pub(super) fn counts(&self) -> [usize; 3] {
        [
            self.errors.len(),
            self.conditional.len(),
            self.warnings.len(),
        ]
    }

    /// Puts what was found since there were so many of each under the conditions among `attrs`.
    pub(super) fn put_under(
        &mut self,
        attrs: &[syn::Attribute],
        [errors, conditional, warnings]: [usize; 3],
    ) {
        let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        let cfgs = quote!(#(#cfgs)*);
        if cfgs.is_empty() {
            return;
        }
        for (inner, _) in self.conditional.iter_mut().skip(conditional) {
            inner.extend(cfgs.clone());
        }
        for (of_warning, ..) in self.warnings.iter_mut().skip(warnings) {
            of_warning.extend(cfgs.clone());
        }
        let found = self.errors.split_off(errors);
        let found = found.into_iter().map(|error| (cfgs.clone(), error));
        self.conditional.extend(found);
    }
}

/// The errors as statements, each where its conditions hold.
pub(crate) fn under_conditions(errors: &[(TokenStream, syn::Error)]) -> TokenStream {
    let errors = errors.iter().map(|(cfgs, error)| {
        let error = error.to_compile_error();
        quote!(#cfgs #error)
    });
    errors.collect()
}
