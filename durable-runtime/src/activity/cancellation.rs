//! How an activity hears that its result is not wanted any more.

use tokio::sync::watch;

/// Tells whether the result of an attempt is still wanted; made by [`cancellation`](super::cancellation()).
///
/// Clone it, hand it to threads, tasks and blocking code that the attempt has begun: unlike the functions of this module it
/// works everywhere, and it outlives the attempt.
///
/// # When it is told
/// As soon as the attempt's outcome can no longer count:
/// - its call was dropped: it lost a `select!`, or ran into the deadline of `.timeout(..)`;
/// - its instance has ended, was cancelled, or has continued as new;
/// - the attempt ran into its `attempt_timeout`, or went without a heartbeat for its `heartbeat_timeout`;
/// - the engine stops, and the time that a shutdown gives to running activities is over.
///
/// The first two are told once they are on disk. A shutdown that has just begun is not told, nor the end of an attempt that
/// returned.
///
/// # What then becomes of the attempt
/// Whatever it returns is dropped unrecorded. An attempt whose call was dropped runs on, and keeps its place under the limits
/// until it returns; one that was timed out, or runs when the engine stops, is aborted at its next await, except for a
/// body that is not `async`, which nothing can stop: it should look here from time to time.
///
/// # Examples
///
/// ```
/// use durable_runtime::activity;
///
/// #[activity]
/// fn count(path: String) -> u64 {
///     let cancelled = activity::cancellation();
///     let walker = std::thread::spawn(move || {
///         let mut files = 0;
///         while !cancelled.is_cancelled() && files < 1_000 {
///             files += 1;
///         }
///         files
///     });
///     walker.join().unwrap_or(0) + path.len() as u64
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Cancellation(watch::Receiver<bool>);

impl Cancellation {
    /// A token, and what tells it.
    pub(crate) fn channel() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        (Canceller(sender), Self(receiver))
    }

    /// Whether the result is not wanted any more; once true, always true.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the result is not wanted any more; at once, if it is not wanted already.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|is_told| *is_told).await.is_err() {
            // The attempt has ended, or there never was an engine: nobody is left to tell.
            std::future::pending::<()>().await;
        }
    }
}

/// What tells a [`Cancellation`].
#[derive(Debug)]
pub(crate) struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// Tells all its tokens, once and for all.
    pub(crate) fn cancel(&self) {
        self.0.send_replace(true);
    }

    #[cfg(test)]
    pub(crate) fn is_told(&self) -> bool {
        *self.0.borrow()
    }
}
