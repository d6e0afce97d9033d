//! Whether a history that was recorded still fits the code.

use std::sync::Arc;

use crate::engine::replayer::{self, Replayer};
use crate::event::{HistoryEvent, StallReason};
use crate::id::{BuildId, InstanceKey, SiteId, StoreId};
use crate::limits;
use crate::registry::{Registry, VersionPolicy};

/// Replays a history against the code of `registry`, without any side effect.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::{TestEngine, check_replay};
/// use durable_runtime::Registry;
///
/// #[activity]
/// async fn double(n: u32) -> u32 {
///     n * 2
/// }
///
/// #[orchestrator]
/// async fn flow(n: u32) -> u32 {
///     double(n).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let handle = engine.start(flow(21)).await?;
/// assert_eq!(handle.result().await?, 42);
/// check_replay(&Registry::linked(), &handle.history().await?)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`ReplayError`] if the code asks for something else than what is recorded, cannot read it, or is not registered.
pub fn check_replay(registry: &Registry, history: &[HistoryEvent]) -> Result<(), ReplayError> {
    check(registry, (StoreId(0), InstanceKey(0)), history, |_, _| None)
}

/// The same of an instance of which more is known; `place` tells where a recorded command was asked for.
pub(super) fn check(
    registry: &Registry,
    (store, key): (StoreId, InstanceKey),
    history: &[HistoryEvent],
    place: impl Fn(BuildId, SiteId) -> Option<String>,
) -> Result<(), ReplayError> {
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        let report = "a history begins with `ExecutionStarted`".to_owned();
        return Err(ReplayError {
            reason: StallReason::Undecodable,
            report,
        });
    };
    let replayer = Replayer {
        registry: Arc::new(registry.clone()),
        versions: VersionPolicy::Strict,
        store,
        build: BuildId(0),
        payload_limit: limits::PAYLOAD_BYTES_MAX,
    };
    match replayer.replay(key, started, history) {
        Ok(_) => Ok(()),
        Err(stall) => Err(ReplayError {
            reason: stall.reason,
            report: replayer::report(&stall, started, place),
        }),
    }
}

/// A history that does not fit the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{report}")]
pub struct ReplayError {
    reason: StallReason,
    report: String,
}

impl ReplayError {
    /// What kind of trouble it is.
    pub fn reason(&self) -> StallReason {
        self.reason
    }
}
