//! The replay check: a second live copy of each orchestrator, which is to ask for the same.
//!
//! A *twin* lives on another thread than the instance that it is of, and is fed that instance's turns as they are recorded: the same
//! arrivals, the values of the same side effects. It is replaying all the time, so it writes no log line and runs nothing. What it asks
//! for is compared with what the first copy asked for before anything of the turn is committed. Other hash seeds, another thread,
//! other addresses and a later clock make code differ that depends on one of them.
//!
//! A twin costs a second run of each turn, and of each history when it ends or comes back: linear, in time and in memory.
//!
//! Source: `docs/design.md`, "The replay check".

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::inboxes::{Inboxes, Tenure};
use crate::engine::replayer::Replayer;
use crate::engine::revive::Reviver;
use crate::event::HistoryEvent;
use crate::id::{ExecutionId, InstanceKey, Sequence, SiteId, SourceSite};
use crate::limits;
use crate::replay::{Execution, Stall, Turn, TurnEnd};
use crate::store::Reader;

/// The twins of one shard's instances, and their thread. That is started when it is first needed.
pub(crate) struct Twins {
    replayer: Replayer,
    reader: Reader,
    /// How long a twin may take for a turn.
    limit: Duration,
    inboxes: Arc<Inboxes>,
    tenure: Tenure,
    thread: RefCell<Option<Thread>>,
    /// How many threads were left behind.
    lost: Cell<usize>,
    made: Cell<u64>,
}

/// The same, held by the shard and by each twin; there is none if turns are not checked.
pub(crate) type SharedTwins = Rc<Twins>;

/// An instance's hold on its twin, which goes with it.
pub(crate) struct Twin {
    id: u64,
    twins: Rc<Twins>,
    /// The first event that the instance recorded since it has this twin: what is older may be another process's, whose due times
    /// and policies this one need not repeat.
    since: Cell<Option<Sequence>>,
}

struct Thread {
    asks: Sender<Ask>,
    handle: JoinHandle<()>,
}

/// Whether a turn is the same again; if not, the report of what differs.
type Verdict = Result<(), String>;

enum Ask {
    Check(Box<Check>, SyncSender<Verdict>),
    /// Arrivals that were recorded behind the last turn.
    Note(u64, Vec<HistoryEvent>),
    Forget(u64),
}

/// A turn as the instance has run it.
struct Check {
    id: u64,
    key: InstanceKey,
    execution: ExecutionId,
    since: Sequence,
    first: Sequence,
    events: Vec<HistoryEvent>,
    places: Vec<(SiteId, SourceSite)>,
    is_last: bool,
}

impl Twins {
    /// Twins of the instances that the shard with these inboxes runs from now on; `None` if the engine checks nothing.
    pub(crate) fn new(reviver: &Reviver, inboxes: &Arc<Inboxes>) -> Option<Rc<Self>> {
        let limit = reviver.replay_check?;
        Some(Rc::new(Self {
            replayer: reviver.replayer(),
            reader: reviver.reader.clone(),
            limit,
            inboxes: Arc::clone(inboxes),
            tenure: inboxes.tenure(),
            thread: RefCell::new(None),
            lost: Cell::new(0),
            made: Cell::new(0),
        }))
    }

    /// A twin, which is born when the first turn is to be checked.
    pub(crate) fn twin(self: &Rc<Self>) -> Twin {
        let id = self.made.get();
        self.made.set(id + 1);
        Twin {
            id,
            twins: Rc::clone(self),
            since: Cell::new(None),
        }
    }

