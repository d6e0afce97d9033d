//! Where activities are started, told to stop, and taken back: the dispatcher and what runs on tokio.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

use crate::activity::{self, ActivityInfo, Running, States};
use crate::definition::ActivityFuture;
use crate::engine::dispatcher::{Dispatcher, Found};
use crate::engine::message::{CommandRef, Task};
use crate::event::{Name, StallReason};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::StoreId;
use crate::panics;
use crate::registry::Registry;
use crate::replay::oversized;

/// The activities of one engine.
#[derive(Debug)]
pub(crate) struct Desk {
    shelf: Arc<Shelf>,
    runtime: tokio::runtime::Handle,
    inner: Mutex<Inner>,
    idle: Notify,
}

#[derive(Debug)]
struct Inner {
    dispatcher: Dispatcher,
    running: HashMap<CommandRef, Handles>,
    /// Handed in, but not scheduled yet.
    handed_in: VecDeque<Vec<Task>>,
    is_stopped: bool,
}

/// How a running activity is reached.
#[derive(Debug)]
struct Handles {
    cancel: watch::Sender<bool>,
    abort: Option<AbortHandle>,
}

/// An activity that has a place and is to be run.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) task: Task,
    cancelled: watch::Receiver<bool>,
}

/// Why an activity could not be run: its instance stalls with this.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) reason: StallReason,
    pub(crate) report: String,
}

/// A place that was given back.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whose place it was.
    pub(crate) name: Name,
    /// What may start in its stead.
    pub(crate) next: Vec<Placed>,
}

/// What activities are made from.
#[derive(Debug)]
struct Shelf {
    registry: Arc<Registry>,
    states: States,
    store: StoreId,
}

impl Desk {
    pub(crate) fn new(
        registry: Arc<Registry>,
        states: States,
        store: StoreId,
        runtime: tokio::runtime::Handle,
        limit: usize,
    ) -> Self {
        let dispatcher = Dispatcher::new(Arc::clone(&registry), limit);
        let inner = Mutex::new(Inner {
            dispatcher,
            running: HashMap::new(),
            handed_in: VecDeque::new(),
            is_stopped: false,
        });
        Self {
            shelf: Arc::new(Shelf {
                registry,
                states,
                store,
            }),
            runtime,
            inner,
            idle: Notify::new(),
        }
    }

    /// Takes new activities in; each list is scheduled by a later [`place_some`](Self::place_some).
    pub(crate) fn hand_in(&self, lists: impl IntoIterator<Item = Vec<Task>>) {
        self.lock().handed_in.extend(lists);
    }

    /// Schedules one list that was handed in; returns what has a place now.
    pub(crate) fn place_some(&self) -> Vec<Placed> {
        let mut inner = self.lock();
        if let Some(tasks) = inner.handed_in.pop_front() {
            inner.schedule(tasks);
        }
        let placed = inner.place();
        self.tell_if_idle(&inner);
        placed
    }

    /// Nobody waits for these activities any more: what waits for a place never starts, what runs is told.
    pub(crate) fn cancel(&self, commands: Vec<CommandRef>) {
        let mut inner = self.lock();
        // What was handed in before it was cancelled is to be found.
        while let Some(tasks) = inner.handed_in.pop_front() {
            inner.schedule(tasks);
        }
        for command in commands {
            if inner.dispatcher.cancel(command) == Found::Running
                && let Some(handles) = inner.running.get(&command)
            {
                handles.cancel.send_replace(true);
            }
        }
    }

    /// Takes a place back; `None` if the activity had none any more, as after a time-out.
    pub(crate) fn finish(&self, command: CommandRef) -> Option<Finished> {
        let mut inner = self.lock();
        let name = inner.dispatcher.finish(command)?;
        if let Some(handles) = inner.running.remove(&command) {
            // Whoever calls from within the activity is at its end already.
            handles.abort.iter().for_each(AbortHandle::abort);
        }
        let next = inner.place();
        self.tell_if_idle(&inner);
        Some(Finished { name, next })
    }

    /// Runs what has a place, on a task of its own. `done` is called there with what became of it; not at all once
    /// everything was stopped.
    pub(crate) fn run(
        &self,
        placed: Placed,
        done: impl FnOnce(Result<Outcome, Refused>) + Send + 'static,
    ) {
        if self.lock().is_stopped {
            return;
        }
        let command = placed.task.command;
        let attempt = attempt(Arc::clone(&self.shelf), placed);
        let spawned = self.runtime.spawn(async move { done(attempt.await) });
        let mut inner = self.lock();
        let is_stopped = inner.is_stopped;
        match inner.running.get_mut(&command) {
            Some(handles) if !is_stopped => handles.abort = Some(spawned.abort_handle()),
            // It has ended, was timed out, or everything was stopped meanwhile.
            _ => spawned.abort(),
        }
    }

