//! What tells the command of a twin from that of the first run: the same program ran a moment ago, so everything is to be equal.

use serde_json::Value;

use super::{Difference, difference, in_order};
use crate::event::HistoryEvent;
use crate::failure::{Failure, Outcome};
use crate::payload::{Codec, Payload};

/// Compares a command that is asked for again with what the first run asked for; `None` if they are the same.
pub(in crate::replay) fn twin_difference(
    first: &HistoryEvent,
    again: &HistoryEvent,
) -> Option<Difference> {
    if let Some(difference) = difference(first, again) {
        return Some(difference);
    }
    if first.site() != again.site() {
        return Some(Difference::Place);
    }
    if matches!(first, HistoryEvent::MarkerRecorded(_)) {
        // Its value is not asked for again.
        return None;
    }
    let mut alike = again.clone();
    if let (Some(old), Some(new)) = (payload(first), payload_mut(&mut alike)) {
        if !same(old, new) {
            return Some(Difference::Input(None));
        }
        new.clone_from(old);
    }
    (alike != *first).then_some(Difference::Detail)
}

/// Whether both ends of an execution say the same. Values in JSON may have their members in another order.
pub(in crate::replay) fn same_end(first: &HistoryEvent, again: &HistoryEvent) -> bool {
    use HistoryEvent as E;
    match (first, again) {
        (E::ExecutionCompleted(old), E::ExecutionCompleted(new)) => {
            same_outcome(&old.outcome, &new.outcome)
        }
        (E::ExecutionContinued(old), E::ExecutionContinued(new)) => same(&old.input, &new.input),
        _ => false,
    }
}

/// Whether both executions end alike, but that an array in what they end with has another order.
pub(in crate::replay) fn same_end_in_order(first: &HistoryEvent, again: &HistoryEvent) -> bool {
    use HistoryEvent as E;
    let (first, again) = match (first, again) {
        (E::ExecutionCompleted(old), E::ExecutionCompleted(new)) => {
            match (&old.outcome, &new.outcome) {
                (Outcome::Completed(old), Outcome::Completed(new)) => (old, new),
                _ => return false,
            }
        }
        (E::ExecutionContinued(old), E::ExecutionContinued(new)) => (&old.input, &new.input),
        _ => return false,
    };
    match (first.decode::<Value>(), again.decode::<Value>()) {
        (Ok(old), Ok(new)) => in_order(old) == in_order(new),
        _ => false,
    }
}

fn same_outcome(first: &Outcome, again: &Outcome) -> bool {
    match (first, again) {
        (Outcome::Completed(old), Outcome::Completed(new)) => same(old, new),
        (Outcome::Failed(Failure::Returned(old)), Outcome::Failed(Failure::Returned(new))) => {
            same(&old.error, &new.error)
        }
        (Outcome::Failed(Failure::Fault(old)), Outcome::Failed(Failure::Fault(new))) => old == new,
        _ => false,
    }
}

/// Equal bytes, or equal JSON: the members of a map have no order there, and a replay does not look at it.
fn same(first: &Payload, again: &Payload) -> bool {
    if first == again {
        return true;
    }
    if (first.codec(), again.codec()) != (Codec::Json, Codec::Json) {
        return false;
    }
    match (first.decode::<Value>(), again.decode::<Value>()) {
        (Ok(old), Ok(new)) => old == new,
        _ => false,
    }
}

/// What a command takes along.
fn payload(command: &HistoryEvent) -> Option<&Payload> {
    match command {
        HistoryEvent::ActivityScheduled(command) => Some(&command.input),
        HistoryEvent::ChildScheduled(command) => Some(&command.input),
        HistoryEvent::DetachedScheduled(command) => Some(&command.input),
        HistoryEvent::EventSent(command) => Some(&command.payload),
        _ => None,
    }
}

fn payload_mut(command: &mut HistoryEvent) -> Option<&mut Payload> {
    match command {
        HistoryEvent::ActivityScheduled(command) => Some(&mut command.input),
        HistoryEvent::ChildScheduled(command) => Some(&mut command.input),
        HistoryEvent::DetachedScheduled(command) => Some(&mut command.input),
        HistoryEvent::EventSent(command) => Some(&mut command.payload),
        _ => None,
    }
}
