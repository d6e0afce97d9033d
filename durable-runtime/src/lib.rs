//! Durable functions for Rust: ordinary `async fn`s that survive the death of their process.
//!
//! ```no_run
//! use durable_runtime::prelude::*;
//!
//! #[activity]
//! async fn charge(cents: u64) -> String {
//!     format!("receipt for {cents}")
//! }
//!
//! #[orchestrator]
//! async fn checkout(cents: u64) -> String {
//!     sleep(days(1)).await;
//!     charge(cents).await
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let engine = Engine::open("orders.redb").await?;
//!     let order = engine.start(checkout(4200)).id("order-42").await?;
//!     println!("{}", order.result().await?);
//!     Ok(())
//! }
//! ```
//!
//! An *activity* has side effects and may run more than once. An *orchestrator* coordinates: everything it awaits is
//! recorded in the event log, a file, and when the process is killed the next [`Engine::open`] of that file goes on from
//! the last recorded point. The compiler refuses to await anything else.
//!
//! # Where to look
//!
//! - [`prelude`]: what a module with durable functions needs, in one glob.
//! - [`orchestration`]: what orchestrator code can do; [`mod@activity`]: what activity code can ask.
//! - [`Engine`], [`Handle`]: open, start, wait, raise.
//! - [`testing`]: a whole engine in a test, with a clock that skips ahead.
//! - [`event`]: what is recorded.

pub mod activity;
pub mod client;
pub mod clock;
pub mod collections;
#[doc(hidden)]
pub mod definition;
pub mod durable;
pub mod engine;
pub mod error;
pub mod event;
pub mod explain;
pub mod failure;
pub mod id;
mod limits;
pub mod orchestration;
mod panics;
pub mod payload;
#[doc(hidden)]
pub mod private;
pub mod registry;
mod replay;
pub mod retry;
pub mod sites;
mod store;
pub mod testing;
mod trace;
#[doc(hidden)]
pub mod warning;

pub use durable_macros::{activity, deterministic, helper, orchestrator};

pub use client::{
    Applied, ControlError, EachOf, Handle, Instance, LookupError, Many, Page, PurgeError,
    PurgeRequest, Purged, Query, RaiseError, RaiseRequest, RestartRequest, RewindError,
    SavedHistory, StartError, StartRequest, TerminateMany, TerminateRequest, WaitError,
};
pub use collections::{HashMap, HashSet};
pub use definition::{Allowance, allowances};
pub use durable::{BoxDurable, Durable};
pub use engine::{
    Engine, EngineBuilder, LifecycleEvent, LifecycleEvents, LifecycleKind, Missed, OpenError,
    Reuse, Verification, VerifyError,
};
pub use error::Error;
pub use event::{HistoryEvent, StallReason};
pub use explain::Explanation;
pub use failure::{Elapsed, Failure, Fault, FaultKind, Outcome};
pub use id::InstanceId;
pub use orchestration::named;
pub use orchestration::{
    ActivityCall, Detached, Event, FuturesUnordered, OrchestratorCall, cancellation, changed,
    continue_as_new, days, hours, info, is_replaying, join_all, minutes, now, race, random,
    retired, seconds, select_all, set_status, should_continue_as_new, side_effect, sleep,
    sleep_until, start, timeout, try_join_all, uuid,
};
pub use payload::Payload;
#[doc(hidden)]
pub use private as __private;
pub use registry::{Registry, VersionPolicy, graph_of};
pub use retry::{Retry, RetryContext, RetryPolicy, Retryable};
pub use sites::{Graph, Site, SiteKind};
pub use store::{
    Counters, Counts, Cursor, CursorError, Overview, Revision, Stalled, Status, StoreError,
    Summary, Suspended,
};
pub use trace::{InvalidTraceContext, TraceContext};

/// Everything that a module with durable functions usually needs, in one glob.
///
/// The attributes and macros, what orchestrator code calls, the module [`mod@activity`] for what activity
/// code asks, [`Engine`] to run it all, and the types that signatures of durable functions name: [`Error`] too, for those
/// that declare no error of their own (one that is imported or declared by name goes before the glob's). What only a
/// program around the engine names, as [`Handle`], [`Instance`] and the errors of the client, is in the crate's root.
pub mod prelude {
    pub use crate::{
        Detached, Elapsed, Engine, Error, Event, Fault, FuturesUnordered, Retry, RetryPolicy,
        Retryable, activity, cancellation, changed, continue_as_new, days, deterministic, helper,
        hours, info, is_replaying, join, join_all, minutes, now, orchestrator, race, random,
        retired, seconds, select, select_all, set_status, should_continue_as_new, side_effect,
        sleep, sleep_until, start, timeout, try_join, try_join_all, uuid,
    };
}
