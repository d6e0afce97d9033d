//! What the functions that an expansion defines have in common.

use std::sync::Arc;

use super::probe::{Details, Fails, IsRetryable, Shape};
use crate::activity::{SharedState, States};
use crate::definition::OutputCodec;
use crate::durable::Recordable;
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::payload::{Codec, EncodeError};
use crate::retry::Retry;

/// Refuses a type that cannot be recorded.
pub const fn assert_recordable<T: Recordable>() {}

/// Refuses a container whose elements can be recorded and which cannot itself.
///
/// # Panics
/// When that is so, in the compiler.
pub const fn assert_whole(elements: &[bool], whole: bool) {
    let mut rest = elements;
    while let [is_recordable, tail @ ..] = rest {
        if !*is_recordable {
            return;
        }
        rest = tail;
    }
    assert!(
        whole,
        "[D120] this type cannot be recorded in the history, though what it holds can: it must be \
         `serde::Serialize` and `serde::Deserialize`"
    );
}

/// The shape of an output that may be a `Result`.
pub const fn shape<Out>(result: Option<Shape<Out>>, value: Shape<Out>) -> Shape<Out> {
    match result {
        Some(shape) => shape,
        None => value,
    }
}

/// Writes an output; the details of its error come from the first of `details` that is there, else from JSON, and whether it
/// may be retried from `is_retryable`.
///
/// # Errors
/// [`EncodeError`] if it cannot be encoded.
pub fn encode_output<Out>(
    codec: Codec,
    output: Out,
    shape: Shape<Out>,
    details: [Option<Details<Out>>; 2],
    is_retryable: Option<IsRetryable<Out>>,
) -> Result<Outcome, EncodeError> {
    let [of_error, of_display] = details;
    let is_final = is_retryable.is_some_and(|ask| !ask(&output));
    let mut outcome = (shape.encode)(codec, output, of_error.or(of_display))?;
    if let Outcome::Failed(Failure::Returned(returned)) = &mut outcome {
        returned.details.non_retryable = is_final;
    }
    Ok(outcome)
}

/// The outcome of a body that returned `output`; what cannot be encoded is a fault of `subject`.
pub fn finish<Out>(
    output_codec: &OutputCodec<Out>,
    codec: Codec,
    subject: &'static str,
    output: Out,
) -> Outcome {
    (output_codec.encode)(codec, output).unwrap_or_else(|error| {
        let fault = Fault::new(FaultKind::Unrecordable, subject, error.to_string());
        Outcome::Failed(Failure::Fault(fault))
    })
}

/// What `when`, which knows the declared error, says about `failure`. About what is not that error it is not asked.
pub fn retry_when<Out: Fails<E>, E, D: Into<Retry>>(failure: &Failure, when: fn(&E) -> D) -> Retry {
    match failure {
        Failure::Returned(returned) => {
            Out::read(&returned.error).map_or(Retry::AsPolicy, |error| when(&error).into())
        }
        Failure::Fault(_) => Retry::AsPolicy,
    }
}

/// The state that the parameter `parameter` of an activity takes by value.
///
/// # Panics
/// As [`state`].
pub fn shared_state<P: SharedState>(
    states: &States,
    activity: &'static str,
    parameter: &'static str,
    type_name: &'static str,
) -> P {
    P::of(state(states, activity, parameter, type_name))
}

/// The state that the parameter `parameter` of an activity takes.
///
/// # Panics
/// If there is none. An engine does not start without the states its activities take.
pub fn state<T: ?Sized + Send + Sync + 'static>(
    states: &States,
    activity: &'static str,
    parameter: &'static str,
    type_name: &'static str,
) -> Arc<T> {
    #[expect(clippy::panic, reason = "misuse that the engine's start rules out; the message says what to do")]
    states.find().unwrap_or_else(|| {
        panic!(
            "activity `{activity}` takes `#[state] {parameter}` of type `{type_name}`, and there is none: give it to the \
             engine's builder with `.state(..)`"
        )
    })
}
