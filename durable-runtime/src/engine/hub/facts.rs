//! What an engine knows of an instance beside its record, for whoever asks why it waits.

use super::Hub;
use crate::clock::Timestamp;
use crate::engine::desk::Seat;
use crate::engine::inboxes::NextTurn;
use crate::engine::message::CommandRef;
use crate::event::Name;
use crate::id::InstanceKey;

/// Where an activity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Here.
    At(Seat),
    /// Held back until trials are over.
    HeldBack,
    /// On its way, or this program does not have it.
    Elsewhere,
}

impl Hub {
    /// How far the next turn of this instance is.
    pub(crate) fn next_turn(&self, key: InstanceKey) -> NextTurn {
        let inboxes = self.inboxes.get(self.index_of(key));
        inboxes.map_or(NextTurn::None, |inboxes| inboxes.next_turn(key))
    }

    /// The names of the events that other instances sent to this one, where they find no room, and when they were sent.
    pub(crate) fn without_room(&self, key: InstanceKey) -> Vec<(Name, Timestamp)> {
        let inboxes = self.inboxes.get(self.index_of(key));
        inboxes.map_or_else(Vec::new, |inboxes| inboxes.without_room(key))
    }

    /// Where this activity is.
    pub(crate) fn whereabouts(&self, command: CommandRef) -> Whereabouts {
        match self.desk.seat(command) {
            Some(seat) => Whereabouts::At(seat),
            None if self.gate.holds(command) => Whereabouts::HeldBack,
            None => Whereabouts::Elsewhere,
        }
    }
}
