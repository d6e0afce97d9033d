//! `select!`, with tokio's grammar:
//!
//! ```text
//! biased;                                     accepted: branches are always polled in written order
//! pattern = future [, if condition] => handler,
//! else => handler
//! ```
//!
//! A branch whose condition is false is not polled; one whose pattern does not match is out of the race. The handler of
//! the winner runs after all other futures are dropped; `else` runs when none is left.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Pat, PatIdent, Token, token};

use crate::join;
use crate::model::place_of;

/// What `select!` takes.
pub(crate) struct Select {
    biased: TokenStream,
    branches: Vec<Branch>,
    otherwise: Option<(Token![else], Handler)>,
}

struct Branch {
    pat: Pat,
    equals: Token![=],
    future: Expr,
    condition: Option<(Token![,], Token![if], Expr)>,
    handler: Handler,
}

struct Handler {
    arrow: Token![=>],
    expr: Expr,
    comma: Option<Token![,]>,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut select = Self {
            biased: join::biased(input)?,
            branches: Vec::new(),
            otherwise: None,
        };
        while !input.is_empty() {
            if input.peek(Token![else]) {
                select.otherwise = Some((input.parse()?, input.parse()?));
                if !input.is_empty() {
                    return Err(input.error("`else` is the last branch"));
                }
            } else {
                select.branches.push(input.parse()?);
            }
        }
        Ok(select)
    }
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        if input.peek(Token![=>]) {
            return Err(input.error("expected `=` and a future"));
        }
        let (equals, future) = (input.parse()?, input.parse()?);
        let condition = if input.peek(Token![,]) && input.peek2(Token![if]) {
            Some((input.parse()?, input.parse()?, input.parse()?))
        } else {
            None
        };
        Ok(Self {
            pat,
            equals,
            future,
            condition,
            handler: input.parse()?,
        })
    }
}

impl Parse for Handler {
    /// A comma may be left out after a block and at the end.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let arrow = input.parse()?;
        let is_block = input.peek(token::Brace);
        let expr = if is_block {
            Expr::Block(syn::ExprBlock {
                attrs: Vec::new(),
                label: None,
                block: input.parse()?,
            })
        } else {
            input.parse()?
        };
        let comma: Option<Token![,]> = input.parse()?;
        if comma.is_none() && !is_block && !input.is_empty() {
            return Err(input.error("expected `,`"));
        }
        Ok(Self { arrow, expr, comma })
    }
}

