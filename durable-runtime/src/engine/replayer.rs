//! A history and the code that fits it make an execution again, or say why not. Nothing is run live, nothing is recorded.

use std::sync::Arc;

use crate::event::{ExecutionStarted, HistoryEvent};
use crate::id::{BuildId, InstanceKey, Sequence, SiteId, StoreId};
use crate::registry::{Registry, VersionPolicy};
use crate::replay::{DefaultVersions, Execution, Identity, Stall};
use crate::store::Outstanding;

/// What replaying takes.
#[derive(Debug, Clone)]
pub(crate) struct Replayer {
    pub(crate) registry: Arc<Registry>,
    pub(crate) versions: VersionPolicy,
    pub(crate) store: StoreId,
    pub(crate) build: BuildId,
    /// Bytes of one payload that a turn after the recorded ones may record.
    pub(crate) payload_limit: usize,
}

impl Replayer {
    /// Replays a history that begins with `started`.
    ///
    /// # Errors
    /// [`Stall`] if the code does not follow it, or is not registered.
    pub(crate) fn replay(
        &self,
        key: InstanceKey,
        started: &ExecutionStarted,
        history: &[HistoryEvent],
    ) -> Result<Execution, Stall> {
        let mut execution = self.begin(key, started)?;
        execution.replay(history)?;
        Ok(execution)
    }

    /// The same as a twin, which compares everything from this event on.
    ///
    /// # Errors
    /// As [`replay`](Self::replay).
    pub(crate) fn twin(
        &self,
        key: InstanceKey,
        started: &ExecutionStarted,
        history: &[HistoryEvent],
        since: Sequence,
    ) -> Result<Execution, Stall> {
        let mut twin = self.begin(key, started)?.into_twin(since);
        twin.replay(history)?;
        Ok(twin)
    }

    fn begin(&self, key: InstanceKey, started: &ExecutionStarted) -> Result<Execution, Stall> {
        let version = started.version.as_deref();
        let entry = self.registry.runs(&started.name, version, self.versions);
        let entry = entry.ok_or_else(|| {
            Stall::unregistered(self.registry.unknown_orchestrator(&started.name, version))
        })?;
        let identity = Identity {
            store: self.store,
            key,
            build: self.build,
        };
        let defaults: Arc<dyn DefaultVersions> = Arc::<Registry>::clone(&self.registry);
        let execution = Execution::new(identity, Arc::clone(&entry.code));
        let execution = execution.with_versions(defaults);
        Ok(execution.with_payload_limit(self.payload_limit))
    }

    /// The stall of an instance that waits for an activity which is not registered. A replay does not tell: it runs none.
    pub(crate) fn lacks(&self, history: &[HistoryEvent]) -> Option<Stall> {
        let mut outstanding = Outstanding::default();
        for event in history {
            outstanding.apply(event);
        }
        let mut names = outstanding
            .activities
            .values()
            .map(|scheduled| &scheduled.name);
        let name = names.find(|name| self.registry.find_activity(name).is_none())?;
        Some(Stall::unregistered(self.registry.unknown_activity(name)))
    }
}

/// A stall as people read it. `place` tells where in the source a recorded command was asked for.
pub(crate) fn report(
    stall: &Stall,
    started: &ExecutionStarted,
    place: impl Fn(BuildId, SiteId) -> Option<String>,
) -> String {
    let Some(divergence) = &stall.divergence else {
        return stall.report.clone();
    };
    let recorded = divergence.recorded.as_ref();
    let origin = recorded.and_then(|recorded| recorded.origin);
    let place = origin.and_then(|(build, site)| place(build, site));
    let whose = Some((&started.instance, started.execution));
    divergence.render(place.as_deref(), whose)
}
