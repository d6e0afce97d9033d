//! Bodies that are not `async`: where they run, and how they find their attempt there.

use std::future::pending;
use std::panic::resume_unwind;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Span;

use super::{RUNNING, Running};

/// Runs a body that is not `async` on tokio's blocking pool, where the functions of this module work as in any other.
///
/// Without a runtime, as under another executor, it runs right here. Dropping the future leaves a body alone that has begun,
/// and keeps one from running that has not.
#[doc(hidden)]
pub async fn blocking<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else {
        return body();
    };
    let (running, span) = (RUNNING.try_with(Running::clone).ok(), Span::current());
    let mut task = Unstarted(runtime.spawn_blocking(move || {
        // It may have waited long for a thread.
        if (running.as_ref()).is_some_and(|running| running.cancellation.is_cancelled()) {
            // What it comes to counts for nothing.
            resume_unwind(Box::new("nobody waits for it any more"));
        }
        span.in_scope(|| match running {
            Some(running) => RUNNING.sync_scope(running, body),
            None => body(),
        })
    }));
    match (&mut task.0).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends before the body has begun; an engine runs it again when the store is opened again.
            Err(_) => pending().await,
        },
    }
}

/// A body that does not run once nobody waits for it, unless it has begun.
struct Unstarted<T>(JoinHandle<T>);

impl<T> Drop for Unstarted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
