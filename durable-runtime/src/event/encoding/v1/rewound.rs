//! The record of a rewind, both ways.

use bincode::{BorrowDecode, Encode};
use serde::{Deserialize, Serialize};

use super::{ActivityScheduled, ActivityWatched, Payload};
use crate::clock::Timestamp;
use crate::event;
use crate::id::{EventId, InstanceId};

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ExecutionRewound<'a> {
    pub(crate) at: u64,
    pub(crate) reason: &'a str,
    /// First and last position.
    pub(crate) void: Vec<(u32, u32)>,
    pub(crate) next: u32,
    pub(crate) undelivered: u32,
    pub(crate) activities: Vec<ActivityWatched<'a>>,
    pub(crate) timers: Vec<(u32, u64)>,
    pub(crate) children: Vec<(u32, &'a str)>,
    pub(crate) awaited: Vec<(u32, &'a str)>,
    pub(crate) status: Option<Payload<'a>>,
    pub(crate) is_alone: bool,
}

impl<'a> From<&'a event::ExecutionRewound> for ExecutionRewound<'a> {
    fn from(rewound: &'a event::ExecutionRewound) -> Self {
        Self {
            at: rewound.at.0,
            reason: &rewound.reason,
            void: (rewound.void.iter())
                .map(|void| (void.first, void.last))
                .collect(),
            next: rewound.next.0,
            undelivered: rewound.undelivered,
            activities: rewound.activities.iter().map(watched).collect(),
            timers: (rewound.timers.iter())
                .map(|(id, due)| (id.0, due.0))
                .collect(),
            children: texts(&rewound.children),
            awaited: texts(&rewound.awaited),
            status: rewound.status.as_ref().map(Into::into),
            is_alone: rewound.is_alone,
        }
    }
}

impl From<ExecutionRewound<'_>> for event::ExecutionRewound {
    fn from(record: ExecutionRewound<'_>) -> Self {
        let voided = |(first, last)| event::Voided { first, last };
        Self {
            at: Timestamp(record.at),
            reason: record.reason.to_owned(),
            void: record.void.into_iter().map(voided).collect(),
            next: EventId(record.next),
            undelivered: record.undelivered,
            activities: record.activities.into_iter().map(scheduled).collect(),
            timers: (record.timers.into_iter())
                .map(|(id, due)| (EventId(id), Timestamp(due)))
                .collect(),
            children: ids(record.children),
            awaited: ids(record.awaited),
            status: record.status.map(Into::into),
            is_alone: record.is_alone,
        }
    }
}

fn watched(scheduled: &event::ActivityScheduled) -> ActivityWatched<'_> {
    super::watched(scheduled).unwrap_or_else(|| ActivityWatched {
        scheduled: ActivityScheduled::from(scheduled),
        heartbeat_timeout: None,
        last_heartbeat: None,
    })
}

fn scheduled(watched: ActivityWatched<'_>) -> event::ActivityScheduled {
    if watched.heartbeat_timeout.is_none() && watched.last_heartbeat.is_none() {
        return watched.scheduled.into();
    }
    watched.into()
}

fn texts(instances: &[(EventId, InstanceId)]) -> Vec<(u32, &str)> {
    let instances = instances.iter();
    instances.map(|(id, of)| (id.0, of.as_str())).collect()
}

fn ids(instances: Vec<(u32, &str)>) -> Vec<(EventId, InstanceId)> {
    let instances = instances.into_iter();
    instances
        .map(|(id, of)| (EventId(id), InstanceId::stored(of)))
        .collect()
}
