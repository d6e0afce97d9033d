//! Macro calls: ours by their grammar, others as far as they can be read.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::Visit as _;
use syn::{Expr, Macro, Token};

use super::{Frame, Walk};
use crate::body::is_log;
use crate::join::Join;
use crate::select::Select;
use crate::sites::callee::Callee;
use crate::sites::flow::{Arm, Flow};
use crate::sites::{Kind, end, position};

impl Walk {
    pub(super) fn macro_call(&mut self, call: &Macro) {
        // What is told decides nothing, and awaits nothing.
        if is_log(&call.path) {
            return;
        }
        let name = call.path.segments.last();
        let name = name.map(|name| name.ident.to_string()).unwrap_or_default();
        match name.as_str() {
            "select" => {
                if let Ok(select) = syn::parse2::<Select>(call.tokens.clone()) {
                    return self.select(call, &select);
                }
            }
            "join" | "try_join" => {
                if let Ok(join) = syn::parse2::<Join>(call.tokens.clone()) {
                    return self.join(call, &name, &join);
                }
            }
            "stringify" => return,
            _ => {}
        }
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        match parser.parse2(call.tokens.clone()) {
            Ok(arguments) => arguments.iter().for_each(|it| self.visit_expr(it)),
            Err(_) => self.raw(call.tokens.clone()),
        }
    }

    fn join(&mut self, call: &Macro, name: &str, join: &Join) {
        let (kind, fails) = match name {
            "join" => ("join", false),
            _ => ("try_join", true),
        };
        let mut arms = Vec::new();
        for (index, branch) in join.branches.iter().enumerate() {
            let frame = Frame::nth(kind, call.path.span(), index);
            let body = self.within(frame, |walk| walk.branch(branch));
            arms.push(Arm::of("", body));
        }
        let title = if fails { "try_join!" } else { "join!" };
        self.step(Flow::Join {
            title: title.to_owned(),
            arms,
        });
    }

    fn select(&mut self, call: &Macro, select: &Select) {
        let mut arms = Vec::new();
        for (index, branch) in select.branches().enumerate() {
            let frame = || Frame::nth("select", call.path.span(), index);
            let body = self.within(frame(), |walk| {
                if let Some(condition) = branch.condition {
                    walk.visit_expr(condition);
                }
                walk.branch(branch.future);
            });
            let then = self.within(frame(), |walk| walk.visit_expr(branch.handler));
            let title = self.text.title(branch.pat.to_token_stream());
            arms.push(Arm { title, body, then });
        }
        if let Some(handler) = select.otherwise() {
            let frame = Frame::nth("select", call.path.span(), arms.len());
            let then = self.within(frame, |walk| walk.visit_expr(handler));
            arms.push(Arm {
                title: "else".to_owned(),
                then,
                ..Arm::default()
            });
        }
        self.step(Flow::Select {
            title: "select!".to_owned(),
            arms,
        });
    }

    fn branch(&mut self, branch: &Expr) {
        let last = branch.to_token_stream().into_iter().last();
        let last = last.map_or(0, |last| end(last.span()).0);
        self.awaited(Kind::Branch, branch, last);
    }

    /// Tokens whose grammar is not known: a row for each `.await`, at that word.
    fn raw(&mut self, tokens: TokenStream) {
        let mut is_after_dot = false;
        for tree in tokens {
            let is_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
            match tree {
                TokenTree::Ident(ident) if ident == "await" && is_after_dot => {
                    let line = position(ident.span()).0;
                    self.row(Kind::Await, Callee::unnamed("", ident.span()), line);
                }
                TokenTree::Group(group) => self.raw(group.stream()),
                _ => {}
            }
            is_after_dot = is_dot;
        }
    }
}
