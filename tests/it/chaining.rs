//! The first pattern, function chaining, with what it must do to count as supported.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Failure, HistoryEvent, Outcome, Registry, Status};
use serde::{Deserialize, Serialize};

use crate::support::{Gate, kinds};

const GREETINGS: [&str; 3] = ["Hello Tokyo!", "Hello Seattle!", "Hello London!"];

#[activity(name = "chaining.say_hello")]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[orchestrator(name = "chaining.hello_sequence")]
async fn hello_sequence() -> Vec<String> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(say_hello(city.to_owned()).await);
    }
    greetings
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("no car in {city}")]
struct NoCar {
    city: String,
}

static BOOKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[activity(name = "chaining.book_flight")]
async fn book_flight(city: String) -> u32 {
    BOOKED.lock().unwrap().push(format!("flight to {city}"));
    7
}

#[activity(name = "chaining.book_car")]
async fn book_car(city: String) -> Result<u32, NoCar> {
    Err(NoCar { city })
}

#[activity(name = "chaining.cancel_flight")]
async fn cancel_flight(flight: u32) {
    BOOKED
        .lock()
        .unwrap()
        .push(format!("flight {flight} cancelled"));
}

#[orchestrator(name = "chaining.compensated")]
async fn compensated(city: String) -> String {
    let flight = book_flight(city.clone()).await;
    match book_car(city).await {
        Ok(car) => format!("flight {flight}, car {car}"),
        Err(error) => {
            cancel_flight(flight).await;
            error.to_string()
        }
    }
}

#[orchestrator(name = "chaining.uncompensated")]
async fn uncompensated(city: String) -> Result<u32, NoCar> {
    let car = book_car(city).await?;
    Ok(car)
}

fn registry() -> Registry {
    Registry::new()
        .activity(say_hello)
        .activity(book_flight)
        .activity(book_car)
        .activity(cancel_flight)
        .orchestrator(hello_sequence)
        .orchestrator(compensated)
        .orchestrator(uncompensated)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

#[tokio::test]
async fn a_the_output_is_the_three_greetings() {
    let engine = engine();
    let handle = engine.start(hello_sequence()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), GREETINGS);
}

static STEPS: [Gate; 3] = [Gate::new(), Gate::new(), Gate::new()];
static RUNS: AtomicU32 = AtomicU32::new(0);

#[activity(name = "chaining.stepped")]
async fn stepped(step: usize, city: String) -> (u32, String) {
    let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
    STEPS.get(step).unwrap().pass().await;
    (run, format!("Hello {city}!"))
}

#[orchestrator(name = "chaining.stepped_sequence")]
async fn stepped_sequence() -> Vec<(u32, String)> {
    let mut greetings = Vec::new();
    for (step, city) in ["Tokyo", "Seattle", "London"].into_iter().enumerate() {
        greetings.push(stepped(step, city.to_owned()).await);
    }
    greetings
}

#[tokio::test]
async fn b_killed_after_each_commit_recorded_results_are_used_and_the_output_is_the_same() {
    let registry = || {
        Registry::new()
            .activity(stepped)
            .orchestrator(stepped_sequence)
    };
    let mut engine = TestEngine::builder().registry(registry()).start().unwrap();
    engine.start(stepped_sequence()).id("chain").await.unwrap();
    let mut crashes = 0;
    for gate in &STEPS {
        // The commit that scheduled this step is on disk, its outcome is not: dies here, twice.
        for _ in 0..2 {
            engine.settle().await;
            engine = engine.restart_with(registry()).await.unwrap();
            crashes += 1;
        }
        engine.settle().await;
        gate.open();
    }
    let handle = engine
        .handle(stepped_sequence, "chain")
        .await
        .unwrap()
        .unwrap();
    let results = handle.result().await.unwrap();
    let engine = engine.restart_with(registry()).await.unwrap();
    let handle = engine
        .handle(stepped_sequence, "chain")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        handle.result().await.unwrap(),
        results,
        "after the last commit too"
    );
    assert!(results.iter().map(|(_, greeting)| greeting).eq(GREETINGS));
    // Each result is that of the run that was recorded: the third of its step.
    assert!(
        results.iter().map(|(run, _)| *run).eq([3, 6, 9]),
        "{results:?}"
    );
    assert_eq!(RUNS.load(Ordering::SeqCst), 3 + crashes);
    check_replay(&registry(), &handle.history().await.unwrap()).unwrap();
}

#[tokio::test]
async fn c_an_error_is_caught_by_its_type_and_compensated() {
    let engine = engine();
    let handle = engine.start(compensated("Oslo".to_owned())).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "no car in Oslo");
    assert_eq!(handle.status().await.unwrap(), Status::Completed);
    assert_eq!(
        *BOOKED.lock().unwrap(),
        ["flight to Oslo", "flight 7 cancelled"]
    );
}

#[tokio::test]
async fn c_an_error_that_is_not_caught_fails_with_the_details_of_the_activity() {
    let engine = engine();
    let handle = engine
        .start(uncompensated("Oslo".to_owned()))
        .await
        .unwrap();
    let error = NoCar {
        city: "Oslo".to_owned(),
    };
    assert_eq!(handle.result().await.unwrap(), Err(error));
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.status, Status::Failed);
    let Some(Outcome::Failed(Failure::Returned(returned))) = summary.outcome else {
        panic!("{:?}", summary.outcome);
    };
    assert_eq!(returned.details.message, "no car in Oslo");
    assert!(
        returned.details.error_type.ends_with("NoCar"),
        "{:?}",
        returned.details
    );
}

#[tokio::test]
async fn d_the_history_has_three_pairs_with_rising_numbers() {
    let engine = engine();
    let handle = engine.start(hello_sequence()).await.unwrap();
    handle.wait().await.unwrap();
    let history = handle.history().await.unwrap();
    let pair = ["activity", "activity completed", "turn"];
    let expected = [
        &["started", "turn"][..],
        &pair,
        &pair,
        &pair,
        &["completed"],
    ]
    .concat();
    assert_eq!(kinds(&history), expected);
    let ids = history.iter().filter_map(|event| match event {
        HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled.id.0),
        HistoryEvent::ActivityCompleted(completed) => Some(completed.scheduled.0),
        _ => None,
    });
    assert!(ids.eq([0, 0, 1, 1, 2, 2]));
}
