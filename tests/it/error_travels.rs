//! One error all the way: from an activity to the orchestrator that awaits it, to the parent of that, to whoever awaits an
//! instance that is no child, and to the client; with the engine killed at each point on the way.

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Failure, FaultKind, HistoryEvent, Outcome, Registry, Status, WaitError};
use serde::{Deserialize, Serialize};

use crate::support::{engine, instance};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum CargoError {
    #[error("no room for {crates} crates in hold {hold:?}")]
    NoRoom { crates: u32, hold: Option<String> },
    #[error("the crane is broken")]
    Crane(#[source] CraneError),
    #[error("the ship is lost")]
    Lost(#[from] Fault),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("the winch of crane {crane} stands still")]
struct CraneError {
    crane: u8,
    #[source]
    cause: PowerError,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("no power since {minutes} minutes")]
struct PowerError {
    minutes: f64,
}

fn no_room() -> CargoError {
    CargoError::NoRoom {
        crates: 12,
        hold: Some("aft".to_owned()),
    }
}

fn broken() -> CargoError {
    CargoError::Crane(CraneError {
        crane: 3,
        cause: PowerError { minutes: 1.5 },
    })
}

#[activity(name = "travels.load")]
async fn load(what: String) -> Result<u32, CargoError> {
    match (what.as_str(), activity::attempt()) {
        ("crates", _) | ("crane", 1) => Err(no_room()),
        ("crane", _) => Err(broken()),
        ("ghosts", _) => panic!("there are no ghosts"),
        _ => Ok(1),
    }
}

/// Tries again where there was no room: by the variant and what it holds.
#[orchestrator(name = "travels.child")]
async fn child(what: String) -> Result<u32, CargoError> {
    let policy = RetryPolicy::attempts(2).initial(minutes(10));
    let is_full = |error: &CargoError| matches!(error, CargoError::NoRoom { crates: 12, .. });
    let loaded = load(what).retry(policy).retry_when(is_full).await;
    // Still itself after some time and another step.
    sleep(hours(1)).await;
    match &loaded {
        Err(CargoError::Crane(crane)) => {
            assert_eq!(crane.cause.minutes.to_bits(), 1.5_f64.to_bits());
        }
        Err(CargoError::NoRoom { hold, .. }) => assert_eq!(hold.as_deref(), Some("aft")),
        Err(CargoError::Lost(fault)) => assert_eq!(fault.kind(), FaultKind::Panicked),
        Ok(_) => {}
    }
    loaded
}

#[orchestrator(name = "travels.parent")]
async fn parent(what: String) -> Result<u32, CargoError> {
    match child(what).await {
        Err(error) => {
            sleep(hours(1)).await;
            Err(error)
        }
        loaded => loaded,
    }
}

/// Awaits the parent though it is not its own.
#[orchestrator(name = "travels.bystander")]
async fn bystander(what: String) -> Result<u32, CargoError> {
    let voyage = start(parent(what)).await;
    voyage.result().await
}

/// Takes any error, as those do who have none of their own.
#[orchestrator(name = "travels.anyone")]
async fn anyone(what: String) -> Result<u32, Error> {
    Ok(bystander(what).await?)
}

/// Runs it to its end and kills the engine whenever nothing runs, so at every point of the way.
async fn over_kills(engine: TestEngine, id: &str) -> TestEngine {
    let mut engine = engine;
    for _ in 0..40 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
        if instance(&engine, id).await.status().await.unwrap() != Status::Running {
            return engine;
        }
        engine.advance(minutes(10)).await;
    }
    panic!("it did not end");
}

#[tokio::test]
async fn a_typed_error_reaches_orchestrator_parent_and_client_as_it_was() {
    for (what, error) in [("crates", no_room()), ("crane", broken())] {
        let engine = engine();
        let start = engine.start(bystander(what.to_owned()));
        start.id("bystander").await.unwrap();
        let engine = over_kills(engine, "bystander").await;
        let handle = engine
            .handle(bystander, "bystander")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(handle.result().await.unwrap(), Err(error.clone()));
        // Everyone who had it in hand replays to the same.
        let history = handle.history().await.unwrap();
        check_replay(&Registry::linked(), &history).unwrap();
        let told = history.iter().find_map(|event| match event {
            HistoryEvent::DetachedFailed(failed) => Some(&failed.failure),
            _ => None,
        });
        let Some(Failure::Returned(told)) = told else {
            panic!("{history:?}");
        };
        assert_eq!(told.error.decode::<CargoError>().unwrap(), error);
        assert!(told.details.error_type.ends_with("::CargoError"));
    }
}

#[tokio::test]
async fn an_error_of_any_type_keeps_its_account_and_causes() {
    let engine = engine();
    let start = engine.start(anyone("crane".to_owned()));
    start.id("anyone").await.unwrap();
    let engine = over_kills(engine, "anyone").await;
    let handle = engine.handle(anyone, "anyone").await.unwrap().unwrap();
    let error = handle.result().await.unwrap().unwrap_err();
    let causes = [
        "the winch of crane 3 stands still",
        "no power since 1.5 minutes",
    ];
    assert_eq!(error.causes(), causes);
    assert!(error.type_name().ends_with("::CargoError"));
    let whole = format!("the crane is broken: {}", causes.join(": "));
    assert_eq!(error.to_string(), whole);
    // A reader without the type finds the same.
    let summary = handle.summary().await.unwrap();
    let Some(Outcome::Failed(failure)) = &summary.outcome else {
        panic!("{summary:?}");
    };
    assert_eq!(failure.to_string(), whole);
}

#[tokio::test]
async fn a_fault_becomes_the_variant_for_it_and_travels_on_as_an_error() {
    let engine = engine();
    let start = engine.start(bystander("ghosts".to_owned()));
    start.id("ghosts").await.unwrap();
    let engine = over_kills(engine, "ghosts").await;
    let handle = engine.handle(bystander, "ghosts").await.unwrap().unwrap();
    let Err(CargoError::Lost(fault)) = handle.result().await.unwrap() else {
        panic!("no fault");
    };
    assert_eq!(
        (fault.kind(), fault.subject()),
        (FaultKind::Panicked, "travels.load")
    );
    assert_eq!(fault.message(), "there are no ghosts");
}

/// Declares no error, so the fault ends it, and that of its own callers.
#[orchestrator(name = "travels.faulting")]
async fn faulting() -> u32 {
    load_ghosts().await
}

#[activity(name = "travels.load_ghosts")]
async fn load_ghosts() -> u32 {
    panic!("there are no ghosts")
}

#[orchestrator(name = "travels.faulting_parent")]
async fn faulting_parent() -> u32 {
    sleep(minutes(30)).await;
    faulting().await
}

#[tokio::test]
async fn an_uncaught_fault_tells_a_client_where_it_began() {
    let engine = engine();
    engine
        .start(faulting_parent())
        .id("faulting")
        .await
        .unwrap();
    let engine = over_kills(engine, "faulting").await;
    let handle = engine
        .handle(faulting_parent, "faulting")
        .await
        .unwrap()
        .unwrap();
    let error = handle.result().await.unwrap_err();
    assert!(matches!(error, WaitError::Fault(_)));
    let whole = "`travels.load_ghosts` panicked: there are no ghosts";
    assert_eq!(error.fault().unwrap().to_string(), whole);
    // What `main` returns is printed as `Debug`, what a program logs as `Display`: both tell it all.
    for told in [format!("{error:?}"), error.to_string()] {
        assert_eq!(told, format!("the orchestration failed: {whole}"));
    }
}
