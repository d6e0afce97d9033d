//! Rewinding an instance that has failed.

use std::fmt;

use crate::client::Instance;
use crate::engine::Stopped;
use crate::engine::message::{Reply, Rewind, Rewound, Submission};
use crate::limits;
use crate::store::{Status, StoreError, chain};

impl Instance {
    /// Has an instance that has failed go on from before its failure, in the same execution.
    ///
    /// What had failed is asked for again, with the same key and the same number of the attempt; what has succeeded is not.
    /// How far it goes back:
    ///
    /// - If activities or children failed and the instance ended with that, they alone run again. Children that have failed are
    ///   rewound in the same way, with their own children.
    /// - If the code answered a failure with more work (a compensation), and what the instance ended with tells of that failure, it
    ///   goes back to before that work. What the work did is not undone: it has happened, and may happen again.
    /// - If the code ended by itself, with a panic or an `Err` of its own, the last turn runs again: mended code goes on from
    ///   there, the same code ends again.
    ///
    /// Timers that have fired and events that were taken are not waited for again. Side effects, detached starts and events sent
    /// in what is taken back were done, and are done again.
    ///
    /// # Durability
    /// Everything is in one commit, which is on disk when this resolves: an
    /// [`ExecutionRewound`](crate::HistoryEvent::ExecutionRewound), behind the end. The history keeps all that was before;
    /// [`event::effective`](crate::event::effective) tells what of it counts. The status is `Running` again, and whoever waits for
    /// the end goes on waiting.
    ///
    /// Children that the parent left when it failed are told to end a moment later. Who rewinds the parent while one of them still
    /// ends has it fail again with that one, and rewinds it again when it has ended.
    ///
    /// A parent that was told of the failure is not told otherwise, unless it is rewound itself: then it waits again for
    /// the children that failed it.
    ///
    /// # Cancel safety
    /// Nothing is asked before the first poll. Dropping the future after that leaves open whether it was rewound; the status
    /// tells.
    ///
    /// # Errors
    /// - [`RewindError::NotFailed`]: it runs, or has ended otherwise; so says a second rewind too.
    /// - [`RewindError::LongReason`], [`RewindError::TooLarge`]: nothing was recorded.
    /// - [`RewindError::NotFound`], [`RewindError::Store`]: the instance is not there, or what is recorded of it is damaged.
    /// - [`RewindError::Stopped`]: the engine has stopped; nothing was recorded.
    /// - [`RewindError::Unknown`]: the engine stopped before it could say.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// static OUT_OF_ORDER: AtomicBool = AtomicBool::new(true);
    ///
    /// #[activity]
    /// async fn print_label(order: u32) -> Result<String, String> {
    ///     if OUT_OF_ORDER.load(Ordering::Relaxed) {
    ///         return Err("no paper".to_owned());
    ///     }
    ///     Ok(format!("label {order}"))
    /// }
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> Result<String, String> {
    ///     print_label(order).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let order = engine.start(ship(7)).await?;
    /// assert_eq!(order.result().await?, Err("no paper".to_owned()));
    ///
    /// OUT_OF_ORDER.store(false, Ordering::Relaxed);
    /// order.rewind("there is paper again").await?;
    /// assert_eq!(order.result().await?, Ok("label 7".to_owned()));
    /// assert!(order.rewind("once more").await.is_err_and(|error| error.is_not_failed()));
    /// # Ok(()) }
    /// ```
    ///
    /// Source: SEMANTICS MGT-3.
    pub async fn rewind(&self, reason: impl Into<String>) -> Result<(), RewindError> {
        let reason = reason.into();
        if reason.len() > limits::REASON_BYTES_MAX {
            return Err(RewindError::LongReason {
                bytes: reason.len(),
                limit: limits::REASON_BYTES_MAX,
            });
        }
        let (reply, answer) = Reply::channel();
        let key = self.key;
        let rewind = Rewind { key, reason, reply };
        (self.hub.submit(Submission::Rewind(Box::new(rewind)))).map_err(RewindError::Stopped)?;
        let id = || self.id.to_string();
        match answer.await {
            Ok(Rewound::Done) => Ok(()),
            Ok(Rewound::NotFailed(status)) => Err(RewindError::NotFailed { id: id(), status }),
            Ok(Rewound::Unknown) => Err(RewindError::NotFound(id())),
            Ok(Rewound::TooLarge { bytes }) => Err(RewindError::TooLarge {
                id: id(),
                bytes,
                limit: limits::REWIND_BYTES_MAX,
            }),
            Ok(Rewound::Unreadable(error)) => Err(RewindError::Store(error)),
            Err(_) => Err(RewindError::Unknown(self.hub.reason())),
        }
    }
}

/// Why an instance was not rewound.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RewindError {
    /// Only what has failed can be rewound.
    #[error("instance `{id}` is {status}, and only one that has failed can be rewound")]
    NotFailed {
        /// The id.
        id: String,
        /// How it stands.
        status: Status,
    },
    /// The reason is recorded, and longer than one may be.
    #[error("the reason has {bytes} bytes, the limit is {limit}; give a shorter one")]
    LongReason {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// What would run again has too much input for one record.
    #[error(
        "the activities of instance `{id}` that would run again have {bytes} bytes of input, the limit is {limit}; start \
         it anew under another id"
    )]
    TooLarge {
        /// The id.
        id: String,
        /// The size of the inputs.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// The instance is not there.
    #[error("there is no instance `{0}`")]
    NotFound(String),
    /// What is recorded of the instance cannot be read; nothing was recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine has stopped, or its disk is full [for now](Stopped::is_temporary); nothing was recorded.
    #[error(transparent)]
    Stopped(Stopped),
    /// The engine stopped before it could say; the instance's status tells.
    #[error("whether the instance was rewound is unknown; look at its status")]
    Unknown(#[source] Stopped),
}

impl RewindError {
    /// Whether there is no failure to go back over: the instance runs, or has ended otherwise.
    pub fn is_not_failed(&self) -> bool {
        matches!(self, Self::NotFailed { .. })
    }
}

impl fmt::Debug for RewindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}
