//! What the functions that an expansion defines have in common.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::probe::{Details, Fails, IsRetryable, Shape};
use crate::activity::{SharedState, States};
use crate::definition::{About, OrchestratorFuture, OutputCodec};
use crate::durable::Recordable;
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::payload::EncodeError;
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

/// How an output is written and read: as a `Result`, if it is one, else as a value. An account of its error comes from the
/// first of `details` that is there, else from JSON.
pub const fn output<Out>(
    result: Option<Shape<Out>>,
    value: Shape<Out>,
    details: [Option<Details>; 2],
    is_retryable: Option<IsRetryable>,
    from_fault: Option<fn(Fault) -> Out>,
) -> OutputCodec<Out> {
    let Shape { encode, decode } = match result {
        Some(shape) => shape,
        None => value,
    };
    let [of_error, of_display] = details;
    let details = if of_error.is_some() {
        of_error
    } else {
        of_display
    };
    OutputCodec {
        encode,
        about: About {
            details,
            is_retryable,
        },
        decode,
        from_fault,
    }
}

/// The outcome of a body that returned `output`; what cannot be encoded is a fault of `subject`.
pub fn finish<Out>(codec: &OutputCodec<Out>, subject: &'static str, output: Out) -> Outcome {
    or_fault((codec.encode)(&codec.about, output), subject)
}

pin_project! {
    struct Running<F, Out: 'static> {
        #[pin]
        body: F,
        codec: &'static OutputCodec<Out>,
        subject: &'static str,
    }
}

/// The body of an orchestrator, [finished](finish). By hand: an `async` block would be built for each of them.
pub fn running<Out: 'static, F: Future<Output = Out> + 'static>(
    codec: &'static OutputCodec<Out>,
    subject: &'static str,
    body: F,
) -> OrchestratorFuture {
    Box::pin(Running {
        body,
        codec,
        subject,
    })
}

impl<Out, F: Future<Output = Out>> Future for Running<F, Out> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.project();
        match this.body.poll(cx) {
            Poll::Ready(output) => Poll::Ready(finish(this.codec, this.subject, output)),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn or_fault(outcome: Result<Outcome, EncodeError>, subject: &'static str) -> Outcome {
    outcome.unwrap_or_else(|error| {
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
