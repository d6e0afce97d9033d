//! What a history says is open: a fold of its events.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::event::{
    Cancelled, ChildScheduled, Failed, HistoryEvent, Name, TimerPurpose, TurnStarted, effective,
};
use crate::failure::Failure;
use crate::id::{BuildId, EventId, InstanceId, SiteId};
use crate::payload::Payload;
use crate::retry::RetryPolicy;

/// The commands of an execution without an outcome, and what is behind them.
#[derive(Debug, Default)]
pub(super) struct OpenCommands<'h> {
    pub(super) commands: BTreeMap<EventId, Open<'h>>,
    /// What is called, by the number of its first attempt.
    calls: BTreeMap<EventId, Call<'h>>,
    /// Events raised that no turn has delivered yet.
    pub(super) raised: Vec<(&'h Name, Timestamp)>,
    /// Arrivals that no turn has delivered yet.
    pub(super) undelivered: usize,
    turn: Option<TurnStarted>,
}

/// A command without an outcome.
#[derive(Debug)]
pub(super) struct Open<'h> {
    pub(super) command: &'h HistoryEvent,
    /// The turn that asked for it.
    pub(super) at: Timestamp,
    build: BuildId,
    /// What the attempt said last, as far as that is recorded.
    heartbeat: Option<&'h Payload>,
}

/// A call, over its attempts.
#[derive(Debug)]
pub(super) struct Call<'h> {
    pub(super) what: Callee<'h>,
    /// When the first attempt was asked for.
    pub(super) since: Timestamp,
    /// The last attempt that was asked for.
    pub(super) attempt: u32,
    pub(super) attempts_max: u32,
    /// How the last attempt that ended failed.
    pub(super) last_error: Option<&'h Failure>,
}

/// What is called.
#[derive(Debug)]
pub(super) enum Callee<'h> {
    Activity(&'h Name),
    Child(&'h Name, &'h InstanceId),
}

impl<'h> OpenCommands<'h> {
    pub(super) fn of(history: &'h [HistoryEvent]) -> Self {
        let mut open = Self::default();
        for event in effective(history) {
            open.apply(event);
        }
        open
    }

    fn apply(&mut self, event: &'h HistoryEvent) {
        if event.is_arrival() {
            self.undelivered += 1;
        }
        match event {
            HistoryEvent::TurnStarted(turn) => {
                self.turn = Some(*turn);
                self.undelivered = 0;
                self.raised.clear();
            }
            HistoryEvent::EventRaised(raised) => self.raised.push((&raised.name, raised.at)),
            HistoryEvent::ActivityScheduled(command) => {
                let callee = Callee::Activity(&command.name);
                self.call(command.call, callee, command.attempt, command.retry);
                self.open(command.id, event);
            }
            HistoryEvent::ChildScheduled(command) => {
                let ChildScheduled { name, instance, .. } = command;
                let callee = Callee::Child(name, instance);
                self.call(command.call, callee, command.attempt, command.retry);
                self.open(command.id, event);
            }
            HistoryEvent::TimerCreated(command) => self.open(command.id, event),
            HistoryEvent::DetachedScheduled(command) => self.open(command.id, event),
            HistoryEvent::DetachedAwaited(command) => self.open(command.id, event),
            HistoryEvent::ActivityCompleted(done)
            | HistoryEvent::ChildCompleted(done)
            | HistoryEvent::DetachedCompleted(done) => self.close(done.scheduled),
            HistoryEvent::ActivityFailed(failed) | HistoryEvent::ChildFailed(failed) => {
                self.failed(failed);
            }
            HistoryEvent::DetachedFailed(failed) | HistoryEvent::DetachedRefused(failed) => {
                self.close(failed.scheduled);
            }
            HistoryEvent::DetachedStarted(started) => self.close(started.scheduled),
            HistoryEvent::TimerFired(fired) => self.close(fired.scheduled),
            HistoryEvent::HeartbeatRecorded(said) => {
                if let Some(open) = self.commands.get_mut(&said.scheduled) {
                    open.heartbeat = Some(&said.details);
                }
            }
            HistoryEvent::Cancelled(Cancelled { scheduled, .. }) => self.close(*scheduled),
            HistoryEvent::ExecutionCompleted(_)
            | HistoryEvent::ExecutionContinued(_)
            | HistoryEvent::ExecutionTerminated(_) => {
                self.commands.clear();
            }
            HistoryEvent::ExecutionStarted(_)
            | HistoryEvent::CancelRequested(_)
            | HistoryEvent::MarkerRecorded(_)
            | HistoryEvent::CustomStatusSet(_)
            | HistoryEvent::ExecutionStalled(_)
            | HistoryEvent::ExecutionSuspended(_)
            | HistoryEvent::ExecutionResumed(_)
            | HistoryEvent::ExecutionRewound(_)
            | HistoryEvent::InstancePurged(_)
            | HistoryEvent::ChangeRecorded(_)
            | HistoryEvent::EventSent(_) => {}
        }
    }

