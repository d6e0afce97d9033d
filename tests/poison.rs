//! What takes its process down, in real processes that die of it: it is found, and given up; what ran beside it is not.
//!
//! The processes are this very binary, which runs `the_process` only.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    reason = "a failed expectation is a failed test; how often the process died is shown; processes end as a kill would end them"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{Fault, FaultKind, HistoryEvent, Registry, StallReason};

/// Says to a process what it is to die of, and where its event log is.
const WHAT: &str = "DURABLE_TEST_DIES_OF";
const DB: &str = "DURABLE_TEST_DB";

const INNOCENTS: u32 = 50;
/// One death in which everything runs for the first time, one in which all runs again, and the lone ones.
const DEATHS: usize = 12;

#[activity(name = "poison.die")]
async fn die(after_ms: u64) -> u32 {
    if after_ms > 0 {
        pause(after_ms).await;
    }
    std::process::abort()
}

/// Each of its steps is recorded; none is worth a retry, so that one that is given up would show.
#[activity(name = "poison.step")]
async fn step(n: u32) -> u32 {
    pause(20).await;
    n + 1
}

#[orchestrator(name = "poison.innocent")]
async fn innocent(n: u32) -> u32 {
    let (a, b) = join!(step(n), step(n));
    step(a + b).await
}

/// Waits all the time, and starts again with every process.
#[activity(name = "poison.watch")]
async fn watch() -> u32 {
    let until = std::env::var(WHAT).unwrap();
    if until != "nothing" {
        std::future::pending::<()>().await;
    }
    7
}

#[orchestrator(name = "poison.watching")]
async fn watching() -> u32 {
    watch().await
}

#[orchestrator(name = "poison.by_activity")]
async fn by_activity(after_ms: u64) -> Result<u32, Fault> {
    let retry = RetryPolicy::attempts(5);
    die(after_ms).retry(retry).catch().await
}

/// Its second turn ends the process, unless it was mended.
#[orchestrator(name = "poison.by_turn")]
async fn by_turn(n: u32) -> u32 {
    let stepped = step(n).await;
    #[nondeterminism(
        allow(D030, D032),
        reason = "to die of its second turn is what it is for"
    )]
    if std::env::var(WHAT).unwrap() != "nothing" {
        std::process::abort();
    }
    stepped
}

/// Real time, which is what the processes run in.
async fn pause(millis: u64) {
    let end = tokio::time::timeout(Duration::from_millis(millis), std::future::pending::<()>());
    end.await.unwrap_err();
}

/// What the processes are; in the test itself it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_process() {
    let (Ok(what), Ok(db)) = (std::env::var(WHAT), std::env::var(DB)) else {
        return;
    };
    // One that hangs is told from one that dies.
    tokio::spawn(async {
        pause(60_000).await;
        std::process::exit(3)
    });
    let mut registry = Registry::linked();
    if what == "nothing" {
        // What is registered is a part of what tells builds apart.
        registry = registry.named_activity("mended", |input| async move { Ok::<_, Fault>(input) });
    }
    let engine = Engine::builder(&db).registry(registry);
    let engine = engine.open().await.unwrap();
    let watched = engine.start(watching()).id("watching").await.unwrap();
    let mut innocents = Vec::new();
    for n in 0..INNOCENTS {
        let id = format!("innocent-{n}");
        innocents.push(engine.start(innocent(n)).id(id).await.unwrap());
    }
    match &*what {
        "activity" => activity_is_given_up(&engine, 0).await,
        "late activity" => activity_is_given_up(&engine, 300).await,
        "turn" => turn_is_given_up(&engine).await,
        _ => {
            let mended = engine.start(by_turn(1)).id("culprit").await.unwrap();
            assert_eq!(mended.result().await.unwrap(), 2);
            assert_eq!(watched.result().await.unwrap(), 7);
        }
    }
    for (n, innocent) in (0..).zip(innocents) {
        assert_eq!(innocent.result().await.unwrap(), 2 * (n + 1) + 1);
    }
    // The next process finds it as a kill would leave it.
    std::process::exit(0);
}

async fn activity_is_given_up(engine: &Engine, after_ms: u64) {
    let culprit = engine.start(by_activity(after_ms)).id("culprit");
    let fault = culprit.await.unwrap().result().await.unwrap().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Poisoned);
    assert_eq!(fault.subject(), "poison.die");
    let told = "the process died 10 times in a row while it ran and nothing else did";
    assert!(fault.message().starts_with(told), "{fault}");
}

async fn turn_is_given_up(engine: &Engine) {
    let culprit = engine.start(by_turn(1)).id("culprit").await.unwrap();
    loop {
        if let Some(stalled) = culprit.summary().await.unwrap().stalled {
            assert_eq!(stalled.reason, StallReason::Poisoned);
            assert!(stalled.report.contains("`poison.by_turn`"), "{stalled}");
            return;
        }
        pause(5).await;
    }
}

/// One process; whether it came to its end.
fn lives(what: &str, db: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["the_process", "--exact", "--nocapture"]);
    command.env(WHAT, what).env(DB, db).stdin(Stdio::null());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    // A failed expectation has a code, an abort has none.
    assert!(output.status.code().is_none_or(|code| code == 0), "{told}");
    output.status.success()
}

/// Starts processes until one lives; how many died.
fn deaths(what: &str, db: &Path) -> usize {
    let deaths = (0..3 * DEATHS).take_while(|_| !lives(what, db)).count();
    println!("{deaths} processes died of the {what}");
    deaths
}

fn fresh(name: &str) -> PathBuf {
    let db = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if db.exists() {
        std::fs::remove_file(&db).unwrap();
    }
    db
}

#[test]
fn an_activity_that_ends_the_process_is_given_up_and_what_runs_beside_it_is_not() {
    let db = fresh("poison-activity.redb");
    assert_eq!(deaths("activity", &db), DEATHS);
    assert!(lives("activity", &db), "it stays given up");
    let culprit = histories(&db, "culprit");
    let scheduled = |event: &&HistoryEvent| matches!(event, HistoryEvent::ActivityScheduled(_));
    assert_eq!(
        culprit.iter().filter(scheduled).count(),
        1,
        "no attempt follows: {culprit:#?}"
    );
}

/// It dies too late for the first trials, and is found by those that give it more time.
#[test]
fn an_activity_that_ends_the_process_late_is_given_up_too() {
    let db = fresh("poison-late.redb");
    let deaths = deaths("late activity", &db);
    assert!((DEATHS..=DEATHS + 6).contains(&deaths), "{deaths} deaths");
}

#[test]
fn a_turn_that_ends_the_process_stalls_and_goes_on_with_the_build_that_mends_it() {
    let db = fresh("poison-turn.redb");
    assert_eq!(deaths("turn", &db), DEATHS);
    assert!(lives("turn", &db), "it stays stalled");
    assert!(lives("nothing", &db), "it goes on once it is mended");
    let last = histories(&db, "culprit").pop();
    assert!(
        matches!(last, Some(HistoryEvent::ExecutionCompleted(_))),
        "{last:?}"
    );
}

/// What the processes have left of an instance, which has ended.
#[tokio::main(flavor = "current_thread")]
async fn histories(db: &Path, id: &str) -> Vec<HistoryEvent> {
    let engine = Engine::builder(db)
        .registry(Registry::new())
        .open()
        .await
        .unwrap();
    let instance = engine.instance(id).await.unwrap();
    let instance = instance.unwrap_or_else(|| panic!("there is no `{id}`"));
    let history = instance.history().await.unwrap();
    assert!(instance.summary().await.unwrap().has_ended());
    engine.shutdown().await;
    history
}
