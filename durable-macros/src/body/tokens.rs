//! Tokens whose grammar is not known: what a macro takes, or a body that does not parse.
//!
//! The check of an await is a suffix, so it can be put before each `.await` without knowing the expression.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, TokenStreamExt as _, quote, quote_spanned};

use super::Rewriter;

impl Rewriter<'_> {
    /// Puts the check before every `.await` and marks every `async` block.
    pub(super) fn raw(&mut self, tokens: TokenStream) -> TokenStream {
        let mut output = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        let mut is_after_dot = false;
        while let Some(tree) = tokens.next() {
            let is_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
            match tree {
                TokenTree::Ident(ident) if ident == "await" && is_after_dot => {
                    output.extend(checked_await(&ident));
                }
                TokenTree::Ident(ident) if ident == "async" => {
                    let capture =
                        tokens.next_if(|next| matches!(next, TokenTree::Ident(i) if i == "move"));
                    let block =
                        tokens.next_if(|next| matches!(next, TokenTree::Group(g) if is_braced(g)));
                    let mark = block.is_some().then(|| {
                        let mark = Ident::new("__durable_block", ident.span());
                        quote_spanned!(ident.span()=> .#mark())
                    });
                    let block = block.map(|block| self.raw(block.into_token_stream()));
                    output.extend(quote!(#ident #capture #block #mark));
                }
                TokenTree::Group(group) => output.append(self.raw_group(&group)),
                other => output.append(other),
            }
            is_after_dot = is_dot;
        }
        output
    }

    fn raw_group(&mut self, group: &Group) -> Group {
        let mut rewritten = Group::new(group.delimiter(), self.raw(group.stream()));
        rewritten.set_span(group.span());
        rewritten
    }
}

fn is_braced(group: &Group) -> bool {
    group.delimiter() == proc_macro2::Delimiter::Brace
}

fn checked_await(token: &Ident) -> TokenStream {
    let span = token.span();
    let (tag, check) = (
        Ident::new("__durable_op", span),
        Ident::new("only_durable", span),
    );
    quote_spanned!(span=> #tag().#check().#token)
}

/// Our macros that await by themselves.
const AWAITING: &[&str] = &["join", "try_join", "select"];

/// What awaits first in `tokens`: `await`, or the name of a macro that does it by itself.
pub(super) fn find_await(tokens: TokenStream) -> Option<Ident> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        let found = match tree {
            TokenTree::Ident(ident) if ident == "await" => Some(ident),
            TokenTree::Ident(ident) if AWAITING.iter().any(|name| ident == name) => {
                let next = tokens.peek();
                let is_call =
                    matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
                is_call.then_some(ident)
            }
            TokenTree::Group(group) => find_await(group.stream()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
