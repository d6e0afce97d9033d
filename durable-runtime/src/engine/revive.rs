//! Bringing an instance back into memory: its history is read and replayed.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::engine::guard::Guard;
use crate::engine::live::{Live, Phase};
use crate::event::{ExecutionStarted, HistoryEvent, REPLAY_SEMANTICS, StallReason};
use crate::id::{BuildId, InstanceKey, Sequence, StoreId};
use crate::registry::Registry;
use crate::replay::{Execution, Identity, Stall};
use crate::store::{Outstanding, Reader, Stalled, StoreError, Summary, chain};

/// What bringing instances back takes.
#[derive(Debug)]
pub(crate) struct Reviver {
    pub(crate) registry: Arc<Registry>,
    pub(crate) reader: Reader,
    pub(crate) store: StoreId,
    pub(crate) build: BuildId,
    pub(crate) guard: Guard,
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
    pub(crate) fn find_unrun(&self, key: InstanceKey) -> Result<Option<Live>, StoreError> {
        match self.reader.shared_summary(key) {
            Ok(Some(summary)) if summary.completed_at.is_none() => {
                Ok(Some(unrun(key, &summary, None)))
            }
            Ok(_) => Ok(None),
            Err(error) if error.is_of_one_instance() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads and replays an instance. One whose code does not fit, or whose history is damaged, comes back as stalled.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn revive(&self, key: InstanceKey) -> Result<Revived, StoreError> {
        let summary = match self.reader.shared_summary(key) {
            Ok(Some(summary)) => summary,
            Ok(None) => return Ok(Revived::Unknown),
            Err(error) if error.is_of_one_instance() => {
                return Ok(Revived::Unreadable(chain(&error)));
            }
            Err(error) => return Err(error),
        };
        if summary.completed_at.is_some() {
            return Ok(Revived::Ended);
        }
        if let Some(stall) = self.guard.refusal(key) {
            return Ok(Revived::Live(Box::new(unrun(key, &summary, Some(stall)))));
        }
        let history = match self.reader.current_history(key, &summary) {
            Ok(history) => history,
            Err(error) if error.is_of_one_instance() => {
                let stall = (StallReason::Damaged, chain(&error));
                return Ok(Revived::Live(Box::new(unrun(key, &summary, Some(stall)))));
            }
            Err(error) => return Err(error),
        };
        let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
            return Ok(Revived::Unknown);
        };
        let started = started.clone();
        let stalled = last_stall(&history);
        let replayed = self.replay(key, &started, &history);
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
            started,
            phase,
            stalled,
        })))
    }

    fn replay(
        &self,
        key: InstanceKey,
        started: &ExecutionStarted,
        history: &[HistoryEvent],
    ) -> Result<Execution, (StallReason, String)> {
        if started.replay_semantics > REPLAY_SEMANTICS {
            let report = format!(
                "`{}` was recorded under replay rules {}, this build knows them up to {REPLAY_SEMANTICS}; run it with \
                 a newer durable-runtime",
                started.instance, started.replay_semantics
            );
            return Err((StallReason::UnknownSemantics, report));
        }
        let version = started.version.as_deref();
        let Some(entry) = self.registry.find_orchestrator(&started.name, version) else {
            let report = self.registry.unknown_orchestrator(&started.name, version);
            return Err((StallReason::Unregistered, report));
        };
        let identity = Identity {
            store: self.store,
            key,
            build: self.build,
        };
        let mut execution = Execution::new(identity, Arc::clone(&entry.code));
        match execution.replay(history) {
            Ok(()) => Ok(execution),
            Err(stall) => Err((stall.reason, self.report(&stall, started))),
        }
    }

    /// The stall of an instance that waits for an activity which is not registered.
    fn lacks(&self, history: &[HistoryEvent]) -> Option<(StallReason, String)> {
        let mut outstanding = Outstanding::default();
        for event in history {
            outstanding.apply(event);
        }
        let mut names = outstanding
            .activities
            .values()
            .map(|scheduled| &scheduled.name);
        let name = names.find(|name| self.registry.find_activity(name).is_none())?;
        Some((
            StallReason::Unregistered,
            self.registry.unknown_activity(name),
        ))
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

    /// A stall as people read it, with the recorded place in the source.
    pub(crate) fn report(&self, stall: &Stall, started: &ExecutionStarted) -> String {
        let Some(divergence) = &stall.divergence else {
            return stall.report.clone();
        };
        let place = divergence
            .recorded
            .as_ref()
            .and_then(|recorded| recorded.origin);
        // A report without the place is better than none.
        let place = place.and_then(|(build, site)| self.reader.place(build, site).ok().flatten());
        divergence.render(
            place.as_deref(),
            Some((&started.instance, started.execution)),
        )
    }
}

/// An instance of which nothing is run, as its row tells of it: what arrives is recorded behind what is there.
fn unrun(key: InstanceKey, summary: &Summary, stall: Option<(StallReason, String)>) -> Live {
    let started = ExecutionStarted {
        at: Timestamp::from_system_time(summary.created_at),
        instance: summary.id.clone(),
        execution: summary.execution,
        name: summary.name.clone(),
        version: summary.version.clone(),
        input: summary.input.clone(),
        parent: summary.parent.clone(),
        tags: summary.tags.clone(),
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
    };
    Live {
        key,
        started: Box::new(started),
        phase: Phase::Stalled {
            next: Sequence(summary.events),
            unrecorded: stall,
        },
        stalled: summary.stalled.clone(),
    }
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
