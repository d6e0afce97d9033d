//! What is iterated: `for`, and the methods that go over a map or a set.
//!
//! Only the type tells whether an order is one by chance. The check of it is written where it is never reached, so that
//! nothing is moved, borrowed or kept longer than in plain Rust:
//!
//! ```text
//! map.keys()          (map.keys(), 'unreached: { break 'unreached; collection(&map).checked(); }).0
//! made().keys()       made().__durable_iterated().in_order().keys()
//! for x in &map {}    for x in (&map, 'unreached: { break 'unreached; seen = source(&&map); }).0 {}
//! for x in made() {}  for x in match made() { it => { 'unreached: { break 'unreached; seen = source(&it); } it } } {}
//! list.extend(&map)   list.extend((&map, 'unreached: { break 'unreached; seen = extended(&list, &&map); }).0)
//! ```
//!
//! What becomes of `seen` is in `blocks`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{
    Expr, ExprField, ExprForLoop, ExprMethodCall, ExprParen, ExprTuple, Index, Local, Member, Pat,
    Token, UnOp, token,
};

use super::{Rewriter, suffix};
use crate::catalogue::Code;
use crate::model::{located, place_of};

impl Rewriter<'_> {
    /// Puts the check of what it goes over into a loop whose parts were visited.
    pub(super) fn for_loop(&mut self, looped: &mut ExprForLoop, is_checked: bool) {
        if !is_checked {
            self.gone_over(&mut looped.expr, None);
        }
    }

    /// Puts the check of what it is given into a call of a method that goes over that, whose parts were visited.
    pub(super) fn handed(&mut self, call: &mut ExprMethodCall) {
        let receiver = peeled(&call.receiver).clone();
        let is_checkable = is_place(&receiver) && is_repeatable(&receiver);
        match (call.args.first_mut(), call.method == "extend") {
            (Some(given), false) => self.gone_over(given, None),
            // A map may be put into what has an order of its own.
            (Some(given), true) if is_checkable => self.gone_over(given, Some(&receiver)),
            _ => {}
        }
    }

    /// Puts the check of its order beside a value; `into` is what it is put into.
    fn gone_over(&mut self, head: &mut Expr, into: Option<&Expr>) {
        if has_its_order(head) || self.allowed.suppress(Code::D040) {
            return;
        }
        if self.blocks.is_unknown(root(head).as_ref()) {
            return;
        }
        let (ends, place) = (ends(head), telling(head));
        let span = place_of(place);
        let runtime = located(self.runtime, span);
        let is_known = self.is_known_iterator(head);
        if is_known && into.is_some() {
            return;
        }
        let look = |value: &TokenStream| match into {
            Some(into) => quote_spanned!(span=> #runtime::extended(&#into, &#value)),
            None if is_known => quote_spanned!(span=> #runtime::collection(&#value)),
            None => quote_spanned!(span=> #runtime::source(&#value)),
        };
        let seen = self.blocks.defer(place, root(head));
        let check = |value: &TokenStream| {
            let look = look(value);
            match &seen {
                Some(seen) => unreached(span, &quote_spanned!(span=> #seen = #look;)),
                None => unreached(span, &refused(place, &look)),
            }
        };
        if is_place(peeled(head)) && is_repeatable(head) {
            let check = check(&head.to_token_stream());
            let value = std::mem::replace(head, Expr::PLACEHOLDER);
            *head = beside(value, check, ends);
        } else {
            let it = Ident::new("it", Span::mixed_site());
            let check = check(&it.to_token_stream());
            let seen = quote_spanned!(span=> match #head { #it => { #check #it } });
            *head = beside(Expr::Verbatim(seen), quote_spanned!(span=> ()), ends);
        }
    }

    /// Puts the check of its receiver into a call of a method that goes over a map or set, whose parts were visited.
    pub(super) fn iteration(&mut self, expr: &mut Expr) {
        let Expr::MethodCall(call) = expr else {
            return;
        };
        let span = call.method.span();
        let receiver = peeled(&call.receiver);
        if has_its_order(receiver) || self.allowed.suppress(Code::D040) {
            return;
        }
        if is_place(receiver) {
            if !is_repeatable(receiver) {
                return;
            }
            let ours = place_of(span);
            let runtime = located(self.runtime, ours);
            let look = quote_spanned!(ours=> #runtime::collection(&#receiver));
            let check = unreached(ours, &refused(span, &look));
            let ends = ends(expr);
            let value = std::mem::replace(expr, Expr::PLACEHOLDER);
            *expr = beside(value, check, ends);
        } else if !matches!(receiver, Expr::Macro(_)) {
            let value = std::mem::replace(&mut *call.receiver, Expr::PLACEHOLDER);
            let value = suffix(value, "__durable_iterated", span);
            *call.receiver = suffix(value, "in_order", span);
        }
    }

    /// Notes that a name is bound to what a checked method returned, or to a closure.
    pub(super) fn note_binding(&mut self, local: &Local) {
        let Some(init) = &local.init else {
            return;
        };
        if let Expr::Closure(closure) = &*init.expr {
            self.blocks.note_kept(closure);
        }
        if let (Pat::Ident(pat), true) = (&local.pat, goes_over(&init.expr)) {
            self.blocks.note(pat.ident.to_string());
        }
    }

    fn is_known_iterator(&self, head: &Expr) -> bool {
        let Expr::Path(path) = peeled(head) else {
            return false;
        };
        let name = path.path.get_ident().map(ToString::to_string);
        name.is_some_and(|name| self.blocks.is_noted(&name))
    }
}

/// Whether a call of this method goes over what it is called on.
pub(super) fn goes_over(expr: &Expr) -> bool {
    matches!(peeled(expr), Expr::MethodCall(call) if names(call))
}

/// The methods that go over a map or set, each with the number of its arguments.
const NAMES: &[(&str, usize)] = &[
    ("iter", 0),
    ("iter_mut", 0),
    ("into_iter", 0),
    ("keys", 0),
    ("values", 0),
    ("values_mut", 0),
    ("into_keys", 0),
    ("into_values", 0),
    ("drain", 0),
    ("retain", 1),
    ("extract_if", 1),
    ("union", 1),
    ("intersection", 1),
    ("difference", 1),
    ("symmetric_difference", 1),
];

/// Whether the method is one of those that go over a map or set.
pub(super) fn names(call: &ExprMethodCall) -> bool {
    let is_named = |(name, count): &(&str, usize)| call.method == name && call.args.len() == *count;
    call.turbofish.is_none() && NAMES.iter().any(is_named)
}

/// Whether the method goes over what it is given, which no other check is about.
pub(super) fn is_handed(call: &ExprMethodCall) -> bool {
    let is_named = ["chain", "extend", "zip"]
        .iter()
        .any(|name| call.method == name);
    let given = call.args.first().filter(|_| call.args.len() == 1);
    is_named && call.turbofish.is_none() && given.is_some_and(|given| !goes_over(given))
}

/// The value, with the check beside it. All that is around the two has the place and the names of the value, so that an
/// error about it is as in plain Rust.
fn beside(value: Expr, check: TokenStream, (first, last): (Span, Span)) -> Expr {
    let elems = [value, Expr::Verbatim(check)];
    Expr::Field(ExprField {
        attrs: Vec::new(),
        base: Box::new(Expr::Tuple(ExprTuple {
            attrs: Vec::new(),
            paren_token: token::Paren(first),
            elems: elems.into_iter().collect::<Punctuated<_, Token![,]>>(),
        })),
        dot_token: Token![.](last),
        member: Member::Unnamed(Index {
            index: 0,
            span: last,
        }),
    })
}

/// `code` in a place that is never reached: rustc infers its types and checks nothing else.
pub(super) fn unreached(span: Span, code: &TokenStream) -> TokenStream {
    let label = syn::Lifetime::new("'unreached", Span::mixed_site());
    quote_spanned! {span=>
        #label: { break #label; #[allow(unreachable_code)] { #code }; }
    }
}

/// The check of `look`. The call has the names of the user, as one of mixed origin would be told of at the attribute.
pub(super) fn refused(span: Span, look: &TokenStream) -> TokenStream {
    let it = Ident::new("__durable_iterated", span);
    let call = quote_spanned!(span=> #it.checked(););
    quote_spanned!(place_of(span)=> let #it = #look; #call)
}

/// Without `&`, `&mut` and parentheses around it.
pub(super) fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) => peeled(&reference.expr),
        Expr::Paren(ExprParen { expr, .. }) => peeled(expr),
        Expr::Group(group) => peeled(&group.expr),
        _ => expr,
    }
}

/// The variable that it is, or is a part of.
fn root(expr: &Expr) -> Option<String> {
    match peeled(expr) {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::MethodCall(call) => root(&call.receiver),
        _ => None,
    }
}

/// Whether its form says that it names a place, and is no value of its own.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => true,
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)),
        _ => false,
    }
}

/// Whether it has the same type when it is written a second time, and no errors of its own that would then be two.
pub(super) fn is_repeatable(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(field) => is_repeatable(&field.base),
        Expr::Index(index) => is_repeatable(&index.expr) && is_repeatable(&index.index),
        Expr::Unary(unary) => is_repeatable(&unary.expr),
        Expr::Cast(cast) => is_repeatable(&cast.expr),
        Expr::Binary(binary) => is_repeatable(&binary.left) && is_repeatable(&binary.right),
        Expr::Reference(reference) => is_repeatable(&reference.expr),
        Expr::Paren(paren) => is_repeatable(&paren.expr),
        Expr::Await(call) => is_repeatable(&call.base),
        Expr::Try(tried) => is_repeatable(&tried.expr),
        Expr::Call(call) => is_repeatable(&call.func) && call.args.iter().all(is_repeatable),
        Expr::MethodCall(call) => {
            is_repeatable(&call.receiver) && call.args.iter().all(is_repeatable)
        }
        _ => false,
    }
}

