//! What happens to instances, as it happens: a stream of events for programs, and a log.
//!
//! An event is sent after the commit that holds it, in the order of the commits. Nothing waits for who receives: a slow
//! receiver loses the oldest events and is told how many. While nobody listens, nothing is made.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::broadcast;

use crate::engine::Engine;
use crate::event::Name;
use crate::id::{ExecutionId, InstanceId};
use crate::limits;
use crate::store::Summary;

/// Something that happened to an instance, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleEvent {
    /// What happened.
    pub kind: LifecycleKind,
    /// The instance's id.
    pub id: InstanceId,
    /// The orchestrator's name.
    pub name: Name,
    /// The orchestrator's version.
    pub version: Option<String>,
    /// The execution it happened to.
    pub execution: ExecutionId,
    /// The recorded time.
    pub at: SystemTime,
    /// Of a failure, what failed; of a stall, its report; of what was asked for from outside, what whoever asked said.
    pub reason: Option<String>,
}

impl LifecycleEvent {
    /// What has last happened to an instance.
    pub(super) fn of(
        instance: &Summary,
        kind: LifecycleKind,
        reason: Option<&dyn fmt::Display>,
    ) -> Self {
        Self {
            kind,
            id: instance.id.clone(),
            name: instance.name.clone(),
            version: instance.version.clone(),
            execution: instance.execution,
            at: instance.updated_at,
            reason: reason.map(ToString::to_string),
        }
    }
}

/// What can happen to an instance. Displayed, it is one word, as in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LifecycleKind {
    /// It was created: by a client, also again, as a child, or detached. No code of it has run.
    Created,
    /// The first turn of an execution has run.
    Started,
    /// It returned.
    Completed,
    /// It returned `Err`, or did not return.
    Failed,
    /// This execution has ended, and the instance goes on with the next.
    Continued,
    /// It waits to be mended.
    Stalled,
    /// It was asked to end: by a client, or since its parent waits for it no more.
    CancelRequested,
    /// It was ended from outside.
    Terminated,
    /// It is held: no turn of it runs until it is resumed.
    Suspended,
    /// It is let go on.
    Resumed,
    /// It had failed, and goes on from before its failure.
    Rewound,
    /// It was removed, and its id is free.
    Purged,
}

impl LifecycleKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Continued => "continued",
            Self::Stalled => "stalled",
            Self::CancelRequested => "cancel_requested",
            Self::Terminated => "terminated",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Rewound => "rewound",
            Self::Purged => "purged",
        }
    }
}

impl fmt::Display for LifecycleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Engine {
    /// What happens to the instances of this engine from now on.
    ///
    /// An event comes once what it tells of is on disk, and before any client is answered by the same commit. Of what happened
    /// before this call, or is only found again when a store is opened, there is no event: a program that must not miss
    /// anything asks the instances themselves, and takes these events as hints. Each receiver gets all events; it picks what it
    /// wants.
    ///
    /// The engine waits for nobody: see [`LifecycleEvents::next`].
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    /// use durable_runtime::LifecycleKind;
    ///
    /// #[orchestrator]
    /// async fn ship(order: u32) -> Result<u32, String> {
    ///     Err(format!("no parcel {order}"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let mut events = engine.events();
    /// engine.start(ship(42)).id("ship-42").await?;
    ///
    /// let failed = loop {
    ///     match events.next().await {
    ///         Some(Ok(event)) if event.kind == LifecycleKind::Failed => break event,
    ///         Some(Ok(_)) => {}
    ///         Some(Err(missed)) => eprintln!("{missed}"),
    ///         None => panic!("the engine has stopped"),
    ///     }
    /// };
    /// assert_eq!(failed.id.as_str(), "ship-42");
    /// assert_eq!(failed.reason.as_deref(), Some("no parcel 42"));
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> LifecycleEvents {
        LifecycleEvents(self.hub.reviver.observer.listen())
    }
}

/// What happens to the instances of an engine; from [`Engine::events`].
///
/// It does not keep the engine running. Dropping it ends the listening.
pub struct LifecycleEvents(broadcast::Receiver<LifecycleEvent>);

impl LifecycleEvents {
    /// Waits for the next event; `None` once the engine has stopped and all that was sent is received.
    ///
    /// The last 4,096 events are kept for a receiver that is slow. If it is slower than that, the oldest are lost.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    ///
    /// # Errors
    /// [`Missed`] says how many events this receiver has lost; the next call gives the oldest that is kept.
    pub async fn next(&mut self) -> Option<Result<LifecycleEvent, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Err(Missed(count))),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for LifecycleEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lifecycle events to be received", self.0.len())
    }
}

/// A receiver was too slow: so many events are lost to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} lifecycle events were missed: this receiver is slower than the engine")]
pub struct Missed(
    /// How many.
    pub u64,
);

/// Where events are sent. It is made with the first listener, and goes with the last.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Whether there may be a listener.
    is_heard: AtomicBool,
    sender: Mutex<Sender>,
}

#[derive(Debug, Default)]
enum Sender {
    #[default]
    Unused,
    Open(broadcast::Sender<LifecycleEvent>),
    Closed,
}

impl Stream {
    pub(super) fn listen(&self) -> broadcast::Receiver<LifecycleEvent> {
        let mut sender = self.lock();
        if let Sender::Open(open) = &*sender {
            return open.subscribe();
        }
        let (open, receiver) = broadcast::channel(limits::LIFECYCLE_EVENTS_MAX);
        // Of an engine that has stopped there is nothing to hear: what it would be sent by is dropped here.
        if matches!(*sender, Sender::Unused) {
            *sender = Sender::Open(open);
            self.is_heard.store(true, Ordering::Release);
        }
        receiver
    }

    /// Whether there may be somebody to hear.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Acquire)
    }

    pub(super) fn send(&self, events: Vec<LifecycleEvent>) {
        let mut sender = self.lock();
        let Sender::Open(open) = &*sender else {
            return;
        };
        let is_heard = events.into_iter().all(|event| open.send(event).is_ok());
        if !is_heard {
            *sender = Sender::Unused;
            self.is_heard.store(false, Ordering::Release);
        }
    }

    /// Nothing happens any more.
    pub(super) fn close(&self) {
        *self.lock() = Sender::Closed;
        self.is_heard.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Sender> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_document_names_every_stage() {
        let document = include_str!("../../../../docs/observability.md");
        let row = document
            .lines()
            .find(|line| line.contains("`durable_runtime::lifecycle` |"))
            .unwrap();
        let source = include_str!("lifecycle.rs");
        let stages = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::"));
        let stages = stages.filter_map(|line| line.split_once(" => \"")?.1.strip_suffix("\","));
        let stages: Vec<_> = stages.collect();
        assert!(stages.len() >= 11, "{stages:?}");
        for stage in stages {
            assert!(row.contains(&format!("`{stage}`")), "{stage}");
        }
    }
}
