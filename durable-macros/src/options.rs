//! The arguments of an attribute as typed options. Each breach is an error of its own, at its token; an option that
//! could not be read keeps its default, so that the expansion is still whole.

mod duration;
mod entry;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{LitStr, Path};

use self::entry::Entry;
use crate::catalogue::Code;
use crate::model::Role;

const ACTIVITY: &[&str] = &[
    "name",
    "retry",
    "attempt_timeout",
    "heartbeat_timeout",
    "limit",
    "codec",
    "crate",
];
const ORCHESTRATOR: &[&str] = &["name", "version", "codec", "crate"];
const HELPER: &[&str] = &["crate"];
const DETERMINISTIC: &[&str] = &["reason", "crate"];
const RETRY: &[&str] = &[
    "max_attempts",
    "initial",
    "backoff",
    "max_interval",
    "total",
    "jitter",
    "when",
];

/// As long as a durable name may be, in bytes; the runtime's `limits` say the same.
const NAME_BYTES_MAX: usize = 128;

/// What an attribute was told.
#[derive(Default)]
pub(crate) struct Options {
    krate: Option<Path>,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    codec: Codec,
    pub(crate) retry: Option<Retry>,
    pub(crate) attempt_timeout: Option<u64>,
    pub(crate) heartbeat_timeout: Option<u64>,
    pub(crate) limit: Option<u32>,
    /// Why a function is vouched for.
    pub(crate) reason: Option<LitStr>,
}

#[derive(Default, Clone, Copy)]
enum Codec {
    #[default]
    Json,
    Bincode,
}

/// A retry policy; durations in milliseconds.
#[derive(Default)]
pub(crate) struct Retry {
    max_attempts: Option<u32>,
    initial: Option<u64>,
    backoff: Option<f64>,
    max_interval: Option<u64>,
    total: Option<u64>,
    jitter: Option<f64>,
    pub(crate) when: Option<Path>,
}

impl Options {
    /// Reads the arguments of the attribute for `role`; breaches are added to `errors`.
    pub(crate) fn parse(role: Role, tokens: TokenStream, errors: &mut Vec<syn::Error>) -> Self {
        let legal = match role {
            Role::Activity => ACTIVITY,
            Role::Orchestrator => ORCHESTRATOR,
            Role::Helper => HELPER,
        };
        Self::of(legal, role.attribute(), tokens, errors)
    }

    /// Reads the arguments of `#[deterministic]`.
    pub(crate) fn of_deterministic(tokens: TokenStream, errors: &mut Vec<syn::Error>) -> Self {
        Self::of(DETERMINISTIC, "deterministic", tokens, errors)
    }

    fn of(
        legal: &[&str],
        attribute: &str,
        tokens: TokenStream,
        errors: &mut Vec<syn::Error>,
    ) -> Self {
        let mut options = Self::default();
        let holder = format!("`#[{attribute}]`");
        for entry in entry::split(tokens, legal, &holder, errors) {
            if let Err(error) = options.set(&entry, errors) {
                errors.push(error);
            }
        }
        options
    }

    fn set(&mut self, entry: &Entry, errors: &mut Vec<syn::Error>) -> syn::Result<()> {
        match entry.name().as_str() {
            "name" => self.name = Some(name(entry)?),
            "version" => self.version = Some(entry.text()?.value()),
            "codec" => self.codec = codec(entry)?,
            "attempt_timeout" => self.attempt_timeout = Some(entry.duration()?),
            "heartbeat_timeout" => self.heartbeat_timeout = Some(entry.duration()?),
            "limit" => self.limit = Some(entry.positive()?),
            "reason" => self.reason = Some(entry.text()?),
            "crate" => self.krate = Some(entry.path()?),
            "retry" => self.retry = Some(Retry::parse(entry, errors)?),
            _ => {}
        }
        Ok(())
    }

    /// The doorway of the runtime.
    pub(crate) fn runtime(&self) -> TokenStream {
        if let Some(path) = &self.krate {
            quote!(#path::__private)
        } else {
            quote!(::durable_runtime::__private)
        }
    }

    /// The variant of the runtime's `Codec`.
    pub(crate) fn codec(&self) -> Ident {
        match self.codec {
            Codec::Json => format_ident!("Json"),
            Codec::Bincode => format_ident!("Bincode"),
        }
    }
}

impl Retry {
    fn parse(entry: &Entry, errors: &mut Vec<syn::Error>) -> syn::Result<Self> {
        let mut retry = Self::default();
        let errors_before = errors.len();
        for entry in entry::split(entry.list()?, RETRY, "`retry`", errors) {
            if let Err(error) = retry.set(&entry) {
                errors.push(error);
            }
        }
        if retry.max_attempts.is_none() && retry.total.is_none() && errors.len() == errors_before {
            return Err(entry.error(
                "`retry` needs `max_attempts`, `total` or both: one of them must end it\nhelp: write \
                 `retry(max_attempts = 5)`",
            ));
        }
        Ok(retry)
    }

    fn set(&mut self, entry: &Entry) -> syn::Result<()> {
        match entry.name().as_str() {
            "max_attempts" => self.max_attempts = Some(entry.positive()?),
            "initial" => self.initial = Some(entry.duration()?),
            "backoff" => self.backoff = Some(entry.factor()?),
            "max_interval" => self.max_interval = Some(entry.duration()?),
            "total" => self.total = Some(entry.duration()?),
            "jitter" => self.jitter = Some(entry.share()?),
            "when" => self.when = Some(entry.path()?),
            _ => {}
        }
        Ok(())
    }

    /// The policy as a constant expression.
    pub(crate) fn policy(&self, runtime: &TokenStream) -> TokenStream {
        // A policy that names only a total time is bounded by that.
        let attempts = self.max_attempts.unwrap_or(u32::MAX);
        let step = |method: &str, millis: Option<u64>| {
            let method = Ident::new(method, Span::mixed_site());
            millis.map(|millis| {
                let duration = duration(millis);
                quote!(.#method(#duration))
            })
        };
        let initial = step("initial", self.initial);
        let max_interval = step("max_interval", self.max_interval);
        let total = step("total", self.total);
        let backoff = self.backoff.map(|factor| quote!(.backoff(#factor)));
        let jitter = self.jitter.map(|share| quote!(.jitter(#share)));
        quote!(#runtime::RetryPolicy::attempts(#attempts) #initial #backoff #max_interval #total #jitter)
    }
}

/// A `Duration` as a constant expression.
pub(crate) fn duration(millis: u64) -> TokenStream {
    quote!(::core::time::Duration::from_millis(#millis))
}

fn name(entry: &Entry) -> syn::Result<String> {
    let text = entry.text()?;
    let name = text.value();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Code::D108.error(
            text,
            format!(
                "a name has 1 to {NAME_BYTES_MAX} bytes, this one has {}",
                name.len()
            ),
        ));
    }
    Ok(name)
}

fn codec(entry: &Entry) -> syn::Result<Codec> {
    let text = entry.text()?;
    match text.value().as_str() {
        "json" => Ok(Codec::Json),
        "bincode" => Ok(Codec::Bincode),
        other => Err(Code::D108.error(
            text,
            format!("there is no codec `{other}`\nhelp: write `\"json\"` or `\"bincode\"`"),
        )),
    }
}

#[cfg(test)]
mod tests;
