//! Tokens whose grammar is not known: what some macros take. Paths in them are found by their form.

use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::Lint;
use super::locals::Local;
use super::names::{Judgement, judge, method};
use crate::catalogue;
use crate::source::Namespace;

type Tokens = Peekable<IntoIter>;

/// What stands before a token.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Before {
    Dot,
    /// `fn`, `struct`, `let` and the like: what follows is a new name.
    Declaration,
    Other,
}

impl Lint {
    /// Looks for what is in the catalogue.
    pub(super) fn raw(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut before = Before::Other;
        // Since the begin of the expression that is read.
        let mut marks = self.marks.len();
        while let Some(tree) = tokens.next() {
            let mut next = Before::Other;
            match tree {
                TokenTree::Group(group) => self.raw(group.stream()),
                TokenTree::Ident(ident) if before == Before::Dot => {
                    self.raw_member(&ident, &mut tokens, marks);
                }
                TokenTree::Ident(ident) if is_declaration(&ident) => next = Before::Declaration,
                TokenTree::Ident(ident) if before == Before::Declaration => {
                    if ident == "mut" {
                        next = Before::Declaration;
                    }
                }
                TokenTree::Ident(ident) => self.raw_name(ident, &mut tokens),
                TokenTree::Punct(punct) => match punct.as_char() {
                    '.' => next = Before::Dot,
                    ',' | ';' | '=' => marks = self.marks.len(),
                    _ => {}
                },
                TokenTree::Literal(_) => {}
            }
            before = next;
        }
    }

    /// What follows a dot: `await`, a field or a method.
    fn raw_member(&mut self, ident: &Ident, tokens: &mut Tokens, marks: usize) {
        let is_refused = self.marks.len() > marks;
        if ident == "await" {
            if is_refused {
                self.report.refused.note(ident.span());
            }
            return;
        }
        let name = ident.to_string();
        let Some(arguments) = parenthesized(tokens) else {
            return;
        };
        let arguments = count(arguments.stream());
        if !is_refused
            && let Some(code) = catalogue::judge_method(&name, arguments)
            && !self.is_own_method(&name)
        {
            self.find(code, ident, &method(&name, arguments));
        }
    }

    /// A path, a macro, a keyword.
    fn raw_name(&mut self, first: Ident, tokens: &mut Tokens) {
        let span = first.span();
        if first == "unsafe" {
            if matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
            {
                self.unsafe_block(span);
            }
            return;
        }
        let mut names = vec![unraw(&first)];
        let mut written = vec![first];
        while let Some(segment) = next_segment(tokens) {
            names.push(unraw(&segment));
            written.push(segment);
        }
        let path = syn::punctuated::Punctuated::<_, syn::Token![::]>::from_iter(written);
        if matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!') {
            let candidates = self.resolve(&names, Namespace::Macro, span);
            if let Judgement::Breaks { code, name } = judge(&names, &candidates, Namespace::Macro) {
                self.find(code, path, &format!("`{name}!`"));
            }
            return;
        }
        let is_call = parenthesized(tokens).is_some();
        let head = names.first().and_then(|name| self.locals.find(name));
        match head {
            Some(Local::Variable(taint)) if names.len() == 1 => {
                if let Some(code) = *taint {
                    self.mark(code);
                }
            }
            Some(Local::Own) => {}
            // A name by itself may be a field, a pattern, a word of the macro's own.
            _ if names.len() == 1 && !is_call => {}
            _ => {
                if names.last().is_some_and(|name| name == "side_effect") && is_call {
                    // Its argument is run once, and recorded.
                    tokens.next();
                    return;
                }
                self.named(&names, path, span);
            }
        }
    }
}

fn is_declaration(ident: &Ident) -> bool {
    let words = [
        "fn", "struct", "enum", "trait", "mod", "let", "static", "const", "type", "use",
    ];
    words.iter().any(|word| ident == word)
}

fn unraw(ident: &Ident) -> String {
    syn::ext::IdentExt::unraw(ident).to_string()
}

/// `::name`, if that follows.
fn next_segment(tokens: &mut Tokens) -> Option<Ident> {
    let is_colon =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':');
    let mut ahead = tokens.clone();
    let (first, second) = (ahead.next()?, ahead.next()?);
    let Some(TokenTree::Ident(ident)) = ahead.next() else {
        return None;
    };
    let TokenTree::Punct(punct) = &first else {
        return None;
    };
    let is_path =
        is_colon(&first) && is_colon(&second) && punct.spacing() == proc_macro2::Spacing::Joint;
    is_path.then(|| {
        *tokens = ahead;
        ident
    })
}

/// The arguments of a call, if they follow.
fn parenthesized(tokens: &mut Tokens) -> Option<&Group> {
    match tokens.peek() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Some(group),
        _ => None,
    }
}

/// How many arguments these are.
fn count(arguments: TokenStream) -> usize {
    let mut arguments = arguments.into_iter().peekable();
    let mut count = usize::from(arguments.peek().is_some());
    while let Some(tree) = arguments.next() {
        let is_comma = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ',');
        count += usize::from(is_comma && arguments.peek().is_some());
    }
    count
}
