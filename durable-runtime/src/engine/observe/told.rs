//! The spans of an execution, as they follow from its history.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::event::{ExecutionStarted, HistoryEvent, effective};
use crate::failure::{Failure, Outcome};
use crate::id::{EventId, InstanceId};
use crate::trace::{Lineage, TraceContext};

/// One span that is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) what: What,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) context: TraceContext,
    pub(super) parent: Option<u64>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) status: Option<&'static str>,
    pub(super) error: Option<String>,
    pub(super) instance: String,
    pub(super) execution: Option<u32>,
    pub(super) task: Option<String>,
    pub(super) version: Option<String>,
    pub(super) id: Option<u32>,
    pub(super) event: Option<String>,
    pub(super) target: Option<String>,
    pub(super) due: Option<u64>,
}

/// What a span is that of: `durabletask.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Orchestration,
    Activity,
    Timer,
    Event,
}

/// Which side of a call a span is: `otel.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The side that asks and waits.
    Client,
    /// The side that does what is asked.
    Server,
    /// The side that asks and does not wait.
    Producer,
    Internal,
}

impl What {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Orchestration => "orchestration",
            Self::Activity => "activity",
            Self::Timer => "timer",
            Self::Event => "event",
        }
    }
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Producer => "producer",
            Self::Internal => "internal",
        }
    }
}

impl Told {
    /// A span of an instance, of which no more is known than whose and when.
    fn new(
        (what, kind): (What, Kind),
        name: String,
        context: TraceContext,
        instance: &InstanceId,
        (from, to): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            what,
            kind,
            name,
            context,
            parent: None,
            from,
            to,
            status: None,
            error: None,
            instance: instance.to_string(),
            execution: None,
            task: None,
            version: None,
            id: None,
            event: None,
            target: None,
            due: None,
        }
    }

    /// The creation of an instance by a client, who was in the span `parent`.
    pub(super) fn creation(
        lineage: &Lineage,
        started: &ExecutionStarted,
        parent: Option<u64>,
        time: (Timestamp, Timestamp),
    ) -> Self {
        let name = of(
            "create_orchestration",
            &started.name,
            started.version.as_deref(),
        );
        let context = lineage.creation(&started.instance);
        let what = (What::Orchestration, Kind::Producer);
        Self {
            parent,
            task: Some(started.name.to_string()),
            version: started.version.clone(),
            execution: Some(started.execution.0),
            ..Self::new(what, name, context, &started.instance, time)
        }
    }

    /// An event that a client raised to an instance.
    pub(super) fn raised(
        context: TraceContext,
        to: &InstanceId,
        event: &str,
        at: Timestamp,
    ) -> Self {
        let name = format!("orchestration_event:{event}");
        let what = (What::Event, Kind::Producer);
        Self {
            event: Some(event.to_owned()),
            target: Some(to.to_string()),
            ..Self::new(what, name, context, to, (at, at))
        }
    }

    /// `otel.status_code`.
    pub(super) fn status_code(&self) -> Option<&'static str> {
        match (&self.error, self.status) {
            (Some(_), _) => Some("ERROR"),
            (None, Some("Completed")) => Some("OK"),
            _ => None,
        }
    }
}

/// The spans of an execution with this history, up to its last end: in the order of their ends, its own last. Empty if it has not
/// ended. It may have been rewound since.
///
/// Of one that was rewound, what ended since: the rest was told when it had failed. Its own span is told again then, and those of
/// the steps that it took again, with the ids that they had.
pub(super) fn spans_of(lineage: &Lineage, history: &[HistoryEvent]) -> Vec<Told> {
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        return Vec::new();
    };
    let end = history.iter().rposition(HistoryEvent::is_terminal);
    let Some(history) = end.and_then(|end| history.get(..=end)) else {
        return Vec::new();
    };
    let mut teller = Teller {
        lineage,
        started,
        now: started.at,
        open: BTreeMap::new(),
        told: Vec::new(),
    };
    for event in effective(history).skip(1) {
        teller.read(event);
    }
    teller.told
}

/// Reads a history.
struct Teller<'h> {
    lineage: &'h Lineage,
    started: &'h ExecutionStarted,
    /// The time of the turn.
    now: Timestamp,
    /// The spans of commands that have no outcome yet.
    open: BTreeMap<EventId, Told>,
    told: Vec<Told>,
}

