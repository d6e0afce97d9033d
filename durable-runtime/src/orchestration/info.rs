//! What an orchestration knows of itself, and values that a replay gives again.

use std::collections::BTreeMap;
use std::time::SystemTime;

use uuid::Uuid;

use crate::event::{Name, Parent};
use crate::id::{ExecutionId, InstanceId};
use crate::replay;
use crate::trace::TraceContext;

/// Facts about the running orchestration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OrchestrationInfo {
    /// The instance's id.
    pub instance: InstanceId,
    /// Which execution of the instance this is; rises with each continue-as-new.
    pub execution: ExecutionId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// Who started it and waits for it.
    pub parent: Option<Parent>,
    /// The labels that it was started with.
    pub tags: BTreeMap<String, String>,
    /// When this execution was recorded.
    pub started_at: SystemTime,
    /// The W3C trace context of this execution: what it causes belongs below it, by itself. It is the same on replay.
    pub trace_context: TraceContext,
}

/// Facts about the running orchestration. The same on replay.
///
/// # Panics
/// Outside an orchestrator.
#[track_caller]
pub fn info() -> OrchestrationInfo {
    let (started, lineage) = replay::require("`info`", |context| {
        (std::sync::Arc::clone(context.started()), context.lineage())
    });
    OrchestrationInfo {
        instance: started.instance.clone(),
        execution: started.execution,
        name: started.name.clone(),
        version: started.version.clone(),
        parent: started.parent.clone(),
        tags: started.tags.clone(),
        started_at: started.at.into(),
        trace_context: lineage.own(),
    }
}

/// Whether recorded turns are being replayed: the code has been here before. `false` outside an orchestrator.
///
/// For logs and metrics only. Code that decides by it is not deterministic.
pub fn is_replaying() -> bool {
    replay::with(|context| context.is_replaying()).unwrap_or(false)
}

/// Whether this execution's history has grown so long that it is time to [`continue_as_new`](super::continue_as_new): it has 4,000
/// events or 4 MiB. So a loop needs no counter of its own.
///
/// # Replay
/// The same answer: the length is that of the recorded history when the turn before had ended, so it stays the same until the
/// next turn.
///
/// # Panics
/// Outside an orchestrator.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn poll_once() -> u32 {
///     1
/// }
///
/// /// Polls for good, in executions that replay at once.
/// #[orchestrator]
/// async fn poll(mut seen: u32) -> u32 {
///     while !should_continue_as_new() {
///         seen += poll_once().await;
///         if seen == 3_000 {
///             return info().execution.0;
///         }
///     }
///     continue_as_new(poll(seen)).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// // A step has three events.
/// assert_eq!(engine.start(poll(0)).await?.result().await?, 3);
/// # Ok(()) }
/// ```
/// Source: `docs/limits.md`.
#[track_caller]
pub fn should_continue_as_new() -> bool {
    replay::require("`should_continue_as_new`", |context| context.is_long())
}

/// The time of the current turn, in whole milliseconds. It moves only while the orchestration waits.
///
/// # Replay
/// The recorded time of the turn.
///
/// # Panics
/// Outside an orchestrator.
///
/// # Examples
///
/// ```standalone_crate
/// use std::time::Duration;
///
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn how_long() -> Duration {
///     let begin = now();
///     sleep(hours(2)).await;
///     now().duration_since(begin).unwrap_or_default()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// assert_eq!(engine.start(how_long()).await?.result().await?, hours(2));
/// # Ok(()) }
/// ```
#[track_caller]
pub fn now() -> SystemTime {
    replay::require("`now`", |context| context.at()).into()
}

/// A new identifier, of version 5: unique, but not secret.
///
/// # Replay
/// The same identifiers in the same order: they derive from the instance, the execution, the turn's time and a counter.
///
/// # Panics
/// Outside an orchestrator.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn names() -> [String; 2] {
///     let before = uuid().to_string();
///     sleep(hours(1)).await;
///     [before, uuid().to_string()]
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let named = engine.start(names()).await?;
/// engine.settle().await;
/// engine.evict().await;
/// let [first, second] = named.result().await?;
/// assert_ne!(first, second);
/// # Ok(()) }
/// ```
#[track_caller]
pub fn uuid() -> Uuid {
    replay::require("`uuid`", replay::Context::uuid)
}

/// A number that looks random; not for secrets.
///
/// # Replay
/// The same numbers in the same order, as with [`uuid()`].
///
/// # Panics
/// Outside an orchestrator.
#[track_caller]
pub fn random() -> u64 {
    replay::require("`random`", replay::Context::random)
}
