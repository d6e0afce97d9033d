//! What is raised to an instance: what of it is known already, and what finds no room.
//!
//! An event may have an id, which its sender chose. The history holds the ids, so what is known is the same after an eviction,
//! a stall or a restart. What nobody has taken yet is bounded, so that a history does not grow without bound while its code
//! waits for something else, or is stalled: a client is told that the instance is busy, and what another instance sent waits
//! where it is on disk, in `sent`. An event that is waited for always has room, so that no flood of others keeps it away.
//!
//! Source: `docs/design.md`, "External events".

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::engine::message::{Delivered, Incoming};
use crate::event::{EventRaised, HistoryEvent, effective};
use crate::limits;
use crate::replay::Load;

/// How much may be raised to one instance before anybody takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventLimit {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

impl Default for EventLimit {
    fn default() -> Self {
        Self {
            events: limits::UNTAKEN_EVENTS_MAX,
            bytes: limits::UNTAKEN_BYTES_MAX,
        }
    }
}

impl EventLimit {
    /// Whether one more event makes this load. A lone one has room however large it is, as it would never have.
    fn has_room_for(self, load: Load) -> bool {
        load.events <= self.events.max(1) && (load.bytes <= self.bytes || load.events == 1)
    }

    /// How many more there may be; none if there are too many bytes.
    fn room(self, load: Load) -> usize {
        if load.bytes >= self.bytes && load.events > 0 {
            return 0;
        }
        self.events.max(1).saturating_sub(load.events)
    }
}

/// What was raised to one execution, as far as that matters to what is raised next.
#[derive(Debug)]
pub(crate) struct Backlog {
    limit: EventLimit,
    /// The ids that clients chose.
    ids: HashSet<String>,
    /// Of an execution that is stalled, what no turn has delivered.
    pub(crate) undelivered: Load,
    /// What was not accepted of the inbox before, by its places there.
    turned_away: Vec<(usize, TurnedAway)>,
    /// How much nobody had taken, with what was accepted of the inbox before.
    judged: Load,
}

/// Why an event was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TurnedAway {
    /// There is no room, and its client is told so.
    Busy,
    /// There is no room, and it waits.
    Held,
}

/// What was decided about the events of one inbox so far.
pub(crate) struct Intake {
    load: Load,
    /// How many of each name were accepted though there was no room, since somebody waits for them.
    beyond: BTreeMap<String, usize>,
    /// Of these names something waits for room, and so does all that other instances sent after it.
    holding: BTreeSet<String>,
}

/// Which events that wait for room may be delivered.
#[derive(Debug)]
pub(crate) struct Room {
    /// So many, whatever they are.
    pub(crate) any: usize,
    /// If there is no room: one of each of these names, for somebody waits for it.
    pub(crate) names: Vec<String>,
}

impl Room {
    /// Whatever waits may go.
    pub(crate) const UNBOUNDED: Self = Self {
        any: usize::MAX,
        names: Vec::new(),
    };
}

impl Backlog {
    /// The backlog of an execution with this history.
    pub(crate) fn of(history: &[HistoryEvent], limit: EventLimit) -> Self {
        let undelivered = effective(history).fold(Load::default(), |load, event| match event {
            HistoryEvent::TurnStarted(_) => Load::default(),
            event => load.and_all(std::slice::from_ref(event)),
        });
        Self {
            ids: history.iter().filter_map(chosen_id).cloned().collect(),
            undelivered,
            ..Self::unknown(limit)
        }
    }

    /// The backlog of an execution whose history is not read.
    pub(crate) fn unknown(limit: EventLimit) -> Self {
        Self {
            limit,
            ids: HashSet::new(),
            undelivered: Load::default(),
            turned_away: Vec::new(),
            judged: Load::default(),
        }
    }

    /// Begins with another inbox; `load` is what nobody has taken.
    pub(crate) fn open(&mut self, load: Load) -> Intake {
        self.turned_away.clear();
        Intake {
            load,
            beyond: BTreeMap::new(),
            holding: BTreeSet::new(),
        }
    }

    /// Whether the event at this place of the inbox is to be recorded; `awaited` says how many wait for its name and have no
    /// event.
    pub(crate) fn accepts(
        &mut self,
        intake: &mut Intake,
        place: usize,
        raised: &EventRaised,
        awaited: impl FnOnce(&str) -> usize,
    ) -> bool {
        let is_sent = is_of_instance(raised);
        let id = raised.event.as_ref().filter(|_| !is_sent);
        if id.is_some_and(|id| self.ids.contains(id)) {
            return false;
        }
        let load = intake.load.and(raised);
        let must_wait = is_sent && intake.is_holding(&raised.name);
        let has_room = self.limit.has_room_for(load) || intake.is_awaited(&raised.name, awaited);
        if has_room && !must_wait {
            intake.load = load;
            self.ids.extend(id.cloned());
            return true;
        }
        if is_sent {
            intake.holding.insert(raised.name.to_ascii_lowercase());
        }
        let why = if is_sent {
            TurnedAway::Held
        } else {
            TurnedAway::Busy
        };
        self.turned_away.push((place, why));
        false
    }

