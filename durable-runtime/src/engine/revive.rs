//! Bringing an instance back into memory: its history is read and replayed.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::backlog::{Backlog, EventLimit};
use crate::engine::guard::Guard;
use crate::engine::live::{Begun, Live, Phase};
use crate::engine::message::Incoming;
use crate::engine::observe::Observer;
use crate::engine::replayer::{self, Replayer};
use crate::event::{ExecutionStarted, HistoryEvent, StallReason};
use crate::id::{BuildId, InstanceKey, Sequence, StoreId};
use crate::registry::{Registry, VersionPolicy};
use crate::replay::{Execution, Stall};
use crate::store::{Reader, Stalled, StoreError, Summary, chain};

/// What bringing instances back takes.
#[derive(Debug)]
pub(crate) struct Reviver {
    pub(crate) registry: Arc<Registry>,
    pub(crate) versions: VersionPolicy,
    pub(crate) reader: Reader,
    pub(crate) store: StoreId,
    pub(crate) build: BuildId,
    pub(crate) guard: Guard,
    /// How much may be raised to an instance that nobody has taken.
    pub(crate) event_limit: EventLimit,
    /// Bytes of one payload that is recorded from now on.
    pub(crate) payload_limit: usize,
    pub(crate) observer: Arc<Observer>,
    /// How long a twin may take for a turn, if turns are checked.
    pub(crate) replay_check: Option<Duration>,
}

/// What became of an instance that was to be brought back.
#[derive(Debug)]
pub(crate) enum Revived {
    Live(Box<Live>),
    Ended,
    Unknown,
    /// Its own row is damaged, so that not even its stall can be recorded; the report says how.
    Unreadable(String),
}

