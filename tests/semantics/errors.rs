//! ERR: errors.

use durable_runtime::prelude::*;
use durable_runtime::{Failure, FaultKind, HistoryEvent, Outcome, Status};
use serde::{Deserialize, Serialize};

use crate::support::{activities, engine, instance, replayed, settled};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
enum TripError {
    #[error("no room in {0}")]
    NoRoom(String),
    #[error("the line is dead")]
    Dead(#[source] Cause),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("cable {0}")]
struct Cause(u32);

#[activity(name = "err.reserve")]
async fn reserve(town: String) -> Result<u32, TripError> {
    match town.as_str() {
        "Oslo" => Err(TripError::NoRoom(town)),
        "Bergen" => Err(TripError::Dead(Cause(7))),
        "Voss" => panic!("no such desk"),
        _ => Ok(1),
    }
}

#[activity(name = "err.undo")]
async fn undo(room: u32) -> u32 {
    room
}

#[orchestrator(name = "err.trip")]
async fn trip(town: String) -> Result<u32, TripError> {
    sleep(hours(1)).await;
    reserve(town).await
}

#[tokio::test]
async fn err_1_a_failure_tells_type_message_and_causes() {
    let engine = engine();
    let handle = engine.start(trip("Bergen".to_owned())).await.unwrap();
    let summary = handle.wait().await.unwrap();
    let Some(Outcome::Failed(Failure::Returned(returned))) = summary.outcome else {
        panic!("{summary:?}");
    };
    let details = returned.details;
    assert!(details.error_type.ends_with("TripError"), "{details:?}");
    assert_eq!(details.message, "the line is dead");
    assert_eq!(details.causes, ["cable 7"]);
    assert!(!details.non_retryable);
}

#[tokio::test]
async fn err_2_what_nobody_catches_ends_the_orchestration_as_failed() {
    let engine = engine();
    let failed = engine.start(trip("Oslo".to_owned())).await.unwrap();
    assert_eq!(failed.wait().await.unwrap().status, Status::Failed);
    let history = replayed(&failed).await;
    let is_failed = |event: &HistoryEvent| matches!(event, HistoryEvent::ActivityFailed(_));
    assert!(history.iter().any(is_failed));
    let faulted = engine.start(trip("Voss".to_owned())).await.unwrap();
    let error = faulted.result().await.unwrap_err();
    let fault = error.fault().unwrap();
    assert_eq!(
        (fault.kind(), fault.subject(), fault.message()),
        (FaultKind::Panicked, "err.reserve", "no such desk")
    );
    assert_eq!(faulted.status().await.unwrap(), Status::Failed);
}

#[tokio::test]
async fn err_3_the_error_itself_travels_from_activity_to_client() {
    let mut engine = engine();
    for town in ["Oslo", "Bergen"] {
        engine.start(trip(town.to_owned())).id(town).await.unwrap();
    }
    engine.settle().await;
    engine.advance(hours(1)).await;
    engine = engine.restart().await.unwrap();
    let expected = [
        ("Oslo", TripError::NoRoom("Oslo".to_owned())),
        ("Bergen", TripError::Dead(Cause(7))),
    ];
    for (town, error) in expected {
        let handle = engine.handle(trip, town).await.unwrap().unwrap();
        assert_eq!(handle.result().await.unwrap(), Err(error));
    }
}

#[orchestrator(name = "err.saga")]
async fn saga() -> Result<u32, String> {
    let mut reserved = Vec::new();
    for town in ["Moss", "Hamar", "Oslo"] {
        match reserve(town.to_owned()).await {
            Ok(_) => reserved.push(u32::try_from(town.len()).unwrap_or_default()),
            Err(error) => {
                while let Some(room) = reserved.pop() {
                    undo(room).await;
                }
                return Err(error.to_string());
            }
        }
    }
    Ok(0)
}

#[tokio::test]
async fn err_4_compensation_is_ordinary_code() {
    let engine = engine();
    let handle = engine.start(saga()).await.unwrap();
    let expected = Err("no room in Oslo".to_owned());
    assert_eq!(handle.result().await.unwrap(), expected);
    let history = replayed(&handle).await;
    let undone = activities(&history)
        .into_iter()
        .filter(|it| it.name == "err.undo");
    let rooms: Vec<u32> = undone.map(|it| it.input.decode().unwrap()).collect();
    assert_eq!(rooms, [5, 4], "the last one first");
}

#[tokio::test]
async fn err_5_the_end_of_an_engine_fails_no_orchestration() {
    let mut engine = engine();
    engine
        .start(trip("Moss".to_owned()))
        .id("err-5")
        .await
        .unwrap();
    for _ in 0..2 {
        engine.settle().await;
        engine.shutdown().await;
        engine = engine.restart().await.unwrap();
        assert_eq!(settled(&engine, "err-5").await.status, Status::Running);
    }
    let ended = instance(&engine, "err-5").await.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
}
