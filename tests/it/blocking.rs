//! Activities that are not `async`: on the blocking pool, under the same limits, stopped by asking.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use durable_runtime::activity::Cancellation;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, WaitError};

use crate::support::engine;

/// Nothing in these tests takes that long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// A door for threads, closed until the test opens it.
#[derive(Default)]
struct Door(Mutex<bool>, Condvar);

impl Door {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let is_closed = |is_open: &mut bool| !*is_open;
        let waited = self
            .1
            .wait_timeout_while(self.0.lock().unwrap(), PATIENCE, is_closed);
        assert!(*waited.unwrap().0, "nobody opened");
    }
}

/// Counts bytes, and says on which kind of thread.
#[activity(name = "blocking.hash")]
fn hash(text: String) -> (u64, bool) {
    let is_pool = tokio::runtime::Handle::try_current().is_ok();
    (u64::try_from(text.len()).unwrap(), is_pool)
}

#[activity(name = "blocking.facts")]
fn facts() -> (u32, String, bool) {
    activity::heartbeat(1);
    let info = activity::info();
    assert_eq!(info.key, activity::key());
    (
        info.attempt,
        info.name.to_string(),
        activity::is_cancelled(),
    )
}

#[activity(name = "blocking.fails", retry(max_attempts = 2, initial = "1s"))]
fn fails(how: String) -> Result<u32, String> {
    match &*how {
        "panics" => panic!("in a thread"),
        "once" if activity::attempt() == 1 => Err("once".to_owned()),
        _ => Ok(activity::attempt()),
    }
}

#[orchestrator(name = "blocking.all")]
async fn all() -> (u64, u32, Result<u32, String>, String) {
    let ((length, is_pool), (attempt, name, is_cancelled)) =
        join!(hash("four".to_owned()), facts());
    assert!(is_pool && !is_cancelled && name == "blocking.facts");
    let retried = fails("once".to_owned()).await;
    let fault = fails("panics".to_owned()).catch().await.unwrap_err();
    (length, attempt, retried, fault.to_string())
}

#[tokio::test]
async fn a_body_that_is_not_async_is_an_activity_like_any_other() {
    let engine = engine();
    let handle = engine.start(all()).await.unwrap();
    let (length, attempt, retried, fault) = handle.result().await.unwrap();
    assert_eq!((length, attempt, retried), (4, 1, Ok(2)));
    assert_eq!(fault, "`blocking.fails` panicked: in a thread");
}

#[tokio::test]
async fn outside_an_engine_it_runs_on_the_blocking_pool_too() {
    assert_eq!(hash("four".to_owned()).await, (4, true));
    assert_eq!(facts().await.0, 1);
    assert_eq!(fails(String::new()).await, Ok(1));
    let panic = tokio::spawn(fails("panics".to_owned())).await.unwrap_err();
    let panic = panic.into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"in a thread"));
}

/// A waker and nothing else.
#[test]
fn without_any_runtime_it_runs_where_it_is_polled() {
    let mut call = std::pin::pin!(hash("four".to_owned()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let polled = call.as_mut().poll(&mut context);
    assert_eq!(polled, std::task::Poll::Ready((4, false)));
}

static RUNNING: AtomicU32 = AtomicU32::new(0);
static MOST: AtomicU32 = AtomicU32::new(0);

#[activity(name = "blocking.narrow", limit = 3)]
fn narrow() {
    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(running, Ordering::SeqCst);
    (0..1_000).for_each(|_| std::thread::yield_now());
    RUNNING.fetch_sub(1, Ordering::SeqCst);
}

#[orchestrator(name = "blocking.crowd")]
async fn crowd() -> usize {
    join_all((0..30).map(|_| narrow())).await.len()
}

#[tokio::test]
async fn no_more_threads_are_taken_than_the_limit_says() {
    let engine = engine();
    let handle = engine.start(crowd()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 30);
    let most = MOST.load(Ordering::SeqCst);
    assert!((1..=3).contains(&most), "{most} ran at a time");
}

/// What a stubborn body and its test share.
#[derive(Default)]
pub(crate) struct Stubborn {
    door: Door,
    runs: AtomicU32,
    tokens: Mutex<Vec<Cancellation>>,
}

/// Does not look at its cancellation, and ends when the test says so.
#[activity(
    name = "blocking.stubborn",
    limit = 1,
    attempt_timeout = "5s",
    retry(max_attempts = 2, initial = "1s")
)]
fn stubborn(#[state] shared: Arc<Stubborn>) -> u32 {
    shared.tokens.lock().unwrap().push(activity::cancellation());
    let run = shared.runs.fetch_add(1, Ordering::SeqCst) + 1;
    if run == 1 {
        shared.door.pass();
    }
    run
}

