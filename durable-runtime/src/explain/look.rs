//! Looking at an instance of a running engine: its record, a replay that has no effect, and what the engine knows.
//!
//! Nothing here is awaited by the engine, and nothing changes it. Code of a user runs in a replay: on a thread of its own, for so
//! long, and only where the engine would run it too.

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::reason::{self, Around, Recorded, Replayed};
use super::wait::{Delivery, Heartbeat, Link};
use super::{Explanation, NextTurn};
use crate::clock::Timestamp;
use crate::engine::desk::Seat;
use crate::engine::dispatcher::Queued;
use crate::engine::hub::{Hub, Whereabouts};
use crate::engine::inboxes;
use crate::engine::message::{CommandRef, Reply};
use crate::event::{HistoryEvent, Name, StallReason};
use crate::id::{BuildId, EventId, InstanceId, InstanceKey, SiteId};
use crate::limits;
use crate::store::{LastExecution, Status, StoreError, Summary, Suspicion, chain};

/// Says why an instance waits; `None` if there is none of that key. Nothing blocks the caller's thread.
///
/// # Errors
/// The store could not be read.
pub(crate) async fn look(
    hub: &Arc<Hub>,
    key: InstanceKey,
) -> Result<Option<Explanation>, StoreError> {
    let (reply, answer) = Reply::channel();
    let its_hub = Arc::clone(hub);
    let thread = std::thread::Builder::new().name("durable-explain".to_owned());
    let spawned = thread.spawn(move || reply.send(Look::new(&its_hub).explain(key)));
    if spawned.is_err() {
        // What is recorded can be told all the same.
        let look = Look::new(hub);
        look.is_out_of_time.set(true);
        return look.explain(key);
    }
    // A lost answer would be a panic of ours, which is on the standard error.
    answer.await.unwrap_or(Ok(None))
}

/// One answer in the making.
struct Look<'h> {
    hub: &'h Arc<Hub>,
    /// From the instance that was asked about down to the one that is looked at.
    path: RefCell<Vec<InstanceKey>>,
    /// How many instances were looked at.
    looked_at: Cell<usize>,
    /// Whether a replay took too long, so that none follows.
    is_out_of_time: Cell<bool>,
}

impl<'h> Look<'h> {
    fn new(hub: &'h Arc<Hub>) -> Self {
        Self {
            hub,
            path: RefCell::default(),
            looked_at: Cell::new(0),
            is_out_of_time: Cell::new(false),
        }
    }

    fn explain(&self, key: InstanceKey) -> Result<Option<Explanation>, StoreError> {
        let reader = &self.hub.reviver.reader;
        let seen = reader.shared_summary(key)?;
        let last = match seen {
            // Nothing of it is open.
            Some(summary) if summary.has_ended() => Some(LastExecution {
                summary,
                history: Ok(Vec::new()),
            }),
            seen => reader.last_execution(key, seen)?,
        };
        let Some(LastExecution { summary, history }) = last else {
            return Ok(None);
        };
        self.looked_at.set(self.looked_at.get() + 1);
        let surroundings = Surroundings {
            look: self,
            key,
            summary: &summary,
        };
        let history = history.map_err(|error| chain(&error));
        let history = history.map(Arc::new);
        let replayed = match &history {
            Ok(history) => self.replay(key, &summary, history),
            Err(_) => Replayed::Not(""),
        };
        self.path.borrow_mut().push(key);
        let recorded = Recorded {
            summary: &summary,
            history: history
                .as_ref()
                .map(|history| &***history)
                .map_err(|report| &**report),
            replayed,
        };
        let explanation = reason::explain(recorded, &surroundings);
        self.path.borrow_mut().pop();
        Ok(Some(explanation))
    }

