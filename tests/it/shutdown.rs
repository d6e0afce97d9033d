//! The end of a threaded engine: what runs is given time, nothing recorded is lost, the file is free.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, RaiseError, Registry, StartError, Status, WaitError};
use tokio::sync::Semaphore;

use crate::real_files::Scratch;
use crate::support::kinds;

static GO: Event<u32> = Event::new("shutdown-go");

/// How a test and the activities it runs meet.
pub(crate) struct Meeting {
    begun: Semaphore,
    may_end: Semaphore,
    deliveries: std::sync::Mutex<Vec<(u32, u32)>>,
}

impl Meeting {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Semaphore::new(0),
            may_end: Semaphore::new(0),
            deliveries: std::sync::Mutex::default(),
        })
    }

    /// Waits until an activity has begun.
    async fn begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }
}

#[activity(name = "shutdown.works")]
async fn works(#[state] meeting: &Arc<Meeting>, n: u32) -> u32 {
    meeting
        .deliveries
        .lock()
        .unwrap()
        .push((activity::attempt(), activity::delivery()));
    meeting.begun.add_permits(1);
    meeting.may_end.acquire().await.unwrap().forget();
    n + 1
}

#[orchestrator(name = "shutdown.two_steps")]
async fn two_steps(n: u32) -> u32 {
    let n = works(n).await;
    works(n).await
}

#[orchestrator(name = "shutdown.patient")]
async fn patient() -> u32 {
    GO.wait().await
}

async fn open(scratch: &Scratch, meeting: &Arc<Meeting>) -> Engine {
    let registry = Registry::new()
        .activity(works)
        .orchestrator(two_steps)
        .orchestrator(patient);
    let builder = Engine::builder(scratch.file()).registry(registry);
    builder.state(Arc::clone(meeting)).open().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_ends_in_time_is_recorded_and_not_run_again() {
    let scratch = Scratch::new("ends-in-time");
    let meeting = Meeting::new();
    let engine = open(&scratch, &meeting).await;
    engine.start(two_steps(1)).id("one").await.unwrap();
    meeting.begun().await;
    let mut stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown_within(Duration::from_secs(60)).await }
    });
    let waiting = tokio::time::timeout(Duration::from_millis(100), &mut stopping).await;
    assert!(waiting.is_err(), "it must wait for the activity");
    meeting.may_end.add_permits(1);
    stopping.await.unwrap();
    drop(engine);
    // The outcome is there; the next step was not started any more.
    assert_eq!(meeting.deliveries.lock().unwrap().len(), 1);
    let engine = open(&scratch, &meeting).await;
    let handle = engine.handle(two_steps, "one").await.unwrap().unwrap();
    let history = handle.history().await.unwrap();
    assert_eq!(kinds(&history)[3], "activity completed");
    meeting.begun().await;
    meeting.may_end.add_permits(1);
    assert_eq!(handle.result().await.unwrap(), 3);
    assert_eq!(meeting.deliveries.lock().unwrap().len(), 2);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_does_not_end_in_time_runs_again_at_the_next_open() {
    let scratch = Scratch::new("out-of-time");
    let meeting = Meeting::new();
    let engine = open(&scratch, &meeting).await;
    engine.start(two_steps(1)).id("one").await.unwrap();
    meeting.begun().await;
    engine.shutdown_within(Duration::from_millis(20)).await;
    let engine = open(&scratch, &meeting).await;
    let handle = engine.handle(two_steps, "one").await.unwrap().unwrap();
    meeting.may_end.add_permits(2);
    assert_eq!(handle.result().await.unwrap(), 3);
    let history = handle.history().await.unwrap();
    let runs = ["activity", "activity completed", "turn"];
    let expected = [&["started", "turn"][..], &runs, &runs, &["completed"]].concat();
    assert_eq!(kinds(&history), expected);
    assert_eq!(
        *meeting.deliveries.lock().unwrap(),
        [(1, 1), (1, 2), (1, 1)]
    );
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_shutdown_is_there_after_it() {
    let scratch = Scratch::new("acknowledged");
    let meeting = Meeting::new();
    let engine = open(&scratch, &meeting).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut starters = Vec::new();
    for n in 0..8 {
        let (engine, acknowledged) = (engine.clone(), Arc::clone(&acknowledged));
        starters.push(tokio::spawn(async move {
            for i in 0.. {
                match engine.start(patient()).id(format!("{n}-{i}")).await {
                    Ok(handle) if handle.raise(&GO, i).await.is_ok() => {}
                    Ok(_) | Err(StartError::Stopped(_) | StartError::Unknown(_)) => return i,
                    Err(error) => panic!("{error}"),
                }
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            0
        }));
    }
    while acknowledged.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    engine.shutdown().await;
    let engine = open(&scratch, &meeting).await;
    for (n, starter) in starters.into_iter().enumerate() {
        for i in 0..starter.await.unwrap() {
            let handle = engine.handle(patient, &format!("{n}-{i}")).await.unwrap();
            assert_eq!(handle.unwrap().result().await.unwrap(), i);
        }
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_last_engine_frees_the_file_while_handles_live_on() {
    let scratch = Scratch::new("dropped-with-handles");
    let meeting = Meeting::new();
    let engine = open(&scratch, &meeting).await;
    let handle = engine.start(two_steps(1)).id("one").await.unwrap();
    meeting.begun().await;
    let other = engine.clone();
    drop(engine);
    assert_eq!(handle.status().await.unwrap(), Status::Running);
    drop(other);
    assert!(matches!(handle.result().await, Err(WaitError::Stopped(_))));
    assert!(matches!(
        handle.raise(&GO, 1).await,
        Err(RaiseError::Stopped(_))
    ));
    let again = open(&scratch, &meeting).await;
    let found = again.handle(two_steps, "one").await.unwrap().unwrap();
    meeting.may_end.add_permits(2);
    assert_eq!(found.result().await.unwrap(), 3);
    let history = found.history().await.unwrap();
    let completed = history
        .iter()
        .filter(|event| matches!(event, HistoryEvent::ActivityCompleted(_)));
    assert_eq!(completed.count(), 2);
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_shutdown_returns_as_the_first_does() {
    let scratch = Scratch::new("shut-twice");
    let meeting = Meeting::new();
    let engine = open(&scratch, &meeting).await;
    let other = engine.clone();
    let both = async { tokio::join!(engine.shutdown(), other.shutdown()) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
    let third = tokio::time::timeout(Duration::from_secs(20), engine.shutdown());
    third.await.unwrap();
    assert!(matches!(
        engine.start(patient()).await,
        Err(StartError::Stopped(_))
    ));
}
