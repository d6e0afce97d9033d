//! What is found by the form of the code, whatever it names.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::visit::{self, Visit};
use syn::{Expr, ExprCast, ExprLoop, ExprRawAddr, ExprWhile, Lit, Type};

use super::{Lint, Subject};
use crate::catalogue::Code;

impl Lint {
    /// D052. A function is vouched for because there is something in it that nobody else can judge.
    pub(super) fn unsafe_block(&mut self, span: Span) {
        if self.subject != Subject::Deterministic {
            self.find(
                Code::D052,
                proc_macro2::Ident::new("unsafe", span),
                "`unsafe`",
            );
        }
    }

    /// D041.
    pub(super) fn cast(&mut self, cast: &ExprCast) {
        if let Type::Ptr(ty) = &*cast.ty {
            self.find(Code::D041, quote!(#ty), "a cast to a pointer");
        }
    }

    /// D041.
    pub(super) fn raw_address(&mut self, address: &ExprRawAddr) {
        self.find(Code::D041, address.to_token_stream(), "a raw pointer");
    }

    /// D041, in the text of a format macro.
    pub(super) fn format_text(&mut self, tokens: TokenStream) {
        for tree in tokens {
            let TokenTree::Literal(literal) = tree else {
                continue;
            };
            if let Lit::Str(text) = Lit::new(literal)
                && prints_pointer(&text.value())
            {
                self.find(Code::D041, text, "`{:p}`");
            }
        }
    }

    /// D070, of a loop that has no end by itself.
    pub(super) fn endless_loop(&mut self, endless: &ExprLoop) {
        if !self.in_never && !Ways::of(|ways| ways.visit_block(&endless.body)).are_any() {
            self.warn(Code::D070, endless.loop_token.span);
        }
    }

    /// D070, of a loop that only asks whether it may end.
    pub(super) fn while_loop(&mut self, while_loop: &ExprWhile) {
        let is_true = is_literally(&while_loop.cond, true);
        let waits = while_loop.body.stmts.is_empty() && only_asks(&while_loop.cond);
        let ways = Ways::of(|ways| {
            ways.visit_expr(&while_loop.cond);
            ways.visit_block(&while_loop.body);
        });
        if (is_true || waits) && !ways.are_any() {
            self.warn(Code::D070, while_loop.while_token.span);
        }
    }
}

/// Whether it is the word `true` or `false`.
pub(super) fn is_literally(expr: &Expr, value: bool) -> bool {
    matches!(expr, Expr::Lit(lit) if matches!(&lit.lit, Lit::Bool(lit) if lit.value == value))
}

/// `!task.is_finished()`, which changes nothing; `stack.pop().is_some()` does.
fn only_asks(condition: &Expr) -> bool {
    let Expr::Unary(syn::ExprUnary {
        op: syn::UnOp::Not(_),
        expr,
        ..
    }) = condition
    else {
        return false;
    };
    matches!(&**expr, Expr::MethodCall(call) if call.args.is_empty() && matches!(&*call.receiver, Expr::Path(_)))
}

/// Whether a text with placeholders prints an address: `{:p}`, `{x:#p}`.
fn prints_pointer(text: &str) -> bool {
    let placeholders = text.split('{').skip(1);
    let mut insides = placeholders.filter_map(|rest| rest.split_once('}'));
    insides.any(|(inside, _)| {
        inside
            .split_once(':')
            .is_some_and(|(_, how)| how.trim_end().ends_with('p'))
    })
}

/// The ways on from a loop: an await, or a way out.
#[derive(Default)]
struct Ways {
    awaits: bool,
    leaves: bool,
    /// Loops in the loop, whose `break` is their own.
    depth: usize,
}

/// Macros that neither await nor leave.
const PLAIN: &[&str] = &[
    "print",
    "println",
    "eprint",
    "eprintln",
    "format",
    "write",
    "writeln",
    "vec",
    "matches",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "dbg",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
];

impl Ways {
    fn of(visit: impl FnOnce(&mut Self)) -> Self {
        let mut ways = Self::default();
        visit(&mut ways);
        ways
    }

    fn are_any(&self) -> bool {
        self.awaits || self.leaves
    }

    fn inner(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }
}

impl<'ast> Visit<'ast> for Ways {
    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.awaits = true;
    }
    fn visit_expr_break(&mut self, leave: &'ast syn::ExprBreak) {
        self.leaves |= self.depth == 0 || leave.label.is_some();
    }
    fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
        self.leaves = true;
    }
    fn visit_expr_try(&mut self, _: &'ast syn::ExprTry) {
        self.leaves = true;
    }
    fn visit_expr_continue(&mut self, go_on: &'ast syn::ExprContinue) {
        self.leaves |= go_on.label.is_some();
    }
    fn visit_expr_loop(&mut self, inner: &'ast ExprLoop) {
        self.inner(|ways| visit::visit_expr_loop(ways, inner));
    }
    fn visit_expr_while(&mut self, inner: &'ast ExprWhile) {
        self.inner(|ways| visit::visit_expr_while(ways, inner));
    }
    fn visit_expr_for_loop(&mut self, inner: &'ast syn::ExprForLoop) {
        self.inner(|ways| visit::visit_expr_for_loop(ways, inner));
    }
    // What is in them happens elsewhere.
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    /// Another macro may do anything, and `panic!` leaves.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let last = call.path.segments.last();
        let is_plain = last.is_some_and(|segment| PLAIN.iter().any(|name| segment.ident == name));
        self.leaves |= !is_plain || may_leave(call.tokens.clone());
    }
    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Verbatim(_) => self.leaves = true,
            _ => visit::visit_expr(self, expr),
        }
    }
}

/// Whether there is an await or a `?` in what a macro takes.
fn may_leave(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "await" || ident == "return" || ident == "break",
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Group(group) => may_leave(group.stream()),
        TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::prints_pointer;

    #[test]
    fn a_placeholder_for_a_pointer_is_told_from_others() {
        for text in ["{:p}", "at {x:p}!", "{0:#p}", "{x:>20p}"] {
            assert!(prints_pointer(text), "{text}");
        }
        for text in ["{p}", "{:?}", "p}", "{:>p$}", "{x:?} {p}", ":p}"] {
            assert!(!prints_pointer(text), "{text}");
        }
    }
}
