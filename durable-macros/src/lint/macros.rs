//! Macro calls in a body: what they are, and what is in what they take.

use proc_macro2::TokenStream;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::Visit as _;
use syn::{Expr, Macro, Token};

use super::Lint;
use super::names::{Judgement, equals, judge, of_path, shown};
use crate::catalogue::Code;
use crate::join::Join;
use crate::select::Select;
use crate::source::{Namespace, Resolved};

/// Combinators of other crates that look like ours, and ours.
const COMBINATORS: &[(&str, &str)] = &[
    ("select", "select"),
    ("select_biased", "select"),
    ("join", "join"),
    ("try_join", "try_join"),
];

/// Macros of the standard library that are in the catalogue, which need no import.
const PRELUDE: &[&str] = &["dbg", "thread_local"];

/// Macros that make text of what they are given. Those that log decide nothing by it.
const FORMATS: &[&str] = &[
    "format",
    "format_args",
    "write",
    "writeln",
    "panic",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "anyhow",
    "ensure",
];

impl Lint {
    pub(super) fn macro_call(&mut self, call: &Macro) {
        let names = of_path(&call.path);
        self.macro_name(call, &names);
        let name = names.last().map(String::as_str).unwrap_or_default();
        if FORMATS.contains(&name) {
            self.format_text(call.tokens.clone());
        }
        self.inside(|lint| lint.macro_input(name, &call.tokens));
    }

    fn macro_name(&mut self, call: &Macro, names: &[String]) {
        let span = call.path.span();
        let mut candidates = self.resolve(names, Namespace::Macro, span);
        if let [name] = names
            && candidates.is_empty()
            && PRELUDE.contains(&name.as_str())
        {
            candidates.push(Resolved::Foreign(vec!["std".to_owned(), name.clone()]));
        }
        let (code, name) = match judge(names, &candidates, Namespace::Macro) {
            Judgement::Breaks { code, name } => (code, name),
            Judgement::Undecided => return self.warn(Code::D080, span),
            Judgement::Calls(_) | Judgement::Changes(_) | Judgement::Fine => return,
        };
        let written = shown(names);
        let what = if names.len() == 1 && name == format!("std::{written}") {
            format!("`{written}!`")
        } else {
            equals(&format!("{written}!"), &format!("{name}!"))
        };
        let last = name.rsplit("::").next();
        let ours = COMBINATORS
            .iter()
            .find(|(foreign, _)| Some(*foreign) == last);
        match ours {
            Some((_, ours)) if code == Code::D021 => {
                let instead = format!("write `{ours}!` of `durable_runtime::prelude`");
                self.find_with(code, &call.path, &what, &instead);
            }
            _ => self.find(code, &call.path, &what),
        }
    }

    fn macro_input(&mut self, name: &str, tokens: &TokenStream) {
        match name {
            // Only said, never run.
            "stringify" => return,
            "select" => {
                if let Ok(select) = syn::parse2::<Select>(tokens.clone()) {
                    return self.select(&select);
                }
            }
            "join" | "try_join" => {
                if let Ok(join) = syn::parse2::<Join>(tokens.clone()) {
                    return join.branches.iter().for_each(|expr| self.branch(expr));
                }
            }
            _ => {
                let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
                if let Ok(arguments) = parser.parse2(tokens.clone()) {
                    if self.is_given(tokens) {
                        return self.futures(&arguments);
                    }
                    return arguments.iter().for_each(|expr| self.visit_expr(expr));
                }
            }
        }
        self.raw(tokens.clone());
    }

    fn select(&mut self, select: &Select) {
        for branch in select.branches() {
            self.branch(branch.future);
            self.scoped(|lint| {
                lint.locals.bind(branch.pat, None);
                if let Some(condition) = branch.condition {
                    lint.visit_expr(condition);
                }
                lint.visit_expr(branch.handler);
            });
        }
        if let Some(handler) = select.otherwise() {
            self.visit_expr(handler);
        }
    }
}