impl Reviver {
    /// Finds an instance whose arrivals are to be recorded before any code of it runs.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn find_unrun(
        &self,
        key: InstanceKey,
        inbox: &[Incoming],
        now: Timestamp,
    ) -> Result<Option<Live>, StoreError> {
        match self.reader.shared_summary(key) {
            // One that is held runs no turn that could be held to account.
            Ok(Some(summary)) if summary.completed_at.is_none() && !summary.is_held(now) => {
                let mut live = self.unrun(key, &summary, None);
                // What was raised before, and how much of it waits while it is stalled, only its history tells. Of one that
                // runs on, what it has not taken is known once it runs, which is next.
                if summary.stalled.is_some() || inbox.iter().any(Incoming::has_chosen_id) {
                    live.backlog = self.backlog(key, &summary)?;
                }
                Ok(Some(live))
            }
            Ok(_) => Ok(None),
            Err(error) if error.is_of_one_instance() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether an instance has this event of a client on record, as far as that can be read.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn knows(&self, key: InstanceKey, incoming: &Incoming) -> Result<bool, StoreError> {
        if !incoming.has_chosen_id() {
            return Ok(false);
        }
        let Some(summary) = self.reader.shared_summary(key)? else {
            return Ok(false);
        };
        Ok(self.backlog(key, &summary)?.knows(incoming))
    }

    /// What was raised to an instance, as far as that can be read.
    fn backlog(&self, key: InstanceKey, summary: &Summary) -> Result<Backlog, StoreError> {
        match self.reader.current_history(key, summary) {
            Ok(history) => Ok(Backlog::of(&history, self.event_limit)),
            Err(error) if error.is_of_one_instance() => Ok(Backlog::unknown(self.event_limit)),
            Err(error) => Err(error),
        }
    }

    /// One that is held: none of its turns runs until then, or until somebody lets it go on.
    fn held(
        &self,
        key: InstanceKey,
        summary: &Summary,
        until: Option<Timestamp>,
    ) -> Result<Revived, StoreError> {
        let next = Sequence(summary.events);
        Ok(Revived::Live(Box::new(Live {
            phase: Phase::Held { next, until },
            backlog: self.backlog(key, summary)?,
            ..self.unrun(key, summary, None)
        })))
    }

    /// Reads and replays an instance. One whose code does not fit, or whose history is damaged, comes back as stalled.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn revive(&self, key: InstanceKey, now: Timestamp) -> Result<Revived, StoreError> {
        let summary = match self.reader.shared_summary(key) {
            Ok(Some(summary)) => summary,
            Ok(None) => return Ok(Revived::Unknown),
            Err(error) if error.is_of_one_instance() => {
                return Ok(Revived::Unreadable(chain(&error)));
            }
            Err(error) => return Err(error),
        };
        self.bring_back(key, &summary, now)
    }

    /// The same of an instance that was as `summary` says a moment ago: it may have been ended or suspended since, but has had
    /// no turn.
    fn bring_back(
        &self,
        key: InstanceKey,
        summary: &Summary,
        now: Timestamp,
    ) -> Result<Revived, StoreError> {
        if summary.completed_at.is_some() {
            return Ok(Revived::Ended);
        }
        if summary.is_held(now) {
            let start_at = summary.start_at.map(Timestamp::from_system_time);
            let until = start_at.filter(|_| summary.suspended.is_none());
            return self.held(key, summary, until);
        }
        if let Some(stall) = self.guard.refusal(key) {
            let mut live = self.unrun(key, summary, Some(stall));
            live.backlog = self.backlog(key, summary)?;
            return Ok(Revived::Live(Box::new(live)));
        }
        let history = match self.reader.current_history(key, summary) {
            Ok(history) => history,
            Err(error) if error.is_of_one_instance() => {
                let stall = (StallReason::Damaged, chain(&error));
                let live = self.unrun(key, summary, Some(stall));
                return Ok(Revived::Live(Box::new(live)));
            }
            Err(error) => return Err(error),
        };
        if history.last().is_some_and(HistoryEvent::is_terminal) {
            return Ok(Revived::Ended);
        }
        // Where the history goes on with a suspension, a turn would go on behind it.
        if is_suspended(&history) {
            return self.held(key, summary, None);
        }
        let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
            return Ok(Revived::Unknown);
        };
        let stalled = last_stall(&history);
        let begun = self.observer.meters.now();
        let replayed = self.replay(key, started, &history);
        if matches!(&replayed, Ok(execution) if !execution.is_new()) {
            self.observer.meters.replay(&started.name, begun);
        }
        let reason = stalled.as_ref().map(|stalled| stalled.reason);
        let fits = replayed.and_then(|execution| match reason {
            // What is asked for and not there cannot be told by replay.
            Some(StallReason::Unregistered) => self.lacks(&history).map_or(Ok(execution), Err),
            _ => Ok(execution),
        });
        let phase = match fits {
            Ok(execution) => Phase::Running(execution),
            Err(stall) => {
                let next = Sequence(u32::try_from(history.len()).unwrap_or(u32::MAX));
                Phase::Stalled {
                    next,
                    unrecorded: Some(stall),
                }
            }
        };
        Ok(Revived::Live(Box::new(Live {
            key,
            begun: Begun::of(started),
            phase,
            stalled,
            backlog: Backlog::of(&history, self.event_limit),
            twin: None,
        })))
    }

    /// Replays a history, on the calling thread, which must not be that of somebody who waits: code of a user runs.
    ///
    /// # Errors
    /// Why the instance stalls, or would: its code does not fit, or is not there.
    pub(crate) fn replay(
        &self,
        key: InstanceKey,
        started: &ExecutionStarted,
        history: &[HistoryEvent],
    ) -> Result<Execution, (StallReason, String)> {
        let replayed = self.replayer().replay(key, started, history);
        replayed.map_err(|stall| (stall.reason, self.report(&stall, started)))
    }

    /// The stall of an instance that waits for an activity which is not registered.
    fn lacks(&self, history: &[HistoryEvent]) -> Option<(StallReason, String)> {
        let stall = self.replayer().lacks(history)?;
        Some((stall.reason, stall.report))
    }

    /// What replays histories against the code of this engine.
    pub(crate) fn replayer(&self) -> Replayer {
        Replayer {
            registry: Arc::clone(&self.registry),
            versions: self.versions,
            store: self.store,
            build: self.build,
            payload_limit: self.payload_limit,
        }
    }

    /// The report of an instance whose turn did not end in time.
    pub(crate) fn endless(&self, key: InstanceKey, limit: Duration) -> String {
        // A report without the name is better than none.
        let summary = self.reader.shared_summary(key).ok().flatten();
        let name = summary.map(|summary| format!(" of `{}`", summary.name));
        format!(
            "a turn{} has run for more than {} ms, and code that runs cannot be interrupted; is there a loop that never \
             waits, or something that blocks? Do what takes long in an activity, mend it and start again",
            name.unwrap_or_default(),
            limit.as_millis()
        )
    }

    /// An instance of which nothing is run, as its row tells of it: what arrives is recorded behind what is there.
    fn unrun(
        &self,
        key: InstanceKey,
        summary: &Summary,
        stall: Option<(StallReason, String)>,
    ) -> Live {
        let begun = Begun {
            instance: summary.id.clone(),
            execution: summary.execution,
            name: summary.name.clone(),
            version: summary.version.clone().map(Into::into),
            parent: summary.parent.clone().map(Box::new),
            trace: summary.trace.clone().map(Box::new),
        };
        Live {
            key,
            begun,
            phase: Phase::Stalled {
                next: Sequence(summary.events),
                unrecorded: stall,
            },
            stalled: summary.stalled.clone(),
            backlog: Backlog::unknown(self.event_limit),
            twin: None,
        }
    }

    /// A stall as people read it, with the recorded place in the source.
    pub(crate) fn report(&self, stall: &Stall, started: &ExecutionStarted) -> String {
        // A report without the place is better than none.
        replayer::report(stall, started, |build, site| {
            self.reader.spot(build, site).ok().flatten()
        })
    }
}

