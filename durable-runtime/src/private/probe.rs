//! Questions about a type, answered where it is concrete: is it recordable, is it a `Result`, is its error an `Error`?
//!
//! An inherent associated constant is found before one of a trait. So `Probe::<T>::ANSWER` is the inherent one if the
//! bounds of its impl hold, else the trait's, which is there for every type. This sees through aliases, and a missing
//! derive is reported once, in the signature, instead of at each use.

use std::any::Any;
use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::activity::{SharedState, States};
use crate::definition::{About, Decoded};
use crate::durable::Recordable;
use crate::failure::{Failure, FailureDetails, Fault, Outcome, ReturnedError};
use crate::payload::{DecodeError, EncodeError, Payload};
use crate::retry::Retryable;

/// How an input is written and read.
#[derive(Debug)]
pub struct InputCodec<T> {
    /// Writes it.
    pub encode: fn(&T) -> Result<Payload, EncodeError>,
    /// Reads it.
    pub decode: fn(&Payload) -> Result<T, DecodeError>,
}

/// How an account of an error is made.
pub type Details = fn(&dyn Any) -> Option<FailureDetails>;

/// Whether what an error tells of could end otherwise in another attempt.
pub type IsRetryable = fn(&dyn Any) -> bool;

/// How an output is told apart in value and error, written and read.
pub struct Shape<Out> {
    /// Writes it.
    pub encode: fn(&About, Out) -> Result<Outcome, EncodeError>,
    /// Reads it.
    pub decode: fn(&Outcome) -> Result<Decoded<Out>, DecodeError>,
}

impl<Out> Clone for Shape<Out> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Out> Copy for Shape<Out> {}

impl<Out> std::fmt::Debug for Shape<Out> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("shape")
    }
}

/// Is it recordable?
#[derive(Debug)]
pub struct InputProbe<T>(PhantomData<T>);
/// Is it recordable as a whole?
#[derive(Debug)]
pub struct ValueProbe<T>(PhantomData<T>);
/// Is it a `Result` of recordable types?
#[derive(Debug)]
pub struct ResultProbe<T>(PhantomData<T>);
/// Is it a `Result` whose error can tell what happened?
#[derive(Debug)]
pub struct DetailsProbe<T>(PhantomData<T>);
/// Is it a `Result` whose error can hold a fault?
#[derive(Debug)]
pub struct FaultProbe<T>(PhantomData<T>);
/// Is it a `Result` whose error knows whether another attempt could help?
#[derive(Debug)]
pub struct RetryProbe<T>(PhantomData<T>);

/// The other answer of [`InputProbe`] and [`ValueProbe`]. The check in the signature has refused the type; these keep it
/// from being refused again.
pub trait NotRecordable<T> {
    /// Not recordable.
    const IS_RECORDABLE: bool = false;
    /// Never called.
    const INPUT_JSON: InputCodec<T> = InputCodec {
        encode: |_| unreachable!("the signature was refused"),
        decode: |_| unreachable!("the signature was refused"),
    };
    /// Never called.
    const INPUT_BINCODE: InputCodec<T> = Self::INPUT_JSON;
    /// Never called.
    const VALUE_JSON: Shape<T> = Shape {
        encode: |_, _| unreachable!("the signature was refused"),
        decode: |_| unreachable!("the signature was refused"),
    };
    /// Never called.
    const VALUE_BINCODE: Shape<T> = Self::VALUE_JSON;
}

impl<T> NotRecordable<T> for InputProbe<T> {}
impl<T> NotRecordable<T> for ValueProbe<T> {}

// One constant for each codec, not one that asks: what a program never writes is never compiled. Both are read.

impl<T: Recordable> InputProbe<T> {
    /// Recordable.
    pub const IS_RECORDABLE: bool = true;
    /// As its `serde` impls have it.
    pub const INPUT_JSON: InputCodec<T> = InputCodec {
        encode: Payload::json,
        decode: Payload::decode,
    };
    /// The same as bincode.
    pub const INPUT_BINCODE: InputCodec<T> = InputCodec {
        encode: Payload::bincode,
        decode: Payload::decode,
    };
}

