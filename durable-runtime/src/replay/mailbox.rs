//! External events: buffered first in first out for each name, handed to the oldest waiter first.
//!
//! The *k*-th waiter of a name is entitled to the *k*-th buffered event. An event leaves the buffer only when a
//! waiter's poll takes it, so a waiter that was woken and then dropped leaves its event to the next.
//!
//! Source: `docs/design.md`, "External events".

use std::collections::{BTreeMap, VecDeque};
use std::task::Poll;

use super::context::{self, Owner};
use super::wake::Slot;
use crate::event::EventRaised;

/// The buffered events and the waiters of an execution.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    lines: BTreeMap<String, Line>,
    raised: u64,
    registered: u64,
    waiting: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Line {
    /// With the number of the arrival, which orders events of different names.
    buffered: VecDeque<(u64, EventRaised)>,
    /// By age.
    waiters: BTreeMap<u64, Slot>,
}

impl Line {
    /// The waiter that is entitled to the last buffered event.
    fn last_entitled(&self) -> Option<Slot> {
        let position = self.buffered.len().checked_sub(1)?;
        self.waiters.values().nth(position).copied()
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

    /// Buffers an event and returns whom to wake; `None` if nobody waits for it.
    pub(super) fn raise(&mut self, event: EventRaised) -> Option<Slot> {
        let line = self
            .lines
            .entry(event.name.to_ascii_lowercase())
            .or_default();
        self.bytes += size(&event);
        line.buffered.push_back((self.raised, event));
        self.raised += 1;
        line.last_entitled()
    }

    /// A new waiter, the youngest of `name`.
    pub(super) fn register(&mut self, name: &str) -> u64 {
        let number = self.registered;
        self.registered += 1;
        self.waiting += 1;
        let line = self.lines.entry(name.to_owned()).or_default();
        line.waiters.insert(number, Slot::Root);
        number
    }

    /// Takes the event that the waiter is entitled to, or notes where it waits.
    pub(super) fn poll(&mut self, name: &str, number: u64, slot: Slot) -> Poll<EventRaised> {
        let Some(line) = self.lines.get_mut(name) else {
            return Poll::Pending;
        };
        let mut entitled = line.waiters.keys().take(line.buffered.len());
        let taken = entitled
            .position(|&waiter| waiter == number)
            .and_then(|position| line.buffered.remove(position));
        let Some((_, event)) = taken else {
            if let Some(waiter) = line.waiters.get_mut(&number) {
                *waiter = slot;
            }
            return Poll::Pending;
        };
        line.waiters.remove(&number);
        self.waiting -= 1;
        self.bytes -= size(&event);
        self.tidy(name);
        Poll::Ready(event)
    }

    /// Removes a waiter and returns whom to wake in its place.
    pub(super) fn leave(&mut self, name: &str, number: u64) -> Option<Slot> {
        let line = self.lines.get_mut(name)?;
        let mut entitled = line.waiters.keys().take(line.buffered.len());
        let was_entitled = entitled.any(|&waiter| waiter == number);
        line.waiters.remove(&number)?;
        self.waiting -= 1;
        let heir = line.last_entitled().filter(|_| was_entitled);
        self.tidy(name);
        heir
    }

    /// Takes all that nobody consumed, in order of arrival.
    pub(super) fn drain(&mut self) -> Vec<EventRaised> {
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        let all: BTreeMap<u64, EventRaised> =
            lines.into_values().flat_map(|line| line.buffered).collect();
        all.into_values().collect()
    }

    /// Forgets a name that has neither events nor waiters.
    fn tidy(&mut self, name: &str) {
        let line = self.lines.get(name);
        if line.is_some_and(|line| line.buffered.is_empty() && line.waiters.is_empty()) {
            self.lines.remove(name);
        }
    }
}

/// What a buffered event holds, in bytes.
fn size(event: &EventRaised) -> usize {
    size_of::<(u64, EventRaised)>() + event.name.len() + event.payload.bytes().len()
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
    /// Joins the line of `name`. Panics outside an orchestrator.
    pub(crate) fn join(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        context::require("the wait for an external event", |context| Self {
            owner: context.owner(),
            number: context.mailbox.register(&name),
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
