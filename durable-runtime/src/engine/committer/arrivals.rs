//! What a commit sends on its way to the instances that it concerns.

use crate::clock::Timestamp;
use crate::engine::message::{CommandRef, Incoming, ShardInput};
use crate::event::{CancelRequested, Ended, HistoryEvent, StallReason};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::InstanceKey;
use crate::store::{Sent, StoreError, chain};

/// The outcome of a child, on its way to the instance that waits for it.
pub(crate) fn child_outcome(waiter: CommandRef, outcome: Outcome, at: Timestamp) -> ShardInput {
    answer(waiter, Ended::Child.with(outcome, waiter.scheduled, at))
}

/// The outcome of an instance that is no child, on its way to one that waits for it.
pub(crate) fn detached_outcome(waiter: CommandRef, outcome: Outcome, at: Timestamp) -> ShardInput {
    answer(waiter, Ended::Detached.with(outcome, waiter.scheduled, at))
}

fn answer(waiter: CommandRef, event: HistoryEvent) -> ShardInput {
    let arrival = Incoming::unasked(event, Some(waiter.execution));
    ShardInput::Incoming(waiter.instance, arrival)
}

/// The fault of a child whose id is taken.
pub(crate) fn child_conflict(id: &str) -> Fault {
    let message = "the id belongs to another instance; choose another with `.id(..)`";
    Fault::new(FaultKind::Conflict, id, message)
}

/// The outcome of an instance that does not exist: nobody waits for what never comes.
pub(crate) fn not_found(id: &str) -> Outcome {
    let message = "no instance has this id, so its outcome would never come";
    Outcome::Failed(Failure::Fault(Fault::new(FaultKind::NotFound, id, message)))
}

/// The wish that a child end, since nobody waits for it any more.
pub(crate) fn cancel_request(child: InstanceKey, at: Timestamp) -> ShardInput {
    ShardInput::Incoming(child, Incoming::unasked(dismissal(at), None))
}

/// The same as it is recorded.
pub(crate) fn dismissal(at: Timestamp) -> HistoryEvent {
    let reason = "its parent no longer waits for it".to_owned();
    HistoryEvent::CancelRequested(CancelRequested { at, reason })
}

/// An event that an instance sent, on its way to the one that it is for, whichever execution runs there.
pub(crate) fn sent_event(sent: Sent) -> ShardInput {
    let event = HistoryEvent::EventRaised(sent.event);
    ShardInput::Incoming(sent.to, Incoming::unasked(event, None))
}

/// What became of an instance cannot be read: whoever waits for it waits until that is mended.
pub(crate) fn unreadable(waiter: CommandRef, what: &str, error: &StoreError) -> ShardInput {
    let stall = Incoming::Stall {
        execution: waiter.execution,
        reason: StallReason::Damaged,
        report: format!("{what} cannot be read: {}", chain(error)),
    };
    ShardInput::Incoming(waiter.instance, stall)
}
