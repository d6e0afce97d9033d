//! Purging nine in ten of what has ended, and starting as many anew.

use std::path::Path;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use super::fill::{settled, start_all};
use super::{finishes, megabytes, now, rounded};

/// What a purge came to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Purge {
    pub(super) purged: u64,
    /// Until the last of them was gone for everybody.
    pub(super) seconds: f64,
    /// From then on until an idle engine had removed all rows of them.
    pub(super) tidy_seconds: f64,
    pub(super) started: u32,
    pub(super) start_seconds: f64,
    /// The file before the purge, after it, and with the new instances.
    pub(super) file_mb: [f64; 3],
}

/// Purges by the time of creation, through the list that a program would make.
pub(super) async fn purge(file: &Path, finished: u32) -> Result<Purge, Error> {
    let engine = Engine::open(file).await?;
    let before = length(file)?;
    let first_to_stay = format!("done-{:07}", finished / 10 * 9);
    let Some(first_to_stay) = engine.instance(&first_to_stay).await? else {
        return Err(Error::msg("there is nothing to purge"));
    };
    let until = first_to_stay.overview().await?.created_at;
    let list = engine.instances().of(finishes).created(..until);
    let begin = now();
    let purged = list.purge().await?.count;
    let seconds = rounded(begin.elapsed().as_secs_f64());
    let begin = now();
    settled(&engine).await?;
    let tidy_seconds = rounded(begin.elapsed().as_secs_f64());
    let after = length(file)?;
    let started = u32::try_from(purged)?;
    let begin = now();
    start_all(&engine, started, |engine, number| {
        let start = engine
            .start(finishes(number))
            .id(format!("new-{number:07}"));
        start.tag("shop", (number % 1_000).to_string())
    })
    .await?;
    let start_seconds = rounded(begin.elapsed().as_secs_f64());
    settled(&engine).await?;
    engine.shutdown().await;
    Ok(Purge {
        purged,
        seconds,
        tidy_seconds,
        started,
        start_seconds,
        file_mb: [before, after, length(file)?],
    })
}

fn length(file: &Path) -> Result<f64, Error> {
    Ok(megabytes(std::fs::metadata(file)?.len()))
}
