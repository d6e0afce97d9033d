//! The call of an activity.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::attempts::{AttemptNumbers, Attempts, Subject};
use super::call::{Call, TwoChannels, durable_call};
use super::settle;
use crate::activity::{self, States};
use crate::definition::{ActivityDef, ActivityFuture, ActivityMarker, Decoded, OutputCodec};
use crate::event::{ActivityScheduled, Heartbeats, HistoryEvent, Name};
use crate::failure::{Fault, Outcome};
use crate::id::{SiteId, SourceSite};
use crate::limits;
use crate::payload::{EncodeError, Payload};
use crate::replay;
use crate::retry::RetryPolicy;

/// The call of an activity, made by calling the annotated function, or by [name](super::named::activity).
///
/// In an orchestrator, awaiting it schedules the activity and waits for its recorded outcome, across restarts. Outside
/// one, as in a unit test or a request handler, awaiting it just runs the body: nothing is recorded, retries and
/// time-outs do not apply, and a warning is logged once for each such place. To [`activity`](mod@crate::activity) it is the
/// first delivery of a first attempt, with a key of its own, that is never cancelled.
///
/// # Replay
/// The recorded outcome is returned; the body does not run again.
///
/// # Cancel safety
/// Dropping it while it waits cancels the activity: its outcome no longer counts, and its body is told.
///
/// # Panics
/// When it is polled outside an orchestrator and a `#[state]` parameter was not given with
/// [`with_state`](Self::with_state), or it is a call by name, which has no body to run.
///
/// # Examples
///
/// What is given to a call goes from the inside out: `.retry(..)`, then `.catch()`, then `.timeout(..)`.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn charge(cents: u32) -> Result<String, String> {
///     if activity::attempt() == 1 {
///         return Err("the bank did not answer".to_owned());
///     }
///     Ok(format!("receipt for {cents}"))
/// }
///
/// #[orchestrator]
/// async fn checkout(cents: u32) -> Result<String, Error> {
///     let policy = RetryPolicy::attempts(3).initial(minutes(1));
///     let charged = charge(cents).retry(policy).timeout(hours(1)).await;
///     charged?.map_err(Error::msg)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let paid = engine.start(checkout(42)).await?;
/// assert_eq!(paid.result().await?.unwrap(), "receipt for 42");
///
/// // Outside an orchestrator the body just runs, once.
/// assert!(charge(42).await.is_err());
/// # Ok(()) }
/// ```
#[must_use = "an activity call does nothing until it is awaited, or given to `join!` or `select!`"]
pub struct ActivityCall<Out: 'static, M> {
    call: Call<ActivitySubject, Out>,
    /// There for a typed call only.
    alone: Option<Alone>,
    marker: PhantomData<fn() -> M>,
}

durable_call!(ActivityCall);

impl<Out: 'static, M> ActivityCall<Out, M> {
    /// A call by name: nothing but that is known of the activity.
    pub(super) fn named(
        name: Name,
        input: Result<Payload, EncodeError>,
        output: &'static OutputCodec<Out>,
        site: SourceSite,
    ) -> Self {
        let attempts = Attempts::new(ActivitySubject::new(name, input), site);
        Self {
            call: Call { attempts, output },
            alone: None,
            marker: PhantomData,
        }
    }

    #[doc(hidden)]
    #[track_caller]
    pub fn __new(input: Result<Payload, EncodeError>) -> Self
    where
        M: ActivityMarker<Out>,
    {
        let attempts = Attempts::of(M::DEF, input, SourceSite::caller());
        Self {
            call: Call {
                attempts,
                output: M::OUT,
            },
            alone: Some(Alone::new(M::DEF)),
            marker: PhantomData,
        }
    }

    /// Retries by `policy`, in place of the one in the attribute. Without either it is attempted once.
    ///
    /// # Replay
    /// The policy that was recorded with the first attempt stays in force.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.call.attempts.retry = policy;
        self
    }

    /// Limits each attempt, in place of the limit in the attribute. An attempt beyond it is a fault, and is retried.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.call.attempts.subject.attempt_timeout = Some(limit);
        self
    }

    /// Limits how long each attempt may go without a heartbeat, in place of the limit in the attribute. An attempt beyond it is
    /// a fault, and is retried; see [`activity::heartbeat`](crate::activity::heartbeat()).
    ///
    /// # Replay
    /// Decides nothing: an attempt that is recorded keeps the limit that was recorded with it.
    pub fn heartbeat_timeout(mut self, limit: Duration) -> Self {
        self.call.attempts.subject.heartbeat_timeout = Some(limit);
        self
    }

    /// Gives the body a `#[state]` when it runs outside an engine.
    pub fn with_state<T: Clone + Send + Sync + 'static>(mut self, state: &T) -> Self {
        if let Some(alone) = &mut self.alone {
            alone.states.insert(std::sync::Arc::new(state.clone()));
        }
        self
    }
}

impl<Out: 'static, M> TwoChannels for ActivityCall<Out, M> {
    type Declared = Out;

    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Decoded<Out>> {
        poll(&mut self.call, self.alone.as_mut(), cx)
    }
}

