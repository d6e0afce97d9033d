//! The targets and fields of what the engine logs about its instances, in one place.
//!
//! All of it is at the level `DEBUG`: `durable_runtime::lifecycle=debug` shows the stages of instances,
//! `durable_runtime::activity=debug` those of activities. What is wrong is logged where it is found, as a warning or an
//! error, under the module's own path.

use super::lifecycle::LifecycleEvent;
use crate::activity::ActivityInfo;
use crate::engine::live::Live;
use crate::failure::Outcome;

/// The stages of instances, and what they wait for.
const LIFECYCLE: &str = "durable_runtime::lifecycle";
/// The stages of activities.
const ACTIVITY: &str = "durable_runtime::activity";

/// Whether the stages of instances are wanted.
pub(super) fn wants_lifecycle() -> bool {
    tracing::enabled!(target: LIFECYCLE, tracing::Level::DEBUG)
}

/// An instance has come to a stage.
pub(super) fn stage(event: &LifecycleEvent) {
    tracing::debug!(
        target: LIFECYCLE,
        state = event.kind.as_str(),
        instance = %event.id,
        orchestrator = %event.name,
        version = event.version,
        execution = event.execution.0,
        reason = event.reason,
    );
}

/// The turn of an instance is on disk, and it waits: for outcomes and timers, or for events alone.
pub(crate) fn waits(live: &Live) {
    if !wants_lifecycle() {
        return;
    }
    let Some((commands, events)) = live.waits_for() else {
        return;
    };
    tracing::debug!(
        target: LIFECYCLE,
        state = if commands == 0 { "listening" } else { "awaited" },
        instance = %live.begun.instance,
        orchestrator = %live.begun.name,
        version = live.begun.version.as_deref(),
        execution = live.begun.execution.0,
        commands,
        events,
    );
}

/// The body of an activity begins.
pub(crate) fn activity_started(info: &ActivityInfo) {
    tracing::debug!(
        target: ACTIVITY,
        state = "started",
        instance = %info.instance,
        activity = %info.name,
        execution = info.execution.0,
        call = info.call.0,
        attempt = info.attempt,
        delivery = info.delivery,
    );
}

/// The body of an activity has ended.
pub(crate) fn activity_ended(info: &ActivityInfo, outcome: &Outcome) {
    let (state, reason) = match outcome {
        Outcome::Completed(_) => ("completed", None),
        Outcome::Failed(failure) => ("failed", Some(failure)),
    };
    tracing::debug!(
        target: ACTIVITY,
        state,
        instance = %info.instance,
        activity = %info.name,
        execution = info.execution.0,
        call = info.call.0,
        attempt = info.attempt,
        delivery = info.delivery,
        reason = reason.map(tracing::field::display),
    );
}
