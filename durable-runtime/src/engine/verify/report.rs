//! What verifying found, for programs and for people.

use std::fmt;

use crate::event::{Name, StallReason};
use crate::id::ExecutionId;

/// What [`Engine::verify`](crate::Engine::verify) found of the instances in flight.
///
/// Its `Display` is a report for people: the totals, a line for each orchestrator, then each instance that does not fit.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Verification {
    /// All of them, counted.
    pub totals: Totals,
    /// The same for each orchestrator and version, in order. A version that is not among them is not in use any more.
    pub orchestrators: Vec<Verified>,
    /// Those that do not fit, in the order in which they were created; the first 1,000. The totals count all.
    pub misfits: Vec<Misfit>,
}

/// How many instances fit, and how many do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The code asks for what is recorded, as far as that goes.
    pub fit: u64,
    /// The code asks for something else.
    pub diverge: u64,
    /// Their orchestrator, or an activity that they wait for, is not registered.
    pub unregistered: u64,
    /// What is recorded is damaged, or not what the code reads.
    pub unreadable: u64,
    /// They would stall for another reason: the code waits for what is not recorded, or a limit is passed.
    pub stall: u64,
}

/// The instances of one orchestrator.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verified {
    /// Its name.
    pub name: Name,
    /// The version that they have.
    pub version: Option<String>,
    /// How many of them fit.
    pub totals: Totals,
}

/// An instance that would stall in this build.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Misfit {
    /// Its id; if its own row is damaged, its number in the store.
    pub instance: String,
    /// The execution that was replayed.
    pub execution: ExecutionId,
    /// The name of its orchestrator; empty if its own row is damaged.
    pub name: Name,
    /// Its version.
    pub version: Option<String>,
    /// Why it would stall.
    pub reason: StallReason,
    /// Both sides, if the code asks for something else than what is recorded.
    pub disagreement: Option<Disagreement>,
    /// For people: what was expected and found, where, and the remedy.
    pub report: String,
}

/// Where a history and the code part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disagreement {
    /// The position of the recorded event in the history, or of the end of its turn.
    pub event: u32,
    /// What is recorded there; nothing if the turn holds nothing more.
    pub recorded: Option<Side>,
    /// What this build asks for; nothing if it asks for nothing more in this turn.
    pub requested: Option<Side>,
}

/// One side of a [`Disagreement`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Side {
    /// The command, in words.
    pub what: String,
    /// The line of the source that asked for it, in the build that did.
    pub place: Option<String>,
}

impl Verification {
    /// Whether all instances in flight fit this build.
    pub fn all_fit(&self) -> bool {
        self.totals.misfits() == 0
    }
}

impl Totals {
    /// How many there are.
    pub fn all(&self) -> u64 {
        self.fit.saturating_add(self.misfits())
    }

    /// How many of them do not fit.
    pub fn misfits(&self) -> u64 {
        let counts = [self.diverge, self.unregistered, self.unreadable, self.stall];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    pub(super) fn count(&mut self, misfit: Option<StallReason>) {
        let counter = match misfit {
            None => &mut self.fit,
            Some(StallReason::Divergence) => &mut self.diverge,
            Some(StallReason::Unregistered) => &mut self.unregistered,
            Some(
                StallReason::Undecodable | StallReason::Damaged | StallReason::UnknownSemantics,
            ) => &mut self.unreadable,
            Some(
                StallReason::ForeignFuture
                | StallReason::LimitExceeded
                | StallReason::Poisoned
                | StallReason::Endless
                | StallReason::NonDeterministic,
            ) => &mut self.stall,
        };
        *counter = counter.saturating_add(1);
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.totals.all();
        let plural = if all == 1 { "" } else { "s" };
        write!(f, "{all} instance{plural} in flight: {}", self.totals)?;
        for verified in &self.orchestrators {
            write!(f, "\n  {verified}")?;
        }
        for misfit in &self.misfits {
            write!(f, "\n{misfit}")?;
        }
        let told = u64::try_from(self.misfits.len()).unwrap_or(u64::MAX);
        match self.totals.misfits().saturating_sub(told) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more that do not fit"),
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fit", self.fit)?;
        for (count, what) in [
            (self.diverge, "would diverge"),
            (self.unregistered, "unregistered"),
            (self.unreadable, "unreadable"),
            (self.stall, "would stall otherwise"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        if let Some(version) = &self.version {
            write!(f, " version {version}")?;
        }
        write!(f, ": {}", self.totals)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance `{}`", self.instance)?;
        if !self.name.is_empty() {
            write!(f, " of `{}`", self.name)?;
        }
        if let Some(version) = &self.version {
            write!(f, " version {version}")?;
        }
        write!(f, ": {}", self.report)
    }
}
