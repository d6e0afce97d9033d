//! From a recorded outcome to what the await gives.
//!
//! Source: `docs/design.md`, "Two channels of failure".

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::call::TwoChannels;
use crate::definition::{Decoded, OutputCodec};
use crate::durable::Durable;
use crate::event::Name;
use crate::failure::{Fault, FaultKind, Outcome};
use crate::id::SourceSite;
use crate::payload::{Codec, DecodeError, EncodeError, Payload};
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

#[diagnostic::do_not_recommend]
impl<C: TwoChannels + Unpin> Durable for Caught<C> {}

impl<C: TwoChannels + Unpin> Future for Caught<C> {
    type Output = Result<C::Declared, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_decoded(cx).map(|decoded| match decoded {
            Decoded::Value(value) => Ok(value),
            Decoded::Fault(fault) => Err(fault),
        })
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
        Err(error) => {
            unreadable_result(name, site, &error);
            Poll::Pending
        }
    }
}

fn unreadable_result(name: &Name, site: SourceSite, error: &DecodeError) {
    stall(&format!("the result of `{name}`"), site, error);
}

/// Stalls the instance over a recorded value that cannot be read; the await never ends.
pub(super) fn unreadable<T>(what: &str, site: SourceSite, error: &DecodeError) -> Poll<T> {
    stall(what, site, error);
    Poll::Pending
}

fn stall(what: &str, site: SourceSite, error: &DecodeError) {
    let stall = Stall::value(what, site, error);
    replay::require("a recorded value", |context| {
        context.stop(Stop::Stall(stall));
    });
}

/// What an await without `.catch()` gives. A fault becomes the declared error if that can hold it, else it ends the
/// orchestration.
pub(super) fn merged<Out>(codec: &OutputCodec<Out>, decoded: Decoded<Out>) -> Poll<Out> {
    let fault = match decoded {
        Decoded::Value(value) => return Poll::Ready(value),
        Decoded::Fault(fault) => fault,
    };
    if let Some(from_fault) = codec.from_fault {
        return Poll::Ready(from_fault(fault));
    }
    fatal(fault)
}

/// Ends the orchestration with a fault that has no place in what its await gives.
pub(super) fn fatal<T>(fault: Fault) -> Poll<T> {
    end_with(fault);
    Poll::Pending
}

fn end_with(fault: Fault) {
    replay::require("a fault", |context| context.fault(fault));
}

/// A value that is to be recorded for `subject`, or why it cannot be. Whether there is room for it is not asked.
pub(super) fn recordable(
    payload: Result<Payload, EncodeError>,
    what: &str,
    subject: &str,
) -> Result<Payload, Fault> {
    payload.map_err(|error| {
        let message = format!("its {what}: {error}");
        Fault::new(FaultKind::Unrecordable, subject, message)
    })
}

/// The same of a value that is no part of a command, and that ends the execution if there is no room for it.
pub(super) fn bounded(
    context: &replay::Context,
    payload: Result<Payload, EncodeError>,
    what: &str,
    subject: &str,
) -> Result<Payload, Fault> {
    let payload = recordable(payload, what, subject)?;
    match context.too_large(&payload, what, subject) {
        Some(fault) => Err(fault),
        None => Ok(payload),
    }
}

/// A name, a version or tags that are beyond their bounds.
pub(super) fn beyond(subject: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(FaultKind::LimitExceeded, subject, error.to_string())
}

/// A value that was found to be [`recordable`].
pub(super) fn checked(payload: &Result<Payload, Fault>) -> Payload {
    let none = |_: &Fault| Payload::from_parts(Codec::Json, &b"null"[..]);
    payload.as_ref().map_or_else(none, Payload::clone)
}
