//! The activity dispatcher: what waits for a place, and what runs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::engine::message::{CommandRef, Task};
use crate::event::Name;
use crate::id::InstanceKey;
use crate::registry::Registry;

/// Activities that wait for a place or run, under a limit for all and one for each name.
///
/// Places are given in the order in which activities were scheduled, except that one whose own limit is reached does not
/// hold up the others.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    registry: Arc<Registry>,
    limit: usize,
    running: BTreeMap<CommandRef, Name>,
    queues: BTreeMap<Name, Queue>,
    /// Heads of the queues that may start one: ticket -> name.
    heads: BTreeMap<u64, Name>,
    /// What has not started; a queue holds no more than its ticket, so that what is cancelled leaves nothing large behind.
    waiting: BTreeMap<CommandRef, Task>,
    next_ticket: u64,
    accepts: bool,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<(u64, CommandRef)>,
    running: usize,
    limit: usize,
}

impl Queue {
    fn head(&self) -> Option<u64> {
        (self.running < self.limit).then(|| self.waiting.front().map(|(ticket, _)| *ticket))?
    }

    fn is_unused(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }
}

/// What a cancellation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It had not started and will not.
    Waiting,
    /// It runs and is to be told.
    Running,
    /// It had ended.
    Nothing,
}

/// What an activity waits for that has not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queued {
    /// Its turn comes next.
    Next,
    /// As many of its name run as may.
    BehindItsOwn { limit: usize },
    /// As many of all names run as may.
    BehindAll { limit: usize },
    /// The engine stops, and starts nothing more.
    Closed,
}

impl Dispatcher {
    pub(crate) fn new(registry: Arc<Registry>, limit: usize) -> Self {
        Self {
            registry,
            limit: limit.max(1),
            running: BTreeMap::new(),
            queues: BTreeMap::new(),
            heads: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next_ticket: 0,
            accepts: true,
        }
    }

    /// Takes an activity in; one that is here already is a repetition and dropped.
    pub(crate) fn schedule(&mut self, task: Task) {
        if self.running.contains_key(&task.command) || self.waiting.contains_key(&task.command) {
            return;
        }
        let name = task.scheduled.name.clone();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let own_limit = self
            .registry
            .find_activity(&name)
            .and_then(|entry| entry.options.limit);
        let queue = self.queues.entry(name.clone()).or_insert_with(|| Queue {
            waiting: VecDeque::new(),
            running: 0,
            limit: own_limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(usize::MAX),
        });
        queue.waiting.push_back((ticket, task.command));
        self.waiting.insert(task.command, task);
        if queue.head() == Some(ticket) {
            self.heads.insert(ticket, name);
        }
    }

    /// The next activity that may start, which then counts as running.
    pub(crate) fn start(&mut self) -> Option<Task> {
        if !self.accepts {
            return None;
        }
        while self.running.len() < self.limit {
            let (_, name) = self.heads.pop_first()?;
            let queue = self.queues.get_mut(&name)?;
            let (_, command) = queue.waiting.pop_front()?;
            let task = self.waiting.remove(&command);
            queue.running += usize::from(task.is_some());
            if let Some(ticket) = queue.head() {
                self.heads.insert(ticket, name.clone());
            } else if queue.is_unused() {
                self.queues.remove(&name);
            }
            if let Some(task) = task {
                self.running.insert(command, name);
                return Some(task);
            }
            // It was cancelled while it waited.
        }
        None
    }

    /// Gives back the place of an activity and returns its name; `None` if it had no place, as after a time-out.
    pub(crate) fn finish(&mut self, command: CommandRef) -> Option<Name> {
        let name = self.running.remove(&command)?;
        if let Some(queue) = self.queues.get_mut(&name) {
            let had_head = queue.head().is_some();
            queue.running -= 1;
            if let (false, Some(ticket)) = (had_head, queue.head()) {
                self.heads.insert(ticket, name.clone());
            } else if queue.is_unused() {
                self.queues.remove(&name);
            }
        }
        Some(name)
    }

    /// The name of an activity that has a place.
    pub(crate) fn name_of(&self, command: CommandRef) -> Option<Name> {
        self.running.get(&command).cloned()
    }

    /// What an activity that has not started waits for; `None` if it is not here, or runs.
    pub(crate) fn queued(&self, command: CommandRef) -> Option<Queued> {
        let name = &self.waiting.get(&command)?.scheduled.name;
        let queue = self.queues.get(name)?;
        Some(if !self.accepts {
            Queued::Closed
        } else if queue.running >= queue.limit {
            Queued::BehindItsOwn { limit: queue.limit }
        } else if self.running.len() >= self.limit {
            Queued::BehindAll { limit: self.limit }
        } else {
            Queued::Next
        })
    }

    /// Nobody waits for this activity any more.
    pub(crate) fn cancel(&mut self, command: CommandRef) -> Found {
        if self.running.contains_key(&command) {
            return Found::Running;
        }
        // Its ticket stays in its queue, where `start` finds that nobody waits for it.
        if self.waiting.remove(&command).is_some() {
            Found::Waiting
        } else {
            Found::Nothing
        }
    }

    /// Nobody waits for any activity of this instance any more; returns those that run and are to be told.
    pub(crate) fn cancel_all_of(&mut self, instance: InstanceKey) -> Vec<CommandRef> {
        let all = || CommandRef::all_of(instance);
        let waiting: Vec<_> = self.waiting.range(all()).map(|(it, _)| *it).collect();
        for command in waiting {
            self.waiting.remove(&command);
        }
        self.running.range(all()).map(|(it, _)| *it).collect()
    }

