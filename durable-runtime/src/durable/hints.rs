//! What to write instead of well-known futures that are not durable.
//!
//! An inherent `only_durable` wins over the trait's. Its condition names a lifetime, so that rustc checks it where it is
//! used and not here, and nothing implements it: rustc then prints the text of the condition. No attribute of the
//! compiler offers a message per type otherwise.

pub mod callees;

use std::future::{Future, Ready};
use std::marker::PhantomData;
use std::pin::Pin;

use tokio::sync::futures::{Notified, OwnedNotified};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, Timeout};

use super::op::Tag;

/// Carries the lifetime that keeps a condition from being checked where it is written.
#[derive(Debug)]
pub struct Hint<'a, Op: ?Sized>(PhantomData<&'a Op>);

/// Never implemented: the text about tokio's timers.
#[diagnostic::on_unimplemented(
    message = "[D003] tokio's timers cannot be awaited in an orchestrator: they are not recorded, and die with the process",
    label = "this timer would start again at every replay",
    note = "use `sleep(duration).await`, which survives restarts and can wait for months",
    note = "for a deadline use `.timeout(duration)` on the call, or `timeout(duration, ..)` over a block",
    note = "see docs/determinism/D003.md"
)]
pub trait NotTokioTimer {}

/// Never implemented: the text about spawned tasks.
#[diagnostic::on_unimplemented(
    message = "[D020] a spawned task cannot be awaited in an orchestrator: it would be spawned again at every replay",
    label = "the handle of a task that the history does not know",
    note = "to run things concurrently use `join!(a(), b())` or `join_all(..).await`",
    note = "to move work off the orchestrator, make it an activity: `#[activity]`",
    note = "see docs/determinism/D020.md"
)]
pub trait NotSpawnedTask {}

/// Never implemented: the text about channels.
#[diagnostic::on_unimplemented(
    message = "[D022] a channel cannot be awaited in an orchestrator: its messages are not recorded in the history",
    label = "this message would be lost on replay",
    note = "to receive something from outside, use an `Event` and its `.wait().await`",
    note = "to pass values between branches, return them from `async` blocks given to `join!`",
    note = "see docs/determinism/D022.md"
)]
pub trait NotChannel {}

/// Never implemented: the text about boxed futures.
#[diagnostic::on_unimplemented(
    message = "[D202] a boxed future cannot be awaited in an orchestrator: the compiler cannot see whether it is durable",
    label = "its steps may not be in the history",
    note = "use `durable_runtime::BoxDurable<'_, T>` instead of a boxed `dyn Future`, or call the function directly",
    note = "see docs/determinism/D202.md"
)]
pub trait NotBoxedFuture {}

/// Never implemented: the text about locks and the like.
#[diagnostic::on_unimplemented(
    message = "[D022] a lock, semaphore, notification or barrier cannot be awaited in an orchestrator: who comes first is not \
               recorded in the history",
    label = "a replay may find it in another state",
    note = "an orchestrator shares nothing and runs alone: keep the value in a local variable, and return it from branches of `join!`",
    note = "to limit how many run at a time, use `join_all(..).limit(n)` or `#[activity(limit = n)]`",
    note = "to wait for another instance or for the world outside, use an `Event` and its `.wait().await`",
    note = "see docs/determinism/D022.md"
)]
pub trait NotLock {}

/// Never implemented: the text about a value that is there already.
#[diagnostic::on_unimplemented(
    message = "[D200] `std::future::ready` cannot be awaited in an orchestrator: it is no step of the history",
    label = "there is nothing to wait for",
    note = "write the value itself; where a future is asked for, an `async` block around it",
    note = "see docs/determinism/D200.md"
)]
pub trait NotReady {}

/// Never implemented: the text about the handle of an instance that was started.
#[diagnostic::on_unimplemented(
    message = "[D200] the handle of an instance cannot be awaited: it is a value, and no step of the history",
    label = "this is the handle, not what the instance returns",
    note = "to wait for the end of the instance, write `.result().await`; nothing is to be awaited if it goes on by itself",
    note = "see docs/determinism/D200.md"
)]
pub trait NotHandle {}

impl<W> Tag<Sleep, W> {
    /// Refuses.
    pub fn only_durable(self) -> Sleep
    where
        for<'x> Hint<'x, Sleep>: NotTokioTimer,
    {
        self.0
    }
}

