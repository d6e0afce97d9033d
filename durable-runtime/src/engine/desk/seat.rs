//! Where an activity is, for whoever asks why it takes so long.

use std::time::Duration;

use super::Desk;
use crate::engine::dispatcher::Queued;
use crate::engine::message::CommandRef;
use crate::payload::Payload;

/// Where an activity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seat {
    /// It runs.
    Running {
        /// Since so long.
        since: Duration,
        delivery: u32,
        /// What it said last, and how long ago that was, if it spoke.
        said: Option<(Duration, Payload)>,
        /// Why nothing that it returns counts any more, if that is so.
        given_up: Option<&'static str>,
    },
    /// It waits for a place.
    Queued(Queued),
}

/// Why a body that runs still from before a rewind counts for nothing.
const REWOUND: &str = "its instance was rewound, and it runs again";

impl Desk {
    /// Where this activity is; `None` if it is not here.
    pub(crate) fn seat(&self, command: CommandRef) -> Option<Seat> {
        let inner = self.lock();
        if let Some(handles) = inner.running.get(&command) {
            let heart = &handles.heart;
            let is_void = inner.again.contains_key(&command);
            return Some(Seat::Running {
                since: heart.beats_for(),
                delivery: handles.delivery,
                said: heart.details().map(|said| (heart.silent_for(), said)),
                given_up: handles.given_up.or(is_void.then_some(REWOUND)),
            });
        }
        if let Some(queued) = inner.dispatcher.queued(command) {
            return Some(Seat::Queued(queued));
        }
        let mut handed_in = inner.handed_in.iter().flatten();
        let is_next = handed_in.any(|task| task.command == command);
        is_next.then_some(Seat::Queued(Queued::Next))
    }
}
