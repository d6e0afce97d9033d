//! A turn that comes too late: something was recorded of its instance while it ran, or was on its way to the disk.
//!
//! It loses its commit: what it decided never was. What it was to deliver is not lost: that is recorded without it, and another
//! turn delivers it, if the instance has one.
//!
//! Source: `docs/design.md`, "Control from outside".

use super::batch::{Batch, Stage, acquit};
use super::between;
use crate::engine::message::{Delivered, ShardInput, TurnCommit, TurnCommitEnd};
use crate::id::Sequence;
use crate::store::{StoreError, Summary};

impl Batch {
    pub(super) fn overtaken(
        &mut self,
        stage: &mut Stage<'_, '_>,
        turn: TurnCommit,
    ) -> Result<(), StoreError> {
        let key = turn.key;
        self.effects.to_shards.push(ShardInput::Refused(key));
        let answer = match stage.transaction.summary(key)? {
            Some(summary) if !summary.has_ended() => {
                self.keep_arrivals(stage, &turn, &summary)?;
                Delivered::Recorded
            }
            Some(_) => Delivered::Ended,
            None => Delivered::Unknown,
        };
        for reply in turn.replies {
            self.effects.answer(reply, answer.clone());
        }
        Ok(())
    }

    /// Records what the turn was to deliver, for another one.
    fn keep_arrivals(
        &mut self,
        stage: &mut Stage<'_, '_>,
        turn: &TurnCommit,
        summary: &Summary,
    ) -> Result<(), StoreError> {
        let key = turn.key;
        // What is for an execution that is over comes too late.
        let is_current = turn.execution == summary.execution;
        let arrivals = turn.events.iter();
        let arrivals = arrivals.take_while(|event| event.is_arrival());
        let arrivals = arrivals.filter(|event| is_current || event.is_for_instance());
        let arrivals: Vec<_> = arrivals.cloned().collect();
        if !arrivals.is_empty() {
            let next = Sequence(summary.events);
            (stage.transaction).append(key, summary.execution, next, &arrivals)?;
            self.appended(stage.transaction, key, false, &arrivals);
            for arrival in &arrivals {
                acquit(stage.transaction, key, arrival);
            }
            between::receive(stage, key, summary.execution, &arrivals);
        }
        if summary.suspended.is_some() {
            self.touched.push(key);
            return Ok(());
        }
        if let TurnCommitEnd::Due(Some(suspicion)) = &turn.end {
            (stage.transaction).set_suspect(key, None, *suspicion);
        }
        self.begin(key);
        Ok(())
    }
}
