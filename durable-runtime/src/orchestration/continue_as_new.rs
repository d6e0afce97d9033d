//! Going on as a new execution with an empty history.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{OrchestratorCall, OrchestratorParts, settle};
use crate::durable::Durable;
use crate::limits;
use crate::payload::{EncodeError, Payload};
use crate::replay::{self, Continue, Stop};

/// Ends this execution; the instance goes on with a new one, which begins with `call`'s input and an empty history.
///
/// For loops without end: each round is an execution of its own, so the history stays short. The instance keeps its id,
/// its parent, its tags and its custom status. External events that nobody awaited are carried over, in order; whatever
/// else is open is cancelled. `call` must be of the same orchestrator, in this or another version.
///
/// The future never resolves: awaiting it has the type that the orchestrator returns, so it may stand at the end.
///
/// # Replay
/// The end of the execution and the begin of the next are recorded in one commit. An execution that has continued is not
/// run again: only the current one is replayed.
///
/// # Cancel safety
/// The execution ends when the future is first polled; dropping it before that asks for nothing.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// static READING: Event<u64> = Event::new("reading");
///
/// #[orchestrator]
/// async fn meter(total: u64) -> u64 {
///     match READING.wait().await {
///         0 => total,
///         reading => continue_as_new(meter(total + reading)).await,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let meter = engine.start(meter(0)).await?;
/// for reading in [3, 4, 0] {
///     meter.raise(&READING, reading).await?;
/// }
/// assert_eq!(meter.result().await?, 7);
/// assert_eq!(meter.summary().await?.execution.0, 3);
/// # Ok(()) }
/// ```
///
/// # Panics
/// When polled outside an orchestrator, for a `call` of another orchestrator, and for one with an id, a tag or a retry
/// policy of its own: the instance keeps its id and tags, and only a child is retried.
pub fn continue_as_new<Out: 'static, M>(call: OrchestratorCall<Out, M>) -> ContinueAsNew<Out> {
    ContinueAsNew {
        next: Some(Next::Called(call.into_parts().0)),
        is_traced_anew: false,
        types: PhantomData,
    }
}

/// The future of [`continue_as_new`]; it never resolves.
#[must_use = "the execution goes on until this is awaited"]
pub struct ContinueAsNew<Out> {
    next: Option<Next>,
    is_traced_anew: bool,
    types: PhantomData<fn() -> Out>,
}

/// What the next execution is.
enum Next {
    Called(OrchestratorParts),
    /// What this one is, with another input.
    Itself(Result<Payload, EncodeError>),
}

impl<Out> ContinueAsNew<Out> {
    pub(super) fn of_itself(input: Result<Payload, EncodeError>) -> Self {
        Self {
            next: Some(Next::Itself(input)),
            is_traced_anew: false,
            types: PhantomData,
        }
    }
}

impl<Out> ContinueAsNew<Out> {
    /// Begins a trace of its own with the next execution, for loops without end: their trace would have none either.
    ///
    /// Without it all executions of an instance belong to the trace that it was started in. The new trace has a derived id,
    /// the flags of the old one and no `tracestate`; it stays that of the executions after, until one begins another.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn nightly(nights: u32, traces: Vec<String>) -> Vec<String> {
    ///     sleep(days(1)).await;
    ///     let mut traces = traces;
    ///     traces.push(info().trace_context.traceparent()[..35].to_owned());
    ///     match nights {
    ///         0 => traces,
    ///         nights => continue_as_new(nightly(nights - 1, traces)).new_trace().await,
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let traces = engine.start(nightly(1, vec![])).await?.result().await?;
    /// assert_ne!(traces[0], traces[1]);
    /// # Ok(()) }
    /// ```
    pub fn new_trace(mut self) -> Self {
        self.is_traced_anew = true;
        self
    }
}

#[diagnostic::do_not_recommend]
impl<Out> Durable for ContinueAsNew<Out> {}

impl<Out> Future for ContinueAsNew<Out> {
    type Output = Out;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Out> {
        match self.next.take() {
            Some(Next::Called(next)) => go_on(next, self.is_traced_anew),
            Some(Next::Itself(input)) => go_on(itself(input), self.is_traced_anew),
            None => {}
        }
        Poll::Pending
    }
}

fn itself(input: Result<Payload, EncodeError>) -> OrchestratorParts {
    let name = replay::require("`continue_as_new`", |context| context.name().clone());
    OrchestratorParts::new(name, input)
}

/// Ends the execution.
fn go_on(next: OrchestratorParts, is_traced_anew: bool) {
    let name = replay::require("`continue_as_new`", |context| context.name().clone());
    if name != next.name {
        other_orchestrator(&name, &next.name);
    }
    if let Some(given) = without_effect(&next) {
        not_taken(&name, given);
    }
    replay::require("`continue_as_new`", |context| {
        let version = (next.version).or_else(|| context.started().version.clone());
        let checked = limits::check_version(version.as_deref())
            .map_err(|error| settle::beyond(&name, &error))
            .and_then(|()| settle::bounded(context, next.input, "input", &name));
        match checked {
            Ok(input) => context.stop(Stop::Continue(Continue {
                version,
                input,
                is_traced_anew,
            })),
            Err(fault) => context.fault(fault),
        }
    });
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn other_orchestrator(name: &str, other: &str) -> ! {
    panic!(
        "`{name}` cannot continue as `{other}`: an instance keeps its orchestrator; await a call of `{other}` as a child \
         instead"
    )
}

/// What `next` was given though an instance that goes on cannot take it.
fn without_effect(next: &OrchestratorParts) -> Option<&'static str> {
    match next {
        next if next.id.is_some() => Some("id"),
        next if !next.tags.is_empty() => Some("tag"),
        next if next.is_retried => Some("retry"),
        _ => None,
    }
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn not_taken(name: &str, given: &str) -> ! {
    panic!(
        "`{name}` cannot continue as new with `.{given}(..)`: an instance keeps its id and its tags, and only a child is \
         retried; remove it"
    )
}

impl<Out> fmt::Debug for ContinueAsNew<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("continue as new")
    }
}
