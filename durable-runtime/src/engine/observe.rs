//! What an engine tells of itself: metrics, lifecycle events, logs and spans.
//!
//! None of it decides anything, and what nobody wants costs next to nothing. What a commit makes true is noted while its
//! batch is put together, as [`News`], and told once it is on disk.
//!
//! Source: `docs/observability.md`.

use std::fmt::Display;
use std::sync::Arc;

use metrics::Counter;

use crate::clock::{Clock, Timestamp};
use crate::event::HistoryEvent;
use crate::failure::Outcome;
use crate::registry::Registry;
use crate::store::Summary;

pub(crate) mod lifecycle;
pub(crate) mod log;
pub(crate) mod meters;
pub(crate) mod spans;
mod told;

use lifecycle::{LifecycleEvent, LifecycleKind, Stream};
use meters::Meters;

/// Tells what an engine does to whoever wants to know.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) meters: Meters,
    stream: Stream,
}

/// What is to be told once a commit is on disk.
#[derive(Default)]
pub(crate) struct News {
    counted: Vec<Counter>,
    raised: u64,
    events: Vec<LifecycleEvent>,
}

impl Observer {
    /// For an engine with these functions.
    pub(crate) fn new(registry: &Registry, clock: &Arc<dyn Clock>) -> Self {
        let activities = registry.activities().map(|(name, _)| &**name);
        Self {
            meters: Meters::new(Arc::clone(clock), registry.orchestrators(), activities),
            stream: Stream::default(),
        }
    }

    /// What happens to instances from now on.
    fn listen(&self) -> tokio::sync::broadcast::Receiver<LifecycleEvent> {
        self.stream.listen()
    }

    /// Notes an instance that is created by this commit.
    pub(crate) fn created(&self, news: &mut News, of: &Summary) {
        (news.counted).push(self.meters.orchestrator(&of.name).starts.clone());
        self.note(news, of, LifecycleKind::Created, None);
    }

    /// Notes what these events of an instance are, as of their append; `is_first` says that no turn of its execution had run
    /// before.
    pub(crate) fn appended(
        &self,
        news: &mut News,
        of: &Summary,
        is_first: bool,
        events: &[HistoryEvent],
    ) {
        let meters = || self.meters.orchestrator(&of.name);
        for event in events {
            match event {
                HistoryEvent::TurnStarted(_) if is_first => {
                    self.note(news, of, LifecycleKind::Started, None);
                }
                HistoryEvent::CancelRequested(asked) => {
                    self.note(
                        news,
                        of,
                        LifecycleKind::CancelRequested,
                        Some(&asked.reason),
                    );
                }
                HistoryEvent::ExecutionSuspended(held) => {
                    self.note(news, of, LifecycleKind::Suspended, Some(&held.reason));
                }
                HistoryEvent::ExecutionResumed(released) => {
                    self.note(news, of, LifecycleKind::Resumed, Some(&released.reason));
                }
                HistoryEvent::ExecutionRewound(back) => {
                    news.counted.push(meters().rewinds.clone());
                    self.note(news, of, LifecycleKind::Rewound, Some(&back.reason));
                }
                HistoryEvent::ExecutionTerminated(end) => {
                    news.counted.push(meters().terminated.clone());
                    self.note(news, of, LifecycleKind::Terminated, Some(&end.reason));
                }
                HistoryEvent::EventRaised(_) => news.raised += 1,
                HistoryEvent::ExecutionStalled(stall) => {
                    (news.counted).push(self.meters.stalls(&of.name, stall.reason));
                    self.note(news, of, LifecycleKind::Stalled, Some(&stall.report));
                }
                HistoryEvent::ExecutionContinued(_) => {
                    news.counted.push(meters().continued.clone());
                    self.note(news, of, LifecycleKind::Continued, None);
                }
                HistoryEvent::ExecutionCompleted(end) => match &end.outcome {
                    Outcome::Completed(_) => {
                        news.counted.push(meters().completed.clone());
                        self.note(news, of, LifecycleKind::Completed, None);
                    }
                    Outcome::Failed(failure) => {
                        news.counted.push(meters().failed.clone());
                        self.note(news, of, LifecycleKind::Failed, Some(failure));
                    }
                },
                _ => {}
            }
        }
    }

    /// Notes an instance that is removed by this commit, of which `last` is the last.
    pub(crate) fn purged(&self, news: &mut News, last: &Summary, now: Timestamp) {
        (news.counted).push(self.meters.orchestrator(&last.name).purges.clone());
        if self.is_heard() {
            let at = now.into();
            let purged = LifecycleEvent::of(last, LifecycleKind::Purged, None);
            news.events.push(LifecycleEvent { at, ..purged });
        }
    }

    /// Notes that this happens to an instance by this commit, if anybody wants to hear of it.
    fn note(
        &self,
        news: &mut News,
        of: &Summary,
        kind: LifecycleKind,
        reason: Option<&dyn Display>,
    ) {
        if self.is_heard() {
            news.events.push(LifecycleEvent::of(of, kind, reason));
        }
    }

    /// Whether anybody may want to hear of what happens to instances.
    fn is_heard(&self) -> bool {
        self.stream.is_heard() || log::wants_lifecycle()
    }

    /// Tells what is on disk now.
    pub(crate) fn publish(&self, news: News) {
        for counter in news.counted {
            counter.increment(1);
        }
        if news.raised > 0 {
            self.meters.events.increment(news.raised);
        }
        if !news.events.is_empty() {
            news.events.iter().for_each(log::stage);
            self.stream.send(news.events);
        }
    }

    /// The engine has stopped: nobody hears anything more.
    pub(crate) fn close(&self) {
        self.stream.close();
    }
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lifecycle events", self.events.len())
    }
}
