//! Payloads that are too large to be recorded.
//!
//! The limit may change from one opening of the store to the next. So in a recorded turn it decides nothing: what the
//! record holds had room when it was written, and what it lacks had none.
//!
//! Source: `docs/limits.md`.

use super::context::Context;
use super::matching::{self, Difference};
use super::script::Mode;
use crate::event::HistoryEvent;
use crate::failure::{Fault, FaultKind};
use crate::limits;
use crate::payload::Payload;

impl Context {
    /// The fault of a payload that ends the execution if it is too large: a status, an output, the input of the next execution.
    pub(crate) fn too_large(&self, payload: &Payload, what: &str, subject: &str) -> Option<Fault> {
        let is_refused = match &self.mode {
            Mode::Progress => payload.bytes().len() > self.payload_limit,
            Mode::Replay(script) => {
                let ended = script.last_fault();
                let by_limit = ended.is_some_and(|fault| fault.kind() == FaultKind::LimitExceeded);
                by_limit && may_have_been_refused(payload.bytes().len())
            }
        };
        is_refused.then(|| fault(payload.bytes().len(), self.payload_limit, what, subject))
    }

    /// The fault of a command whose payload is too large.
    pub(super) fn has_no_room(&self, wish: &HistoryEvent) -> Option<Fault> {
        let bytes = wish.payload_bytes();
        let is_refused = match &self.mode {
            Mode::Progress => bytes > self.payload_limit,
            Mode::Replay(script) => {
                let is_recorded = |recorded| {
                    let difference = matching::difference(recorded, wish);
                    !matches!(difference, Some(Difference::Other))
                };
                may_have_been_refused(bytes) && !script.peek().is_some_and(is_recorded)
            }
        };
        is_refused.then(|| {
            let (what, subject) = subject(wish);
            fault(bytes, self.payload_limit, what, &subject)
        })
    }
}

/// Whether there is a limit by which this may have been refused.
fn may_have_been_refused(bytes: usize) -> bool {
    bytes > limits::PAYLOAD_BYTES_MAX
}

fn subject(command: &HistoryEvent) -> (&'static str, String) {
    match command {
        HistoryEvent::ActivityScheduled(command) => ("input", command.name.to_string()),
        HistoryEvent::ChildScheduled(command) => ("input", command.name.to_string()),
        HistoryEvent::DetachedScheduled(command) => ("input", command.name.to_string()),
        HistoryEvent::EventSent(command) => ("payload", format!("event {}", command.name)),
        _ => ("value", "side_effect".to_owned()),
    }
}

/// The fault of a payload that is larger than `limit`.
pub(crate) fn oversized(
    payload: &Payload,
    limit: usize,
    what: &str,
    subject: &str,
) -> Option<Fault> {
    let bytes = payload.bytes().len();
    (bytes > limit).then(|| fault(bytes, limit, what, subject))
}

fn fault(bytes: usize, limit: usize, what: &str, subject: &str) -> Fault {
    let message = format!(
        "its {what} has {bytes} bytes, the limit is {limit} bytes; keep it elsewhere and pass a reference, or raise \
         `payload_limit` of the engine's builder"
    );
    Fault::new(FaultKind::LimitExceeded, subject, message)
}
