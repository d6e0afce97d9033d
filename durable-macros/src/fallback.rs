//! What is emitted where the input is wrong: enough that the rest of the user's crate still makes sense, so that its
//! other errors show and none is caused by this one.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{FnArg, Item, TraitItemFn};

use crate::catalogue::Code;
use crate::model::{Attributes, Function, Role};

/// For an item that is no function: the item as written and why it cannot be annotated.
pub(crate) fn not_a_function(role: Role, item: &TokenStream, error: syn::Error) -> TokenStream {
    let error = match syn::parse2::<Item>(item.clone()) {
        _ if syn::parse2::<TraitItemFn>(item.clone()).is_ok() => without_body(role, item),
        Ok(Item::Fn(_) | Item::Verbatim(_)) | Err(_) => error,
        Ok(_) => {
            let keyword = item
                .clone()
                .into_iter()
                .find(|tree| matches!(tree, TokenTree::Ident(_)));
            let message = format!("only an `async fn` can be {}", role.phrase());
            Code::D100.error(
                keyword.map_or_else(|| item.clone(), TokenStream::from),
                message,
            )
        }
    };
    let error = error.into_compile_error();
    quote!(#error #item)
}

/// For a function of a trait: only what runs can be annotated.
fn without_body(role: Role, item: &TokenStream) -> syn::Error {
    // Nor could the one in the `impl` be, see D103.
    let help = "annotate a free function, and call it from here";
    let phrase = role.phrase();
    Code::D100.error(
        item,
        format!("a function without a body cannot be {phrase}\nhelp: {help}"),
    )
}

/// For a function whose signature breaks a rule: one of the same name, arguments and result that can be awaited in durable
/// code, and within it the function as written, for the errors in its body.
pub(crate) fn stand_in(role: Role, function: &Function, runtime: &TokenStream) -> TokenStream {
    let Attributes {
        cfg,
        outer,
        lints,
        body: attrs,
        ..
    } = Attributes::sort(&function.attrs);
    let (vis, plain, body) = (&function.vis, function.plain_signature(), &function.body);
    let output = function.output();
    let mut sig = plain.clone();
    sig.asyncness = None;
    sig.safety = syn::Safety::Default;
    sig.abi = None;
    sig.inputs = std::mem::take(&mut sig.inputs)
        .into_iter()
        .zip(&function.sig.inputs)
        .filter(|(_, written)| role == Role::Helper || !is_state(written))
        .map(|(input, _)| input)
        .collect();
    // `impl Trait` needs a body to be inferred from.
    let is_named = !quote!(#output).to_string().starts_with("impl ");
    let output = if is_named {
        quote!(#output)
    } else {
        quote!(())
    };
    sig.output = syn::parse_quote!(-> #runtime::StandIn<#output>);
    // A method cannot stand in a function.
    let as_written = sig
        .receiver()
        .is_none()
        .then(|| quote!(#(#lints)* #(#attrs)* #[allow(dead_code)] #plain #body));
    quote! {
        #(#cfg)* #(#outer)* #(#lints)*
        #[allow(unused_variables, unused_mut)]
        #vis #sig {
            #as_written
            #runtime::StandIn::new()
        }
    }
}

fn is_state(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(typed) if typed.attrs.iter().any(|attr| attr.path().is_ident("state")))
}
