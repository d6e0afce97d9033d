//! What to write instead of well-known futures that are not durable.
//!
//! An inherent `only_durable` wins over the trait's. Its condition names a lifetime, so that rustc checks it where it is
//! used and not here, and nothing implements it: rustc then prints the text of the condition. No attribute of the
//! compiler offers a message per type otherwise.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, Timeout};

use super::Tag;

/// Carries the lifetime that keeps a condition from being checked where it is written.
#[derive(Debug)]
pub struct Hint<'a, Op: ?Sized>(PhantomData<&'a Op>);

/// Never implemented: the text about tokio's timers.
#[diagnostic::on_unimplemented(
    message = "[D003] tokio's timers cannot be awaited in an orchestrator: they are not recorded, and die with the process",
    label = "this timer would start again at every replay",
    note = "use `sleep(duration).await`, which survives restarts and can wait for months",
    note = "for a deadline use `.timeout(duration)` on the call, or `timeout(duration, ..)` over a block"
)]
pub trait NotTokioTimer {}

/// Never implemented: the text about spawned tasks.
#[diagnostic::on_unimplemented(
    message = "[D020] a spawned task cannot be awaited in an orchestrator: it would be spawned again at every replay",
    label = "the handle of a task that the history does not know",
    note = "to run things concurrently use `join!(a(), b())` or `join_all(..).await`",
    note = "to move work off the orchestrator, make it an activity: `#[activity]`"
)]
pub trait NotSpawnedTask {}

/// Never implemented: the text about channels.
#[diagnostic::on_unimplemented(
    message = "[D022] a channel cannot be awaited in an orchestrator: its messages are not recorded in the history",
    label = "this message would be lost on replay",
    note = "to receive something from outside, use an `Event` and its `.wait().await`",
    note = "to pass values between branches, return them from `async` blocks given to `join!`"
)]
pub trait NotChannel {}

/// Never implemented: the text about boxed futures.
#[diagnostic::on_unimplemented(
    message = "[D202] a boxed future cannot be awaited in an orchestrator: the compiler cannot see whether it is durable",
    label = "its steps may not be in the history",
    note = "use `durable_runtime::BoxDurable<'_, T>` instead of a boxed `dyn Future`, or call the function directly"
)]
pub trait NotBoxedFuture {}

impl Tag<Sleep> {
    /// Refuses.
    pub fn only_durable(self) -> Sleep
    where
        for<'x> Hint<'x, Sleep>: NotTokioTimer,
    {
        self.0
    }
}

impl<F> Tag<Timeout<F>> {
    /// Refuses.
    pub fn only_durable(self) -> Timeout<F>
    where
        for<'x> Hint<'x, Timeout<F>>: NotTokioTimer,
    {
        self.0
    }
}

impl<T> Tag<JoinHandle<T>> {
    /// Refuses.
    pub fn only_durable(self) -> JoinHandle<T>
    where
        for<'x> Hint<'x, JoinHandle<T>>: NotSpawnedTask,
    {
        self.0
    }
}

impl<T> Tag<oneshot::Receiver<T>> {
    /// Refuses.
    pub fn only_durable(self) -> oneshot::Receiver<T>
    where
        for<'x> Hint<'x, oneshot::Receiver<T>>: NotChannel,
    {
        self.0
    }
}

impl<'f, T> Tag<Pin<Box<dyn Future<Output = T> + 'f>>> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<dyn Future<Output = T> + 'f>>
    where
        for<'x> Hint<'x, Pin<Box<dyn Future<Output = T> + 'f>>>: NotBoxedFuture,
    {
        self.0
    }
}

impl<'f, T> Tag<Pin<Box<dyn Future<Output = T> + Send + 'f>>> {
    /// Refuses.
    pub fn only_durable(self) -> Pin<Box<dyn Future<Output = T> + Send + 'f>>
    where
        for<'x> Hint<'x, Pin<Box<dyn Future<Output = T> + Send + 'f>>>: NotBoxedFuture,
    {
        self.0
    }
}
