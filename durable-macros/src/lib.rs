//! The attributes of `durable-runtime`: `#[orchestrator]`, `#[activity]` and `#[helper]`, and the engine room of its
//! `join!`, `try_join!` and `select!`.
//!
//! Use them through `durable-runtime`, which re-exports them. An attribute goes through four stages, each a file:
//! `options` and `model` parse, `rules` checks the signature, `body` rewrites what is awaited, `expand` and `helper`
//! write tokens. A breach never stops the stages after it: the user sees every mistake in one build.

mod allow;
mod body;
mod catalogue;
mod deterministic;
mod expand;
mod fallback;
mod helper;
mod join;
mod lint;
mod model;
mod options;
mod rules;
mod select;
mod sites;
mod source;

use proc_macro::TokenStream;

use crate::model::Role;

/// Makes a function an activity: code with side effects, whose result is recorded once it has returned.
///
/// The function keeps its name, arguments and result; calling it gives an `ActivityCall`. Awaited in an orchestrator,
/// it runs on the engine's runtime, at least once, and its result is recorded; awaited anywhere else, its body simply runs.
///
/// # Blocking code
///
/// An activity need not be `async`: `#[activity] fn hash(path: String) -> u64`. Its call is awaited like any other; its body
/// runs on tokio's blocking pool, under the same limits, and a panic in it is a fault. Outside an orchestrator it runs on the
/// blocking pool of the runtime that awaits it, or right there if there is none.
///
/// Nothing can stop such a body. If its attempt runs into a time-out, the fault is recorded at once, and what the body returns later
/// counts for nothing; but it keeps its place under the limits, and its thread, until it returns, so that no more than the
/// limit ever run. A body that may take long should look at `activity::is_cancelled()` from time to time. A tokio runtime that
/// is dropped waits for it.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "charge"` | the durable name, under which it is found by later builds | the function's name |
/// | `retry(max_attempts = 5, initial = "1s", backoff = 2.0, max_interval = "1h", total = "1d", jitter = 0.2, when = is_transient)` | when and how often a failed attempt is followed by another; `jitter` is the share of a delay that chance may take away; `when` is a `fn(&E) -> bool`, or a `fn(&E) -> Retry`, for a `Result<_, E>` | one attempt |
/// | `attempt_timeout = "30s"` | the longest that one attempt may run; `.timeout(..)` on the call limits all of it | none |
/// | `heartbeat_timeout = "10s"` | the longest that one attempt may go without `activity::heartbeat(..)` | none |
/// | `limit = 10` | how many may run at a time in one engine | none |
/// | `codec = "json"` | how arguments and result are recorded: `"json"` or `"bincode"` | `"json"` |
/// | `crate = path` | where `durable_runtime` is found, if it was renamed; or write `extern crate its_name as durable_runtime;` once | `::durable_runtime` |
///
/// A duration is a whole number and a unit: `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`.
///
/// # State
///
/// A parameter `#[state] db: &Db` is not part of the call: the engine lends the value that was given to its builder with
/// `.state(..)`, as a `Db` or as an `Arc<Db>`. `#[state] db: Arc<Db>` takes a share of the same value, to hand to tasks and
/// threads; `#[state] store: &dyn Store` and `Arc<dyn Store>` take what was given as an `Arc<dyn Store>`. There may be several, of
/// different types. What is missing is named, with function, parameter and type, when the engine is opened.
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
/// # Determinism
///
/// What depends on more than the history, as a clock, chance, a file, a task or the environment, is an error in the body, and in
/// the plain functions of the crate that it calls; the message has a code, and says what to write instead. The codes are in
/// `docs/determinism.md` of the repository. What is given to `side_effect(..)` is not looked at.
///
/// `#[nondeterminism(allow(D032), reason = "the region of a deployment never changes")]` on a statement, or on an arm of a
/// `match`, allows a code there. The reason is mandatory; `durable_runtime::allowances()` lists all of them.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "checkout"` | the durable name, under which it is found by later builds | the function's name |
/// | `version = "2"` | the version, recorded with each instance; several functions of one name may each have their own | none |
/// | `codec = "json"` | how arguments and result are recorded: `"json"` or `"bincode"` | `"json"` |
/// | `crate = path` | where `durable_runtime` is found, if it was renamed; or write `extern crate its_name as durable_runtime;` once | `::durable_runtime` |
#[proc_macro_attribute]
pub fn orchestrator(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Role::Orchestrator, options.into(), &item.into()).into()
}

/// Makes an `async fn` a helper: a part of an orchestrator that may be called from several.
///
/// Its awaits are checked as an orchestrator's are and belong to its caller's history. Unlike an orchestrator it may
/// take references, be generic, be a method, and return what it borrows; what it takes and returns is not recorded. A
/// future that it is given and awaits is bounded by `Durable`, not by `Future`. One that calls itself does so as
/// `Box::pin(itself(..)).await`.
///
/// In a trait, `#[helper] async fn step(&mut self) -> u32;` says that every implementation gives a helper, which generic helpers
/// then may await; the functions of its `impl` blocks are annotated, too.
///
/// The only option is `crate = path`: where `durable_runtime` is found, if it was renamed.
#[proc_macro_attribute]
pub fn helper(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Role::Helper, options.into(), &item.into()).into()
}

/// Vouches for a plain function: it gives the same for the same arguments, though that cannot be seen.
///
/// The functions that an orchestrator or a helper calls are looked into, as far as they are in the same crate, and what
/// breaks determinism in them is an error at the call. This attribute ends that search: nobody looks through the function any
/// more, and `unsafe` code in it is its author's affair. What its own body names is still looked at.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `reason = ".."` | why a replay sees the same; mandatory, and listed by `durable_runtime::allowances()` |
/// | `crate = path` | where `durable_runtime` is found, if it was renamed |
#[proc_macro_attribute]
pub fn deterministic(options: TokenStream, item: TokenStream) -> TokenStream {
    deterministic::expand(options.into(), &item.into()).into()
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
