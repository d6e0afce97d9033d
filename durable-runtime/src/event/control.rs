//! What is done to an instance from outside, whatever its code does: it is ended, held, or removed.
//!
//! None of these is delivered to the code. They are written by the committer, and stand between turns.

use crate::clock::Timestamp;
use crate::failure::{Failure, Fault, FaultKind, Outcome};

/// The end of an instance that did not end by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionTerminated {
    /// When.
    pub at: Timestamp,
    /// Why, as whoever ended it says.
    pub reason: String,
}

impl ExecutionTerminated {
    /// What whoever waits for the instance is told; `subject` is the orchestrator's name.
    pub(crate) fn outcome(&self, subject: &str) -> Outcome {
        let fault = Fault::new(FaultKind::Terminated, subject, &self.reason);
        Outcome::Failed(Failure::Fault(fault))
    }
}

/// No turn runs from here on; what arrives is recorded and waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSuspended {
    /// When.
    pub at: Timestamp,
    /// Why, as whoever suspended it says.
    pub reason: String,
}

/// Turns run again; the next one delivers all that has arrived meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionResumed {
    /// When.
    pub at: Timestamp,
    /// Why, as whoever resumed it says.
    pub reason: String,
}

/// The instance is no more: a tombstone that stands in the log until all of it is removed from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstancePurged {
    /// When.
    pub at: Timestamp,
}
