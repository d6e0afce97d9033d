//! One walk over a body, in the order of evaluation.

mod control;
mod macros;

use std::cell::OnceCell;
use std::collections::HashMap;

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, Item, Stmt};

use super::callee::{self, Callee, is_adverb, peeled};
use super::flow::Flow;
use super::text::Text;
use super::{Kind, ROWS_MAX, Row, Table, end, position};
use crate::source::{Namespace, Resolved, Scope};

/// The attributes whose functions record something when they are called.
const ATTRIBUTES: &[&str] = &["activity", "orchestrator", "helper"];

pub(super) struct Walk {
    pub(super) table: Table,
    text: Text,
    /// The name of the function, and where its names are looked up, once somebody asked.
    name: Span,
    scope: OnceCell<Option<Scope>>,
    /// The loops, branches and combinators around the place.
    frames: Vec<Frame>,
    /// How many rows had the same key.
    keys: HashMap<String, usize>,
}

/// Something that rows are in.
pub(super) struct Frame {
    kind: &'static str,
    line: usize,
    /// Which arm or branch, from 0.
    index: Option<usize>,
}

impl Frame {
    pub(super) fn new(kind: &'static str, span: Span) -> Self {
        Self {
            kind,
            line: position(span).0,
            index: None,
        }
    }

    pub(super) fn nth(kind: &'static str, span: Span, index: usize) -> Self {
        Self {
            index: Some(index),
            ..Self::new(kind, span)
        }
    }

    fn shown(&self) -> String {
        let index = self.index.map(|index| format!("#{index}"));
        format!("{}@{}{}", self.kind, self.line, index.unwrap_or_default())
    }
}

impl Walk {
    pub(super) fn new(name: Span, text: Text) -> Self {
        Self {
            table: Table::default(),
            text,
            name,
            scope: OnceCell::new(),
            frames: Vec::new(),
            keys: HashMap::new(),
        }
    }

