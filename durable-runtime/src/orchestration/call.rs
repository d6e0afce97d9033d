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
use crate::retry::{Retry, RetryContext};

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
    /// Asks `handler` about each error. What cannot be read as the error is for the await to report.
    pub(super) fn retry_with(
        &mut self,
        handler: impl Fn(&Out::Error, &RetryContext) -> Retry + Send + 'static,
    ) {
        let output = self.output;
        self.attempts.handler = Some(Box::new(move |failure, context| {
            let error = match (output.decode)(&Outcome::Failed(failure.clone())) {
                Ok(Decoded::Value(declared)) => declared.into_error(),
                Ok(Decoded::Fault(_)) | Err(_) => None,
            };
            error.map_or(Retry::AsPolicy, |error| handler(&error, context))
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
            /// Retries only errors for which `is_worth` is true, or is not [`Retry::Stop`](crate::Retry::Stop), as `when` in
            /// the attribute of an activity does, and in its place. Faults are retried whatever it says, and an error that is
            /// not [`Retryable`](crate::Retryable) is not.
            ///
            /// It is orchestrator code: it must decide by the error, and by what is the same on replay. It says whether to
            /// retry, not how often: without a [policy](Self::retry) there is one attempt.
            /// [`retry_with`](Self::retry_with) is told more.
            ///
            /// ```
            /// # use durable_runtime::prelude::*;
            /// # #[activity] async fn charge(cents: u64) -> Result<u64, String> { Ok(cents) }
            /// # #[orchestrator] async fn pay(cents: u64) -> Result<u64, String> {
            /// let call = charge(cents).retry(RetryPolicy::attempts(3));
            /// call.retry_when(|error| error != "the card was declined").await
            /// # }
            /// ```
            pub fn retry_when<D: Into<$crate::Retry>>(
                mut self,
                is_worth: impl Fn(&Out::Error) -> D + Send + 'static,
            ) -> Self
            where
                Out: $crate::orchestration::call::Fallible,
            {
                self.call.retry_with(move |error, _| is_worth(error).into());
                self
            }

            /// Asks `handler` after each attempt that has returned an error what to do next: it is told the error, the number
            /// of the attempt, and the time since the first one by the replay clock, and may say the delay. It takes the place
            /// of [`retry_when`](Self::retry_when), and of `when` in the attribute.
            ///
            /// The [policy](Self::retry) still bounds the number of attempts and the total time; without one there is one
            /// attempt. About a fault it is not asked: that is retried by the policy.
            ///
            /// # Replay
            /// It is orchestrator code, and is asked again: it must decide as before whether there is another attempt. The
            /// delay is a recorded timer, whose due time stays in force.
            ///
            /// # Examples
            ///
            /// ```standalone_crate
            /// use std::time::Duration;
            ///
            /// use durable_runtime::prelude::*;
            /// use durable_runtime::testing::TestEngine;
            /// use serde::{Deserialize, Serialize};
            ///
            /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
            /// enum ApiError {
            ///     Busy { seconds: u64 },
            ///     Down,
            /// }
            ///
            /// #[activity]
            /// async fn call_api() -> Result<u32, ApiError> {
            ///     match activity::attempt() {
            ///         1 => Err(ApiError::Busy { seconds: 90 }),
            ///         _ => Err(ApiError::Down),
            ///     }
            /// }
            ///
            /// #[orchestrator]
            /// async fn ask() -> Result<u32, ApiError> {
            ///     let call = call_api().retry(RetryPolicy::attempts(100));
            ///     call.retry_with(|error, context| match error {
            ///         ApiError::Busy { seconds } => Retry::After(Duration::from_secs(*seconds)),
            ///         ApiError::Down if context.elapsed < hours(1) => Retry::AsPolicy,
            ///         ApiError::Down => Retry::Stop,
            ///     })
            ///     .await
            /// }
            ///
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// let engine = TestEngine::start()?;
            /// let begin = engine.now();
            /// let asked = engine.start(ask()).await?.result().await?;
            /// assert_eq!(asked, Err(ApiError::Down));
            /// assert!(engine.now() >= begin + hours(1));
            /// # Ok(()) }
            /// ```
            pub fn retry_with<D: Into<$crate::Retry>>(
                mut self,
                handler: impl Fn(&Out::Error, &$crate::RetryContext) -> D + Send + 'static,
            ) -> Self
            where
                Out: $crate::orchestration::call::Fallible,
            {
                (self.call).retry_with(move |error, context| handler(error, context).into());
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
