//! The code of one execution, live: arrivals are delivered one at a time, and the code is polled after each.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::awaited::Awaited;
use super::context::{self, Context, Continue, Stop};
use super::divergence::Divergence;
use super::mailbox::Mailbox;
use super::open::Answer;
use super::root::{Polled, Root};
use super::script::{Head, Mode};
use super::stall::Stall;
use super::turn::{End, TurnRecord};
use super::wake::Slot;
use super::{Code, DefaultVersions, Identity};
use crate::event::{Cancelled, ExecutionStarted, HistoryEvent, Pending, REPLAY_SEMANTICS};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, InstanceId};
use crate::panics::caught;
use crate::payload::Payload;

/// A begun execution.
pub(super) struct Live {
    context: Rc<RefCell<Context>>,
    root: Root,
    is_new: bool,
}

/// What an arrival changed.
enum Delivered {
    /// Nothing that the code waits for.
    Nothing,
    /// It woke the code.
    Woke,
    /// It ended the execution.
    Ended,
}

impl Live {
    /// Decodes the input and makes the code, which [`run`](Self::run) polls first.
    pub(super) fn start(
        identity: Identity,
        code: &Code,
        started: &ExecutionStarted,
        head: Head,
    ) -> Result<Self, Stall> {
        if started.replay_semantics != REPLAY_SEMANTICS {
            return Err(Stall::semantics(started.replay_semantics, REPLAY_SEMANTICS));
        }
        let future = caught(|| code(&started.input))
            .map_err(|message| Stall::input_panic(&started.name, &message))?
            .map_err(|error| Stall::input(&started.name, &error))?;
        let context = Context::new(identity, started.clone(), head);
        Ok(Self {
            context: Rc::new(RefCell::new(context)),
            root: Root::new(future),
            is_new: true,
        })
    }

    /// The same, whose calls by name get these versions.
    pub(super) fn with_versions(self, versions: Option<Arc<dyn DefaultVersions>>) -> Self {
        self.context.borrow_mut().versions = versions;
        self
    }

    /// Begins another turn.
    pub(super) fn begin(&mut self, head: Head) {
        let mut context = self.context.borrow_mut();
        context.at = head.at;
        context.length = head.length;
        context.mode = head.mode;
        context.turn = TurnRecord::default();
    }

    /// After a rewind: the next command gets this number, and no child these ids.
    pub(super) fn go_back(&mut self, next: EventId, taken: BTreeSet<InstanceId>) {
        let mut context = self.context.borrow_mut();
        context.issued = next.0;
        context.taken = taken;
    }

    /// Delivers arrivals one at a time and polls the code after each, until it ends or waits.
    pub(super) fn run(&mut self, mut arrivals: &[HistoryEvent]) -> End {
        if std::mem::take(&mut self.is_new) {
            match self.poll() {
                End::Waiting => {}
                end => return with_rest(end, arrivals),
            }
        }
        while let Some((arrival, rest)) = arrivals.split_first() {
            arrivals = rest;
            let end = match self.deliver(arrival) {
                Delivered::Nothing => continue,
                Delivered::Woke => self.poll(),
                Delivered::Ended => self.end(Polled::Pending),
            };
            if !matches!(end, End::Waiting) {
                return with_rest(end, arrivals);
            }
        }
        let context = self.context.borrow();
        let waiting = context.mailbox.waiting() + context.cancel.waiting();
        if context.open.unanswered() == 0 && waiting == 0 {
            let (last, next) = (context.last_step(), context.next_step());
            return End::Stalled(Stall::nothing_awaited(&last, next.as_deref()));
        }
        End::Waiting
    }

