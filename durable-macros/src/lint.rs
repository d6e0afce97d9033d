//! What a body names and does that a replay would do otherwise.
//!
//! The body is looked at before it is rewritten, and not changed. Each mistake is one error, at the user's own token: what
//! is made of something that was refused here is not refused again by the type checker, see [`Refused`].

mod finding;
mod forms;
mod futures;
mod locals;
mod macros;
mod names;
#[cfg(test)]
mod published;
mod statics;
#[cfg(test)]
mod tests;
mod through;
mod tokens;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Expr, Item, Signature, Stmt};

pub(crate) use self::finding::{Warning, under_conditions};
use self::locals::Locals;
use crate::allow::{self, Allowance, InForce};
use crate::catalogue::Code;
use crate::model::position;
use crate::source::Scope;

/// What sort of function is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Orchestrator,
    Helper,
    /// Vouched for by its author.
    Deterministic,
}

impl Subject {
    /// With its article, as messages speak of it.
    fn phrase(self) -> &'static str {
        match self {
            Self::Orchestrator => "an orchestrator",
            Self::Helper => "a helper",
            Self::Deterministic => "a deterministic function",
        }
    }
}

/// What was found in a body.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<syn::Error>,
    /// Those in a statement or arm that has a `cfg`: they are errors where it holds.
    pub(crate) conditional: Vec<(proc_macro2::TokenStream, syn::Error)>,
    pub(crate) warnings: Vec<Warning>,
    /// All that its author vouched for.
    pub(crate) allowances: Vec<Allowance>,
    pub(crate) refused: Refused,
    /// Not all that the body leads to was looked at.
    was_cut: bool,
}

/// Awaits and branches whose future was refused by name, which need no second error from the type checker.
///
/// They are known by their place: should two tokens of a macro have the same, an await is not checked in a program that
/// is not built anyway.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// The words `await`, and the begins of branches.
    places: HashSet<(usize, usize)>,
    /// The begins of futures that a combinator is given.
    given: HashSet<(usize, usize)>,
}

impl Refused {
    /// Whether what stands at `span` was refused: the word `await`, or the begin of a branch.
    pub(crate) fn holds(&self, span: Span) -> bool {
        !self.places.is_empty() && self.places.contains(&position(span))
    }

    /// Whether it is a refused future that a combinator is given. Asked of what is outermost first, as others may begin there too.
    pub(crate) fn takes(&mut self, expr: &Expr) -> bool {
        !self.given.is_empty() && self.given.remove(&position(first_token(expr)))
    }

    fn note(&mut self, span: Span) {
        self.places.insert(position(span));
    }
}

/// Looks at the body of a function.
pub(crate) fn check(subject: Subject, sig: &Signature, statements: &[Stmt]) -> Report {
    let mut lint = Lint::new(subject, Scope::around(sig.ident.span()));
    lint.locals.enter_function(sig);
    lint.statements(statements);
    let mut report = lint.report;
    report.was_cut |= lint.scope.as_ref().is_some_and(Scope::was_cut);
    if report.was_cut && is_first_cut() {
        let always = proc_macro2::TokenStream::new();
        report.warnings.push((always, Code::D081, sig.ident.span()));
    }
    report
}

/// Once is enough for a crate, which has this process to itself.
fn is_first_cut() -> bool {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    !IS_TOLD.swap(true, Ordering::Relaxed)
}

struct Lint {
    subject: Subject,
    scope: Option<Scope>,
    locals: Locals,
    allowed: InForce,
    /// What was refused so far, or made of it, in the order of the source.
    marks: Vec<Mark>,
    /// In how many arguments, closures and blocks the visitor is: what is in them is not the value itself.
    depth: usize,
    /// The depth of the operand of an await that is being visited.
    awaited: Option<usize>,
    /// Where in the tree the futures are that a combinator is given.
    given: Vec<usize>,
    /// In an `unsafe` block that was refused: what only such a block can do is refused with it.
    in_unsafe: bool,
    /// In an `if false`, as other attributes write one to give a body its type.
    in_never: bool,
    report: Report,
}

/// Something that was refused, or would have been.
#[derive(Debug, Clone, Copy)]
struct Mark {
    code: Code,
    depth: usize,
    is_allowed: bool,
}

