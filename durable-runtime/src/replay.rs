//! Replay: a function of history and code, without I/O, clock or thread.
//!
//! An [`Execution`] is one run of an orchestrator: its suspended code and what it waits for. It is fed recorded turns,
//! which the code must follow command by command, and then new ones, which it extends. Both go through the same code,
//! so nothing that a future can observe tells them apart.
//!
//! Source: `docs/design.md`, "Turns" and "Replay and matching".

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::definition::OrchestratorFuture;
use crate::event::{CustomStatusSet, ExecutionStalled, HistoryEvent, Pending, TurnStarted, Void};
use crate::id::{BuildId, EventId, InstanceKey, Sequence, StoreId};
use crate::limits;
use crate::payload::{DecodeError, Payload};

mod awaited;
mod cancel;
mod changes;
mod command;
mod context;
#[cfg(feature = "sandbox")]
mod deciding;
mod derived;
mod divergence;
mod length;
mod live;
mod mailbox;
mod matching;
mod open;
mod payloads;
mod root;
mod script;
mod stall;
mod taken;
mod turn;
mod wake;

pub(crate) use self::awaited::{Awaited, BufferedEvents};
pub(crate) use self::cancel::CancelHold;
pub(crate) use self::command::{Issued, Marker, Refused};
pub(crate) use self::context::{Context, Continue, Owner, Stop, is_inside, require, with};
#[cfg(feature = "sandbox")]
pub(crate) use self::deciding::{Deciding, is_deciding};
pub(crate) use self::derived::Derived;
pub(crate) use self::length::Length;
pub(crate) use self::mailbox::{Load, Waiter};
pub(crate) use self::open::{Answer, Ticket};
pub(crate) use self::payloads::oversized;
pub(crate) use self::stall::Stall;
pub(crate) use self::turn::{Turn, TurnEnd};
pub(crate) use self::wake::{NodeId, Order};

use self::live::Live;
use self::mailbox::Mailbox;
use self::script::{Head, Mode, Script};
use self::taken::Taken;
use self::turn::{End, TurnRecord};

/// The code of an orchestrator: decodes the input and calls the body.
pub(crate) type Code =
    Arc<dyn Fn(&Payload) -> Result<OrchestratorFuture, DecodeError> + Send + Sync>;

/// Tells which version a call by name is of that names none.
pub(crate) trait DefaultVersions: Send + Sync {
    /// The greatest that is registered; `None` for code without a version, or for no code at all.
    fn default_of(&self, name: &str) -> Option<String>;
}

/// Whose execution it is, and which build runs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) store: StoreId,
    pub(crate) key: InstanceKey,
    pub(crate) build: BuildId,
}

/// One live execution: its suspended code and what it waits for. It stays on its thread.
pub(crate) struct Execution {
    identity: Identity,
    code: Code,
    versions: Option<Arc<dyn DefaultVersions>>,
    phase: Phase,
    /// Recorded arrivals that no turn has delivered yet.
    undelivered: Vec<HistoryEvent>,
    length: Length,
    /// How long it was when the last turn had ended.
    turned: Length,
    /// Beyond this a turn stalls.
    most: Length,
    payload_limit: u32,
    last_at: Timestamp,
    /// From which event on what it asks for is compared in everything; of none but a twin's.
    twin_since: Sequence,
    /// The number of the next command, if a rewind says so: those of void commands are not used again.
    renumber: Option<EventId>,
    /// The children that count no more.
    taken: Taken,
}

enum Phase {
    New,
    Live(Box<Live>),
    /// Ended, or stalled and spent.
    Over,
}

impl Execution {
    /// An execution that has not begun; its history begins with `ExecutionStarted`.
    pub(crate) fn new(identity: Identity, code: Code) -> Self {
        Self {
            identity,
            code,
            versions: None,
            phase: Phase::New,
            undelivered: Vec::new(),
            length: Length::default(),
            turned: Length::default(),
            most: Length::MAX,
            payload_limit: narrow(limits::PAYLOAD_BYTES_MAX),
            last_at: Timestamp::default(),
            twin_since: Sequence(u32::MAX),
            renumber: None,
            taken: Taken::default(),
        }
    }

    /// The same, whose calls by name get these versions unless they ask for one.
    pub(crate) fn with_versions(self, versions: Arc<dyn DefaultVersions>) -> Self {
        let versions = Some(versions);
        Self { versions, ..self }
    }