    /// Replays what is recorded, where the engine would, and asks the code what it awaits.
    fn replay(
        &self,
        key: InstanceKey,
        summary: &Summary,
        history: &Arc<Vec<HistoryEvent>>,
    ) -> Replayed {
        let has_run = |event: &HistoryEvent| matches!(event, HistoryEvent::TurnStarted(_));
        if !history.iter().any(has_run) {
            return Replayed::Not("");
        }
        if let Some(why) = self.unwise(key, summary) {
            return Replayed::Not(why);
        }
        // Without room in between: who has gone on without it is known to whoever tells.
        let (tell, told) = mpsc::sync_channel(0);
        let strays = Arc::clone(&self.hub.strays);
        let (reviver, history) = (Arc::clone(&self.hub.reviver), Arc::clone(history));
        let thread = std::thread::Builder::new().name("durable-explain-replay".to_owned());
        let spawned = thread.spawn(move || {
            let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
                return;
            };
            let replayed = match reviver.replay(key, started, &history) {
                Ok(execution) => Replayed::Awaits(execution.waits()),
                Err((reason, report)) => Replayed::Refused(reason, report),
            };
            if tell.send(replayed).is_err() {
                strays.fetch_sub(1, Ordering::Relaxed);
            }
        });
        if spawned.is_err() {
            return Replayed::Not("no thread could be started to replay it on");
        }
        let patience = self.hub.turn_limit.min(limits::EXPLAIN_REPLAY_MAX);
        told.recv_timeout(patience).unwrap_or_else(|error| {
            if error == RecvTimeoutError::Timeout {
                self.hub.strays.fetch_add(1, Ordering::Relaxed);
            }
            self.is_out_of_time.set(true);
            Replayed::Not("its replay did not end in time; is there a loop that never waits?")
        })
    }

    /// Why code of this instance is not to run now, if it is not.
    fn unwise(&self, key: InstanceKey, summary: &Summary) -> Option<&'static str> {
        let stalled = summary.stalled.as_ref().map(|stalled| stalled.reason);
        if stalled == Some(StallReason::Poisoned) || self.hub.reviver.guard.refusal(key).is_some() {
            return Some("the process died of its turns, so none is replayed");
        }
        if self.hub.gate.is_closed() {
            return Some("the engine finds out what the process died of, and runs nothing else");
        }
        let suspicion = self.hub.reviver.reader.suspicion(key, None).ok().flatten();
        if suspicion.is_some_and(|held| held.deaths >= limits::DEATHS_OF_SUSPECTS) {
            return Some("the process may have died of its turns, so none is replayed");
        }
        if self.hub.strays.load(Ordering::Relaxed) >= limits::EXPLAIN_STRAYS_MAX {
            return Some("several replays that did not end in time still run");
        }
        (self.is_out_of_time.get()).then_some("a replay before this one did not end in time")
    }

    /// Another instance, which the one looked at waits for.
    fn linked(&self, id: &InstanceId) -> Result<(Option<Status>, Link), StoreError> {
        let Some(key) = self.hub.reviver.reader.find(id)? else {
            return Ok((None, Link::NotFollowed));
        };
        let Some(summary) = self.hub.reviver.reader.shared_summary(key)? else {
            return Ok((None, Link::NotFollowed));
        };
        let status = Some(summary.status);
        if self.path.borrow().contains(&key) {
            return Ok((status, Link::Circle));
        }
        let is_too_far = self.path.borrow().len() >= limits::EXPLAIN_DEPTH_MAX;
        if is_too_far || self.looked_at.get() >= limits::EXPLAIN_INSTANCES_MAX {
            return Ok((status, Link::NotFollowed));
        }
        let explanation = self.explain(key)?;
        Ok((
            status,
            explanation.map_or(Link::NotFollowed, |why| Link::Explained(Box::new(why))),
        ))
    }
}

/// What is around one instance of a running engine.
struct Surroundings<'a> {
    look: &'a Look<'a>,
    key: InstanceKey,
    summary: &'a Summary,
}

impl Surroundings<'_> {
    fn hub(&self) -> &Hub {
        self.look.hub
    }

    fn ago(&self, duration: Duration) -> std::time::SystemTime {
        reason::ago(self.now(), duration)
    }

    fn seat(&self, seat: Seat) -> (Delivery, Option<Heartbeat>) {
        match seat {
            Seat::Running {
                since,
                delivery,
                said,
                given_up,
            } => {
                let running = Delivery::Running {
                    since: self.ago(since),
                    delivery,
                    given_up,
                };
                let heartbeat = said.map(|(ago, details)| Heartbeat {
                    at: Some(self.ago(ago)),
                    details: reason::text(&details),
                });
                (running, heartbeat)
            }
            Seat::Queued(Queued::BehindItsOwn { limit }) => (queued(limit, true), None),
            Seat::Queued(Queued::BehindAll { limit }) => (queued(limit, false), None),
            Seat::Queued(Queued::Next) => (Delivery::Starting, None),
            Seat::Queued(Queued::Closed) => (Delivery::Elsewhere, None),
        }
    }
}

fn queued(limit: usize, is_its_own: bool) -> Delivery {
    Delivery::Queued { limit, is_its_own }
}

impl Around for Surroundings<'_> {
    fn now(&self) -> Timestamp {
        self.hub().clock.now()
    }

    fn place(&self, build: BuildId, site: SiteId) -> Option<String> {
        // An answer without the place is better than none.
        let place = self.hub().reviver.reader.spot(build, site);
        place.ok().flatten()
    }

    fn delivery(&self, id: EventId, name: &Name) -> (Delivery, Option<Heartbeat>) {
        let command = CommandRef {
            instance: self.key,
            execution: self.summary.execution,
            scheduled: id,
        };
        match self.hub().whereabouts(command) {
            Whereabouts::At(seat) => self.seat(seat),
            Whereabouts::HeldBack => (Delivery::HeldBack, None),
            Whereabouts::Elsewhere => {
                let registry = &self.hub().reviver.registry;
                let is_known = registry.find_activity(name).is_some();
                let delivery = if is_known {
                    Delivery::Elsewhere
                } else {
                    Delivery::Unregistered
                };
                (delivery, None)
            }
        }
    }

    fn suspicion(&self, event: Option<EventId>) -> Option<Suspicion> {
        // An answer without it is better than none.
        let held = self.hub().reviver.reader.suspicion(self.key, event);
        held.ok().flatten()
    }

    fn next_turn(&self) -> NextTurn {
        match self.hub().next_turn(self.key) {
            inboxes::NextTurn::None if self.hub().gate.is_closed() => NextTurn::HeldBack,
            inboxes::NextTurn::None => NextTurn::None,
            inboxes::NextTurn::Due => NextTurn::Due,
            inboxes::NextTurn::Running => NextTurn::Running,
            inboxes::NextTurn::Committing => NextTurn::Committing,
        }
    }

    fn without_room(&self) -> Vec<(Name, Timestamp)> {
        self.hub().without_room(self.key)
    }

    fn instance(&self, id: &InstanceId) -> (Option<Status>, Link) {
        // An answer without it is better than none.
        let linked = self.look.linked(id);
        linked.unwrap_or((None, Link::NotFollowed))
    }
}
