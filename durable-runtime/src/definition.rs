//! What the attributes leave behind: one static definition for each annotated function.
//!
//! A definition is type-erased; the types come back through a codec table beside it. The expansion of an attribute is
//! a handful of calls into generic functions of [`private`](crate::__private) that fill these in.

mod allowance;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::activity::States;
use crate::failure::{Failure, FailureDetails, Fault, Outcome};
use crate::payload::{Codec, DecodeError, EncodeError, Payload};
use crate::retry::{Retry, RetryPolicy};

use crate::sites::SiteTable;

pub use self::allowance::{Allowance, allowances};
pub use crate::sites::Place;

/// The body of an activity, running.
pub type ActivityFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;
/// The body of an orchestrator, running; it stays on its thread, so it need not be `Send`.
pub type OrchestratorFuture = Pin<Box<dyn Future<Output = Outcome>>>;

/// A function annotated with `#[activity]`.
#[derive(Debug)]
pub struct ActivityDef {
    /// Its durable name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// The options of its attribute.
    pub options: ActivityOptions,
    /// What is said about a failed attempt; as the policy says, if there is none.
    pub retry_when: Option<fn(&Failure) -> Retry>,
    /// The `#[state]` parameters.
    pub states: &'static [StateRequirement],
    /// Decodes the input, looks up the states and calls the body.
    pub run: fn(&Payload, &States) -> Result<ActivityFuture, DecodeError>,
}

/// What the attribute of an activity may say, and what its signature does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivityOptions {
    /// When and how often to try again.
    pub retry: RetryPolicy,
    /// The longest that one attempt may run.
    pub attempt_timeout: Option<Duration>,
    /// The longest that one attempt may go without a heartbeat.
    pub heartbeat_timeout: Option<Duration>,
    /// How many of this activity may run at a time in one engine.
    pub limit: Option<u32>,
    /// How its input and output are written.
    pub codec: Codec,
    /// Whether the body is not `async`: it runs on the blocking pool, and nothing can stop it.
    pub is_blocking: bool,
}

/// A `#[state]` parameter of an activity.
#[derive(Debug, Clone, Copy)]
pub struct StateRequirement {
    /// The parameter's name.
    pub parameter: &'static str,
    /// The type of what is shared, as the source spells it.
    pub type_name: &'static str,
    /// Whether it is there.
    pub is_given: fn(&States) -> bool,
}

/// A function annotated with `#[orchestrator]`.
#[derive(Debug)]
pub struct OrchestratorDef {
    /// Its durable name.
    pub name: &'static str,
    /// Its version.
    pub version: Option<&'static str>,
    /// Where it is.
    pub place: Place,
    /// How its input and output are written.
    pub codec: Codec,
    /// Decodes the input and calls the body.
    pub run: fn(&Payload) -> Result<OrchestratorFuture, DecodeError>,
    /// The [`OutputCodec`] of its result: a handle that was serialised has lost it.
    pub output: &'static (dyn Any + Send + Sync),
    /// What its author vouches for.
    pub allowances: &'static [Allowance],
    /// Where it waits.
    pub sites: &'static SiteTable,
}

/// A function that is not found by its name and of which something is to be known: a helper, or one that is
/// vouched for.
#[derive(Debug)]
pub struct FunctionDef {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// What its author vouches for.
    pub allowances: &'static [Allowance],
}

/// How the declared result of a function is written and read.
///
/// For a `Result` the two arms are told apart; anything else is always `Completed`.
#[derive(Debug)]
pub struct OutputCodec<Out> {
    /// Writes what the body returned; a value that cannot be encoded becomes a fault.
    pub encode: fn(&About, Out) -> Result<Outcome, EncodeError>,
    /// What is known of its error.
    pub about: About,
    /// Reads a recorded outcome.
    pub decode: fn(&Outcome) -> Result<Decoded<Out>, DecodeError>,
    /// Present if the declared result is a `Result<_, E>` with `E: From<Fault>`.
    pub from_fault: Option<fn(Fault) -> Out>,
}

/// What can be asked of the error in a declared result, which each of them takes as `&E`.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// An account of it; JSON, if there is none.
    pub details: Option<fn(&dyn Any) -> Option<FailureDetails>>,
    /// Whether what it tells of could end otherwise in another attempt; if it does not know, it could.
    pub is_retryable: Option<fn(&dyn Any) -> bool>,
}

impl About {
    /// Nothing.
    pub const NOTHING: Self = Self {
        details: None,
        is_retryable: None,
    };
}

/// A recorded outcome as its reader gets it.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the two channels are the design")]
pub enum Decoded<Out> {
    /// The declared result, be it a value or an error.
    Value(Out),
    /// The second channel.
    Fault(Fault),
}

/// The hidden type beside each activity: it carries the definition at compile time.
///
/// The result type is a parameter, not an associated type, so that a private one may stand in a public signature.
pub trait ActivityMarker<Out: 'static>: 'static {
    /// The definition.
    const DEF: &'static ActivityDef;
    /// How the result is written and read.
    const OUT: &'static OutputCodec<Out>;
}

/// The hidden type beside each orchestrator.
pub trait OrchestratorMarker<Out: 'static>: 'static {
    /// The definition.
    const DEF: &'static OrchestratorDef;
    /// How the result is written and read.
    const OUT: &'static OutputCodec<Out>;
}

inventory::collect!(&'static ActivityDef);
inventory::collect!(&'static OrchestratorDef);
inventory::collect!(&'static FunctionDef);

/// How results of this type are written and read, if an orchestrator of this program returns it.
pub(crate) fn output_codec<Out: 'static>() -> Option<&'static OutputCodec<Out>> {
    let mut linked = inventory::iter::<&'static OrchestratorDef>.into_iter();
    linked.find_map(|definition| {
        let output: &'static dyn Any = definition.output;
        output.downcast_ref()
    })
}
