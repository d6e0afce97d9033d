//! Macro calls in a body: ours are read by their grammar, log macros are gated, others are read as far as possible.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, Macro, Path, Token};

use super::Rewriter;
use super::tokens::find_await;
use crate::join::Join;
use crate::model::error_at;
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

/// Crates whose combinators look like ours, and those combinators. Their polls are not recorded.
const FOREIGN_CRATES: &[&str] = &["tokio", "futures", "futures_util"];
const FOREIGN: &[(&str, &str)] = &[
    ("select", "select"),
    ("select_biased", "select"),
    ("join", "join"),
    ("try_join", "try_join"),
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
            self.errors.push(error_at(
                found,
                format!(
                    "[D061] `{awaits}` cannot stand in `{name}!` in an orchestrator: log macros are skipped while it is \
                     replayed, and this step with them\nhelp: `let value = {step};` first, then log `value`"
                ),
            ));
            return None;
        }
        if let Some(ours) = stands_for(&call.path) {
            let name = path_text(&call.path);
            self.errors.push(error_at(
                &call.path,
                format!(
                    "[D021] `{name}!` cannot be used in an orchestrator: the order in which it polls its branches is not \
                     recorded, so a replay may go another way\nhelp: write `{ours}!` of `durable_runtime::prelude`"
                ),
            ));
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
                    select.expressions_mut(|expr| self.visit_expr_mut(expr));
                    return select.into_token_stream();
                }
            }
            Some("join" | "try_join") => {
                if let Ok(mut join) = syn::parse2::<Join>(tokens.clone()) {
                    join.branches
                        .iter_mut()
                        .for_each(|expr| self.visit_expr_mut(expr));
                    return join.into_token_stream();
                }
            }
            _ => {
                let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
                if let Ok(mut arguments) = parser.parse2(tokens.clone()) {
                    arguments
                        .iter_mut()
                        .for_each(|expr| self.visit_expr_mut(expr));
                    return arguments.into_token_stream();
                }
            }
        }
        self.raw(tokens)
    }
}

fn is_log(path: &Path) -> bool {
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

/// The combinator of ours to write in place of a foreign one, which only its path gives away.
fn stands_for(path: &Path) -> Option<&'static str> {
    let (first, last) = (path.segments.first()?, path.segments.last()?);
    let is_foreign =
        path.segments.len() > 1 && FOREIGN_CRATES.iter().any(|name| first.ident == name);
    let (_, ours) = FOREIGN.iter().find(|(name, _)| last.ident == name)?;
    is_foreign.then_some(ours)
}

fn path_text(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
