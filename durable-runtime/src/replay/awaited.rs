//! Which events an execution awaits, for whoever asks why it waits: the history does not say, only the code does.

use crate::clock::Timestamp;
use crate::event::Name;
use crate::id::SourceSite;

/// The external events that an execution waits for, and those that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// By name, then by age.
    pub(crate) events: Vec<AwaitedEvent>,
    /// By name.
    pub(crate) buffered: Vec<BufferedEvents>,
}

/// A wait for an event.
#[derive(Debug)]
pub(crate) struct AwaitedEvent {
    /// In lower case, as names are compared.
    pub(crate) name: String,
    pub(crate) site: SourceSite,
    /// The time of the turn in which it began.
    pub(crate) since: Timestamp,
}

/// Events of one name that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct BufferedEvents {
    /// As the oldest of them was raised.
    pub(crate) name: Name,
    pub(crate) count: usize,
    /// When the oldest of them came.
    pub(crate) oldest: Timestamp,
}