    /// Whether this is an event whose id is on record.
    pub(crate) fn knows(&self, incoming: &Incoming) -> bool {
        match incoming {
            Incoming::Arrival { event, .. } => {
                chosen_id(event).is_some_and(|id| self.ids.contains(id))
            }
            _ => false,
        }
    }

    /// Has decided about an inbox.
    pub(crate) fn close(&mut self, intake: &Intake) {
        self.judged = intake.load;
    }

    /// Tells those clients whose events were not accepted, and returns the other arrivals of that inbox, then what is to wait.
    pub(crate) fn turn_away(&mut self, inbox: Vec<Incoming>) -> (Vec<Incoming>, Vec<Incoming>) {
        if self.turned_away.is_empty() {
            return (inbox, Vec::new());
        }
        let mut turned_away = self.turned_away.iter().peekable();
        let (mut others, mut held) = (Vec::new(), Vec::new());
        for (place, incoming) in inbox.into_iter().enumerate() {
            match turned_away.next_if(|(turned, _)| *turned == place) {
                None => others.push(incoming),
                Some((_, TurnedAway::Held)) => held.push(incoming),
                Some((_, TurnedAway::Busy)) => {
                    if let Some(reply) = incoming.into_reply() {
                        reply.send(Delivered::Busy(self.limit));
                    }
                }
            }
        }
        (others, held)
    }

    /// How many events that wait may be delivered, now that nobody has taken `load`. None, if some were just turned away and
    /// nothing was taken since: they would be again.
    pub(crate) fn room(&self, load: Load) -> usize {
        let was_taken = load.events < self.judged.events;
        if !self.turned_away.is_empty() && !was_taken {
            return 0;
        }
        self.limit.room(load)
    }

    /// An estimate of the memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> usize {
        /// A string, its text and its share of the table.
        const ID_BYTES: usize = 96;
        self.ids.len() * ID_BYTES
    }
}

impl Intake {
    fn is_holding(&self, name: &str) -> bool {
        !self.holding.is_empty() && self.holding.contains(&name.to_ascii_lowercase())
    }

    /// Whether somebody waits for an event of this name that has none, and gets none of this inbox.
    fn is_awaited(&mut self, name: &str, awaited: impl FnOnce(&str) -> usize) -> bool {
        let beyond = self.beyond.entry(name.to_ascii_lowercase()).or_default();
        let is_awaited = *beyond < awaited(name);
        *beyond += usize::from(is_awaited);
        is_awaited
    }
}

/// Whether another instance sent it: it is on disk in `sent` until it is recorded.
fn is_of_instance(raised: &EventRaised) -> bool {
    raised.event.as_ref().is_some_and(|id| id.starts_with('~'))
}

/// The id that a client gave this event.
pub(crate) fn chosen_id(event: &HistoryEvent) -> Option<&String> {
    match event {
        HistoryEvent::EventRaised(raised) => {
            raised.event.as_ref().filter(|_| !is_of_instance(raised))
        }
        _ => None,
    }
}

/// The name, in lower case, of an event that another instance sent.
pub(crate) fn sent_name(incoming: &Incoming) -> Option<String> {
    match incoming {
        Incoming::Arrival {
            event: HistoryEvent::EventRaised(raised),
            ..
        } if is_of_instance(raised) => Some(raised.name.to_ascii_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::engine::rewinding;
    use crate::event::ExecutionCompleted;
    use crate::event::encoding::samples::{payload, started, turn};
    use crate::failure::{Failure, Fault, FaultKind, Outcome};

    /// The code ended by itself when it had been told of an event, and is to be told again.
    #[test]
    fn what_a_void_turn_had_delivered_is_undelivered_after_a_rewind() {
        let raised = HistoryEvent::EventRaised(EventRaised {
            at: Timestamp(2),
            name: "go".into(),
            payload: payload("now"),
            event: Some("go-1".to_owned()),
        });
        let fault = Fault::new(FaultKind::Panicked, "order", "it cannot count");
        let outcome = Outcome::Failed(Failure::Fault(fault));
        let mut history = vec![
            HistoryEvent::ExecutionStarted(Box::new(started("order", 1, 1))),
            turn(1, 1),
            raised,
            turn(2, 1),
            HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome }),
        ];
        let undelivered = |history: &[HistoryEvent]| {
            let backlog = Backlog::of(history, EventLimit::default());
            assert!(backlog.ids.contains("go-1"));
            backlog.undelivered.events
        };
        assert_eq!(undelivered(&history), 0);
        let plan = rewinding::plan(&history, Timestamp(3), "mended").unwrap();
        history.push(HistoryEvent::ExecutionRewound(Box::new(plan.event)));
        assert_eq!(undelivered(&history), 1);
        history.push(turn(4, 1));
        assert_eq!(undelivered(&history), 0);
    }
}
