//! External events: buffered first in first out for each name, handed to the oldest waiter first.
//!
//! The *k*-th waiter of a name is entitled to the *k*-th buffered event. An event leaves the buffer only when a
//! waiter's poll takes it, so a waiter that was woken and then dropped leaves its event to the next.
//!
//! Source: `docs/design.md`, "External events".

mod by_age;

use std::collections::{BTreeMap, VecDeque};
use std::task::Poll;

use self::by_age::ByAge;
use super::awaited::{Awaited, AwaitedEvent, BufferedEvents};
use super::context::{self, Owner};
use super::wake::Slot;
use crate::clock::Timestamp;
use crate::event::{EventRaised, HistoryEvent};
use crate::id::SourceSite;

/// The buffered events and the waiters of an execution.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// Behind pointers: a map with one name has room for eleven.
    lines: BTreeMap<String, Box<Line>>,
    raised: u64,
    registered: u64,
    waiting: usize,
    buffered: usize,
    bytes: usize,
}

/// How much has been raised and not been taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// How many events.
    pub(crate) events: usize,
    /// The size of their names and payloads, in bytes.
    pub(crate) bytes: usize,
}

impl Load {
    /// The load with this event.
    pub(crate) fn and(self, event: &EventRaised) -> Self {
        Self {
            events: self.events + 1,
            bytes: self.bytes + carried(event),
        }
    }

    /// The load with those of these events that were raised.
    pub(crate) fn and_all(self, events: &[HistoryEvent]) -> Self {
        events.iter().fold(self, |load, event| match event {
            HistoryEvent::EventRaised(raised) => load.and(raised),
            _ => load,
        })
    }
}

#[derive(Debug, Default)]
struct Line {
    /// With the number of the arrival, which orders events of different names.
    buffered: VecDeque<(u64, EventRaised)>,
    /// The oldest waiters, by age: as many as there are events, if there are as many.
    entitled: ByAge<Waiting>,
    /// The younger ones.
    waiters: ByAge<Waiting>,
}

/// A future that waits.
#[derive(Debug)]
struct Waiting {
    slot: Slot,
    /// Where the code waits, and since which turn; for people.
    site: SourceSite,
    since: Timestamp,
}

impl Line {
    /// The oldest waiter for which there is no event is entitled to one from now on.
    fn entitle_next(&mut self) -> Option<Slot> {
        let (number, waiting) = self.waiters.pop_oldest()?;
        let slot = waiting.slot;
        self.entitled.push(number, waiting);
        Some(slot)
    }
}

impl Mailbox {
    /// How many futures wait for an event.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many names and waiters it keeps.
    pub(super) fn len(&self) -> usize {
        self.lines.len() + self.waiting
    }

    /// The size of what is buffered, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How much is buffered.
    pub(super) fn load(&self) -> Load {
        Load {
            events: self.buffered,
            bytes: self.bytes - self.buffered * HELD_BYTES,
        }
    }

    /// How many wait for an event of this name and are entitled to none.
    pub(super) fn awaited(&self, name: &str) -> usize {
        let line = self.lines.get(&name.to_ascii_lowercase());
        line.map_or(0, |line| line.waiters.len())
    }

    /// The names, in lower case, of which somebody waits for an event and is entitled to none.
    pub(super) fn wanted(&self) -> Vec<String> {
        let lines = self.lines.iter();
        let wanted = lines.filter(|(_, line)| !line.waiters.is_empty());
        wanted.map(|(name, _)| name.clone()).collect()
    }

    /// Buffers an event and returns whom to wake; `None` if nobody waits for it.
    pub(super) fn raise(&mut self, event: EventRaised) -> Option<Slot> {
        let line = self
            .lines
            .entry(event.name.to_ascii_lowercase())
            .or_default();
        self.bytes += size(&event);
        self.buffered += 1;
        line.buffered.push_back((self.raised, event));
        self.raised += 1;
        line.entitle_next()
    }

    /// A new waiter, the youngest of `name`.
    pub(super) fn register(&mut self, name: &str, site: SourceSite, since: Timestamp) -> u64 {
        let number = self.registered;
        self.registered += 1;
        self.waiting += 1;
        let line = self.lines.entry(name.to_owned()).or_default();
        let slot = Slot::Root;
        line.waiters.push(number, Waiting { slot, site, since });
        if line.buffered.len() > line.entitled.len() {
            line.entitle_next();
        }
        number
    }

