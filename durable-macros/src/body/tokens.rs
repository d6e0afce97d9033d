//! Tokens whose grammar is not known: what a macro takes, or a body that does not parse.
//!
//! The check of an await is a suffix, so it can be put before each `.await` without knowing the expression.

use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens as _, TokenStreamExt as _, quote, quote_spanned};

use super::Rewriter;

impl Rewriter<'_> {
    /// Puts the check before every `.await` and marks every `async` block; `inside` does it for what is in a group.
    pub(super) fn raw(
        &mut self,
        tokens: TokenStream,
        inside: fn(&mut Self, TokenStream) -> TokenStream,
    ) -> TokenStream {
        let mut output = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        let mut is_after_dot = false;
        while let Some(tree) = tokens.next() {
            let is_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
            match tree {
                TokenTree::Ident(ident)
                    if ident == "await" && is_after_dot && !self.refused.holds(ident.span()) =>
                {
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
                    let block = block.map(|block| self.raw(block.into_token_stream(), inside));
                    output.extend(quote!(#ident #capture #block #mark));
                }
                TokenTree::Group(group) => {
                    let mut rewritten = Group::new(group.delimiter(), inside(self, group.stream()));
                    rewritten.set_span(group.span());
                    output.append(rewritten);
                }
                other => output.append(other),
            }
            is_after_dot = is_dot;
        }
        output
    }

    /// The same for a body that does not parse, to any depth.
    pub(super) fn broken(&mut self, tokens: TokenStream) -> TokenStream {
        self.raw(tokens, Self::broken)
    }
}

/// Tokens up to something that divides the arguments of a macro, and that.
pub(super) struct Piece {
    pub(super) tokens: TokenStream,
    pub(super) end: TokenStream,
}

/// Divides at `,`, `;`, `=>` and `:`.
pub(super) fn pieces(tokens: TokenStream) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        let TokenTree::Punct(punct) = &tree else {
            piece.append(tree);
            continue;
        };
        let next = match tokens.peek() {
            Some(TokenTree::Punct(next)) if punct.spacing() == Spacing::Joint => next.as_char(),
            _ => ' ',
        };
        let is_pair = matches!((punct.as_char(), next), ('=', '>') | (':', ':'));
        let second = is_pair.then(|| tokens.next()).flatten();
        if matches!((punct.as_char(), next), (':', ':')) {
            piece.extend([Some(tree), second].into_iter().flatten());
        } else if is_pair || matches!(punct.as_char(), ',' | ';' | ':') {
            let tokens = std::mem::take(&mut piece);
            let end = [Some(tree), second].into_iter().flatten().collect();
            pieces.push(Piece { tokens, end });
        } else {
            piece.append(tree);
        }
    }
    let end = TokenStream::new();
    pieces.push(Piece { tokens: piece, end });
    pieces
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
