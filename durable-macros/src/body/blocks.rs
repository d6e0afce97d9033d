//! Checks of loops, put off to the end of a block.
//!
//! At a loop rustc may not know yet what is gone over: `for x in &found`, where `found` was collected and is returned. What the
//! loop saw is left under a name that is declared at the head of the outermost block which goes on after the loop, and checked at
//! the end of that block, where all that decides its type has been read. None of this is ever reached.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Expr, ExprClosure, Pat, Stmt, parse_quote_spanned};

use super::Rewriter;
use super::iteration::{refused, unreached};
use super::settled;
use crate::model::place_of;

/// The blocks around the place that is being rewritten, innermost last.
#[derive(Default)]
pub(super) struct Blocks {
    open: Vec<Block>,
    /// How many loops were put off: a number for each.
    count: usize,
    /// Names bound to what a checked method returned: their order is known to be one.
    iterators: Vec<String>,
    /// Parameters without a type of closures that are kept: rustc learns their types where they are called.
    unknown: Vec<String>,
}

/// A block, while its statements are visited.
struct Block {
    /// Whether it is the body of a function, closure or `async` block: a check does not leave it.
    is_body: bool,
    /// Whether a statement follows the one that is being visited.
    goes_on: bool,
    seen: Vec<Seen>,
}

/// What a loop went over.
struct Seen {
    /// The name under which the loop left its type.
    name: Ident,
    /// The token at which to tell of it.
    place: Span,
    /// The variable, if it is one.
    root: Option<String>,
}

impl Blocks {
    /// Puts off the check of a loop, to be told of at `place`; `None` if no block goes on after it.
    pub(super) fn defer(&mut self, place: Span, root: Option<String>) -> Option<Ident> {
        let first = self.open.iter().rposition(|block| block.is_body)?;
        let block = self.open.iter_mut().skip(first).find(|b| b.goes_on)?;
        self.count += 1;
        let name = format_ident!("seen{}", self.count, span = place_of(place));
        block.seen.push(Seen {
            name: name.clone(),
            place,
            root,
        });
        Some(name)
    }

    /// Notes a name that is bound to what a checked method returned, to the end of the block.
    pub(super) fn note(&mut self, name: String) {
        self.iterators.push(name);
    }

    /// Notes the parameters without a type of a closure that is kept, to the end of the block.
    pub(super) fn note_kept(&mut self, closure: &ExprClosure) {
        let untyped = closure.inputs.iter().filter_map(|pat| match pat {
            Pat::Ident(pat) => Some(pat.ident.to_string()),
            _ => None,
        });
        self.unknown.extend(untyped);
    }

    pub(super) fn is_unknown(&self, name: Option<&String>) -> bool {
        name.is_some_and(|name| self.unknown.contains(name))
    }

    pub(super) fn is_noted(&self, name: &String) -> bool {
        self.iterators.contains(name)
    }

    fn begin(&mut self, is_body: bool) {
        self.open.push(Block {
            is_body,
            goes_on: false,
            seen: Vec::new(),
        });
    }

    fn end(&mut self) -> Vec<Seen> {
        self.open.pop().map(|block| block.seen).unwrap_or_default()
    }
}

impl Rewriter<'_> {
    /// Visits the statements of a block, and puts into it the checks that were put off to its end.
    pub(super) fn block(&mut self, statements: &mut Vec<Stmt>, is_body: bool) {
        self.blocks.begin(is_body);
        let names = self.blocks.iterators.len();
        let unknown = self.blocks.unknown.len();
        let last = statements.len().saturating_sub(1);
        let sorted = settled::sorted_after(statements);
        for (index, statement) in statements.iter_mut().enumerate() {
            if let Some(block) = self.blocks.open.last_mut() {
                block.goes_on = index < last;
            }
            self.statement(statement, sorted.contains(&index));
        }
        self.blocks.iterators.truncate(names);
        self.blocks.unknown.truncate(unknown);
        let seen = self.blocks.end();
        if !seen.is_empty() {
            check_at_end(statements, &seen);
            declare(statements, &seen);
        }
    }

    /// Visits a body that need not be a block: nothing is put off out of it.
    pub(super) fn body(&mut self, visit: impl FnOnce(&mut Self)) {
        self.blocks.begin(true);
        visit(self);
        self.blocks.end();
    }
}

fn declare(statements: &mut Vec<Stmt>, seen: &[Seen]) {
    let mut positions = statements.iter();
    let first = positions.position(|it| !matches!(it, Stmt::Item(_)));
    let declarations = seen.iter().map(|Seen { name, .. }| -> Stmt {
        parse_quote_spanned!(name.span()=> #[allow(unused_variables)] let #name;)
    });
    let first = first.unwrap_or_default();
    statements.splice(first..first, declarations.collect::<Vec<_>>());
}

/// Before the last statement, unless that may be what decides a type.
fn check_at_end(statements: &mut Vec<Stmt>, seen: &[Seen]) {
    let Some(last) = statements.pop() else {
        return;
    };
    let checks = seen.iter().map(|Seen { name, place, .. }| {
        let check = refused(*place, &name.to_token_stream());
        quote_spanned!(name.span()=> { #check })
    });
    let checks: TokenStream = checks.collect();
    let here = place_of(seen.first().map_or_else(Span::call_site, |it| it.place));
    let roots: Vec<&String> = seen.iter().filter_map(|it| it.root.as_ref()).collect();
    let decides = mentions(last.to_token_stream(), &|ident| {
        roots.iter().any(|root| ident == root.as_str())
    });
    let unreached = |checks| Stmt::Expr(Expr::Verbatim(unreached(here, checks)), None);
    match last {
        Stmt::Expr(value, None) if decides && may_be_broken_with(&value) => {
            statements.push(Stmt::Expr(with_checks(&value, &checks, here), None));
        }
        Stmt::Local(_) | Stmt::Expr(_, Some(_)) if decides => {
            statements.extend([last, unreached(&checks)]);
        }
        _ => statements.extend([unreached(&checks), last]),
    }
}

/// The value of a block, and then the checks. A `break` expects of it what the end of the block does.
fn with_checks(value: &Expr, checks: &TokenStream, here: Span) -> Expr {
    let label = syn::Lifetime::new("'value", Span::mixed_site());
    Expr::Verbatim(quote_spanned! {here=>
        #label: { break #label #value; #[allow(unreachable_code)] { #checks }; }
    })
}

/// Whether it may stand in a labelled block, in which no `break` without a label may stand.
fn may_be_broken_with(value: &Expr) -> bool {
    !matches!(value, Expr::Return(_) | Expr::Macro(_) | Expr::Verbatim(_))
        && !mentions(quote!(#value), &|ident| {
            ident == "break" || ident == "continue"
        })
}

fn mentions(tokens: TokenStream, is_meant: &dyn Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => is_meant(&ident),
        TokenTree::Group(group) => mentions(group.stream(), is_meant),
        _ => false,
    })
}