impl Teller<'_> {
    fn read(&mut self, event: &HistoryEvent) {
        match event {
            HistoryEvent::TurnStarted(turn) => self.now = turn.at,
            HistoryEvent::ActivityCompleted(done) | HistoryEvent::ChildCompleted(done) => {
                self.close(done.scheduled, done.at, None);
            }
            HistoryEvent::ActivityFailed(failed)
            | HistoryEvent::ChildFailed(failed)
            | HistoryEvent::DetachedRefused(failed) => {
                self.close(failed.scheduled, failed.at, Some(&failed.failure));
            }
            HistoryEvent::TimerFired(fired) => self.close(fired.scheduled, fired.at, None),
            HistoryEvent::DetachedStarted(started) => {
                self.close(started.scheduled, started.at, None);
            }
            HistoryEvent::Cancelled(cancelled) => {
                if let Some(open) = self.open.remove(&cancelled.scheduled) {
                    self.abandon(open);
                }
            }
            HistoryEvent::ExecutionCompleted(end) => match &end.outcome {
                Outcome::Completed(_) => self.end("Completed", None),
                Outcome::Failed(failure) => self.end("Failed", Some(failure.to_string())),
            },
            HistoryEvent::ExecutionContinued(_) => self.end("ContinuedAsNew", None),
            HistoryEvent::ExecutionRewound(back) => {
                self.now = self.now.max(back.at);
                self.told.clear();
            }
            HistoryEvent::ExecutionTerminated(end) => {
                self.now = self.now.max(end.at);
                self.end("Terminated", Some(end.reason.clone()));
            }
            command => self.ask(command),
        }
    }

    /// A command opens a span; that of an event is over at once.
    fn ask(&mut self, command: &HistoryEvent) {
        match command {
            HistoryEvent::ActivityScheduled(asked) => {
                let name = of("activity", &asked.name, None);
                let told = self.of_command((What::Activity, Kind::Client), name, asked.id);
                let task = Some(asked.name.to_string());
                self.open.insert(asked.id, Told { task, ..told });
            }
            HistoryEvent::TimerCreated(asked) => {
                let name = format!("orchestration:{}:timer", self.started.name);
                let told = self.of_command((What::Timer, Kind::Internal), name, asked.id);
                let due = Some(asked.due.0);
                self.open.insert(asked.id, Told { due, ..told });
            }
            HistoryEvent::ChildScheduled(asked) => {
                let name = of("orchestration", &asked.name, asked.version.as_deref());
                let told = self.of_command((What::Orchestration, Kind::Client), name, asked.id);
                let told = Told {
                    instance: asked.instance.to_string(),
                    task: Some(asked.name.to_string()),
                    version: asked.version.clone(),
                    ..told
                };
                self.open.insert(asked.id, told);
            }
            HistoryEvent::DetachedScheduled(asked) => {
                let name = of(
                    "create_orchestration",
                    &asked.name,
                    asked.version.as_deref(),
                );
                let told = self.of_command((What::Orchestration, Kind::Producer), name, asked.id);
                let told = Told {
                    instance: asked.instance.to_string(),
                    task: Some(asked.name.to_string()),
                    version: asked.version.clone(),
                    ..told
                };
                self.open.insert(asked.id, told);
            }
            HistoryEvent::EventSent(asked) => {
                let name = format!("orchestration_event:{}", asked.name);
                let told = self.of_command((What::Event, Kind::Producer), name, asked.id);
                self.told.push(Told {
                    event: Some(asked.name.to_string()),
                    target: Some(asked.instance.to_string()),
                    ..told
                });
            }
            _ => {}
        }
    }

    /// The span of a command of this turn, which lies in the execution's own.
    fn of_command(&self, what: (What, Kind), name: String, id: EventId) -> Told {
        let context = self.lineage.command(id);
        Told {
            parent: Some(self.lineage.own().span_id()),
            execution: Some(self.started.execution.0),
            id: Some(id.0),
            ..Told::new(
                what,
                name,
                context,
                &self.started.instance,
                (self.now, self.now),
            )
        }
    }

    fn close(&mut self, id: EventId, at: Timestamp, failure: Option<&Failure>) {
        if let Some(open) = self.open.remove(&id) {
            self.told.push(Told {
                // A command is as old as its turn, and an outcome is recorded at the time at which it arrived.
                to: at.max(open.from),
                status: Some(if failure.is_some() {
                    "Failed"
                } else {
                    "Completed"
                }),
                error: failure.map(ToString::to_string),
                ..open
            });
        }
    }

    /// What nobody waits for any more. A timer that did not fire is no span.
    fn abandon(&mut self, open: Told) {
        if open.what != What::Timer {
            let (to, status) = (self.now, Some("Canceled"));
            self.told.push(Told { to, status, ..open });
        }
    }

    /// The end of the execution is that of whatever it left open.
    fn end(&mut self, status: &'static str, error: Option<String>) {
        for open in std::mem::take(&mut self.open).into_values() {
            self.abandon(open);
        }
        let started = self.started;
        let name = of("orchestration", &started.name, started.version.as_deref());
        let what = (What::Orchestration, Kind::Server);
        let (own, time) = (self.lineage.own(), (started.at, self.now));
        self.told.push(Told {
            parent: self.lineage.parent(&started.instance),
            status: Some(status),
            error,
            execution: Some(started.execution.0),
            task: Some(started.name.to_string()),
            version: started.version.clone(),
            ..Told::new(what, name, own, &started.instance, time)
        });
    }
}

/// `what:name@(version)`, as Durable Task writes it.
fn of(what: &str, name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{what}:{name}@({version})"),
        None => format!("{what}:{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::encoding::samples;
    use crate::id::{ExecutionId, InstanceKey, StoreId};

    /// Whoever tells reads the history when the end is on disk, and may find more there.
    #[test]
    fn an_end_is_told_though_its_instance_was_rewound_at_once() {
        let all = samples::every_kind();
        let find = |is_it: fn(&HistoryEvent) -> bool| all.iter().find(|it| is_it(it)).cloned();
        let started = find(|it| matches!(it, HistoryEvent::ExecutionStarted(_)));
        let ended = find(|it| matches!(it, HistoryEvent::ExecutionCompleted(_)));
        let rewound = find(|it| matches!(it, HistoryEvent::ExecutionRewound(_)));
        let mut history: Vec<_> = [started, ended].into_iter().flatten().collect();
        let lineage = Lineage::new(StoreId(1), InstanceKey(1), ExecutionId::FIRST, None);
        let told = spans_of(&lineage, &history);
        assert_eq!(told.len(), 1);
        history.extend(rewound);
        assert_eq!(history.len(), 3);
        assert_eq!(spans_of(&lineage, &history), told);
        history.truncate(1);
        assert_eq!(spans_of(&lineage, &history), []);
    }
}