/// Not generic in the activity, so that it is compiled once for each type of results.
fn poll<Out>(
    call: &mut Call<ActivitySubject, Out>,
    alone: Option<&mut Alone>,
    cx: &mut Context<'_>,
) -> Poll<Decoded<Out>> {
    let outside = alone.filter(|alone| alone.is_meant(&call.attempts));
    let Some(alone) = outside else {
        return call.poll();
    };
    let outcome = ready!(alone.poll(&call.attempts, cx));
    match (call.output.decode)(&outcome) {
        Ok(decoded) => Poll::Ready(decoded),
        Err(error) => misused(&error.to_string()),
    }
}

impl Attempts<ActivitySubject> {
    /// Of a call that says nothing of its own.
    fn of(
        def: &'static ActivityDef,
        input: Result<Payload, EncodeError>,
        site: SourceSite,
    ) -> Self {
        let mut attempts = Self::new(ActivitySubject::new(Name::Borrowed(def.name), input), site);
        attempts.retry = def.options.retry;
        if let Some(when) = def.retry_when {
            attempts.handler = Some(Box::new(move |failure, _| when(failure)));
        }
        attempts.subject.attempt_timeout = def.options.attempt_timeout;
        attempts.subject.heartbeat_timeout = def.options.heartbeat_timeout;
        attempts
    }
}

/// An activity as a command names it.
#[derive(Debug)]
struct ActivitySubject {
    name: Name,
    input: Result<Payload, Fault>,
    attempt_timeout: Option<Duration>,
    heartbeat_timeout: Option<Duration>,
}

impl ActivitySubject {
    fn new(name: Name, input: Result<Payload, EncodeError>) -> Self {
        Self {
            input: settle::recordable(input, "input", &name),
            name,
            attempt_timeout: None,
            heartbeat_timeout: None,
        }
    }
}

impl Subject for ActivitySubject {
    const KIND: &'static str = "activity";

    fn name(&self) -> &Name {
        &self.name
    }

    fn check(&self) -> Result<(), Fault> {
        limits::check_name(&self.name).map_err(|error| settle::beyond(&self.name, &error))?;
        self.input.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn command(&self, _: &replay::Context, attempt: &AttemptNumbers) -> HistoryEvent {
        HistoryEvent::ActivityScheduled(ActivityScheduled {
            id: attempt.id,
            site: attempt.site.id(),
            call: attempt.call,
            attempt: attempt.number,
            name: self.name.clone(),
            input: settle::checked(&self.input),
            attempt_timeout: self.attempt_timeout,
            heartbeats: Heartbeats::some(self.heartbeat_timeout, attempt.heartbeat.clone()),
            retry: attempt.retry,
        })
    }
}

/// What runs where no engine is: the body itself.
struct Alone {
    def: &'static ActivityDef,
    states: States,
    body: Option<ActivityFuture>,
}

impl Alone {
    fn new(def: &'static ActivityDef) -> Self {
        Self {
            def,
            states: States::new(),
            body: None,
        }
    }

    /// Whether the body is to run, or runs, here.
    fn is_meant(&self, attempts: &Attempts<ActivitySubject>) -> bool {
        self.body.is_some() || attempts.is_fresh() && !replay::is_inside()
    }

    fn poll(
        &mut self,
        attempts: &Attempts<ActivitySubject>,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome> {
        if self.body.is_none() {
            self.body = Some(self.begin(attempts));
        }
        let Some(body) = &mut self.body else {
            return Poll::Pending;
        };
        body.as_mut().poll(cx)
    }

    fn begin(&self, attempts: &Attempts<ActivitySubject>) -> ActivityFuture {
        self.check_states();
        let subject = &attempts.subject;
        tell_once(&subject.name, attempts.site);
        let begun = match &subject.input {
            Ok(input) => (self.def.run)(input, &self.states).map_err(|error| error.to_string()),
            Err(fault) => Err(fault.to_string()),
        };
        let body = begun.unwrap_or_else(|error| misused(&error));
        match activity::without_engine(&subject.name) {
            Some(running) => Box::pin(activity::scope(running, body)),
            None => body,
        }
    }

    fn check_states(&self) {
        let missing = self.def.states.iter();
        let missing = missing.filter(|state| !(state.is_given)(&self.states));
        let missing: Vec<_> = missing
            .map(|state| format!("`{}` of type `{}`", state.parameter, state.type_name))
            .collect();
        if !missing.is_empty() {
            misused(&format!(
                "activity `{}` was called outside an engine without its state {}; add `.with_state(&value)` to the call",
                self.def.name,
                missing.join(", ")
            ));
        }
    }
}

/// Says, once for each place, that a call there runs without being recorded: right in a test, rarely meant elsewhere.
fn tell_once(activity: &str, site: SourceSite) {
    static TOLD: Mutex<BTreeSet<SiteId>> = Mutex::new(BTreeSet::new());
    let is_new = TOLD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(site.id());
    if is_new {
        tracing::warn!(
            activity,
            %site,
            "an activity is called outside an orchestrator: it runs once, and nothing is recorded or retried; outside of tests, start \
             an orchestrator that calls it"
        );
    }
}

#[expect(
    clippy::panic,
    reason = "outside an engine there is nobody but the caller to tell, and its result type has no place for it"
)]
fn misused(message: &str) -> ! {
    panic!("{message}")
}
