//! Holds code back while a suspect is on trial.
//!
//! A closed gate lets nothing through that would run code of users, but for what the trial itself starts. What arrives is
//! recorded all the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::engine::message::{CommandRef, Incoming, ShardInput, Task};
use crate::id::InstanceKey;

/// Between what is ready to run and what runs it. Open, it costs a look at a flag.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_closed: AtomicBool,
    behind: Mutex<Behind>,
}

/// What a closed gate keeps.
#[derive(Debug, Default)]
struct Behind {
    is_closed: bool,
    inputs: Vec<ShardInput>,
    tasks: Vec<Task>,
    /// Nobody waits for these any more.
    cancelled: BTreeSet<CommandRef>,
    /// Nor for anything of these.
    closed: BTreeSet<InstanceKey>,
    on_trial: Option<Trial>,
}

/// A trial that is not over.
#[derive(Debug)]
struct Trial {
    of: OnTrial,
    over: oneshot::Sender<Ending>,
}

/// Whose trial it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTrial {
    Turn(InstanceKey),
    Activity(CommandRef),
}

/// How a trial ended, if the process has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It came to its end.
    Finished,
    /// It still runs, or waits for something.
    Outlived,
}

impl Behind {
    fn is_unwanted(&self, command: CommandRef) -> bool {
        self.cancelled.contains(&command) || self.closed.contains(&command.instance)
    }
}

