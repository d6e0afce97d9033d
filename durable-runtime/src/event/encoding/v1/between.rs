//! The records of [`event::between`](crate::event), both ways.

use bincode::{BorrowDecode, Encode};
use serde::{Deserialize, Serialize};

use super::Payload;
use crate::clock::Timestamp;
use crate::event;
use crate::id::{EventId, InstanceId, SiteId};

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct DetachedScheduled<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) instance: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) input: Payload<'a>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct DetachedStarted {
    pub(crate) scheduled: u32,
    pub(crate) at: u64,
    pub(crate) was_there: bool,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct DetachedAwaited<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) instance: &'a str,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct EventSent<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) instance: &'a str,
    pub(crate) name: &'a str,
    pub(crate) payload: Payload<'a>,
}

impl<'a> From<&'a event::DetachedScheduled> for DetachedScheduled<'a> {
    fn from(scheduled: &'a event::DetachedScheduled) -> Self {
        Self {
            id: scheduled.id.0,
            site: scheduled.site.0,
            instance: scheduled.instance.as_str(),
            name: &scheduled.name,
            version: scheduled.version.as_deref(),
            input: (&scheduled.input).into(),
        }
    }
}

impl From<DetachedScheduled<'_>> for event::DetachedScheduled {
    fn from(scheduled: DetachedScheduled<'_>) -> Self {
        Self {
            id: EventId(scheduled.id),
            site: SiteId(scheduled.site),
            instance: InstanceId::stored(scheduled.instance),
            name: scheduled.name.to_owned().into(),
            version: scheduled.version.map(str::to_owned),
            input: scheduled.input.into(),
        }
    }
}

impl From<&event::DetachedStarted> for DetachedStarted {
    fn from(started: &event::DetachedStarted) -> Self {
        Self {
            scheduled: started.scheduled.0,
            at: started.at.0,
            was_there: started.was_there,
        }
    }
}

impl From<DetachedStarted> for event::DetachedStarted {
    fn from(started: DetachedStarted) -> Self {
        Self {
            scheduled: EventId(started.scheduled),
            at: Timestamp(started.at),
            was_there: started.was_there,
        }
    }
}

impl<'a> From<&'a event::DetachedAwaited> for DetachedAwaited<'a> {
    fn from(awaited: &'a event::DetachedAwaited) -> Self {
        Self {
            id: awaited.id.0,
            site: awaited.site.0,
            instance: awaited.instance.as_str(),
        }
    }
}

impl From<DetachedAwaited<'_>> for event::DetachedAwaited {
    fn from(awaited: DetachedAwaited<'_>) -> Self {
        Self {
            id: EventId(awaited.id),
            site: SiteId(awaited.site),
            instance: InstanceId::stored(awaited.instance),
        }
    }
}

impl<'a> From<&'a event::EventSent> for EventSent<'a> {
    fn from(sent: &'a event::EventSent) -> Self {
        Self {
            id: sent.id.0,
            site: sent.site.0,
            instance: sent.instance.as_str(),
            name: &sent.name,
            payload: (&sent.payload).into(),
        }
    }
}

impl From<EventSent<'_>> for event::EventSent {
    fn from(sent: EventSent<'_>) -> Self {
        Self {
            id: EventId(sent.id),
            site: SiteId(sent.site),
            instance: InstanceId::stored(sent.instance),
            name: sent.name.to_owned().into(),
            payload: sent.payload.into(),
        }
    }
}
