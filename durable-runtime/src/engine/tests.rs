//! The whole threaded engine over disks that go wrong.

mod beating;
mod boundaries;
mod committing;
mod damage;
mod endless;
mod explaining;
mod full;
mod holding;
mod interleaving;
mod purging;
mod races;
mod rewound;
mod stopping;
mod telling;
mod trials;
mod twins;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{SystemClock, SystemEntropy};
use crate::engine::Engine;
use crate::engine::boot::{self, OpenError, Parts};
use crate::engine::hub::Shape;
use crate::engine::setup::Setup;
use crate::engine::threads::Threads;
use crate::error::Error;
use crate::limits;
use crate::orchestration::named;
use crate::registry::Registry;
use crate::store::tests::support::impatient;
use crate::store::{Medium, StoreOptions};

/// Nothing in these tests takes that long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens an engine over a medium as the builder does over a file.
async fn open(
    medium: Medium,
    store: StoreOptions,
    registry: Registry,
) -> Result<Engine, OpenError> {
    open_keeping(medium, store, registry, limits::LIVE_BYTES_MAX).await
}

/// The same, with a bound on the memory of idle instances.
async fn open_keeping(
    medium: Medium,
    store: StoreOptions,
    registry: Registry,
    live_bytes: usize,
) -> Result<Engine, OpenError> {
    start(parts(medium, store, registry), live_bytes).await
}

fn parts(medium: Medium, store: StoreOptions, registry: Registry) -> Parts {
    Parts {
        medium,
        store,
        setup: Setup {
            registry: Some(registry),
            ..Setup::default()
        },
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SystemEntropy),
        runtime: tokio::runtime::Handle::current(),
        shape: Shape {
            shards: 3,
            ..Shape::default()
        },
    }
}

async fn start(parts: Parts, live_bytes: usize) -> Result<Engine, OpenError> {
    let opened = tokio::task::spawn_blocking(move || {
        let booted = boot::boot(parts)?;
        let hub = Arc::clone(&booted.hub);
        let threads = Threads::start(booted, live_bytes)?;
        Ok(Engine::from_parts(hub, Arc::new(threads)))
    });
    opened.await.unwrap()
}

/// A store that folds all it can, and is as one that is too large to be checked when it is opened.
fn large() -> StoreOptions {
    StoreOptions {
        integrity_check_bytes_max: 0,
        ..impatient(0)
    }
}

/// `flow` waits for its event after its first step.
fn flows() -> Registry {
    Registry::new()
        .named_activity("echo", |value| async move { Ok::<_, Error>(value) })
        .named_orchestrator("flow", |_| async {
            let first = named::activity("echo", &json!(1)).await?;
            let second = named::event("go").wait().await;
            Ok::<_, Error>(json!([first, second]))
        })
}

/// Lets time pass in which something must not happen.
async fn window(duration: Duration) {
    let nothing = tokio::time::timeout(duration, std::future::pending::<()>());
    nothing.await.unwrap_err();
}

/// Waits until something holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    let met = async {
        while !holds().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.unwrap();
}

/// Starts a `flow` that then waits for its event, in the file and nowhere else.
async fn start_waiting(engine: &Engine, id: &str) {
    let started = engine
        .start(named::orchestrator("flow", &Value::Null))
        .id(id);
    let instance = started.await.unwrap();
    until(async || instance.history().await.unwrap().len() >= 5).await;
    until(async || engine.counters().unfolded_bytes == 0).await;
}
