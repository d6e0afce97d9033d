//! Side effects that are cheap enough to run in the orchestrator itself.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::settle;
use crate::durable::{Durable, Recordable};
use crate::id::SourceSite;
use crate::payload::Payload;
use crate::replay::{self, Marker};

/// Runs `f` once and records what it returns.
///
/// For short work that is not deterministic: reading a configuration value, a random choice. `f` runs when the future is
/// first polled, in the same turn, on the orchestrator's thread. Work that waits or may fail belongs in an activity.
///
/// # Replay
/// `f` does not run; the recorded value is returned. `f` runs again only if the process died before the turn was on
/// disk.
///
/// # Panics
/// When polled outside an orchestrator.
///
/// # Examples
///
/// ```standalone_crate
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// static NEXT_TICKET: AtomicU32 = AtomicU32::new(1);
///
/// #[orchestrator]
/// async fn queue_up() -> u32 {
///     let ticket = side_effect(|| NEXT_TICKET.fetch_add(1, Ordering::Relaxed)).await;
///     sleep(hours(1)).await;
///     ticket
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let queued = engine.start(queue_up()).await?;
/// engine.settle().await;
/// // It comes back by replay, and draws no second ticket.
/// engine.evict().await;
/// assert_eq!(queued.result().await?, 1);
/// assert_eq!(NEXT_TICKET.load(Ordering::Relaxed), 2);
/// # Ok(()) }
/// ```
#[track_caller]
pub fn side_effect<T: Recordable, F: FnOnce() -> T>(f: F) -> SideEffect<T, F> {
    SideEffect {
        f: Some(f),
        site: SourceSite::caller(),
        value: PhantomData,
    }
}

/// The future of [`side_effect`].
#[must_use = "a side effect runs when it is awaited"]
pub struct SideEffect<T, F> {
    f: Option<F>,
    site: SourceSite,
    value: PhantomData<fn() -> T>,
}

/// `f` is called by value and never pinned.
impl<T, F> Unpin for SideEffect<T, F> {}

#[diagnostic::do_not_recommend]
impl<T: Recordable, F: FnOnce() -> T> Durable for SideEffect<T, F> {}

impl<T: Recordable, F: FnOnce() -> T> Future for SideEffect<T, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let site = self.site;
        let Some(f) = self.f.take() else {
            return Poll::Pending;
        };
        match replay::require("`side_effect`", |context| context.marker(site)) {
            Marker::Stopped => Poll::Pending,
            Marker::Run => run(site, f),
            Marker::Recorded(value) => read(site, &value),
        }
    }
}

/// Runs `f` and records its value. The value is read back from the record, so that a replay returns the very same.
fn run<T: Recordable>(site: SourceSite, f: impl FnOnce() -> T) -> Poll<T> {
    let value = Payload::json(&undecided(f));
    let value = replay::require("`side_effect`", |context| {
        settle::bounded(context, value, "value", "side_effect")
    });
    let is_recorded = replay::require("`side_effect`", |context| match &value {
        Ok(value) => context.mark(site, value.clone()),
        Err(fault) => {
            context.fault(fault.clone());
            false
        }
    });
    match value {
        Ok(value) if is_recorded => read(site, &value),
        _ => Poll::Pending,
    }
}

/// Runs what may read the clock and draw lots: its value is recorded.
fn undecided<T>(f: impl FnOnce() -> T) -> T {
    #[cfg(feature = "sandbox")]
    let _undecided = replay::Deciding::set(false);
    f()
}

fn read<T: Recordable>(site: SourceSite, value: &Payload) -> Poll<T> {
    match value.decode() {
        Ok(value) => Poll::Ready(value),
        Err(error) => settle::unreadable("the value of a side effect", site, &error),
    }
}

impl<T, F> fmt::Debug for SideEffect<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "side effect at {}", self.site)
    }
}
