//! The annotated function as we understand it, every span kept.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Attribute, Block, FnArg, Pat, PatType, ReturnType, Signature, Token, Type, Visibility};

use crate::catalogue::Code;
use crate::lint::Warning;

/// What an attribute makes of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Activity,
    Orchestrator,
    Helper,
}

impl Role {
    /// With its article, as messages speak of it.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Activity => "an activity",
            Self::Orchestrator => "an orchestrator",
            Self::Helper => "a helper",
        }
    }

    /// The name of the attribute.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Orchestrator => "orchestrator",
            Self::Helper => "helper",
        }
    }
}

/// A function of a trait that each `impl` gives a body of its own.
pub(crate) struct Declaration {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) sig: Signature,
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let declaration = Self {
            attrs: input.call(Attribute::parse_outer)?,
            sig: input.parse()?,
        };
        input.parse::<Token![;]>()?;
        Ok(declaration)
    }
}

/// A function whose body need not parse: a half-typed one must not hide the signature from an editor.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: input
                .step(|cursor| match cursor.token_tree() {
                    Some((TokenTree::Group(group), rest)) => Ok((bare(group), rest)),
                    _ => Err(cursor.error("a body")),
                })
                .map_err(|error| {
                    Code::D100.error_at(
                        error.span(),
                        "a function without a body cannot be annotated",
                    )
                })?,
        })
    }
}

/// The braces themselves: a `$body:block` of a macro stands in a group of its own.
fn bare(group: Group) -> Group {
    if group.delimiter() != Delimiter::None {
        return group;
    }
    match group.stream().into_iter().next() {
        Some(TokenTree::Group(inner)) => bare(inner),
        _ => group,
    }
}

impl Function {
    /// The declared result; `()` where none is written.
    pub(crate) fn output(&self) -> Type {
        output(&self.sig)
    }

    /// Whether the body is not `async`.
    pub(crate) fn is_blocking(&self) -> bool {
        self.sig.asyncness.is_none()
    }

    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.sig.ident.unraw().to_string()
    }

    /// The parameters after `self`.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.sig
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(index, input)| match input {
                FnArg::Typed(typed) => Some(Parameter::new(index, typed)),
                FnArg::Receiver(_) => None,
            })
            .collect()
    }

    /// The signature as rustc may see it: our own attributes on parameters are gone.
    pub(crate) fn plain_signature(&self) -> Signature {
        let mut sig = self.sig.clone();
        for input in &mut sig.inputs {
            if let FnArg::Typed(typed) = input {
                typed.attrs.retain(|attr| !is_state(attr));
            }
        }
        sig
    }

    /// The statements of the body and the attributes at its head; `None` if the body does not parse.
    pub(crate) fn statements(&self) -> Option<(Vec<Attribute>, Vec<syn::Stmt>)> {
        let parser = |input: ParseStream<'_>| {
            Ok((
                input.call(Attribute::parse_inner)?,
                input.call(Block::parse_within)?,
            ))
        };
        parser.parse2(self.body.stream()).ok()
    }
}