    fn deliver(&mut self, arrival: &HistoryEvent) -> Delivered {
        let mut context = self.context.borrow_mut();
        let woken = match arrival {
            HistoryEvent::ActivityCompleted(done) => {
                let outcome = Outcome::Completed(done.output.clone());
                answer(&mut context, done.scheduled, Pending::Activity, outcome)
            }
            HistoryEvent::ActivityFailed(failed) => {
                let outcome = Outcome::Failed(failed.failure.clone());
                answer(&mut context, failed.scheduled, Pending::Activity, outcome)
            }
            HistoryEvent::HeartbeatRecorded(recorded) => {
                let details = recorded.details.clone();
                context.open.note_heartbeat(recorded.scheduled, details);
                None
            }
            HistoryEvent::ChildCompleted(done) => {
                let outcome = Outcome::Completed(done.output.clone());
                answer(&mut context, done.scheduled, Pending::Child, outcome)
            }
            HistoryEvent::ChildFailed(failed) => {
                let outcome = Outcome::Failed(failed.failure.clone());
                answer(&mut context, failed.scheduled, Pending::Child, outcome)
            }
            HistoryEvent::DetachedCompleted(done) => {
                let outcome = Outcome::Completed(done.output.clone());
                answer(&mut context, done.scheduled, Pending::End, outcome)
            }
            HistoryEvent::DetachedFailed(failed) => {
                let outcome = Outcome::Failed(failed.failure.clone());
                answer(&mut context, failed.scheduled, Pending::End, outcome)
            }
            HistoryEvent::DetachedRefused(refused) => {
                let outcome = Outcome::Failed(refused.failure.clone());
                answer(&mut context, refused.scheduled, Pending::Start, outcome)
            }
            HistoryEvent::DetachedStarted(started) => {
                let open = &mut context.open;
                open.answer(started.scheduled, Pending::Start, Answer::Started)
            }
            HistoryEvent::TimerFired(fired) => {
                let open = &mut context.open;
                open.answer(fired.scheduled, Pending::Timer, Answer::Fired)
            }
            HistoryEvent::EventRaised(raised) => context.mailbox.raise(raised.clone()),
            HistoryEvent::CancelRequested(request) => {
                let waiters = context.cancel.request(request.clone());
                context.end_if_cancelled();
                if !context.is_running() {
                    return Delivered::Ended;
                }
                let is_awaited = !waiters.is_empty();
                for slot in waiters {
                    context.wake.mark(slot);
                }
                return if is_awaited {
                    Delivered::Woke
                } else {
                    Delivered::Nothing
                };
            }
            _ => None,
        };
        let Some(slot) = woken else {
            return Delivered::Nothing;
        };
        context.wake.mark(slot);
        Delivered::Woke
    }

    fn poll(&mut self) -> End {
        let mut polled = self.poll_root();
        // Combinators of ours come back to an heir by themselves; one of a user's may have polled it before.
        while matches!(polled, Polled::Pending) && self.context.borrow_mut().take_heir() {
            polled = self.poll_root();
        }
        if matches!(polled, Polled::Pending) {
            self.context.borrow_mut().end_if_cancelled();
        }
        let context = self.context.borrow();
        match polled {
            Polled::Pending if context.is_running() => End::Waiting,
            Polled::Foreign(how) if context.is_running() => {
                let (last, next) = (context.last_step(), context.next_step());
                End::Stalled(Stall::foreign(how, &last, next.as_deref()))
            }
            polled => {
                drop(context);
                self.end(polled)
            }
        }
    }

    fn poll_root(&mut self) -> Polled {
        self.context.borrow_mut().wake.set_current(Slot::Root);
        let root = &mut self.root;
        context::enter(&self.context, || root.poll())
    }

    /// Drops the code, so that nothing it does any more counts, and says how it ended.
    fn end(&mut self, polled: Polled) -> End {
        let stop = self.context.borrow_mut().close();
        self.drop_code();
        match (stop, polled) {
            (Some(Stop::Stall(stall)), _) => End::Stalled(stall),
            (Some(Stop::Fault(fault)), _) => failed(fault),
            (Some(Stop::Continue(next)), _) => self.continued(next),
            (None, Polled::Ready(outcome)) => End::Completed(self.bounded(outcome)),
            (None, Polled::Panicked(message)) => {
                let name = self.context.borrow().name().clone();
                failed(Fault::new(FaultKind::Panicked, name, message))
            }
            (None, Polled::Pending | Polled::Foreign(_)) => End::Waiting,
        }
    }

    fn drop_code(&mut self) {
        let root = &mut self.root;
        context::enter(&self.context, || root.clear());
    }

    fn continued(&mut self, next: Continue) -> End {
        let mut context = self.context.borrow_mut();
        let carried = context.mailbox.drain().into_iter();
        let mut carried: Vec<_> = carried.map(HistoryEvent::EventRaised).collect();
        let untold = context.cancel.take_untold();
        carried.extend(untold.map(HistoryEvent::CancelRequested));
        let started = &context.started;
        let trace = if next.is_traced_anew {
            Some(context.lineage().begun_anew())
        } else {
            started.trace.clone()
        };
        let next = ExecutionStarted {
            at: context.at,
            execution: started.execution.next(),
            version: next.version,
            input: next.input,
            trace,
            replay_semantics: REPLAY_SEMANTICS,
            ..ExecutionStarted::clone(started)
        };
        End::Continued {
            next: Box::new(next),
            carried,
        }
    }

