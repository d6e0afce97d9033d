//! What may be awaited in an orchestrator, and what may be recorded.
//!
//! The attributes route every `.await` of an orchestrator through [`Durable`], so awaiting anything else is a compile
//! error that says what to write instead. A type has such an error of its own where [`hints`] knows it.

#[doc(hidden)]
pub mod argument;
mod future;
#[doc(hidden)]
pub mod hints;
#[doc(hidden)]
pub mod iteration;
#[doc(hidden)]
pub mod op;
#[doc(hidden)]
pub mod wanted;

use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::future::{Block, Helper, StandIn};

/// A future that is answered from the history: every outcome it waits for is recorded.
///
/// Calls of activities and orchestrators, timers, events and side effects are durable, and so is what is made of them:
/// a `#[helper]`, `join!`, `select!`, `join_all` and their like, an `async` block in an orchestrator, a durable future behind
/// `&mut`, `Box` or `Pin`.
///
/// # Implementing it
///
/// A combinator of your own may implement it. That is a promise: it waits for durable futures only, polls them in an
/// order that depends on nothing but their results, and keeps no `Waker`. A broken promise shows as an instance that
/// stalls, at once or at its next replay.
#[diagnostic::on_unimplemented(
    message = "[D200] cannot await `{Self}` in an orchestrator: its result is not recorded in the history",
    label = "not a durable operation",
    note = "an orchestrator is replayed from its history, so every `.await` must be answered from there",
    note = "if it does I/O, make it an activity: put `#[activity]` on the function and call it from here",
    note = "if it only awaits activities, timers and events, make it a helper: `#[helper] async fn ..`",
    note = "a timer is `sleep(..)`, a message from outside is `.wait()` of an `Event`, a task beside this one is a branch of `join!`",
    note = "see docs/determinism/D200.md"
)]
pub trait Durable: Future {}

#[diagnostic::do_not_recommend]
impl<D: Durable + Unpin + ?Sized> Durable for &mut D {}

#[diagnostic::do_not_recommend]
impl<D: Durable + Unpin + ?Sized> Durable for Box<D> {}

#[diagnostic::do_not_recommend]
impl<P: DerefMut<Target: Durable>> Durable for Pin<P> {}

#[diagnostic::do_not_recommend]
impl<D: Durable> Durable for tracing::instrument::Instrumented<D> {}

/// A durable future whose type is forgotten, so that a collection may hold futures of several types.
///
/// # Examples
///
/// ```
/// # use durable_runtime::{BoxDurable, Durable};
/// fn boxed<'a, D: Durable<Output = u32> + 'a>(future: D) -> BoxDurable<'a, u32> {
///     Box::pin(future)
/// }
/// ```
pub type BoxDurable<'a, T> = Pin<Box<dyn Durable<Output = T> + 'a>>;

/// A [`Durable`] future as a branch of a combinator, as `join!` or `select_all`: the same bound in other words.
#[diagnostic::on_unimplemented(
    message = "[D201] `{Self}` cannot be a branch in an orchestrator: its result is not recorded in the history",
    label = "this branch is not a durable operation",
    note = "a branch of `join!`, `select!`, `join_all`, `timeout` and the like is a call of an activity, an orchestrator \
            or a helper, a timer, an event, a side effect, or an `async` block written in the orchestrator",
    note = "a timer is `sleep(..)`, a message from outside is `.wait()` of an `Event`, a request is made in an `#[activity]`, and \
            futures of several types are boxed as `durable_runtime::BoxDurable<'_, T>`",
    note = "see docs/determinism/D201.md"
)]
pub trait DurableBranch: Durable {}

#[diagnostic::do_not_recommend]
impl<D: Durable> DurableBranch for D {}

/// What a future of `try_join_all` gives: a `Result`.
#[diagnostic::on_unimplemented(
    message = "[D203] a future of `try_join_all` returns a `Result`, this one returns `{Self}`",
    label = "returns no `Result`",
    note = "use `join_all`, which takes futures of any output",
    note = "see docs/determinism/D203.md"
)]
pub trait Fallible: Sized {
    /// What it gives if all went well.
    type Value;
    /// What it gives if not.
    type Error;

    /// The `Result` itself.
    ///
    /// # Errors
    /// Its own.
    fn into_result(self) -> Result<Self::Value, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

/// A future that may be given back while it runs: [`Unpin`] in other words.
#[diagnostic::on_unimplemented(
    message = "[D204] `{Self}` cannot be given back by `select_all` while it runs",
    label = "has to stay in one place once it runs",
    note = "put it in a box: `Box::pin(..)`; or use `race` if the others need not go on, `FuturesUnordered` if all do",
    note = "see docs/determinism/D204.md"
)]
pub trait Movable: Unpin {}

#[diagnostic::do_not_recommend]
impl<F: Unpin> Movable for F {}

/// A value that can be written to the history and read back: `Serialize + DeserializeOwned + Send + 'static`.
#[diagnostic::on_unimplemented(
    message = "[D120] `{Self}` cannot be recorded in the history",
    label = "must be `serde::Serialize`, `serde::Deserialize` and `Send`",
    note = "arguments and results of activities and orchestrators are written to the history and read back on replay",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`; a connection, client or pool is a \
            `#[state]` parameter of an activity instead"
)]
pub trait Recordable: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Recordable for T {}
