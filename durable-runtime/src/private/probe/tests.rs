use serde::{Deserialize, Serialize};

use super::*;
use crate::payload::Codec;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plain(u8);

#[derive(Debug, Serialize, Deserialize)]
struct Shown(u8);

impl Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "shown {}", self.0)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("outer")]
struct Chained {
    #[source]
    source: Inner,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("inner")]
struct Inner {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Declared {
    Fault(Fault),
}

impl From<Fault> for Declared {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

struct Unrecordable;

type Alias = Result<u8, Chained>;

/// The details as an expansion finds them.
macro_rules! details {
    ($ty:ty) => {
        DetailsProbe::<$ty>::OF_ERROR.or(DetailsProbe::<$ty>::OF_DISPLAY)
    };
}

fn failure<Out>(shape: Shape<Out>, output: Out, details: Option<Details>) -> ReturnedError {
    let about = About {
        details,
        is_retryable: None,
    };
    match (shape.encode)(&about, output).unwrap() {
        Outcome::Failed(Failure::Returned(returned)) => returned,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_result_is_known_through_an_alias() {
    assert!(ResultProbe::<Alias>::RESULT_JSON.is_some());
    assert!(ResultProbe::<u8>::RESULT_JSON.is_none());
    assert!(ResultProbe::<Option<u8>>::RESULT_JSON.is_none());
    assert!(ResultProbe::<Result<u8, Unrecordable>>::RESULT_JSON.is_none());
}

#[test]
fn a_type_without_serde_is_told_from_one_with() {
    let answers = [
        InputProbe::<Vec<Plain>>::IS_RECORDABLE,
        InputProbe::<Vec<Unrecordable>>::IS_RECORDABLE,
    ];
    assert_eq!(answers, [true, false]);
}

#[test]
fn an_error_tells_its_message_and_causes() {
    let shape = ResultProbe::<Alias>::RESULT_JSON.unwrap();
    let returned = failure(shape, Err(Chained { source: Inner {} }), details!(Alias));
    assert_eq!(returned.details.message, "outer");
    assert_eq!(returned.details.causes, ["inner"]);
    assert!(returned.details.error_type.ends_with("::Chained"));
    let decoded = (shape.decode)(&Outcome::Failed(Failure::Returned(returned))).unwrap();
    match decoded {
        Decoded::Value(value) => assert_eq!(value, Err(Chained { source: Inner {} })),
        Decoded::Fault(fault) => panic!("{fault}"),
    }
}

#[test]
fn what_is_only_displayed_tells_that_and_what_is_not_is_told_as_json() {
    type Displayed = Result<(), Shown>;
    type Silent = Result<(), Plain>;
    let shown = failure(
        ResultProbe::<Displayed>::RESULT_JSON.unwrap(),
        Err(Shown(3)),
        details!(Displayed),
    );
    assert_eq!(shown.details.message, "shown 3");
    let silent = failure(
        ResultProbe::<Silent>::RESULT_JSON.unwrap(),
        Err(Plain(3)),
        details!(Silent),
    );
    assert_eq!(silent.details.message, "3");
    assert_eq!(silent.details.causes, Vec::<String>::new());
}

#[test]
fn a_value_is_always_completed_and_a_recorded_error_is_none() {
    let shape = ValueProbe::<Plain>::VALUE_BINCODE;
    let outcome = (shape.encode)(&About::NOTHING, Plain(7)).unwrap();
    let Outcome::Completed(payload) = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(payload.codec(), Codec::Bincode);
    match (shape.decode)(&outcome).unwrap() {
        Decoded::Value(value) => assert_eq!(value, Plain(7)),
        Decoded::Fault(fault) => panic!("{fault}"),
    }
    let then = failure(
        ResultProbe::<Result<Plain, u8>>::RESULT_JSON.unwrap(),
        Err(1),
        None,
    );
    let error = (shape.decode)(&Outcome::Failed(Failure::Returned(then))).unwrap_err();
    assert!(
        error.to_string().contains("returned a `Result` then"),
        "{error}"
    );
}

#[test]
fn a_fault_becomes_the_declared_error_where_that_can_hold_it() {
    let fault = Fault::new(crate::failure::FaultKind::Panicked, "charge", "boom");
    let from_fault = FaultProbe::<Result<u8, Declared>>::FROM_FAULT.unwrap();
    assert_eq!(from_fault(fault.clone()), Err(Declared::Fault(fault)));
    assert!(FaultProbe::<Result<u8, String>>::FROM_FAULT.is_none());
    assert!(FaultProbe::<Declared>::FROM_FAULT.is_none());
}
