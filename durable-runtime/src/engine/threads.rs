//! The threaded shell: a committer, shards and a timer thread around the hub.
//!
//! No machine lives here; each thread takes inputs, steps its machine and hands the outputs on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::{Receiver, channel};

use crate::engine::boot::{Booted, OpenError};
use crate::engine::crew::Crew;
use crate::engine::hub::{Hub, Stopped};
use crate::engine::integrity;
use crate::engine::pen::Pen;
use crate::engine::queue::Taken;
use crate::engine::shard::Shard;
use crate::engine::watch;
use crate::event::StallReason;
use crate::limits::{self, THREAD_END_MAX};
use crate::store::{StoreError, chain};

/// The threads of an engine; they end when the hub is stopped.
#[derive(Debug)]
pub(crate) struct Threads {
    hub: Arc<Hub>,
    crew: Arc<Crew>,
    /// Closed once the file is.
    file: Receiver<()>,
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
        let (open_file, file) = channel(());
        let threads = Self {
            hub: Arc::clone(&hub),
            crew: Arc::default(),
            file,
        };
        let starter = Starter {
            hub: Arc::clone(&hub),
            crew: Arc::clone(&threads.crew),
            pen: Arc::new(Pen::new(committer)),
            budget: live_bytes / hub.shards.len(),
        };
        for index in 0..hub.shards.len() {
            starter.shard(index)?;
        }
        let timers = Arc::clone(&hub);
        starter.spawn("durable-timers", move || {
            while timers.timers.wait(&timers.clock) {
                timers.fire_timers(timers.clock.now());
            }
        })?;
        let (committing, pen) = (Arc::clone(&hub), Arc::clone(&starter.pen));
        starter.spawn("durable-committer", move || {
            // Dropped even if this panics: whoever shuts the engine down waits for it.
            let _open_file = open_file;
            pen.keep(&committing);
        })?;
        let watching = starter.clone();
        starter.spawn("durable-watch", move || {
            watch::watch(&watching.hub, |index, turn| watching.replace(index, turn));
        })?;
        hub.release(outstanding);
        if let Some(integrity) = integrity {
            starter.spawn("durable-integrity", move || {
                integrity::check(&hub, integrity);
            })?;
        }
        Ok(threads)
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
            if self.hub.keep_heartbeats() {
                // What they had said is not worth a stop that hangs.
                drop(tokio::time::timeout(THREAD_END_MAX, self.hub.settle()).await);
            }
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

/// What starts the threads of an engine, also those that take the place of others.
#[derive(Debug, Clone)]
struct Starter {
    hub: Arc<Hub>,
    crew: Arc<Crew>,
    pen: Arc<Pen>,
    /// Bytes of idle instances that each shard may keep.
    budget: usize,
}

impl Starter {
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

    /// Starts the thread of a shard, or the next one of it.
    fn shard(&self, index: usize) -> Result<(), OpenError> {
        let owner = self
            .hub
            .inboxes
            .get(index)
            .map_or(0, |inboxes| inboxes.tenure().owner());
        let starter = self.clone();
        self.spawn(&shard_name(index, owner), move || {
            shard(&starter.hub, &starter.pen, index, starter.budget);
        })
    }

    /// Takes a shard from its thread, which this turn holds, and gives it to another.
    fn replace(&self, index: usize, turn: u64) {
        let Some(inboxes) = self.hub.inboxes.get(index) else {
            return;
        };
        if self.crew.lost() >= limits::THREADS_LEFT_BEHIND_MAX {
            tracing::error!(
                "shard {index} is held by a turn that does not end, and stays so: {} threads are left behind already; \
                 start the program again, once the orchestrators that stalled as `Endless` are mended",
                self.crew.lost()
            );
            return;
        }
        let thread = shard_name(index, inboxes.tenure().owner());
        let submissions = &self.hub.submissions;
        let Some(key) = inboxes.abandon(turn, |done| {
            submissions.push(done);
        }) else {
            // It has ended just now.
            return;
        };
        self.crew.leave_behind(&thread);
        let report = self.hub.reviver.endless(key, self.hub.turn_limit);
        tracing::error!(
            instance = key.0,
            "thread `{thread}` is left behind: {report}"
        );
        self.hub
            .reviver
            .guard
            .refuse(key, StallReason::Endless, report);
        // If it cannot be started, the engine has stopped, and says why.
        drop(self.shard(index));
    }
}

fn shard_name(index: usize, owner: u64) -> String {
    match owner {
        0 => format!("durable-shard-{index}"),
        owner => format!("durable-shard-{index}.{owner}"),
    }
}

fn shard(hub: &Arc<Hub>, pen: &Pen, index: usize, budget: usize) {
    let (Some(queue), Some(inboxes)) = (hub.shards.get(index), hub.inboxes.get(index)) else {
        return;
    };
    let mut shard = Shard::new(Arc::clone(&hub.reviver), Arc::clone(inboxes), budget);
    loop {
        // One that takes over finds something to run already.
        if let Err(error) = run_ready(hub, pen, &mut shard)
            && !shard.is_void()
        {
            hub.stop(Stopped::because(chain(&error)));
        }
        if shard.is_abandoned() {
            return;
        }
        shard.answer_probes();
        let Taken::Items(inputs) = queue.take(None) else {
            return;
        };
        for input in inputs {
            shard.accept(input);
        }
    }
}

/// Runs what is ready. Turns are handed over a few at a time, so that the disk is busy while the rest is run; a lone one is
/// committed on the spot.
fn run_ready(hub: &Arc<Hub>, pen: &Pen, shard: &mut Shard) -> Result<(), StoreError> {
    const HANDED_OVER_AT_ONCE: usize = 8;
    let mut is_lone = true;
    while shard.is_ready() {
        if shard.step(hub.clock.now())? >= HANDED_OVER_AT_ONCE {
            is_lone = false;
            shard.hand_over(|turns| {
                hub.submissions.push(turns);
            });
        }
    }
    match shard.hand_over(|turns| hub.submissions.lay_down(turns)) {
        0 => {}
        1 if is_lone => pen.commit_lone(hub),
        _ => hub.submissions.call_taker(),
    }
    Ok(())
}
