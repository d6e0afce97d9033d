//! One argument of an attribute: `key`, `key = value` or `key(list)`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::Parse;
use syn::{Lit, LitStr, Path};

use super::duration;
use crate::catalogue::Code;

/// An argument that names a legal option.
pub(crate) struct Entry {
    key: Ident,
    value: Value,
}

enum Value {
    None,
    /// What follows the `=`; never empty.
    Tokens(TokenStream),
    List(TokenStream),
}

/// Splits `tokens` at their commas. What is not legal, or was given before, is an error and left out.
pub(crate) fn split(
    tokens: TokenStream,
    legal: &[&str],
    holder: &str,
    errors: &mut Vec<syn::Error>,
) -> Vec<Entry> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ',');
    let mut entries: Vec<Entry> = Vec::new();
    for argument in trees
        .split(is_comma)
        .filter(|argument| !argument.is_empty())
    {
        let entry = Entry::parse(argument).and_then(|entry| entry.check(legal, holder, &entries));
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    entries
}

impl Entry {
    fn parse(argument: &[TokenTree]) -> syn::Result<Self> {
        let all: TokenStream = argument.iter().cloned().collect();
        let (key, rest) = match argument.split_first() {
            Some((TokenTree::Ident(key), rest)) => (key.clone(), rest),
            _ => return Err(Code::D108.error(all, "expected the name of an option")),
        };
        let value = match rest {
            [] => Value::None,
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
                Value::List(group.stream())
            }
            [TokenTree::Punct(equals), value @ ..]
                if equals.as_char() == '=' && !value.is_empty() =>
            {
                Value::Tokens(value.iter().cloned().collect())
            }
            _ => {
                let rest: TokenStream = rest.iter().cloned().collect();
                return Err(Code::D108.error(rest, format!("expected `{key} = ..` or `{key}(..)`")));
            }
        };
        Ok(Self { key, value })
    }

    fn check(self, legal: &[&str], holder: &str, before: &[Self]) -> syn::Result<Self> {
        let name = self.name();
        if !legal.contains(&name.as_str()) {
            // The one name that two limits could have.
            if name == "timeout" && legal.contains(&"attempt_timeout") {
                return Err(self.error(format!(
                    "{holder} has no option `timeout`\nhelp: write `attempt_timeout` for one attempt, or `.timeout(..)` \
                     on the call for all of it"
                )));
            }
            let list: Vec<String> = legal.iter().map(|option| format!("`{option}`")).collect();
            let list = list.join(", ");
            return Err(self.error(format!(
                "{holder} has no option `{name}`\nhelp: it takes {list}"
            )));
        }
        if before.iter().any(|entry| entry.key == self.key) {
            return Err(self.error(format!("`{name}` is given twice")));
        }
        Ok(self)
    }

    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }

    /// An error at the key.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        Code::D108.error_at(self.key.span(), message)
    }

    fn value<T: Parse>(&self, expected: &str) -> syn::Result<T> {
        let Value::Tokens(tokens) = &self.value else {
            let name = self.name();
            return Err(self.error(format!(
                "`{name}` needs a value\nhelp: write `{name} = {expected}`"
            )));
        };
        syn::parse2(tokens.clone()).map_err(|_| {
            Code::D108.error(
                tokens,
                format!("`{}` takes {expected}, not `{tokens}`", self.name()),
            )
        })
    }

    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        self.value("\"..\"")
    }

    pub(crate) fn path(&self) -> syn::Result<Path> {
        self.value("path::to::it")
    }

    /// A duration longer than zero, in milliseconds.
    pub(crate) fn duration(&self) -> syn::Result<u64> {
        let text: LitStr = self.value("\"30s\"")?;
        duration::parse(&text.value()).map_err(|message| Code::D108.error(text, message))
    }

    /// A whole number from 1.
    pub(crate) fn positive(&self) -> syn::Result<u32> {
        let literal: Lit = self.value("a whole number")?;
        match &literal {
            Lit::Int(number) => match number.base10_parse::<u32>() {
                Ok(0) => Err(Code::D108.error(number, format!("`{}` is at least 1", self.name()))),
                Ok(number) => Ok(number),
                Err(error) => Err(Code::D108.error(number, format!("{error}"))),
            },
            other => Err(self.not_a_number(other, "a whole number")),
        }
    }

    /// A number from 1.0.
    pub(crate) fn factor(&self) -> syn::Result<f64> {
        let (number, literal) = self.number()?;
        if number >= 1.0 && number.is_finite() {
            Ok(number)
        } else {
            Err(Code::D108.error(literal, format!("`{}` is at least 1.0", self.name())))
        }
    }

    /// A number from 0.0 to 1.0.
    pub(crate) fn share(&self) -> syn::Result<f64> {
        let (number, literal) = self.number()?;
        if (0.0..=1.0).contains(&number) {
            Ok(number)
        } else {
            Err(Code::D108.error(literal, format!("`{}` is 0.0 to 1.0", self.name())))
        }
    }

    fn number(&self) -> syn::Result<(f64, Lit)> {
        let literal: Lit = self.value("a number")?;
        let number = match &literal {
            Lit::Float(number) => number.base10_parse::<f64>()?,
            Lit::Int(number) => f64::from(number.base10_parse::<u32>()?),
            other => return Err(self.not_a_number(other, "a number")),
        };
        Ok((number, literal))
    }

    fn not_a_number(&self, found: &Lit, expected: &str) -> syn::Error {
        let text = found.to_token_stream();
        Code::D108.error(
            found,
            format!("`{}` takes {expected}, not `{text}`", self.name()),
        )
    }

    /// What is in the parentheses.
    pub(crate) fn list(&self) -> syn::Result<TokenStream> {
        match &self.value {
            Value::List(tokens) => Ok(tokens.clone()),
            Value::None | Value::Tokens(_) => {
                let name = self.name();
                let message =
                    format!("`{name}` takes a list\nhelp: write `{name}(max_attempts = 5)`");
                Err(self.error(message))
            }
        }
    }
}
