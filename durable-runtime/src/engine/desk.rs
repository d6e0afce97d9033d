//! Where activities are started, told to stop, and taken back: the dispatcher and what runs on tokio.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle};

use crate::activity::{Cancellation, Canceller, Heart};
use crate::engine::dispatcher::{Dispatcher, Found};
use crate::engine::message::{CommandRef, Task};
use crate::event::Name;
use crate::failure::Outcome;
use crate::id::InstanceKey;
use crate::payload::Payload;

mod attempt;
mod seat;

use self::attempt::attempt;
pub(crate) use self::attempt::{Placed, Refused, Shelf};
pub(crate) use self::seat::Seat;

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
    /// What runs still though nobody waited for it, and is to run again: when it has ended.
    again: HashMap<CommandRef, Task>,
    /// Handed in, but not scheduled yet.
    handed_in: VecDeque<Vec<Task>>,
    is_stopped: bool,
}

/// How a running activity is reached.
#[derive(Debug)]
struct Handles {
    cancel: Canceller,
    abort: Option<AbortHandle>,
    heart: Heart,
    heartbeat_timeout: Option<Duration>,
    delivery: u32,
    /// Nobody waits for what it returns.
    is_cancelled: bool,
    /// When it got its place, in monotonic time.
    begun: Duration,
    /// Nothing can stop its body: it has its place until it returns.
    is_blocking: bool,
    /// Why its outcome was decided without it, if it was: nothing that it returns counts then.
    given_up: Option<&'static str>,
}

/// An attempt that has ended, or was given up.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The activity.
    pub(crate) name: Name,
    /// What may start in its stead.
    pub(crate) next: Vec<Placed>,
    /// How long it has had its place.
    pub(crate) ran: Duration,
    /// What it said in its last heartbeat.
    pub(crate) details: Option<Payload>,
    /// Whether its outcome still counts; not if it was given up before.
    pub(crate) counts: bool,
    /// Whether nobody waits for its outcome: it was told so.
    pub(crate) is_cancelled: bool,
}

impl Desk {
    pub(crate) fn new(shelf: Shelf, runtime: tokio::runtime::Handle, limit: usize) -> Self {
        let dispatcher = Dispatcher::new(Arc::clone(&shelf.registry), limit);
        let inner = Mutex::new(Inner {
            dispatcher,
            running: HashMap::new(),
            again: HashMap::new(),
            handed_in: VecDeque::new(),
            is_stopped: false,
        });
        Self {
            shelf: Arc::new(shelf),
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
            inner.schedule(tasks, &self.shelf);
        }
        let placed = inner.place(&self.shelf);
        self.tell_if_idle(&inner);
        placed
    }

    /// Nobody waits for these activities any more: what waits for a place never starts, what runs is told.
    pub(crate) fn cancel(&self, commands: Vec<CommandRef>) {
        let mut inner = self.lock();
        inner.schedule_handed_in(&self.shelf);
        for command in commands {
            inner.again.remove(&command);
            if inner.dispatcher.cancel(command) == Found::Running {
                inner.tell(command);
            }
        }
        self.tell_count(&inner);
    }

    /// The same for all activities of these instances.
    pub(crate) fn cancel_all_of(&self, instances: &BTreeSet<InstanceKey>) {
        let mut inner = self.lock();
        inner.schedule_handed_in(&self.shelf);
        (inner.again).retain(|command, _| !instances.contains(&command.instance));
        for instance in instances {
            for command in inner.dispatcher.cancel_all_of(*instance) {
                inner.tell(command);
            }
        }
        self.tell_count(&inner);
    }

    /// The same for all activities but these.
    pub(crate) fn cancel_all_but(&self, wanted: &BTreeSet<CommandRef>) {
        let mut inner = self.lock();
        inner.schedule_handed_in(&self.shelf);
        inner.again.retain(|command, _| wanted.contains(command));
        for command in inner.dispatcher.cancel_all_but(wanted) {
            inner.tell(command);
        }
        self.tell_count(&inner);
    }

    /// Takes back the place of an activity that has ended; `None` if it had none any more, as after a time-out.
    pub(crate) fn finish(&self, command: CommandRef) -> Option<Finished> {
        let mut inner = self.lock();
        let name = inner.dispatcher.finish(command)?;
        let handles = inner.running.remove(&command);
        let again = inner.again.remove(&command);
        let is_void = again.is_some();
        inner.schedule(again, &self.shelf);
        let next = inner.place(&self.shelf);
        self.tell_if_idle(&inner);
        Some(Finished {
            name,
            next,
            ran: (handles.as_ref()).map_or(Duration::ZERO, |handles| self.since(handles)),
            details: handles.as_ref().and_then(|handles| handles.heart.details()),
            is_cancelled: (handles.as_ref()).is_some_and(|handles| handles.is_cancelled),
            counts: !is_void && handles.is_none_or(|handles| handles.given_up.is_none()),
        })
    }

