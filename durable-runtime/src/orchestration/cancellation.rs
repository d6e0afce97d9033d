//! How orchestrator code hears that it is asked to end, and what it does then.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::durable::Durable;
use crate::replay::CancelHold;

/// Has the running orchestration told of a request to cancel it, instead of being ended by it.
///
/// A request comes from a program ([`Instance::cancel`](crate::Instance::cancel)), or from a parent that has dropped the call of
/// this child. Without this it ends the code where it waits, with a fault of kind [`Cancelled`](crate::FaultKind::Cancelled), and
/// cancels all that it waits for. While the value that this returns lives, the code goes on, and decides: it looks
/// ([`is_requested`](Cancellation::is_requested)) or waits ([`requested`](Cancellation::requested)), undoes what it has done with
/// activities, and returns what it likes.
///
/// A request is never lost: if none of the values has told of it by the time the last one is dropped, it ends the code at its
/// next wait. Nor does it hold up a continue-as-new: the next execution hears of it.
///
/// # Replay
/// Nothing of this is recorded. The request is, as `CancelRequested`, and a replay is told of it at the same point.
///
/// # Panics
/// Outside an orchestrator; an activity asks [`activity::cancellation`](crate::activity::cancellation()).
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn book(seat: u32) -> u32 {
///     seat
/// }
///
/// #[activity]
/// async fn give_back(seat: u32) {
///     assert_eq!(seat, 12);
/// }
///
/// static PAID: Event<()> = Event::new("paid");
///
/// #[orchestrator]
/// async fn reserve(seat: u32) -> String {
///     let cancel = cancellation();
///     let seat = book(seat).await;
///     select! {
///         () = PAID.wait() => format!("seat {seat} is paid"),
///         reason = cancel.requested() => {
///             give_back(seat).await;
///             format!("seat {seat} is free again: {reason}")
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let reserved = engine.start(reserve(12)).await?;
/// engine.settle().await;
/// reserved.cancel("the guest is ill").await?;
/// assert_eq!(reserved.result().await?, "seat 12 is free again: the guest is ill");
/// # Ok(()) }
/// ```
///
/// Source: `docs/design.md`, "Cancellation".
pub fn cancellation() -> Cancellation {
    Cancellation(CancelHold::new())
}

/// Tells whether the orchestration is asked to end; made by [`cancellation`].
///
/// While it lives, a request does not end the code.
#[derive(Debug)]
#[must_use = "a request ends the code as soon as this is dropped"]
pub struct Cancellation(CancelHold);

impl Cancellation {
    /// Whether the orchestration is asked to end; once true, always true. From then on that is the code's to handle.
    pub fn is_requested(&self) -> bool {
        self.0.is_requested()
    }

    /// Waits until the orchestration is asked to end, and gives the reason; at once, if it is asked already.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing; ask again. While it lives, it stands for the value that made it, too.
    ///
    /// # Panics
    /// When made or polled outside an orchestrator.
    pub fn requested(&self) -> CancelRequest {
        CancelRequest(self.0.waiter())
    }
}

/// The future of [`Cancellation::requested`].
#[must_use = "a wait begins when it is awaited"]
pub struct CancelRequest(CancelHold);

#[diagnostic::do_not_recommend]
impl Durable for CancelRequest {}

impl Future for CancelRequest {
    type Output = String;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<String> {
        self.0.poll()
    }
}

impl fmt::Debug for CancelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wait for a request to end")
    }
}
