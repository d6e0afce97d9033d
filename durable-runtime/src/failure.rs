//! How a failure of user code looks once it is recorded.
//!
//! Two channels, as in Rust itself: the declared error of a function comes back as declared ([`ReturnedError`] carries
//! it, encoded, and a readable account of it); everything else is a [`Fault`], as a panic is in Rust.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::payload::Payload;

/// How an activity, an attempt or an orchestration ended.
///
/// It is what a history records; code that knows the types gets them back as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it ended well or it did not; there is no third way"
)]
pub enum Outcome {
    /// It returned: the value, or what was in `Ok`.
    Completed(Payload),
    /// It returned `Err`, or did not return.
    Failed(Failure),
}

/// Why something failed: one variant for each of the two channels.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two channels are the design")]
pub enum Failure {
    /// It returned `Err`.
    Returned(ReturnedError),
    /// It did not return.
    Fault(Fault),
}

/// A returned `Err`: the error as declared, and what a reader without its type can know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedError {
    /// The error value, encoded.
    pub error: Payload,
    /// Type name, message and causes, and whether another attempt could help.
    pub details: FailureDetails,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(returned) => returned.details.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// A readable account of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureDetails {
    /// The full name of the error's type.
    pub error_type: String,
    /// From `Error`, else from `Display`, else the error as JSON.
    pub message: String,
    /// The messages of `Error::source`, outermost first.
    pub causes: Vec<String>,
    /// Whether the error said of itself that another attempt cannot help; see [`Retryable`](crate::Retryable).
    #[serde(default)]
    pub non_retryable: bool,
}

impl FailureDetails {
    /// An account of `error` and its sources.
    pub fn of(error: &(dyn std::error::Error + 'static), error_type: &str) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        Self {
            error_type: error_type.to_owned(),
            message: error.to_string(),
            causes: causes.map(ToString::to_string).collect(),
            non_retryable: false,
        }
    }
}

impl fmt::Display for FailureDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// The second channel: user code did not return.
///
/// A fault reaches the await of the activity or child it happened in. There it becomes the declared error if that
/// implements `From<Fault>`, or a value after `.catch()`; else it ends the orchestration as `Failed`.
///
/// # Replay
/// A fault is recorded, and comes back as it was.
///
/// # Examples
///
/// An error type that can be made from a fault takes part in it, so that `?` and compensation work as for any other error:
///
/// ```
/// use durable_runtime::{Fault, FaultKind};
///
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// enum PayError {
///     Declined,
///     Lost(String),
/// }
///
/// impl From<Fault> for PayError {
///     fn from(fault: Fault) -> Self {
///         Self::Lost(fault.to_string())
///     }
/// }
///
/// let fault = Fault::new(FaultKind::Panicked, "pay", "index out of bounds");
/// let PayError::Lost(message) = PayError::from(fault) else { unreachable!() };
/// assert_eq!(message, "`pay` panicked: index out of bounds");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    kind: FaultKind,
    subject: String,
    message: String,
    causes: Vec<String>,
}

/// What kind of [`Fault`] it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FaultKind {
    /// User code panicked.
    Panicked,
    /// The attempt ran into its time-out; of a call, the last attempt did.
    TimedOut,
    /// It was cancelled before it ended.
    Cancelled,
    /// A limit was reached; the message names it.
    LimitExceeded,
    /// The id of a child, or of a detached instance, belongs to another instance.
    Conflict,
    /// A value could not be encoded.
    Unrecordable,
    /// There is no instance of that id.
    NotFound,
    /// Somebody terminated the instance; the message is the reason that was given.
    Terminated,
    /// The process died of it ten times in a row, each time while nothing else ran; it is not started again, by no policy.
    Poisoned,
}

impl Fault {
    /// A fault of `subject`, an activity or orchestration. For tests: the engine makes those that are recorded.
    pub fn new(kind: FaultKind, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// The same fault with the messages that led to it, outermost first.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<String>) -> Self {
        self.causes = causes;
        self
    }

    /// What kind it was.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The name of the activity or orchestration that did not return.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What led to it, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            FaultKind::Panicked => "panicked",
            FaultKind::TimedOut => "timed out",
            FaultKind::Cancelled => "was cancelled",
            FaultKind::LimitExceeded => "ran into a limit",
            FaultKind::Conflict => "could not be started",
            FaultKind::Unrecordable => "returned what cannot be recorded",
            FaultKind::NotFound => "could not be found",
            FaultKind::Terminated => "was terminated",
            FaultKind::Poisoned => "was given up",
        };
        write!(f, "`{}` {verb}: {}", self.subject, self.message)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for Fault {}

/// The deadline of a call passed before it ended; what `.timeout(..)` returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the deadline has elapsed")]
pub struct Elapsed {}
