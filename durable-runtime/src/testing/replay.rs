//! Whether a history that was recorded still fits the code.

use std::sync::Arc;

use crate::event::{HistoryEvent, StallReason};
use crate::id::{BuildId, InstanceKey, StoreId};
use crate::registry::Registry;
use crate::replay::{Execution, Identity};

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
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        let report = "a history begins with `ExecutionStarted`".to_owned();
        return Err(ReplayError {
            reason: StallReason::Undecodable,
            report,
        });
    };
    let version = started.version.as_deref();
    let Some(entry) = registry.find_orchestrator(&started.name, version) else {
        let report = registry.unknown_orchestrator(&started.name, version);
        return Err(ReplayError {
            reason: StallReason::Unregistered,
            report,
        });
    };
    let identity = Identity {
        store: StoreId(0),
        key: InstanceKey(0),
        build: BuildId(0),
    };
    Execution::new(identity, Arc::clone(&entry.code))
        .replay(history)
        .map_err(|stall| {
            let whose = Some((&started.instance, started.execution));
            let report = stall
                .divergence
                .as_ref()
                .map(|divergence| divergence.render(None, whose));
            ReplayError {
                reason: stall.reason,
                report: report.unwrap_or(stall.report),
            }
        })
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
