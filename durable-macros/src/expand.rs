//! An annotated function as tokens: what stays, what is called, what is recorded, what is registered.
//!
//! Nothing here decides whether the function is right; that was done before.

mod checks;
mod register;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, format_ident, quote};
use syn::Type;

use crate::allow;
use crate::body::{self, Body};
use crate::lint::Subject;
use crate::model::{Attributes, Declaration, Function, Parameter, Role, braced, compile_errors};
use crate::options::Options;
use crate::{fallback, helper, rules};

/// The expansion of an attribute on `item`.
pub(crate) fn attribute(role: Role, arguments: TokenStream, item: &TokenStream) -> TokenStream {
    let mut function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            return match syn::parse2::<Declaration>(item.clone()) {
                Ok(declaration) if role == Role::Helper => helper::declare(declaration, arguments),
                _ => fallback::not_a_function(role, item, error),
            };
        }
    };
    let mut errors = Vec::new();
    let options = Options::parse(role, arguments, &mut errors);
    allow::misplaced(&mut function.attrs, &mut errors);
    let breaches = rules::check(role, &function);
    let expansion = if breaches.is_empty() {
        match role {
            Role::Helper => helper::expand(&function, &options.runtime(), &mut errors),
            Role::Activity | Role::Orchestrator => {
                let body = if role == Role::Activity {
                    body::as_written(&function)
                } else {
                    body::checked(
                        Subject::Orchestrator,
                        &function,
                        &options.runtime(),
                        &mut errors,
                    )
                };
                Definition::new(role, &function, &options).expand(&body)
            }
        }
    } else {
        errors.extend(breaches);
        fallback::stand_in(role, &function, &options.runtime())
    };
    let errors = compile_errors(&errors);
    quote!(#errors #expansion)
}

/// An activity or orchestrator on its way to tokens.
struct Definition<'a> {
    role: Role,
    function: &'a Function,
    options: &'a Options,
    /// The doorway of the runtime.
    runtime: TokenStream,
    attributes: Attributes,
    /// The hidden type that stands for the function.
    marker: TokenStream,
    parameters: Vec<Parameter>,
    output: Type,
}

