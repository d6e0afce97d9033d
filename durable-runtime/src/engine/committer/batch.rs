//! One batch: what everybody submitted becomes one transaction, and what follows from it is gathered beside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::arrivals::{cancel_request, child_conflict, child_outcome};
use super::between;
use super::bonds::Bonds;
use crate::clock::Timestamp;
use crate::engine::message::{
    CommandRef, Delivered, Effects, Incoming, ShardInput, Start, Started, Submission, Task,
    TimerRef, TurnCommit, TurnCommitEnd,
};
use crate::engine::observe::Observer;
use crate::event::{
    Cancelled, ChildScheduled, ExecutionStarted, HistoryEvent, Parent, Pending, REPLAY_SEMANTICS,
    StallReason,
};
use crate::failure::{Failure, Outcome};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::store::{Created, StoreError, Summary, Transaction, chain};
use crate::trace::Lineage;

/// One transaction while it is put together.
pub(super) struct Batch {
    pub(super) now: Timestamp,
    build: BuildId,
    pub(super) observer: Arc<Observer>,
    /// What follows, once it is all on disk.
    pub(super) effects: Effects,
    /// Whose summaries change.
    pub(super) touched: Vec<InstanceKey>,
}

/// What a batch is put together in.
pub(super) struct Stage<'a, 's> {
    pub(super) transaction: &'a mut Transaction<'s>,
    pub(super) bonds: &'a mut Bonds,
}

impl Batch {
    pub(super) fn new(now: Timestamp, build: BuildId, observer: Arc<Observer>) -> Self {
        Self {
            now,
            build,
            observer,
            effects: Effects::default(),
            touched: Vec::new(),
        }
    }

    /// Adds a submission that writes.
    ///
    /// # Errors
    /// [`StoreError`] of the database. Replies are kept with the effects.
    pub(super) fn write(
        &mut self,
        stage: &mut Stage<'_, '_>,
        write: Submission,
    ) -> Result<(), StoreError> {
        match write {
            Submission::Start(start) => self.start(stage, *start),
            Submission::Turn(turn) => self.turn(stage, *turn),
            Submission::Control(control) => self.control(stage, *control),
            Submission::Mark(marks, reply) => {
                for ((key, event), held) in marks {
                    match held {
                        Some(suspicion) => stage.transaction.set_suspect(key, event, suspicion),
                        None => stage.transaction.clear_suspect(key, event),
                    }
                }
                self.effects.answer(reply, ());
                Ok(())
            }
            Submission::Purge(purge) => self.purge(stage, purge),
            Submission::Rewind(request) => self.rewind(stage, *request),
            Submission::Watch(_) | Submission::Probe(_) => Ok(()),
        }
    }

    fn start(&mut self, stage: &mut Stage<'_, '_>, start: Start) -> Result<(), StoreError> {
        let Start {
            mut started,
            reuse,
            reply,
        } = start;
        started.at = self.now;
        let (name, version) = (started.name.clone(), started.version.clone());
        let input = started.input.clone();
        let start_at = started.start_at;
        let created = match self.make_room(stage, &started.instance, reuse) {
            Ok(None) => stage.transaction.create(started),
            Ok(Some(answer)) => {
                self.effects.answer(reply, answer);
                return Ok(());
            }
            Err(error) => Err(error),
        };
        let answer = match created {
            Ok(Created::New(key)) => {
                self.created(stage.transaction, key, start_at);
                Started::Created(key)
            }
            Ok(Created::Existing(key, there)) => {
                match there.differs_from(&name, version.as_deref(), &input) {
                    Some(difference) => Started::Conflict { difference },
                    None => Started::Attached(key),
                }
            }
            Err(error) if error.is_of_one_instance() => Started::Unreadable(error),
            Err(error) => {
                self.effects.keep(reply);
                return Err(error);
            }
        };
        self.effects.answer(reply, answer);
        Ok(())
    }

