//! `#[deterministic(reason = "..")]`: a plain function through which the lint does not look.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;
use syn::visit_mut::VisitMut;

use crate::allow::{self, Allowance};
use crate::catalogue::Code;
use crate::lint::{self, Subject};
use crate::model::{Function, braced, compile_errors, warnings};
use crate::options::Options;

/// The expansion of the attribute on `item`: the function as it is, its body looked at, and what its author said.
pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        let message = "only a function with a body can be vouched for";
        let error = Code::D100.error(item, message).into_compile_error();
        return quote!(#error #item);
    };
    let mut errors = Vec::new();
    let name = function.sig.ident.span();
    let options = Options::of_deterministic(arguments, &mut errors);
    let reason = options
        .reason
        .as_ref()
        .map(LitStr::value)
        .unwrap_or_default();
    if reason.trim().is_empty() && errors.is_empty() {
        let message = "a function is vouched for with a reason\nhelp: write `#[deterministic(reason = \"why a replay sees \
                       the same\")]`";
        errors.push(match &options.reason {
            Some(reason) => Code::D091.error(reason, message),
            None => Code::D091.error(&function.sig.ident, message),
        });
    }
    allow::misplaced(&mut function.attrs, &mut errors);
    let mut allowances = vec![Allowance {
        code: None,
        reason,
        span: name,
    }];
    let runtime = options.runtime();
    let code = checked(&function, &runtime, &mut allowances, &mut errors);
    let registered = allow::registered(&allowances, &runtime, &function);
    let (attrs, vis, sig) = (&function.attrs, &function.vis, &function.sig);
    let block = braced(quote!(#registered #code), &function.body);
    let errors = compile_errors(&errors);
    quote!(#errors #(#attrs)* #vis #sig #block)
}

/// The body, without our attributes in it.
fn checked(
    function: &Function,
    runtime: &TokenStream,
    allowances: &mut Vec<Allowance>,
    errors: &mut Vec<syn::Error>,
) -> TokenStream {
    let Some((attrs, mut statements)) = function.statements() else {
        return allow::strip(function.body.stream());
    };
    let report = lint::check(Subject::Deterministic, &function.sig, &statements);
    errors.extend(report.errors);
    let conditional = lint::under_conditions(&report.conditional);
    allowances.extend(report.allowances);
    for statement in &mut statements {
        allow::Strip.visit_stmt_mut(statement);
    }
    let warnings = warnings(runtime, &report.warnings);
    quote!(#(#attrs)* #conditional #warnings #(#statements)*)
}
