//! Why a turn cannot be run, told to the people who can mend it.

use super::divergence::Divergence;
use crate::event::{Name, StallReason};
use crate::id::{InstanceId, SourceSite};
use crate::payload::DecodeError;

mod foreign;
mod twin;

/// A turn that cannot be run; nothing recorded is lost, and the instance goes on once the cause is mended.
#[derive(Debug)]
pub(crate) struct Stall {
    /// What kind of trouble it is.
    pub(crate) reason: StallReason,
    /// Both sides, if history and code disagree; the place of the recorded one is known to the store only.
    pub(crate) divergence: Option<Box<Divergence>>,
    /// For people: what was expected and found, where, and the remedy.
    pub(crate) report: String,
}

impl Stall {
    fn new(reason: StallReason, report: String) -> Self {
        Self {
            reason,
            divergence: None,
            report,
        }
    }

    /// History and code disagree.
    pub(super) fn divergence(divergence: Divergence) -> Self {
        Self {
            reason: StallReason::Divergence,
            report: divergence.render(None, None),
            divergence: Some(Box::new(divergence)),
        }
    }

    /// What is recorded asks for code that is not registered.
    pub(crate) fn unregistered(report: String) -> Self {
        Self::new(StallReason::Unregistered, report)
    }

    /// The input of the orchestrator cannot be read.
    pub(super) fn input(name: &Name, error: &DecodeError) -> Self {
        Self::new(
            StallReason::Undecodable,
            format!(
                "the input of `{name}` cannot be read: {error}; let its type read what older builds wrote, or register \
                 the change as a new version"
            ),
        )
    }

    /// The code that reads the input of the orchestrator panicked.
    pub(super) fn input_panic(name: &Name, message: &str) -> Self {
        Self::new(
            StallReason::Undecodable,
            format!("the input of `{name}` cannot be read: its `Deserialize` panicked: {message}"),
        )
    }

    /// A recorded value is not what the code at `site` reads.
    pub(crate) fn value(what: &str, site: SourceSite, error: &DecodeError) -> Self {
        Self::new(
            StallReason::Undecodable,
            format!(
                "{what}, awaited at {site}, cannot be read: {error}; let its type read what was recorded, or register \
                 the change as a new version"
            ),
        )
    }

    /// Nothing in this program reads outcomes of this type.
    pub(crate) fn no_reader(type_name: &str, instance: &InstanceId, site: SourceSite) -> Self {
        Self::new(
            StallReason::Unregistered,
            format!(
                "the outcome of instance `{instance}`, awaited at {site}, is to be a `{type_name}`, and no orchestrator of \
                 this program returns that; give the handle the type that the instance's orchestrator returns, and link \
                 that orchestrator in"
            ),
        )
    }

    /// The records are not in an order in which this runtime writes them.
    pub(super) fn disorder(found: &str) -> Self {
        Self::new(
            StallReason::Undecodable,
            format!("the history is out of order: {found}"),
        )
    }

    /// The history was recorded under other rules.
    pub(super) fn semantics(found: u16, known: u16) -> Self {
        Self::new(
            StallReason::UnknownSemantics,
            format!(
                "the history was recorded under replay rules {found}, this build knows rules {known}; run it with the \
                 runtime version that wrote it, or a later one"
            ),
        )
    }

    /// One turn asked for more than it may.
    pub(super) fn turn_limit(found: &str, limit: &str) -> Self {
        Self::new(
            StallReason::LimitExceeded,
            format!(
                "one turn asked for {found}, the limit is {limit}; is there a loop that never waits? Large work is cut \
                 into children"
            ),
        )
    }

    /// The history grew beyond its limit of events.
    pub(super) fn history_events(events: u32, limit: u32) -> Self {
        Self::new(
            StallReason::LimitExceeded,
            format!(
                "the history would grow to {events} events, the limit is {limit} events; long loops go on with \
                 `continue_as_new`"
            ),
        )
    }

    /// The history grew beyond its limit of bytes.
    pub(super) fn history_bytes(bytes: u64, limit: u64) -> Self {
        Self::new(
            StallReason::LimitExceeded,
            format!(
                "the history would grow to {bytes} bytes, the limit is {limit} bytes; long loops go on with \
                 `continue_as_new`, and what is large is better kept elsewhere, with its address in the history"
            ),
        )
    }
}
