//! One durable call, whatever is called and however it is named.
//!
//! [`ActivityCall`](super::ActivityCall) and [`OrchestratorCall`](super::OrchestratorCall) are this around what is
//! attempted; a typed call and one by name differ in how the outcome is read, and in nothing else.

use std::fmt;
use std::task::{Context, Poll, ready};

use super::attempts::{Attempts, Subject};
use super::settle;
use crate::definition::{Decoded, OutputCodec};
use crate::failure::Outcome;

/// What is attempted, and how its outcome is read.
pub(super) struct Call<S, Out: 'static> {
    pub(super) attempts: Attempts<S>,
    pub(super) output: &'static OutputCodec<Out>,
}

impl<S: Subject, Out> Call<S, Out> {
    /// Polls for the outcome of the last attempt, its channel still told apart.
    pub(super) fn poll(&mut self) -> Poll<Decoded<Out>> {
        let outcome = ready!(self.attempts.poll());
        let name = self.attempts.subject.name();
        settle::read(self.output, &outcome, name, self.attempts.site)
    }
}

impl<S, Out: Fallible> Call<S, Out> {
    /// Retries only errors for which `is_worth` is true. What cannot be read as the error is for the await to report.
    pub(super) fn retry_when(&mut self, is_worth: impl Fn(&Out::Error) -> bool + Send + 'static) {
        let output = self.output;
        self.attempts.retry_when = Some(Box::new(move |failure| {
            let error = match (output.decode)(&Outcome::Failed(failure.clone())) {
                Ok(Decoded::Value(declared)) => declared.into_error(),
                Ok(Decoded::Fault(_)) | Err(_) => None,
            };
            error.is_none_or(|error| is_worth(&error))
        }));
    }
}

impl<S: Subject, Out> fmt::Debug for Call<S, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call of {} `{}`", S::KIND, self.attempts.subject.name())
    }
}

/// A result with an error: what `retry_when` needs.
#[diagnostic::on_unimplemented(
    message = "[D108] `retry_when` decides about errors, but this call gives `{Self}`",
    label = "there is no error to decide about",
    note = "a call of a function that returns `Result<_, E>` has `.retry_when(|error: &E| ..)`; faults, as panics are, are \
            retried without being asked about"
)]
pub trait Fallible {
    /// The declared error.
    type Error;

    /// The error, if it is one.
    fn into_error(self) -> Option<Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for Result<T, E> {
    type Error = E;

    fn into_error(self) -> Option<E> {
        self.err()
    }
}

/// A future whose outcome has two channels, which its await merges and `.catch()` keeps apart.
pub trait TwoChannels {
    /// The declared result.
    type Declared;

    /// Polls for the outcome, its channel still told apart.
    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Decoded<Self::Declared>>;
}

/// What all calls can be told, and that they are durable futures: `$Call<Out, M>` has a field `call` and is
/// [`TwoChannels`].
macro_rules! durable_call {
    ($Call:ident) => {
        impl<Out: 'static, M> $Call<Out, M> {
            /// Retries only errors for which `is_worth` is true, as `when` in the attribute of an activity does, and in its
            /// place. Faults are retried whatever it says.
            ///
            /// It is orchestrator code: it must decide by the error, and by what is the same on replay. It says when to
            /// retry, not how often: without a [policy](Self::retry) there is one attempt.
            ///
            /// ```
            /// # use durable_runtime::prelude::*;
            /// # #[activity] async fn charge(cents: u64) -> Result<u64, String> { Ok(cents) }
            /// # #[orchestrator] async fn pay(cents: u64) -> Result<u64, String> {
            /// let call = charge(cents).retry(RetryPolicy::attempts(3));
            /// call.retry_when(|error| error != "the card was declined").await
            /// # }
            /// ```
            pub fn retry_when(
                mut self,
                is_worth: impl Fn(&Out::Error) -> bool + Send + 'static,
            ) -> Self
            where
                Out: $crate::orchestration::call::Fallible,
            {
                self.call.retry_when(is_worth);
                self
            }

            /// Gives a fault as a value: the result becomes `Result<Out, Fault>`.
            pub fn catch(self) -> $crate::orchestration::Caught<Self> {
                $crate::orchestration::settle::Caught(self)
            }

            /// Limits the whole call, its attempts and the delays between them included.
            ///
            /// The result is `Err(Elapsed)` if it has not ended `limit` after it was first polled; it is cancelled then.
            #[track_caller]
            pub fn timeout(
                self,
                limit: std::time::Duration,
            ) -> $crate::orchestration::Timeout<Self> {
                $crate::orchestration::Timeout::new(self, limit, $crate::id::SourceSite::caller())
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Out: 'static, M> $crate::durable::Durable for $Call<Out, M> {}

        impl<Out: 'static, M> std::future::Future for $Call<Out, M> {
            type Output = Out;

            fn poll(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Out> {
                let decoded = std::task::ready!(self.poll_decoded(cx));
                $crate::orchestration::settle::merged(self.call.output, decoded)
            }
        }

        impl<Out, M> std::fmt::Debug for $Call<Out, M> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.call.fmt(f)
            }
        }
    };
}

pub(super) use durable_call;
