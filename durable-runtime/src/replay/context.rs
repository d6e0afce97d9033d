//! What durable futures find while an orchestrator is polled: the state of the turn.
//!
//! A thread-local holds the context during a poll and at no other time. So a future that is dropped elsewhere (an
//! instance is evicted, the engine stops) finds nothing, and cancels nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use super::cancel::Cancel;
use super::changes::Changes;
use super::derived::Derived;
use super::divergence;
use super::length::Length;
use super::mailbox::Mailbox;
use super::open::{Answer, OpenWork};
use super::script::{Head, Mode};
use super::stall::Stall;
use super::turn::TurnRecord;
use super::wake::WakeTree;
use super::{DefaultVersions, Identity};
use crate::clock::Timestamp;
use crate::event::{EventRaised, ExecutionStarted, HistoryEvent, Name};
use crate::failure::{Fault, FaultKind};
use crate::id::{EventId, InstanceId, SourceSite};
use crate::payload::Payload;
use crate::sites::{self, Site, SiteTable};
use crate::trace::Lineage;

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<Context>>>> = const { RefCell::new(None) };
}

/// Tells live executions of this process apart, so that a future that strays into another one finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    fn unique() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Self(MADE.fetch_add(1, Ordering::Relaxed))
    }
}

/// The state of one execution that its code can reach.
pub(crate) struct Context {
    owner: Owner,
    pub(super) identity: Identity,
    pub(super) started: Arc<ExecutionStarted>,
    pub(super) at: Timestamp,
    /// How long the history was when the turn before had ended.
    pub(super) length: Length,
    /// Bytes of one payload.
    pub(super) payload_limit: usize,
    pub(super) mode: Mode,
    flow: Flow,
    pub(super) versions: Option<Arc<dyn DefaultVersions>>,
    /// What has been said of changes of the code.
    pub(super) changes: Changes,
    /// The number of the next command.
    pub(super) issued: u32,
    /// Ids of children that count no more: no other child gets them.
    pub(super) taken: BTreeSet<InstanceId>,
    pub(super) open: OpenWork,
    pub(super) mailbox: Mailbox,
    pub(super) cancel: Cancel,
    pub(crate) wake: WakeTree,
    has_heir: bool,
    derived: Derived,
    pub(super) turn: TurnRecord,
    /// The custom status as last recorded.
    pub(super) status: Option<Payload>,
    /// The last command, for reports: its site, and how many there were.
    pub(super) last_site: Option<SourceSite>,
}

/// Whether code may still ask for anything.
enum Flow {
    /// It may.
    Running,
    /// Something ended the execution or the turn; every durable future waits until the code is dropped.
    Stopped(Stop),
    /// The code is being dropped; what it does then counts for nothing.
    Closing,
}

/// What ends an execution or a turn, other than the code's own return.
pub(crate) enum Stop {
    /// A fault that nobody caught.
    Fault(Fault),
    /// The turn cannot be run.
    Stall(Stall),
    /// The instance goes on as a new execution.
    Continue(Continue),
}

/// What the next execution begins with.
pub(crate) struct Continue {
    pub(crate) version: Option<String>,
    pub(crate) input: Payload,
    /// Whether a trace of its own begins with it.
    pub(crate) is_traced_anew: bool,
}

impl Context {
    /// A context for a new execution in its first turn.
    pub(super) fn new(identity: Identity, started: ExecutionStarted, head: Head) -> Self {
        Self {
            owner: Owner::unique(),
            identity,
            started: Arc::new(started),
            at: head.at,
            length: head.length,
            payload_limit: head.payload_limit,
            mode: head.mode,
            flow: Flow::Running,
            versions: None,
            changes: Changes::default(),
            issued: 0,
            taken: BTreeSet::new(),
            open: OpenWork::default(),
            mailbox: Mailbox::default(),
            cancel: Cancel::default(),
            wake: WakeTree::default(),
            has_heir: false,
            derived: Derived::default(),
            turn: TurnRecord::default(),
            status: None,
            last_site: None,
        }
    }

    /// Which live execution this is.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// The begin of the execution.
    pub(crate) fn started(&self) -> &Arc<ExecutionStarted> {
        &self.started
    }

    /// The name of the orchestrator.
    pub(crate) fn name(&self) -> &Name {
        &self.started.name
    }