    /// The same with another bound on what new turns record in one payload, in bytes.
    pub(crate) fn with_payload_limit(self, payload_limit: usize) -> Self {
        let payload_limit = narrow(payload_limit);
        Self {
            payload_limit,
            ..self
        }
    }

    /// The same as a twin: in turns that are recorded from this event on, everything that the code asks for is compared.
    pub(crate) fn into_twin(self, twin_since: Sequence) -> Self {
        Self { twin_since, ..self }
    }

    /// The same with another bound on its history.
    #[cfg(test)]
    pub(crate) fn of_at_most(self, most: Length) -> Self {
        Self { most, ..self }
    }

    /// Feeds recorded events: the history from its begin, or what follows the events fed before.
    ///
    /// Arrivals after the last turn stay undelivered; the next turn delivers them first. What a rewind made void is passed over, so
    /// a history with one is fed as a whole.
    ///
    /// # Errors
    /// [`Stall`] if the code does not follow the history; the execution is spent then.
    pub(crate) fn replay(&mut self, history: &[HistoryEvent]) -> Result<(), Stall> {
        let void = Void::of(history, self.length.next());
        let mut rest = history;
        while let Some((event, tail)) = rest.split_first() {
            rest = tail;
            let position = self.length.next();
            self.length = self.length.and(std::slice::from_ref(event));
            if void.holds(position) {
                self.taken.note(event);
                continue;
            }
            if matches!(self.phase, Phase::Over) {
                return Err(Stall::disorder("something follows its end"));
            }
            match event {
                HistoryEvent::TurnStarted(turn) => {
                    let mut script = Script::read(*turn, self.length.next(), &mut rest);
                    script.is_of_twin = position >= self.twin_since;
                    let read = tail.len() - rest.len();
                    self.length = self.length.and(tail.get(..read).unwrap_or_default());
                    self.replay_turn(*turn, script)?;
                    self.turned = self.length;
                }
                HistoryEvent::ExecutionStalled(_)
                | HistoryEvent::ExecutionSuspended(_)
                | HistoryEvent::ExecutionResumed(_) => {}
                HistoryEvent::ExecutionRewound(rewound) => {
                    self.last_at = self.last_at.max(rewound.at);
                    self.renumber = Some(rewound.next);
                }
                HistoryEvent::ExecutionTerminated(_) => self.phase = Phase::Over,
                event if event.is_arrival() => self.undelivered.push(event.clone()),
                _ => return Err(Stall::disorder("a command stands outside a turn")),
            }
        }
        Ok(())
    }

    fn replay_turn(&mut self, turn: TurnStarted, script: Script) -> Result<(), Stall> {
        let status = script.status.clone();
        let arrivals = std::mem::take(&mut self.undelivered);
        let head = self.head(turn.at, Mode::Replay(Box::new(script)));
        let end = self.run(head, &arrivals);
        let diverged = match (&end, &mut self.phase) {
            (End::Stalled(_), _) | (_, Phase::New | Phase::Over) => None,
            (_, Phase::Live(live)) => live.remainder(&end, status),
        };
        let over = !matches!(end, End::Waiting) || diverged.is_some();
        if over {
            self.phase = Phase::Over;
        }
        match (end, diverged) {
            (End::Stalled(stall), _) => Err(stall),
            (_, Some(divergence)) => Err(Stall::divergence(divergence)),
            (_, None) => Ok(()),
        }
    }

    /// Whether this arrival can still change anything; others are to be dropped unrecorded.
    pub(crate) fn accepts(&self, arrival: &HistoryEvent) -> bool {
        let (scheduled, pending) = match arrival {
            HistoryEvent::EventRaised(_) => return !matches!(self.phase, Phase::Over),
            HistoryEvent::CancelRequested(_) => return self.can_be_cancelled(),
            HistoryEvent::ExecutionStarted(_) => {
                return matches!(self.phase, Phase::New) && self.undelivered.is_empty();
            }
            HistoryEvent::ActivityCompleted(done) => (done.scheduled, Pending::Activity),
            HistoryEvent::ActivityFailed(failed) => (failed.scheduled, Pending::Activity),
            HistoryEvent::HeartbeatRecorded(recorded) => (recorded.scheduled, Pending::Activity),
            HistoryEvent::TimerFired(fired) => (fired.scheduled, Pending::Timer),
            HistoryEvent::ChildCompleted(done) => (done.scheduled, Pending::Child),
            HistoryEvent::ChildFailed(failed) => (failed.scheduled, Pending::Child),
            HistoryEvent::DetachedStarted(started) => (started.scheduled, Pending::Start),
            HistoryEvent::DetachedRefused(refused) => (refused.scheduled, Pending::Start),
            HistoryEvent::DetachedCompleted(done) => (done.scheduled, Pending::End),
            HistoryEvent::DetachedFailed(failed) => (failed.scheduled, Pending::End),
            _ => return false,
        };
        let Phase::Live(live) = &self.phase else {
            return false;
        };
        live.awaits(scheduled, pending)
            && !self
                .undelivered
                .iter()
                .any(|event| answers(event, scheduled))
    }