    fn call(&mut self, call: EventId, what: Callee<'h>, attempt: u32, retry: Option<RetryPolicy>) {
        let since = self.now();
        let call = self.calls.entry(call).or_insert(Call {
            what: Callee::Activity(&Name::Borrowed("")),
            since,
            attempt,
            attempts_max: retry.map_or(1, |policy| policy.max_attempts),
            last_error: None,
        });
        call.what = what;
        call.attempt = attempt;
    }

    fn open(&mut self, id: EventId, command: &'h HistoryEvent) {
        let open = Open {
            command,
            at: self.now(),
            build: self.turn.map_or(BuildId(0), |turn| turn.build),
            heartbeat: None,
        };
        self.commands.insert(id, open);
    }

    fn close(&mut self, id: EventId) {
        let closed = self.commands.remove(&id);
        // The delay before an attempt may be over, but not what is called.
        let is_attempt = |open: &Open<'_>| !matches!(open.command, HistoryEvent::TimerCreated(_));
        if let Some(call) = closed.filter(is_attempt).and_then(|open| open.call()) {
            self.calls.remove(&call);
        }
    }

    /// A failed attempt: what was called stays, for the next one.
    fn failed(&mut self, failed: &'h Failed) {
        let open = self.commands.remove(&failed.scheduled);
        let call = open.and_then(|open| open.call());
        if let Some(call) = call.and_then(|call| self.calls.get_mut(&call)) {
            call.last_error = Some(&failed.failure);
        }
    }

    fn now(&self) -> Timestamp {
        self.turn.map(|turn| turn.at).unwrap_or_default()
    }

    /// The call that a command is an attempt of, or the delay before one.
    pub(super) fn call_of(&self, open: &Open<'_>) -> Option<&Call<'h>> {
        self.calls.get(&open.call()?)
    }
}

impl<'h> Open<'h> {
    /// The first attempt of what it is an attempt of.
    fn call(&self) -> Option<EventId> {
        match self.command {
            HistoryEvent::ActivityScheduled(command) => Some(command.call),
            HistoryEvent::ChildScheduled(command) => Some(command.call),
            HistoryEvent::TimerCreated(command) => match command.purpose {
                TimerPurpose::Retry(call) => Some(call),
                TimerPurpose::Sleep | TimerPurpose::Deadline => None,
            },
            _ => None,
        }
    }

    /// Where the code asked for it, in which build.
    pub(super) fn site(&self) -> Option<(BuildId, SiteId)> {
        let site = match self.command {
            HistoryEvent::ActivityScheduled(command) => command.site,
            HistoryEvent::ChildScheduled(command) => command.site,
            HistoryEvent::TimerCreated(command) => command.site,
            HistoryEvent::DetachedScheduled(command) => command.site,
            HistoryEvent::DetachedAwaited(command) => command.site,
            _ => return None,
        };
        Some((self.build, site))
    }

    /// What the attempt said last, or inherited.
    pub(super) fn heartbeat(&self) -> Option<&'h Payload> {
        let inherited = match self.command {
            HistoryEvent::ActivityScheduled(command) => command.heartbeats.as_deref(),
            _ => None,
        };
        self.heartbeat
            .or_else(|| inherited.and_then(|known| known.last.as_ref()))
    }
}
