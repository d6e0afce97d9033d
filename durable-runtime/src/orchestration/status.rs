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
/// # Panics
/// Outside an orchestrator.
#[track_caller]
pub fn set_status<T: Serialize + ?Sized>(status: &T) {
    let status = Payload::json(&status);
    replay::require("`set_status`", |context| {
        match settle::recordable(status, "custom status", context.name()) {
            Ok(status) => context.set_status(status),
            Err(fault) => context.fault(fault),
        }
    });
}