    /// Stops an attempt that has run into a limit, as `why` says: it is told, and aborted at its next await. `None` if it has
    /// ended.
    ///
    /// A body that is not `async` cannot be aborted: it keeps its place until it returns, so that no more than the limit ever
    /// run.
    pub(crate) fn give_up(&self, command: CommandRef, why: &'static str) -> Option<Finished> {
        let mut inner = self.lock();
        let handles = inner.running.get_mut(&command)?;
        if handles.given_up.is_some() {
            return None;
        }
        handles.given_up = Some(why);
        handles.cancel.cancel();
        let is_void = handles.is_cancelled;
        let (details, ran) = (handles.heart.details(), self.since(handles));
        let (name, next) = if handles.is_blocking {
            let name = inner.dispatcher.name_of(command)?;
            tracing::warn!(activity = %name, "an attempt ran into its time-out; its body is not `async`, so it runs on and \
                keeps its place until it returns");
            (name, Vec::new())
        } else {
            handles.abort.iter().for_each(AbortHandle::abort);
            inner.running.remove(&command);
            let name = inner.dispatcher.finish(command)?;
            let again = inner.again.remove(&command);
            inner.schedule(again, &self.shelf);
            (name, inner.place(&self.shelf))
        };
        self.tell_if_idle(&inner);
        Some(Finished {
            name,
            next,
            ran,
            details,
            counts: !is_void,
            is_cancelled: is_void,
        })
    }

    /// An attempt that was given up and still has its place, and why it was.
    pub(crate) fn given_up(&self, command: CommandRef) -> Option<(Finished, &'static str)> {
        let inner = self.lock();
        let handles = inner.running.get(&command)?;
        let ended = Finished {
            name: inner.dispatcher.name_of(command)?,
            next: Vec::new(),
            ran: self.since(handles),
            details: handles.heart.details(),
            counts: true,
            is_cancelled: handles.is_cancelled,
        };
        Some((ended, handles.given_up?))
    }

    /// How long a running attempt may stay silent from now on; nothing, if it was silent for too long. `None` if it has ended.
    pub(crate) fn patience(&self, command: CommandRef) -> Option<Duration> {
        let inner = self.lock();
        let handles = inner.running.get(&command)?;
        let limit = handles
            .heartbeat_timeout
            .filter(|_| handles.given_up.is_none())?;
        Some(limit.saturating_sub(handles.heart.silent_for()))
    }

    /// What the running attempts have said in their last heartbeats.
    pub(crate) fn heartbeats(&self) -> Vec<(CommandRef, Payload)> {
        let inner = self.lock();
        let running = inner.running.iter();
        let running = running.filter(|(_, handles)| handles.given_up.is_none());
        let mut said: Vec<_> = running
            .filter_map(|(command, handles)| Some((*command, handles.heart.details()?)))
            .collect();
        said.sort_unstable_by_key(|(command, _)| *command);
        said
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
            handles.cancel.cancel();
            handles.abort.iter().for_each(AbortHandle::abort);
        }
        self.shelf.observer.meters.activities(0, 0);
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

    /// How many activities run that were not told that nobody waits for them.
    #[cfg(test)]
    pub(crate) fn untold(&self) -> usize {
        let inner = self.lock();
        let running = inner.running.values();
        running.filter(|handles| !handles.cancel.is_told()).count()
    }

    /// How long an attempt has had its place.
    fn since(&self, handles: &Handles) -> Duration {
        (self.shelf.clock.monotonic()).saturating_sub(handles.begun)
    }

    /// Tells how many attempts run, and wait.
    fn tell_count(&self, inner: &Inner) {
        let dispatcher = &inner.dispatcher;
        let meters = &self.shelf.observer.meters;
        meters.activities(dispatcher.running(), dispatcher.waiting());
    }

    fn tell_if_idle(&self, inner: &Inner) {
        self.tell_count(inner);
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

    /// What was handed in before it was cancelled is to be found.
    fn schedule_handed_in(&mut self, from: &Shelf) {
        while let Some(tasks) = self.handed_in.pop_front() {
            self.schedule(tasks, from);
        }
    }

    /// Tells a running activity that nobody waits for it.
    fn tell(&mut self, command: CommandRef) {
        if let Some(handles) = self.running.get_mut(&command) {
            handles.is_cancelled = true;
            handles.cancel.cancel();
        }
    }

    fn schedule(&mut self, tasks: impl IntoIterator<Item = Task>, from: &Shelf) {
        let now = from.clock.monotonic();
        for mut task in tasks {
            task.queued_at = now;
            let command = task.command;
            // After a rewind: what it returns was not waited for when it was told so, and counts for nothing.
            if (self.running.get(&command)).is_some_and(|handles| handles.is_cancelled) {
                self.again.insert(command, task);
            } else {
                self.dispatcher.schedule(task);
            }
        }
    }

    fn place(&mut self, from: &Shelf) -> Vec<Placed> {
        let mut placed = Vec::new();
        let mut begun = None;
        while let Some(task) = self.dispatcher.start() {
            let begun = *begun.get_or_insert_with(|| from.clock.monotonic());
            let waited = begun.saturating_sub(task.queued_at);
            let meters = &from.observer.meters;
            meters.attempt_began(&task.scheduled.name, waited);
            let (cancel, cancellation) = Cancellation::channel();
            let known = task.scheduled.heartbeats.as_deref();
            let heartbeat_timeout = known.and_then(|known| known.timeout);
            let inherited = known.and_then(|known| known.last.clone());
            let heart = Heart::new(Arc::clone(&from.clock), inherited);
            let entry = from.registry.find_activity(&task.scheduled.name);
            self.running.insert(
                task.command,
                Handles {
                    cancel,
                    abort: None,
                    heart: heart.clone(),
                    heartbeat_timeout,
                    delivery: task.delivery,
                    is_cancelled: false,
                    begun,
                    is_blocking: entry.is_some_and(|entry| entry.options.is_blocking),
                    given_up: None,
                },
            );
            placed.push(Placed {
                task,
                cancellation,
                heart,
            });
        }
        placed
    }
}
