//! The hidden half of a definition: codecs, the function that runs the body, the static definition and its registration.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{GenericArgument, Path, PathArguments, Type};

use super::Definition;
use crate::body::Body;
use crate::model::{Parameter, Shared, located, place, place_of};
use crate::options;

impl Definition<'_> {
    /// What is written and read, and what asks how.
    pub(super) fn types(&self) -> TokenStream {
        let Self {
            runtime, output, ..
        } = self;
        let types: Vec<_> = self
            .recorded_types()
            .map(ToTokens::to_token_stream)
            .collect();
        let input = Self::input(&types);
        quote! {
            type __Input = #input;
            type __Output = #output;
            use #runtime::{NoDetails as _, NoFault as _, NoSay as _, NotAResult as _, NotRecordable as _};
        }
    }

    /// The constant of a probe for the codec.
    fn in_codec(&self, what: &str) -> Ident {
        let codec = self.options.codec().to_string().to_uppercase();
        format_ident!("{what}_{codec}")
    }

    /// The codec of the input, which is a `ty`.
    pub(super) fn input_codec(&self, ty: &TokenStream) -> TokenStream {
        let (runtime, constant) = (&self.runtime, self.in_codec("INPUT"));
        quote!(#runtime::InputProbe::<#ty>::#constant)
    }

    fn output_codec(&self) -> TokenStream {
        let runtime = &self.runtime;
        let (result, value) = (self.in_codec("RESULT"), self.in_codec("VALUE"));
        quote! {
            #runtime::output(
                #runtime::ResultProbe::<__Output>::#result,
                #runtime::ValueProbe::<__Output>::#value,
                [#runtime::DetailsProbe::<__Output>::OF_ERROR, #runtime::DetailsProbe::<__Output>::OF_DISPLAY],
                #runtime::RetryProbe::<__Output>::IS_RETRYABLE,
                #runtime::FaultProbe::<__Output>::FROM_FAULT,
            )
        }
    }

    /// Decodes the input, finds the states and calls the body.
    pub(super) fn run(&self) -> TokenStream {
        let Self {
            runtime, marker, ..
        } = self;
        let name = &self.function.sig.ident;
        let durable_name = self.durable_name();
        let (states_parameter, future_type, trait_name) = if self.is_activity() {
            let states = quote!(states: &#runtime::States,);
            (states, quote!(ActivityFuture), quote!(ActivityMarker))
        } else {
            let states = TokenStream::new();
            (
                states,
                quote!(OrchestratorFuture),
                quote!(OrchestratorMarker),
            )
        };
        let input_codec = self.input_codec(&quote!(__Input));
        let locals: Vec<_> = self.parameters.iter().enumerate().map(Local::new).collect();
        let arguments: Vec<_> = locals.iter().filter_map(Local::argument).collect();
        let input = Self::input(&arguments);
        let states = locals
            .iter()
            .filter_map(|local| local.state(runtime, &durable_name));
        let values = locals.iter().map(Local::value);
        let codec = quote!(<#marker as #runtime::#trait_name<__Output>>::OUT);
        let body = quote!(#marker::#name(#(#values),*));
        // At the name: where a body is not `Send`, the function is what is wrong.
        let located = located(runtime, name.span());
        let place = place_of(name.span());
        let future = if self.function.is_blocking() {
            let finish = quote!(#runtime::finish(#codec, #durable_name, #body));
            quote_spanned!(place=> ::std::boxed::Box::pin(#located::blocking(move || #finish)))
        } else if self.is_activity() {
            let finish = quote!(#runtime::finish(#codec, #durable_name, #body.await));
            quote_spanned!(place=> ::std::boxed::Box::pin(async move { #finish }))
        } else {
            quote!(#runtime::running(#codec, #durable_name, #body))
        };
        quote! {
            fn __run(
                input: &#runtime::Payload,
                #states_parameter
            ) -> ::core::result::Result<#runtime::#future_type, #runtime::DecodeError> {
                let #input: __Input = (#input_codec.decode)(input)?;
                #(#states)*
                ::core::result::Result::Ok(#future)
            }
        }
    }

    /// The static definition and its registration.
    pub(super) fn definition(&self, body: &Body) -> TokenStream {
        let Self {
            runtime,
            marker,
            options,
            ..
        } = self;
        let name = self.durable_name();
        let output_codec = self.output_codec();
        let place = place(runtime, self.function.sig.ident.span());
        let codec = options.codec();
        let (def, marker_trait, fields) = if self.is_activity() {
            (
                quote!(ActivityDef),
                quote!(ActivityMarker),
                self.activity_fields(),
            )
        } else {
            let version = option(options.version.as_ref());
            let allowances = body
                .allowances
                .iter()
                .map(|allowance| allowance.tokens(runtime, &name));
            let fields = quote! {
                version: #version,
                codec: #runtime::Codec::#codec,
                output: Self::OUT,
                allowances: &[#(#allowances),*],
                sites: &__SITES,
            };
            (quote!(OrchestratorDef), quote!(OrchestratorMarker), fields)
        };
        let sites = (!self.is_activity()).then(|| {
            let version = options.version.as_deref();
            body.sites.tokens(runtime, (&name, version), &place, false)
        });
        quote! {
            #sites
            impl #runtime::#marker_trait<__Output> for #marker {
                const DEF: &'static #runtime::#def = &#runtime::#def {
                    name: #name,
                    place: #place,
                    #fields
                    run: __run,
                };
                const OUT: &'static #runtime::OutputCodec<__Output> = &#output_codec;
            }
            #runtime::inventory::submit! { <#marker as #runtime::#marker_trait<__Output>>::DEF }
        }
    }

    fn activity_fields(&self) -> TokenStream {
        let Self {
            runtime, options, ..
        } = self;
        let no_retry = || quote!(#runtime::RetryPolicy::NONE);
        let retry = options
            .retry
            .as_ref()
            .map_or_else(no_retry, |retry| retry.policy(runtime));
        let timeout = option(options.attempt_timeout.map(options::duration));
        let heartbeat = option(options.heartbeat_timeout.map(options::duration));
        let limit = option(options.limit);
        let is_blocking = self.function.is_blocking();
        let when = options.retry.as_ref().and_then(|retry| retry.when.as_ref());
        let when = option(when.map(|when| retry_when(runtime, when)));
        let codec = options.codec();
        let states = self
            .parameters
            .iter()
            .filter_map(|parameter| requirement(runtime, parameter));
        quote! {
            options: #runtime::ActivityOptions {
                retry: #retry,
                attempt_timeout: #timeout,
                heartbeat_timeout: #heartbeat,
                limit: #limit,
                codec: #runtime::Codec::#codec,
                is_blocking: #is_blocking,
            },
            retry_when: #when,
            states: &[#(#states),*],
        }
    }
}

/// A parameter in the function that runs the body: an argument that was decoded, or a state that was found.
struct Local<'a> {
    name: Ident,
    parameter: &'a Parameter,
}

impl<'a> Local<'a> {
    fn new((index, parameter): (usize, &'a Parameter)) -> Self {
        Self {
            name: format_ident!("parameter{index}", span = Span::mixed_site()),
            parameter,
        }
    }

    fn argument(&self) -> Option<TokenStream> {
        let is_argument = self.parameter.state.is_none();
        is_argument.then(|| self.name.to_token_stream())
    }

    fn state(&self, runtime: &TokenStream, activity: &str) -> Option<TokenStream> {
        let (name, parameter) = (&self.name, self.parameter.ident.unraw().to_string());
        let shared = self.parameter.shared()?;
        let type_name = shared_name(&shared);
        let find = match shared {
            Shared::Lent(ty) => quote!(#runtime::state::<#ty>),
            Shared::Given(ty) => {
                let runtime = located(runtime, ty.span());
                quote_spanned!(place_of(ty.span())=> #runtime::shared_state::<#ty>)
            }
        };
        Some(quote!(let #name = #find(states, #activity, #parameter, #type_name);))
    }

    /// What the body is given.
    fn value(&self) -> TokenStream {
        let name = &self.name;
        match self.parameter.shared() {
            Some(Shared::Lent(_)) => quote!(&*#name),
            Some(Shared::Given(_)) | None => quote!(#name),
        }
    }
}

/// What an engine must be given for a `#[state]` parameter.
fn requirement(runtime: &TokenStream, parameter: &Parameter) -> Option<TokenStream> {
    let name = parameter.ident.unraw().to_string();
    let shared = parameter.shared()?;
    let type_name = shared_name(&shared);
    let is_given = match shared {
        Shared::Lent(ty) => quote!(|states| states.find::<#ty>().is_some()),
        Shared::Given(ty) => quote! {{
            use #runtime::NotShared as _;
            #runtime::StateProbe::<#ty>::IS_GIVEN
        }},
    };
    Some(quote! {
        #runtime::StateRequirement { parameter: #name, type_name: #type_name, is_given: #is_given }
    })
}

/// The type that is shared, as its author spelled it.
fn shared_name(shared: &Shared<'_>) -> String {
    match shared {
        Shared::Lent(ty) => spelled(ty),
        Shared::Given(ty) => spelled(held(ty).unwrap_or(ty)),
    }
}

/// What is between the brackets of an `Arc<T>`, for people.
fn held(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    }
}

/// An `Option` as a constant expression.
fn option(value: Option<impl ToTokens>) -> TokenStream {
    if let Some(value) = value {
        quote!(::core::option::Option::Some(#value))
    } else {
        quote!(::core::option::Option::None)
    }
}

/// The closure that asks the user's function about an error.
fn retry_when(runtime: &TokenStream, when: &Path) -> TokenStream {
    let span = when.span();
    let runtime = located(runtime, span);
    let failure = Ident::new("failure", Span::mixed_site());
    let check =
        quote_spanned!(place_of(span)=> #runtime::retry_when::<__Output, _, _>(#failure, #when));
    quote!(|#failure| #check)
}

/// A type as its author spelled it.
fn spelled(ty: &Type) -> String {
    ty.to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
}
