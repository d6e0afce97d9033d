//! What is outstanding when a store is opened, and what follows from it.
//!
//! Nothing is replayed here: timers are armed, activities without an outcome are run again, children and parents that
//! missed each other are brought together. An instance comes back into memory when something reaches it.

mod orphans;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::orphans::Orphans;
use crate::clock::Timestamp;
use crate::engine::committer::{
    Bonds, cancel_request, child_conflict, child_outcome, sent_event, unreadable,
};
use crate::engine::message::{CommandRef, Effects, Incoming, ShardInput, Task, TimerRef};
use crate::engine::suspects::{self, Accused, Held, Judge, Suspect, Verdict};
use crate::event::{ActivityScheduled, Ended, Parent};
use crate::failure::{Failure, Outcome};
use crate::id::{BuildId, InstanceId, InstanceKey};
use crate::store::{
    Outstanding, Reader, Recovered, Store, StoreError, Summary, Suspicion, Unfinished,
};

/// What an engine starts with.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) effects: Effects,
    /// Who waits for whom, and what is on its way.
    pub(crate) bonds: Bonds,
    /// What is held against what, to record before anything runs.
    pub(crate) held: Vec<Held>,
    /// What will be held against the first turns of those that wait for something.
    pub(crate) first_turns: Vec<(InstanceKey, Suspicion)>,
    /// Whose turns are given up, with the report.
    pub(crate) poisoned: BTreeMap<InstanceKey, String>,
}

impl Plan {
    /// Records what is held against what.
    ///
    /// # Errors
    /// Of the store.
    pub(crate) fn record(&self, store: &mut Store, now: Timestamp) -> Result<(), StoreError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let mut transaction = store.begin(now)?;
        for (key, event, suspicion) in &self.held {
            transaction.set_suspect(*key, *event, *suspicion);
        }
        transaction.commit()
    }
}

/// Works out what follows from what was found.
///
/// # Errors
/// The store could not be read.
pub(crate) fn plan(
    recovered: &Recovered,
    reader: &Reader,
    build: BuildId,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let open: BTreeMap<InstanceKey, &Outstanding> = recovered
        .instances
        .iter()
        .map(|unfinished| (unfinished.key, &unfinished.outstanding))
        .collect();
    let mut planner = Planner {
        recovered,
        reader,
        now,
        open,
        judge: Judge::new(recovered, build),
        orphans: Orphans::new(reader),
        plan: Plan::default(),
    };
    for unfinished in &recovered.instances {
        planner.instance(unfinished)?;
    }
    for sent in &recovered.sent {
        planner.plan.bonds.send(sent);
        planner.send(sent_event(sent.clone()));
    }
    let mut plan = planner.plan;
    plan.held = planner.judge.records;
    Ok(plan)
}

struct Planner<'a> {
    recovered: &'a Recovered,
    reader: &'a Reader,
    now: Timestamp,
    open: BTreeMap<InstanceKey, &'a Outstanding>,
    judge: Judge<'a>,
    orphans: Orphans<'a>,
    plan: Plan,
}

