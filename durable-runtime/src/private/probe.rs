//! Questions about a type, answered where it is concrete: is it recordable, is it a `Result`, is its error an `Error`?
//!
//! An inherent associated constant is found before one of a trait. So `Probe::<T>::ANSWER` is the inherent one if the
//! bounds of its impl hold, else the trait's, which is there for every type. This sees through aliases, and a missing
//! derive is reported once, in the signature, instead of at each use.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::activity::{SharedState, States};
use crate::definition::Decoded;
use crate::durable::Recordable;
use crate::failure::{Failure, FailureDetails, Fault, Outcome, ReturnedError};
use crate::payload::{Codec, DecodeError, EncodeError, Payload};
use crate::retry::Retryable;

/// How an input is written and read.
#[derive(Debug)]
pub struct InputCodec<T> {
    /// Writes it.
    pub encode: fn(Codec, &T) -> Result<Payload, EncodeError>,
    /// Reads it.
    pub decode: fn(&Payload) -> Result<T, DecodeError>,
}

/// How an account of an output's error is made; `None` for an output without one.
pub type Details<Out> = fn(&Out) -> Option<FailureDetails>;

/// Whether what an output's error tells of could end otherwise in another attempt.
pub type IsRetryable<Out> = fn(&Out) -> bool;

/// How an output is written, with the details of its error.
pub type Encode<Out> = fn(Codec, Out, Option<Details<Out>>) -> Result<Outcome, EncodeError>;

/// How an output is told apart in value and error, written and read.
pub struct Shape<Out> {
    /// Writes it, with the details of its error.
    pub encode: Encode<Out>,
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
    const CODEC: InputCodec<T> = InputCodec {
        encode: |_, _| unreachable!("the signature was refused"),
        decode: |_| unreachable!("the signature was refused"),
    };
    /// Never called.
    const SHAPE: Shape<T> = Shape {
        encode: |_, _, _| unreachable!("the signature was refused"),
        decode: |_| unreachable!("the signature was refused"),
    };
}

impl<T> NotRecordable<T> for InputProbe<T> {}
impl<T> NotRecordable<T> for ValueProbe<T> {}

impl<T: Recordable> InputProbe<T> {
    /// Recordable.
    pub const IS_RECORDABLE: bool = true;
    /// As its `serde` impls have it.
    pub const CODEC: InputCodec<T> = InputCodec {
        encode: Payload::encode,
        decode: Payload::decode,
    };
}

impl<T: Recordable> ValueProbe<T> {
    /// Always completed.
    pub const SHAPE: Shape<T> = Shape {
        encode: |codec, value, _| Payload::encode(codec, &value).map(Outcome::Completed),
        decode: |outcome| match outcome {
            Outcome::Completed(value) => value.decode().map(Decoded::Value),
            Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
            Outcome::Failed(Failure::Returned(returned)) => Err(DecodeError::shape::<T>(
                returned.error.codec(),
                "it is the error of a function that returned a `Result` then",
            )),
        },
    };
}

/// The other answer of [`ResultProbe`].
pub trait NotAResult<T> {
    /// Not a `Result`.
    const SHAPE: Option<Shape<T>> = None;
}

impl<T> NotAResult<T> for ResultProbe<T> {}

impl<T: Recordable, E: Recordable> ResultProbe<Result<T, E>> {
    /// Completed with what is in `Ok`, failed with what is in `Err`.
    pub const SHAPE: Option<Shape<Result<T, E>>> = Some(Shape {
        encode: |codec, output, details| {
            let told = details.and_then(|details| details(&output));
            match output {
                Ok(value) => Payload::encode(codec, &value).map(Outcome::Completed),
                Err(error) => encode_error(codec, &error, told).map(Outcome::Failed),
            }
        },
        decode: |outcome| match outcome {
            Outcome::Completed(value) => value.decode().map(|value| Decoded::Value(Ok(value))),
            Outcome::Failed(Failure::Returned(returned)) => returned
                .error
                .decode()
                .map(|error| Decoded::Value(Err(error))),
            Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
        },
    });
}

fn encode_error<E: Recordable>(
    codec: Codec,
    error: &E,
    told: Option<FailureDetails>,
) -> Result<Failure, EncodeError> {
    let details = match told {
        Some(details) => details,
        None => FailureDetails {
            error_type: std::any::type_name::<E>().to_owned(),
            message: json_text(error)?,
            causes: Vec::new(),
            non_retryable: false,
        },
    };
    let error = Payload::encode(codec, error)?;
    Ok(Failure::Returned(ReturnedError { error, details }))
}

fn json_text<E: Recordable>(error: &E) -> Result<String, EncodeError> {
    let json = Payload::json(error)?;
    Ok(String::from_utf8_lossy(json.bytes()).into_owned())
}

/// The other answers of [`DetailsProbe`].
pub trait NoDetails<T> {
    /// Its error is no `Error`.
    const OF_ERROR: Option<Details<T>> = None;
    /// Its error is not `Display`.
    const OF_DISPLAY: Option<Details<T>> = None;
}

impl<T> NoDetails<T> for DetailsProbe<T> {}

impl<T, E: std::error::Error + 'static> DetailsProbe<Result<T, E>> {
    /// Its message and those of its sources.
    pub const OF_ERROR: Option<Details<Result<T, E>>> = Some(|output| {
        let error = output.as_ref().err()?;
        Some(FailureDetails::of(error, std::any::type_name::<E>()))
    });
}

impl<T, E: Display> DetailsProbe<Result<T, E>> {
    /// Its message.
    pub const OF_DISPLAY: Option<Details<Result<T, E>>> = Some(|output| {
        let error = output.as_ref().err()?;
        Some(FailureDetails {
            error_type: std::any::type_name::<E>().to_owned(),
            message: error.to_string(),
            causes: Vec::new(),
            non_retryable: false,
        })
    });
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
    const IS_RETRYABLE: Option<IsRetryable<T>> = None;
}

impl<T> NoSay<T> for RetryProbe<T> {}

impl<T, E: Retryable> RetryProbe<Result<T, E>> {
    /// What its error says.
    pub const IS_RETRYABLE: Option<IsRetryable<Result<T, E>>> =
        Some(|output| output.as_ref().err().is_none_or(E::is_retryable));
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
