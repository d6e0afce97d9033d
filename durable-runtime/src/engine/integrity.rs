//! The check of a large file beside the running engine: what it finds is logged, and stalls whom it concerns.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::hub::{Hub, Stopped};
use crate::engine::message::Incoming;
use crate::event::StallReason;
use crate::limits;
use crate::store::{Damage, Integrity, StoreError, chain, panic_text};

/// Checks the file to its end, or until the engine stops; says whether it came to its end. A file in which the database
/// itself loses its way stops the engine.
pub(crate) fn check(hub: &Hub, mut integrity: Integrity) -> bool {
    // Where its pages are damaged the database may panic, and it would do so in every thread that comes by.
    let why = loop {
        match catch_unwind(AssertUnwindSafe(|| run(hub, integrity))) {
            Ok(Ok(is_through)) => return is_through,
            // The disk is full, and the file is being opened again: then that is checked, from its beginning.
            Ok(Err(StoreError::Closed)) if hub.rest(limits::CHECK_AGAIN) => {
                integrity = hub.reviver.reader.integrity();
            }
            Ok(Err(StoreError::Closed)) => return false,
            Ok(Err(error)) => break chain(&error),
            Err(panic) => {
                break format!("reading it panicked: {}", panic_text(panic.as_ref()));
            }
        }
    };
    let why = format!("the event log is damaged, found while it was checked: {why}");
    tracing::error!("the engine stops: {why}; bring the store back from a backup");
    hub.stop(Stopped::because(why));
    false
}

/// One check from the beginning; false if the engine stops meanwhile.
fn run(hub: &Hub, mut integrity: Integrity) -> Result<bool, StoreError> {
    let mut damaged = 0_usize;
    while let Some(found) = integrity.next_slice()? {
        damaged = damaged.saturating_add(found.len());
        for damage in found {
            tell(hub, damage)?;
        }
        if !hub.rest(limits::CHECK_REST) {
            return Ok(false);
        }
    }
    let (rows, counted) = (integrity.rows(), integrity.has_counted());
    if damaged == 0 {
        tracing::info!(
            rows,
            counted,
            "the event log was checked; nothing in it is damaged"
        );
    } else {
        tracing::error!(rows, damaged, "the event log was checked and is damaged");
    }
    Ok(true)
}

/// Logs damage, and stalls the instance if it cannot go on with it.
fn tell(hub: &Hub, damage: Damage) -> Result<(), StoreError> {
    let Damage {
        key,
        execution,
        error,
    } = damage;
    let report = chain(&error);
    let summary = match hub.reviver.reader.shared_summary(key) {
        Ok(summary) => summary,
        Err(error) if error.is_of_one_instance() => None,
        Err(error) => return Err(error),
    };
    let Some(summary) = summary else {
        tracing::error!(key = key.0, "{report}");
        return Ok(());
    };
    tracing::error!(instance = %summary.id, "{report}");
    if execution == Some(summary.execution) && !summary.has_ended() {
        let stall = Incoming::Stall {
            execution: summary.execution,
            reason: StallReason::Damaged,
            report,
        };
        // A stopping engine drops it: what is damaged is found again.
        drop(hub.deliver(key, stall));
    }
    Ok(())
}
