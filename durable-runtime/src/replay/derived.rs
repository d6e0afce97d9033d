//! Time, identifiers and chance that a replay gives again, without a record.
//!
//! Source: `docs/design.md`, "Derived values".

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::event::ExecutionStarted;
use crate::id::EventId;

/// Durable Task's namespace for identifiers that an orchestrator makes.
const NAMESPACE: Uuid = Uuid::from_u128(0x9e95_2958_5e33_4daf_827f_2fa1_2937_b875);

/// The counter behind the derived values of one execution.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Derived {
    made: u64,
}

impl Derived {
    /// The next identifier.
    pub(super) fn uuid(&mut self, started: &ExecutionStarted, at: Timestamp) -> Uuid {
        Uuid::new_v5(&NAMESPACE, self.text(started, at).as_bytes())
    }

    /// The next number.
    pub(super) fn random(&mut self, started: &ExecutionStarted, at: Timestamp) -> u64 {
        let text = self.text(started, at) + "_random";
        xxhash_rust::xxh3::xxh3_64(text.as_bytes())
    }

    /// Chance that is the same whenever the same attempt of the same call is asked about; it needs no counter.
    pub(super) fn of_attempt(started: &ExecutionStarted, call: EventId, attempt: u32) -> u64 {
        let (instance, execution) = (&started.instance, started.execution);
        let text = format!("{instance}_{execution}_{call}_{attempt}_jitter");
        xxhash_rust::xxh3::xxh3_64(text.as_bytes())
    }

    /// The execution is part of the text: the first turn after a continue-as-new may have the time of the turn before,
    /// and the counter starts anew.
    fn text(&mut self, started: &ExecutionStarted, at: Timestamp) -> String {
        let number = self.made;
        self.made += 1;
        format!(
            "{}_{}_{}_{number}",
            started.instance, started.execution, at.0
        )
    }
}
