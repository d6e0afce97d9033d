//! A command: recorded in a live turn, compared with the record in a replayed one.

use std::collections::BTreeMap;

use super::context::{Context, Stop};
use super::divergence::{self, Divergence, Recorded, Requested};
use super::matching::{self, Difference};
use super::open::Ticket;
use super::script::Mode;
use super::stall::Stall;
use crate::event::{HistoryEvent, MarkerRecorded, Pending};
use crate::failure::{Fault, FaultKind};
use crate::id::{EventId, InstanceId, Sequence, SourceSite};
use crate::limits;
use crate::payload::Payload;
use crate::retry::RetryPolicy;

/// A command that was asked for and is now open.
pub(crate) struct Issued {
    /// The hold on its answer.
    pub(crate) ticket: Ticket,
    /// The recorded policy, which stays in force whatever the code now says.
    pub(crate) retry: Option<RetryPolicy>,
    /// The id of the detached instance that is started, as recorded.
    pub(crate) instance: Option<InstanceId>,
}

/// Why a command was not asked for.
pub(crate) enum Refused {
    /// The code is past asking for anything; the future waits.
    Stopped,
    /// A limit was reached.
    Fault(Fault),
}

/// What a side effect is to do.
pub(crate) enum Marker {
    /// Return the recorded value.
    Recorded(Payload),
    /// Run.
    Run,
    /// Wait: the code is past asking for anything.
    Stopped,
}

/// What became of a command.
enum Noted {
    /// Nothing: the turn ends here.
    Refused,
    /// It is recorded with this turn.
    New,
    /// It was recorded before; the recorded one is in force.
    Matched(HistoryEvent),
}

impl Context {
    /// Asks for a command, which `command` makes when it is told its number.
    pub(crate) fn issue(
        &mut self,
        site: SourceSite,
        command: impl FnOnce(&Self, EventId) -> HistoryEvent,
    ) -> Result<Issued, Refused> {
        if !self.is_running() {
            return Err(Refused::Stopped);
        }
        if self.open.unanswered() >= limits::PENDING_MAX {
            return Err(Refused::Fault(self.too_many_pending()));
        }
        let id = EventId(self.issued);
        let wish = command(self, id);
        if let Some(fault) = self.has_no_room(&wish) {
            return Err(Refused::Fault(fault));
        }
        let (pending, retry) = match &wish {
            HistoryEvent::ActivityScheduled(command) => (Pending::Activity, command.retry),
            HistoryEvent::ChildScheduled(command) => (Pending::Child, command.retry),
            HistoryEvent::DetachedScheduled(_) => (Pending::Start, None),
            HistoryEvent::DetachedAwaited(_) => (Pending::End, None),
            _ => (Pending::Timer, None),
        };
        let instance = started(&wish);
        let (retry, instance) = match self.record(site, wish) {
            Noted::Refused => return Err(Refused::Stopped),
            Noted::New => (retry, instance),
            Noted::Matched(HistoryEvent::ActivityScheduled(recorded)) => (recorded.retry, None),
            Noted::Matched(HistoryEvent::ChildScheduled(recorded)) => (recorded.retry, None),
            Noted::Matched(recorded) => (None, started(&recorded)),
        };
        self.open.open(id, pending);
        let ticket = Ticket::new(self.owner(), id);
        Ok(Issued {
            ticket,
            retry,
            instance,
        })
    }

    /// Asks for a command that nothing answers; `false` if the code is past asking for anything.
    pub(crate) fn tell(
        &mut self,
        site: SourceSite,
        command: impl FnOnce(EventId) -> HistoryEvent,
    ) -> bool {
        let wish = command(EventId(self.issued));
        if let Some(fault) = self.has_no_room(&wish) {
            self.fault(fault);
        }
        self.is_running() && !matches!(self.record(site, wish), Noted::Refused)
    }

    fn too_many_pending(&self) -> Fault {
        let limit = limits::PENDING_MAX;
        Fault::new(
            FaultKind::LimitExceeded,
            self.name().clone(),
            format!(
                "it waits for {limit} activities, timers, children and other instances already, the most that one \
                 instance may; cut the work into children"
            ),
        )
    }

    /// Asks what a side effect is to do.
    pub(crate) fn marker(&mut self, site: SourceSite) -> Marker {
        if !self.is_running() {
            return Marker::Stopped;
        }
        if !self.is_replaying() {
            return Marker::Run;
        }
        if let Mode::Replay(script) = &self.mode
            && let Some(fault) = script.last_fault()
        {
            // The side effect ran and did not return, or returned what cannot be recorded.
            let fault = fault.clone();
            self.fault(fault);
            return Marker::Stopped;
        }
        let no_value = Payload::from_parts(crate::payload::Codec::Json, &b"null"[..]);
        match self.record_marker(site, no_value) {
            Noted::Matched(HistoryEvent::MarkerRecorded(marker)) => Marker::Recorded(marker.value),
            _ => Marker::Stopped,
        }
    }

    /// Records what a side effect returned; `false` if the turn has no room for it.
    pub(crate) fn mark(&mut self, site: SourceSite, value: Payload) -> bool {
        self.is_running() && !matches!(self.record_marker(site, value), Noted::Refused)
    }

