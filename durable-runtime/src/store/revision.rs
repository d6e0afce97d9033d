//! How much of an instance is recorded.

use std::fmt;

use crate::id::ExecutionId;

/// A number for what is recorded of one instance: it rises with everything that is, over restarts and continue-as-new.
///
/// Of two looks at an instance the one with the greater revision is the later one; equal revisions saw the same. It says
/// nothing about two instances. As a number it can leave the program, as an `ETag` may, and come back.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::Revision;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn nap() {
///     sleep(hours(1)).await;
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let nap = engine.start(nap()).await?;
/// let begun: Revision = nap.wait_started().await?.revision();
/// let ended = nap.wait().await?.revision();
/// assert!(ended > begun);
/// assert_eq!(Revision::from(u64::from(begun)), begun);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// That of an instance with so many events in this execution.
    pub(crate) fn new(execution: ExecutionId, events: u32) -> Self {
        Self(u64::from(execution.0) << 32 | u64::from(events))
    }
}

impl From<Revision> for u64 {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl From<u64> for Revision {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// The execution, and how many events it has.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 >> 32, self.0 & u64::from(u32::MAX))
    }
}
