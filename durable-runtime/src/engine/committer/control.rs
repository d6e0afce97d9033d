//! What is done to an instance from outside, whatever its code does: it is ended, held, or let go on.
//!
//! No shard is asked: an instance whose turn does not end, or whose code does not fit its history, can be ended like any other.
//! The record stands between turns. A turn that is on its way to the disk meanwhile has been
//! [overtaken](super::overtaken).
//!
//! Source: `docs/design.md`, "Control from outside".

use std::sync::Arc;

use super::arrivals::dismissal;
use super::batch::{Batch, Origin, Stage, waiter};
use crate::engine::message::{Control, Controlled, Reach, ShardInput, Wish};
use crate::event::{ExecutionResumed, ExecutionSuspended, ExecutionTerminated, HistoryEvent};
use crate::id::{InstanceKey, Sequence};
use crate::store::{StoreError, Summary, chain};

impl Batch {
    /// Fulfils a wish and answers it.
    pub(super) fn control(
        &mut self,
        stage: &mut Stage<'_, '_>,
        control: Control,
    ) -> Result<(), StoreError> {
        let Control {
            key,
            wish,
            reason,
            reply,
        } = control;
        let controlled = match wish {
            Wish::Terminate(reach) => self.terminate(stage, key, &reason, reach),
            Wish::Suspend => self.hold(stage, key, true, reason),
            Wish::Resume => self.hold(stage, key, false, reason),
        };
        match controlled {
            Ok(controlled) => self.effects.answer(reply, controlled),
            Err(error) if error.is_of_one_instance() => {
                let report = chain(&error);
                self.effects.answer(reply, Controlled::Unreadable(report));
            }
            Err(error) => {
                self.effects.keep(reply);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Ends an instance, and as far as `reach` says those that it waits for, in this very commit.
    ///
    /// # Errors
    /// [`StoreError`]; if it is [of one instance](StoreError::is_of_one_instance), nothing is staged.
    pub(super) fn terminate(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        reason: &str,
        reach: Reach,
    ) -> Result<Controlled, StoreError> {
        let summary = match find(stage, key)? {
            Ok(summary) => summary,
            Err(controlled) => return Ok(controlled),
        };
        let mut below = self.cut_off(stage, key, &summary, reason)?;
        while reach == Reach::Tree
            && let Some(child) = below.pop()
        {
            match find(stage, child) {
                Ok(Ok(summary)) => below.extend(self.cut_off(stage, child, &summary, reason)?),
                // It has come to its end by itself.
                Ok(Err(_)) => {}
                Err(error) if error.is_of_one_instance() => {
                    let parent = &summary.id;
                    let report = chain(&error);
                    tracing::error!(%parent, child = child.0, "a child cannot be terminated: {report}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Controlled::Recorded)
    }

    /// Ends one instance; returns the children that it waited for, which go on.
    fn cut_off(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        summary: &Summary,
        reason: &str,
    ) -> Result<Vec<InstanceKey>, StoreError> {
        let ended = ExecutionTerminated {
            at: self.now,
            reason: reason.to_owned(),
        };
        let outcome = ended.outcome(&summary.name);
        self.note(
            stage,
            key,
            summary,
            HistoryEvent::ExecutionTerminated(ended),
        )?;
        self.effects.to_shards.push(ShardInput::Terminated(key));
        stage.transaction.clear_suspects(key);
        self.effects.close.insert(key);
        let children = stage.bonds.abandon(key);
        let origin = Origin::silent(stage, key, summary);
        self.outlive(stage, &origin, &outcome);
        if let Some(parent) = &summary.parent {
            let waiter = waiter(parent);
            // One that was ended by this very termination waits for nobody.
            if stage.bonds.part(waiter).is_some() {
                stage.bonds.tell(waiter, key);
                self.deliver_outcome(waiter, outcome);
            }
        }
        Ok(children)
    }

    /// Holds an instance, or lets it go on; one that is so already is left as it is.
    fn hold(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        is_held: bool,
        reason: String,
    ) -> Result<Controlled, StoreError> {
        let summary = match find(stage, key)? {
            Ok(summary) if summary.suspended.is_some() == is_held => {
                return Ok(Controlled::Already);
            }
            Ok(summary) => summary,
            Err(controlled) => return Ok(controlled),
        };
        let at = self.now;
        let event = if is_held {
            HistoryEvent::ExecutionSuspended(ExecutionSuspended { at, reason })
        } else {
            HistoryEvent::ExecutionResumed(ExecutionResumed { at, reason })
        };
        self.note(stage, key, &summary, event)?;
        if !is_held {
            self.begin(key);
        }
        Ok(Controlled::Recorded)
    }

    /// Records of a child that it is to end, if it has not ended; its next turn delivers that.
    pub(super) fn record_dismissal(
        &mut self,
        stage: &mut Stage<'_, '_>,
        child: InstanceKey,
    ) -> Result<(), StoreError> {
        if let Ok(summary) = find(stage, child)? {
            self.note(stage, child, &summary, dismissal(self.now))?;
            self.begin(child);
        }
        Ok(())
    }

    /// Appends a record that no turn asked for; what its shard has in memory of the instance is out of date.
    fn note(
        &mut self,
        stage: &mut Stage<'_, '_>,
        key: InstanceKey,
        summary: &Summary,
        event: HistoryEvent,
    ) -> Result<(), StoreError> {
        let next = Sequence(summary.events);
        let events = [event];
        (stage.transaction).append(key, summary.execution, next, &events)?;
        self.appended(stage.transaction, key, false, &events);
        self.touched.push(key);
        self.effects.to_shards.push(ShardInput::Changed(key));
        Ok(())
    }
}

/// An instance to which something can be done, or why nothing can.
fn find(
    stage: &Stage<'_, '_>,
    key: InstanceKey,
) -> Result<Result<Arc<Summary>, Controlled>, StoreError> {
    Ok(match stage.transaction.summary(key)? {
        None => Err(Controlled::Unknown),
        Some(summary) if summary.has_ended() => Err(Controlled::Ended(summary.status)),
        Some(summary) => Ok(summary),
    })
}
