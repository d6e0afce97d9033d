//! Calls by name, with JSON in and out: for tools, scripts and workers that have no types.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde_json::Value;

use super::activity_call::ActivitySubject;
use super::attempts::{Attempts, Subject};
use super::continue_as_new::go_on;
use super::orchestrator_call::ChildSubject;
use super::{Event, Timeout, settle};
use crate::durable::Durable;
use crate::event::Name;
use crate::failure::{Failure, Outcome};
use crate::id::SourceSite;
use crate::payload::{EncodeError, Payload};
use crate::replay;
use crate::retry::RetryPolicy;

/// A call of the activity `name`.
///
/// The result is the value, or the failure of either channel: nothing faults through. An activity whose codec is not
/// JSON cannot be called by name.
///
/// Recording, replay and cancellation are as for a typed call, [`ActivityCall`](super::ActivityCall).
///
/// # Panics
/// When polled outside an orchestrator.
#[track_caller]
pub fn activity(name: impl Into<Name>, input: &Value) -> NamedActivity {
    let subject = ActivitySubject::new(name.into(), Payload::json(input));
    NamedActivity(Attempts::new(subject, SourceSite::caller()))
}

/// A child orchestration `name`, in the version that is registered without one unless one is given.
///
/// The result is the value, or the failure of either channel: nothing faults through. An orchestrator whose codec is not
/// JSON cannot be called by name.
///
/// Recording, replay and cancellation are as for a typed call, [`OrchestratorCall`](super::OrchestratorCall).
///
/// # Panics
/// When polled outside an orchestrator.
#[track_caller]
pub fn child(name: impl Into<Name>, input: &Value) -> NamedChild {
    let subject = ChildSubject::new(name.into(), None, Payload::json(input));
    NamedChild(Attempts::new(subject, SourceSite::caller()))
}

/// Ends this execution and goes on with a new one of this `input`, in the same version.
///
/// What is carried over and what is not is as for [`continue_as_new`](super::continue_as_new()).
///
/// # Panics
/// When polled outside an orchestrator.
pub fn continue_as_new(input: &Value) -> NamedContinue {
    NamedContinue(Some(Payload::json(input)))
}

/// The external event `name`, whatever JSON it carries.
pub fn event(name: impl Into<Name>) -> Event<Value> {
    Event::named(name)
}

/// The future of [`activity`].
#[derive(Debug)]
#[must_use = "an activity call does nothing until it is awaited"]
pub struct NamedActivity(Attempts<ActivitySubject>);

impl NamedActivity {
    /// Retries by `policy`; without one it is attempted once. A recorded policy stays in force.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.0.retry = policy;
        self
    }

    /// Retries only failures for which `is_worth` is true.
    pub fn retry_when(mut self, is_worth: fn(&Failure) -> bool) -> Self {
        self.0.retry_when = Some(is_worth);
        self
    }

    /// Limits each attempt. An attempt beyond it is a fault, and is retried.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.0.subject.set_attempt_timeout(limit);
        self
    }

    /// Limits the whole call; it is cancelled and gives `Err(Elapsed)` if it has not ended in time.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }
}

#[diagnostic::do_not_recommend]
impl Durable for NamedActivity {}

impl Future for NamedActivity {
    type Output = Result<Value, Failure>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let name = self.0.subject.name().clone();
        poll(&mut self.0, &name)
    }
}

/// The future of [`child`].
#[derive(Debug)]
#[must_use = "a child is started when it is awaited"]
pub struct NamedChild(Attempts<ChildSubject>);

impl NamedChild {
    /// Names the instance. Of a child that is retried this names the first attempt only.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.0.subject.parts_mut().id = Some(id.into());
        self
    }

    /// Asks for this version of the orchestrator.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.0.subject.parts_mut().version = Some(version.into());
        self
    }

    /// Adds a label to the instance.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let tags = &mut self.0.subject.parts_mut().tags;
        tags.insert(key.into(), value.into());
        self
    }

    /// Retries by `policy`; without one it is attempted once. A recorded policy stays in force.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.0.retry = policy;
        self
    }

    /// Limits the whole call; it is cancelled and gives `Err(Elapsed)` if it has not ended in time.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }
}

#[diagnostic::do_not_recommend]
impl Durable for NamedChild {}

impl Future for NamedChild {
    type Output = Result<Value, Failure>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let name = self.0.subject.parts().name.clone();
        poll(&mut self.0, &name)
    }
}

/// The future of [`continue_as_new`]; it never resolves.
#[derive(Debug)]
#[must_use = "the execution goes on until this is awaited"]
pub struct NamedContinue(Option<Result<Payload, EncodeError>>);

#[diagnostic::do_not_recommend]
impl Durable for NamedContinue {}

impl Future for NamedContinue {
    type Output = Value;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Value> {
        if let Some(input) = self.0.take() {
            let (name, version) = replay::require("`continue_as_new`", |context| {
                let started = context.started();
                (started.name.clone(), started.version.clone())
            });
            go_on(ChildSubject::new(name, version, input).into_parts());
        }
        Poll::Pending
    }
}

fn poll<S: Subject>(attempts: &mut Attempts<S>, name: &Name) -> Poll<Result<Value, Failure>> {
    let output = match ready!(attempts.poll()) {
        Outcome::Completed(output) => output,
        Outcome::Failed(failure) => return Poll::Ready(Err(failure)),
    };
    match output.decode() {
        Ok(value) => Poll::Ready(Ok(value)),
        Err(error) => settle::unreadable(&format!("the result of `{name}`"), attempts.site, &error),
    }
}
