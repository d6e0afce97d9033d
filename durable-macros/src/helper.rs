//! A helper as tokens: the same function, giving a durable future.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{FnArg, Pat, ReceiverKind, Signature};

use crate::body;
use crate::expand::{braced, imports, orchestrator_lints};
use crate::model::{Attributes, Function};

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
    let body = body::checked(function, runtime, errors);
    let (code, inner) = (&body.code, &body.attrs);
    let (vis, mut sig) = (&function.vis, function.plain_signature());
    let output = function.output();
    sig.asyncness = None;
    sig.output =
        syn::parse_quote!(-> #runtime::Helper<impl ::core::future::Future<Output = #output>>);
    let bindings = bind_parameters(&mut sig);
    let (imports, lints) = (imports(runtime), orchestrator_lints());
    let block = braced(quote!(#imports #bindings #code), &function.body);
    quote! {
        #(#cfg)* #(#outer)* #lints #(#levels)* #(#attrs)* #(#inner)*
        #vis #sig {
            #runtime::Helper::__new(async move #block)
        }
    }
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
