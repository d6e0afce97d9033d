//! What is called where something is awaited: a name for people, a name that outlives edits, and the token at which
//! `Location::caller` finds it.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Expr, ExprCall, ExprMethodCall, Path};

/// Methods that say how something is asked for, and not what.
const ADVERBS: &[&str] = &[
    "as_mut",
    "attempt_timeout",
    "boxed",
    "by_ref",
    "catch",
    "heartbeat_timeout",
    "id",
    "limit",
    "retry",
    "retry_when",
    "retry_with",
    "tag",
    "timeout",
    "version",
    "with_state",
];

/// Functions of the runtime that record something.
const OPERATIONS: &[&str] = &[
    "changed",
    "retired",
    "side_effect",
    "sleep",
    "sleep_until",
    "start",
    "timeout",
];

/// Its methods, with the number of their arguments.
const METHODS: &[(&str, usize)] = &[("result", 0), ("send", 2), ("wait", 0)];

/// What is called.
pub(super) struct Callee {
    /// As its author wrote it, without what varies from call to call.
    pub(super) name: String,
    /// Without the names of variables.
    pub(super) key: String,
    /// Where the call begins, for `Location::caller`.
    pub(super) span: Span,
}

impl Callee {
    fn of_path(path: &Path, span: Span) -> Self {
        let name = spelled(path);
        // In which module it is found may change; the name is what is recorded.
        let key = path
            .segments
            .last()
            .map(|last| last.ident.unraw().to_string());
        Self {
            key: key.unwrap_or_default(),
            name,
            span,
        }
    }

    pub(super) fn of_method(call: &ExprMethodCall) -> Self {
        let method = call.method.unraw().to_string();
        let receiver = match peeled(&call.receiver) {
            Expr::Path(path) => spelled(&path.path),
            Expr::Field(field) => field.to_token_stream().to_string().replace(' ', ""),
            _ => String::new(),
        };
        let last = receiver.rsplit(['.', ':']).next().unwrap_or_default();
        let is_constant = !last.is_empty() && last.to_uppercase() == last;
        Self {
            key: if is_constant {
                format!("{last}.{method}")
            } else {
                format!(".{method}")
            },
            name: if receiver.is_empty() {
                format!(".{method}")
            } else {
                format!("{receiver}.{method}")
            },
            span: call.method.span(),
        }
    }

    /// What `expr`, of which all adverbs were peeled, calls.
    pub(super) fn of(expr: &Expr) -> Self {
        let span = crate::lint::first_token(expr);
        match expr {
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => Self::of_path(&path.path, span),
                _ => Self::unnamed("", span),
            },
            Expr::MethodCall(call) => Self::of_method(call),
            Expr::Path(path) => Self {
                name: spelled(&path.path),
                key: String::new(),
                span,
            },
            Expr::Async(_) => Self::unnamed("async", span),
            _ => Self::unnamed("", span),
        }
    }

    pub(super) fn unnamed(name: &str, span: Span) -> Self {
        Self {
            name: name.to_owned(),
            key: name.to_owned(),
            span,
        }
    }
}

/// Without what makes no difference to what is called.
pub(super) fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => peeled(&inner.expr),
        Expr::Group(inner) => peeled(&inner.expr),
        Expr::Reference(inner) => peeled(&inner.expr),
        Expr::Call(call) => match pinned(call) {
            Some(inner) => peeled(inner),
            None => expr,
        },
        _ => expr,
    }
}

/// What `Box::pin(..)` is given.
fn pinned(call: &ExprCall) -> Option<&Expr> {
    let Expr::Path(path) = &*call.func else {
        return None;
    };
    let names: Vec<_> = path.path.segments.iter().rev().take(2).collect();
    match names.as_slice() {
        [pin, boxed] if pin.ident == "pin" && boxed.ident == "Box" => call.args.first(),
        _ => None,
    }
}

/// Whether the method says how, and not what.
pub(super) fn is_adverb(call: &ExprMethodCall) -> bool {
    ADVERBS.iter().any(|name| call.method == name)
}

/// Whether a method that is not awaited on the spot may record something.
pub(super) fn is_operation(call: &ExprMethodCall) -> bool {
    METHODS
        .iter()
        .any(|(name, count)| call.method == name && call.args.len() == *count)
}

/// The same of a function, as far as it is the runtime's own.
pub(super) fn is_operation_at(path: &Path) -> bool {
    let last = path.segments.last();
    last.is_some_and(|last| OPERATIONS.iter().any(|name| last.ident == name))
}

/// The names of a path.
pub(super) fn names(path: &Path) -> Vec<String> {
    let leading = path.leading_colon.is_some().then(String::new);
    let names = path.segments.iter().map(|it| it.ident.unraw().to_string());
    leading.into_iter().chain(names).collect()
}

fn spelled(path: &Path) -> String {
    names(path).join("::")
}
