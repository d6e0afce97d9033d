//! What the body of an activity sees: its idempotency key, its attempt, its cancellation, its heartbeats, its state.
//!
//! The functions here work on the task that runs the body, and on the thread of a body that is not `async`. What an
//! attempt hands to other threads and tasks are a [`Cancellation`] and a [`Heart`].

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::{Entropy as _, SystemClock, SystemEntropy};
use crate::event::Name;
use crate::id::{EventId, ExecutionId, InstanceId};
use crate::trace::TraceContext;

mod blocking;
mod cancellation;
mod heart;
mod states;

pub use self::blocking::blocking;
pub use self::cancellation::Cancellation;
pub use self::heart::Heart;
pub use self::states::{SharedState, States};

pub(crate) use self::cancellation::Canceller;

/// Facts about the running attempt of an activity.
///
/// A call that is awaited outside an orchestrator, as in a unit test, is the first delivery of a first attempt, with a key
/// that no other call has; its instance is made up. Within another activity it is a part of that one's attempt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ActivityInfo {
    /// The activity's name.
    pub name: Name,
    /// The instance it runs for.
    pub instance: InstanceId,
    /// The version of the orchestrator that asked for it, as its instance has it.
    pub version: Option<String>,
    /// The execution it runs for.
    pub execution: ExecutionId,
    /// The number of the call's first attempt in the history.
    pub call: EventId,
    /// 1 for the first attempt; counts recorded attempts, so a restart does not change it.
    pub attempt: u32,
    /// 1 for the first delivery of this attempt; a restart of the engine in the middle of it delivers it again.
    pub delivery: u32,
    /// Equal for all attempts and deliveries of one call, different for every other call.
    pub key: uuid::Uuid,
    /// The trace context to pass on to what the activity calls; see [`trace_context`].
    pub trace_context: TraceContext,
}

/// What an attempt carries with it while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) info: Arc<ActivityInfo>,
    pub(crate) cancellation: Cancellation,
    pub(crate) heart: Heart,
}

tokio::task_local! {
    static RUNNING: Running;
}

/// Runs the body of an activity so that the functions of this module work in it.
pub(crate) async fn scope<F: Future>(running: Running, body: F) -> F::Output {
    RUNNING.scope(running, body).await
}

/// What a call of the activity `name` carries when no engine runs it; `None` in an activity, whose attempt it is a part of.
pub(crate) fn without_engine(name: &Name) -> Option<Running> {
    if try_info().is_some() {
        return None;
    }
    // By chance, because another process may make the same calls and ask the same service.
    let key = uuid::Uuid::new_v8(SystemEntropy.bits().to_le_bytes());
    let (trace, span) = (key.as_u128(), key.as_u64_pair().1);
    let info = ActivityInfo {
        name: name.clone(),
        instance: InstanceId::made_from(key.as_bytes()),
        version: None,
        execution: ExecutionId::FIRST,
        call: EventId(0),
        attempt: 1,
        delivery: 1,
        key,
        trace_context: TraceContext::from_parts(trace, span, 1, None),
    };
    Some(Running {
        info: Arc::new(info),
        // Nobody is left to cancel it, and nobody listens.
        cancellation: Cancellation::channel().1,
        heart: Heart::new(Arc::new(SystemClock::new()), None),
    })
}

