//! Definitions as the attributes would make them: two activities, a child and the orchestrator itself.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::activity::States;
use crate::definition::{
    About, ActivityDef, ActivityFuture, ActivityMarker, ActivityOptions, Decoded, OrchestratorDef,
    OrchestratorMarker, OutputCodec, Place,
};
use crate::failure::{Failure, FailureDetails, Fault, FaultKind, Outcome, ReturnedError};
use crate::orchestration::{ActivityCall, OrchestratorCall};
use crate::payload::{Codec, DecodeError, EncodeError, Payload};
use crate::retry::{Retry, RetryPolicy};
use crate::sites::SiteTable;

/// An error that an activity declares.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Declined {
    Card,
    Fault(String),
}

impl From<Fault> for Declined {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

pub(super) fn returned(error: &impl Serialize) -> Failure {
    Failure::Returned(ReturnedError {
        error: Payload::json(error).unwrap(),
        details: FailureDetails {
            error_type: "Declined".to_owned(),
            message: "declined".to_owned(),
            causes: Vec::new(),
            non_retryable: false,
        },
    })
}

pub(super) fn panicked() -> Failure {
    Failure::Fault(Fault::new(FaultKind::Panicked, "charge", "boom"))
}

/// The codec of a function that returns a plain value.
pub(super) fn encode_value<T: Serialize>(_: &About, value: T) -> Result<Outcome, EncodeError> {
    Payload::json(&value).map(Outcome::Completed)
}

pub(super) fn decode_value<T: DeserializeOwned>(
    outcome: &Outcome,
) -> Result<Decoded<T>, DecodeError> {
    match outcome {
        Outcome::Completed(payload) => payload.decode().map(Decoded::Value),
        Outcome::Failed(Failure::Fault(fault)) => Ok(Decoded::Fault(fault.clone())),
        Outcome::Failed(Failure::Returned(_)) => {
            Err(DecodeError::shape::<T>(Codec::Json, "an error is recorded"))
        }
    }
}

/// The codec of a function that returns a `Result`.
pub(super) fn encode_result<T: Serialize, E: Serialize>(
    _: &About,
    value: Result<T, E>,
) -> Result<Outcome, EncodeError> {
    Ok(match value {
        Ok(value) => Outcome::Completed(Payload::json(&value)?),
        Err(error) => Outcome::Failed(returned(&error)),
    })
}

pub(super) fn decode_result<T: DeserializeOwned, E: DeserializeOwned>(
    outcome: &Outcome,
) -> Result<Decoded<Result<T, E>>, DecodeError> {
    Ok(match outcome {
        Outcome::Completed(payload) => Decoded::Value(Ok(payload.decode()?)),
        Outcome::Failed(Failure::Returned(error)) => Decoded::Value(Err(error.error.decode()?)),
        Outcome::Failed(Failure::Fault(fault)) => Decoded::Fault(fault.clone()),
    })
}

pub(super) const PLACE: Place = Place {
    file: "flow.rs",
    line: 1,
    column: 1,
};

pub(super) const OPTIONS: ActivityOptions = ActivityOptions {
    retry: RetryPolicy::NONE,
    attempt_timeout: None,
    heartbeat_timeout: None,
    limit: None,
    codec: Codec::Json,
    is_blocking: false,
};

/// Runs an activity of one argument outside an engine.
fn run<I: DeserializeOwned + Send + 'static, O: Serialize + Send + 'static>(
    input: &Payload,
    body: fn(I) -> O,
    encode: fn(&About, O) -> Result<Outcome, EncodeError>,
) -> Result<ActivityFuture, DecodeError> {
    let input = input.decode()?;
    Ok(Box::pin(async move {
        encode(&About::NOTHING, body(input)).unwrap()
    }))
}

/// `async fn double(n: u32) -> u32`.
pub(super) struct Double;

impl ActivityMarker<u32> for Double {
    const DEF: &'static ActivityDef = &ActivityDef {
        name: "double",
        place: PLACE,
        options: OPTIONS,
        retry_when: None,
        states: &[],
        run: |input, _: &States| run(input, |n: u32| n * 2, encode_value),
    };
    const OUT: &'static OutputCodec<u32> = &OutputCodec {
        encode: encode_value,
        about: About::NOTHING,
        decode: decode_value,
        from_fault: None,
    };
}

#[track_caller]
pub(super) fn double(n: u32) -> ActivityCall<u32, Double> {
    ActivityCall::__new(Payload::json(&n))
}

/// `async fn charge(cents: u32) -> Result<String, Declined>`, with three attempts but not if the card is declined.
pub(super) struct Charge;

impl ActivityMarker<Result<String, Declined>> for Charge {
    const DEF: &'static ActivityDef = &ActivityDef {
        name: "charge",
        place: PLACE,
        options: ActivityOptions {
            retry: RetryPolicy::attempts(3),
            ..OPTIONS
        },
        retry_when: Some(|failure| match failure {
            Failure::Returned(error) => (error.error.bytes() != br#""Card""#).into(),
            Failure::Fault(_) => Retry::AsPolicy,
        }),
        states: &[],
        run: |input, _: &States| {
            run(
                input,
                |cents: u32| Ok::<_, Declined>(format!("{cents} charged")),
                encode_result,
            )
        },
    };
    const OUT: &'static OutputCodec<Result<String, Declined>> = &OutputCodec {
        encode: encode_result,
        about: About::NOTHING,
        decode: decode_result,
        from_fault: Some(|fault| Err(fault.into())),
    };
}

#[track_caller]
pub(super) fn charge(cents: u32) -> ActivityCall<Result<String, Declined>, Charge> {
    ActivityCall::__new(Payload::json(&cents))
}

/// Written by hand, so their commands go by their places.
static NO_SITES: SiteTable = SiteTable {
    function: "",
    is_helper: false,
    place: PLACE,
    sites: &[],
    flow: &[],
};

/// `async fn ship(order: Value) -> String`, version 2.
pub(super) struct Ship;

impl OrchestratorMarker<String> for Ship {
    const DEF: &'static OrchestratorDef = &OrchestratorDef {
        name: "ship",
        version: Some("2"),
        place: PLACE,
        codec: Codec::Json,
        run: |_| {
            Ok(Box::pin(async {
                Outcome::Completed(Payload::json(&json!("shipped")).unwrap())
            }))
        },
        output: Self::OUT,
        allowances: &[],
        sites: &NO_SITES,
    };
    const OUT: &'static OutputCodec<String> = &OutputCodec {
        encode: encode_value,
        about: About::NOTHING,
        decode: decode_value,
        from_fault: None,
    };
}

#[track_caller]
pub(super) fn ship(order: &Value) -> OrchestratorCall<String, Ship> {
    OrchestratorCall::__new(Payload::json(order))
}

/// `async fn flow(round: u32) -> u32`, the orchestrator that the tests run.
pub(super) struct Flow;

impl OrchestratorMarker<u32> for Flow {
    const DEF: &'static OrchestratorDef = &OrchestratorDef {
        name: "flow",
        version: None,
        place: PLACE,
        codec: Codec::Json,
        run: |_| Ok(Box::pin(std::future::pending())),
        output: Self::OUT,
        allowances: &[],
        sites: &NO_SITES,
    };
    const OUT: &'static OutputCodec<u32> = &OutputCodec {
        encode: encode_value,
        about: About::NOTHING,
        decode: decode_value,
        from_fault: None,
    };
}

#[track_caller]
pub(super) fn flow(round: u32) -> OrchestratorCall<u32, Flow> {
    OrchestratorCall::__new(Payload::json(&round))
}
