//! What a program does to an instance, whatever its code does: it ends it, holds it, lets it go on, asks it to end.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use tokio::sync::oneshot;

use crate::client::error::ControlError;
use crate::client::instance::Instance;
use crate::engine::message::{
    Control, Controlled, Delivered, Incoming, Reach, Reply, Submission, Wish,
};
use crate::event::{CancelRequested, HistoryEvent};
use crate::limits;

/// An answer that is on its way.
pub(super) type Answer<T> = oneshot::Receiver<T>;

/// What became of a wish that may be true already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Applied {
    /// It has become true now.
    Now,
    /// It was true before; nothing was recorded.
    Before,
}

impl Instance {
    /// Ends the instance, whatever its code does: also one that waits to be mended, is suspended, has not begun, or whose turn
    /// does not end. The [`TerminateRequest`] says what is durable when it is awaited.
    ///
    /// It ends with the status [`Terminated`](crate::Status::Terminated) and with a fault of kind
    /// [`Terminated`](crate::FaultKind::Terminated), whose message is the reason. That is what its parent is told at the await
    /// of the call, what whoever waits for its outcome is told, and what [`Handle::result`](crate::Handle::result) gives.
    ///
    /// Its code is not asked, and cannot clean up: for that, see [`cancel`](Self::cancel).
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    /// use durable_runtime::Status;
    ///
    /// #[orchestrator]
    /// async fn delivery() {
    ///     sleep(days(30)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let delivery = engine.start(delivery()).await?;
    /// delivery.terminate("the shop is closed").await?;
    /// assert_eq!(delivery.status().await?, Status::Terminated);
    /// let fault = delivery.result().await.unwrap_err().fault().cloned();
    /// assert_eq!(fault.unwrap().to_string(), "`delivery` was terminated: the shop is closed");
    ///
    /// // It can end only once, and the error says how it did.
    /// let again = delivery.terminate("really").await.unwrap_err();
    /// assert_eq!(again.ended(), Some(Status::Terminated));
    /// # Ok(()) }
    /// ```
    pub fn terminate(&self, reason: impl Into<String>) -> TerminateRequest {
        TerminateRequest {
            instance: self.clone(),
            reason: reason.into(),
            reach: Reach::Alone,
        }
    }

    /// Holds the instance: no turn of it runs until it is [resumed](Self::resume). What reaches it meanwhile (events, outcomes,
    /// fired timers, a request to [cancel](Self::cancel) it) is recorded and waits. Activities that it has asked for run on.
    /// Its children are not held.
    ///
    /// # Durability
    /// When this resolves with `Ok` it is on disk, and no later turn is, until the instance is resumed. A turn that ran at that
    /// moment is lost, and runs again then.
    ///
    /// # Cancel safety
    /// Nothing is asked before the first poll. Dropping the future after that leaves open whether the instance was suspended.
    ///
    /// # Errors
    /// [`ControlError`]; suspending one that is suspended is none: that is `Ok(Applied::Before)`.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    /// use durable_runtime::{Applied, Status};
    ///
    /// static PAID: Event<u32> = Event::new("paid");
    ///
    /// #[orchestrator]
    /// async fn order() -> u32 {
    ///     PAID.wait().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let order = engine.start(order()).await?;
    /// assert_eq!(order.suspend("the ledger is being mended").await?, Applied::Now);
    /// order.raise(&PAID, 42).await?;
    /// engine.settle().await;
    /// assert_eq!(order.status().await?, Status::Suspended);
    ///
    /// order.resume("mended").await?;
    /// assert_eq!(order.result().await?, 42);
    /// # Ok(()) }
    /// ```
    pub async fn suspend(&self, reason: impl Into<String> + Send) -> Result<Applied, ControlError> {
        let reason = within_limit(reason.into())?;
        applied(self, self.control(Wish::Suspend, reason).await?)
    }

    /// Lets a [suspended](Self::suspend) instance go on: one turn delivers all that has reached it, in the order in which it was
    /// recorded.
    ///
    /// # Durability
    /// When this resolves with `Ok` it is on disk; the turn follows.
    ///
    /// # Cancel safety
    /// Nothing is asked before the first poll. Dropping the future after that leaves open whether the instance was resumed.
    ///
    /// # Errors
    /// [`ControlError`]; resuming one that is not suspended is none: that is `Ok(Applied::Before)`.
    pub async fn resume(&self, reason: impl Into<String> + Send) -> Result<Applied, ControlError> {
        let reason = within_limit(reason.into())?;
        applied(self, self.control(Wish::Resume, reason).await?)
    }

    /// Asks the instance to end. Code that holds a [`cancellation`](crate::orchestration::cancellation()) hears of it there, and
    /// decides what to do; other code ends at once, with a fault of kind [`Cancelled`](crate::FaultKind::Cancelled), and what
    /// it waits for is cancelled too, children included. A second request changes nothing.
    ///
    /// # Durability
    /// When this resolves with `Ok` the request is on disk.
    ///
    /// # Cancel safety
    /// Nothing is asked before the first poll. Dropping the future after that leaves open whether the request was recorded.
    ///
    /// # Errors
    /// [`ControlError`].
    pub async fn cancel(&self, reason: impl Into<String> + Send) -> Result<(), ControlError> {
        let reason = within_limit(reason.into())?;
        let answer = self.request_cancel(reason)?;
        self.cancelled(answer).await
    }

