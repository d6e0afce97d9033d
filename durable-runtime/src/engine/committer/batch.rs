//! One batch: what everybody submitted becomes one transaction, and what follows from it is gathered beside.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::clock::Timestamp;
use crate::engine::message::{
    CommandRef, Delivered, Effects, Incoming, ShardInput, Start, Started, Submission, Task,
    TimerRef, TurnCommit, TurnCommitEnd,
};
use crate::event::{
    Cancelled, ChildScheduled, Ended, ExecutionStarted, HistoryEvent, Parent, Pending,
    REPLAY_SEMANTICS,
};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::store::{Created, StoreError, Transaction, chain};

/// One transaction while it is put together.
pub(super) struct Batch {
    pub(super) now: Timestamp,
    build: BuildId,
    /// What follows, once it is all on disk.
    pub(super) effects: Effects,
    /// Whose summaries change.
    pub(super) touched: Vec<InstanceKey>,
}

impl Batch {
    pub(super) fn new(now: Timestamp, build: BuildId) -> Self {
        Self {
            now,
            build,
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
        transaction: &mut Transaction<'_>,
        write: Submission,
        children: &mut HashMap<CommandRef, InstanceKey>,
    ) -> Result<(), StoreError> {
        match write {
            Submission::Start(start) => self.start(transaction, *start),
            Submission::Turn(turn) => self.turn(transaction, *turn, children),
            Submission::Watch(_) | Submission::Probe(_) => Ok(()),
        }
    }

    fn start(&mut self, transaction: &mut Transaction<'_>, start: Start) -> Result<(), StoreError> {
        let Start { mut started, reply } = start;
        started.at = self.now;
        let (name, version) = (started.name.clone(), started.version.clone());
        let input = started.input.clone();
        let answer = match transaction.create(started) {
            Ok(Created::New(key)) => {
                self.begin(key);
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

    fn turn(
        &mut self,
        transaction: &mut Transaction<'_>,
        turn: TurnCommit,
        children: &mut HashMap<CommandRef, InstanceKey>,
    ) -> Result<(), StoreError> {
        if let Err(error) = transaction.append_encoded(&turn.frame, &turn.events) {
            return self.refuse(turn, error);
        }
        let key = turn.key;
        for reply in turn.replies {
            self.effects.answer(reply, Delivered::Recorded);
        }
        if turn.events.iter().any(is_progress) {
            transaction.clear_suspects(key);
        }
        for (site, place) in &turn.places {
            transaction.place(self.build, *site, place);
        }
        let origin = Origin {
            instance: turn.instance,
            key,
            execution: turn.execution,
            child_tags: turn.child_tags.into_iter().collect(),
        };
        let withdrawn = withdrawn(&turn.events, &turn.end);
        let mut outcome = None;
        for event in turn.events {
            if let HistoryEvent::ExecutionCompleted(completed) = event {
                outcome = Some(completed.outcome);
            } else if !command_of(&event).is_some_and(|id| withdrawn.contains(&id)) {
                self.effect_of(transaction, &origin, event, children)?;
            }
        }
        self.touched.push(key);
        self.effects.to_shards.push(ShardInput::Committed(key));
        if let TurnCommitEnd::Completed {
            parent: Some(parent),
            ..
        } = &turn.end
        {
            children.remove(&waiter(parent));
        }
        let abandoned = self.end(transaction, &origin, turn.end, outcome)?;
        for cancelled in abandoned {
            self.cancel(&origin, cancelled, children);
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
        transaction: &mut Transaction<'_>,
        origin: &Origin,
        event: HistoryEvent,
        children: &mut HashMap<CommandRef, InstanceKey>,
    ) -> Result<(), StoreError> {
        match event {
            HistoryEvent::ActivityScheduled(scheduled) => {
                let command = origin.command(scheduled.id);
                let instance = origin.instance.clone();
                self.effects.run.push(Task {
                    command,
                    instance,
                    scheduled,
                    delivery: 1,
                });
            }
            HistoryEvent::TimerCreated(timer) => {
                self.effects
                    .arm
                    .push((TimerRef::Durable(origin.command(timer.id)), timer.due));
            }
            HistoryEvent::ChildScheduled(child) => {
                self.child(transaction, origin, child, children)?;
            }
            HistoryEvent::Cancelled(cancelled) => self.cancel(origin, cancelled, children),
            _ => {}
        }
        Ok(())
    }

    fn child(
        &mut self,
        transaction: &mut Transaction<'_>,
        origin: &Origin,
        child: ChildScheduled,
        children: &mut HashMap<CommandRef, InstanceKey>,
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
            tags: origin
                .child_tags
                .get(&child.id)
                .cloned()
                .unwrap_or_default(),
            trace: None,
            replay_semantics: REPLAY_SEMANTICS,
            request: None,
        };
        match transaction.create(started) {
            Ok(Created::New(key)) => {
                children.insert(command, key);
                self.begin(key);
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
        transaction: &mut Transaction<'_>,
        origin: &Origin,
        end: TurnCommitEnd,
        outcome: Option<Outcome>,
    ) -> Result<Vec<Cancelled>, StoreError> {
        match end {
            TurnCommitEnd::Open => Ok(Vec::new()),
            TurnCommitEnd::Completed { parent, abandoned } => {
                if let (Some(parent), Some(outcome)) = (parent, outcome) {
                    self.deliver_outcome(waiter(&parent), outcome);
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
                transaction.append(origin.key, execution, Sequence(0), &events)?;
                self.begin(origin.key);
                Ok(abandoned)
            }
        }
    }

    fn cancel(
        &mut self,
        origin: &Origin,
        cancelled: Cancelled,
        children: &mut HashMap<CommandRef, InstanceKey>,
    ) {
        let command = origin.command(cancelled.scheduled);
        match cancelled.pending {
            Pending::Activity => self.effects.cancel.push(command),
            Pending::Timer => self.effects.disarm.push(TimerRef::Durable(command)),
            Pending::Child => {
                if let Some(child) = children.remove(&command) {
                    self.effects.to_shards.push(cancel_request(child, self.now));
                }
            }
        }
    }

    /// The instance has something recorded that no turn has delivered yet: it is to run one.
    fn begin(&mut self, key: InstanceKey) {
        self.touched.push(key);
        self.effects
            .to_shards
            .push(ShardInput::Incoming(key, Incoming::Wake));
    }

    fn deliver_conflict(&mut self, waiter: CommandRef, child: &InstanceId) {
        let fault = child_conflict(child.as_str());
        self.deliver_outcome(waiter, Outcome::Failed(Failure::Fault(fault)));
    }

    fn deliver_outcome(&mut self, waiter: CommandRef, outcome: Outcome) {
        self.effects
            .to_shards
            .push(child_outcome(waiter, outcome, self.now));
    }
}

/// Whether the instance has come further with this event: a stall that comes or goes changes nothing of what waits.
fn is_progress(event: &HistoryEvent) -> bool {
    !matches!(
        event,
        HistoryEvent::TurnStarted(_) | HistoryEvent::ExecutionStalled(_)
    )
}

/// The commands that this turn withdraws. One that it asked for itself is on record, but never starts.
fn withdrawn(events: &[HistoryEvent], end: &TurnCommitEnd) -> BTreeSet<EventId> {
    let dropped = events.iter().filter_map(|event| match event {
        HistoryEvent::Cancelled(cancelled) => Some(cancelled.scheduled),
        _ => None,
    });
    let abandoned = match end {
        TurnCommitEnd::Open => &[][..],
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
        _ => None,
    }
}

/// The command of the parent that waits for a child.
fn waiter(parent: &Parent) -> CommandRef {
    CommandRef {
        instance: parent.key,
        execution: parent.execution,
        scheduled: parent.scheduled,
    }
}

/// The outcome of a child, on its way to the instance that waits for it.
pub(crate) fn child_outcome(waiter: CommandRef, outcome: Outcome, at: Timestamp) -> ShardInput {
    let event = Ended::Child.with(outcome, waiter.scheduled, at);
    let arrival = Incoming::unasked(event, Some(waiter.execution));
    ShardInput::Incoming(waiter.instance, arrival)
}

/// The fault of a child whose id is taken.
pub(crate) fn child_conflict(id: &str) -> Fault {
    let message = "the id belongs to another instance; choose another with `.id(..)`";
    Fault::new(FaultKind::Conflict, id, message)
}

/// The wish that a child end, since nobody waits for it any more.
pub(crate) fn cancel_request(child: InstanceKey, at: Timestamp) -> ShardInput {
    let reason = "its parent no longer waits for it".to_owned();
    let event = HistoryEvent::CancelRequested(crate::event::CancelRequested { at, reason });
    ShardInput::Incoming(child, Incoming::unasked(event, None))
}

/// Whose turn it is.
struct Origin {
    instance: InstanceId,
    key: InstanceKey,
    execution: ExecutionId,
    child_tags: BTreeMap<EventId, BTreeMap<String, String>>,
}

impl Origin {
    fn command(&self, scheduled: EventId) -> CommandRef {
        CommandRef {
            instance: self.key,
            execution: self.execution,
            scheduled,
        }
    }
}
