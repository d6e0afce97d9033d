//! What the signature of an annotated function may be. All breaches are collected; none stops the rest.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::Visit;
use syn::{
    FnArg, GenericParam, Lifetime, Safety, Signature, Type, TypeFnPtr, TypeImplTrait, TypeReference,
};

use crate::catalogue::Code;
use crate::model::{Function, Parameter, Role};
use crate::source;

/// serde writes tuples of up to this many elements.
const PARAMETERS_MAX: usize = 16;

/// The breaches of `function` as `role`.
pub(crate) fn check(role: Role, function: &Function) -> Vec<syn::Error> {
    let mut errors = Vec::new();
    qualifiers(role, &function.sig, &mut errors);
    states(role, function, &mut errors);
    if role != Role::Helper {
        receiver(role, &function.sig, &mut errors);
        generics(role, &function.sig, &mut errors);
        recorded(role, function, &mut errors);
    }
    errors
}

/// The breaches of a helper that a trait declares.
pub(crate) fn check_declaration(sig: &Signature) -> Vec<syn::Error> {
    let mut errors = Vec::new();
    qualifiers(Role::Helper, sig, &mut errors);
    errors
}

/// D101, D102.
fn qualifiers(role: Role, sig: &Signature, errors: &mut Vec<syn::Error>) {
    let what = role.phrase();
    // The body of an activity may block: it then has a thread of its own.
    if sig.asyncness.is_none() && role != Role::Activity {
        errors.push(Code::D101.error(
            sig.fn_token,
            format!(
                "{what} is an `async fn`\nhelp: write `async fn {}`",
                sig.ident
            ),
        ));
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(Code::D102.error(
            token,
            format!("{what} cannot be `unsafe`: the engine calls it, and promises nothing"),
        ));
    }
    if let Some(abi) = &sig.abi {
        errors.push(Code::D102.error(abi, format!("{what} cannot be `extern`")));
    }
}

/// D103.
fn receiver(role: Role, sig: &Signature, errors: &mut Vec<syn::Error>) {
    let help = match role {
        Role::Activity => "take what `self` held as `#[state] service: &Service`",
        Role::Orchestrator | Role::Helper => "pass what it needs as arguments, which are recorded",
    };
    if sig.receiver().is_none() && source::is_associated(sig.ident.span()) {
        errors.push(Code::D103.error(
            &sig.ident,
            format!(
                "{} cannot be an associated function\nhelp: move `{}` out of its block",
                role.phrase(),
                sig.ident
            ),
        ));
    }
    if let Some(receiver) = sig.receiver() {
        errors.push(Code::D103.error(
            receiver,
            format!(
                "{} cannot be a method\nhelp: make it a free function; {help}",
                role.phrase()
            ),
        ));
    }
}

/// D104.
fn states(role: Role, function: &Function, errors: &mut Vec<syn::Error>) {
    for (parameter, input) in function.parameters().iter().zip(typed(&function.sig)) {
        if parameter.state.is_none() {
            continue;
        }
        // Whether a value is an `Arc` is for rustc to say, which knows its type.
        let is_shared = !matches!(&parameter.ty, Type::Reference(r) if r.mutability.is_some());
        if role != Role::Activity {
            errors.push(Code::D104.error(
                input,
                format!(
                    "{} cannot take `#[state]`: it depends on nothing but its arguments and its history\nhelp: \
                     give the state to the activities it calls",
                    role.phrase()
                ),
            ));
        } else if !is_shared {
            errors.push(Code::D104.error(
                &parameter.ty,
                "a `#[state]` parameter is shared by all calls: write `&T` or `Arc<T>`",
            ));
        }
    }
}

fn typed(sig: &Signature) -> impl Iterator<Item = &FnArg> {
    sig.inputs
        .iter()
        .filter(|input| matches!(input, FnArg::Typed(_)))
}

