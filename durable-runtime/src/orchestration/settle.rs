//! From a recorded outcome to what the await gives.
//!
//! Source: `docs/design.md`, "Two channels of failure".

use std::task::Poll;

use crate::definition::{Decoded, OutputCodec};
use crate::event::Name;
use crate::failure::{Fault, FaultKind, Outcome};
use crate::id::SourceSite;
use crate::payload::{DecodeError, EncodeError, Payload};
use crate::replay::{self, Stall, Stop};

/// A call that gives a fault as a value: `Ok` is the declared result, `Err` the fault.
///
/// Made by `.catch()` on a call.
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Caught<C>(pub(super) C);

impl<C> Caught<C> {
    /// Limits the whole call, its attempts and the delays between them included.
    ///
    /// The result is `Err(Elapsed)` if it has not ended `limit` after it was first polled; it is cancelled then.
    #[track_caller]
    pub fn timeout(self, limit: std::time::Duration) -> super::Timeout<Self> {
        super::Timeout::new(self, limit, SourceSite::caller())
    }
}

/// What [`Caught`] gives for an outcome.
pub(super) fn caught<Out>(decoded: Decoded<Out>) -> Result<Out, Fault> {
    match decoded {
        Decoded::Value(value) => Ok(value),
        Decoded::Fault(fault) => Err(fault),
    }
}

/// Reads a recorded outcome; one that cannot be read stalls the instance.
pub(super) fn read<Out>(
    codec: &OutputCodec<Out>,
    outcome: &Outcome,
    name: &Name,
    site: SourceSite,
) -> Poll<Decoded<Out>> {
    match (codec.decode)(outcome) {
        Ok(decoded) => Poll::Ready(decoded),
        Err(error) => unreadable(&format!("the result of `{name}`"), site, &error),
    }
}

/// Stalls the instance over a recorded value that cannot be read; the await never ends.
pub(super) fn unreadable<T>(what: &str, site: SourceSite, error: &DecodeError) -> Poll<T> {
    let stall = Stall::value(what, site, error);
    replay::require("a recorded value", |context| {
        context.stop(Stop::Stall(stall));
    });
    Poll::Pending
}

/// A fault that was not caught: the declared error if that can hold it, else the end of the orchestration.
pub(super) fn uncaught<Out>(codec: &OutputCodec<Out>, fault: Fault) -> Poll<Out> {
    if let Some(from_fault) = codec.from_fault {
        return Poll::Ready(from_fault(fault));
    }
    replay::require("a fault", |context| context.fault(fault));
    Poll::Pending
}

/// A value that is to be recorded for `subject`, or why it cannot be.
pub(super) fn recordable(
    payload: Result<Payload, EncodeError>,
    what: &str,
    subject: &str,
) -> Result<Payload, Fault> {
    let payload = payload.map_err(|error| {
        let message = format!("its {what}: {error}");
        Fault::new(FaultKind::Unrecordable, subject, message)
    })?;
    match replay::oversized(&payload, what, subject) {
        Some(fault) => Err(fault),
        None => Ok(payload),
    }
}
