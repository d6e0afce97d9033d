//! Cancellation by drop: who is told, what is recorded, and what cancels nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Failure, FaultKind, HistoryEvent, Outcome, Registry, Status};

use crate::support::{Gate, engine_of, instance, kinds, recorded};

static GO: Event<u32> = Event::new("cancelling-go");
static NOTE: Event<u32> = Event::new("cancelling-note");

/// What activities of this module have to say, each under a word of its own.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn said(word: &str) -> usize {
    SAID.lock()
        .unwrap()
        .iter()
        .filter(|said| *said == word)
        .count()
}

/// How often `word` began, and how often it was told that it is cancelled.
fn began_and_cancelled(word: &str) -> (usize, usize) {
    (
        said(&format!("{word} began")),
        said(&format!("{word} cancelled")),
    )
}

fn say(word: impl Into<String>) {
    SAID.lock().unwrap().push(word.into());
}

/// Says that it began, then that it was cancelled.
#[activity(name = "cancelling.watchful")]
async fn watchful(word: String) -> u32 {
    say(format!("{word} began"));
    assert!(!activity::is_cancelled());
    activity::cancelled().await;
    assert!(activity::is_cancelled());
    say(format!("{word} cancelled"));
    0
}

static STUBBORN: Gate = Gate::new();

/// Does not care, and returns whenever the test says so.
#[activity(name = "cancelling.stubborn")]
async fn stubborn() -> u32 {
    STUBBORN.pass().await;
    say("stubborn returned");
    1
}

#[activity(name = "cancelling.plain")]
async fn plain(n: u32) -> u32 {
    n
}

#[orchestrator(name = "cancelling.loses")]
async fn loses(word: String) -> u32 {
    select! {
        n = watchful(word) => n,
        () = sleep(hours(1)) => 7,
    }
}

#[orchestrator(name = "cancelling.waits_for_a_place")]
async fn waits_for_a_place() -> u32 {
    // There is one place: the first takes it, the second waits and is dropped, the third gets it.
    let (first, second) = join!(watchful("placed".to_owned()).timeout(hours(2)), async {
        select! {
            n = watchful("never".to_owned()) => n,
            () = sleep(hours(1)) => 2,
        }
    });
    assert!(first.is_err());
    plain(second).await
}

#[orchestrator(name = "cancelling.goes_on")]
async fn goes_on() -> u32 {
    select! {
        n = stubborn() => return n,
        () = sleep(hours(1)) => {}
    }
    let go = GO.wait().await;
    plain(go).await
}

#[orchestrator(name = "cancelling.two_events")]
async fn two_events() -> (u32, u32) {
    sleep(hours(1)).await;
    // Both are there: the first branch wins, and the other waiter gives its event back.
    let first = select! {
        n = GO.wait() => n,
        n = NOTE.wait() => n + 1_000,
    };
    let second = NOTE.wait().await;
    (first, second)
}

#[orchestrator(name = "cancelling.patient")]
async fn patient() -> u32 {
    let (a, b, ()) = join!(watchful("patient".to_owned()), GO.wait(), sleep(days(1)));
    a + b
}

#[orchestrator(name = "cancelling.child")]
async fn child() -> u32 {
    watchful("child".to_owned()).await
}

/// Ends while everything it began still runs.
#[orchestrator(name = "cancelling.ends_early")]
async fn ends_early() -> u32 {
    let mut held = (
        watchful("held".to_owned()),
        child().id("early-child"),
        sleep(days(9)),
    );
    select! {
        _ = &mut held.0 => 0,
        _ = &mut held.1 => 0,
        () = &mut held.2 => 0,
        () = sleep(hours(1)) => 5,
    }
}

fn registry() -> Registry {
    Registry::new()
        .activity(watchful)
        .activity(stubborn)
        .activity(plain)
        .orchestrator(loses)
        .orchestrator(waits_for_a_place)
        .orchestrator(goes_on)
        .orchestrator(two_events)
        .orchestrator(patient)
        .orchestrator(child)
        .orchestrator(ends_early)
}