impl<T: Recordable> ValueProbe<T> {
    /// Always completed.
    pub const VALUE_JSON: Shape<T> = Shape {
        encode: |_, value| completed(Payload::json(&value)),
        decode: decode_value,
    };
    /// The same as bincode.
    pub const VALUE_BINCODE: Shape<T> = Shape {
        encode: |_, value| completed(Payload::bincode(&value)),
        decode: decode_value,
    };
}

fn completed(value: Result<Payload, EncodeError>) -> Result<Outcome, EncodeError> {
    value.map(Outcome::Completed)
}

fn decode_value<T: Recordable>(outcome: &Outcome) -> Result<Decoded<T>, DecodeError> {
    match outcome {
        Outcome::Completed(value) => match value.decode() {
            Ok(value) => Ok(Decoded::Value(value)),
            Err(error) => Err(error),
        },
        Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
        Outcome::Failed(Failure::Returned(returned)) => Err(DecodeError::shape::<T>(
            returned.error.codec(),
            "it is the error of a function that returned a `Result` then",
        )),
    }
}

/// The other answer of [`ResultProbe`].
pub trait NotAResult<T> {
    /// Not a `Result`.
    const RESULT_JSON: Option<Shape<T>> = None;
    /// Not a `Result`.
    const RESULT_BINCODE: Option<Shape<T>> = None;
}

impl<T> NotAResult<T> for ResultProbe<T> {}

impl<T: Recordable, E: Recordable> ResultProbe<Result<T, E>> {
    /// Completed with what is in `Ok`, failed with what is in `Err`.
    pub const RESULT_JSON: Option<Shape<Result<T, E>>> = Some(Shape {
        encode: |about, output| match output {
            Ok(value) => completed(Payload::json(&value)),
            Err(error) => failed(about, &error, Payload::json),
        },
        decode: decode_result,
    });
    /// The same as bincode.
    pub const RESULT_BINCODE: Option<Shape<Result<T, E>>> = Some(Shape {
        encode: |about, output| match output {
            Ok(value) => completed(Payload::bincode(&value)),
            Err(error) => failed(about, &error, Payload::bincode),
        },
        decode: decode_result,
    });
}

fn decode_result<T: Recordable, E: Recordable>(
    outcome: &Outcome,
) -> Result<Decoded<Result<T, E>>, DecodeError> {
    match outcome {
        Outcome::Completed(value) => match value.decode() {
            Ok(value) => Ok(Decoded::Value(Ok(value))),
            Err(error) => Err(error),
        },
        Outcome::Failed(Failure::Returned(returned)) => match returned.error.decode() {
            Ok(error) => Ok(Decoded::Value(Err(error))),
            Err(error) => Err(error),
        },
        Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
    }
}

fn failed<E: Recordable>(
    about: &About,
    error: &E,
    encode: fn(&E) -> Result<Payload, EncodeError>,
) -> Result<Outcome, EncodeError> {
    let told = about.details.and_then(|details| details(error));
    let mut details = match told {
        Some(details) => details,
        None => plain_details(std::any::type_name::<E>(), json_text(error)?),
    };
    details.non_retryable = about.is_retryable.is_some_and(|ask| !ask(error));
    let error = encode(error)?;
    let returned = ReturnedError { error, details };
    Ok(Outcome::Failed(Failure::Returned(returned)))
}

fn plain_details(error_type: &str, message: String) -> FailureDetails {
    FailureDetails {
        error_type: error_type.to_owned(),
        message,
        causes: Vec::new(),
        non_retryable: false,
    }
}

fn json_text<E: Recordable>(error: &E) -> Result<String, EncodeError> {
    let json = Payload::json(error)?;
    Ok(String::from_utf8_lossy(json.bytes()).into_owned())
}

