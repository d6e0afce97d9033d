//! What the body of an activity sees: its idempotency key, its attempt, its cancellation, its state.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::{Entropy as _, SystemEntropy};
use crate::event::Name;
use crate::id::{EventId, ExecutionId, InstanceId};

/// Values that activities take as `#[state]`, one for each type.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct States(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// No state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, in place of another of its type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    /// The value of a type.
    pub fn find<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.get(&TypeId::of::<T>())?).downcast().ok()
    }

    /// Whether there is a value of the type.
    pub(crate) fn holds(&self, type_id: TypeId) -> bool {
        self.0.contains_key(&type_id)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states", self.0.len())
    }
}

/// Facts about the running attempt of an activity.
///
/// A call that is awaited outside an orchestrator, as in a unit test, is the first delivery of a first attempt, with a key
/// that no other call has; its instance is made up. Within another activity it is a part of that one's attempt.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ActivityInfo {
    /// The activity's name.
    pub name: Name,
    /// The instance it runs for.
    pub instance: InstanceId,
    /// The execution it runs for.
    pub execution: ExecutionId,
    /// The number of the call's first attempt in the history.
    pub call: EventId,
    /// 1 for the first attempt; counts recorded attempts, so a restart does not change it.
    pub attempt: u32,
    /// 1 for the first delivery of this attempt; a restart of the engine in the middle of it delivers it again.
    pub delivery: u32,
    /// Equal for all attempts and deliveries of one call, different for every other call.
    pub key: uuid::Uuid,
}

/// What an attempt carries with it while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) info: Arc<ActivityInfo>,
    pub(crate) cancelled: watch::Receiver<bool>,
}

tokio::task_local! {
    static RUNNING: Running;
}

/// Runs the body of an activity so that the functions of this module work in it.
pub(crate) async fn scope<F: Future>(running: Running, body: F) -> F::Output {
    RUNNING.scope(running, body).await
}

/// What a call of the activity `name` carries when no engine runs it; `None` in an activity, whose attempt it is a part of.
pub(crate) fn without_engine(name: &Name) -> Option<Running> {
    if try_info().is_some() {
        return None;
    }
    // By chance, because another process may make the same calls and ask the same service.
    let key = uuid::Uuid::new_v8(SystemEntropy.bits().to_le_bytes());
    let info = ActivityInfo {
        name: name.clone(),
        instance: InstanceId::made_from(key.as_bytes()),
        execution: ExecutionId::FIRST,
        call: EventId(0),
        attempt: 1,
        delivery: 1,
        key,
    };
    // Nobody is left to cancel it.
    let (_, cancelled) = watch::channel(false);
    let info = Arc::new(info);
    Some(Running { info, cancelled })
}

fn running(what: &str) -> Running {
    #[expect(
        clippy::panic,
        reason = "misuse that no type can rule out; the message says what to do"
    )]
    RUNNING.try_with(Clone::clone).unwrap_or_else(|_| {
        panic!(
            "`activity::{what}` was called outside an activity; call it in the body of an \
             `#[activity]` function, on the task that runs it"
        )
    })
}

/// Facts about the running attempt; `None` outside an activity.
pub fn try_info() -> Option<Arc<ActivityInfo>> {
    RUNNING.try_with(|running| Arc::clone(&running.info)).ok()
}

/// Facts about the running attempt.
///
/// # Panics
/// Outside an activity; [`try_info`] does not.
pub fn info() -> Arc<ActivityInfo> {
    running("info").info
}

/// The idempotency key: equal for all attempts and deliveries of this call, different for every other.
///
/// Hand it to whatever the activity changes, so that a second run changes nothing more.
///
/// # Panics
/// Outside an activity.
pub fn key() -> uuid::Uuid {
    running("key").info.key
}

/// The number of this attempt, from 1. A restart of the process does not change it; a retry does.
///
/// # Panics
/// Outside an activity.
pub fn attempt() -> u32 {
    running("attempt").info.attempt
}

/// Which delivery of this attempt this is, from 1. More than 1 says that the engine ended while it was outstanding, so that
/// it may have run before, to its end or half-way.
///
/// Deaths of the process are counted one by one, until the instance comes further; clean stops since then count as one.
///
/// # Panics
/// Outside an activity.
pub fn delivery() -> u32 {
    running("delivery").info.delivery
}

/// Resolves when nobody waits for this activity any more: its call was dropped or its instance has ended.
///
/// # Cancel safety
/// Dropping the future loses nothing.
///
/// # Panics
/// Outside an activity.
pub async fn cancelled() {
    let mut cancelled = running("cancelled").cancelled;
    if cancelled
        .wait_for(|is_cancelled| *is_cancelled)
        .await
        .is_err()
    {
        // The engine is gone, or there never was one, and with it whoever could cancel.
        std::future::pending::<()>().await;
    }
}

/// Whether nobody waits for this activity any more.
///
/// # Panics
/// Outside an activity.
pub fn is_cancelled() -> bool {
    *running("is_cancelled").cancelled.borrow()
}