    /// Nobody waits for any other activity than these; returns those that run and are to be told.
    pub(crate) fn cancel_all_but(&mut self, wanted: &BTreeSet<CommandRef>) -> Vec<CommandRef> {
        self.waiting.retain(|command, _| wanted.contains(command));
        let running = self.running.keys().copied();
        running
            .filter(|command| !wanted.contains(command))
            .collect()
    }

    /// Starts nothing more; what runs may end.
    pub(crate) fn close(&mut self) {
        self.accepts = false;
    }

    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ActivityScheduled;
    use crate::id::{EventId, ExecutionId, InstanceId, SiteId};
    use crate::payload::Payload;

    fn task(name: &'static str, number: u32) -> Task {
        let id = EventId(number);
        Task {
            command: CommandRef {
                instance: InstanceKey(1),
                execution: ExecutionId::FIRST,
                scheduled: id,
            },
            instance: InstanceId::parse("i").unwrap(),
            version: None,
            scheduled: ActivityScheduled {
                id,
                site: SiteId(0),
                call: id,
                attempt: 1,
                name: Name::Borrowed(name),
                input: Payload::json(&()).unwrap(),
                attempt_timeout: None,
                heartbeats: None,
                retry: None,
            },
            trace: None,
            delivery: 1,
            queued_at: std::time::Duration::ZERO,
        }
    }

    fn started(dispatcher: &mut Dispatcher) -> Vec<u32> {
        std::iter::from_fn(|| dispatcher.start())
            .map(|task| task.scheduled.id.0)
            .collect()
    }

    #[test]
    fn no_more_than_the_limit_run_and_a_place_goes_to_the_oldest() {
        let mut dispatcher = Dispatcher::new(Arc::new(Registry::new()), 2);
        for number in 0..4 {
            dispatcher.schedule(task("a", number));
        }
        dispatcher.schedule(task("a", 0));
        assert_eq!(started(&mut dispatcher), [0, 1]);
        let queued = |dispatcher: &Dispatcher, number| dispatcher.queued(task("a", number).command);
        assert_eq!(queued(&dispatcher, 1), None);
        let behind_all = Some(Queued::BehindAll { limit: 2 });
        assert_eq!(queued(&dispatcher, 3), behind_all);
        assert_eq!(
            dispatcher.finish(task("a", 1).command).as_deref(),
            Some("a")
        );
        assert_eq!(dispatcher.finish(task("a", 1).command), None);
        assert_eq!(started(&mut dispatcher), [2]);
    }

    #[test]
    fn an_activity_at_its_own_limit_does_not_hold_up_the_others() {
        let mut dispatcher = Dispatcher::new(Arc::new(Registry::new()), 10);
        for number in 0..3 {
            dispatcher.schedule(task("narrow", number));
        }
        dispatcher.queues.get_mut("narrow").unwrap().limit = 1;
        dispatcher.schedule(task("wide", 3));
        assert_eq!(started(&mut dispatcher), [0, 3]);
        let behind_its_own = Some(Queued::BehindItsOwn { limit: 1 });
        assert_eq!(dispatcher.queued(task("narrow", 1).command), behind_its_own);
        dispatcher.finish(task("narrow", 0).command);
        assert_eq!(started(&mut dispatcher), [1]);
    }

    #[test]
    fn a_cancelled_activity_that_waits_never_starts() {
        let mut dispatcher = Dispatcher::new(Arc::new(Registry::new()), 1);
        for number in 0..3 {
            dispatcher.schedule(task("a", number));
        }
        assert_eq!(started(&mut dispatcher), [0]);
        assert_eq!(dispatcher.cancel(task("a", 0).command), Found::Running);
        assert_eq!(dispatcher.cancel(task("a", 1).command), Found::Waiting);
        assert_eq!(dispatcher.cancel(task("a", 1).command), Found::Nothing);
        dispatcher.finish(task("a", 0).command);
        assert_eq!(started(&mut dispatcher), [2]);
    }

    #[test]
    fn all_of_one_instance_are_cancelled_at_once_and_those_of_others_go_on() {
        let mut dispatcher = Dispatcher::new(Arc::new(Registry::new()), 1);
        let other = |number| {
            let mut task = task("a", number);
            task.command.instance = InstanceKey(2);
            task
        };
        for scheduled in [task("a", 0), task("a", 1), other(2), task("b", 3)] {
            dispatcher.schedule(scheduled);
        }
        assert_eq!(started(&mut dispatcher), [0]);
        let running = dispatcher.cancel_all_of(InstanceKey(1));
        assert_eq!(running, [task("a", 0).command]);
        dispatcher.finish(task("a", 0).command);
        assert_eq!(started(&mut dispatcher), [2]);
        let wanted = BTreeSet::from([task("a", 9).command]);
        assert_eq!(dispatcher.cancel_all_but(&wanted), [other(2).command]);
    }

    /// What was cancelled while it waited stayed in its queue with its input until its turn came, and the queue of a name
    /// stayed for ever.
    #[test]
    fn a_cancelled_activity_leaves_neither_its_input_nor_an_empty_queue() {
        let mut dispatcher = Dispatcher::new(Arc::new(Registry::new()), 1);
        dispatcher.schedule(task("runs", 0));
        assert_eq!(started(&mut dispatcher), [0]);
        dispatcher.schedule(task("waits", 1));
        assert_eq!(dispatcher.cancel(task("waits", 1).command), Found::Waiting);
        assert!(dispatcher.waiting.is_empty());
        dispatcher.finish(task("runs", 0).command);
        assert!(started(&mut dispatcher).is_empty());
        assert!(dispatcher.queues.is_empty());
    }
}
