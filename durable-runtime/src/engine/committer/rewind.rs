//! A rewind: an instance that has failed goes on from before its failure, and with it the children that failed it.
//!
//! All of it is one commit. What is outstanding from then on is what a restart would find there.
//!
//! Source: `docs/design.md`, "Rewind".

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::arrivals::unreadable;
use super::batch::{Batch, Origin, Stage};
use crate::engine::message::{Rewind, Rewound, Task, TimerRef};
use crate::engine::rewinding::{self, Rewinding};
use crate::event::{ActivityScheduled, ChildScheduled, HistoryEvent};
use crate::id::{InstanceKey, Sequence};
use crate::limits;
use crate::store::{Status, StoreError, Summary};

/// One that is to be rewound.
struct Wanted {
    key: InstanceKey,
    summary: Arc<Summary>,
    plan: Rewinding,
}

impl Batch {
    /// Rewinds an instance, if it has failed.
    ///
    /// # Errors
    /// [`StoreError`] of the database. The reply is kept with the effects.
    pub(super) fn rewind(
        &mut self,
        stage: &mut Stage<'_, '_>,
        request: Rewind,
    ) -> Result<(), StoreError> {
        let Rewind { key, reason, reply } = request;
        let answer = match self.wanted(stage, key, &reason) {
            Ok(Ok(wanted)) => self
                .rewind_all(stage, wanted, &reason)
                .map(|()| Rewound::Done),
            Ok(Err(refused)) => Ok(refused),
            Err(error) if error.is_of_one_instance() => Ok(Rewound::Unreadable(error)),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => {
                self.effects.answer(reply, answer);
                Ok(())
            }
            Err(error) => {
                self.effects.keep(reply);
                Err(error)
            }
        }
    }

    /// How an instance is to be rewound, or why it cannot be.
    fn wanted(
        &self,
        stage: &Stage<'_, '_>,
        key: InstanceKey,
        reason: &str,
    ) -> Result<Result<Wanted, Rewound>, StoreError> {
        let Some(summary) = stage.transaction.summary(key)? else {
            return Ok(Err(Rewound::Unknown));
        };
        if summary.status != Status::Failed {
            return Ok(Err(Rewound::NotFailed(summary.status)));
        }
        let history = stage.transaction.history(key, &summary)?;
        let Some(plan) = rewinding::plan(&history, self.now, reason) else {
            return Ok(Err(Rewound::NotFailed(summary.status)));
        };
        if let Some(bytes) = too_many_bytes(&plan.event.activities) {
            return Ok(Err(Rewound::TooLarge { bytes }));
        }
        Ok(Ok(Wanted { key, summary, plan }))
    }

    /// Rewinds an instance, then the children that it waits for again and that have failed, and so on down.
    fn rewind_all(
        &mut self,
        stage: &mut Stage<'_, '_>,
        root: Wanted,
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut wanted = VecDeque::from([root]);
        while let Some(next) = wanted.pop_front() {
            let mut origin = Origin::silent(stage, next.key, &next.summary);
            let children = self.go_on(stage, &mut origin, next)?;
            for child in children {
                let failed = self.wait_again(stage, &origin, child, reason)?;
                wanted.extend(failed);
            }
        }
        Ok(())
    }

    /// Records one rewind, and has what is outstanding again run. Returns the children that are waited for again.
    fn go_on(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &mut Origin,
        wanted: Wanted,
    ) -> Result<Vec<ChildScheduled>, StoreError> {
        let Wanted { key, summary, plan } = wanted;
        let Rewinding {
            event,
            children,
            awaited,
            starts,
        } = plan;
        for scheduled in &event.activities {
            self.effects.run.push(Task {
                command: origin.command(scheduled.id),
                instance: origin.instance.clone(),
                version: summary.version.clone(),
                scheduled: scheduled.clone(),
                delivery: 1,
                trace: origin.lineage.given().cloned(),
                queued_at: Duration::ZERO,
            });
        }
        let timers = event.timers.iter();
        let timers = timers.map(|(id, due)| (TimerRef::Durable(origin.command(*id)), *due));
        self.effects.arm.extend(timers);
        let mut is_due = event.undelivered > 0;
        let first = Sequence(summary.events);
        let events = [HistoryEvent::ExecutionRewound(Box::new(event))];
        (stage.transaction).append(key, origin.execution, first, &events)?;
        self.appended(stage.transaction, key, false, &events);
        for command in &awaited {
            self.await_outcome(stage, origin, command)?;
        }
        for command in starts {
            self.start_detached(stage, origin, command)?;
        }
        let answers = std::mem::take(&mut origin.answers);
        if !answers.is_empty() {
            is_due = true;
            let behind = Sequence(first.0.saturating_add(1));
            (stage.transaction).append(key, origin.execution, behind, &answers)?;
        }
        if is_due {
            self.begin(key);
        } else {
            self.touched.push(key);
        }
        Ok(children)
    }

