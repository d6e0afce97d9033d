//! Where an order by chance makes no difference: what is gone over is counted, sorted, or put into another order at once.
//!
//! Only the form is looked at, so a closure on the way may still do what depends on the order; but then it does it in a
//! `map` or `filter`, where nobody expects it.

use syn::{Expr, ExprMethodCall, GenericArgument, Local, Pat, Stmt, Type};

use super::iteration;

/// Methods on the way that give or take each element alike, whatever came before it.
const ON_THE_WAY: &[&str] = &[
    "cloned",
    "copied",
    "filter",
    "filter_map",
    "flat_map",
    "flatten",
    "map",
];

/// Methods at the end whose result is the same in any order.
const AT_THE_END: &[&str] = &[
    "all",
    "any",
    "count",
    "is_empty",
    "len",
    "max",
    "min",
    "sorted",
    "sorted_unstable",
];

/// Collections that have an order of their own; a hash map has none either way, and is checked when it is gone over.
const COLLECTIONS: &[&str] = &["BTreeMap", "BTreeSet", "HashMap", "HashSet"];

/// Numbers whose sum is the same in any order. That of floats is not.
const INTEGERS: &[&str] = &[
    "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
];

/// Whether the call ends a chain that goes over a map or set, with a result that is the same in any order.
pub(super) fn is_settled(call: &ExprMethodCall) -> bool {
    let turbofish = call
        .turbofish
        .as_ref()
        .map(|generics| generics.args.first());
    let is_settled = match turbofish {
        None => AT_THE_END.iter().any(|name| call.method == name),
        Some(Some(GenericArgument::Type(ty))) => is_settled_as(call, ty),
        Some(_) => false,
    };
    is_settled && comes_from_iteration(&call.receiver)
}

/// Whether the declared type gives an order to what the variable is set to.
pub(super) fn is_declared(local: &Local) -> bool {
    match (&local.pat, collected(local)) {
        (Pat::Type(pat), Some(call)) => is_settled_as(call, &pat.ty),
        _ => false,
    }
}

/// The statements that are followed by one that sorts the variable they declare.
pub(super) fn sorted_after(statements: &[Stmt]) -> Vec<usize> {
    let pairs = statements.windows(2).enumerate();
    let sorted = pairs.filter(|(_, pair)| match pair {
        [Stmt::Local(local), Stmt::Expr(Expr::MethodCall(call), _)] => {
            let is_sort = call.method == "sort" || call.method == "sort_unstable";
            let name = declared(&local.pat);
            is_sort && name.is_some() && name == named(&call.receiver) && is_collected(local)
        }
        _ => false,
    });
    sorted.map(|(index, _)| index).collect()
}

fn is_collected(local: &Local) -> bool {
    collected(local).is_some_and(|call| call.method == "collect")
}

/// The call that ends a chain that goes over a map or set, if the variable is set to that.
fn collected(local: &Local) -> Option<&ExprMethodCall> {
    match &*local.init.as_ref()?.expr {
        Expr::MethodCall(call) if comes_from_iteration(&call.receiver) => Some(call),
        _ => None,
    }
}

fn is_settled_as(call: &ExprMethodCall, ty: &Type) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let among = |names: &[&str]| {
        let last = path.path.segments.last();
        last.is_some_and(|last| names.iter().any(|name| last.ident == name))
    };
    if call.method == "collect" {
        among(COLLECTIONS)
    } else {
        (call.method == "sum" || call.method == "product") && among(INTEGERS)
    }
}

fn comes_from_iteration(expr: &Expr) -> bool {
    let Expr::MethodCall(call) = expr else {
        return false;
    };
    iteration::names(call)
        || ON_THE_WAY.iter().any(|name| call.method == name) && comes_from_iteration(&call.receiver)
}

fn declared(pat: &Pat) -> Option<String> {
    match pat {
        Pat::Ident(pat) => Some(pat.ident.to_string()),
        Pat::Type(pat) => declared(&pat.pat),
        _ => None,
    }
}

fn named(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}
