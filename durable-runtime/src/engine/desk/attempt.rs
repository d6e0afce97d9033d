//! One delivery of one attempt, from its recorded input to its outcome.

use std::sync::Arc;
use std::task::Poll;

use tracing::Instrument as _;

use crate::activity::{self, ActivityInfo, Cancellation, Heart, Running, States};
use crate::clock::Clock;
use crate::definition::ActivityFuture;
use crate::engine::message::{CommandRef, Task};
use crate::engine::observe::{Observer, log, spans};
use crate::event::StallReason;
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::StoreId;
use crate::panics;
use crate::registry::Registry;
use crate::replay::oversized;
use crate::trace::Lineage;

/// An activity that has a place and is to be run.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) task: Task,
    pub(super) cancellation: Cancellation,
    pub(super) heart: Heart,
}

/// Why an activity could not be run: its instance stalls with this.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) reason: StallReason,
    pub(crate) report: String,
}

/// What activities are made from.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) registry: Arc<Registry>,
    pub(crate) states: States,
    pub(crate) store: StoreId,
    /// What hearts beat by.
    pub(crate) clock: Arc<dyn Clock>,
    /// Bytes of one output.
    pub(crate) payload_limit: usize,
    pub(crate) observer: Arc<Observer>,
}

/// One delivery of one attempt. All code of users that an activity has runs in here, on its own task.
pub(super) async fn attempt(shelf: Arc<Shelf>, placed: Placed) -> Result<Outcome, Refused> {
    let Placed {
        task,
        cancellation,
        heart,
    } = placed;
    let name = task.scheduled.name.clone();
    if cancellation.is_cancelled() {
        // It has its place, but nobody waits for it any more: what it comes to is dropped.
        let message = "its instance no longer waits for it";
        return Ok(faulted(Fault::new(FaultKind::Cancelled, name, message)));
    }
    let Some(entry) = shelf.registry.find_activity(&name) else {
        let report = shelf.registry.unknown_activity(&name);
        return Err(Refused {
            reason: StallReason::Unregistered,
            report,
        });
    };
    let call = || (entry.run)(&task.scheduled.input, &shelf.states);
    let body = match panics::caught(call) {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            let report = format!("the recorded input of activity `{name}` cannot be read: {error}");
            return Err(Refused {
                reason: StallReason::Undecodable,
                report,
            });
        }
        Err(message) => return Ok(panicked(&name, message)),
    };
    let span = spans::activity(shelf.store, &task);
    let info = Arc::new(info(shelf.store, task));
    let running = Running {
        info: Arc::clone(&info),
        cancellation,
        heart,
    };
    let body = async {
        log::activity_started(&info);
        let outcome = bounded(&name, shelf.payload_limit, caught(&name, body).await);
        log::activity_ended(&info, &outcome);
        outcome
    };
    let outcome = activity::scope(running, body.instrument(span.clone())).await;
    spans::activity_ended(&span, &outcome);
    Ok(outcome)
}

fn info(store: StoreId, task: Task) -> ActivityInfo {
    let CommandRef {
        instance,
        execution,
        scheduled,
    } = task.command;
    let lineage = Lineage::new(store, instance, execution, task.trace.clone());
    ActivityInfo {
        trace_context: lineage.attempt(scheduled, task.delivery),
        key: idempotency_key(store, &task),
        name: task.scheduled.name,
        instance: task.instance,
        version: task.version,
        execution: task.command.execution,
        call: task.scheduled.call,
        attempt: task.scheduled.attempt,
        delivery: task.delivery,
    }
}

/// Equal for all attempts and deliveries of one call.
fn idempotency_key(store: StoreId, task: &Task) -> uuid::Uuid {
    let mut seed = [0u8; 32];
    let parts = store.0.to_le_bytes().into_iter();
    let parts = parts.chain(task.command.instance.0.to_le_bytes());
    let parts = parts.chain(task.command.execution.0.to_le_bytes());
    let parts = parts.chain(task.scheduled.call.0.to_le_bytes());
    seed.iter_mut()
        .zip(parts)
        .for_each(|(byte, part)| *byte = part);
    uuid::Uuid::new_v8(xxhash_rust::xxh3::xxh3_128(&seed).to_le_bytes())
}

/// Polls the body of an activity; a panic in it becomes a fault.
async fn caught(name: &str, mut body: ActivityFuture) -> Outcome {
    let outcome = std::future::poll_fn(|cx| {
        panics::caught(|| body.as_mut().poll(cx))
            .unwrap_or_else(|message| Poll::Ready(panicked(name, message)))
    })
    .await;
    // A destructor that panics comes too late to change the outcome.
    drop(panics::caught(|| drop(body)));
    outcome
}

/// An output that is too large to be recorded is a fault.
fn bounded(name: &str, limit: usize, outcome: Outcome) -> Outcome {
    let payload = match &outcome {
        Outcome::Completed(output) => output,
        Outcome::Failed(Failure::Returned(returned)) => &returned.error,
        Outcome::Failed(Failure::Fault(_)) => return outcome,
    };
    oversized(payload, limit, "output", name).map_or(outcome, faulted)
}

fn faulted(fault: Fault) -> Outcome {
    Outcome::Failed(Failure::Fault(fault))
}

fn panicked(name: &str, message: String) -> Outcome {
    faulted(Fault::new(FaultKind::Panicked, name, message))
}