    /// Takes the event that the waiter is entitled to, or notes where it waits.
    pub(super) fn poll(&mut self, name: &str, number: u64, slot: Slot) -> Poll<EventRaised> {
        let Some(line) = self.lines.get_mut(name) else {
            return Poll::Pending;
        };
        if let Some(waiter) = line.waiters.get_mut(number) {
            waiter.slot = slot;
            return Poll::Pending;
        }
        // Its event stands where it stands itself; of those that take theirs in order of age each is the first.
        let position = line.entitled.count_older(number);
        if line.entitled.remove(number).is_none() {
            return Poll::Pending;
        }
        let Some((_, event)) = line.buffered.remove(position) else {
            return Poll::Pending;
        };
        self.waiting -= 1;
        self.buffered -= 1;
        self.bytes -= size(&event);
        self.tidy(name);
        Poll::Ready(event)
    }

    /// Removes a waiter and returns whom to wake in its place.
    pub(super) fn leave(&mut self, name: &str, number: u64) -> Option<Slot> {
        let line = self.lines.get_mut(name)?;
        let was_entitled = line.entitled.remove(number).is_some();
        if !was_entitled {
            line.waiters.remove(number)?;
        }
        self.waiting -= 1;
        let heir = if was_entitled {
            line.entitle_next()
        } else {
            None
        };
        self.tidy(name);
        heir
    }

    /// Who waits for what, and what is there, by name.
    pub(super) fn waits(&self) -> Awaited {
        let mut awaited = Awaited::default();
        for (name, line) in &self.lines {
            awaited
                .events
                .extend(
                    line.entitled
                        .values()
                        .chain(line.waiters.values())
                        .map(|waiter| AwaitedEvent {
                            name: name.clone(),
                            site: waiter.site,
                            since: waiter.since,
                        }),
                );
            if let Some((_, oldest)) = line.buffered.front() {
                awaited.buffered.push(BufferedEvents {
                    name: oldest.name.clone(),
                    count: line.buffered.len(),
                    oldest: oldest.at,
                });
            }
        }
        awaited
    }

    /// Takes all that nobody consumed, in order of arrival.
    pub(super) fn drain(&mut self) -> Vec<EventRaised> {
        self.bytes = 0;
        self.buffered = 0;
        let lines = std::mem::take(&mut self.lines);
        let all: BTreeMap<u64, EventRaised> =
            lines.into_values().flat_map(|line| line.buffered).collect();
        all.into_values().collect()
    }

    /// Forgets a name that has neither events nor waiters.
    fn tidy(&mut self, name: &str) {
        let line = self.lines.get(name);
        let is_idle = |line: &Line| line.entitled.is_empty() && line.waiters.is_empty();
        if line.is_some_and(|line| line.buffered.is_empty() && is_idle(line)) {
            self.lines.remove(name);
        }
    }
}

/// What a buffered event holds beside what it carries, in bytes.
const HELD_BYTES: usize = size_of::<(u64, EventRaised)>();

/// What a buffered event holds, in bytes.
fn size(event: &EventRaised) -> usize {
    HELD_BYTES + carried(event)
}

/// What an event carries of who raised it, in bytes.
fn carried(event: &EventRaised) -> usize {
    event.name.len() + event.payload.bytes().len()
}

/// A future's place in the line of those that wait for an event.
///
/// Dropping it gives up the place; an event that it was woken for goes to the next.
#[derive(Debug)]
pub(crate) struct Waiter {
    owner: Owner,
    name: String,
    number: u64,
}

impl Waiter {
    /// Joins the line of `name`, for code at `site`. Panics outside an orchestrator.
    pub(crate) fn join(name: &str, site: SourceSite) -> Self {
        let name = name.to_ascii_lowercase();
        context::require("the wait for an external event", |context| Self {
            owner: context.owner(),
            number: context.mailbox.register(&name, site, context.at()),
            name,
        })
    }

    /// Takes the event, or waits for it in the current slot.
    pub(crate) fn poll(&self) -> Poll<EventRaised> {
        context::require("the wait for an external event", |context| {
            context.poll_waiter(self.owner, &self.name, self.number)
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        context::with(|context| context.drop_waiter(self.owner, &self.name, self.number));
    }
}

#[cfg(test)]
mod tests;
