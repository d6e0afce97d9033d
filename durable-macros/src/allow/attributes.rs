//! Where a statement keeps its attributes.

use syn::{Attribute, Expr, Stmt};

/// Writes both ways to the attributes, to look and to change; syn gives none.
macro_rules! attributes {
    ($of_statement:ident, $of_expression:ident $(, $mutable:tt)?) => {
        /// The attributes of a statement, where it may have them.
        pub(crate) fn $of_statement(statement: &$($mutable)? Stmt) -> Option<&$($mutable)? Vec<Attribute>> {
            match statement {
                Stmt::Local(local) => Some(&$($mutable)? local.attrs),
                Stmt::Macro(call) => Some(&$($mutable)? call.attrs),
                Stmt::Expr(expr, _) => $of_expression(expr),
                Stmt::Item(_) => None,
            }
        }

        /// Those that stand before an expression are on its leftmost part.
        fn $of_expression(expr: &$($mutable)? Expr) -> Option<&$($mutable)? Vec<Attribute>> {
            Some(match expr {
                Expr::Assign(expr) => return $of_expression(&$($mutable)? expr.left),
                Expr::Binary(expr) => return $of_expression(&$($mutable)? expr.left),
                Expr::Cast(expr) => return $of_expression(&$($mutable)? expr.expr),
                Expr::Array(expr) => &$($mutable)? expr.attrs,
                Expr::Async(expr) => &$($mutable)? expr.attrs,
                Expr::Await(expr) => &$($mutable)? expr.attrs,
                Expr::Block(expr) => &$($mutable)? expr.attrs,
                Expr::Break(expr) => &$($mutable)? expr.attrs,
                Expr::Call(expr) => &$($mutable)? expr.attrs,
                Expr::Closure(expr) => &$($mutable)? expr.attrs,
                Expr::Field(expr) => &$($mutable)? expr.attrs,
                Expr::ForLoop(expr) => &$($mutable)? expr.attrs,
                Expr::If(expr) => &$($mutable)? expr.attrs,
                Expr::Index(expr) => &$($mutable)? expr.attrs,
                Expr::Lit(expr) => &$($mutable)? expr.attrs,
                Expr::Loop(expr) => &$($mutable)? expr.attrs,
                Expr::Macro(expr) => &$($mutable)? expr.attrs,
                Expr::Match(expr) => &$($mutable)? expr.attrs,
                Expr::MethodCall(expr) => &$($mutable)? expr.attrs,
                Expr::Paren(expr) => &$($mutable)? expr.attrs,
                Expr::Path(expr) => &$($mutable)? expr.attrs,
                Expr::RawAddr(expr) => &$($mutable)? expr.attrs,
                Expr::Reference(expr) => &$($mutable)? expr.attrs,
                Expr::Return(expr) => &$($mutable)? expr.attrs,
                Expr::Struct(expr) => &$($mutable)? expr.attrs,
                Expr::Try(expr) => &$($mutable)? expr.attrs,
                Expr::Tuple(expr) => &$($mutable)? expr.attrs,
                Expr::Unary(expr) => &$($mutable)? expr.attrs,
                Expr::Unsafe(expr) => &$($mutable)? expr.attrs,
                Expr::While(expr) => &$($mutable)? expr.attrs,
                _ => return None,
            })
        }
    };
}

attributes!(attributes, of_expression);
attributes!(attributes_mut, of_expression_mut, mut);