    /// Has an instance wait for a child again. Returns the child if that has failed, to be rewound.
    fn wait_again(
        &mut self,
        stage: &mut Stage<'_, '_>,
        origin: &Origin,
        child: ChildScheduled,
        reason: &str,
    ) -> Result<Option<Wanted>, StoreError> {
        let waiter = origin.command(child.id);
        let found = match stage.transaction.look_up(&child.instance) {
            Err(error) if error.is_of_one_instance() => {
                let stall = unreadable(waiter, "a child of it", &error);
                self.effects.to_shards.push(stall);
                return Ok(None);
            }
            found => found?,
        };
        let is_ours = |summary: &Summary| {
            (summary.parent.as_ref()).is_some_and(|parent| super::batch::waiter(parent) == waiter)
        };
        let (key, summary) = match found {
            Some((key, summary)) if is_ours(&summary) => (key, summary),
            // There is none, and it is started anew; or the id is another's, which is told again.
            _ => return self.child(stage, origin, child).map(|()| None),
        };
        if summary.status == Status::Failed {
            let refused = match self.wanted(stage, key, reason) {
                Ok(Ok(mut wanted)) => {
                    wanted.plan.event.is_alone = false;
                    stage.bonds.adopt(waiter, key);
                    return Ok(Some(wanted));
                }
                Ok(Err(refused)) => refused,
                Err(error) if error.is_of_one_instance() => Rewound::Unreadable(error),
                Err(error) => return Err(error),
            };
            tracing::error!(
                instance = %origin.instance,
                child = %child.instance,
                "a child that failed cannot be rewound with its parent, which is told of its failure again: {refused:?}"
            );
        }
        match &summary.outcome {
            Some(outcome) => {
                stage.bonds.tell(waiter, key);
                self.deliver_outcome(waiter, outcome.clone());
            }
            None => stage.bonds.adopt(waiter, key),
        }
        Ok(None)
    }
}

/// How many bytes of input they have together, if these are too many for one record.
fn too_many_bytes(activities: &[ActivityScheduled]) -> Option<usize> {
    let each = activities.iter();
    let each = each.map(|scheduled| scheduled.input.bytes().len() + limits::EVENT_BYTES);
    let bytes = each.sum();
    // A lone one has room however large it is, as it would never have.
    (bytes > limits::REWIND_BYTES_MAX && activities.len() > 1).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::encoding::samples::activity;
    use crate::payload::{Codec, Payload};

    fn of(bytes: usize) -> ActivityScheduled {
        ActivityScheduled {
            input: Payload::from_parts(Codec::Json, vec![b'x'; bytes]),
            ..activity(1)
        }
    }

    #[test]
    fn what_runs_again_has_as_much_input_as_the_limit_and_no_more_unless_it_is_one_alone() {
        const LIMIT: usize = limits::REWIND_BYTES_MAX;
        let half = LIMIT / 2 - limits::EVENT_BYTES;
        assert_eq!(too_many_bytes(&[of(half), of(half - 1)]), None);
        assert_eq!(too_many_bytes(&[of(half), of(half)]), None);
        let beyond = too_many_bytes(&[of(half), of(half + 1)]);
        assert_eq!(beyond, Some(LIMIT + 1));
        assert_eq!(too_many_bytes(&[of(2 * LIMIT)]), None);
        assert_eq!(too_many_bytes(&[]), None);
    }
}
