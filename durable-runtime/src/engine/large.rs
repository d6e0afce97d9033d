//! Warns of large payloads, once for each place they come from: not of each, of which there may be thousands.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::event::{HistoryEvent, Name};
use crate::limits;

/// Whoever was warned of, as text; no more than so many, as names may be made at run time.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
const TOLD_MAX: usize = 1_000;

/// Warns of the large payloads among the events of a turn of this orchestrator.
pub(crate) fn warn_of_events(orchestrator: &Name, events: &[HistoryEvent]) {
    for event in events {
        let bytes = event.payload_bytes();
        if bytes >= limits::PAYLOAD_BYTES_WARN {
            warn_of(orchestrator, &origin(event), bytes);
        }
    }
}

/// Warns of a payload, if it is large.
pub(crate) fn warn_of(orchestrator: &Name, what: &str, bytes: usize) {
    if is_worth_telling(orchestrator, what, bytes) {
        tracing::warn!(
            orchestrator = %orchestrator,
            bytes,
            bytes_warn = limits::PAYLOAD_BYTES_WARN,
            "{what} is large, and is read again by each replay; keep it elsewhere and pass a reference. This is told once"
        );
    }
}

/// Whether it is large, and this is the first time.
fn is_worth_telling(orchestrator: &Name, what: &str, bytes: usize) -> bool {
    if bytes < limits::PAYLOAD_BYTES_WARN {
        return false;
    }
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.len() < TOLD_MAX && told.insert(format!("{orchestrator}: {what}"))
}

/// What the payload of an event is.
fn origin(event: &HistoryEvent) -> String {
    match event {
        HistoryEvent::ActivityScheduled(command) => {
            format!("the input of activity `{}`", command.name)
        }
        HistoryEvent::ChildScheduled(command) => format!("the input of child `{}`", command.name),
        HistoryEvent::DetachedScheduled(command) => format!("the input of `{}`", command.name),
        HistoryEvent::EventRaised(raised) => format!("event `{}`", raised.name),
        HistoryEvent::EventSent(sent) => format!("event `{}`", sent.name),
        HistoryEvent::ActivityCompleted(_) | HistoryEvent::ActivityFailed(_) => {
            "the output of an activity".to_owned()
        }
        HistoryEvent::ChildCompleted(_)
        | HistoryEvent::ChildFailed(_)
        | HistoryEvent::DetachedCompleted(_)
        | HistoryEvent::DetachedFailed(_) => "the outcome of another instance".to_owned(),
        HistoryEvent::MarkerRecorded(_) => "the value of a side effect".to_owned(),
        HistoryEvent::CustomStatusSet(_) => "the custom status".to_owned(),
        HistoryEvent::ExecutionCompleted(_) => "the output".to_owned(),
        HistoryEvent::ExecutionContinued(_) => "the input of the next execution".to_owned(),
        _ => "a payload".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_of_once_and_from_the_limit_on() {
        let flow = Name::Borrowed("large.flow");
        let warn = limits::PAYLOAD_BYTES_WARN;
        assert!(!is_worth_telling(&flow, "the output", warn - 1));
        assert!(is_worth_telling(&flow, "the output", warn));
        assert!(!is_worth_telling(&flow, "the output", warn + 1));
        assert!(is_worth_telling(&flow, "the input", warn + 1));
        let other = Name::Borrowed("large.other");
        assert!(is_worth_telling(&other, "the output", warn));
    }
}
