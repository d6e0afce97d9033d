//! Cancellation tokens: on other threads and tasks, told as soon as a result no longer counts, and never before.

use std::sync::Mutex;
use std::time::Duration;

use durable_runtime::Registry;
use durable_runtime::activity::Cancellation;
use durable_runtime::prelude::*;

use crate::real_files::Scratch;
use crate::support::{Gate, engine, kinds};

/// Nothing in these tests takes that long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// The tokens of attempts, by the word that each attempt was given.
static TOKENS: Mutex<Vec<(String, Cancellation)>> = Mutex::new(Vec::new());

fn tokens_of(word: &str) -> Vec<Cancellation> {
    let tokens = TOKENS.lock().unwrap();
    let ours = tokens.iter().filter(|(of, _)| of == word);
    ours.map(|(_, token)| token.clone()).collect()
}

/// Whether each attempt's result is not wanted any more, as a thread of its own sees it.
fn told(word: &str) -> Vec<bool> {
    let tokens = tokens_of(word).into_iter();
    let look = |token: Cancellation| std::thread::spawn(move || token.is_cancelled());
    tokens.map(|token| look(token).join().unwrap()).collect()
}

async fn begun(word: &str, count: usize) {
    while tokens_of(word).len() < count {
        tokio::task::yield_now().await;
    }
}

#[activity(
    name = "tokens.hangs",
    attempt_timeout = "5s",
    retry(max_attempts = 2, initial = "1s")
)]
async fn hangs(word: String) -> u32 {
    let token = activity::cancellation();
    TOKENS.lock().unwrap().push((word, token));
    std::future::pending().await
}

#[orchestrator(name = "tokens.waits")]
async fn waits(word: String) -> String {
    let ended = hangs(word).catch().await;
    ended.map_or_else(|fault| format!("{:?}", fault.kind()), |n| n.to_string())
}

#[orchestrator(name = "tokens.loses")]
async fn loses(word: String) -> u32 {
    select! {
        n = hangs(word) => n,
        () = sleep(seconds(2)) => 7,
    }
}

#[orchestrator(name = "tokens.parent")]
async fn parent(word: String) -> u32 {
    select! {
        _ = waits(word) => 0,
        () = sleep(seconds(2)) => 7,
    }
}

#[tokio::test]
async fn a_time_out_is_told_and_the_next_attempt_has_a_token_of_its_own() {
    let engine = engine();
    let word = "timed out";
    let handle = engine.start(waits(word.to_owned())).await.unwrap();
    engine.settle().await;
    engine.advance(seconds(5)).await;
    engine.advance(seconds(1)).await;
    assert_eq!(told(word), [true, false]);
    engine.advance(seconds(5)).await;
    assert_eq!(told(word), [true, true]);
    assert_eq!(handle.result().await.unwrap(), "TimedOut");
}

#[tokio::test]
async fn a_dropped_call_and_an_ended_instance_are_told() {
    let engine = engine();
    for word in ["lost", "orphan"] {
        let handle = match word {
            "lost" => engine.start(loses(word.to_owned())).await,
            _ => engine.start(parent(word.to_owned())).await,
        };
        let handle = handle.unwrap();
        engine.settle().await;
        assert_eq!(told(word), [false]);
        engine.advance(seconds(2)).await;
        assert_eq!(handle.result().await.unwrap(), 7);
        engine.settle().await;
        assert_eq!(told(word), [true], "{word}");
    }
}

static LATE: Gate = Gate::new();

/// Its task races its work against its cancellation.
#[activity(name = "tokens.selects")]
async fn selects() -> String {
    let token = activity::cancellation();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = std::future::pending::<()>() => "worked",
            () = token.cancelled() => "told",
        }
    });
    let seen = tokio::select! {
        seen = task => seen.unwrap(),
        () = std::future::pending::<()>() => "never",
    };
    SEEN.lock().unwrap().push(seen);
    LATE.open();
    "too late".to_owned()
}

static SEEN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

#[orchestrator(name = "tokens.drops")]
async fn drops() -> String {
    let dropped = selects().timeout(seconds(3)).await;
    dropped.unwrap_or_else(|elapsed| elapsed.to_string())
}

#[tokio::test]
async fn a_task_of_the_attempt_awaits_it_and_what_is_returned_then_is_not_recorded() {
    let engine = engine();
    let handle = engine.start(drops()).await.unwrap();
    engine.settle().await;
    engine.advance(seconds(3)).await;
    assert_eq!(handle.result().await.unwrap(), "the deadline has elapsed");
    tokio::time::timeout(PATIENCE, LATE.pass()).await.unwrap();
    engine.settle().await;
    assert_eq!(*SEEN.lock().unwrap(), ["told"]);
    let history = handle.history().await.unwrap();
    assert!(!kinds(&history).contains(&"activity completed"));
}

#[tokio::test]
async fn a_token_outlives_an_attempt_that_returned_and_stays_quiet() {
    #[activity(name = "tokens.returns")]
    async fn returns() {
        let token = activity::cancellation();
        TOKENS.lock().unwrap().push(("returned".to_owned(), token));
    }
    #[orchestrator(name = "tokens.calls")]
    async fn calls() {
        returns().await;
    }
    let engine = engine();
    let handle = engine.start(calls()).await.unwrap();
    handle.result().await.unwrap();
    engine.shutdown().await;
    assert_eq!(told("returned"), [false]);
    let [token] = tokens_of("returned").try_into().unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(20), token.cancelled());
    assert!(quiet.await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_tells_when_its_patience_is_over_and_not_before() {
    let scratch = Scratch::new("tokens");
    let registry = Registry::new().activity(hangs).orchestrator(waits);
    let builder = Engine::builder(scratch.file()).registry(registry);
    let engine = builder.open().await.unwrap();
    let word = "stopped";
    engine.start(waits(word.to_owned())).await.unwrap();
    begun(word, 1).await;
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown_within(Duration::from_millis(300)).await }
    });
    let [token] = tokens_of(word).try_into().unwrap();
    let within_grace = tokio::time::timeout(Duration::from_millis(50), token.cancelled());
    assert!(within_grace.await.is_err(), "it may still end in time");
    stopping.await.unwrap();
    assert_eq!(told(word), [true]);
}