impl ToTokens for Select {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.biased.to_tokens(tokens);
        for branch in &self.branches {
            let Branch {
                pat,
                equals,
                future,
                condition,
                handler,
            } = branch;
            let condition = condition
                .as_ref()
                .map(|(comma, token, expr)| quote!(#comma #token #expr));
            tokens.extend(quote!(#pat #equals #future #condition #handler));
        }
        if let Some((token, handler)) = &self.otherwise {
            tokens.extend(quote!(#token #handler));
        }
    }
}

impl ToTokens for Handler {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { arrow, expr, comma } = self;
        tokens.extend(quote!(#arrow #expr #comma));
    }
}

/// A branch as it is written.
pub(crate) struct Written<'a> {
    pub(crate) pat: &'a Pat,
    pub(crate) future: &'a Expr,
    pub(crate) condition: Option<&'a Expr>,
    pub(crate) handler: &'a Expr,
}

impl Select {
    /// The branches but `else`.
    pub(crate) fn branches(&self) -> impl Iterator<Item = Written<'_>> {
        self.branches.iter().map(|branch| Written {
            pat: &branch.pat,
            future: &branch.future,
            condition: branch.condition.as_ref().map(|(_, _, condition)| condition),
            handler: &branch.handler.expr,
        })
    }

    /// What runs if no branch is left.
    pub(crate) fn otherwise(&self) -> Option<&Expr> {
        self.otherwise.as_ref().map(|(_, handler)| &handler.expr)
    }

    /// Changes each future that is raced.
    pub(crate) fn futures_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.branches.iter_mut().map(|branch| &mut branch.future)
    }

    /// Visits each expression the user wrote.
    pub(crate) fn expressions_mut(&mut self, mut visit: impl FnMut(&mut Expr)) {
        for branch in &mut self.branches {
            visit(&mut branch.future);
            if let Some((_, _, condition)) = &mut branch.condition {
                visit(condition);
            }
            visit(&mut branch.handler.expr);
        }
        if let Some((_, handler)) = &mut self.otherwise {
            visit(&mut handler.expr);
        }
    }
}

pub(crate) fn select(input: TokenStream) -> TokenStream {
    let form = "select! { pattern = durable_operation() => expression, .. }";
    let call = join::parse_call::<Select>("select", form, input);
    call.map_or_else(|error| error, |(runtime, select)| expand(&runtime, &select))
}

fn expand(runtime: &TokenStream, select: &Select) -> TokenStream {
    // Our names are ours alone: the user's code is between them.
    let ours = Span::mixed_site();
    let count = select.branches.len();
    let children = join::children(count);
    let pinned = join::pinned(&children);
    let futures = select
        .branches
        .iter()
        .map(|branch| join::branch(runtime, "branch", &branch.future));
    let conditions = select.branches.iter().map(Branch::condition);
    let polls = select.branches.iter().zip(&children).enumerate();
    let polls = polls.map(|(index, (branch, child))| {
        let accepts = accepts(&branch.pat);
        quote_spanned!(ours=> #index => #child.as_mut().poll_if(context, #accepts),)
    });
    let handlers = select.branches.iter().enumerate();
    let handlers = handlers.map(|(index, branch)| branch.handle(index, count));
    let no_branch_left = || quote!(#runtime::no_branch_left());
    let otherwise = select
        .otherwise
        .as_ref()
        .map(|(_, handler)| handler.expr.to_token_stream());
    let otherwise = otherwise.unwrap_or_else(no_branch_left);
    // Conditions first, then the futures, as tokio evaluates them.
    quote_spanned! {ours=> {
        let enabled: [::core::primitive::bool; #count] = [#(#conditions),*];
        let outputs = match (#(#futures,)*) {
            (#(#children,)*) => {
                #pinned
                #runtime::Select::new(enabled, |index, context| match index {
                    #(#polls)*
                    _ => ::core::task::Poll::Pending,
                }).await;
                let outputs = (#(#children.as_mut().take(),)*);
                outputs
            }
        };
        match outputs {
            #(#handlers)*
            #[allow(unreachable_patterns)]
            _ => #otherwise,
        }
    }}
}

impl Branch {
    fn condition(&self) -> TokenStream {
        let condition = self.condition.as_ref();
        condition.map_or_else(
            || quote!(true),
            |(_, _, condition)| condition.to_token_stream(),
        )
    }

    /// The arm that runs the handler if branch `index` of `count` has won.
    fn handle(&self, index: usize, count: usize) -> TokenStream {
        let before = std::iter::repeat_n(quote!(_,), index);
        let after = std::iter::repeat_n(quote!(_,), count.saturating_sub(index + 1));
        let (pat, handler) = (&self.pat, &self.handler.expr);
        quote!((#(#before)* ::core::option::Option::Some(#pat), #(#after)*) => #handler,)
    }
}

/// A closure that tells whether an output, by reference, matches the pattern.
fn accepts(pat: &Pat) -> TokenStream {
    if is_irrefutable(pat) {
        return quote!(|_| true);
    }
    let mut by_reference = pat.clone();
    ByReference.visit_pat_mut(&mut by_reference);
    quote_spanned! {place_of(pat.span())=> |output| {
        #[allow(unused_variables, unreachable_patterns)]
        let is_match = match output { #by_reference => true, _ => false };
        is_match
    }}
}

/// Whether the pattern matches anything, as far as its form tells.
fn is_irrefutable(pat: &Pat) -> bool {
    match pat {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(pat) => pat.subpat.is_none() && !may_be_constant(pat),
        Pat::Tuple(pat) => pat.elems.iter().all(is_irrefutable),
        Pat::Paren(pat) => is_irrefutable(&pat.pat),
        Pat::Type(pat) => is_irrefutable(&pat.pat),
        _ => false,
    }
}

/// `None` and `LIMIT` look like bindings.
fn may_be_constant(pat: &PatIdent) -> bool {
    let text = pat.ident.to_string();
    text.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Makes a pattern for `T` one that matches `&T` and binds by reference.
struct ByReference;

impl VisitMut for ByReference {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        pat.by_ref = None;
        pat.mutability = None;
        visit_mut::visit_pat_ident_mut(self, pat);
    }

    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        while let Pat::Reference(reference) = pat {
            *pat = (*reference.pat).clone();
        }
        visit_mut::visit_pat_mut(self, pat);
    }
}

#[cfg(test)]
mod tests {
    use syn::parse::Parser as _;

    use super::*;

    fn reprinted(tokens: TokenStream) -> Result<String, String> {
        let select: Select = syn::parse2(tokens).map_err(|error| error.to_string())?;
        Ok(select.to_token_stream().to_string())
    }

    #[test]
    fn tokios_grammar_is_read_and_reprinted() {
        let tokens = quote! {
            biased;
            Some(Ok(x)) | Some(Err(x)) = a(), if !done && x => { f(x) }
            _ = b => g(),
            mut c = d.e() => match c { _ => 1 },
            else => h()
        };
        assert_eq!(reprinted(tokens.clone()), Ok(tokens.to_string()));
    }

    #[test]
    fn breaches_are_told() {
        for (tokens, message) in [
            (quote!(a = b -> c), "expected `=>`"),
            (quote!(a = b => c d = e => f), "expected `,`"),
            (quote!(else => a, b = c => d), "`else` is the last branch"),
            (quote!(a => b), "expected `=` and a future"),
        ] {
            assert_eq!(reprinted(tokens), Err(message.to_owned()));
        }
    }

    #[test]
    fn refutable_patterns_are_checked_by_reference() {
        let pat = |tokens| Pat::parse_multi_with_leading_vert.parse2(tokens).unwrap();
        for (tokens, expected) in [
            (quote!(Some(mut x)), Some(quote!(Some(x)))),
            (quote!(Ok(&ref x)), Some(quote!(Ok(x)))),
            (quote!(None), Some(quote!(None))),
            (quote!(x @ 1..=5), Some(quote!(x @ 1..=5))),
            (quote!((mut a, _)), None),
            (quote!(x), None),
        ] {
            let pat = pat(tokens);
            assert_eq!(is_irrefutable(&pat), expected.is_none());
            if let Some(expected) = expected {
                let code = accepts(&pat).to_string();
                assert!(code.contains(&format!("{expected} => true")), "{code}");
            }
        }
    }
}