    /// Sends the request to cancel it on its way.
    pub(super) fn request_cancel(&self, reason: String) -> Result<Answer<Delivered>, ControlError> {
        let (reply, answer) = Reply::channel();
        let at = self.hub.clock.now();
        let arrival = Incoming::Arrival {
            event: HistoryEvent::CancelRequested(CancelRequested { at, reason }),
            execution: None,
            reply: Some(reply),
        };
        self.hub.deliver(self.key, arrival)?;
        Ok(answer)
    }

    /// What became of a request to cancel it.
    pub(super) async fn cancelled(&self, answer: Answer<Delivered>) -> Result<(), ControlError> {
        match answer.await {
            Ok(Delivered::Recorded) => Ok(()),
            Ok(Delivered::Ended) => Err(self.how_it_ended()),
            Ok(Delivered::Unknown) => Err(ControlError::NotFound(self.id().to_string())),
            Ok(Delivered::Unreadable(report)) => Err(self.damaged(report)),
            // Only what is raised is turned away for want of room.
            Ok(Delivered::Busy(_)) | Err(_) => Err(ControlError::Unknown(self.hub.reason())),
        }
    }

    async fn control(&self, wish: Wish, reason: String) -> Result<Controlled, ControlError> {
        let (control, answer) = self.wish(wish, reason);
        self.hub.submit(control)?;
        let unknown = |_| ControlError::Unknown(self.hub.reason());
        answer.await.map_err(unknown)
    }

    /// A wish that is not submitted yet, and its answer.
    pub(super) fn wish(&self, wish: Wish, reason: String) -> (Submission, Answer<Controlled>) {
        let (reply, answer) = Reply::channel();
        let control = Control {
            key: self.key,
            wish,
            reason,
            reply,
        };
        (Submission::Control(Box::new(control)), answer)
    }

    fn how_it_ended(&self) -> ControlError {
        let id = self.id().to_string();
        match self.hub.reviver.reader.shared_summary(self.key) {
            Ok(Some(summary)) => ControlError::Ended {
                id,
                status: summary.status,
            },
            Ok(None) => ControlError::NotFound(id),
            Err(error) => self.damaged(crate::store::chain(&error)),
        }
    }

    fn damaged(&self, report: String) -> ControlError {
        let id = self.id().to_string();
        ControlError::Damaged { id, report }
    }
}

/// What became of a wish that is true at once or was before.
pub(super) fn applied(
    instance: &Instance,
    controlled: Controlled,
) -> Result<Applied, ControlError> {
    let id = || instance.id().to_string();
    match controlled {
        Controlled::Recorded => Ok(Applied::Now),
        Controlled::Already => Ok(Applied::Before),
        Controlled::Ended(status) => Err(ControlError::Ended { id: id(), status }),
        Controlled::Unknown => Err(ControlError::NotFound(id())),
        Controlled::Unreadable(report) => Err(instance.damaged(report)),
    }
}

/// A reason that the store will take.
pub(super) fn within_limit(reason: String) -> Result<String, ControlError> {
    let (bytes, limit) = (reason.len(), limits::REASON_BYTES_MAX);
    if bytes > limit {
        return Err(ControlError::LongReason { bytes, limit });
    }
    Ok(reason)
}

/// A termination that is still to be asked for: `.await` does.
///
/// # Durability
/// When this resolves with `Ok` the end is on disk. From then on nothing more is recorded of the instance: a turn that runs at
/// that moment loses its commit, and what it asked for never happens. No activity of it starts; those that run are
/// [told](crate::activity::cancelled), and what they return is dropped. Its timers are disarmed, and events on their way to it
/// are dropped.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open whether the instance was terminated.
///
/// # Errors
/// - [`ControlError::Ended`]: it has ended already, and how. An end of its own that was recorded first wins.
/// - [`ControlError::Unknown`]: the engine stopped before it could say. Asking again is safe.
/// - else as [`ControlError`] says; nothing was recorded.
#[must_use = "nothing is terminated until this is `.await`ed"]
pub struct TerminateRequest {
    instance: Instance,
    reason: String,
    reach: Reach,
}

impl TerminateRequest {
    /// Terminates the children that the instance waits for as well, theirs, and so on, in the same commit. Without this they
    /// go on, and nobody waits for them any more. Instances that were started with
    /// [`start`](crate::orchestration::start()) are no children, and a child whose call was dropped has been cancelled already.
    pub fn recursive(mut self) -> Self {
        self.reach = Reach::Tree;
        self
    }

    async fn send(self) -> Result<(), ControlError> {
        let reason = within_limit(self.reason)?;
        let wish = Wish::Terminate(self.reach);
        let controlled = self.instance.control(wish, reason).await?;
        applied(&self.instance, controlled).map(|_| ())
    }
}

impl IntoFuture for TerminateRequest {
    type Output = Result<(), ControlError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for TerminateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "termination of {:?}", self.instance)
    }
}
