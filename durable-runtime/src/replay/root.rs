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
    /// Something was awaited that is not durable: it asked to be woken, or for a runtime.
    Foreign(Foreign),
    /// The code returned.
    Ready(Outcome),
    /// The code panicked, with this message.
    Panicked(String),
}

/// How a future showed that it is not durable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Foreign {
    /// It has kept a clone of the waker.
    KeptWaker,
    /// It has rung the waker.
    RangWaker,
    /// It looked for a tokio runtime, and panicked since there is none where orchestrators are polled.
    SoughtRuntime,
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

/// How tokio's panic begins where it is used outside a runtime.
const NO_RUNTIME: &str = "there is no reactor running";

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
        #[cfg(feature = "sandbox")]
        let _deciding = super::Deciding::set(true);
        match caught(|| future.as_mut().poll(&mut cx)) {
            Ok(Poll::Ready(outcome)) => Polled::Ready(outcome),
            Ok(Poll::Pending) => self.strange().map_or(Polled::Pending, Polled::Foreign),
            Err(message) if message.starts_with(NO_RUNTIME) => {
                Polled::Foreign(Foreign::SoughtRuntime)
            }
            Err(message) => Polled::Panicked(message),
        }
    }

    /// Drops the code; a panic of a destructor ends here.
    pub(super) fn clear(&mut self) {
        let code = std::mem::replace(&mut self.future, Box::pin(std::future::pending()));
        // Whatever the panic says, the code is gone, and its instance has ended or will be replayed.
        drop(caught(|| drop(code)));
    }

    /// What has become of the waker that nobody is to touch.
    fn strange(&self) -> Option<Foreign> {
        if Arc::strong_count(&self.doorbell) > OWN_REFERENCES {
            Some(Foreign::KeptWaker)
        } else if self.doorbell.rung.load(Ordering::Relaxed) {
            Some(Foreign::RangWaker)
        } else {
            None
        }
    }

    /// The size of the suspended code, in bytes, without what it keeps elsewhere.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.future)
    }
}