impl Planner<'_> {
    fn instance(&mut self, unfinished: &Unfinished) -> Result<(), StoreError> {
        let Unfinished {
            key,
            parent,
            outstanding,
        } = unfinished;
        let (key, execution) = (*key, outstanding.execution);
        let command = |scheduled| CommandRef {
            instance: key,
            execution,
            scheduled,
        };
        self.turn(key, outstanding)?;
        for (id, due) in &outstanding.timers {
            self.plan
                .effects
                .arm
                .push((TimerRef::Durable(command(*id)), *due));
        }
        if !outstanding.activities.is_empty() {
            let summary = self.summary(key)?;
            for (id, scheduled) in &outstanding.activities {
                self.activity(command(*id), &summary, scheduled);
            }
        }
        for (id, child) in &outstanding.children {
            self.child(command(*id), child)?;
        }
        for (id, awaited) in &outstanding.awaited {
            self.awaited(command(*id), awaited)?;
        }
        // What it was told it keeps, also while it is stalled.
        if let Some(parent) = parent.as_ref().filter(|parent| !self.waits(parent))
            && !self.orphans.goes_on(parent)?
            && !outstanding.cancel_requested
        {
            self.plan.bonds.dismiss(key, parent.key);
            self.send(cancel_request(key, self.now));
        }
        Ok(())
    }

    /// Has a turn run, if one is due.
    fn turn(&mut self, key: InstanceKey, outstanding: &Outstanding) -> Result<(), StoreError> {
        if let Some(at) = outstanding.start_at.filter(|at| *at > self.now) {
            self.plan.effects.arm.push((TimerRef::Begin(key), at));
            return Ok(());
        }
        // Whoever resumes it has a turn run, unless that is given up.
        if outstanding.suspended {
            if let Some(deaths) = self.judge.given_up(key) {
                self.give_up(key, deaths)?;
            }
            return Ok(());
        }
        if outstanding.undelivered == 0 && !outstanding.stalled {
            let held = self.judge.first_turn();
            self.plan.first_turns.extend(held.map(|held| (key, held)));
            return Ok(());
        }
        match self.judge.judge(key, None) {
            Verdict::Free { .. } => self.send(ShardInput::Incoming(key, Incoming::Wake)),
            Verdict::Suspect(suspicion) => self.suspect(Accused::Turn(key), suspicion),
            Verdict::Guilty { deaths } => {
                self.give_up(key, deaths)?;
                // Has that recorded, if it is not.
                self.send(ShardInput::Incoming(key, Incoming::Wake));
            }
        }
        Ok(())
    }

    /// What is seen of an instance that has not ended.
    fn summary(&self, key: InstanceKey) -> Result<Arc<Summary>, StoreError> {
        let summary = self.reader.shared_summary(key)?;
        summary.ok_or_else(|| {
            StoreError::damaged(format!("row {} of `instances`", key.0), "it is missing")
        })
    }

    /// Has none of its turns run.
    fn give_up(&mut self, key: InstanceKey, deaths: u16) -> Result<(), StoreError> {
        let report = suspects::report(&self.summary(key)?.name, deaths);
        self.plan.poisoned.insert(key, report);
        Ok(())
    }

    /// Runs an activity that has no outcome.
    fn activity(&mut self, command: CommandRef, summary: &Summary, scheduled: &ActivityScheduled) {
        let verdict = self.judge.judge(command.instance, Some(scheduled.id));
        let task = |deaths: u32| Task {
            command,
            instance: summary.id.clone(),
            version: summary.version.clone(),
            scheduled: scheduled.clone(),
            trace: summary.trace.clone(),
            // A clean stop counts nothing, but may have stopped it half-way.
            delivery: deaths.saturating_add(1 + u32::from(self.recovered.clean)),
            queued_at: Duration::ZERO,
        };
        match verdict {
            Verdict::Free { deaths } => {
                let task = task(deaths);
                self.plan.effects.run.push(task);
            }
            Verdict::Suspect(suspicion) => {
                let task = task(suspicion.deaths);
                self.suspect(Accused::Activity(Box::new(task)), suspicion);
            }
            Verdict::Guilty { deaths } => {
                let fault = suspects::given_up(&scheduled.name, deaths);
                tracing::error!(instance = %summary.id, "{fault}");
                let outcome = Outcome::Failed(Failure::Fault(fault));
                let failed = Ended::Activity.with(outcome, scheduled.id, self.now);
                let arrival = Incoming::unasked(failed, Some(command.execution));
                self.send(ShardInput::Incoming(command.instance, arrival));
            }
        }
    }

    fn suspect(&mut self, accused: Accused, suspicion: Suspicion) {
        let suspects = &mut self.plan.effects.suspects;
        suspects.push(Suspect { accused, suspicion });
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
                self.send(unreadable(waiter, "a child of it", &error));
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
                    Some(outcome) => {
                        self.plan.bonds.tell(waiter, key);
                        self.send(child_outcome(waiter, outcome, self.now));
                    }
                    None => {
                        self.plan.bonds.adopt(waiter, key);
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

    /// An instance that ended while who waits for it was not told delivers its outcome now.
    fn awaited(&mut self, waiter: CommandRef, id: &InstanceId) -> Result<(), StoreError> {
        let found = self.find(id);
        let found = found.map(|found| found.map(|(key, summary)| (key, summary.outcome)));
        let told = self.plan.bonds.ask(waiter, id, found, self.now)?;
        self.plan.effects.to_shards.extend(told);
        Ok(())
    }

    fn find(&self, id: &InstanceId) -> Result<Option<(InstanceKey, Summary)>, StoreError> {
        let Some(key) = self.reader.find(id)? else {
            return Ok(None);
        };
        let summary = self.reader.summary(key)?;
        Ok(summary.map(|summary| (key, summary)))
    }

    fn send(&mut self, input: ShardInput) {
        self.plan.effects.to_shards.push(input);
    }
}