/// Whether its form says that it has an order of its own.
fn has_its_order(expr: &Expr) -> bool {
    match peeled(expr) {
        Expr::Range(_) | Expr::Array(_) | Expr::Repeat(_) | Expr::Lit(_) => true,
        Expr::Macro(call) => call.mac.path.is_ident("vec"),
        Expr::MethodCall(call) => match call.args.first() {
            None => ["bytes", "chars", "enumerate", "rev"]
                .iter()
                .any(|name| call.method == name),
            Some(Expr::Closure(_)) => true,
            Some(_) => false,
        },
        _ => false,
    }
}

/// The token that says best what is gone over.
fn telling(expr: &Expr) -> Span {
    match peeled(expr) {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Call(call) => telling(&call.func),
        Expr::Try(tried) => telling(&tried.expr),
        Expr::Await(call) => call.await_token.span,
        Expr::Unary(unary) => telling(&unary.expr),
        Expr::Index(index) => telling(&index.expr),
        place @ (Expr::Path(_) | Expr::Field(_)) => ends(place).1,
        value => ends(value).0,
    }
}

/// The places of its first and its last token.
fn ends(expr: &Expr) -> (Span, Span) {
    let mut tokens = expr.to_token_stream().into_iter();
    let first = tokens.next();
    let last = tokens.last().or_else(|| first.clone());
    let first = first.map_or_else(Span::call_site, |tree| match tree {
        TokenTree::Group(group) => group.span_open(),
        tree => tree.span(),
    });
    let last = last.map_or_else(Span::call_site, |tree| match tree {
        TokenTree::Group(group) => group.span_close(),
        tree => tree.span(),
    });
    (first, last)
}
