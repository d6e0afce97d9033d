//! One pass over the body of an orchestrator or helper.
//!
//! `e.await` becomes `e.__durable_op().only_durable().await`, which the type system accepts for durable values only. An
//! `async` block becomes `async { .. }.__durable_block()`, which is durable, because its own awaits were checked. The
//! names carry the span of `await` and `async`, so that what is rejected is underlined there, and everything else about
//! an error is as in plain Rust. What is iterated is checked beside the code, see `iteration`.

mod awaited;
mod blocks;
mod iteration;
mod macros;
mod settled;
mod tokens;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMethodCall, Item, Stmt, Token, parse_quote_spanned, token};

use self::blocks::Blocks;
pub(crate) use self::macros::is_log;
use crate::allow::{self, Allowance, InForce};
use crate::catalogue::Code;
use crate::lint::{self, Refused, Subject, Warning};
use crate::model::{Function, warnings};
use crate::sites::Table;

/// The statements of the body as they go into the expansion: attributes that stood at the head of the body, then code.
pub(crate) struct Body {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) code: TokenStream,
    /// What its author vouched for.
    pub(crate) allowances: Vec<Allowance>,
    /// Where it waits.
    pub(crate) sites: Table,
}

/// The body of an activity: as written.
pub(crate) fn as_written(function: &Function) -> Body {
    match function.statements() {
        Some((attrs, statements)) if !attrs.is_empty() => Body {
            attrs: attrs.into_iter().map(outer).collect(),
            code: quote!(#(#statements)*),
            allowances: Vec::new(),
            sites: Table::default(),
        },
        _ => Body {
            attrs: Vec::new(),
            code: function.body.stream(),
            allowances: Vec::new(),
            sites: Table::default(),
        },
    }
}

/// The body of an orchestrator or helper: what it names is looked at, and every await is checked; breaches are added to
/// `errors`.
pub(crate) fn checked(
    subject: Subject,
    function: &Function,
    runtime: &TokenStream,
    errors: &mut Vec<syn::Error>,
) -> Body {
    let mut rewriter = Rewriter {
        runtime,
        errors,
        blocks: Blocks::default(),
        refused: Refused::default(),
        allowed: InForce::default(),
        warnings: Vec::new(),
    };
    let Some((attrs, mut statements)) = function.statements() else {
        // What does not parse is rustc's to report, with its own recovery; new syntax is still checked.
        return Body {
            attrs: Vec::new(),
            code: rewriter.broken(allow::strip(function.body.stream())),
            allowances: Vec::new(),
            sites: Table::default(),
        };
    };
    let report = lint::check(subject, &function.sig, &statements);
    rewriter.errors.extend(report.errors);
    rewriter.refused = report.refused;
    rewriter.warnings = report.warnings;
    let sites = Table::of(function, &statements);
    rewriter.block(&mut statements, true);
    let warnings = warnings(runtime, &rewriter.warnings);
    let conditional = lint::under_conditions(&report.conditional);
    Body {
        attrs: attrs.into_iter().map(outer).collect(),
        code: quote!(#conditional #warnings #(#statements)*),
        allowances: report.allowances,
        sites,
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
    blocks: Blocks,
    /// What the lint refused, so that it is not refused again.
    refused: Refused,
    /// What the author of the statement vouches for.
    allowed: InForce,
    warnings: Vec<Warning>,
}

impl Rewriter<'_> {
    /// Takes the allowances off a statement or arm; they are in force while it is visited.
    fn with_allowances(&mut self, allowances: Vec<Allowance>, visit: impl FnOnce(&mut Self)) {
        let before = self.allowed.begin(allowances);
        visit(self);
        for unneeded in self.allowed.end(before) {
            // The others are the lint's to tell.
            if unneeded.code == Some(Code::D040) {
                self.warnings
                    .push((TokenStream::new(), Code::D092, unneeded.span));
            }
        }
    }

    /// Visits a statement; `is_sorted` if the next one sorts what it declares.
    fn statement(&mut self, statement: &mut Stmt, is_sorted: bool) {
        let allowances = allow::attributes_mut(statement).map(allow::take);
        let is_conditional = allow::attributes(statement).is_some_and(|it| is_conditional(it));
        self.with_allowances(allowances.unwrap_or_default(), |it| {
            it.perhaps(is_conditional, |it| {
                it.plain_statement(statement, is_sorted);
            });
        });
    }

    /// Visits what may not be there when it is compiled: nothing is put off out of it.
    fn perhaps(&mut self, is_conditional: bool, visit: impl FnOnce(&mut Self)) {
        if is_conditional {
            self.body(visit);
        } else {
            visit(self);
        }
    }

    fn plain_statement(&mut self, statement: &mut Stmt, is_sorted: bool) {
        let Stmt::Local(local) = statement else {
            return self.visit_stmt_mut(statement);
        };
        let is_settled = is_sorted || settled::is_declared(local);
        self.note_binding(local);
        match &mut local.init {
            Some(init) if is_settled => self.settled(&mut init.expr),
            _ => visit_mut::visit_local_mut(self, local),
        }
    }

    /// Visits a chain of calls that may go over a map or set in any order.
    fn settled(&mut self, expr: &mut Expr) {
        match expr {
            Expr::MethodCall(call) if iteration::names(call) => {
                visit_mut::visit_expr_method_call_mut(self, call);
            }
            Expr::MethodCall(call) => {
                self.settled(&mut call.receiver);
                call.args.iter_mut().for_each(|it| self.visit_expr_mut(it));
            }
            _ => self.visit_expr_mut(expr),
        }
    }
}

impl VisitMut for Rewriter<'_> {
    /// The awaits of a nested function belong to another future; that one is not durable, and says so where it is awaited.
    fn visit_item_mut(&mut self, item: &mut Item) {
        allow::Strip.visit_item_mut(item);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(&mut block.stmts, false);
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        let allowances = allow::take(&mut arm.attrs);
        let is_conditional = is_conditional(&arm.attrs);
        self.with_allowances(allowances, |it| {
            it.perhaps(is_conditional, |it| visit_mut::visit_arm_mut(it, arm));
        });
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let is_conditional = is_conditional(&field.attrs);
        self.perhaps(is_conditional, |it| {
            visit_mut::visit_field_value_mut(it, field);
        });
    }

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
        if self.refused.takes(expr) {
            let span = lint::first_token(expr);
            self.visit_expr_mut(expr);
            let refused = std::mem::replace(expr, Expr::PLACEHOLDER);
            *expr = suffix(refused, "__durable_block", span);
            return;
        }
        match expr {
            Expr::Await(call) => self.awaited(call),
            Expr::Async(block) => {
                self.body(|it| visit_mut::visit_expr_async_mut(it, block));
                let span = block.async_token.span;
                let block = std::mem::replace(expr, Expr::Verbatim(TokenStream::new()));
                *expr = suffix(block, "__durable_block", span);
            }
            Expr::Closure(closure) => {
                if let Some(token) = closure.asyncness.take() {
                    let row = Code::D071.row();
                    self.errors.push(Code::D071.error(
                        token,
                        format!(
                            "an `async` closure cannot be used in an orchestrator: {}\nhelp: {}",
                            row.why, row.instead
                        ),
                    ));
                    // Goes on as what the help says, so that nothing else is wrong with it.
                    let body = &closure.body;
                    *closure.body = parse_quote_spanned!(token.span=> #token move { #body });
                }
                self.body(|it| visit_mut::visit_expr_closure_mut(it, closure));
            }
            Expr::ForLoop(looped) => {
                let is_checked = iteration::goes_over(&looped.expr);
                visit_mut::visit_expr_for_loop_mut(self, looped);
                self.for_loop(looped, is_checked);
            }
            Expr::MethodCall(call) if settled::is_settled(call) => self.settled(expr),
            Expr::MethodCall(call) => {
                let is_handed = iteration::is_handed(call);
                visit_mut::visit_expr_method_call_mut(self, call);
                if is_handed {
                    self.handed(call);
                }
                if iteration::names(call) {
                    self.iteration(expr);
                }
            }
            Expr::Macro(call) => {
                if let Some(gated) = self.macro_call(&mut call.mac) {
                    let attrs = &call.attrs;
                    *expr = Expr::Verbatim(quote!(#(#attrs)* #gated));
                }
            }
            Expr::Verbatim(tokens) => *tokens = self.broken(std::mem::take(tokens)),
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// Whether there is a `cfg` among the attributes.
fn is_conditional(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

fn suffix(receiver: Expr, method: &str, span: Span) -> Expr {
    with_suffix(receiver, method, Punctuated::new(), span)
}

fn call_suffix(receiver: Expr, method: &str, argument: Expr, span: Span) -> Expr {
    with_suffix(receiver, method, Punctuated::from_iter([argument]), span)
}

fn with_suffix(
    receiver: Expr,
    method: &str,
    args: Punctuated<Expr, Token![,]>,
    span: Span,
) -> Expr {
    Expr::MethodCall(ExprMethodCall {
        attrs: Vec::new(),
        receiver: Box::new(receiver),
        dot_token: Token![.](span),
        method: Ident::new(method, span),
        turbofish: None,
        paren_token: token::Paren(span),
        args,
    })
}

#[cfg(test)]
mod tests;