fn engine() -> TestEngine {
    engine_of(registry())
}

async fn pass(engine: &TestEngine, hours_later: u32) {
    engine.settle().await;
    engine.advance(hours(u64::from(hours_later))).await;
    engine.settle().await;
}

#[tokio::test]
async fn the_activity_of_a_dropped_call_is_told() {
    let engine = engine();
    let handle = engine.start(loses("loser".to_owned())).await.unwrap();
    engine.settle().await;
    assert_eq!(began_and_cancelled("loser"), (1, 0));
    pass(&engine, 1).await;
    assert_eq!(handle.result().await.unwrap(), 7);
    assert_eq!(began_and_cancelled("loser"), (1, 1));
    assert_eq!(recorded(&handle).await, dropped_then("completed"));
}

/// What is recorded of a select whose sleep comes first, then this.
fn dropped_then(last: &'static str) -> Vec<&'static str> {
    let selected = [
        "started",
        "turn",
        "activity",
        "timer",
        "timer fired",
        "turn",
    ];
    [&selected[..], &[last]].concat()
}

#[tokio::test]
async fn an_activity_that_is_cancelled_while_it_waits_for_a_place_never_starts() {
    let builder = TestEngine::builder().registry(registry()).activity_limit(1);
    let engine = builder.start().unwrap();
    let handle = engine.start(waits_for_a_place()).await.unwrap();
    pass(&engine, 1).await;
    pass(&engine, 1).await;
    assert_eq!(handle.result().await.unwrap(), 2);
    assert_eq!(began_and_cancelled("placed"), (1, 1));
    assert_eq!(said("never began"), 0);
}

#[tokio::test]
async fn an_outcome_that_comes_too_late_is_dropped_and_no_divergence() {
    let engine = engine();
    let handle = engine.start(goes_on()).id("late").await.unwrap();
    pass(&engine, 1).await;
    STUBBORN.open();
    engine.settle().await;
    assert_eq!(said("stubborn returned"), 1);
    assert_eq!(recorded(&handle).await, dropped_then("cancelled"));
    engine.evict().await;
    handle.raise(&GO, 4).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 4);
    let history = handle.history().await.unwrap();
    check_replay(&registry(), &history).unwrap();
    let outcomes = history
        .iter()
        .filter(|event| matches!(event, HistoryEvent::ActivityCompleted(_)));
    assert_eq!(outcomes.count(), 1);
}

#[tokio::test]
async fn an_event_that_the_loser_of_a_select_was_woken_for_stays_for_the_next() {
    let engine = engine();
    let handle = engine.start(two_events()).await.unwrap();
    handle.raise(&NOTE, 2).await.unwrap();
    handle.raise(&GO, 1).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (1, 2));
}

#[tokio::test]
async fn eviction_cancels_nothing() {
    let engine = engine();
    let handle = engine.start(patient()).await.unwrap();
    engine.settle().await;
    engine.evict().await;
    handle.raise(&GO, 1).await.unwrap();
    engine.settle().await;
    assert_eq!(began_and_cancelled("patient"), (1, 0));
    assert_eq!(recorded(&handle).await, STILL_WAITING);
}

const STILL_WAITING: [&str; 6] = [
    "started",
    "turn",
    "activity",
    "timer",
    "event raised",
    "turn",
];

#[tokio::test]
async fn a_shutdown_cancels_nothing() {
    let engine = engine();
    let handle = engine
        .start(loses("shut".to_owned()))
        .id("shut")
        .await
        .unwrap();
    engine.settle().await;
    engine.shutdown().await;
    let engine = engine.restart_with(registry()).await.unwrap();
    drop(handle);
    let handle = engine.handle(loses, "shut").await.unwrap().unwrap();
    engine.settle().await;
    assert_eq!(handle.status().await.unwrap(), Status::Running);
    let expected = ["started", "turn", "activity", "timer"];
    assert_eq!(recorded(&handle).await, expected);
    assert_eq!(began_and_cancelled("shut"), (2, 0), "it runs again");
    pass(&engine, 1).await;
    assert_eq!(handle.result().await.unwrap(), 7);
}

