//! The threaded shell: a committer, shards and a timer thread around the hub.
//!
//! No machine lives here; each thread takes inputs, steps its machine and hands the outputs on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::boot::{Booted, OpenError};
use crate::engine::crew::Crew;
use crate::engine::hub::{Hub, Stopped};
use crate::engine::integrity;
use crate::engine::message::Submission;
use crate::engine::pen::Pen;
use crate::engine::queue::Taken;
use crate::engine::shard::Shard;
use crate::store::{StoreError, chain};

/// The threads of an engine; they end when the hub is stopped.
#[derive(Debug)]
pub(crate) struct Threads {
    hub: Arc<Hub>,
    crew: Arc<Crew>,
    /// Closed once the file is.
    file: watch::Receiver<()>,
}

impl Threads {
    /// Starts the threads and releases what was outstanding.
    pub(crate) fn start(booted: Booted, live_bytes: usize) -> Result<Self, OpenError> {
        let Booted {
            hub,
            committer,
            outstanding,
            integrity,
        } = booted;
        let (open_file, file) = watch::channel(());
        let threads = Self {
            hub: Arc::clone(&hub),
            crew: Arc::default(),
            file,
        };
        let shards = hub.shards.len();
        let pen = Arc::new(Pen::new(committer));
        for index in 0..shards {
            let (hub, pen) = (Arc::clone(&hub), Arc::clone(&pen));
            let budget = live_bytes / shards;
            threads.spawn(&format!("durable-shard-{index}"), move || {
                shard(&hub, &pen, index, budget);
            })?;
        }
        let timers = Arc::clone(&hub);
        threads.spawn("durable-timers", move || {
            while timers.timers.wait(&timers.clock) {
                timers.fire_timers(timers.clock.now());
            }
        })?;
        let committing = Arc::clone(&hub);
        threads.spawn("durable-committer", move || {
            // Dropped even if this panics: whoever shuts the engine down waits for it.
            let _open_file = open_file;
            pen.keep(&committing);
        })?;
        hub.release(outstanding);
        if let Some(integrity) = integrity {
            threads.spawn("durable-integrity", move || {
                integrity::check(&hub, integrity);
            })?;
        }
        Ok(threads)
    }

    fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let hub = Arc::clone(&self.hub);
        let guarded = move || {
            // User code is caught where it is called: what arrives here is a defect of ours, which must not go unseen.
            if catch_unwind(AssertUnwindSafe(body)).is_err() {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                hub.stop(Stopped::because(format!(
                    "thread `{name}` panicked; its file is damaged, or this is a defect of durable-runtime"
                )));
                hub.abandon();
            }
        };
        self.crew.spawn(name, guarded).map_err(|error| {
            self.hub
                .stop(Stopped::because("a thread could not be started"));
            OpenError::Thread(error)
        })
    }

    /// Waits for running activities up to `grace`, then stops everything; the file is free when this returns.
    pub(crate) async fn shut_down(&self, grace: Duration) {
        self.hub.desk.close();
        let wound_up = async {
            self.hub.desk.until_idle().await;
            self.hub.settle().await;
        };
        if tokio::time::timeout(grace, wound_up).await.is_err() {
            tracing::warn!(
                "activities were stopped half-way; they run again when the store is opened"
            );
        }
        self.hub.stop(Stopped::because("it was shut down"));
        // Nothing is ever sent; what is waited for is the end of the committer.
        while self.file.clone().changed().await.is_ok() {}
        let crew = Arc::clone(&self.crew);
        // An error says that the runtime ends, and with it the program.
        drop(self.hub.desk.run_blocking(move || crew.dismiss()).await);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.hub
            .stop(Stopped::because("its last handle was dropped"));
        self.crew.dismiss();
    }
}

fn shard(hub: &Arc<Hub>, pen: &Pen, index: usize, budget: usize) {
    let Some(queue) = hub.shards.get(index) else {
        return;
    };
    let mut shard = Shard::new(Arc::clone(&hub.reviver), budget);
    while let Taken::Items(inputs) = queue.take(None) {
        for input in inputs {
            shard.accept(input);
        }
        if let Err(error) = run_ready(hub, pen, &mut shard) {
            hub.stop(Stopped::because(chain(&error)));
        }
        shard.answer_probes();
    }
}

/// Runs what is ready. Turns are handed over a few at a time, so that the disk is busy while the rest is run; a lone one is
/// committed on the spot.
fn run_ready(hub: &Arc<Hub>, pen: &Pen, shard: &mut Shard) -> Result<(), StoreError> {
    const HANDED_OVER_AT_ONCE: usize = 8;
    let mut commits = Vec::new();
    let mut is_lone = true;
    while shard.is_ready() {
        let commit = shard.step(hub.clock.now())?;
        commits.extend(commit.map(|commit| Submission::Turn(Box::new(commit))));
        if commits.len() >= HANDED_OVER_AT_ONCE {
            is_lone = false;
            hub.submissions.push(std::mem::take(&mut commits));
        }
    }
    if is_lone && commits.len() == 1 {
        pen.commit_lone(hub, commits);
    } else if !commits.is_empty() {
        hub.submissions.push(commits);
    }
    Ok(())
}