impl Mark {
    /// Whether a value at `depth` that was made with it is refused with it: it is the value itself, or a future in it.
    fn taints(self, depth: usize) -> bool {
        let may_be_future = matches!(
            self.code,
            Code::D003
                | Code::D020
                | Code::D021
                | Code::D022
                | Code::D023
                | Code::D030
                | Code::D031
        );
        !self.is_allowed && (self.depth == depth || may_be_future)
    }
}

impl Lint {
    fn new(subject: Subject, scope: Option<Scope>) -> Self {
        Self {
            subject,
            scope,
            locals: Locals::default(),
            allowed: InForce::default(),
            marks: Vec::new(),
            depth: 0,
            awaited: None,
            given: Vec::new(),
            in_unsafe: false,
            in_never: false,
            report: Report::default(),
        }
    }

    fn statements(&mut self, statements: &[Stmt]) {
        self.locals.enter();
        self.locals.declare(statements);
        for statement in statements {
            self.visit_stmt(statement);
        }
        self.locals.leave();
    }

    /// Visits what is in arguments, a closure or a block: a part, not the value itself.
    fn inside(&mut self, visit: impl FnOnce(&mut Self)) {
        let awaited = self.awaited.take();
        self.depth += 1;
        visit(self);
        self.depth -= 1;
        self.awaited = awaited;
    }

    /// Visits with names of its own.
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        self.locals.enter();
        visit(self);
        self.locals.leave();
    }

    /// What refuses a value that is visited by `visit`.
    fn taint_of(&mut self, visit: impl FnOnce(&mut Self)) -> Option<Code> {
        let before = self.marks.len();
        visit(self);
        let marks = self.marks.get(before..).unwrap_or_default();
        let found = marks.iter().find(|mark| mark.taints(self.depth));
        found.map(|mark| mark.code)
    }

    /// A branch of `join!` or `select!`.
    fn branch(&mut self, expr: &Expr) {
        let taint = self.taint_of(|lint| lint.visit_expr(expr));
        if taint.is_some() {
            self.report.refused.note(first_token(expr));
        }
    }

    fn with_allowances(&mut self, attrs: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let allowances = allow::read(attrs, &mut self.report.errors);
        self.report.allowances.extend(allowances.iter().cloned());
        let before = self.allowed.begin(allowances);
        let found = self.report.counts();
        visit(self);
        self.report.put_under(attrs, found);
        for unneeded in self.allowed.end(before) {
            // Whether that one is needed only the rewriter knows.
            if unneeded.code != Some(Code::D040) {
                self.warn(Code::D092, unneeded.span);
            }
        }
    }
}

/// Where an expression begins, as it does again when it is rewritten.
pub(crate) fn first_token(expr: &Expr) -> Span {
    let tokens = quote::ToTokens::to_token_stream(expr);
    tokens
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span())
}

