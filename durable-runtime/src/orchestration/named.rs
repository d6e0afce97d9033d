//! Whatever has a type elsewhere, by name and with JSON in and out: for tools, scripts and workers.
//!
//! What these functions give is of the same kinds as what annotated functions and an [`Event`] give, is taken in the same
//! places and records the same. Code by name is registered with
//! [`Registry::named_activity`](crate::Registry::named_activity) and
//! [`Registry::named_orchestrator`](crate::Registry::named_orchestrator).
//!
//! ```standalone_crate
//! use durable_runtime::testing::TestEngine;
//! use durable_runtime::{Error, Registry, named};
//! use serde_json::{Value, json};
//!
//! async fn greet(name: Value) -> Result<Value, Error> {
//!     Ok(json!(format!("Hello {}!", name.as_str().unwrap_or("you"))))
//! }
//!
//! async fn welcome(name: Value) -> Result<Value, Error> {
//!     let greeting = named::activity("greet", &name).await?;
//!     let is_sent = named::event("sent").wait().await;
//!     Ok(json!([greeting, is_sent]))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new()
//!     .named_activity("greet", greet)
//!     .named_orchestrator("welcome", welcome);
//! let engine = TestEngine::builder().registry(registry).start()?;
//! let handle = engine.start(named::orchestrator("welcome", &json!("Ada"))).await?;
//! handle.raise(&named::event("sent"), json!(true)).await?;
//! assert_eq!(handle.result().await??, json!(["Hello Ada!", true]));
//! # Ok(()) }
//! ```

use std::any::Any;

use serde_json::Value;

use super::orchestrator_call::OrchestratorParts;
use super::{ActivityCall, ContinueAsNew, Detached, Event, OrchestratorCall};
use crate::definition::{About, Decoded, OutputCodec};
use crate::event::Name;
use crate::failure::{Failure, Outcome};
use crate::id::{InstanceId, SourceSite};
use crate::payload::Payload;

/// The call of an activity by name.
pub type Activity = ActivityCall<Result<Value, Failure>, ByName>;

/// The call of an orchestrator by name.
pub type Orchestrator = OrchestratorCall<Result<Value, Failure>, ByName>;

/// Stands where a typed call has its function.
#[derive(Debug)]
#[non_exhaustive]
pub struct ByName;

/// A call of the activity `name`.
///
/// The result is the value, or the failure of either channel: nothing faults through. An activity whose codec is not
/// JSON cannot be called by name.
///
/// # Panics
/// When polled outside an orchestrator.
#[track_caller]
pub fn activity(name: impl Into<Name>, input: &Value) -> Activity {
    let site = SourceSite::caller();
    ActivityCall::named(name.into(), Payload::json(input), &OUTPUT, site)
}

/// A call of the orchestrator `name`: awaited in an orchestrator it is a child; else it is what [`start`](super::start()) takes
/// there, and an engine's `start` outside.
///
/// Unless a [`version`](OrchestratorCall::version) is given, it is of the greatest that is registered: numbers between dots are
/// compared as numbers, and code without a version is below all others. In an orchestrator the version is recorded, and stays
/// when a greater one is registered.
///
/// A child's result is the value, or the failure of either channel: nothing faults through. From a started instance's
/// handle a fault comes as [`WaitError::Fault`](crate::WaitError::Fault). An orchestrator whose codec is not JSON cannot be
/// called by name.
///
/// # Panics
/// When polled outside an orchestrator.
#[track_caller]
pub fn orchestrator(name: impl Into<Name>, input: &Value) -> Orchestrator {
    let parts = OrchestratorParts::new(name.into(), Payload::json(input));
    OrchestratorCall::named(parts, &OUTPUT, SourceSite::caller())
}

/// A handle of the instance of that id, whatever it runs, to await its outcome in an orchestrator: the value, or the failure of
/// either channel.
pub fn detached(instance: InstanceId) -> Detached<Result<Value, Failure>> {
    Detached::new(instance)
}

/// Ends this execution and goes on with a new one of this `input`, in the same version.
///
/// What is carried over and what is not is as for [`continue_as_new`](super::continue_as_new()).
///
/// # Panics
/// When polled outside an orchestrator.
pub fn continue_as_new(input: &Value) -> ContinueAsNew<Value> {
    ContinueAsNew::of_itself(Payload::json(input))
}

/// The external event `name`, whatever JSON it carries: to be awaited, or raised with a handle.
pub fn event(name: impl Into<Name>) -> Event<Value> {
    Event::named(name)
}

/// How an outcome is read, if it is one without types.
pub(super) fn output_codec<Out: 'static>() -> Option<&'static OutputCodec<Out>> {
    let output: &'static dyn Any = &OUTPUT;
    output.downcast_ref()
}

/// A recorded outcome without types: what failed, failed in one way or the other.
static OUTPUT: OutputCodec<Result<Value, Failure>> = OutputCodec {
    encode: |_, result| match result {
        Ok(value) => Payload::json(&value).map(Outcome::Completed),
        Err(failure) => Ok(Outcome::Failed(failure)),
    },
    about: About::NOTHING,
    decode: |outcome| match outcome {
        Outcome::Completed(value) => Ok(Decoded::Value(Ok(value.decode()?))),
        Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
        Outcome::Failed(failure) => Ok(Decoded::Value(Err(failure.clone()))),
    },
    from_fault: Some(|fault| Err(Failure::Fault(fault))),
};
