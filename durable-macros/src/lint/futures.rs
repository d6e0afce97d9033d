//! Futures that are given to a combinator. One that was refused by its name is not refused again by its type: the combinator asks
//! for futures that are durable, and the rewriter makes it one.

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit as _};
use syn::{Expr, ExprPath, Stmt, Token};

use super::{Lint, first_token};
use crate::model::position;

/// Functions that take a list of futures, and those that take one as their last argument.
const OF_LISTS: &[&str] = &["join_all", "race", "select_all", "try_join_all"];
const OF_ONE: &[&str] = &["timeout"];

impl Lint {
    /// Notes where the futures are in the arguments of a call, if it is one of a combinator.
    pub(super) fn expect_futures(
        &mut self,
        function: &ExprPath,
        arguments: &Punctuated<Expr, Token![,]>,
    ) {
        let Some(last) = function.path.segments.last() else {
            return;
        };
        let is_among = |names: &[&str]| names.iter().any(|name| last.ident == name);
        let Some(given) = arguments.last() else {
            return;
        };
        if is_among(OF_ONE) {
            self.given.push(place_in_tree(given));
        } else if is_among(OF_LISTS) {
            self.expect_list(given);
        }
    }

    /// `[a, b]`, `vec![a, b]`, `list.map(|it| a)`
    fn expect_list(&mut self, list: &Expr) {
        match list {
            Expr::Array(array) => self.given.extend(array.elems.iter().map(place_in_tree)),
            Expr::Macro(call) if call.mac.path.is_ident("vec") => {
                self.given.push(place_in_tree(&call.mac.tokens));
            }
            Expr::MethodCall(call) if call.method == "map" => {
                if let Some(Expr::Closure(closure)) = call.args.first() {
                    self.given.push(place_in_tree(value_of(&closure.body)));
                }
            }
            _ => {}
        }
    }

    pub(super) fn is_given<T>(&self, node: &T) -> bool {
        !self.given.is_empty() && self.given.contains(&place_in_tree(node))
    }

    /// Visits a future that a combinator is given.
    pub(super) fn future(&mut self, expr: &Expr) {
        let taint = self.taint_of(|lint| visit::visit_expr(lint, expr));
        if taint.is_some() {
            let place = position(first_token(expr));
            self.report.refused.given.insert(place);
        }
    }

    /// Visits the elements of a `vec!` of futures.
    pub(super) fn futures(&mut self, elements: &Punctuated<Expr, Token![,]>) {
        for element in elements {
            match element {
                Expr::Verbatim(_) => self.visit_expr(element),
                _ => self.future(element),
            }
        }
    }
}

/// What a block ends with.
fn value_of(body: &Expr) -> &Expr {
    match body {
        Expr::Block(block) if block.label.is_none() => match block.block.stmts.last() {
            Some(Stmt::Expr(value, None)) => value,
            _ => body,
        },
        _ => body,
    }
}

/// What tells a node from all others, while the tree is not changed.
fn place_in_tree<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}
