//! Whose arrivals are recorded before any code of theirs runs.
//!
//! As a rule an arrival and its turn are one commit. Where the process has died, or a suspect is on trial, what has arrived is
//! recorded first: then a turn that takes the process down is found as a turn that was due, and is not held against whatever
//! had arrived.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::StallReason;
use crate::id::InstanceKey;
use crate::store::Suspicion;

/// Instances that are not run as others are.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    kept: Mutex<Kept>,
    is_used: AtomicBool,
    /// Of whom no turn is run, and why.
    refused: Mutex<HashMap<InstanceKey, (StallReason, String)>>,
}

#[derive(Debug, Default)]
struct Kept {
    instances: HashMap<InstanceKey, Guarded>,
    /// Whether all others are guarded as well.
    is_everybody: bool,
    /// But this one, whose turn is on trial.
    spared: Option<InstanceKey>,
}

/// An instance whose next arrivals are recorded first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guarded {
    /// What is then held against the turn that delivers them, if anything.
    pub(crate) held: Option<Suspicion>,
}

impl Guard {
    /// Guards the first turns of these, and runs none of those that are `poisoned`.
    pub(crate) fn new(
        first_turns: impl IntoIterator<Item = (InstanceKey, Suspicion)>,
        poisoned: BTreeMap<InstanceKey, String>,
    ) -> Self {
        let first_turns = first_turns.into_iter();
        let instances: HashMap<_, _> = first_turns
            .map(|(key, held)| (key, Guarded { held: Some(held) }))
            .collect();
        Self {
            is_used: AtomicBool::new(!instances.is_empty()),
            kept: Mutex::new(Kept {
                instances,
                ..Kept::default()
            }),
            refused: Mutex::new(
                poisoned
                    .into_iter()
                    .map(|(key, report)| (key, (StallReason::Poisoned, report)))
                    .collect(),
            ),
        }
    }

    /// Has all arrivals recorded first from now on.
    pub(crate) fn keep_everybody(&self) {
        self.lock().is_everybody = true;
        self.is_used.store(true, Ordering::Release);
    }

    /// The turn of this instance is on trial, or none is: what arrives for it is not kept from it.
    pub(crate) fn spare(&self, key: Option<InstanceKey>) {
        self.lock().spared = key;
    }

    /// Has no more arrivals recorded first than those of the instances that are guarded for themselves.
    pub(crate) fn relax(&self) {
        let mut kept = self.lock();
        (kept.is_everybody, kept.spared) = (false, None);
    }

    /// Whether the next arrivals of this instance are to be recorded first; that is asked once each time.
    pub(crate) fn take(&self, key: InstanceKey) -> Option<Guarded> {
        if !self.is_used.load(Ordering::Acquire) {
            return None;
        }
        let mut kept = self.lock();
        let held = kept.instances.remove(&key);
        if kept.is_everybody {
            let is_spared = kept.spared == Some(key);
            return (!is_spared).then(|| held.unwrap_or_default());
        }
        if kept.instances.is_empty() {
            self.is_used.store(false, Ordering::Release);
        }
        held
    }

    /// Runs no turn of this instance any more, for this reason.
    pub(crate) fn refuse(&self, key: InstanceKey, reason: StallReason, report: String) {
        self.refused().insert(key, (reason, report));
    }

    /// Why no turn of this instance is run, if none is.
    pub(crate) fn refusal(&self, key: InstanceKey) -> Option<(StallReason, String)> {
        self.refused().get(&key).cloned()
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<InstanceKey, (StallReason, String)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
