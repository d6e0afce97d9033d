//! Why is it waiting? What an instance awaits, at which line, since when, and who is to deliver it.
//!
//! [`Instance::explain`](crate::Instance::explain) asks. The answer is data, and [displayed](std::fmt::Display) it is a page for
//! people. Most of it is a pure function of the recorded history (`reason`), so it can be told of any instance, whether it
//! is in memory or not. Two things the history does not hold: which external events the code awaits, which only a replay can tell
//! (`look`), and where an activity is at this moment, which the engine knows.
//!
//! Source: `docs/design.md`, "Why is it waiting?".

use std::time::SystemTime;

use serde::Serialize;

use crate::event::{Name, StallReason};
use crate::id::{ExecutionId, InstanceId};
use crate::store::Status;

mod held_up;
mod hint;
mod look;
mod moment;
mod open;
mod page;
mod reason;
mod wait;

#[cfg(test)]
mod tests;

pub(crate) use self::look::look;
pub use self::wait::{
    ActivityWait, Awaited, Delivery, EventWait, Heartbeat, InstanceWait, Link, OutcomeOf,
    Suspected, TimerUse, TimerWait, Wait,
};

/// Why an instance waits, as of one moment.
///
/// Displayed, it is a page for people: what is awaited and by whom it is to be delivered, with the reasons of the children that
/// it waits for beneath them.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// static APPROVAL: Event<bool> = Event::new("approval");
/// static MISSPELT: Event<bool> = Event::new("aproval");
///
/// #[orchestrator]
/// async fn order() -> bool {
///     APPROVAL.wait().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let order = engine.start(order()).id("order-42").await?;
/// order.raise(&MISSPELT, true).await?;
/// let why = order.explain().await?;
/// assert_eq!(why.waits.len(), 1);
/// let page = why.to_string();
/// assert!(page.contains("event `approval`"), "{page}");
/// assert!(page.contains("`aproval` is buffered; is that what was meant?"), "{page}");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Whose it is.
    #[serde(serialize_with = "moment::as_text")]
    pub instance: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// The execution that runs, or ran last.
    #[serde(serialize_with = "moment::as_text")]
    pub execution: ExecutionId,
    /// Where the instance stands.
    #[serde(serialize_with = "moment::as_word")]
    pub status: Status,
    /// The moment at which this was true.
    #[serde(serialize_with = "moment::as_time")]
    pub at: SystemTime,
    /// When the last thing was recorded of it.
    #[serde(serialize_with = "moment::as_time")]
    pub updated_at: SystemTime,
    /// In short, why it does not go on.
    pub standing: Standing,
    /// How far its next turn is, if something calls for one.
    pub turn: NextTurn,
    /// What it awaits: external events, then commands without an outcome in the order in which the code asked. At most 1,000
    /// commands.
    pub waits: Vec<Wait>,
    /// How many more it awaits.
    pub more: usize,
    /// External events that are there and that nobody has taken.
    pub buffered: Vec<Buffered>,
    /// External events that other instances sent, for which its inbox has no room: they wait where they are on disk.
    pub without_room: Vec<Buffered>,
    /// Arrivals that are recorded and that no turn has delivered yet.
    pub undelivered: usize,
    /// What is held against its turns, if the process died with one of them under way.
    pub suspected: Option<Suspected>,
    /// What is worth a look, for people.
    pub hints: Vec<String>,
}

/// In short, why an instance does not go on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Standing {
    /// It waits for its first turn.
    NotBegun {
        /// Not before this moment, if it was started for later.
        #[serde(serialize_with = "moment::as_time_if_any")]
        start_at: Option<SystemTime>,
    },
    /// Somebody holds it until it is resumed.
    Suspended {
        /// Since when.
        #[serde(serialize_with = "moment::as_time")]
        since: SystemTime,
        /// What whoever suspended it said.
        reason: String,
    },
    /// It waits for what its code awaits.
    Waits,
    /// It waits to be mended.
    Stalled {
        /// The cause, for programs.
        #[serde(serialize_with = "moment::as_word")]
        reason: StallReason,
        /// What was expected and what was found, as recorded.
        report: String,
        /// What helps.
        remedy: &'static str,
    },
    /// What is recorded of it cannot be read.
    Unreadable {
        /// What is damaged, and how.
        report: String,
    },
    /// It has ended, and waits for nothing.
    Ended {
        /// When.
        #[serde(serialize_with = "moment::as_time")]
        at: SystemTime,
        /// How it failed; `None` if it did not.
        failure: Option<String>,
    },
}

/// How far the next turn of an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum NextTurn {
    /// Nothing calls for one.
    None,
    /// It waits for its thread.
    Due,
    /// It is held back: the engine finds out what the process died of, and runs that alone.
    HeldBack,
    /// It runs, or the instance is being brought back by replay.
    Running,
    /// It has run, and is on its way to the disk.
    Committing,
}

/// Events of one name that nobody has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Buffered {
    /// The name, as the oldest of them was raised.
    pub name: Name,
    /// How many there are.
    pub count: usize,
    /// When the oldest of them came.
    #[serde(serialize_with = "moment::as_time")]
    pub oldest: SystemTime,
}

impl Explanation {
    /// What it waits for in the end: of each awaited instance, that is what this instance itself waits for. Each with the id of the
    /// instance that awaits it.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::explain::Awaited;
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn sleeper() {
    ///     sleep(days(1)).await;
    /// }
    ///
    /// #[orchestrator]
    /// async fn parent() {
    ///     sleeper().id("child-1").await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let parent = engine.start(parent()).await?;
    /// engine.settle().await;
    /// let why = parent.explain().await?;
    /// let leaves = why.leaves();
    /// let [(child, wait)] = &leaves[..] else { panic!("{why}") };
    /// assert_eq!(child.as_str(), "child-1");
    /// assert!(matches!(wait.awaited, Awaited::Timer(_)), "{why}");
    /// # Ok(()) }
    /// ```
    pub fn leaves(&self) -> Vec<(&InstanceId, &Wait)> {
        let mut leaves = Vec::new();
        for wait in &self.waits {
            match wait.awaited.explanation() {
                Some(explanation) if !explanation.waits.is_empty() => {
                    leaves.extend(explanation.leaves());
                }
                _ => leaves.push((&self.instance, wait)),
            }
        }
        leaves
    }
}