/// Whether somebody holds an instance with this history.
fn is_suspended(history: &[HistoryEvent]) -> bool {
    let last = history.iter().rev().find(|event| {
        matches!(
            event,
            HistoryEvent::ExecutionSuspended(_) | HistoryEvent::ExecutionResumed(_)
        )
    });
    matches!(last, Some(HistoryEvent::ExecutionSuspended(_)))
}

/// The stall that no turn has ended.
fn last_stall(history: &[HistoryEvent]) -> Option<Stalled> {
    let since_last_turn = history
        .iter()
        .rev()
        .take_while(|event| !matches!(event, HistoryEvent::TurnStarted(_)));
    since_last_turn.into_iter().find_map(|event| match event {
        HistoryEvent::ExecutionStalled(stalled) => Some(stalled.into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Error;
    use crate::orchestration::named;
    use crate::testing::TestEngine;

    /// Between the look at the row and that at the history somebody suspends, or ends, the instance: the turn would have gone on
    /// behind that record, where nothing tells that it is too late.
    #[tokio::test]
    async fn one_that_is_suspended_or_ended_while_it_is_brought_back_runs_no_turn() {
        let registry = Registry::new().named_orchestrator("wait", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        });
        let builder = TestEngine::builder().registry(registry);
        let engine = builder.start().unwrap();
        let start = engine.start(named::orchestrator("wait", &Value::Null));
        let instance = start.await.unwrap();
        engine.settle().await;
        let reviver = &engine.hub.reviver;
        let key = reviver.reader.find(instance.id()).unwrap().unwrap();
        let before = reviver.reader.shared_summary(key).unwrap().unwrap();
        let bring_back = || {
            let brought = reviver.bring_back(key, &before, engine.hub.clock.now());
            brought.unwrap()
        };
        let Revived::Live(live) = bring_back() else {
            panic!("it waits");
        };
        assert!(!matches!(live.phase, Phase::Held { .. }));
        instance.suspend("for now").await.unwrap();
        instance.raise(&named::event("go"), json!(1)).await.unwrap();
        let Revived::Live(mut live) = bring_back() else {
            panic!("it waits to be resumed");
        };
        assert!(matches!(live.phase, Phase::Held { .. }));
        let turn = live.step(Vec::new(), engine.hub.clock.now(), &reviver.reader);
        assert!(turn.unwrap().is_none());
        instance.terminate("for good").await.unwrap();
        assert!(matches!(bring_back(), Revived::Ended));
    }
}
