//! Commands whose outcome has not been taken, and the hold that a waiting future has on one.

use std::collections::BTreeMap;
use std::task::Poll;

use super::context::{self, Owner};
use super::wake::Slot;
use crate::event::{Cancelled, Pending};
use crate::failure::Outcome;
use crate::id::EventId;
use crate::payload::Payload;

/// What answers a command.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// An activity, a child or another instance ended, or a detached instance was not started; an attempt of an activity with
    /// what it said in its last heartbeat, as far as that is recorded.
    Outcome(Outcome, Option<Payload>),
    /// A detached instance is on disk.
    Started,
    /// A timer fired.
    Fired,
}

/// The open commands of an execution.
#[derive(Debug, Default)]
pub(super) struct OpenWork {
    entries: BTreeMap<EventId, Entry>,
    unanswered: usize,
}

#[derive(Debug)]
struct Entry {
    pending: Pending,
    slot: Slot,
    answer: Option<Answer>,
    heartbeat: Option<Payload>,
}

impl OpenWork {
    /// How many commands wait for an answer.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// How many commands wait for an answer, or have one that nobody has taken yet.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether command `id` waits for an answer of this kind.
    pub(super) fn awaits(&self, id: EventId, pending: Pending) -> bool {
        let entry = self.entries.get(&id);
        entry.is_some_and(|entry| entry.pending == pending && entry.answer.is_none())
    }

    /// Opens a command.
    pub(super) fn open(&mut self, id: EventId, pending: Pending) {
        let entry = Entry {
            pending,
            slot: Slot::Root,
            answer: None,
            heartbeat: None,
        };
        let before = self.entries.insert(id, entry);
        assert!(before.is_none(), "command {id} was opened twice");
        self.unanswered += 1;
    }

    /// Answers a command and returns whom to wake; `None` if nobody waits for it any more.
    pub(super) fn answer(&mut self, id: EventId, pending: Pending, answer: Answer) -> Option<Slot> {
        if !self.awaits(id, pending) {
            return None;
        }
        let entry = self.entries.get_mut(&id)?;
        entry.answer = Some(answer);
        self.unanswered -= 1;
        Some(entry.slot)
    }

    /// Keeps what an attempt said in its last heartbeat until its outcome is taken.
    pub(super) fn note_heartbeat(&mut self, id: EventId, details: Payload) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.heartbeat = Some(details);
        }
    }

    /// Takes the answer, or notes who waits for it.
    pub(super) fn poll(&mut self, id: EventId, slot: Slot) -> Poll<Answer> {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Poll::Pending;
        };
        let Some(mut answer) = entry.answer.take() else {
            entry.slot = slot;
            return Poll::Pending;
        };
        if let Answer::Outcome(_, heartbeat) = &mut answer {
            *heartbeat = entry.heartbeat.take();
        }
        self.entries.remove(&id);
        Poll::Ready(answer)
    }

    /// Closes a command that nobody waits for any more; returns what is to be cancelled, if it was not answered.
    pub(super) fn close(&mut self, id: EventId) -> Option<Cancelled> {
        let entry = self.entries.remove(&id)?;
        if entry.answer.is_some() {
            return None;
        }
        self.unanswered -= 1;
        Some(Cancelled {
            scheduled: id,
            pending: entry.pending,
        })
    }

    /// All that waits for an answer, by number.
    pub(super) fn all_unanswered(&self) -> impl Iterator<Item = Cancelled> + '_ {
        let open = self.entries.iter().filter(|(_, e)| e.answer.is_none());
        open.map(|(&scheduled, entry)| Cancelled {
            scheduled,
            pending: entry.pending,
        })
    }
}

/// A future's hold on the command that it waits for.
///
/// Dropping it while the instance's own code is polled cancels the command; anywhere else it does nothing.
#[derive(Debug)]
pub(crate) struct Ticket {
    owner: Owner,
    id: EventId,
}

impl Ticket {
    pub(super) fn new(owner: Owner, id: EventId) -> Self {
        Self { owner, id }
    }

    /// The command's number.
    pub(crate) fn id(&self) -> EventId {
        self.id
    }

    /// Takes the answer, or waits for it in the current slot.
    pub(crate) fn poll(&self) -> Poll<Answer> {
        context::require(
            "a durable future that was first polled in an orchestrator",
            |context| context.poll_ticket(self.owner, self.id),
        )
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        context::with(|context| context.drop_ticket(self.owner, self.id));
    }
}