    fn turn(&mut self, stage: &mut Stage<'_, '_>, turn: TurnCommit) -> Result<(), StoreError> {
        let transaction = &mut *stage.transaction;
        match transaction.append_next(&turn.frame, &turn.events) {
            Ok(true) => {}
            Ok(false) => return self.overtaken(stage, turn),
            Err(error) => return self.refuse(turn, error),
        }
        self.appended(transaction, turn.key, turn.is_first, &turn.events);
        let key = turn.key;
        for reply in turn.replies {
            self.effects.answer(reply, Delivered::Recorded);
        }
        for event in &turn.events {
            acquit(transaction, key, event);
        }
        for (site, place) in &turn.places {
            transaction.place(self.build, *site, place.spot());
        }
        between::receive(stage, key, turn.execution, &turn.events);
        let behind = turn.frame.end();
        let mut origin = Origin {
            lineage: stage.transaction.lineage(key, turn.execution),
            instance: turn.instance,
            key,
            execution: turn.execution,
            tags: turn.child_tags.into_iter().collect(),
            answers: Vec::new(),
        };
        let withdrawn = withdrawn(&turn.events, &turn.end);
        let mut outcome = None;
        for event in turn.events {
            if let HistoryEvent::ExecutionCompleted(completed) = event {
                outcome = Some(completed.outcome);
            } else if !command_of(&event).is_some_and(|id| withdrawn.contains(&id)) {
                self.effect_of(stage, &mut origin, event)?;
            }
        }
        self.touched.push(key);
        self.answer_behind(stage, &mut origin, behind)?;
        let abandoned = self.end(stage, &origin, turn.end, outcome)?;
        for cancelled in abandoned {
            self.cancel(stage.bonds, &origin, cancelled);
        }
        Ok(())
    }

    /// Appends the answers to the turn's own commands behind it, and lets the instance go on with them.
    fn answer_behind(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &mut Origin,
        behind: Sequence,
    ) -> Result<(), StoreError> {
        let answers = std::mem::take(&mut origin.answers);
        let is_answered = !answers.is_empty();
        if is_answered {
            (stage.transaction).append(origin.key, origin.execution, behind, &answers)?;
        }
        let committed = ShardInput::Committed(origin.key, answers);
        self.effects.to_shards.push(committed);
        if is_answered {
            let wake = ShardInput::Incoming(origin.key, Incoming::Wake);
            self.effects.to_shards.push(wake);
        }
        Ok(())
    }

    /// Drops the turn of an instance whose own row is damaged: nothing of it is in the transaction yet, and all others go on.
    fn refuse(&mut self, turn: TurnCommit, error: StoreError) -> Result<(), StoreError> {
        if !error.is_of_one_instance() {
            turn.replies
                .into_iter()
                .for_each(|reply| self.effects.keep(reply));
            return Err(error);
        }
        let report = chain(&error);
        tracing::error!(instance = %turn.instance, "a turn cannot be recorded: {report}");
        self.effects.to_shards.push(ShardInput::Refused(turn.key));
        for reply in turn.replies {
            (self.effects).answer(reply, Delivered::Unreadable(report.clone()));
        }
        Ok(())
    }

