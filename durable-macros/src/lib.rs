//! The attributes of `durable-runtime`: `#[orchestrator]`, `#[activity]` and `#[helper]`, and the engine room of its
//! `join!`, `try_join!` and `select!`.
//!
//! Use them through `durable-runtime`, which re-exports them. An attribute goes through four stages, each a file:
//! `options` and `model` parse, `rules` checks the signature, `body` rewrites what is awaited, `expand` and `helper`
//! write tokens. A breach never stops the stages after it: the user sees every mistake in one build.

mod body;
mod enclosing;
mod expand;
mod fallback;
mod helper;
mod join;
mod model;
mod options;
mod rules;
mod select;

use proc_macro::TokenStream;

use crate::model::Role;

/// Makes an `async fn` an activity: code with side effects, whose result is recorded once it has returned.
///
/// The function keeps its name, arguments and result; calling it gives an `ActivityCall`. Awaited in an orchestrator,
/// it runs on the engine's runtime, at least once, and its result is recorded; awaited anywhere else, its body simply runs.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "charge"` | the durable name, under which it is found by later builds | the function's name |
/// | `retry(max_attempts = 5, initial = "1s", backoff = 2.0, max_interval = "1h", total = "1d", when = is_transient)` | when and how often a failed attempt is followed by another; `when` is a `fn(&E) -> bool` for a `Result<_, E>` | one attempt |
/// | `attempt_timeout = "30s"` | the longest that one attempt may run; `.timeout(..)` on the call limits all of it | none |
/// | `limit = 10` | how many may run at a time in one engine | none |
/// | `codec = "json"` | how arguments and result are recorded: `"json"` or `"bincode"` | `"json"` |
/// | `crate = ::path` | where `durable_runtime` is found, if it was renamed | `::durable_runtime` |
///
/// A duration is a whole number and a unit: `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`.
///
/// # State
///
/// A parameter `#[state] db: &Db` is not part of the call: the engine supplies the value that was given to its builder.
#[proc_macro_attribute]
pub fn activity(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Role::Activity, options.into(), &item.into()).into()
}

/// Makes an `async fn` an orchestrator: deterministic code whose every await is answered from its history.
///
/// The function keeps its name, arguments and result; calling it gives an `OrchestratorCall`: awaited in another
/// orchestrator it is a child, given to `engine.start(..)` it becomes an instance.
///
/// What is awaited must be durable (see `Durable`); the compiler says so at the `.await` otherwise, and a call that was
/// never awaited is an error. Log and print macros are skipped while the orchestrator is replayed, so each line appears once.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "checkout"` | the durable name, under which it is found by later builds | the function's name |
/// | `version = "2"` | the version, recorded with each instance | none |
/// | `codec = "json"` | how arguments and result are recorded: `"json"` or `"bincode"` | `"json"` |
/// | `crate = ::path` | where `durable_runtime` is found, if it was renamed | `::durable_runtime` |
#[proc_macro_attribute]
pub fn orchestrator(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Role::Orchestrator, options.into(), &item.into()).into()
}

/// Makes an `async fn` a helper: a part of an orchestrator that may be called from several.
///
/// Its awaits are checked as an orchestrator's are and belong to its caller's history. Unlike an orchestrator it may
/// take references, generics and `&mut self`, and what it takes and returns is not recorded.
///
/// The only option is `crate = ::path`: where `durable_runtime` is found, if it was renamed.
#[proc_macro_attribute]
pub fn helper(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Role::Helper, options.into(), &item.into()).into()
}

/// The engine room of `durable_runtime::join!`; its input is that macro's, after the path of the crate.
#[doc(hidden)]
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    join::join(input.into()).into()
}

/// The engine room of `durable_runtime::try_join!`; its input is that macro's, after the path of the crate.
#[doc(hidden)]
#[proc_macro]
pub fn try_join(input: TokenStream) -> TokenStream {
    join::try_join(input.into()).into()
}

/// The engine room of `durable_runtime::select!`; its input is that macro's, after the path of the crate.
#[doc(hidden)]
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    select::select(input.into()).into()
}