impl<'f, W> Tag<&'f mut Sleep, W> {
    /// Refuses.
    pub fn only_durable(self) -> &'f mut Sleep
    where
        for<'x> Hint<'x, &'f mut Sleep>: NotTokioTimer,
    {
        self.0
    }
}

impl<'f, W> Tag<Pin<&'f mut Sleep>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<&'f mut Sleep>
    where
        for<'x> Hint<'x, Pin<&'f mut Sleep>>: NotTokioTimer,
    {
        self.0
    }
}

impl<W> Tag<Pin<Box<Sleep>>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<Sleep>>
    where
        for<'x> Hint<'x, Pin<Box<Sleep>>>: NotTokioTimer,
    {
        self.0
    }
}

impl<F, W> Tag<Timeout<F>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Timeout<F>
    where
        for<'x> Hint<'x, Timeout<F>>: NotTokioTimer,
    {
        self.0
    }
}

impl<T, W> Tag<JoinHandle<T>, W> {
    /// Refuses.
    pub fn only_durable(self) -> JoinHandle<T>
    where
        for<'x> Hint<'x, JoinHandle<T>>: NotSpawnedTask,
    {
        self.0
    }
}

impl<'f, T, W> Tag<&'f mut JoinHandle<T>, W> {
    /// Refuses.
    pub fn only_durable(self) -> &'f mut JoinHandle<T>
    where
        for<'x> Hint<'x, &'f mut JoinHandle<T>>: NotSpawnedTask,
    {
        self.0
    }
}

impl<T, W> Tag<oneshot::Receiver<T>, W> {
    /// Refuses.
    pub fn only_durable(self) -> oneshot::Receiver<T>
    where
        for<'x> Hint<'x, oneshot::Receiver<T>>: NotChannel,
    {
        self.0
    }
}

impl<'f, T, W> Tag<&'f mut oneshot::Receiver<T>, W> {
    /// Refuses.
    pub fn only_durable(self) -> &'f mut oneshot::Receiver<T>
    where
        for<'x> Hint<'x, &'f mut oneshot::Receiver<T>>: NotChannel,
    {
        self.0
    }
}

impl<'f, W> Tag<Notified<'f>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Notified<'f>
    where
        for<'x> Hint<'x, Notified<'f>>: NotLock,
    {
        self.0
    }
}

impl<W> Tag<OwnedNotified, W> {
    /// Refuses.
    pub fn only_durable(self) -> OwnedNotified
    where
        for<'x> Hint<'x, OwnedNotified>: NotLock,
    {
        self.0
    }
}

impl<T, W> Tag<Ready<T>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Ready<T>
    where
        for<'x> Hint<'x, Ready<T>>: NotReady,
    {
        self.0
    }
}

impl<'f, T, W> Tag<Pin<Box<dyn Future<Output = T> + 'f>>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<dyn Future<Output = T> + 'f>>
    where
        for<'x> Hint<'x, Pin<Box<dyn Future<Output = T> + 'f>>>: NotBoxedFuture,
    {
        self.0
    }
}

impl<'f, T, W> Tag<Pin<Box<dyn Future<Output = T> + Send + 'f>>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<dyn Future<Output = T> + Send + 'f>>
    where
        for<'x> Hint<'x, Pin<Box<dyn Future<Output = T> + Send + 'f>>>: NotBoxedFuture,
    {
        self.0
    }
}

impl<'f, T, W> Tag<Pin<Box<dyn Future<Output = T> + Send + Sync + 'f>>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<dyn Future<Output = T> + Send + Sync + 'f>>
    where
        for<'x> Hint<'x, Pin<Box<dyn Future<Output = T> + Send + Sync + 'f>>>: NotBoxedFuture,
    {
        self.0
    }
}

impl<'f, T, W> Tag<Box<dyn Future<Output = T> + Unpin + 'f>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Box<dyn Future<Output = T> + Unpin + 'f>
    where
        for<'x> Hint<'x, Box<dyn Future<Output = T> + Unpin + 'f>>: NotBoxedFuture,
    {
        self.0
    }
}

impl<'f, T, W> Tag<Box<dyn Future<Output = T> + Send + Unpin + 'f>, W> {
    /// Refuses.
    pub fn only_durable(self) -> Box<dyn Future<Output = T> + Send + Unpin + 'f>
    where
        for<'x> Hint<'x, Box<dyn Future<Output = T> + Send + Unpin + 'f>>: NotBoxedFuture,
    {
        self.0
    }
}