    fn record_marker(&mut self, site: SourceSite, value: Payload) -> Noted {
        let id = EventId(self.issued);
        let site_id = site.id();
        let marker = MarkerRecorded {
            id,
            site: site_id,
            value,
        };
        self.record(site, HistoryEvent::MarkerRecorded(marker))
    }

    /// Notes the labels of an instance that this turn starts.
    pub(crate) fn tag_child(&mut self, id: EventId, tags: &BTreeMap<String, String>) {
        if !tags.is_empty() && !self.is_replaying() {
            self.turn.child_tags.push((id, tags.clone()));
        }
    }

    /// The id of an instance that command `id` starts, unless its starter chose one.
    ///
    /// Derived, so that a turn that is run again asks for the same instance.
    pub(crate) fn child_instance(&self, id: EventId) -> InstanceId {
        let mut seed = [0; 32];
        let (store, rest) = seed.split_at_mut(16);
        let (key, rest) = rest.split_at_mut(8);
        let (execution, call) = rest.split_at_mut(4);
        store.copy_from_slice(&self.identity.store.0.to_le_bytes());
        key.copy_from_slice(&self.identity.key.0.to_le_bytes());
        execution.copy_from_slice(&self.started.execution.0.to_le_bytes());
        call.copy_from_slice(&id.0.to_le_bytes());
        InstanceId::made_from(&seed)
    }

    /// Records the command or compares it with the record.
    fn record(&mut self, site: SourceSite, wish: HistoryEvent) -> Noted {
        self.turn.count += 1;
        if self.turn.count > limits::TURN_COMMANDS_MAX {
            let limit = format!("{} commands", limits::TURN_COMMANDS_MAX);
            let found = format!("{} commands", self.turn.count);
            self.stop(Stop::Stall(Stall::turn_limit(&found, &limit)));
            return Noted::Refused;
        }
        let noted = match &mut self.mode {
            Mode::Replay(script) => {
                let recorded = script.next();
                self.compare(site, &wish, recorded)
            }
            Mode::Progress => self.append(site, wish),
        };
        if !matches!(noted, Noted::Refused) {
            self.issued += 1;
            self.last_site = Some(site);
        }
        noted
    }

    /// Adds a command to a live turn, if there is room.
    fn append(&mut self, site: SourceSite, wish: HistoryEvent) -> Noted {
        self.turn.bytes += wish.payload_bytes() + size_of::<HistoryEvent>();
        // A single command may have a payload as large as that.
        if self.turn.bytes > limits::TURN_BYTES_MAX && !self.turn.commands.is_empty() {
            let limit = format!("{} bytes", limits::TURN_BYTES_MAX);
            let found = format!("{} bytes", self.turn.bytes);
            self.stop(Stop::Stall(Stall::turn_limit(&found, &limit)));
            return Noted::Refused;
        }
        self.turn.places.extend(wish.site().map(|id| (id, site)));
        self.turn.commands.push(wish);
        Noted::New
    }

    /// Compares a command with the record.
    fn compare(
        &mut self,
        site: SourceSite,
        wish: &HistoryEvent,
        recorded: Option<(Sequence, HistoryEvent)>,
    ) -> Noted {
        let Mode::Replay(script) = &self.mode else {
            return Noted::Refused;
        };
        let mut requested = Requested {
            what: String::new(),
            site: Some(site),
        };
        let divergence = if let Some((sequence, event)) = recorded {
            let difference = if script.is_of_twin {
                matching::twin_difference(&event, wish)
            } else {
                matching::difference(&event, wish)
            };
            let Some(difference) = difference else {
                return Noted::Matched(event);
            };
            requested.what = divergence::describe(wish, self.at) + &told(&difference);
            Divergence {
                sequence,
                recorded: Some(Recorded {
                    what: divergence::describe(&event, self.at),
                    origin: event.site().map(|site| (script.build, site)),
                }),
                requested: Some(requested),
                after: None,
            }
        } else {
            requested.what = divergence::describe(wish, self.at);
            script.beyond(requested)
        };
        self.stop(Stop::Stall(Stall::divergence(divergence)));
        Noted::Refused
    }
}

/// The id of a detached instance that a command starts.
fn started(command: &HistoryEvent) -> Option<InstanceId> {
    match command {
        HistoryEvent::DetachedScheduled(command) => Some(command.instance.clone()),
        _ => None,
    }
}

/// What a report adds to a request that differs in its input only; the values themselves stay out of it.
fn told(difference: &Difference) -> String {
    match difference {
        Difference::Other => String::new(),
        Difference::Input(None) => ", with another input".to_owned(),
        Difference::Input(Some(path)) if path.is_empty() => ", with another input".to_owned(),
        Difference::Input(Some(path)) => format!(", whose input differs at `{path}`"),
        Difference::Order => format!(", {}", matching::ANOTHER_ORDER),
        Difference::Place => ", at another place".to_owned(),
        Difference::Detail => ", with another due time, policy, time-out or id".to_owned(),
    }
}