/// D105, D106, D109.
fn recorded(role: Role, function: &Function, errors: &mut Vec<syn::Error>) {
    let what = role.phrase();
    let parameters = function.parameters();
    let recorded = |parameter: &&Parameter| parameter.state.is_none();
    for parameter in parameters.iter().filter(recorded) {
        if let Some(found) = borrowed(&parameter.ty) {
            let or_state = match role {
                Role::Activity => ", or mark a shared resource `#[state]`",
                Role::Orchestrator | Role::Helper => "",
            };
            errors.push(Code::D105.error(
                found,
                format!(
                    "{what} cannot take a reference: arguments are recorded and outlive the caller\nhelp: take an \
                     owned value{or_state}"
                ),
            ));
        }
        if let Some(found) = unnamed(&parameter.ty) {
            errors.push(Code::D106.error(
                found,
                format!("{what} cannot take `impl Trait`: the recorded type must be known\nhelp: name the type"),
            ));
        }
    }
    if let Some(parameter) = parameters.iter().filter(recorded).nth(PARAMETERS_MAX) {
        errors.push(Code::D109.error(
            &parameter.pat,
            format!("{what} takes up to {PARAMETERS_MAX} arguments\nhelp: group some in a struct"),
        ));
    }
    let output = function.output();
    if let Some(found) = borrowed(&output) {
        errors.push(Code::D105.error(
            found,
            format!("{what} cannot return a reference: the result is recorded\nhelp: return an owned value"),
        ));
    }
    if let Some(found) = unnamed(&output) {
        errors.push(Code::D106.error(
            found,
            format!("{what} cannot return `impl Trait`: the recorded type must be known\nhelp: name the type"),
        ));
    }
}

/// D107. A lifetime is reported where it is used.
fn generics(role: Role, sig: &Signature, errors: &mut Vec<syn::Error>) {
    let is_type = |param: &&GenericParam| !matches!(param, GenericParam::Lifetime(_));
    if sig.generics.params.iter().any(|param| is_type(&param)) {
        errors.push(Code::D107.error(
            &sig.generics.params,
            format!(
                "{} cannot be generic: a later build finds it by its name alone\nhelp: write one for each type, \
                 calling a shared generic function",
                role.phrase()
            ),
        ));
    }
}

/// The first reference in `ty`, or lifetime that is not `'static`. A `&'static str` cannot be read back either.
fn borrowed(ty: &Type) -> Option<TokenStream> {
    struct Finder(Option<TokenStream>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            self.note(reference);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.note(lifetime);
            }
        }
        // `fn(&T)` borrows nothing.
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    }
    impl Finder {
        fn note(&mut self, found: &impl ToTokens) {
            self.0.get_or_insert_with(|| found.to_token_stream());
        }
    }
    let mut finder = Finder(None);
    finder.visit_type(ty);
    finder.0
}

/// The first `impl Trait` in `ty`.
pub(crate) fn unnamed(ty: &Type) -> Option<TokenStream> {
    struct Finder(Option<TokenStream>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
            self.0.get_or_insert_with(|| found.to_token_stream());
        }
    }
    let mut finder = Finder(None);
    finder.visit_type(ty);
    finder.0
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn codes(role: Role, function: TokenStream) -> Vec<String> {
        let function: Function = syn::parse2(function).unwrap();
        let code = |error: &syn::Error| error.to_string()[1..5].to_owned();
        check(role, &function).iter().map(code).collect()
    }

    #[test]
    fn a_plain_function_breaks_no_rule() {
        let function = quote! {
            async fn f(a: u8, (b, mut c): (String, Cow<'static, str>), f: fn(&u8)) -> Result<Vec<u8>, E> {}
        };
        assert!(codes(Role::Activity, function.clone()).is_empty());
        assert!(codes(Role::Orchestrator, function).is_empty());
    }

    #[test]
    fn an_activity_need_not_be_async() {
        let function = quote!(
            fn f(#[state] s: &S, #[state] t: Arc<T>, a: u8) -> u8 {}
        );
        assert!(codes(Role::Activity, function).is_empty());
        for role in [Role::Orchestrator, Role::Helper] {
            assert_eq!(
                codes(
                    role,
                    quote!(
                        fn f(a: u8) -> u8 {}
                    )
                ),
                ["D101"]
            );
        }
    }

    #[test]
    fn every_breach_is_reported() {
        let function = quote! {
            unsafe extern "C" fn f<T>(&self, a: &str, b: impl Into<T>, #[state] s: &mut S) -> Cow<'_, str> {}
        };
        assert_eq!(
            codes(Role::Activity, function.clone()),
            [
                "D102", "D102", "D104", "D103", "D107", "D105", "D106", "D105"
            ]
        );
        assert_eq!(
            codes(Role::Helper, function),
            ["D101", "D102", "D102", "D104"]
        );
    }

    #[test]
    fn a_half_typed_body_hides_no_signature() {
        assert_eq!(
            codes(Role::Orchestrator, quote!(fn f() -> u8 { let x = ; })),
            ["D101"]
        );
    }

    #[test]
    fn a_helper_may_borrow() {
        let function = quote!(
            async fn f<'a, T>(&mut self, a: &'a str, b: impl Fn(T)) -> &'a T {}
        );
        assert!(codes(Role::Helper, function).is_empty());
    }
}
