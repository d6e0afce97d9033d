//! The custom status of an instance.

use serde::Serialize;

use super::settle;
use crate::payload::Payload;
use crate::replay;

/// Sets the custom status, a value that clients can read while the instance runs and afterwards.
///
/// It becomes visible when the turn is on disk; the last one of a turn counts. It stays until the next is set, over
/// continue-as-new too. A value that cannot be written as JSON, or is too large, is a fault of the orchestration.
///
/// # Replay
/// The last one of each turn is recorded. It is not compared: it decides nothing.
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
/// async fn bake() {
///     set_status("in the oven");
///     sleep(minutes(40)).await;
///     set_status("done");
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let cake = engine.start(bake()).await?;
/// engine.settle().await;
/// assert_eq!(cake.custom_status().await?, Some("in the oven".to_owned()));
/// cake.result().await?;
/// assert_eq!(cake.custom_status().await?, Some("done".to_owned()));
/// # Ok(()) }
/// ```
#[track_caller]
pub fn set_status<T: Serialize + ?Sized>(status: &T) {
    let status = Payload::json(&status);
    replay::require("`set_status`", |context| {
        match settle::bounded(context, status, "custom status", context.name()) {
            Ok(status) => context.set_status(status),
            Err(fault) => context.fault(fault),
        }
    });
}