    pub(super) fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            self.visit_stmt(statement);
        }
    }

    /// Visits what is in `frame`; gives the steps in it.
    fn within(&mut self, frame: Frame, visit: impl FnOnce(&mut Self)) -> Vec<Flow> {
        let before = std::mem::take(&mut self.table.flow);
        self.frames.push(frame);
        visit(self);
        self.frames.pop();
        std::mem::replace(&mut self.table.flow, before)
    }

    fn step(&mut self, step: Flow) {
        if !step.is_empty() {
            self.table.flow.push(step);
        }
    }

    /// Adds a row for `callee`, in an expression that ends at the line `end_line`.
    fn row(&mut self, kind: Kind, callee: Callee, end_line: usize) {
        if self.table.rows.len() >= ROWS_MAX {
            return;
        }
        let around: Vec<&str> = self.frames.iter().map(|frame| frame.kind).collect();
        let key = format!("{}|{kind:?}|{}", around.join("/"), callee.key);
        let ordinal = self.keys.entry(key.clone()).or_default();
        let key = format!("{key}|{ordinal}");
        *ordinal += 1;
        let path: Vec<String> = self.frames.iter().map(Frame::shown).collect();
        let (line, column) = position(callee.span);
        // An `async` block is what it awaits; a limit of time is part of what it limits.
        if callee.name != "async" && kind != Kind::Timeout {
            self.table.flow.push(Flow::Site(self.table.rows.len()));
        }
        self.table.rows.push(Row {
            kind,
            callee: callee.name,
            key,
            line,
            column,
            end_line: end_line.max(line),
            path: path.join("/"),
            text: self.text.line(line),
        });
    }

    /// Something that is awaited here, as a whole: visits what it is made of, then adds its row.
    fn awaited(&mut self, kind: Kind, operand: &Expr, end_line: usize) {
        let mut limits = Vec::new();
        let mut inner = peeled(operand);
        while let Expr::MethodCall(call) = inner
            && is_adverb(call)
        {
            if call.method == "timeout" {
                limits.push(call);
            }
            call.args.iter().for_each(|it| self.visit_expr(it));
            inner = peeled(&call.receiver);
        }
        match inner {
            Expr::Call(call) => call.args.iter().for_each(|it| self.visit_expr(it)),
            Expr::MethodCall(call) => {
                self.visit_expr(&call.receiver);
                call.args.iter().for_each(|it| self.visit_expr(it));
            }
            Expr::Async(block) => visit::visit_expr_async(self, block),
            _ => self.visit_expr(inner),
        }
        self.row(kind, Callee::of(inner), end_line);
        for call in limits.into_iter().rev() {
            self.timeout(call);
        }
    }

    fn timeout(&mut self, call: &ExprMethodCall) {
        let callee = Callee {
            name: "timeout".to_owned(),
            key: "timeout".to_owned(),
            span: call.method.span(),
        };
        self.row(Kind::Timeout, callee, last_line(call));
    }

    fn call(&mut self, call: &ExprCall) {
        visit::visit_expr_call(self, call);
        if let Expr::Path(path) = &*call.func
            && (callee::is_operation_at(&path.path) || self.is_annotated(&path.path))
        {
            let callee = Callee::of(&Expr::Call(call.clone()));
            let last = end(call.paren_token.span.close()).0;
            self.row(Kind::Call, callee, last);
        }
    }

    fn method_call(&mut self, call: &ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if callee::is_operation(call) {
            self.row(Kind::Call, Callee::of_method(call), last_line(call));
        } else if call.method == "timeout" && call.args.len() == 1 {
            self.timeout(call);
        }
    }

    /// Whether a path names an annotated function of this crate.
    fn is_annotated(&self, path: &syn::Path) -> bool {
        let Some(last) = path.segments.last() else {
            return false;
        };
        // Constructors are spelled otherwise; most calls in a body are of those.
        if last.ident.to_string().starts_with(char::is_uppercase) {
            return false;
        }
        let name = self.name;
        let scope = self.scope.get_or_init(|| Scope::around(name));
        let Some(scope) = scope else {
            return false;
        };
        let scope = scope.at(last.ident.span());
        let found = scope.resolve(&callee::names(path), Namespace::Value);
        found.iter().any(|resolved| match resolved {
            Resolved::Function(function) => {
                ATTRIBUTES.iter().any(|name| function.has_attribute(name))
            }
            Resolved::Foreign(_) | Resolved::Own(_) | Resolved::Glob(_) => false,
        })
    }
}

fn last_line(call: &ExprMethodCall) -> usize {
    end(call.paren_token.span.close()).0
}

impl Visit<'_> for Walk {
    /// What a nested function awaits is its own affair.
    fn visit_item(&mut self, _: &Item) {}

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.macro_call(call);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((token, diverge)) = &init.diverge {
                self.let_else(token.span, local, diverge);
            }
        }
    }

    fn visit_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Await(call) => {
                let last = position(call.await_token.span).0;
                self.awaited(Kind::Await, &call.base, last);
            }
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Try(inner) => {
                self.visit_expr(&inner.expr);
                self.step(Flow::Try);
            }
            Expr::If(choice) => self.choice(choice),
            Expr::Match(choice) => self.arms(choice),
            Expr::ForLoop(looped) => self.for_loop(looped),
            Expr::While(looped) => self.while_loop(looped),
            Expr::Loop(looped) => self.endless_loop(looped),
            Expr::Return(exit) => self.exit(exit),
            Expr::Break(leave) => {
                visit::visit_expr_break(self, leave);
                self.step(Flow::Break {
                    label: control::label(leave.label.as_ref()),
                });
            }
            Expr::Continue(again) => self.step(Flow::Continue {
                label: control::label(again.label.as_ref()),
            }),
            Expr::Closure(closure) => {
                let frame = Frame::new("closure", crate::lint::first_token(expr));
                let body = self.within(frame, |walk| walk.visit_expr(&closure.body));
                self.group("closure", body);
            }
            Expr::Async(block) => {
                let frame = Frame::new("async", block.async_token.span);
                let body = self.within(frame, |walk| visit::visit_expr_async(walk, block));
                self.group("async", body);
            }
            _ => visit::visit_expr(self, expr),
        }
    }
}
