//! The body of an orchestrator as a future that is polled under guard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::definition::OrchestratorFuture;
use crate::failure::Outcome;
use crate::panics::caught;

/// The code of an orchestrator, suspended at its awaits.
pub(super) struct Root {
    future: OrchestratorFuture,
    doorbell: Arc<Doorbell>,
    waker: Waker,
}

/// What a poll of the code came to.
pub(super) enum Polled {
    /// Every await waits.
    Pending,
    /// As `Pending`, but something was awaited that is not durable: it asked to be woken.
    Foreign,
    /// The code returned.
    Ready(Outcome),
    /// The code panicked, with this message.
    Panicked(String),
}

/// The waker that is passed down: nothing durable keeps or rings it.
#[derive(Default)]
struct Doorbell {
    rung: AtomicBool,
}

impl Wake for Doorbell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
    }
}

/// References to a doorbell that are ours: the root's own and its waker's.
const OWN_REFERENCES: usize = 2;

impl Root {
    pub(super) fn new(future: OrchestratorFuture) -> Self {
        let doorbell = Arc::new(Doorbell::default());
        Self {
            future,
            waker: Waker::from(Arc::clone(&doorbell)),
            doorbell,
        }
    }

    /// Polls the code; a panic ends here.
    pub(super) fn poll(&mut self) -> Polled {
        let mut cx = Context::from_waker(&self.waker);
        let future = &mut self.future;
        match caught(|| future.as_mut().poll(&mut cx)) {
            Ok(Poll::Ready(outcome)) => Polled::Ready(outcome),
            Ok(Poll::Pending) if self.was_kept() => Polled::Foreign,
            Ok(Poll::Pending) => Polled::Pending,
            Err(message) => Polled::Panicked(message),
        }
    }

    /// Drops the code; a panic of a destructor ends here.
    pub(super) fn clear(&mut self) {
        let code = std::mem::replace(&mut self.future, Box::pin(std::future::pending()));
        // Whatever the panic says, the code is gone, and its instance has ended or will be replayed.
        drop(caught(|| drop(code)));
    }

    fn was_kept(&self) -> bool {
        Arc::strong_count(&self.doorbell) > OWN_REFERENCES
            || self.doorbell.rung.load(Ordering::Relaxed)
    }

    /// The size of the suspended code, in bytes, without what it keeps elsewhere.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.future)
    }
}
