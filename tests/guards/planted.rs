//! Each kind of hidden non-determinism, planted, and found.
//!
//! The code is given by name and called through closures, where no attribute sees it: as if it came from somebody else's crate.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use durable_runtime::testing::TestEngine;
use durable_runtime::{Error, Registry, StallReason, named, sleep};
use serde_json::{Value, json};

/// Calls the activity of this name, which says what it is given; the place is the caller's.
#[track_caller]
fn say<V: Into<Value>>(name: &str, value: V) -> impl Future<Output = Value> + use<V> {
    let call = named::activity(name.to_owned(), &value.into());
    async move { call.await.unwrap_or_default() }
}

async fn wall_clock() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    say("say", now.unwrap_or_default().subsec_nanos()).await; // wall_clock
}

async fn monotonic_clock() {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let elapsed = BEGIN.elapsed();
    sleep(Duration::from_millis(elapsed.subsec_nanos().into())).await; // monotonic_clock
}

async fn chance() {
    let drawn = RandomState::new().hash_one(0);
    say("say", drawn).await; // chance
}

async fn hash_order() {
    let prices: HashMap<String, u32> = (0..16).map(|n| (format!("item-{n}"), n)).collect();
    for item in prices.into_keys() {
        say(&item, 0).await; // hash_order
    }
}

async fn environment() {
    let here = std::env::current_dir().unwrap_or_default();
    say("move", here.to_string_lossy()).await; // environment
}

async fn thread_local() {
    thread_local! {
        static RUNS: Cell<u32> = const { Cell::new(0) };
    }
    let runs = RUNS.get();
    RUNS.set(runs + 1);
    say("say", runs).await; // thread_local
}

async fn static_counter() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
        say("say", "the first").await;
    } else {
        sleep(Duration::from_secs(1)).await; // static_counter
    }
}

async fn file_content() {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    say("write", text).await; // file_content
}

async fn address() {
    let boxed = Box::new(0);
    say("say", format!("{:p}", &raw const *boxed)).await; // address
    drop(boxed);
}

async fn thread_identity() {
    say("say", format!("{:?}", std::thread::current().id())).await; // thread_identity
}

async fn select_randomness() {
    let mut chosen = String::new();
    for _ in 0..64 {
        tokio::select! {
            () = std::future::ready(()) => chosen.push('a'),
            () = std::future::ready(()) => chosen.push('b'),
        }
    }
    say("say", chosen).await; // select_randomness
}

async fn tokio_timer() {
    say("say", "before").await; // tokio_timer
    tokio::time::sleep(Duration::from_millis(1)).await;
}

async fn tokio_channel() {
    static KEPT: Mutex<Vec<tokio::sync::oneshot::Sender<()>>> = Mutex::new(Vec::new());
    say("say", "before").await; // tokio_channel
    let (send, receive) = tokio::sync::oneshot::channel();
    KEPT.lock().unwrap().push(send);
    receive.await.unwrap_or_default();
}

/// A file of this process.
fn file() -> PathBuf {
    std::env::temp_dir().join(format!("durable-guards-{}", std::process::id()))
}

/// A planted flow, and how its report tells of it.
struct Planted {
    kind: &'static str,
    reason: StallReason,
    /// What differs.
    told: &'static str,
}

const fn differs(kind: &'static str, told: &'static str) -> Planted {
    let reason = StallReason::NonDeterministic;
    Planted { kind, reason, told }
}

const fn foreign(kind: &'static str) -> Planted {
    Planted {
        kind,
        reason: StallReason::ForeignFuture,
        told: "[D210]",
    }
}

const PLANTED: [Planted; 13] = [
    differs("wall_clock", "another input"),
    differs("monotonic_clock", "another due time"),
    differs("chance", "another input"),
    differs("hash_order", "ActivityScheduled `item-"),
    differs("environment", "another input"),
    differs("thread_local", "another input"),
    differs("static_counter", "TimerCreated"),
    differs("file_content", "another input"),
    differs("address", "another input"),
    differs("thread_identity", "another input"),
    differs("select_randomness", "another input"),
    foreign("tokio_timer"),
    foreign("tokio_channel"),
];

fn registry() -> Registry {
    macro_rules! flows {
        ($registry:expr; $($flow:ident),*) => {
            $registry$(.named_orchestrator(stringify!($flow), |_| async {
                $flow().await;
                Ok::<_, Error>(Value::Null)
            }))*
        };
    }
    let echo = |value: Value| async move { Ok::<_, Error>(value) };
    let mut registry = Registry::new().named_activity("say", echo);
    for item in 0..16 {
        registry = registry.named_activity(format!("item-{item}"), echo);
    }
    let registry = registry
        .named_activity("move", |here| async {
            std::env::set_current_dir(std::env::temp_dir())?;
            Ok::<_, Error>(here)
        })
        .named_activity("write", |text| async {
            std::fs::write(file(), "something else")?;
            Ok::<_, Error>(text)
        });
    flows!(registry; wall_clock, monotonic_clock, chance, hash_order, environment, thread_local, static_counter,
        file_content, address, thread_identity, select_randomness, tokio_timer, tokio_channel)
}

/// The line of a flow's step.
fn line(kind: &str) -> usize {
    let mut lines = include_str!("planted.rs").lines();
    let step = format!(".await; // {kind}");
    lines.position(|line| line.ends_with(&step)).unwrap() + 1
}

#[tokio::test]
async fn each_planted_kind_is_found_and_told_with_its_line() {
    let engine = TestEngine::builder().registry(registry()).start().unwrap();
    for Planted { kind, reason, told } in PLANTED {
        let started = engine.start(named::orchestrator(kind, &json!(null)));
        let instance = started.id(kind).await.unwrap();
        let error = instance.result().await.unwrap_err().to_string();
        let stalled = instance.summary().await.unwrap().stalled.unwrap();
        assert_eq!(stalled.reason, reason, "{kind}: {error}");
        assert!(error.contains(&stalled.report), "{kind}: {error}");
        assert!(error.contains(told), "{kind}: {error}");
        let place = format!("guards/planted.rs:{}:", line(kind));
        assert!(error.contains(&place), "{kind}, {place}: {error}");
    }
    std::fs::remove_file(file()).unwrap();
}
