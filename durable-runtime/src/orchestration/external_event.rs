//! Typed external events.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{Timeout, settle};
use crate::durable::{Durable, Recordable};
use crate::event::Name;
use crate::id::SourceSite;
use crate::replay::Waiter;

/// A kind of external event: its name, and the type of what it carries.
///
/// Declare it once, [await](Self::wait) it in orchestrators, and raise it with a handle, or [send](Self::send) it from another
/// orchestrator:
///
/// ```
/// # use durable_runtime::orchestration::Event;
/// static APPROVAL: Event<bool> = Event::new("approval");
/// assert_eq!(APPROVAL.name(), "approval");
/// ```
///
/// Names are compared without regard to ASCII case.
pub struct Event<T> {
    name: Name,
    payload: PhantomData<fn(T) -> T>,
}

impl<T> Event<T> {
    /// An event of this name.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Name::Borrowed(name),
            payload: PhantomData,
        }
    }

    /// An event whose name is known only when the program runs.
    pub fn named(name: impl Into<Name>) -> Self {
        Self {
            name: name.into(),
            payload: PhantomData,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn full_name(&self) -> &Name {
        &self.name
    }
}

impl<T: Recordable> Event<T> {
    /// Waits for the next event of this name, across restarts.
    ///
    /// An event that arrives before anybody waits is kept, first in first out. Of several waiters the oldest is served
    /// first; age counts from the first poll. Each event goes to one waiter.
    ///
    /// # Replay
    /// The recorded event is returned. One whose payload is no `T` stalls the instance.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event: one that it was woken for goes to the next waiter.
    ///
    /// # Panics
    /// When polled outside an orchestrator.
    #[track_caller]
    pub fn wait(&self) -> EventWait<T> {
        EventWait {
            name: self.name.clone(),
            site: SourceSite::caller(),
            waiter: None,
            payload: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event `{}`", self.name)
    }
}

/// The future of [`Event::wait`].
#[must_use = "a wait begins when it is awaited"]
pub struct EventWait<T> {
    name: Name,
    site: SourceSite,
    waiter: Option<Waiter>,
    payload: PhantomData<fn() -> T>,
}

impl<T> EventWait<T> {
    /// Limits the wait: the result is `Err(Elapsed)` if no event came in time.
    #[track_caller]
    pub fn timeout(self, limit: Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Recordable> Durable for EventWait<T> {}

impl<T: Recordable> Future for EventWait<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let Self {
            name, site, waiter, ..
        } = &mut *self;
        let raised = ready!(
            waiter
                .get_or_insert_with(|| Waiter::join(name, *site))
                .poll()
        );
        match raised.payload.decode() {
            Ok(value) => Poll::Ready(value),
            Err(error) => settle::unreadable(&format!("event `{name}`"), *site, &error),
        }
    }
}

impl<T> fmt::Debug for EventWait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wait for event `{}`", self.name)
    }
}
