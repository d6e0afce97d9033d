//! Records as JSON, for saved histories: what version 1 writes, field by field, under the names that it has in `v1`.
//!
//! Our own names, not those of Durable Task: a history is replayed from it, so it holds all that is recorded, and some of
//! that has no counterpart there.
//!
//! Source: `docs/design.md`, "Saved histories".

use serde::Deserialize as _;
use serde_json::Value;

use super::v1;
use crate::event::HistoryEvent;

/// The record of an event.
///
/// # Errors
/// serde's; it refuses no type of ours.
pub(crate) fn to_json(event: &HistoryEvent) -> Result<Value, serde_json::Error> {
    serde_json::to_value(v1::Record::from(event))
}

/// The event of a record.
///
/// # Errors
/// serde's, if it is no record.
pub(crate) fn from_json(record: &Value) -> Result<HistoryEvent, serde_json::Error> {
    v1::Record::deserialize(record).map(HistoryEvent::from)
}