    /// Has a turn run again.
    fn check(&self, check: Check) -> Verdict {
        let (tell, told) = sync_channel(1);
        if !self.send(Ask::Check(Box::new(check), tell)) {
            return Ok(());
        }
        // The turn itself has taken its time; this is another one.
        self.inboxes.prolong(self.tenure);
        match self.wait(&told) {
            Ok(verdict) => verdict,
            Err(RecvTimeoutError::Timeout) => {
                // It ends when its code does; nobody waits for it.
                self.thread.take();
                if !self.is_in_office() {
                    // What is run for an engine that has stopped counts for nothing.
                    return Ok(());
                }
                self.lost.set(self.lost.get() + 1);
                if self.lost.get() == limits::THREADS_LEFT_BEHIND_MAX {
                    tracing::error!(
                        "turns are not checked any more: {} threads of twins are left behind with turns that do not end",
                        self.lost.get()
                    );
                }
                Err(endless(self.limit))
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.thread.take();
                tracing::error!(
                    "the thread of the replay check panicked, and a turn was not checked; this is a defect of durable-runtime"
                );
                Ok(())
            }
        }
    }

    /// Waits for a verdict, until the limit or until the engine has stopped.
    fn wait(&self, told: &Receiver<Verdict>) -> Result<Verdict, RecvTimeoutError> {
        /// How soon a stop is noticed.
        const SLICE: Duration = Duration::from_millis(20);
        let mut left = self.limit;
        loop {
            let slice = left.min(SLICE);
            let waited = told.recv_timeout(slice);
            left -= slice;
            let is_over = left.is_zero() || !self.is_in_office();
            if is_over || !matches!(waited, Err(RecvTimeoutError::Timeout)) {
                return waited;
            }
        }
    }

    /// Whether the shard is still its thread's.
    fn is_in_office(&self) -> bool {
        self.inboxes.tenure().owner() == self.tenure.owner()
    }

    /// Tells the thread, which is started if need be; false if there is none.
    fn send(&self, ask: Ask) -> bool {
        let mut thread = self.thread.borrow_mut();
        if thread.is_none() {
            if self.lost.get() >= limits::THREADS_LEFT_BEHIND_MAX {
                return false;
            }
            *thread = self.start();
        }
        let sent = thread.as_ref().map(|thread| thread.asks.send(ask));
        if let Some(Err(_)) = sent {
            // It has panicked between two turns; the next one gets another.
            *thread = None;
        }
        matches!(sent, Some(Ok(())))
    }

    /// Tells the thread, if there is one.
    fn tell(&self, ask: Ask) {
        if let Some(thread) = &*self.thread.borrow() {
            // One that has panicked knows nothing that is to be changed.
            drop(thread.asks.send(ask));
        }
    }

    fn start(&self) -> Option<Thread> {
        let (asks, asked) = channel();
        let (replayer, reader) = (self.replayer.clone(), self.reader.clone());
        let builder = std::thread::Builder::new().name("durable-twins".to_owned());
        match builder.spawn(move || Nursery::new(replayer, reader).keep(&asked)) {
            Ok(handle) => Some(Thread { asks, handle }),
            Err(error) => {
                tracing::error!(%error, "turns are not checked: no thread could be started for it");
                None
            }
        }
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        if let Some(Thread { asks, handle }) = self.thread.take() {
            drop(asks);
            // It holds no code that runs, or it would have been left behind.
            drop(handle.join());
        }
    }
}

impl Twin {
    /// Has the twin run this turn, and has the turn stall if that comes to something else.
    pub(crate) fn check(&self, key: InstanceKey, execution: ExecutionId, turn: Turn) -> Turn {
        if matches!(turn.end, TurnEnd::Stalled) || turn.has_panicked() {
            // It is refused, or over: what a second run would print says nothing new.
            return turn;
        }
        let since = self.since.get().unwrap_or(turn.first);
        self.since.set(Some(since));
        let check = Check {
            id: self.id,
            key,
            execution,
            since,
            first: turn.first,
            events: turn.events.clone(),
            places: turn.places.clone(),
            is_last: !matches!(turn.end, TurnEnd::Waiting),
        };
        match self.twins.check(check) {
            Ok(()) => turn,
            Err(report) => turn.refused(&Stall::not_deterministic(report)),
        }
    }