#[tokio::test]
async fn one_terminal_record_closes_all_that_is_open() {
    let engine = engine();
    let handle = engine.start(ends_early()).await.unwrap();
    pass(&engine, 1).await;
    assert_eq!(handle.result().await.unwrap(), 5);
    let history = handle.history().await.unwrap();
    let expected = [
        "started",
        "turn",
        "activity",
        "child",
        "timer",
        "timer",
        "timer fired",
        "turn",
    ];
    assert_eq!(kinds(&history), [&expected[..], &["completed"]].concat());
    assert_eq!((said("held cancelled"), said("child cancelled")), (1, 1));
    let child = instance(&engine, "early-child").await;
    let outcome = child.summary().await.unwrap().outcome;
    let Some(Outcome::Failed(Failure::Fault(fault))) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(fault.kind(), FaultKind::Cancelled);
    // The timer is gone as well: nothing happens when it would be due.
    engine.advance(days(10)).await;
    assert_eq!(handle.history().await.unwrap().len(), history.len());
}

static ROUNDS: AtomicU32 = AtomicU32::new(0);

#[activity(name = "cancelling.counted")]
async fn counted() -> u32 {
    ROUNDS.fetch_add(1, Ordering::SeqCst) + 1
}

/// A call that is never polled asks for nothing.
#[orchestrator(name = "cancelling.unpolled")]
async fn unpolled() -> u32 {
    drop(counted());
    counted().await
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_polled_asks_for_nothing() {
    let engine = engine_of(Registry::new().activity(counted).orchestrator(unpolled));
    let handle = engine.start(unpolled()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 1);
    let expected = [
        "started",
        "turn",
        "activity",
        "activity completed",
        "turn",
        "completed",
    ];
    assert_eq!(recorded(&handle).await, expected);
}

static STARTED: AtomicU32 = AtomicU32::new(0);
static READY: Event<u32> = Event::new("cancelling.ready");

#[activity(name = "cancelling.counts-starts")]
async fn counted_start() {
    STARTED.fetch_add(1, Ordering::SeqCst);
}

#[orchestrator(name = "cancelling.withdraws")]
async fn withdraws() -> u32 {
    sleep(hours(1)).await;
    // The event lies in wait: the call is scheduled and dropped in one turn.
    select! {
        () = counted_start() => 0,
        n = READY.wait() => n,
    }
}

#[tokio::test]
async fn what_one_turn_asks_for_and_withdraws_never_starts() {
    let engine = crate::support::engine();
    let handle = engine.start(withdraws()).await.unwrap();
    handle.raise(&READY, 7).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 7);
    engine.settle().await;
    assert_eq!(STARTED.load(Ordering::SeqCst), 0);
}

static CLEANED: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[activity(name = "cancelling.clean_up")]
async fn clean_up(word: String) -> u32 {
    CLEANED.lock().unwrap().push(word);
    1
}

/// Gives back what it holds before it ends.
#[orchestrator(name = "cancelling.tidy")]
async fn tidy(word: String) -> String {
    let cancel = cancellation();
    select! {
        n = watchful(word.clone()) => n.to_string(),
        reason = cancel.requested() => {
            clean_up(word).await;
            format!("cleaned up: {reason}")
        }
    }
}

/// Drops its child, and goes on.
#[orchestrator(name = "cancelling.drops_tidy")]
async fn drops_tidy() -> u32 {
    select! {
        _ = tidy("dropped".to_owned()).id("tidy-child") => return 0,
        () = sleep(hours(1)) => {}
    }
    GO.wait().await
}

