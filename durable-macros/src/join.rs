//! `join!` and `try_join!`.
//!
//! The branches are evaluated in the scrutinee of a `match`, so that temporaries in them live as long as they run.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Expr, Token};

use crate::catalogue::Code;
use crate::model::{located, place_of};

/// What `join!` and `try_join!` take.
pub(crate) struct Join {
    biased: TokenStream,
    pub(crate) branches: Punctuated<Expr, Token![,]>,
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            biased: biased(input)?,
            branches: Punctuated::parse_terminated(input)?,
        })
    }
}

impl ToTokens for Join {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.biased.to_tokens(tokens);
        self.branches.to_tokens(tokens);
    }
}

/// `biased;` is what tokio calls the order that ours always have.
pub(crate) fn biased(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let fork = input.fork();
    let is_biased =
        fork.parse::<Ident>().is_ok_and(|ident| ident == "biased") && fork.peek(Token![;]);
    if !is_biased {
        return Ok(TokenStream::new());
    }
    let (ident, semi): (Ident, Token![;]) = (input.parse()?, input.parse()?);
    Ok(quote!(#ident #semi))
}

/// The tokens of a combinator: the path of the crate in parentheses, then what the user wrote.
pub(crate) fn parse_call<T: Parse>(
    name: &str,
    form: &str,
    input: TokenStream,
) -> Result<(TokenStream, T), TokenStream> {
    let parser = |input: ParseStream<'_>| {
        let path;
        syn::parenthesized!(path in input);
        let krate: TokenStream = path.parse()?;
        Ok((quote!(#krate::__private), input.parse()?))
    };
    parser.parse2(input).map_err(|error| {
        let message = format!("cannot read this `{name}!`: {error}\nhelp: write `{form}`");
        Code::D090
            .error_at(error.span(), message)
            .into_compile_error()
    })
}

pub(crate) fn join(input: TokenStream) -> TokenStream {
    let call = parse_call::<Join>("join", "join!(first(), second())", input);
    call.map_or_else(
        |error| error,
        |(runtime, join)| expand(&runtime, &join, &Kind::Join),
    )
}

pub(crate) fn try_join(input: TokenStream) -> TokenStream {
    let call = parse_call::<Join>("try_join", "try_join!(first(), second())", input);
    call.map_or_else(
        |error| error,
        |(runtime, join)| expand(&runtime, &join, &Kind::TryJoin),
    )
}

enum Kind {
    Join,
    TryJoin,
}

fn expand(runtime: &TokenStream, join: &Join, kind: &Kind) -> TokenStream {
    // Our names are ours alone: the user's code is between them.
    let ours = Span::mixed_site();
    let children = children(join.branches.len());
    let pinned = pinned(&children);
    let (future, check, poll) = match kind {
        Kind::Join => (quote!(Join), "branch", "poll_value"),
        Kind::TryJoin => (quote!(TryJoin), "try_branch", "poll_ok"),
    };
    let branches = join
        .branches
        .iter()
        .map(|branch| self::branch(runtime, check, branch));
    let arms = join.branches.iter().zip(&children).enumerate();
    let arms = arms.map(|(index, (branch, child))| {
        let poll = Ident::new(poll, place_of(branch.span()));
        quote_spanned!(ours=> #index => #child.as_mut().#poll(context),)
    });
    let count = children.len();
    let wait = quote_spanned! {ours=>
        #runtime::#future::new(#count, |index, context| match index {
            #(#arms)*
            _ => ::core::task::Poll::Pending,
        }).await
    };
    let outputs = match kind {
        Kind::Join => quote_spanned! {ours=> {
            #wait;
            (#(#children.as_mut().take_value(),)*)
        }},
        Kind::TryJoin => quote_spanned! {ours=>
            match #wait {
                ::core::result::Result::Ok(()) => {
                    ::core::result::Result::Ok((#(#children.as_mut().take_ok(),)*))
                }
                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
            }
        },
    };
    quote_spanned! {ours=>
        match (#(#branches,)*) {
            (#(#children,)*) => {
                #pinned
                let outputs = #outputs;
                outputs
            }
        }
    }
}

/// A name for each branch.
pub(crate) fn children(count: usize) -> Vec<Ident> {
    (0..count)
        .map(|index| format_ident!("child{index}", span = Span::mixed_site()))
        .collect()
}

/// A branch, checked by the function `check`; that is reported at the user's expression.
pub(crate) fn branch(runtime: &TokenStream, check: &str, branch: &Expr) -> TokenStream {
    let runtime = located(runtime, branch.span());
    let check = Ident::new(check, place_of(branch.span()));
    quote_spanned!(place_of(branch.span())=> #runtime::#check(#branch))
}

/// Pins each branch in its place, under its own name; the last one first, so that they are dropped in written order.
pub(crate) fn pinned(children: &[Ident]) -> TokenStream {
    let children = children.iter().rev();
    quote!(#(let mut #children = ::core::pin::pin!(#children);)*)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_may_end_with_a_comma_and_begin_with_biased() {
        for (tokens, count) in [
            (quote!(), 0),
            (quote!(a), 1),
            (quote!(biased; a.b(), c), 2),
            (quote!(a, b,), 2),
        ] {
            let join: Join = syn::parse2(tokens.clone()).unwrap();
            assert_eq!(join.branches.len(), count);
            assert_eq!(join.to_token_stream().to_string(), tokens.to_string());
        }
    }

    #[test]
    fn a_branch_named_biased_is_a_branch() {
        let join: Join = syn::parse2(quote!(biased, b)).unwrap();
        assert_eq!(join.branches.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_one_error() {
        let tokens = join(quote!((::durable_runtime) a -> b)).to_string();
        assert_eq!(tokens.matches("compile_error").count(), 1);
        assert!(
            tokens.contains("[D090] cannot read this `join!`"),
            "{tokens}"
        );
    }
}
