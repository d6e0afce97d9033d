//! `#[nondeterminism(allow(D040), reason = "..")]` on a statement: what its author vouches for.
//!
//! A reason is mandatory, and each allowance is in the function's static definition, so that it is found again.

mod attributes;
mod strip;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Token};

pub(crate) use self::attributes::{attributes, attributes_mut};
pub(crate) use self::strip::{Strip, strip};
use crate::catalogue::{Code, Level};
use crate::model::{Function, place};

/// The attribute that vouches for a statement.
const ATTRIBUTE: &str = "nondeterminism";

/// How it is written.
const FORM: &str =
    "write `#[nondeterminism(allow(D001), reason = \"why a replay sees the same\")]`";

/// One allowance: a code that is not reported in a statement, and why.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    /// `None` for a function that is vouched for as a whole.
    pub(crate) code: Option<Code>,
    pub(crate) reason: String,
    pub(crate) span: Span,
}

impl Allowance {
    /// As a value of the runtime's type; `function` is the name of the function that it stands in.
    pub(crate) fn tokens(&self, runtime: &TokenStream, function: &str) -> TokenStream {
        let code = if let Some(code) = self.code.map(Code::name) {
            quote!(::core::option::Option::Some(#code))
        } else {
            quote!(::core::option::Option::None)
        };
        let reason = &self.reason;
        let place = place(runtime, self.span);
        quote!(#runtime::Allowance::__new(#code, #reason, #function, #place))
    }
}

/// A definition that has nothing but allowances, as an item: for functions that are found by nobody's name.
pub(crate) fn registered(
    allowances: &[Allowance],
    runtime: &TokenStream,
    function: &Function,
) -> TokenStream {
    if allowances.is_empty() {
        return TokenStream::new();
    }
    let name = function.name();
    let place = place(runtime, function.sig.ident.span());
    let allowances = allowances
        .iter()
        .map(|allowance| allowance.tokens(runtime, &name));
    quote! {
        #runtime::inventory::submit! {
            &#runtime::FunctionDef { name: #name, place: #place, allowances: &[#(#allowances),*] }
        }
    }
}

/// What the attributes among `attrs` allow; breaches are added to `errors`.
pub(crate) fn read(attrs: &[Attribute], errors: &mut Vec<syn::Error>) -> Vec<Allowance> {
    let mut allowances = Vec::new();
    for attr in attrs.iter().filter(|attr| is_allowance(attr)) {
        match attr.parse_args_with(Arguments::parse) {
            Ok(arguments) => arguments.check(attr, &mut allowances, errors),
            Err(error) => {
                errors.push(Code::D091.error_at(error.span(), format!("{error}\nhelp: {FORM}")));
            }
        }
    }
    allowances
}

/// Takes the attributes out, which rustc does not know; gives the codes that they allow.
pub(crate) fn take(attrs: &mut Vec<Attribute>) -> Vec<Allowance> {
    if !attrs.iter().any(is_allowance) {
        return Vec::new();
    }
    // What is wrong with them was reported by the lint.
    let allowances = read(attrs, &mut Vec::new());
    attrs.retain(|attr| !is_allowance(attr));
    allowances
}

/// The breach of an allowance where there is no statement.
pub(crate) fn misplaced(attrs: &mut Vec<Attribute>, errors: &mut Vec<syn::Error>) {
    for attr in attrs.iter().filter(|attr| is_allowance(attr)) {
        let message = "an allowance stands on a statement, not on the whole function\nhelp: put it right before the \
                       statement that it is about";
        errors.push(Code::D091.error(attr.path(), message));
    }
    attrs.retain(|attr| !is_allowance(attr));
}

fn is_allowance(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|segment| segment.ident == ATTRIBUTE)
}

/// What stands between the parentheses.
struct Arguments {
    codes: Vec<Ident>,
    reason: Option<LitStr>,
}

impl Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word: Ident = input.call(Ident::parse_any)?;
        if word != "allow" {
            return Err(syn::Error::new(word.span(), "expected `allow(..)`"));
        }
        let inside;
        syn::parenthesized!(inside in input);
        let codes = Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?;
        if codes.is_empty() {
            return Err(syn::Error::new(
                word.span(),
                "expected a code in `allow(..)`",
            ));
        }
        let mut reason = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.call(Ident::parse_any)?;
            if word != "reason" {
                return Err(syn::Error::new(word.span(), "expected `reason = \"..\"`"));
            }
            input.parse::<Token![=]>()?;
            reason = Some(input.parse()?);
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(Self {
            codes: codes.into_iter().collect(),
            reason,
        })
    }

    fn check(
        self,
        attr: &Attribute,
        allowances: &mut Vec<Allowance>,
        errors: &mut Vec<syn::Error>,
    ) {
        let text = self.reason.as_ref().map(LitStr::value).unwrap_or_default();
        if text.trim().is_empty() {
            let message = format!("an allowance needs its reason\nhelp: {FORM}");
            errors.push(match &self.reason {
                Some(reason) => Code::D091.error(reason, message),
                None => Code::D091.error(attr.path(), message),
            });
        }
        for ident in self.codes {
            match allowable(&ident) {
                // One without a reason still allows: what is wrong with it is said once.
                Ok(code) => allowances.push(Allowance {
                    code: Some(code),
                    reason: text.clone(),
                    span: ident.span(),
                }),
                Err(error) => errors.push(error),
            }
        }
    }
}

/// The code that is named, if it can be allowed.
fn allowable(ident: &Ident) -> syn::Result<Code> {
    let text = ident.to_string();
    let Some(code) = Code::named(&text) else {
        let meant = Code::like(&text).map_or_else(
            || "docs/determinism.md lists them".to_owned(),
            |code| format!("did you mean `{}`, {}?", code.name(), code.row().title),
        );
        return Err(Code::D091.error(ident, format!("there is no code `{text}`\nhelp: {meant}")));
    };
    if code.is_allowable() {
        return Ok(code);
    }
    let row = code.row();
    let reason = match row.level {
        Level::Rewrite => "is never reported",
        Level::RunTime => "is found at run time only",
        Level::Error | Level::Warning => "cannot be allowed",
    };
    let message = format!("`{text}`, {}, {reason}\nhelp: {}", row.title, row.instead);
    Err(Code::D091.error(ident, message))
}

/// The allowances in force, innermost last, for whoever rewrites the body; which of them were needed.
#[derive(Debug, Default)]
pub(crate) struct InForce(Vec<(Allowance, bool)>);

impl InForce {
    /// Begins what `allowances` are about; what is returned ends it.
    pub(crate) fn begin(&mut self, allowances: Vec<Allowance>) -> usize {
        let before = self.0.len();
        self.0
            .extend(allowances.into_iter().map(|allowance| (allowance, false)));
        before
    }

    /// Ends what was begun when there were `before`; gives those that were not needed.
    pub(crate) fn end(&mut self, before: usize) -> Vec<Allowance> {
        let ended = self.0.split_off(before);
        let unneeded = ended.into_iter().filter(|(_, is_needed)| !is_needed);
        unneeded.map(|(allowance, _)| allowance).collect()
    }

    /// Whether `code` is allowed here; notes that it was needed.
    pub(crate) fn suppress(&mut self, code: Code) -> bool {
        let found = self.0.iter_mut().rev();
        let mut found = found.filter(|(allowance, _)| allowance.code == Some(code));
        let innermost = found.next();
        if let Some((_, is_needed)) = innermost {
            *is_needed = true;
            return true;
        }
        false
    }
}