fn tidy_ones() -> Registry {
    Registry::new()
        .activity(watchful)
        .activity(clean_up)
        .orchestrator(tidy)
        .orchestrator(drops_tidy)
        .orchestrator(loses)
}

fn cleaned(word: &str) -> usize {
    let cleaned = CLEANED.lock().unwrap();
    cleaned.iter().filter(|cleaned| *cleaned == word).count()
}

#[tokio::test]
async fn code_that_holds_a_cancellation_cleans_up_also_after_a_restart() {
    let engine = engine_of(tidy_ones());
    for id in ["tidy-1", "tidy-2"] {
        engine.start(tidy(id.to_owned())).id(id).await.unwrap();
    }
    engine.settle().await;
    instance(&engine, "tidy-1")
        .await
        .cancel("enough")
        .await
        .unwrap();
    let engine = engine.restart_with(tidy_ones()).await.unwrap();
    instance(&engine, "tidy-2")
        .await
        .cancel("enough")
        .await
        .unwrap();
    for id in ["tidy-1", "tidy-2"] {
        let tidy = engine.handle(tidy, id).await.unwrap().unwrap();
        assert_eq!(tidy.result().await.unwrap(), "cleaned up: enough");
        assert_eq!(cleaned(id), 1);
        check_replay(&tidy_ones(), &tidy.history().await.unwrap()).unwrap();
    }
}

#[tokio::test]
async fn a_second_request_changes_nothing() {
    let engine = engine_of(tidy_ones());
    let tidy = engine.start(tidy("twice".to_owned())).await.unwrap();
    engine.settle().await;
    let (first, second) = tokio::join!(tidy.cancel("one"), tidy.cancel("two"));
    first.unwrap();
    // It may have ended by then.
    assert!(second.is_ok() || second.unwrap_err().ended().is_some());
    assert_eq!(tidy.result().await.unwrap(), "cleaned up: one");
    assert_eq!(cleaned("twice"), 1);
}

#[tokio::test]
async fn code_without_one_ends_with_a_fault_and_so_does_what_it_waits_for() {
    let engine = engine_of(tidy_ones());
    let loses = engine.start(loses("unasked".to_owned())).await.unwrap();
    engine.settle().await;
    loses.cancel("not wanted").await.unwrap();
    let fault = loses.result().await.unwrap_err().fault().cloned().unwrap();
    assert_eq!(fault.kind(), FaultKind::Cancelled);
    let again = loses.cancel("not wanted").await.unwrap_err();
    assert_eq!(again.ended(), Some(Status::Failed));
    engine.settle().await;
    assert_eq!(began_and_cancelled("unasked"), (1, 1));
}

#[tokio::test]
async fn a_child_whose_call_is_dropped_hears_of_it_in_the_same_way() {
    let engine = engine_of(tidy_ones());
    let parent = engine.start(drops_tidy()).await.unwrap();
    pass(&engine, 1).await;
    let child = instance(&engine, "tidy-child").await;
    assert_eq!(child.status().await.unwrap(), Status::Completed);
    assert_eq!(cleaned("dropped"), 1);
    parent.raise(&GO, 3).await.unwrap();
    assert_eq!(parent.result().await.unwrap(), 3);
}

#[tokio::test]
async fn many_are_asked_to_end_and_each_is_told_for_itself() {
    let engine = engine_of(tidy_ones());
    for id in ["t-1", "t-2"] {
        engine.start(tidy(id.to_owned())).id(id).await.unwrap();
    }
    engine.settle().await;
    let asked = engine.many(["t-1", "nobody", "t-2"]).cancel("all").await;
    let asked: Vec<_> = asked
        .iter()
        .map(|(id, asked)| (&**id, asked.is_ok()))
        .collect();
    assert_eq!(asked, [("t-1", true), ("nobody", false), ("t-2", true)]);
    engine.settle().await;
    assert_eq!((cleaned("t-1"), cleaned("t-2")), (1, 1));
}
