//! Making the file, and having an engine in full swing over it.

use std::path::Path;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{StartRequest, Status};

use super::{finishes, waits};

/// Starts that are on their way at a time.
const STARTERS: u32 = 2_000;

pub(super) async fn build(file: &Path, finished: u32, waiting: u32) -> Result<(), Error> {
    let engine = Engine::open(file).await?;
    start_all(&engine, finished, |engine, number| {
        let start = engine
            .start(finishes(number))
            .id(format!("done-{number:07}"));
        start.tag("shop", (number % 1_000).to_string())
    })
    .await?;
    start_waiting(&engine, waiting).await?;
    engine.shutdown().await;
    Ok(())
}

/// Starts instances that wait, and waits until all of them do.
pub(super) async fn start_waiting(engine: &Engine, waiting: u32) -> Result<(), Error> {
    start_all(engine, waiting, |engine, number| {
        let start = engine.start(waits(number)).id(format!("waits-{number:07}"));
        start.tag("shop", (number % 1_000).to_string())
    })
    .await?;
    while engine.counts().await?.of(Status::Pending) > 0 {
        rest().await;
    }
    settled(engine).await
}

/// Starts and ends instances for a while, and stops in the midst of it; never, if somebody is to kill it.
pub(super) async fn swing(file: &Path, is_killed: bool) -> Result<(), Error> {
    let engine = Engine::open(file).await?;
    let kind = if is_killed { "killed" } else { "stopped" };
    let starting = start_all(&engine, u32::MAX, move |engine, number| {
        engine
            .start(finishes(number))
            .id(format!("{kind}-{number}"))
    });
    if is_killed {
        return starting.await;
    }
    tokio::time::timeout(SWING, starting).await.ok();
    engine.shutdown().await;
    Ok(())
}

/// How long an engine is in full swing before it is stopped.
pub(super) const SWING: Duration = Duration::from_secs(5);

/// Waits until all that can end has, and an idle engine has tidied up what it does.
pub(super) async fn settled(engine: &Engine) -> Result<(), Error> {
    while engine.counts_of("finishes").await?.of(Status::Running) > 0 {
        rest().await;
    }
    // One commit of it may take long on a busy disk.
    let mut quiet = 0;
    while quiet < 10 {
        let before = engine.counters().commits;
        rest().await;
        quiet = if engine.counters().commits > before {
            0
        } else {
            quiet + 1
        };
    }
    Ok(())
}

/// Longer than an engine waits before it counts as idle.
async fn rest() {
    pause(Duration::from_millis(200)).await;
}

pub(super) async fn pause(time: Duration) {
    let never = std::future::pending::<()>();
    tokio::time::timeout(time, never).await.ok();
}

/// Starts instances with these numbers, many at a time.
pub(super) async fn start_all<Out: Send + 'static>(
    engine: &Engine,
    count: u32,
    start: impl Fn(&Engine, u32) -> StartRequest<Out> + Copy + Send + 'static,
) -> Result<(), Error> {
    let mut starters = tokio::task::JoinSet::new();
    for first in 0..STARTERS {
        let engine = engine.clone();
        starters.spawn(async move {
            for number in (first..count).step_by(usize::try_from(STARTERS)?) {
                start(&engine, number).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = starters.join_next().await {
        ended??;
    }
    Ok(())
}
