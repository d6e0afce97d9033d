//! The records of [`event::control`](crate::event), both ways.

use bincode::{BorrowDecode, Encode};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::event;

/// A moment and the words of whoever asked.
#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Control<'a> {
    pub(crate) at: u64,
    pub(crate) reason: &'a str,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct InstancePurged {
    pub(crate) at: u64,
}

impl<'a> Control<'a> {
    pub(super) fn new(at: Timestamp, reason: &'a str) -> Self {
        Self { at: at.0, reason }
    }
}

impl From<Control<'_>> for event::ExecutionTerminated {
    fn from(control: Control<'_>) -> Self {
        Self {
            at: Timestamp(control.at),
            reason: control.reason.to_owned(),
        }
    }
}

impl From<Control<'_>> for event::ExecutionSuspended {
    fn from(control: Control<'_>) -> Self {
        Self {
            at: Timestamp(control.at),
            reason: control.reason.to_owned(),
        }
    }
}

impl From<Control<'_>> for event::ExecutionResumed {
    fn from(control: Control<'_>) -> Self {
        Self {
            at: Timestamp(control.at),
            reason: control.reason.to_owned(),
        }
    }
}

impl From<&event::InstancePurged> for InstancePurged {
    fn from(purged: &event::InstancePurged) -> Self {
        Self { at: purged.at.0 }
    }
}

impl From<InstancePurged> for event::InstancePurged {
    fn from(purged: InstancePurged) -> Self {
        Self {
            at: Timestamp(purged.at),
        }
    }
}