impl Gate {
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Holds back whatever comes from now on.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.is_closed.store(true, Ordering::Release);
    }

    /// Hands over what was held back, and lets everything through afterwards: `release` runs before anything overtakes it, and
    /// before anybody looks for an activity elsewhere.
    pub(crate) fn open(&self, release: impl FnOnce(Vec<ShardInput>, Vec<Task>)) {
        let mut behind = self.lock();
        let inputs = std::mem::take(&mut behind.inputs);
        let tasks = std::mem::take(&mut behind.tasks);
        release(inputs, tasks);
        behind.cancelled.clear();
        behind.closed.clear();
        behind.is_closed = false;
        self.is_closed.store(false, Ordering::Release);
    }

    /// Has an activity handed over, unless nobody waits for it any more; false if so. Whoever cancels it later finds it where
    /// it was handed to.
    pub(crate) fn pass(&self, command: CommandRef, hand_over: impl FnOnce()) -> bool {
        let behind = self.lock();
        let is_wanted = !behind.is_unwanted(command);
        if is_wanted {
            hand_over();
        }
        is_wanted
    }

    /// Returns what may go to the shards now: arrivals, to be recorded, also if the gate is closed.
    pub(crate) fn admit(&self, inputs: Vec<ShardInput>) -> Vec<ShardInput> {
        let mut behind = self.lock();
        if !behind.is_closed {
            return inputs;
        }
        let (pass, held): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|input| match input {
            ShardInput::Incoming(_, Incoming::Wake | Incoming::Stall { .. }) => false,
            ShardInput::Incoming(_, Incoming::Arrival { .. })
            | ShardInput::Committed(..)
            | ShardInput::Refused(_)
            | ShardInput::Changed(_)
            | ShardInput::Terminated(_)
            | ShardInput::Reset
            | ShardInput::Probe(_) => true,
        });
        behind.inputs.extend(held);
        pass
    }

    /// Returns the activities that may start now.
    pub(crate) fn admit_tasks(&self, tasks: Vec<Task>) -> Vec<Task> {
        let mut behind = self.lock();
        if !behind.is_closed {
            return tasks;
        }
        behind.tasks.extend(tasks);
        Vec::new()
    }

    /// Nobody waits for these any more: they never start.
    pub(crate) fn cancel(&self, commands: &[CommandRef]) {
        let mut behind = self.lock();
        if behind.is_closed {
            behind.cancelled.extend(commands);
            let Behind {
                tasks, cancelled, ..
            } = &mut *behind;
            tasks.retain(|task| !cancelled.contains(&task.command));
        }
    }

    /// Nobody waits for any activity of these instances any more: none of them starts.
    pub(crate) fn close_instances(&self, keys: &BTreeSet<InstanceKey>) {
        let mut behind = self.lock();
        if behind.is_closed {
            behind.closed.extend(keys);
            (behind.tasks).retain(|task| !keys.contains(&task.command.instance));
        }
    }

    /// Whether this activity is held back.
    pub(crate) fn holds(&self, command: CommandRef) -> bool {
        let behind = self.lock();
        behind.tasks.iter().any(|task| task.command == command)
    }

    /// Whether nobody waits for this activity any more.
    pub(crate) fn is_cancelled(&self, command: CommandRef) -> bool {
        self.lock().is_unwanted(command)
    }

    /// Begins a trial; what it resolves to says how it ended, an error that the engine stops.
    pub(crate) fn begin_trial(&self, of: OnTrial) -> oneshot::Receiver<Ending> {
        let (over, ending) = oneshot::channel();
        self.lock().on_trial = Some(Trial { of, over });
        ending
    }

    /// This came to its end; if it is on trial, so does the trial.
    pub(crate) fn finished(&self, who: OnTrial) {
        let mut behind = self.lock();
        if (behind.on_trial.as_ref()).is_some_and(|trial| trial.of == who)
            && let Some(trial) = behind.on_trial.take()
        {
            // The engine may stop meanwhile.
            trial.over.send(Ending::Finished).unwrap_or_default();
        }
    }

    /// Ends a trial whose suspect has neither ended nor ended the process; false if there is none.
    pub(crate) fn outlived(&self) -> bool {
        let Some(trial) = self.lock().on_trial.take() else {
            return false;
        };
        trial.over.send(Ending::Outlived).is_ok()
    }

    /// Drops what is held back, for good.
    pub(crate) fn abandon(&self) {
        let mut behind = self.lock();
        behind.inputs.clear();
        behind.tasks.clear();
        behind.on_trial = None;
    }

    fn lock(&self) -> MutexGuard<'_, Behind> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::clock::Timestamp;
    use crate::event::{Fired, HistoryEvent};
    use crate::id::EventId;

    fn wake(key: u64) -> ShardInput {
        ShardInput::Incoming(InstanceKey(key), Incoming::Wake)
    }

    fn arrival(key: u64) -> ShardInput {
        let event = HistoryEvent::TimerFired(Fired {
            scheduled: EventId(0),
            at: Timestamp(0),
        });
        ShardInput::Incoming(InstanceKey(key), Incoming::unasked(event, None))
    }

    fn keys(inputs: &[ShardInput]) -> Vec<u64> {
        let keys = inputs.iter().filter_map(ShardInput::instance);
        keys.map(|key| key.0).collect()
    }

    #[test]
    fn a_closed_gate_keeps_what_would_run_and_lets_arrivals_through() {
        let gate = Gate::default();
        let admit = |inputs| keys(&gate.admit(inputs));
        assert_eq!(admit(vec![wake(1), arrival(2)]), [1, 2]);
        gate.close();
        let committed = ShardInput::Committed(InstanceKey(5), Vec::new());
        let inputs = vec![wake(3), arrival(4), committed, wake(6)];
        assert_eq!(admit(inputs), [4, 5]);
        let released = RefCell::new(Vec::new());
        gate.open(|inputs, _| *released.borrow_mut() = keys(&inputs));
        assert_eq!(*released.borrow(), [3, 6]);
        assert_eq!(admit(vec![wake(7)]), [7]);
    }

    #[test]
    fn only_what_is_on_trial_ends_the_trial() {
        let gate = Gate::default();
        assert!(!gate.outlived());
        let [this, other] = [1, 2].map(|key| OnTrial::Turn(InstanceKey(key)));
        let mut turn = gate.begin_trial(this);
        let command = OnTrial::Activity(CommandRef {
            instance: InstanceKey(1),
            execution: crate::id::ExecutionId::FIRST,
            scheduled: EventId(0),
        });
        gate.finished(command);
        // One that was tried before ran longer than that.
        gate.finished(other);
        assert!(turn.try_recv().is_err());
        gate.finished(this);
        assert_eq!(turn.try_recv(), Ok(Ending::Finished));
        let mut activity = gate.begin_trial(command);
        assert!(gate.outlived());
        assert_eq!(activity.try_recv(), Ok(Ending::Outlived));
        let mut last = gate.begin_trial(other);
        gate.abandon();
        assert!(last.try_recv().is_err());
    }
}