    /// Takes note of arrivals that were recorded behind the last turn.
    pub(crate) fn note(&self, arrivals: &[HistoryEvent]) {
        self.twins.tell(Ask::Note(self.id, arrivals.to_vec()));
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.twins.tell(Ask::Forget(self.id));
    }
}

/// What the thread keeps.
struct Nursery {
    replayer: Replayer,
    reader: Reader,
    kept: HashMap<u64, Execution>,
}

impl Nursery {
    fn new(replayer: Replayer, reader: Reader) -> Self {
        Self {
            replayer,
            reader,
            kept: HashMap::new(),
        }
    }

    fn keep(mut self, asked: &Receiver<Ask>) {
        while let Ok(ask) = asked.recv() {
            match ask {
                Ask::Check(check, tell) => {
                    // Who has gone on without it says so.
                    drop(tell.send(self.check(&check)));
                }
                Ask::Note(id, arrivals) => {
                    // One that is not born yet reads them with its history.
                    if let Some(twin) = self.kept.get_mut(&id) {
                        twin.answered(arrivals);
                    }
                }
                Ask::Forget(id) => drop(self.kept.remove(&id)),
            }
        }
    }

    fn check(&mut self, check: &Check) -> Verdict {
        let grown = self.kept.remove(&check.id);
        let grown = grown.filter(|twin| twin.next() == check.first);
        let is_grown = grown.is_some();
        let mut twin = match grown {
            Some(twin) => twin,
            None => match self.bear(check)? {
                Some(twin) => twin,
                None => return Ok(()),
            },
        };
        self.run(&mut twin, check)?;
        if !check.is_last {
            self.kept.insert(check.id, twin);
            return Ok(());
        }
        // The whole of it once more, in one go; unless that is what has just been done. The twin is kept meanwhile, so that nothing
        // comes to lie where it lay.
        if is_grown && let Some(mut again) = self.bear(check)? {
            self.run(&mut again, check)?;
        }
        drop(twin);
        Ok(())
    }

    fn run(&self, twin: &mut Execution, check: &Check) -> Verdict {
        let replayed = twin.replay(&check.events);
        replayed.map_err(|stall| self.report(&stall, check))
    }

    /// A twin that has come to where the turn begins; `None` if the history is not there to be read, as of one that was purged.
    fn bear(&self, check: &Check) -> Result<Option<Execution>, String> {
        let summary = self.reader.shared_summary(check.key).ok().flatten();
        let history =
            summary.and_then(|summary| self.reader.current_history(check.key, &summary).ok());
        let Some(mut history) = history else {
            return Ok(None);
        };
        let first = usize::try_from(check.first.0).unwrap_or(usize::MAX);
        let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
            return Ok(None);
        };
        if started.execution != check.execution || history.len() < first {
            return Ok(None);
        }
        let started = started.clone();
        // What somebody has recorded behind it since is not for this turn.
        history.truncate(first);
        let twin = self
            .replayer
            .twin(check.key, &started, &history, check.since);
        twin.map(Some).map_err(|stall| self.report(&stall, check))
    }

    fn report(&self, stall: &Stall, check: &Check) -> String {
        stall.told_of_twin(|build, site| {
            let here = check.places.iter().find(|(id, _)| *id == site);
            // A report without the place is better than none.
            here.map(|(_, place)| place.to_string())
                .or_else(|| self.reader.place(build, site).ok().flatten())
        })
    }
}

fn endless(limit: Duration) -> String {
    format!(
        "run again over the same record, the turn has not ended after {} ms; does it wait for a lock, a channel or a static that the \
         first run holds, or ask `is_replaying`? Code that waits for anything else than what is durable belongs in an activity",
        limit.as_millis()
    )
}

impl std::fmt::Debug for Twins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "twins, {} so far", self.made.get())
    }
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "twin {}", self.id)
    }
}
