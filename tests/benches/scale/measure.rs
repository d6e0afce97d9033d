//! What one process measures of the file: how it opens, its lists, its memory.

use std::path::Path;

use durable_runtime::prelude::*;
use durable_runtime::{Query, Status};
use serde::{Deserialize, Serialize};

use super::fill::start_waiting;
use super::{SMALL_CACHE, milliseconds, now, rounded, rss_mb, waits};

/// Each page is asked for so many times, the first time with nothing of it in memory; the slowest one counts.
pub(super) const ROUNDS: usize = 5;

/// What one process measured.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) open_seconds: f64,
    pub(super) counts_ms: f64,
    pub(super) pages: Vec<Timed>,
    /// How much more memory the process had with the store open.
    pub(super) open_mb: f64,
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Timed {
    pub(super) name: String,
    pub(super) rows: usize,
    pub(super) slowest_ms: f64,
    pub(super) median_ms: f64,
}

pub(super) async fn measure(
    file: &Path,
    cache_bytes: Option<usize>,
    has_pages: bool,
) -> Result<Measured, Error> {
    let before = rss_mb();
    let begin = now();
    let mut builder = Engine::builder(file);
    if let Some(bytes) = cache_bytes {
        builder = builder.cache_bytes(bytes);
    }
    let engine = builder.open().await?;
    let open_seconds = rounded(begin.elapsed().as_secs_f64());
    let open_mb = rss_mb() - before;
    let begin = now();
    engine.counts().await?;
    let counts_ms = milliseconds(begin.elapsed());
    let pages = if has_pages {
        pages(&engine).await?
    } else {
        Vec::new()
    };
    engine.shutdown().await;
    Ok(Measured {
        open_seconds,
        counts_ms,
        pages,
        open_mb: rounded(open_mb),
    })
}

/// How much memory a waiting instance has in the process that has started it, in bytes, while it is not evicted.
pub(super) async fn live(file: &Path, waiting: u32) -> Result<f64, Error> {
    let builder = Engine::builder(file).cache_bytes(SMALL_CACHE);
    let engine = builder.open().await?;
    let before = rss_mb();
    start_waiting(&engine, waiting).await?;
    let megabytes = rss_mb() - before;
    engine.shutdown().await;
    Ok((megabytes * 1024.0 * 1024.0 / f64::from(waiting.max(1))).round())
}

async fn pages(engine: &Engine) -> Result<Vec<Timed>, Error> {
    let list = || engine.instances();
    let first = list().page_size(1).await?.instances;
    let newest = list().newest_first().page_size(1).await?.instances;
    let (Some(first), Some(newest)) = (first.first(), newest.first()) else {
        return Ok(Vec::new());
    };
    let middle = first.created_at + newest.created_at.duration_since(first.created_at)? / 2;
    let by_time = list().created(middle..);
    let cursor = by_time.clone().await?.next;
    let behind = cursor.map_or(by_time.clone(), |cursor| by_time.clone().after(cursor));
    let mut timed = Vec::new();
    for (name, list) in [
        ("first page", list()),
        ("first page, newest first", list().newest_first()),
        ("first page of 1,000", list().page_size(1_000)),
        ("page in the middle, by time", by_time),
        ("page in the middle, by cursor", behind),
        ("waiting", list().status(Status::Running)),
        ("failed", list().status(Status::Failed)),
        (
            "one tag, completed",
            list().tag("shop", "7").status(Status::Completed),
        ),
        (
            "one tag, name, running",
            list().of(waits).tag("shop", "7").status(Status::Running),
        ),
        (
            "one tag, failed, by time",
            list()
                .tag("shop", "0")
                .status(Status::Failed)
                .created(middle..),
        ),
        ("completed, from the middle on", list().completed(middle..)),
        ("id prefix", list().id_prefix("done-05")),
        (
            "id prefix, running: nothing found",
            list().id_prefix("done-").status(Status::Running),
        ),
    ] {
        timed.push(time(name, list).await?);
    }
    Ok(timed)
}

async fn time(name: &str, list: Query) -> Result<Timed, Error> {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let begin = now();
        let page = list.clone().await?;
        times.push(milliseconds(begin.elapsed()));
        rows = page.instances.len();
    }
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied().unwrap_or(f64::NAN);
    Ok(Timed {
        name: name.to_owned(),
        rows,
        slowest_ms: at(ROUNDS - 1),
        median_ms: at(ROUNDS / 2),
    })
}