    /// Runs a piece of the engine's own work on the runtime of the activities.
    pub(crate) fn set_off(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.runtime.spawn(work));
    }

    /// Runs work that blocks on the runtime of the activities, which has threads for that.
    pub(crate) fn run_blocking(&self, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn_blocking(work)
    }

    /// Starts nothing more; what runs may end.
    pub(crate) fn close(&self) {
        self.lock().dispatcher.close();
    }

    /// Stops what still runs at its next await; it runs again when the store is opened again.
    pub(crate) fn abort_all(&self) {
        let mut inner = self.lock();
        // What has its place but not its task yet, as in a fan-out that is being set off, must not start either.
        inner.is_stopped = true;
        #[expect(
            clippy::iter_over_hash_type,
            reason = "all are stopped, in whatever order"
        )]
        for handles in inner.running.values() {
            handles.abort.iter().for_each(AbortHandle::abort);
        }
    }

    /// Resolves when no activity runs.
    pub(crate) async fn until_idle(&self) {
        while self.running() > 0 {
            self.idle.notified().await;
        }
        // Several may wait, and one is told.
        self.idle.notify_one();
    }

    /// How many activities run, or are about to be scheduled.
    pub(crate) fn running(&self) -> usize {
        self.lock().busy()
    }

    fn tell_if_idle(&self, inner: &Inner) {
        if inner.busy() == 0 {
            self.idle.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn busy(&self) -> usize {
        self.dispatcher.running() + self.handed_in.len()
    }

    fn schedule(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            self.dispatcher.schedule(task);
        }
    }

    fn place(&mut self) -> Vec<Placed> {
        let mut placed = Vec::new();
        while let Some(task) = self.dispatcher.start() {
            let (cancel, cancelled) = watch::channel(false);
            self.running.insert(
                task.command,
                Handles {
                    cancel,
                    abort: None,
                },
            );
            placed.push(Placed { task, cancelled });
        }
        placed
    }
}

/// One delivery of one attempt. All code of users that an activity has runs in here, on its own task.
async fn attempt(shelf: Arc<Shelf>, placed: Placed) -> Result<Outcome, Refused> {
    let Placed { task, cancelled } = placed;
    let name = task.scheduled.name.clone();
    let Some(entry) = shelf.registry.find_activity(&name) else {
        let report = shelf.registry.unknown_activity(&name);
        return Err(Refused {
            reason: StallReason::Unregistered,
            report,
        });
    };
    let call = || (entry.run)(&task.scheduled.input, &shelf.states);
    let body = match panics::caught(call) {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            let report = format!("the recorded input of activity `{name}` cannot be read: {error}");
            return Err(Refused {
                reason: StallReason::Undecodable,
                report,
            });
        }
        Err(message) => return Ok(panicked(&name, message)),
    };
    let info = Arc::new(info(shelf.store, task));
    let running = Running { info, cancelled };
    let outcome = activity::scope(running, caught(&name, body)).await;
    Ok(bounded(&name, outcome))
}

fn info(store: StoreId, task: Task) -> ActivityInfo {
    ActivityInfo {
        key: idempotency_key(store, &task),
        name: task.scheduled.name,
        instance: task.instance,
        execution: task.command.execution,
        call: task.scheduled.call,
        attempt: task.scheduled.attempt,
        delivery: task.delivery,
    }
}

/// Equal for all attempts and deliveries of one call.
fn idempotency_key(store: StoreId, task: &Task) -> uuid::Uuid {
    let mut seed = [0u8; 32];
    let parts = store.0.to_le_bytes().into_iter();
    let parts = parts.chain(task.command.instance.0.to_le_bytes());
    let parts = parts.chain(task.command.execution.0.to_le_bytes());
    let parts = parts.chain(task.scheduled.call.0.to_le_bytes());
    seed.iter_mut()
        .zip(parts)
        .for_each(|(byte, part)| *byte = part);
    uuid::Uuid::new_v8(xxhash_rust::xxh3::xxh3_128(&seed).to_le_bytes())
}

/// Polls the body of an activity; a panic in it becomes a fault.
async fn caught(name: &str, mut body: ActivityFuture) -> Outcome {
    let outcome = std::future::poll_fn(|cx| {
        panics::caught(|| body.as_mut().poll(cx))
            .unwrap_or_else(|message| Poll::Ready(panicked(name, message)))
    })
    .await;
    // A destructor that panics comes too late to change the outcome.
    drop(panics::caught(|| drop(body)));
    outcome
}

/// An output that is too large to be recorded is a fault.
fn bounded(name: &str, outcome: Outcome) -> Outcome {
    let payload = match &outcome {
        Outcome::Completed(output) => output,
        Outcome::Failed(Failure::Returned(returned)) => &returned.error,
        Outcome::Failed(Failure::Fault(_)) => return outcome,
    };
    oversized(payload, "output", name).map_or(outcome, faulted)
}

fn faulted(fault: Fault) -> Outcome {
    Outcome::Failed(Failure::Fault(fault))
}

fn panicked(name: &str, message: String) -> Outcome {
    faulted(Fault::new(FaultKind::Panicked, name, message))
}