    /// Whether it has not been asked to end; a second request would change nothing.
    fn can_be_cancelled(&self) -> bool {
        let is_requested = match &self.phase {
            Phase::New => false,
            Phase::Live(live) => live.is_cancel_requested(),
            Phase::Over => return false,
        };
        let is_request = |event| matches!(event, &HistoryEvent::CancelRequested(_));
        !is_requested && !self.undelivered.iter().any(is_request)
    }

    /// Runs a new turn over the undelivered arrivals and these, at store time `at`.
    ///
    /// User code cannot make it panic. With no arrival at all the turn only notes that the instance is not stalled.
    pub(crate) fn turn(&mut self, at: Timestamp, arrivals: Vec<HistoryEvent>) -> Turn {
        let at = at.max(self.last_at);
        let mut all = std::mem::take(&mut self.undelivered);
        let recorded = all.len();
        all.extend(arrivals);
        let head = self.head(at, Mode::Progress);
        let end = self.run(head, &all);
        let turn = self.conclude(at, all.split_off(recorded), end);
        self.length = self.length.and(&turn.events);
        self.turned = self.length;
        if !matches!(turn.end, TurnEnd::Waiting) {
            self.phase = Phase::Over;
        }
        turn
    }

    /// Takes note of arrivals that were recorded by the commit of the last turn, behind it. The next turn delivers them.
    pub(crate) fn answered(&mut self, arrivals: Vec<HistoryEvent>) {
        self.length = self.length.and(&arrivals);
        self.undelivered.extend(arrivals);
    }

