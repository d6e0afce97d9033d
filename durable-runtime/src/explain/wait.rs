//! One thing that an instance awaits.

use std::time::SystemTime;

use serde::Serialize;

use super::{Explanation, moment};
use crate::event::Name;
use crate::id::{EventId, InstanceId};
use crate::store::Status;

/// One thing that an instance awaits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Wait {
    /// The command that asked for it, by its number in the history; of a call that waits for its next attempt, the timer. A wait for
    /// an external event has none.
    #[serde(serialize_with = "moment::as_number")]
    pub command: Option<EventId>,
    /// Where the code asked: file, line and column, if that is known.
    pub place: Option<String>,
    /// What stood there in the build that asked, if that is known.
    pub source: Option<String>,
    /// What it is in, as [`Site::within`](crate::Site::within) tells it, if this program has that place; without lines, if another build
    /// asked, where they are others.
    pub within: Option<String>,
    /// The id of the [`Site`](crate::Site) there, as [`Graph::mark`](crate::Graph::mark) takes it.
    pub site: Option<u32>,
    /// The turn in which it was asked for; of a call with attempts, that of the first.
    #[serde(serialize_with = "moment::as_time")]
    pub since: SystemTime,
    /// What it is.
    pub awaited: Awaited,
}

/// What is awaited.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Awaited {
    /// An activity, or its next attempt.
    Activity(ActivityWait),
    /// A moment.
    Timer(TimerWait),
    /// An external event.
    Event(EventWait),
    /// The outcome of a child, or its next attempt, or that of an instance that is no child; or the answer to a detached start.
    Instance(InstanceWait),
}

/// A wait for an activity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActivityWait {
    /// Its name.
    pub name: Name,
    /// The attempt that is awaited; 1 is the first.
    pub attempt: u32,
    /// How many attempts there may be.
    pub attempts_max: u32,
    /// Where that attempt is.
    pub delivery: Delivery,
    /// How the attempt before failed.
    pub last_error: Option<String>,
    /// What it said in its last heartbeat; of an attempt that has not spoken, or does not run here, the last one on record.
    pub heartbeat: Option<Heartbeat>,
    /// What is held against it, if the process died while it was outstanding.
    pub suspected: Option<Suspected>,
}

/// Who delivers an activity's outcome, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Delivery {
    /// It runs in this process.
    Running {
        /// When this delivery of it began.
        #[serde(serialize_with = "moment::as_time")]
        since: SystemTime,
        /// How often this attempt was started, this time included; more than once if a process ended under it.
        delivery: u32,
        /// Why its outcome does not count any more, if that is so: it ran into a limit and is not `async`, or runs still from before a
        /// rewind. It keeps its place until it returns.
        given_up: Option<&'static str>,
    },
    /// It waits for a place: as many run as may.
    Queued {
        /// How many that are.
        limit: usize,
        /// Whether that is the limit of this activity; else it is that of the engine.
        is_its_own: bool,
    },
    /// It is next to be started.
    Starting,
    /// The delay before the next attempt.
    Delayed {
        /// When that attempt is due.
        #[serde(serialize_with = "moment::as_time")]
        until: SystemTime,
    },
    /// It is held back: the engine finds out what the process died of, and runs that alone.
    HeldBack,
    /// No function of that name is registered here.
    Unregistered,
    /// It is neither running nor queued in this process at this moment.
    Elsewhere,
}

/// What an activity said in a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Heartbeat {
    /// When, if this process heard it.
    #[serde(serialize_with = "moment::as_time_if_any")]
    pub at: Option<SystemTime>,
    /// Its details, as JSON.
    pub details: String,
}

/// What is held against an activity, or a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Suspected {
    /// How many deaths of the process it was outstanding at.
    pub deaths: u32,
    /// How many of the last ones, without a break, happened while nothing else ran; at 10 it is given up.
    pub alone: u16,
}

/// A wait for a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimerWait {
    /// When it is due.
    #[serde(serialize_with = "moment::as_time")]
    pub due: SystemTime,
    /// What for.
    pub of: TimerUse,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum TimerUse {
    /// The code sleeps.
    Sleep,
    /// The deadline of something that the code awaits.
    Deadline,
    /// The delay before another attempt.
    Retry,
}

/// A wait for an external event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventWait {
    /// Its name, in lower case, as names are compared.
    pub name: Name,
    /// A buffered event of nearly that name which nobody awaits.
    pub similar: Option<Name>,
}

/// A wait for another instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InstanceWait {
    /// What of it is awaited.
    pub of: OutcomeOf,
    /// Its id; of a call that waits for its next attempt, that of the attempt before.
    #[serde(serialize_with = "moment::as_text")]
    pub instance: InstanceId,
    /// The orchestrator's name, as far as the waiting instance knows it.
    pub name: Option<Name>,
    /// The attempt that is awaited; 1 is the first.
    pub attempt: u32,
    /// How many attempts there may be.
    pub attempts_max: u32,
    /// When the next attempt is due, if that is what is awaited.
    #[serde(serialize_with = "moment::as_time_if_any")]
    pub delayed_until: Option<SystemTime>,
    /// How the attempt before failed.
    pub last_error: Option<String>,
    /// Where it stands; `None` if it is not there.
    #[serde(serialize_with = "moment::as_word_if_any")]
    pub status: Option<Status>,
    /// Why it in turn waits.
    pub link: Link,
}

/// What of another instance is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum OutcomeOf {
    /// The outcome of a child.
    Child,
    /// The outcome of an instance that is no child.
    Detached,
    /// That it is started.
    Start,
}

/// Why an awaited instance in turn waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Link {
    /// For this.
    Explained(Box<Explanation>),
    /// For the one that was asked about, or for one between: they wait for one another, in a circle.
    Circle,
    /// Not looked at: it is too far down, one of too many, or not there.
    NotFollowed,
}

impl Awaited {
    /// Why the awaited instance in turn waits, if it is one and was looked at.
    pub fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Instance(InstanceWait {
                link: Link::Explained(explanation),
                ..
            }) => Some(explanation),
            _ => None,
        }
    }
}
