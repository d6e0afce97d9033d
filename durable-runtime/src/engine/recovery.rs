//! What is outstanding when a store is opened, and what follows from it.
//!
//! Nothing is replayed here: timers are armed, activities without an outcome are run again, children and parents that
//! missed each other are brought together. An instance comes back into memory when something reaches it.

use std::collections::{BTreeMap, HashMap};

use crate::clock::Timestamp;
use crate::engine::committer::{cancel_request, child_conflict, child_outcome};
use crate::engine::message::{CommandRef, Effects, Incoming, ShardInput, Task, TimerRef};
use crate::event::{Parent, StallReason};
use crate::failure::{Failure, Outcome};
use crate::id::{EventId, InstanceId, InstanceKey};
use crate::store::{Outstanding, Reader, Recovered, StoreError, Summary, chain};

/// What an engine starts with.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) effects: Effects,
    /// Running children by the command that waits for them.
    pub(crate) children: HashMap<CommandRef, InstanceKey>,
    /// Crash counts to record before anything runs; empty after a clean stop.
    pub(crate) suspects: Vec<(InstanceKey, Option<EventId>, u32)>,
}

/// Works out what follows from what was found.
///
/// # Errors
/// The store could not be read.
pub(crate) fn plan(
    recovered: &Recovered,
    reader: &Reader,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let open: BTreeMap<InstanceKey, &Outstanding> = recovered
        .instances
        .iter()
        .map(|(key, _, outstanding)| (*key, outstanding))
        .collect();
    let mut planner = Planner {
        recovered,
        reader,
        now,
        open,
        plan: Plan::default(),
    };
    for (key, summary, outstanding) in &recovered.instances {
        planner.instance(*key, summary, outstanding)?;
    }
    Ok(planner.plan)
}

struct Planner<'a> {
    recovered: &'a Recovered,
    reader: &'a Reader,
    now: Timestamp,
    open: BTreeMap<InstanceKey, &'a Outstanding>,
    plan: Plan,
}

impl Planner<'_> {
    fn instance(
        &mut self,
        key: InstanceKey,
        summary: &Summary,
        outstanding: &Outstanding,
    ) -> Result<(), StoreError> {
        let execution = outstanding.execution;
        let command = |scheduled| CommandRef {
            instance: key,
            execution,
            scheduled,
        };
        if outstanding.undelivered > 0 || outstanding.stalled {
            self.suspect(key, None);
            self.send(ShardInput::Incoming(key, Incoming::Wake));
        }
        for (id, due) in &outstanding.timers {
            self.plan
                .effects
                .arm
                .push((TimerRef::Durable(command(*id)), *due));
        }
        for (id, scheduled) in &outstanding.activities {
            let deaths = self.suspect(key, Some(*id));
            // A clean stop counts nothing, but may have stopped it half-way.
            let unheard = 1 + u32::from(self.recovered.clean);
            let instance = summary.id.clone();
            let task = Task {
                command: command(*id),
                instance,
                scheduled: scheduled.clone(),
                delivery: deaths.saturating_add(unheard),
            };
            self.plan.effects.run.push(task);
        }
        for (id, child) in &outstanding.children {
            self.child(command(*id), child)?;
        }
        let is_orphan = (summary.parent.as_ref()).is_some_and(|parent| !self.waits(parent));
        // What it was told it keeps, also while it is stalled.
        if is_orphan && !outstanding.cancel_requested {
            self.send(cancel_request(key, self.now));
        }
        Ok(())
    }

    /// Whether the parent still waits for this child.
    fn waits(&self, parent: &Parent) -> bool {
        self.open.get(&parent.key).is_some_and(|outstanding| {
            outstanding.execution == parent.execution
                && outstanding.children.contains_key(&parent.scheduled)
        })
    }

    /// A child that ended while its parent was not told delivers its outcome now.
    fn child(&mut self, waiter: CommandRef, id: &InstanceId) -> Result<(), StoreError> {
        let found = match self.find(id) {
            Err(error) if error.is_of_one_instance() => {
                self.stall(waiter, &error);
                return Ok(());
            }
            found => found?,
        };
        let is_ours = |parent: &Parent| {
            parent.key == waiter.instance
                && parent.execution == waiter.execution
                && parent.scheduled == waiter.scheduled
        };
        match found {
            Some((key, summary)) if summary.parent.as_ref().is_some_and(is_ours) => {
                match summary.outcome {
                    Some(outcome) => self.send(child_outcome(waiter, outcome, self.now)),
                    None => {
                        self.plan.children.insert(waiter, key);
                    }
                }
            }
            _ => {
                let fault = Failure::Fault(child_conflict(id.as_str()));
                self.send(child_outcome(waiter, Outcome::Failed(fault), self.now));
            }
        }
        Ok(())
    }

    fn find(&self, id: &InstanceId) -> Result<Option<(InstanceKey, Summary)>, StoreError> {
        let Some(key) = self.reader.find(id)? else {
            return Ok(None);
        };
        let summary = self.reader.summary(key)?;
        Ok(summary.map(|summary| (key, summary)))
    }

    /// What a child came to cannot be read: its parent waits until that is mended.
    fn stall(&mut self, waiter: CommandRef, error: &StoreError) {
        let stall = Incoming::Stall {
            execution: waiter.execution,
            reason: StallReason::Damaged,
            report: format!("a child of it cannot be read: {}", chain(error)),
        };
        self.send(ShardInput::Incoming(waiter.instance, stall));
    }

    /// How often the process has died with this outstanding, now included.
    fn suspect(&mut self, key: InstanceKey, event: Option<EventId>) -> u32 {
        let before = self
            .recovered
            .suspects
            .get(&(key, event))
            .copied()
            .unwrap_or(0);
        if self.recovered.clean {
            return before;
        }
        let count = before.saturating_add(1);
        self.plan.suspects.push((key, event, count));
        count
    }

    fn send(&mut self, input: ShardInput) {
        self.plan.effects.to_shards.push(input);
    }
}
