//! An error type for those who do not want one of their own.

use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureDetails};
use crate::retry::Retryable;

/// Any error, as it can be recorded: its message, the name of its type and the messages of its causes.
///
/// Converts from every `std::error::Error` with `?`, a [`Fault`](crate::Fault) included: a function that declares it
/// can handle faults as it handles errors. The error itself is not kept, since only what is recorded survives.
///
/// ```
/// use durable_runtime::Error;
///
/// fn parse(text: &str) -> Result<u8, Error> {
///     Ok(text.parse()?)
/// }
/// let error = parse("many").unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// assert_eq!(error.type_name(), "core::num::error::ParseIntError");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(FailureDetails);

impl Error {
    /// An error that is only a message.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self(FailureDetails {
            error_type: "durable_runtime::Error".to_owned(),
            message: message.to_string(),
            causes: Vec::new(),
            non_retryable: false,
        })
    }

    /// The same error, after which there is no other attempt, whatever a retry policy says.
    ///
    /// It says so wherever it goes: a child that returns it is not attempted again either.
    ///
    /// ```
    /// use durable_runtime::{Error, Retryable};
    ///
    /// fn parse(text: &str) -> Result<u8, Error> {
    ///     // It will not be a number the next time, either.
    ///     text.parse().map_err(|error| Error::from(error).non_retryable())
    /// }
    /// assert!(!parse("many").unwrap_err().is_retryable());
    /// assert!(Error::msg("the line is busy").is_retryable());
    /// ```
    #[must_use]
    pub fn non_retryable(mut self) -> Self {
        self.0.non_retryable = true;
        self
    }

    /// The full name of the type that the error had when it was made.
    pub fn type_name(&self) -> &str {
        &self.0.error_type
    }

    /// The messages of the causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// The recorded account.
    pub fn details(&self) -> &FailureDetails {
        &self.0
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        !self.0.non_retryable
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        // A failure that was recorded elsewhere keeps the account that was given of it there.
        let any: &dyn Any = &error;
        if let Some(Failure::Returned(returned)) = any.downcast_ref() {
            return Self(returned.details.clone());
        }
        Self(FailureDetails::of(&error, std::any::type_name::<E>()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.0.error_type)
    }
}
