//! Branches, loops and exits.

use proc_macro2::Span;
use quote::{ToTokens as _, quote};
use syn::visit::{self, Visit as _};
use syn::{Expr, ExprForLoop, ExprIf, ExprLoop, ExprMatch, ExprReturn, ExprWhile, Lifetime};

use super::{Frame, Walk};
use crate::sites::flow::{Arm, Flow};

/// The name of a loop, or of the one that is meant; empty for the innermost.
pub(super) fn label(label: Option<&Lifetime>) -> String {
    label
        .map(|label| label.ident.to_string())
        .unwrap_or_default()
}

impl Walk {
    pub(super) fn group(&mut self, title: &str, body: Vec<Flow>) {
        let title = title.to_owned();
        self.step(Flow::Group { title, body });
    }

    pub(super) fn let_else(&mut self, token: Span, local: &syn::Local, diverge: &Expr) {
        let body = self.within(Frame::new("else", token), |walk| walk.visit_expr(diverge));
        let arms = vec![Arm::of("yes", Vec::new()), Arm::of("no", body)];
        self.chosen(arms, || {
            let (word, pat) = (&local.let_token, &local.pat);
            let init = local.init.as_ref().map(|init| &init.expr);
            quote!(#word #pat = #init)
        });
    }

    /// Adds a choice; its title is made only if it is shown.
    fn chosen(&mut self, arms: Vec<Arm>, title: impl FnOnce() -> proc_macro2::TokenStream) {
        let mut choice = Flow::Choice {
            title: String::new(),
            arms,
        };
        if choice.is_empty() {
            return;
        }
        if let Flow::Choice { title: text, .. } = &mut choice {
            *text = self.text.title(title());
        }
        self.step(choice);
    }

    pub(super) fn choice(&mut self, choice: &ExprIf) {
        self.visit_expr(&choice.cond);
        let frame = Frame::new("if", choice.if_token.span);
        let then = self.within(frame, |walk| walk.visit_block(&choice.then_branch));
        let otherwise = choice.else_branch.as_ref();
        let otherwise = otherwise.map(|(token, expr)| {
            self.within(Frame::new("else", token.span), |walk| walk.visit_expr(expr))
        });
        let arms = vec![
            Arm::of("yes", then),
            Arm::of("no", otherwise.unwrap_or_default()),
        ];
        self.chosen(arms, || choice.cond.to_token_stream());
    }

    pub(super) fn arms(&mut self, choice: &ExprMatch) {
        self.visit_expr(&choice.expr);
        let mut arms = Vec::new();
        for (index, arm) in choice.arms.iter().enumerate() {
            let frame = Frame::nth("match", choice.match_token.span, index);
            let body = self.within(frame, |walk| visit::visit_arm(walk, arm));
            let title = self.text.title(arm.pat.to_token_stream());
            arms.push(Arm::of(&title, body));
        }
        self.chosen(arms, || choice.expr.to_token_stream());
    }

    pub(super) fn for_loop(&mut self, looped: &ExprForLoop) {
        self.visit_expr(&looped.expr);
        let frame = Frame::new("for", looped.for_token.span);
        let body = self.within(frame, |walk| walk.visit_block(&looped.body));
        let (pat, expr) = (&looped.pat, &looped.expr);
        let word = &looped.for_token;
        let title = self.text.title(quote!(#word #pat in #expr));
        self.looped(title, looped.label.as_ref(), false, body);
    }

    pub(super) fn while_loop(&mut self, looped: &ExprWhile) {
        let frame = Frame::new("while", looped.while_token.span);
        let body = self.within(frame, |walk| {
            walk.visit_expr(&looped.cond);
            walk.visit_block(&looped.body);
        });
        let (word, cond) = (&looped.while_token, &looped.cond);
        let title = self.text.title(quote!(#word #cond));
        self.looped(title, looped.label.as_ref(), false, body);
    }

    pub(super) fn endless_loop(&mut self, looped: &ExprLoop) {
        let frame = Frame::new("loop", looped.loop_token.span);
        let body = self.within(frame, |walk| walk.visit_block(&looped.body));
        self.looped("loop".to_owned(), looped.label.as_ref(), true, body);
    }

    fn looped(
        &mut self,
        title: String,
        name: Option<&syn::Label>,
        is_endless: bool,
        body: Vec<Flow>,
    ) {
        let label = label(name.map(|label| &label.name));
        self.step(Flow::Loop {
            title,
            label,
            is_endless,
            body,
        });
    }

    pub(super) fn exit(&mut self, exit: &ExprReturn) {
        visit::visit_expr_return(self, exit);
        let value = exit.expr.as_ref();
        let title = value.map(|value| self.text.title(value.to_token_stream()));
        self.step(Flow::Return {
            title: title.unwrap_or_default(),
        });
    }
}

impl Arm {
    pub(super) fn of(title: &str, body: Vec<Flow>) -> Self {
        Self {
            title: title.to_owned(),
            body,
            then: Vec::new(),
        }
    }
}
