//! What to write instead of methods that give futures without a name, told by the type whose methods they are.

use std::cell::{Ref, RefMut};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{Barrier, MutexGuard, Notify, OnceCell, Semaphore};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Interval;

use super::{Hint, NotChannel, NotLock, NotSpawnedTask, NotTokioTimer};

/// A type whose futures are not durable.
pub trait Known {
    /// What it is, for the text.
    type Kind;
}

/// Channels.
#[derive(Debug)]
pub struct Channel(());

/// Locks, semaphores, notifications, barriers.
#[derive(Debug)]
pub struct Lock(());

/// Sets of spawned tasks.
#[derive(Debug)]
pub struct Tasks(());

/// Timers that tick.
#[derive(Debug)]
pub struct Ticks(());

/// What a method of a `K` returned, on its way to be awaited.
#[derive(Debug)]
pub struct Foreign<Op, K>(Op, PhantomData<fn() -> K>);

impl<Op, K> Foreign<Op, K> {
    pub(in crate::durable) fn new(op: Op) -> Self {
        Self(op, PhantomData)
    }
}

/// `impl Known` for types of tokio, and for what derefs to one.
macro_rules! known {
    ($([$($generics:tt)*] $known:ty => $kind:ty),* $(,)?) => {
        $(impl<$($generics)*> Known for $known {
            type Kind = $kind;
        })*
    };
}

known!(
    [T] mpsc::Receiver<T> => Channel,
    [T] mpsc::Sender<T> => Channel,
    [T] mpsc::UnboundedReceiver<T> => Channel,
    [T] mpsc::UnboundedSender<T> => Channel,
    [T] broadcast::Receiver<T> => Channel,
    [T] watch::Receiver<T> => Channel,
    [T] watch::Sender<T> => Channel,
    [T: ?Sized] tokio::sync::Mutex<T> => Lock,
    [T: ?Sized] tokio::sync::RwLock<T> => Lock,
    [] Semaphore => Lock,
    [] Notify => Lock,
    [] Barrier => Lock,
    [T] OnceCell<T> => Lock,
    [T] JoinSet<T> => Tasks,
    [] Interval => Ticks,
    [T: Known + ?Sized] &T => T::Kind,
    [T: Known + ?Sized] &mut T => T::Kind,
    [T: Known + ?Sized] Box<T> => T::Kind,
    [T: Known + ?Sized] Rc<T> => T::Kind,
    [T: Known + ?Sized] Arc<T> => T::Kind,
    [T: Known + ?Sized] Ref<'_, T> => T::Kind,
    [T: Known + ?Sized] RefMut<'_, T> => T::Kind,
    [T: Known + ?Sized] MutexGuard<'_, T> => T::Kind,
);

impl<Op> Foreign<Op, Channel> {
    /// Refuses.
    pub fn only_durable(self) -> Op
    where
        for<'x> Hint<'x, Channel>: NotChannel,
    {
        self.0
    }
}

impl<Op> Foreign<Op, Lock> {
    /// Refuses.
    pub fn only_durable(self) -> Op
    where
        for<'x> Hint<'x, Lock>: NotLock,
    {
        self.0
    }
}

impl<Op> Foreign<Op, Tasks> {
    /// Refuses.
    pub fn only_durable(self) -> Op
    where
        for<'x> Hint<'x, Tasks>: NotSpawnedTask,
    {
        self.0
    }
}

impl<Op> Foreign<Op, Ticks> {
    /// Refuses.
    pub fn only_durable(self) -> Op
    where
        for<'x> Hint<'x, Ticks>: NotTokioTimer,
    {
        self.0
    }
}
