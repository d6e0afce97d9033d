//! Macro calls in a body: ours are read by their grammar, log macros are gated, others are read as far as possible.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, Macro, Path, Token};

use super::tokens::{Piece, find_await, pieces};
use super::{Rewriter, suffix};
use crate::catalogue::Code;
use crate::join::Join;
use crate::lint;
use crate::select::Select;

/// Macros that only tell: each line is wanted once, not at every replay. The crate that defines them, then their names.
const LOG: &[(&str, &[&str])] = &[
    (
        "tracing",
        &["trace", "debug", "info", "warn", "error", "event"],
    ),
    ("log", &["trace", "debug", "info", "warn", "error", "log"]),
    ("std", &["print", "println", "eprint", "eprintln"]),
];

impl Rewriter<'_> {
    /// Checks what the macro takes. Returns what stands in its place if that is not the macro alone.
    pub(super) fn macro_call(&mut self, call: &mut Macro) -> Option<TokenStream> {
        let is_log = is_log(&call.path);
        if is_log && let Some(found) = find_await(call.tokens.clone()) {
            let name = path_text(&call.path);
            let (awaits, step) = if found == "await" {
                (".await".to_owned(), "...await".to_owned())
            } else {
                (format!("{found}!"), format!("{found}!(..)"))
            };
            self.errors.push(Code::D061.error(
                found,
                format!(
                    "`{awaits}` cannot stand in `{name}!` in an orchestrator: {}\nhelp: `let value = {step};` first, \
                     then log `value`",
                    Code::D061.row().why
                ),
            ));
            return None;
        }
        call.tokens = self.macro_input(&call.path, std::mem::take(&mut call.tokens));
        let runtime = self.runtime;
        let ours = Span::mixed_site();
        is_log.then(|| {
            quote_spanned! {ours=>
                if let ::core::option::Option::Some(_telling) = #runtime::telling() { #call; }
            }
        })
    }

    fn macro_input(&mut self, path: &Path, tokens: TokenStream) -> TokenStream {
        let name = path
            .segments
            .last()
            .map(|segment| segment.ident.to_string());
        // What these two cannot read they report themselves, where they are expanded.
        match name.as_deref() {
            Some("select") => {
                if let Ok(mut select) = syn::parse2::<Select>(tokens.clone()) {
                    select.futures_mut().for_each(|future| self.spare(future));
                    select.expressions_mut(|expr| self.visit_expr_mut(expr));
                    return select.into_token_stream();
                }
            }
            Some("join" | "try_join") => {
                if let Ok(mut join) = syn::parse2::<Join>(tokens.clone()) {
                    for branch in &mut join.branches {
                        self.spare(branch);
                        self.visit_expr_mut(branch);
                    }
                    return join.into_token_stream();
                }
            }
            Some("assert" | "debug_assert") => return self.assertion(&tokens),
            Some("stringify") => return tokens,
            _ => {}
        }
        // It may leave out what it takes, write it twice, or put it into a closure.
        let mut output = TokenStream::new();
        self.body(|it| output = it.arguments(tokens));
        output
    }

    /// What a macro of unknown grammar takes: mostly expressions, and something between them.
    pub(super) fn arguments(&mut self, tokens: TokenStream) -> TokenStream {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(mut arguments) = parser.parse2(tokens.clone()) {
            let visit = |expr| self.visit_expr_mut(expr);
            arguments.iter_mut().for_each(visit);
            return arguments.into_token_stream();
        }
        let mut output = TokenStream::new();
        for Piece { tokens, end } in pieces(tokens) {
            match syn::parse2::<Expr>(tokens.clone()) {
                Ok(mut expr) => {
                    self.visit_expr_mut(&mut expr);
                    expr.to_tokens(&mut output);
                }
                Err(_) => output.extend(self.raw(tokens, Self::arguments)),
            }
            output.extend(end);
        }
        output
    }

    /// What an assertion that fails says is what was written, not what became of it.
    fn assertion(&mut self, tokens: &TokenStream) -> TokenStream {
        let said = format!("assertion failed: {tokens}");
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let is_alone = parser
            .parse2(tokens.clone())
            .is_ok_and(|it| it.len() == 1 && !it.trailing_punct());
        let arguments = self.arguments(tokens.clone());
        if is_alone && arguments.to_string() != tokens.to_string() {
            quote!(#arguments, "{}", #said)
        } else {
            arguments
        }
    }
}

impl Rewriter<'_> {
    /// Marks a branch that the lint refused, so that its type is not refused again.
    fn spare(&self, branch: &mut Expr) {
        let span = lint::first_token(branch);
        if self.refused.holds(span) {
            let refused = std::mem::replace(branch, Expr::PLACEHOLDER);
            *branch = suffix(refused, "__durable_block", span);
        }
    }
}

/// Whether a macro of this name only tells.
pub(crate) fn is_log(path: &Path) -> bool {
    let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [name] if path.leading_colon.is_none() => LOG.iter().any(|(_, names)| names.contains(name)),
        [krate, name] => LOG
            .iter()
            .any(|(home, names)| home == krate && names.contains(name)),
        _ => false,
    }
}

fn path_text(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