    /// What follows from one event. Arrivals caused the turn and have no effect beyond it.
    fn effect_of(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &mut Origin,
        event: HistoryEvent,
    ) -> Result<(), StoreError> {
        match event {
            HistoryEvent::ActivityScheduled(scheduled) => {
                let command = origin.command(scheduled.id);
                let instance = origin.instance.clone();
                let version = stage.transaction.version(origin.key)?;
                self.effects.run.push(Task {
                    command,
                    instance,
                    version,
                    scheduled,
                    trace: origin.lineage.given().cloned(),
                    delivery: 1,
                    queued_at: Duration::ZERO,
                });
            }
            HistoryEvent::TimerCreated(timer) => {
                self.effects
                    .arm
                    .push((TimerRef::Durable(origin.command(timer.id)), timer.due));
            }
            HistoryEvent::ChildScheduled(child) => self.child(stage, origin, child)?,
            HistoryEvent::DetachedScheduled(command) => {
                self.start_detached(stage, origin, command)?;
            }
            HistoryEvent::DetachedAwaited(command) => {
                self.await_outcome(stage, origin, &command)?;
            }
            HistoryEvent::EventSent(command) => self.send_event(stage, origin, command)?,
            HistoryEvent::Cancelled(cancelled) => self.cancel(stage.bonds, origin, cancelled),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn child(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        child: ChildScheduled,
    ) -> Result<(), StoreError> {
        let command = origin.command(child.id);
        let parent = Parent {
            instance: origin.instance.clone(),
            key: origin.key,
            execution: origin.execution,
            scheduled: child.id,
        };
        let subject = child.instance.clone();
        let started = ExecutionStarted {
            at: self.now,
            instance: child.instance,
            execution: ExecutionId::FIRST,
            name: child.name,
            version: child.version,
            input: child.input,
            parent: Some(parent),
            tags: origin.tags_of(child.id),
            trace: Some(origin.lineage.command(child.id)),
            replay_semantics: REPLAY_SEMANTICS,
            request: None,
            start_at: None,
        };
        match stage.transaction.create(started) {
            Ok(Created::New(key)) => {
                stage.bonds.adopt(command, key);
                self.created(stage.transaction, key, None);
            }
            Ok(Created::Existing(..)) => self.deliver_conflict(command, &subject),
            // What has the id cannot be read, but that it is taken is certain.
            Err(error) if error.is_of_one_instance() => self.deliver_conflict(command, &subject),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Follows up the end of an execution; returns what it left open.
    fn end(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        end: TurnCommitEnd,
        outcome: Option<Outcome>,
    ) -> Result<Vec<Cancelled>, StoreError> {
        match end {
            TurnCommitEnd::Open => Ok(Vec::new()),
            TurnCommitEnd::Due(held) => {
                if let Some(suspicion) = held {
                    (stage.transaction).set_suspect(origin.key, None, suspicion);
                }
                self.begin(origin.key);
                Ok(Vec::new())
            }
            TurnCommitEnd::Completed { parent, abandoned } => {
                let Some(outcome) = outcome else {
                    return Ok(abandoned);
                };
                self.outlive(stage, origin, &outcome);
                if let Some(parent) = parent {
                    let waiter = waiter(&parent);
                    // One that does not wait for it any more is told nothing.
                    if stage.bonds.part(waiter).is_some() {
                        stage.bonds.tell(waiter, origin.key);
                        self.deliver_outcome(waiter, outcome);
                    }
                }
                Ok(abandoned)
            }
            TurnCommitEnd::Continued {
                next,
                carried,
                abandoned,
            } => {
                let execution = next.execution;
                let mut events = vec![HistoryEvent::ExecutionStarted(next)];
                events.extend(carried);
                (stage.transaction).append(origin.key, execution, Sequence(0), &events)?;
                self.begin(origin.key);
                Ok(abandoned)
            }
        }
    }

    fn cancel(&mut self, bonds: &mut Bonds, origin: &Origin, cancelled: Cancelled) {
        let command = origin.command(cancelled.scheduled);
        match cancelled.pending {
            Pending::Activity => self.effects.cancel.push(command),
            Pending::Timer => self.effects.disarm.push(TimerRef::Durable(command)),
            Pending::Child => {
                if let Some(child) = bonds.part(command) {
                    bonds.dismiss(child, origin.key);
                    self.effects.to_shards.push(cancel_request(child, self.now));
                }
            }
            // What was not withdrawn with its own turn is answered already.
            Pending::Start => {}
            Pending::End => bonds.lose_interest(command),
        }
    }

    /// A new instance is to run its first turn, at once or not before `start_at`.
    pub(super) fn begin_at(&mut self, key: InstanceKey, start_at: Option<Timestamp>) {
        match start_at {
            Some(at) if at > self.now => {
                self.touched.push(key);
                self.effects.arm.push((TimerRef::Begin(key), at));
            }
            _ => self.begin(key),
        }
    }

    /// The instance has something recorded that no turn has delivered yet: it is to run one.
    pub(super) fn begin(&mut self, key: InstanceKey) {
        self.touched.push(key);
        self.effects
            .to_shards
            .push(ShardInput::Incoming(key, Incoming::Wake));
    }

    fn deliver_conflict(&mut self, waiter: CommandRef, child: &InstanceId) {
        let fault = child_conflict(child.as_str());
        self.deliver_outcome(waiter, Outcome::Failed(Failure::Fault(fault)));
    }

    pub(super) fn deliver_outcome(&mut self, waiter: CommandRef, outcome: Outcome) {
        self.effects
            .to_shards
            .push(child_outcome(waiter, outcome, self.now));
    }
}

/// Holds nothing more against what has come to its end with this event: the process did not die of it.
pub(super) fn acquit(transaction: &mut Transaction<'_>, key: InstanceKey, event: &HistoryEvent) {
    match event {
        HistoryEvent::ActivityCompleted(done) => {
            transaction.clear_suspect(key, Some(done.scheduled));
        }
        HistoryEvent::ActivityFailed(failed) => {
            transaction.clear_suspect(key, Some(failed.scheduled));
        }
        HistoryEvent::Cancelled(cancelled) => {
            transaction.clear_suspect(key, Some(cancelled.scheduled));
        }
        HistoryEvent::TurnStarted(_) => transaction.clear_suspect(key, None),
        // A stall says that the turn was run, but for this one, which says that it is not.
        HistoryEvent::ExecutionStalled(stalled) if stalled.reason != StallReason::Poisoned => {
            transaction.clear_suspect(key, None);
        }
        event if event.is_terminal() => transaction.clear_suspects(key),
        _ => {}
    }
}

/// The commands that this turn withdraws. One that it asked for itself is on record, but never starts.
fn withdrawn(events: &[HistoryEvent], end: &TurnCommitEnd) -> BTreeSet<EventId> {
    let dropped = events.iter().filter_map(|event| match event {
        HistoryEvent::Cancelled(cancelled) => Some(cancelled.scheduled),
        _ => None,
    });
    let abandoned = match end {
        TurnCommitEnd::Open | TurnCommitEnd::Due(_) => &[][..],
        TurnCommitEnd::Completed { abandoned, .. } | TurnCommitEnd::Continued { abandoned, .. } => {
            abandoned
        }
    };
    dropped
        .chain(abandoned.iter().map(|cancelled| cancelled.scheduled))
        .collect()
}

/// The number of a command that starts something.
fn command_of(event: &HistoryEvent) -> Option<EventId> {
    match event {
        HistoryEvent::ActivityScheduled(command) => Some(command.id),
        HistoryEvent::TimerCreated(command) => Some(command.id),
        HistoryEvent::ChildScheduled(command) => Some(command.id),
        HistoryEvent::DetachedScheduled(command) => Some(command.id),
        HistoryEvent::DetachedAwaited(command) => Some(command.id),
        _ => None,
    }
}

/// The command of the parent that waits for a child.
pub(super) fn waiter(parent: &Parent) -> CommandRef {
    CommandRef {
        instance: parent.key,
        execution: parent.execution,
        scheduled: parent.scheduled,
    }
}

/// Whose turn it is.
pub(super) struct Origin {
    pub(super) instance: InstanceId,
    pub(super) key: InstanceKey,
    pub(super) execution: ExecutionId,
    /// What the spans of what it causes are derived from.
    pub(super) lineage: Lineage,
    /// The labels of the instances that it starts.
    tags: BTreeMap<EventId, BTreeMap<String, String>>,
    /// What its own commands are answered by this very commit.
    pub(super) answers: Vec<HistoryEvent>,
}

impl Origin {
    /// Of an instance of which no turn is written.
    pub(super) fn silent(stage: &Stage<'_, '_>, key: InstanceKey, summary: &Summary) -> Self {
        let (instance, execution) = (summary.id.clone(), summary.execution);
        Self {
            lineage: stage.transaction.lineage(key, execution),
            instance,
            key,
            execution,
            tags: BTreeMap::new(),
            answers: Vec::new(),
        }
    }

    pub(super) fn tags_of(&self, command: EventId) -> BTreeMap<String, String> {
        self.tags.get(&command).cloned().unwrap_or_default()
    }

    /// The id of an event that it sends. Nobody else can make it: the sign in front is the engine's.
    pub(super) fn event_id(&self, command: EventId) -> String {
        format!("~{}/{}/{command}", self.instance, self.execution)
    }

    pub(super) fn command(&self, scheduled: EventId) -> CommandRef {
        CommandRef {
            instance: self.key,
            execution: self.execution,
            scheduled,
        }
    }
}