    /// Whether no turn of it has run.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.phase, Phase::New)
    }

    /// How many outcomes it waits for, and how many events.
    pub(crate) fn waits_for(&self) -> (usize, usize) {
        match &self.phase {
            Phase::Live(live) => live.waits_for(),
            Phase::New | Phase::Over => (0, 0),
        }
    }

    /// Whether arrivals are recorded that no turn has delivered yet.
    pub(crate) fn has_undelivered(&self) -> bool {
        !self.undelivered.is_empty()
    }

    /// How much has been raised that its code has not taken.
    pub(crate) fn untaken(&self) -> Load {
        let buffered = match &self.phase {
            Phase::Live(live) => live.mailbox(Mailbox::load),
            Phase::New | Phase::Over => Load::default(),
        };
        buffered.and_all(&self.undelivered)
    }

    /// How many wait for an event of this name and have none.
    pub(crate) fn awaited(&self, name: &str) -> usize {
        match &self.phase {
            Phase::Live(live) => live.mailbox(|mailbox| mailbox.awaited(name)),
            Phase::New | Phase::Over => 0,
        }
    }

    /// The names, in lower case, of which somebody waits for an event and has none.
    pub(crate) fn wanted(&self) -> Vec<String> {
        match &self.phase {
            Phase::Live(live) => live.mailbox(Mailbox::wanted),
            Phase::New | Phase::Over => Vec::new(),
        }
    }

    /// The sequence of the next event to append.
    pub(crate) fn next(&self) -> Sequence {
        self.length.next()
    }

    /// How long its history is.
    pub(crate) fn length(&self) -> Length {
        self.length
    }

    /// Which external events the code awaits, and which nobody has taken.
    pub(crate) fn waits(&self) -> Awaited {
        match &self.phase {
            Phase::Live(live) => live.waits(),
            Phase::New | Phase::Over => Awaited::default(),
        }
    }

    /// An estimate of the memory that this execution holds, in bytes. What the code itself keeps on the heap is not
    /// in it.
    pub(crate) fn memory(&self) -> usize {
        let undelivered = self.undelivered.len() * size_of::<HistoryEvent>();
        let live = match &self.phase {
            Phase::Live(live) => live.memory(),
            Phase::New | Phase::Over => 0,
        };
        size_of::<Self>() + undelivered + live
    }

    fn head(&self, at: Timestamp, mode: Mode) -> Head {
        Head {
            at,
            length: self.turned,
            payload_limit: usize::try_from(self.payload_limit).unwrap_or(usize::MAX),
            mode,
        }
    }

    /// Delivers arrivals one at a time and polls the code after each.
    fn run(&mut self, head: Head, mut arrivals: &[HistoryEvent]) -> End {
        self.last_at = head.at;
        if matches!(self.phase, Phase::New) {
            let Some((HistoryEvent::ExecutionStarted(started), rest)) = arrivals.split_first()
            else {
                return End::Stalled(Stall::disorder("it does not begin with its start"));
            };
            arrivals = rest;
            match Live::start(self.identity, &self.code, started, head) {
                Ok(live) => {
                    let live = live.with_versions(self.versions.clone());
                    self.phase = Phase::Live(Box::new(live));
                }
                Err(stall) => return End::Stalled(stall),
            }
        } else if let Phase::Live(live) = &mut self.phase {
            live.begin(head);
        }
        if let (Phase::Live(live), Some(next)) = (&mut self.phase, self.renumber.take()) {
            live.go_back(next, self.taken.ids());
        }
        match &mut self.phase {
            Phase::Live(live) => live.run(arrivals),
            Phase::New | Phase::Over => End::Stalled(Stall::disorder("something follows its end")),
        }
    }

    /// Makes the events of a live turn out of what it recorded.
    fn conclude(&mut self, at: Timestamp, arrivals: Vec<HistoryEvent>, end: End) -> Turn {
        let (mut record, abandoned) = match &mut self.phase {
            Phase::Live(live) => live.conclude(&end),
            Phase::New | Phase::Over => (TurnRecord::default(), Vec::new()),
        };
        let arrived = arrivals.len();
        let mut events = arrivals;
        events.push(HistoryEvent::TurnStarted(TurnStarted {
            at,
            build: self.identity.build,
        }));
        events.append(&mut record.commands);
        events.extend(record.cancelled.into_iter().map(HistoryEvent::Cancelled));
        let status = record.status.map(|status| CustomStatusSet { status });
        events.extend(status.map(HistoryEvent::CustomStatusSet));
        events.extend(end.event());
        let first = self.length.next();
        let end = self.limited(&events, end);
        if let End::Stalled(stall) = end {
            events.truncate(arrived);
            events.push(HistoryEvent::ExecutionStalled(ExecutionStalled {
                at,
                reason: stall.reason,
                report: stall.report,
            }));
            return Turn::stalled(first, events);
        }
        Turn {
            first,
            events,
            places: record.places.into_iter().collect(),
            child_tags: record.child_tags,
            end: end.concluded(abandoned),
        }
    }

    /// Stalls a turn that would make the history longer than it may be. One that ends the execution may.
    fn limited(&self, events: &[HistoryEvent], end: End) -> End {
        match end {
            End::Waiting => {
                let beyond = self.length.and(events).beyond(self.most);
                beyond.map_or(End::Waiting, End::Stalled)
            }
            end => end,
        }
    }
}

/// A limit as executions keep it, of which there may be many; none is as large as that.
fn narrow(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

/// Whether `event` is an outcome of command `id`.
fn answers(event: &HistoryEvent, id: EventId) -> bool {
    let scheduled = match event {
        HistoryEvent::ActivityCompleted(done)
        | HistoryEvent::ChildCompleted(done)
        | HistoryEvent::DetachedCompleted(done) => done.scheduled,
        HistoryEvent::ActivityFailed(failed)
        | HistoryEvent::ChildFailed(failed)
        | HistoryEvent::DetachedFailed(failed)
        | HistoryEvent::DetachedRefused(failed) => failed.scheduled,
        HistoryEvent::TimerFired(fired) => fired.scheduled,
        HistoryEvent::DetachedStarted(started) => started.scheduled,
        _ => return false,
    };
    scheduled == id
}

#[cfg(test)]
mod tests;