#[track_caller]
fn running(what: &str) -> Running {
    let Ok(running) = RUNNING.try_with(Clone::clone) else {
        misused(what)
    };
    running
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn misused(what: &str) -> ! {
    panic!(
        "`activity::{what}` was called outside an activity; call it in the body of an `#[activity]` function, on the \
         task that runs it; another thread or task is given what `activity::cancellation()`, `activity::heart()` and \
         `activity::info()` return"
    )
}

/// Facts about the running attempt; `None` outside an activity.
pub fn try_info() -> Option<Arc<ActivityInfo>> {
    RUNNING.try_with(|running| Arc::clone(&running.info)).ok()
}

/// Facts about the running attempt.
///
/// # Panics
/// Outside an activity; [`try_info`] does not.
#[track_caller]
pub fn info() -> Arc<ActivityInfo> {
    running("info").info
}

/// The idempotency key: equal for all attempts and deliveries of this call, different for every other.
///
/// Hand it to whatever the activity changes, so that a second run changes nothing more.
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn key() -> uuid::Uuid {
    running("key").info.key
}

/// The number of this attempt, from 1. A restart of the process does not change it; a retry does.
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn attempt() -> u32 {
    running("attempt").info.attempt
}

/// Which delivery of this attempt this is, from 1. More than 1 says that the engine ended while it was outstanding, so that
/// it may have run before, to its end or half-way.
///
/// Deaths of the process are counted one by one; a clean stop before this delivery counts as one more. What the process
/// has died of ten times in a row, while nothing else ran, is not delivered again: it ends with the fault
/// [`Poisoned`](crate::FaultKind::Poisoned).
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn delivery() -> u32 {
    running("delivery").info.delivery
}

/// The W3C trace context of this delivery, to be passed on to what the activity calls: as the headers `traceparent` and
/// `tracestate` of a request, say.
///
/// It belongs to the trace that its instance was started in, or to one of the instance's own; its span is that of this
/// delivery of this attempt. Nothing of it is recorded but what the instance was started with: all else is derived, and a
/// restart of the process makes the same.
///
/// # Panics
/// Outside an activity.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::TraceContext;
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn call_a_service() -> String {
///     // .. with the header `traceparent`:
///     activity::trace_context().traceparent()
/// }
///
/// #[orchestrator]
/// async fn calls() -> String {
///     call_a_service().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let received: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?;
/// let engine = TestEngine::start()?;
/// let handle = engine.start(calls()).trace_context(received).await?;
/// let passed_on = handle.result().await?;
/// assert!(passed_on.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{passed_on}");
/// # Ok(()) }
/// ```
#[track_caller]
pub fn trace_context() -> TraceContext {
    running("trace_context").info.trace_context.clone()
}

/// Says that the attempt is alive, and where it is: `details` are there for the next attempt, see [`last_heartbeat`].
///
/// An attempt with a `heartbeat_timeout` that is silent for so long, from its begin or from its last heartbeat, ends as a
/// fault of kind `TimedOut` and is retried, as one that exceeds its `attempt_timeout` is. So a long attempt whose process
/// lives but whose work hangs is noticed early. Without that limit a heartbeat still leaves its details.
///
/// `details` are written as JSON, 64 KiB at the most; only the last are kept. A heartbeat costs no commit and wakes nobody:
/// send as many as you like. From another thread or task of the attempt, send them by its [`heart`].
///
/// # Durability
/// What [`last_heartbeat`] says.
///
/// # Panics
/// Outside an activity; if `details` cannot be written as JSON, or are larger than that.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity(heartbeat_timeout = "30s", retry(max_attempts = 5))]
/// async fn import(pages: u32) -> Result<String, String> {
///     // Where the attempt before got to.
///     let first = activity::last_heartbeat::<u32>().unwrap_or(0);
///     for page in first..pages {
///         if page == 7 && activity::attempt() == 1 {
///             return Err("the connection is gone".to_owned());
///         }
///         activity::heartbeat(page + 1);
///     }
///     Ok(format!("from page {first} on"))
/// }
///
/// #[orchestrator]
/// async fn imports() -> Result<String, String> {
///     import(10).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let handle = engine.start(imports()).await?;
/// assert_eq!(handle.result().await?, Ok("from page 7 on".to_owned()));
/// # Ok(()) }
/// ```
///
/// Source: `docs/design.md`, "Retries".
#[track_caller]
pub fn heartbeat<T: Serialize>(details: T) {
    running("heartbeat").heart.beat(details);
}

/// What was said with the last heartbeat before this attempt was begun, or before this delivery of it; `None` if there was
/// none, or if it cannot be read as a `T`.
///
/// # Durability
/// The details of an attempt that failed, in whatever way, are recorded with its failure, and those of an attempt that a shutdown
/// stopped half-way are recorded by the shutdown. So the next attempt finds them, also after a restart. When the process is killed, what
/// the attempts that then ran had said is lost: their next delivery finds what they themselves had found.
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn last_heartbeat<T: DeserializeOwned>() -> Option<T> {
    running("last_heartbeat").heart.inherited()
}

/// Sends heartbeats of this attempt from other threads and tasks.
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn heart() -> Heart {
    running("heart").heart
}

/// The cancellation of this attempt, for other threads and tasks, for blocking code, for `tokio::select!`.
///
/// Says when it is told, and what then becomes of the attempt: [`Cancellation`].
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn cancellation() -> Cancellation {
    running("cancellation").cancellation
}

/// Resolves when the result of this attempt is not wanted any more; see [`Cancellation`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
///
/// # Panics
/// Outside an activity.
///
/// # Examples
///
/// ```
/// use durable_runtime::activity;
///
/// #[activity]
/// async fn convert(film: String) -> Option<u64> {
///     tokio::select! {
///         size = work(film) => Some(size),
///         // Nobody is there to take a result: clean up, and give the place to another.
///         () = activity::cancelled() => None,
///     }
/// }
/// # async fn work(film: String) -> u64 { film.len() as u64 }
/// ```
pub async fn cancelled() {
    running("cancelled").cancellation.cancelled().await;
}

/// Whether the result of this attempt is not wanted any more; see [`Cancellation`].
///
/// # Panics
/// Outside an activity.
#[track_caller]
pub fn is_cancelled() -> bool {
    running("is_cancelled").cancellation.is_cancelled()
}