    /// The version of a call by name that asks for none: while it is replayed the recorded one, so that it stays in force
    /// when a greater one is registered.
    pub(crate) fn default_version(&self, name: &str) -> Option<String> {
        let next = match &self.mode {
            Mode::Replay(script) => script.peek(),
            Mode::Progress => None,
        };
        match next {
            Some(HistoryEvent::ChildScheduled(child)) if child.name == name => {
                child.version.clone()
            }
            Some(HistoryEvent::DetachedScheduled(start)) if start.name == name => {
                start.version.clone()
            }
            _ => self.versions.as_ref()?.default_of(name),
        }
    }

    /// Whether a child that counts no more since a rewind has this id.
    pub(crate) fn is_taken(&self, id: &InstanceId) -> bool {
        self.taken.contains(id)
    }

    /// What the spans of the execution are derived from.
    pub(crate) fn lineage(&self) -> Lineage {
        let Identity { store, key, .. } = self.identity;
        let started = &self.started;
        Lineage::new(store, key, started.execution, started.trace.clone())
    }

    /// The replay clock: the time of the turn.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether the history has grown so long that the execution had better go on as a new one.
    pub(crate) fn is_long(&self) -> bool {
        self.length.reaches(Length::CONTINUE)
    }

    /// Whether a recorded turn is fed.
    pub(crate) fn is_replaying(&self) -> bool {
        matches!(self.mode, Mode::Replay(_))
    }

    /// Whether code may still ask for anything; if not, every durable future waits.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.flow, Flow::Running)
    }

    /// Ends the execution or the turn; the first stop counts.
    pub(crate) fn stop(&mut self, stop: Stop) {
        if self.is_running() {
            self.flow = Flow::Stopped(stop);
        }
    }

    /// Whether code of `owner` may still ask for anything, and runs here.
    pub(super) fn is_current(&self, owner: Owner) -> bool {
        self.is_running() && owner == self.owner
    }

    /// Ends the execution if it was asked to end and nobody in it is there to handle that.
    pub(super) fn end_if_cancelled(&mut self) {
        if let Some(request) = self.cancel.due() {
            let fault = Fault::new(FaultKind::Cancelled, self.name().clone(), &request.reason);
            self.fault(fault);
        }
    }

    /// Ends the execution with a fault that has no await to go to.
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.stop(Stop::Fault(fault));
    }

    /// From now on the code's wishes count for nothing; returns what ended it, if something did.
    pub(super) fn close(&mut self) -> Option<Stop> {
        match std::mem::replace(&mut self.flow, Flow::Closing) {
            Flow::Stopped(stop) => Some(stop),
            Flow::Running | Flow::Closing => None,
        }
    }

    /// The next derived identifier.
    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        self.derived.uuid(&self.started, self.at)
    }

    /// The next derived number.
    pub(crate) fn random(&mut self) -> u64 {
        self.derived.random(&self.started, self.at)
    }

    /// The chance behind what follows an attempt of a call.
    pub(crate) fn seed(&self, call: EventId, attempt: u32) -> u64 {
        Derived::of_attempt(&self.started, call, attempt)
    }

    /// Where the derived values have got to.
    pub(crate) fn derived(&self) -> Derived {
        self.derived
    }

    /// Derives from there on, again.
    pub(crate) fn derive_from(&mut self, derived: Derived) {
        self.derived = derived;
    }

    /// Sets the custom status; the last one of a turn is recorded.
    pub(crate) fn set_status(&mut self, status: Payload) {
        if self.is_running() {
            self.turn.status = Some(status);
        }
    }

    pub(super) fn poll_ticket(&mut self, owner: Owner, id: EventId) -> Poll<Answer> {
        if !self.is_running() || owner != self.owner {
            return Poll::Pending;
        }
        let slot = self.wake.current();
        self.open.poll(id, slot)
    }

    /// Cancels what a dropped future waited for, unless the code is past deciding anything.
    pub(super) fn drop_ticket(&mut self, owner: Owner, id: EventId) {
        if !self.is_running() || owner != self.owner || std::thread::panicking() {
            return;
        }
        self.turn.cancelled.extend(self.open.close(id));
    }

    pub(super) fn poll_waiter(
        &mut self,
        owner: Owner,
        name: &str,
        number: u64,
    ) -> Poll<EventRaised> {
        if !self.is_running() || owner != self.owner {
            return Poll::Pending;
        }
        let slot = self.wake.current();
        self.mailbox.poll(name, number, slot)
    }

    pub(super) fn drop_waiter(&mut self, owner: Owner, name: &str, number: u64) {
        if !self.is_running() || owner != self.owner || std::thread::panicking() {
            return;
        }
        if let Some(heir) = self.mailbox.leave(name, number) {
            self.wake.mark(heir);
            self.has_heir = true;
        }
    }

    /// Whether, since this was last asked, an event went from one waiter to another, which may have been polled before.
    pub(super) fn take_heir(&mut self) -> bool {
        std::mem::take(&mut self.has_heir) && self.is_running()
    }

    /// The last thing that the code asked for, for a report.
    pub(super) fn last_step(&self) -> String {
        match self.last_site {
            Some(site) => format!(
                "the last command, number {}, was asked for at {site}",
                self.issued.saturating_sub(1)
            ),
            None => "it has not asked for anything yet".to_owned(),
        }
    }

    /// What was not reached, for a report: what the record goes on with, if this is a replay; else what follows in the source.
    pub(super) fn next_step(&self) -> Option<String> {
        if let Mode::Replay(script) = &self.mode {
            let next = divergence::describe(script.peek()?, self.at);
            return Some(format!("{next}, which is recorded next"));
        }
        let last = self.last_site.map(SourceSite::location);
        let (table, rows) = sites::rows_after(last, self.name())?;
        let next: Vec<String> = rows
            .iter()
            .take(TOLD_MAX)
            .map(|row| point(table, row))
            .collect();
        (!next.is_empty()).then(|| next.join("\n                    "))
    }
}

