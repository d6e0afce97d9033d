//! One pass over the body of an orchestrator or helper.
//!
//! `e.await` becomes `e.__durable_op().only_durable().await`, which the type system accepts for durable values only. An
//! `async` block becomes `async { .. }.__durable_block()`, which is durable, because its own awaits were checked. The
//! names carry the span of `await` and `async`, so that what is rejected is underlined there, and everything else about
//! an error is as in plain Rust.

mod macros;
mod tokens;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprMethodCall, Item, Stmt, Token, parse_quote_spanned, token};

use crate::model::{Function, error_at};

/// The statements of the body as they go into the expansion: attributes that stood at the head of the body, then code.
pub(crate) struct Body {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) code: TokenStream,
}

/// The body of an activity: as written.
pub(crate) fn as_written(function: &Function) -> Body {
    match function.statements() {
        Some((attrs, statements)) if !attrs.is_empty() => Body {
            attrs: attrs.into_iter().map(outer).collect(),
            code: quote!(#(#statements)*),
        },
        _ => Body {
            attrs: Vec::new(),
            code: function.body.stream(),
        },
    }
}

/// The body of an orchestrator or helper: every await is checked; breaches are added to `errors`.
pub(crate) fn checked(
    function: &Function,
    runtime: &TokenStream,
    errors: &mut Vec<syn::Error>,
) -> Body {
    let mut rewriter = Rewriter { runtime, errors };
    let Some((attrs, mut statements)) = function.statements() else {
        // What does not parse is rustc's to report, with its own recovery; new syntax is still checked.
        return Body {
            attrs: Vec::new(),
            code: rewriter.raw(function.body.stream()),
        };
    };
    for statement in &mut statements {
        rewriter.visit_stmt_mut(statement);
    }
    Body {
        attrs: attrs.into_iter().map(outer).collect(),
        code: quote!(#(#statements)*),
    }
}

fn outer(attr: syn::Attribute) -> syn::Attribute {
    syn::Attribute {
        style: syn::AttrStyle::Outer,
        ..attr
    }
}

struct Rewriter<'a> {
    /// The doorway of the runtime.
    runtime: &'a TokenStream,
    errors: &'a mut Vec<syn::Error>,
}

impl VisitMut for Rewriter<'_> {
    /// The awaits of a nested function belong to another future; that one is not durable, and says so where it is awaited.
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        let Stmt::Macro(call) = statement else {
            return visit_mut::visit_stmt_mut(self, statement);
        };
        if let Some(gated) = self.macro_call(&mut call.mac) {
            let attrs = &call.attrs;
            *statement = Stmt::Expr(Expr::Verbatim(quote!(#(#attrs)* #gated)), None);
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Await(call) => {
                self.visit_expr_mut(&mut call.base);
                let span = call.await_token.span;
                let base = std::mem::replace(&mut *call.base, Expr::Verbatim(TokenStream::new()));
                *call.base = suffix(suffix(base, "__durable_op", span), "only_durable", span);
            }
            Expr::Async(block) => {
                visit_mut::visit_expr_async_mut(self, block);
                let span = block.async_token.span;
                let block = std::mem::replace(expr, Expr::Verbatim(TokenStream::new()));
                *expr = suffix(block, "__durable_block", span);
            }
            Expr::Closure(closure) => {
                if let Some(token) = closure.asyncness.take() {
                    self.errors.push(error_at(
                        token,
                        "[D071] an `async` closure cannot be used in an orchestrator: the future it returns cannot be \
                         checked\nhelp: write `|x| async move { .. }`",
                    ));
                    // Goes on as what the help says, so that nothing else is wrong with it.
                    let body = &closure.body;
                    *closure.body = parse_quote_spanned!(token.span=> #token move { #body });
                }
                visit_mut::visit_expr_closure_mut(self, closure);
            }
            Expr::Macro(call) => {
                if let Some(gated) = self.macro_call(&mut call.mac) {
                    let attrs = &call.attrs;
                    *expr = Expr::Verbatim(quote!(#(#attrs)* #gated));
                }
            }
            Expr::Verbatim(tokens) => *tokens = self.raw(std::mem::take(tokens)),
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

fn suffix(receiver: Expr, method: &str, span: Span) -> Expr {
    Expr::MethodCall(ExprMethodCall {
        attrs: Vec::new(),
        receiver: Box::new(receiver),
        dot_token: Token![.](span),
        method: Ident::new(method, span),
        turbofish: None,
        paren_token: token::Paren(span),
        args: Punctuated::new(),
    })
}

#[cfg(test)]
mod tests;