/// The other answers of [`DetailsProbe`].
pub trait NoDetails<T> {
    /// Its error is no `Error`.
    const OF_ERROR: Option<Details> = None;
    /// Its error is not `Display`.
    const OF_DISPLAY: Option<Details> = None;
}

impl<T> NoDetails<T> for DetailsProbe<T> {}

// By the error alone: the results of many functions have the same one.

impl<T, E: std::error::Error + 'static> DetailsProbe<Result<T, E>> {
    /// Its message and those of its sources.
    pub const OF_ERROR: Option<Details> = Some(details_of_error::<E>);
}

fn details_of_error<E: std::error::Error + 'static>(error: &dyn Any) -> Option<FailureDetails> {
    let error = error.downcast_ref::<E>()?;
    Some(FailureDetails::of(error, std::any::type_name::<E>()))
}

impl<T, E: Display + 'static> DetailsProbe<Result<T, E>> {
    /// Its message.
    pub const OF_DISPLAY: Option<Details> = Some(details_of_display::<E>);
}

fn details_of_display<E: Display + 'static>(error: &dyn Any) -> Option<FailureDetails> {
    let error = error.downcast_ref::<E>()?;
    Some(plain_details(std::any::type_name::<E>(), error.to_string()))
}

/// The other answer of [`FaultProbe`].
pub trait NoFault<T> {
    /// A fault has no place in it.
    const FROM_FAULT: Option<fn(Fault) -> T> = None;
}

impl<T> NoFault<T> for FaultProbe<T> {}

impl<T, E: From<Fault>> FaultProbe<Result<T, E>> {
    /// A fault is one of its errors.
    pub const FROM_FAULT: Option<fn(Fault) -> Result<T, E>> = Some(|fault| Err(E::from(fault)));
}

/// The other answer of [`RetryProbe`].
pub trait NoSay<T> {
    /// Its error does not know.
    const IS_RETRYABLE: Option<IsRetryable> = None;
}

impl<T> NoSay<T> for RetryProbe<T> {}

impl<T, E: Retryable + 'static> RetryProbe<Result<T, E>> {
    /// What its error says.
    pub const IS_RETRYABLE: Option<IsRetryable> = Some(is_retryable::<E>);
}

fn is_retryable<E: Retryable + 'static>(error: &dyn Any) -> bool {
    error.downcast_ref().is_none_or(E::is_retryable)
}

/// Is a `#[state]` parameter that is taken by value an `Arc`?
#[derive(Debug)]
pub struct StateProbe<P>(PhantomData<P>);

/// The other answer of [`StateProbe`]. Where the parameter is found its type is refused; this keeps it from being refused
/// again.
pub trait NotShared<P> {
    /// Never called.
    const IS_GIVEN: fn(&States) -> bool = |_| unreachable!("the parameter was refused");
}

impl<P> NotShared<P> for StateProbe<P> {}

impl<P: SharedState> StateProbe<P> {
    /// Whether an engine was given what the parameter shares.
    pub const IS_GIVEN: fn(&States) -> bool = |states| states.find::<P::Value>().is_some();
}

/// A `Result` with this error; what `retry(when = ..)` needs.
#[diagnostic::on_unimplemented(
    message = "[D108] `when` decides about errors, but the activity returns `{Self}`",
    label = "there is no error to decide about",
    note = "for an activity that returns `Result<_, E>`, `when` is a `fn(&E) -> bool`, or a `fn(&E) -> Retry`"
)]
pub trait Fails<E> {
    /// Reads a recorded error.
    ///
    /// # Errors
    /// If it is no `E`.
    fn read(error: &Payload) -> Result<E, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T, E: DeserializeOwned> Fails<E> for Result<T, E> {
    fn read(error: &Payload) -> Result<E, DecodeError> {
        error.decode()
    }
}

#[cfg(test)]
mod tests;