/// How many points that were not reached a report names.
const TOLD_MAX: usize = 3;

/// A point of the code, for a report.
fn point(table: &SiteTable, row: &Site) -> String {
    let (file, text) = (table.place.file, row.text().trim());
    let place = format!("{file}:{}:{}", row.line(), row.column());
    if text.is_empty() {
        format!("`{}` at {place}", row.callee())
    } else {
        format!("{place}: `{text}`")
    }
}

/// Runs `f` on the context of the orchestrator that is being polled on this thread; `None` if there is none.
///
/// `f` must run no code of users: the context is borrowed meanwhile.
pub(crate) fn with<R>(f: impl FnOnce(&mut Context) -> R) -> Option<R> {
    let context = current()?;
    let mut context = context.borrow_mut();
    Some(f(&mut context))
}

/// The context of the orchestrator that is being polled on this thread.
fn current() -> Option<Rc<RefCell<Context>>> {
    let context = CURRENT.try_with(|current| current.borrow().as_ref().map(Rc::clone));
    // At the end of a thread the thread-local is gone, and with it every orchestrator of the thread.
    context.ok().flatten()
}

/// Whether an orchestrator is being polled on this thread.
pub(crate) fn is_inside() -> bool {
    let inside = CURRENT.try_with(|current| current.borrow().is_some());
    inside.unwrap_or(false)
}

/// As [`with`], where there must be a context.
///
/// # Panics
/// Outside an orchestrator; the message says where `what` belongs.
#[track_caller]
pub(crate) fn require<R>(what: &str, f: impl FnOnce(&mut Context) -> R) -> R {
    #[expect(clippy::panic, reason = "misuse that no type can rule out; the message says what to do")]
    with(f).unwrap_or_else(|| {
        panic!(
            "{what} was used outside an orchestrator; it works only in the body of an `#[orchestrator]` or `#[helper]` \
             function that an engine runs"
        )
    })
}

/// Runs `poll` with `context` as the current one.
pub(super) fn enter<R>(context: &Rc<RefCell<Context>>, poll: impl FnOnce() -> R) -> R {
    struct Leave(Option<Rc<RefCell<Context>>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            let outer = self.0.take();
            let inner = CURRENT.try_with(|current| current.replace(outer));
            drop(inner);
        }
    }
    let inner = Some(Rc::clone(context));
    let outer = CURRENT.try_with(|current| current.replace(inner));
    let _leave = Leave(outer.unwrap_or_default());
    poll()
}