impl<'a> Definition<'a> {
    fn new(role: Role, function: &'a Function, options: &'a Options) -> Self {
        let name = &function.sig.ident;
        let module = marker_module(name);
        Self {
            role,
            function,
            options,
            runtime: options.runtime(),
            attributes: Attributes::sort(&function.attrs),
            marker: quote!(#module::#name),
            parameters: function.parameters(),
            output: function.output(),
        }
    }

    fn expand(&self, body: &Body) -> TokenStream {
        let Attributes { cfg, .. } = &self.attributes;
        let call = self.call();
        let marker_module = self.marker_module();
        let types: Vec<&Type> = self.recorded_types().chain([&self.output]).collect();
        let checks = checks::recordable(&self.runtime, &types);
        let arguments: Vec<&Type> = self.recorded_types().collect();
        let order = checks::ordered(&self.runtime, &self.options.codec(), &arguments);
        let definition = self.definition(body);
        let body = self.body(body);
        let types = self.types();
        let run = self.run();
        quote! {
            #call
            #(#cfg)* #marker_module
            #(#cfg)*
            const _: () = {
                #checks
                #order
                #body
                #types
                #run
                #definition
            };
        }
    }

    fn is_activity(&self) -> bool {
        self.role == Role::Activity
    }

    /// The parameters that are arguments of the call.
    fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.state.is_none())
    }

    fn recorded_types(&self) -> impl Iterator<Item = &Type> {
        self.arguments().map(|parameter| &parameter.ty)
    }

    /// One value for the recorded input: nothing, the argument, or a tuple of them.
    fn input(elements: &[TokenStream]) -> TokenStream {
        match elements {
            [one] => one.clone(),
            elements => quote!((#(#elements),*)),
        }
    }

    /// What the user calls: the same name and arguments, giving a call. Where documentation is built, which looks into no body, the
    /// signature is the written one.
    fn call(&self) -> TokenStream {
        let Self {
            runtime,
            marker,
            output,
            ..
        } = self;
        let Attributes {
            cfg,
            outer,
            lints,
            is_documented,
            ..
        } = &self.attributes;
        let (vis, name) = (&self.function.vis, &self.function.sig.ident);
        let (asyncness, result) = (&self.function.sig.asyncness, &self.function.sig.output);
        let (call, note) = if self.is_activity() {
            (
                quote!(ActivityCall),
                "An activity: its call is an `ActivityCall`. Awaited in an orchestrator, its result is recorded.",
            )
        } else {
            (
                quote!(OrchestratorCall),
                "An orchestrator: its call is an `OrchestratorCall`. Start it with an engine, or await it in another as a child.",
            )
        };
        let note = is_documented.then(|| quote!(#[doc = ""] #[doc = #note]));
        let parameters: Vec<_> = self
            .arguments()
            .map(|Parameter { ident, ty, .. }| quote!(#ident: #ty))
            .collect();
        let names: Vec<_> = self
            .arguments()
            .map(|p| p.ident.to_token_stream())
            .collect();
        let input = Self::input(&names);
        let types: Vec<_> = self.recorded_types().map(|ty| quote!(#ty)).collect();
        let codec = self.input_codec(&Self::input(&types));
        // An argument is encoded whatever the body does with it, so `_name` is a name like any other here.
        let underscore = self
            .arguments()
            .any(|p| p.ident.to_string().starts_with('_'))
            .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
        quote! {
            #(#cfg)* #(#outer)* #(#lints)* #note
            #underscore
            #[cfg(not(doc))]
            #[track_caller]
            #vis fn #name(#(#parameters),*) -> #runtime::#call<#output, #marker> {
                use #runtime::NotRecordable as _;
                #runtime::#call::__new((#codec.encode)(&#input))
            }
            #(#cfg)* #(#outer)* #(#lints)* #note
            #[cfg(doc)]
            #vis #asyncness fn #name(#(#parameters),*) #result {
                loop {}
            }
        }
    }

    /// A module, so that the type is named as the function without taking its name in the user's own.
    fn marker_module(&self) -> TokenStream {
        let (vis, name) = (&self.function.vis, &self.function.sig.ident);
        let module = marker_module(name);
        quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types, non_snake_case, unreachable_pub, missing_debug_implementations)]
            #vis mod #module {
                pub enum #name {}
            }
        }
    }

    /// The user's function, out of the way of its own name: a call of it in the body means the outer one.
    fn body(&self, body: &Body) -> TokenStream {
        let Self {
            runtime,
            marker,
            attributes,
            ..
        } = self;
        let sig = self.function.plain_signature();
        let (levels, attrs, inner) = (&attributes.lints, &attributes.body, &body.attrs);
        let code = &body.code;
        let (lints, imports) = if self.is_activity() {
            (activity_lints(), TokenStream::new())
        } else {
            (orchestrator_lints(), imports(runtime))
        };
        let deprecated = attributes
            .is_deprecated
            .then(|| quote!(#[allow(deprecated)]));
        let block = braced(quote!(#imports #code), &self.function.body);
        quote! {
            impl #marker {
                #lints #deprecated #(#levels)* #(#attrs)* #(#inner)*
                #sig #block
            }
        }
    }

    fn durable_name(&self) -> String {
        self.options
            .name
            .clone()
            .unwrap_or_else(|| self.function.name())
    }
}

fn marker_module(name: &Ident) -> Ident {
    format_ident!("__durable_{}", name)
}

/// An argument is owned because it was read from the history, whatever the body does with it.
fn activity_lints() -> TokenStream {
    quote!(#[allow(clippy::unused_async, clippy::needless_pass_by_value)])
}

/// A call that was never awaited does nothing, so it is an error where every await matters.
pub(crate) fn orchestrator_lints() -> TokenStream {
    quote!(#[deny(unused_must_use)] #[allow(clippy::unused_async)])
}

/// The methods that check an await, and what is iterated.
pub(crate) fn imports(runtime: &TokenStream) -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use #runtime::checks::*;
    }
}
