//! Ids of children that count no more since a rewind.
//!
//! Such a child is there, with its history, and its id is taken: where the code chooses that id again, the child that it
//! asks for now gets a derived one, as a later attempt does.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::HistoryEvent;
use crate::failure::{Failure, FaultKind};
use crate::id::{EventId, InstanceId};

/// The children of void turns that were started.
#[derive(Debug, Default)]
pub(super) struct Taken {
    children: BTreeMap<EventId, InstanceId>,
    /// Those of the turn that is read; what that withdraws never starts.
    of_turn: Vec<EventId>,
}

impl Taken {
    /// Takes note of an event that is void.
    pub(super) fn note(&mut self, event: &HistoryEvent) {
        match event {
            HistoryEvent::TurnStarted(_) => self.of_turn.clear(),
            HistoryEvent::ChildScheduled(child) => {
                self.children.insert(child.id, child.instance.clone());
                self.of_turn.push(child.id);
            }
            HistoryEvent::Cancelled(cancelled) if self.of_turn.contains(&cancelled.scheduled) => {
                self.children.remove(&cancelled.scheduled);
            }
            // The id is that of somebody else, and stays so.
            HistoryEvent::ChildFailed(failed) if is_conflict(&failed.failure) => {
                self.children.remove(&failed.scheduled);
            }
            event if event.is_terminal() => {
                for child in self.of_turn.drain(..) {
                    self.children.remove(&child);
                }
            }
            _ => {}
        }
    }

    /// Their ids.
    pub(super) fn ids(&self) -> BTreeSet<InstanceId> {
        self.children.values().cloned().collect()
    }
}

fn is_conflict(failure: &Failure) -> bool {
    matches!(failure, Failure::Fault(fault) if fault.kind() == FaultKind::Conflict)
}
