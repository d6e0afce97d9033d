//! What a turn has to do with instances that are no relatives: it starts them, waits for them, and sends them events.
//!
//! Source: `docs/design.md`, "Detached instances" and "Events between instances".

use super::arrivals::{detached_outcome, sent_event};
use super::batch::{Batch, Origin, Stage};
use crate::event::{
    DetachedAwaited, DetachedScheduled, DetachedStarted, EventRaised, EventSent, ExecutionStarted,
    Failed, HistoryEvent, REPLAY_SEMANTICS,
};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{ExecutionId, InstanceKey};
use crate::store::{Created, Sent, SentBy, StoreError};

impl Batch {
    /// Starts an instance, or finds it; what became of that is appended behind the turn that asked.
    pub(super) fn start_detached(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &mut Origin,
        command: DetachedScheduled,
    ) -> Result<(), StoreError> {
        let (scheduled, at) = (command.id, self.now);
        let subject = command.instance.clone();
        let conflict = |difference: &str| {
            let message = format!("the id belongs to {difference}; choose another with `.id(..)`");
            let fault = Fault::new(FaultKind::Conflict, subject.as_str(), message);
            HistoryEvent::DetachedRefused(Failed {
                scheduled,
                at,
                failure: Failure::Fault(fault),
            })
        };
        let started = |was_there| {
            HistoryEvent::DetachedStarted(DetachedStarted {
                scheduled,
                at,
                was_there,
            })
        };
        let (name, version) = (command.name.clone(), command.version.clone());
        let input = command.input.clone();
        let answer = match stage.transaction.create(self.first_event(origin, command)) {
            Ok(Created::New(key)) => {
                self.created(stage.transaction, key, None);
                started(false)
            }
            Ok(Created::Existing(_, there)) => {
                match there.differs_from(&name, version.as_deref(), &input) {
                    Some(difference) => conflict(&format!("an instance of {difference}")),
                    None => started(true),
                }
            }
            // What has the id cannot be read, but that it is taken is certain.
            Err(error) if error.is_of_one_instance() => conflict("an instance that is damaged"),
            Err(error) => return Err(error),
        };
        origin.answers.push(answer);
        Ok(())
    }

    fn first_event(&self, origin: &Origin, command: DetachedScheduled) -> ExecutionStarted {
        ExecutionStarted {
            at: self.now,
            instance: command.instance,
            execution: ExecutionId::FIRST,
            name: command.name,
            version: command.version,
            input: command.input,
            parent: None,
            tags: origin.tags_of(command.id),
            trace: Some(origin.lineage.command(command.id)),
            replay_semantics: REPLAY_SEMANTICS,
            request: None,
            start_at: None,
        }
    }

    /// Answers who waits for an instance, or notes it if the instance has not ended.
    pub(super) fn await_outcome(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        command: &DetachedAwaited,
    ) -> Result<(), StoreError> {
        let found = stage.transaction.look_up(&command.instance);
        let found = found.map(|found| found.map(|(key, summary)| (key, summary.outcome.clone())));
        let waiter = origin.command(command.id);
        let told = (stage.bonds).ask(waiter, &command.instance, found, self.now)?;
        self.effects.to_shards.extend(told);
        Ok(())
    }

    /// Sends an event on its way, if there is somebody to receive it.
    pub(super) fn send_event(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        command: EventSent,
    ) -> Result<(), StoreError> {
        let id = origin.event_id(command.id);
        let dropped = |why: &str| {
            tracing::warn!(
                sender = %origin.instance,
                receiver = %command.instance,
                event = %command.name,
                "an event was dropped: {why}"
            );
        };
        let to = match stage.transaction.look_up(&command.instance) {
            Ok(Some((_, summary))) if summary.has_ended() => {
                dropped("its receiver has ended");
                return Ok(());
            }
            Ok(Some((key, _))) => key,
            Ok(None) => {
                dropped("no instance has the receiver's id");
                return Ok(());
            }
            Err(error) if error.is_of_one_instance() => {
                dropped("what is recorded of its receiver is damaged");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let sent = Sent {
            by: SentBy {
                sender: origin.key,
                execution: origin.execution,
                command: command.id,
            },
            to,
            event: EventRaised {
                at: self.now,
                name: command.name,
                payload: command.payload,
                event: Some(id),
            },
        };
        stage.transaction.send(&sent)?;
        stage.bonds.send(&sent);
        self.effects.to_shards.push(sent_event(sent));
        Ok(())
    }

    /// An instance has ended: whoever waits for that is told, and what is on its way to it comes too late.
    pub(super) fn outlive(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        outcome: &Outcome,
    ) {
        stage.bonds.leaves(origin.key);
        for waiter in stage.bonds.take_awaiting(origin.key) {
            let arrival = detached_outcome(waiter, outcome.clone(), self.now);
            self.effects.to_shards.push(arrival);
        }
        for (id, by) in stage.bonds.take_sent(origin.key) {
            tracing::warn!(
                receiver = %origin.instance,
                event = id,
                "an event was dropped: its receiver has ended"
            );
            stage.transaction.arrived(by);
        }
    }
}

/// Notes what of all that was on its way to an instance is in its history now: outcomes, events that were sent, and that it
/// is to end.
pub(super) fn receive(
    stage: &mut Stage<'_, '_>,
    key: InstanceKey,
    execution: ExecutionId,
    events: &[HistoryEvent],
) {
    stage.bonds.heard_all(key, execution, events);
    let is_request = |event: &HistoryEvent| matches!(event, HistoryEvent::CancelRequested(_));
    if events.iter().any(is_request) {
        stage.bonds.leaves(key);
    }
    for by in stage.bonds.arrived(key, events) {
        stage.transaction.arrived(by);
    }
}