#[orchestrator(name = "blocking.waits")]
async fn waits() -> u32 {
    stubborn().await
}

#[orchestrator(name = "blocking.fence")]
async fn fence() {
    for _ in 0..20 {
        hash("in between".to_owned()).await;
    }
}

fn stubborn_engine(shared: &Arc<Stubborn>) -> TestEngine {
    let registry = Registry::new()
        .activity(stubborn)
        .activity(hash)
        .orchestrator(waits)
        .orchestrator(fence);
    let builder = TestEngine::builder().registry(registry);
    builder.state(Arc::clone(shared)).start().unwrap()
}

/// Returns once that many attempts have begun.
async fn begun(shared: &Stubborn, runs: u32) {
    while shared.runs.load(Ordering::SeqCst) < runs {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_timed_out_body_keeps_its_place_until_it_returns() {
    let shared = Arc::new(Stubborn::default());
    let engine = stubborn_engine(&shared);
    let handle = engine.start(waits()).await.unwrap();
    begun(&shared, 1).await;
    engine.advance(seconds(5)).await;
    // The fault is recorded, the body told, and the next attempt due; but the place is taken.
    engine.advance(seconds(1)).await;
    assert!(shared.tokens.lock().unwrap()[0].is_cancelled());
    // A second attempt that had a place would have begun before these end.
    engine.start(fence()).await.unwrap().result().await.unwrap();
    assert_eq!(shared.runs.load(Ordering::SeqCst), 1);
    let history = handle.history().await.unwrap();
    let kinds = crate::support::kinds(&history);
    assert_eq!(kinds[3], "activity failed");
    assert_eq!(kinds.last(), Some(&"activity"), "the second attempt waits");
    shared.door.open();
    // What the first returned counted for nothing.
    assert_eq!(handle.result().await.unwrap(), 2);
    assert!(!shared.tokens.lock().unwrap()[1].is_cancelled());
}

#[tokio::test]
async fn a_body_that_never_ends_does_not_hold_up_the_end_of_its_engine() {
    let shared = Arc::new(Stubborn::default());
    let engine = stubborn_engine(&shared);
    let handle = engine.start(waits()).id("one").await.unwrap();
    begun(&shared, 1).await;
    let token = shared.tokens.lock().unwrap()[0].clone();
    assert!(!token.is_cancelled());
    tokio::time::timeout(PATIENCE, engine.shutdown())
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, token.cancelled())
        .await
        .unwrap();
    assert!(matches!(handle.result().await, Err(WaitError::Stopped(_))));
    drop(engine);
    shared.door.open();
}

/// Whether the polite body has begun, and whether it has seen that nobody waits.
static BEGUN: AtomicBool = AtomicBool::new(false);
static POLITE: AtomicBool = AtomicBool::new(false);

/// Ends soon after nobody wants its result any more.
#[activity(name = "blocking.polite")]
fn polite() -> u32 {
    BEGUN.store(true, Ordering::SeqCst);
    while !activity::is_cancelled() {
        std::thread::yield_now();
    }
    POLITE.store(true, Ordering::SeqCst);
    1
}

#[orchestrator(name = "blocking.loses")]
async fn loses() -> u32 {
    select! {
        n = polite() => n,
        () = sleep(hours(1)) => 7,
    }
}

#[tokio::test]
async fn a_body_that_looks_ends_when_its_call_is_dropped() {
    let engine = engine();
    let handle = engine.start(loses()).await.unwrap();
    // One that has not begun by then never does.
    while !BEGUN.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    engine.advance(hours(1)).await;
    assert_eq!(handle.result().await.unwrap(), 7);
    while !POLITE.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
}
