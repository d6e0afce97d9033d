//! A helper as tokens: the same function, giving a durable future.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, Pat, ReceiverKind, ReturnType, Signature, Type, Visibility};

use crate::allow;
use crate::body;
use crate::expand::{imports, orchestrator_lints};
use crate::lint::Subject;
use crate::model::{
    Attributes, Declaration, Function, Role, braced, compile_errors, located, output, place,
    place_of,
};
use crate::options::Options;
use crate::rules::{self, unnamed};

/// The expansion of `#[helper]`; breaches in the body are added to `errors`.
pub(crate) fn expand(
    function: &Function,
    runtime: &TokenStream,
    errors: &mut Vec<syn::Error>,
) -> TokenStream {
    let Attributes {
        cfg,
        outer,
        lints: levels,
        body: attrs,
        ..
    } = Attributes::sort(&function.attrs);
    let body = body::checked(Subject::Helper, function, runtime, errors);
    let allowances = allow::registered(&body.allowances, runtime, function);
    let name = function.name();
    let place = place(runtime, function.sig.ident.span());
    let sites = body.sites.tokens(runtime, (&name, None), &place, true);
    let (code, inner) = (&body.code, &body.attrs);
    let (vis, mut sig) = (&function.vis, function.plain_signature());
    let output = function.output();
    sig.asyncness = None;
    sig.output = promised(runtime, &output);
    let bindings = bind_parameters(&mut sig);
    let (imports, lints) = (imports(runtime), orchestrator_lints());
    let block = braced(quote!(#imports #bindings #code), &function.body);
    let future = typed(function.sig.ident.span(), &block, &output);
    let documented = documented(function, &quote!(#(#cfg)* #(#outer)*));
    let is_code = documented.as_ref().map(|_| quote!(#[cfg(not(doc))]));
    quote! {
        #documented
        #(#cfg)* #(#outer)* #lints #(#levels)* #(#attrs)* #(#inner)* #is_code
        #vis #sig {
            #allowances
            #sites
            #runtime::Helper::__new(#future)
        }
    }
}

/// What stands for the helper where documentation is built, which looks into no body: its signature as it is written. Not for one that may
/// belong to a trait, whose declaration must have the same.
fn documented(function: &Function, attributes: &TokenStream) -> Option<TokenStream> {
    let (vis, sig) = (&function.vis, function.plain_signature());
    let is_in_a_trait = matches!(vis, Visibility::Inherited);
    (!is_in_a_trait).then(|| quote!(#attributes #[cfg(doc)] #vis #sig { loop {} }))
}

/// The expansion of `#[helper]` on a function that a trait declares: what each `impl` gives is a helper.
pub(crate) fn declare(declaration: Declaration, arguments: TokenStream) -> TokenStream {
    let Declaration { attrs, mut sig } = declaration;
    let mut errors = rules::check_declaration(&sig);
    let options = Options::parse(Role::Helper, arguments, &mut errors);
    sig.output = promised(&options.runtime(), &output(&sig));
    sig.asyncness = None;
    let errors = compile_errors(&errors);
    quote!(#errors #(#attrs)* #sig;)
}

/// A durable future of this output, as the result of a function.
fn promised(runtime: &TokenStream, output: &Type) -> ReturnType {
    let span = output.span();
    let runtime = located(runtime, span);
    syn::parse_quote_spanned!(place_of(span)=> -> #runtime::Helper<impl ::core::future::Future<Output = #output>>)
}

/// The block as a future of this output. Of an `async` block rustc does not know it, as of an `async fn`: what is returned
/// would not be coerced, and what is of another type be told of at the attribute.
fn typed(name: Span, block: &Group, output: &Type) -> TokenStream {
    let ident = Ident::new("output", place_of(output.span()));
    let code = if unnamed(output).is_some() {
        quote!(#block)
    } else {
        let expected = quote_spanned! {place_of(output.span())=>
            if let ::core::option::Option::Some(#ident) = ::core::option::Option::None::<#output> {
                return #ident;
            }
        };
        quote! {{
            #expected
            #[allow(clippy::let_unit_value)]
            let #ident: #output = #block;
            #[allow(unreachable_code)]
            #ident
        }}
    };
    // At the name, which is the future in the eyes of whoever reads an error about it.
    quote_spanned!(place_of(name)=> async move #code)
}

/// Gives every parameter a plain name in the signature and its pattern in the body, as `async fn` does: so all of them
/// live until the future ends, used or not.
fn bind_parameters(sig: &mut Signature) -> TokenStream {
    let mut bindings = TokenStream::new();
    for (index, input) in sig.inputs.iter_mut().enumerate() {
        match input {
            FnArg::Receiver(receiver) => {
                let token = &receiver.self_token;
                if !matches!(receiver.kind, ReceiverKind::Reference(..)) {
                    bindings.extend(quote!(let _ = &#token;));
                }
            }
            FnArg::Typed(typed) => match &mut *typed.pat {
                Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => {
                    let (ident, mutability) = (&pat.ident, pat.mutability.take());
                    bindings.extend(quote!(let #mutability #ident = #ident;));
                }
                pat => {
                    let ident = format_ident!("argument{index}", span = Span::mixed_site());
                    bindings.extend(quote!(let #ident = #ident; let #pat = #ident;));
                    *pat = syn::parse_quote!(#ident);
                }
            },
        }
    }
    bindings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_moves_into_the_future() {
        let function: Function = syn::parse_quote! {
            async fn f(mut self, a: &str, mut b: u8, _: Guard, (c, d): (u8, u8)) {}
        };
        let mut sig = function.sig;
        let bindings = bind_parameters(&mut sig).to_string();
        let expected = quote! {
            let _ = &self;
            let a = a;
            let mut b = b;
            let argument3 = argument3; let _ = argument3;
            let argument4 = argument4; let (c, d) = argument4;
        };
        assert_eq!(bindings, expected.to_string());
        let expected =
            quote!(async fn f(mut self, a: &str, b: u8, argument3: Guard, argument4: (u8, u8)));
        assert_eq!(quote!(#sig).to_string(), expected.to_string());
    }
}