    /// An output that is too large to be recorded is a fault.
    fn bounded(&self, outcome: Outcome) -> Outcome {
        let payload = match &outcome {
            Outcome::Completed(output) => output,
            Outcome::Failed(Failure::Returned(returned)) => &returned.error,
            Outcome::Failed(Failure::Fault(_)) => return outcome,
        };
        let context = self.context.borrow();
        match context.too_large(payload, "output", context.name()) {
            Some(fault) => Outcome::Failed(Failure::Fault(fault)),
            None => outcome,
        }
    }

    /// What the turn recorded, and what is open after its end.
    pub(super) fn conclude(&mut self, end: &End) -> (TurnRecord, Vec<Cancelled>) {
        let mut context = self.context.borrow_mut();
        let mut record = std::mem::take(&mut context.turn);
        record.status = record
            .status
            .filter(|new| context.status.as_ref() != Some(new));
        if record.status.is_some() {
            context.status.clone_from(&record.status);
        }
        if matches!(end, End::Waiting) {
            return (record, Vec::new());
        }
        // One terminal record closes all open work, what was dropped in this turn included.
        let mut abandoned = std::mem::take(&mut record.cancelled);
        abandoned.extend(context.open.all_unanswered());
        abandoned.sort_unstable();
        (record, abandoned)
    }

    /// What tells a replayed turn from its record; `status` is the custom status that it recorded.
    pub(super) fn remainder(&mut self, end: &End, status: Option<Payload>) -> Option<Divergence> {
        let mut context = self.context.borrow_mut();
        let Context {
            mode,
            turn,
            at,
            last_site,
            ..
        } = &mut *context;
        let Mode::Replay(script) = mode else {
            return None;
        };
        let mut divergence = script.remainder(*at, &turn.cancelled, end);
        if let (true, Some(divergence)) = (script.is_of_twin, &mut divergence) {
            divergence.after = *last_site;
        }
        if status.is_some() {
            context.status = status;
        }
        divergence
    }

    /// Whether command `id` waits for an answer of this kind.
    pub(super) fn awaits(&self, id: EventId, pending: Pending) -> bool {
        self.context.borrow().open.awaits(id, pending)
    }

    /// Asks what was delivered and not taken, and what is waited for.
    pub(super) fn mailbox<R>(&self, ask: impl FnOnce(&Mailbox) -> R) -> R {
        ask(&self.context.borrow().mailbox)
    }

    /// Whether it was asked to end.
    pub(super) fn is_cancel_requested(&self) -> bool {
        self.context.borrow().cancel.is_requested()
    }

    /// Which events it awaits.
    pub(super) fn waits(&self) -> Awaited {
        self.context.borrow().mailbox.waits()
    }

    /// How many outcomes its code waits for, and how many events.
    pub(super) fn waits_for(&self) -> (usize, usize) {
        let context = self.context.borrow();
        (context.open.unanswered(), context.mailbox.waiting())
    }

    /// An estimate of the memory that it holds, in bytes.
    pub(super) fn memory(&self) -> usize {
        /// A map entry, what a suspended future keeps for it on its side, and their share of the allocator.
        const ENTRY_BYTES: usize = 384;
        let context = self.context.borrow();
        let entries = context.open.len() + context.wake.len() + context.mailbox.len();
        let input = context.started.input.bytes().len();
        size_of::<Context>()
            + self.root.size()
            + entries * ENTRY_BYTES
            + context.mailbox.bytes()
            + input
    }
}

impl Drop for Live {
    /// Drops the code where its destructors find their orchestrator, but can change nothing.
    fn drop(&mut self) {
        self.context.borrow_mut().close();
        self.drop_code();
    }
}

fn answer(context: &mut Context, id: EventId, pending: Pending, outcome: Outcome) -> Option<Slot> {
    context
        .open
        .answer(id, pending, Answer::Outcome(outcome, None))
}

fn failed(fault: Fault) -> End {
    End::Completed(Outcome::Failed(Failure::Fault(fault)))
}

/// Hands to the next execution what arrived with the turn but after its end, if it is meant for the instance.
fn with_rest(mut end: End, rest: &[HistoryEvent]) -> End {
    if let End::Continued { carried, .. } = &mut end {
        let for_instance = rest.iter().filter(|arrival| arrival.is_for_instance());
        carried.extend(for_instance.cloned());
    }
    end
}