impl<'ast> Visit<'ast> for Lint {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attrs = allow::attributes(statement).map_or(&[][..], Vec::as_slice);
        self.with_allowances(attrs, |lint| match statement {
            Stmt::Macro(call) => lint.macro_call(&call.mac),
            Stmt::Local(local) => lint.local(local),
            _ => visit::visit_stmt(lint, statement),
        });
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.statements(&block.stmts);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        self.item(item);
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        let taint = self.taint_of(|lint| lint.visit_expr(&choice.expr));
        for arm in &choice.arms {
            self.with_allowances(&arm.attrs, |lint| {
                lint.scoped(|lint| {
                    lint.locals.bind(&arm.pat, taint);
                    visit::visit_arm(lint, arm);
                });
            });
        }
    }

    fn visit_expr_await(&mut self, call: &'ast syn::ExprAwait) {
        let awaited = self.awaited.replace(self.depth);
        let taint = self.taint_of(|lint| lint.visit_expr(&call.base));
        self.awaited = awaited;
        if taint.is_some() {
            self.report.refused.note(call.await_token.span);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            if self.is_side_effect(path) {
                return;
            }
            self.path(path);
            self.expect_futures(path, &call.args);
        } else {
            self.visit_expr(&call.func);
        }
        self.inside(|lint| {
            for argument in &call.args {
                lint.visit_expr(argument);
            }
        });
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let before = self.marks.len();
        self.visit_expr(&call.receiver);
        // What is done with something that was told of, or allowed, is no second mistake.
        let receiver = self.marks.get(before..).unwrap_or_default();
        let is_told = receiver.iter().any(|mark| mark.depth == self.depth);
        self.inside(|lint| {
            for argument in &call.args {
                lint.visit_expr(argument);
            }
        });
        if !is_told {
            self.method(call);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        self.path(path);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.inside(|lint| lint.visit_block(&block.block));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scoped(|lint| {
            closure
                .inputs
                .iter()
                .for_each(|pat| lint.locals.bind(pat, None));
            lint.inside(|lint| lint.visit_expr(&closure.body));
        });
    }

    fn visit_expr_for_loop(&mut self, for_loop: &'ast syn::ExprForLoop) {
        let taint = self.taint_of(|lint| lint.visit_expr(&for_loop.expr));
        self.scoped(|lint| {
            lint.locals.bind(&for_loop.pat, taint);
            lint.visit_block(&for_loop.body);
        });
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        let before = self.in_never;
        self.in_never |= forms::is_literally(&branch.cond, false);
        self.scoped(|lint| {
            lint.visit_expr(&branch.cond);
            lint.visit_block(&branch.then_branch);
        });
        self.in_never = before;
        if let Some((_, otherwise)) = &branch.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        let taint = self.taint_of(|lint| lint.visit_expr(&condition.expr));
        self.locals.bind(&condition.pat, taint);
    }

    fn visit_expr_while(&mut self, while_loop: &'ast syn::ExprWhile) {
        self.while_loop(while_loop);
        self.scoped(|lint| visit::visit_expr_while(lint, while_loop));
    }

    fn visit_expr_loop(&mut self, endless: &'ast syn::ExprLoop) {
        self.endless_loop(endless);
        visit::visit_expr_loop(self, endless);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        let errors = self.report.errors.len();
        self.unsafe_block(block.unsafe_token.span);
        let before = self.in_unsafe;
        self.in_unsafe |= self.report.errors.len() > errors;
        visit::visit_expr_unsafe(self, block);
        self.in_unsafe = before;
    }

    fn visit_expr_cast(&mut self, cast: &'ast syn::ExprCast) {
        self.cast(cast);
        visit::visit_expr_cast(self, cast);
    }

    fn visit_expr_raw_addr(&mut self, address: &'ast syn::ExprRawAddr) {
        self.raw_address(address);
        visit::visit_expr_raw_addr(self, address);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.macro_call(call);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Verbatim(tokens) => self.raw(tokens.clone()),
            _ if self.is_given(expr) => self.future(expr),
            _ => visit::visit_expr(self, expr),
        }
    }

    // Types and patterns run nothing.
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

impl Lint {
    fn local(&mut self, local: &syn::Local) {
        let mut taint = None;
        if let Some(init) = &local.init {
            taint = self.taint_of(|lint| lint.visit_expr(&init.expr));
            if let Some((_, otherwise)) = &init.diverge {
                self.visit_expr(otherwise);
            }
        }
        self.locals.bind(&local.pat, taint);
    }

    /// The bodies of functions in the body: what they do is done here. Those that are annotated have their own rules.
    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(function) if !is_annotated(&function.attrs) => {
                self.function(&function.sig, &function.block);
            }
            Item::Impl(block) => {
                for item in &block.items {
                    if let syn::ImplItem::Fn(function) = item
                        && !is_annotated(&function.attrs)
                    {
                        self.function(&function.sig, &function.block);
                    }
                }
            }
            Item::Trait(item) => {
                for item in &item.items {
                    if let syn::TraitItem::Fn(function) = item
                        && let Some(block) = &function.default
                        && !is_annotated(&function.attrs)
                    {
                        self.function(&function.sig, block);
                    }
                }
            }
            Item::Const(item) => self.inside(|lint| lint.visit_expr(&item.expr)),
            Item::Macro(call) if call.ident.is_none() => self.macro_call(&call.mac),
            Item::Static(item) => self.static_item(item),
            _ => {}
        }
    }

    fn function(&mut self, sig: &Signature, block: &syn::Block) {
        self.inside(|lint| {
            lint.scoped(|lint| {
                lint.locals.enter_function(sig);
                lint.visit_block(block);
            });
        });
    }
}

/// The attributes that look at a body themselves, or let it do as it likes.
const ATTRIBUTES: &[&str] = &["activity", "orchestrator", "helper", "deterministic"];

fn is_annotated(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|segment| ATTRIBUTES.iter().any(|name| segment.ident == name))
    })
}