/// The declared result; `()` where none is written.
pub(crate) fn output(sig: &Signature) -> Type {
    match &sig.output {
        ReturnType::Default => syn::parse_quote_spanned!(sig.ident.span()=> ()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

/// One parameter of an annotated function.
pub(crate) struct Parameter {
    /// Its name, or one made up where it has a pattern.
    pub(crate) ident: Ident,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// Where `#[state]` stands.
    pub(crate) state: Option<Span>,
}

impl Parameter {
    fn new(index: usize, typed: &PatType) -> Self {
        let ident = match &*typed.pat {
            Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => pat.ident.clone(),
            pat => format_ident!("arg{index}", span = pat.span()),
        };
        Self {
            ident,
            pat: (*typed.pat).clone(),
            ty: (*typed.ty).clone(),
            state: typed
                .attrs
                .iter()
                .find(|attr| is_state(attr))
                .map(Attribute::span),
        }
    }

    /// How a `#[state]` parameter is handed over.
    pub(crate) fn shared(&self) -> Option<Shared<'_>> {
        self.state?;
        Some(match &self.ty {
            Type::Reference(reference) => Shared::Lent(&reference.elem),
            ty => Shared::Given(ty),
        })
    }
}

/// How a `#[state]` parameter is handed over, and its type.
pub(crate) enum Shared<'a> {
    /// `&T`, of this `T`.
    Lent(&'a Type),
    /// By value, as only an `Arc` can be.
    Given(&'a Type),
}

fn is_state(attr: &Attribute) -> bool {
    attr.path().is_ident("state")
}

/// The attributes of a function, sorted by where they belong in the expansion.
#[derive(Default)]
pub(crate) struct Attributes {
    /// `cfg`: on every item.
    pub(crate) cfg: Vec<Attribute>,
    /// Documentation and what callers are told: on the function that is called.
    pub(crate) outer: Vec<Attribute>,
    /// Levels of lints: on both.
    pub(crate) lints: Vec<Attribute>,
    /// All else, so other attribute macros: on the body.
    pub(crate) body: Vec<Attribute>,
    pub(crate) is_documented: bool,
    pub(crate) is_deprecated: bool,
}

impl Attributes {
    pub(crate) fn sort(attrs: &[Attribute]) -> Self {
        let mut sorted = Self::default();
        for attr in attrs {
            let path = attr.path();
            let is = |names: &[&str]| names.iter().any(|name| path.is_ident(name));
            sorted.is_documented |= is(&["doc"]);
            sorted.is_deprecated |= is(&["deprecated"]);
            if is(&["cfg"]) {
                sorted.cfg.push(attr.clone());
            } else if is(&["doc", "deprecated", "must_use"]) || expects_dead_code(attr) {
                sorted.outer.push(attr.clone());
            } else if is(&["allow", "warn", "deny", "forbid"]) {
                sorted.lints.push(attr.clone());
            } else {
                sorted.body.push(attr.clone());
            }
        }
        sorted
    }
}

/// The body is always reached, so such an expectation can only be about the function itself.
fn expects_dead_code(attr: &Attribute) -> bool {
    let names = |attr: &Attribute| match &attr.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => String::new(),
    };
    attr.path().is_ident("expect") && names(attr).contains("dead_code")
}

/// Tokens that we write, located at a token of the user, so that an error about them is shown there. Names in them mean
/// what they meant, and a lint still sees that they are ours.
pub(crate) fn located(tokens: &TokenStream, span: Span) -> TokenStream {
    let relocate = |mut tree: TokenTree| {
        tree.set_span(span.resolved_at(tree.span()));
        tree
    };
    tokens.clone().into_iter().map(relocate).collect()
}

/// The place of `span`, for tokens that we write.
pub(crate) fn place_of(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// Where a token is, as `Location::caller` would tell it.
pub(crate) fn place(runtime: &TokenStream, span: Span) -> TokenStream {
    let file = if proc_macro::is_available() {
        span.unwrap().file()
    } else {
        String::new()
    };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (line, column) = position(span);
    let (line, column) = (number(line), number(column));
    quote!(#runtime::Place { file: #file, line: #line, column: #column })
}

/// The line and the column of a token, from 1; (0, 0) where there is no compiler.
pub(crate) fn position(span: Span) -> (usize, usize) {
    if proc_macro::is_available() {
        let span = span.unwrap();
        (span.line(), span.column())
    } else {
        (0, 0)
    }
}

/// Warnings, as statements: the use of something that is deprecated is all that a macro can warn with.
pub(crate) fn warnings(runtime: &TokenStream, warnings: &[Warning]) -> TokenStream {
    let warning = |(cfgs, code, span): &Warning| {
        // As if the user had written it: nothing is to be said of the attribute.
        let name = Ident::new(code.name(), *span);
        let written = quote!(let _ = #runtime::warning::#name;);
        let tokens = written.into_iter().map(|mut tree| {
            tree.set_span(*span);
            tree
        });
        let warning = tokens.collect::<TokenStream>();
        quote!(#cfgs #warning)
    };
    warnings.iter().map(warning).collect()
}

/// `code` in the braces of the user's body, so that errors about the whole block point there.
pub(crate) fn braced(code: TokenStream, body: &Group) -> Group {
    let mut group = Group::new(Delimiter::Brace, code);
    group.set_span(body.span());
    group
}

/// All errors as `compile_error!` items.
pub(crate) fn compile_errors(errors: &[syn::Error]) -> TokenStream {
    errors.iter().map(syn::Error::to_compile_error).collect()
}
