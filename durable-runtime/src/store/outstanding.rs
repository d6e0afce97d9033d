//! What a waiting instance waits for.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::event::{ActivityScheduled, Cancelled, ExecutionRewound, HistoryEvent, Pending};
use crate::id::{EventId, ExecutionId, InstanceId, Sequence};

/// All that is outstanding for one instance: a pure fold of its events, kept in its `open` row.
///
/// With the unfolded events applied to it, it is what the engine arms and runs again after a restart.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each of them stored"
)]
pub(crate) struct Outstanding {
    /// The current execution.
    pub(crate) execution: ExecutionId,
    /// The sequence of the execution's next event.
    pub(crate) next: Sequence,
    /// Timers that have not fired, and when they are due.
    pub(crate) timers: BTreeMap<EventId, Timestamp>,
    /// Attempts without an outcome.
    pub(crate) activities: BTreeMap<EventId, ActivityScheduled>,
    /// Children without an outcome.
    pub(crate) children: BTreeMap<EventId, InstanceId>,
    /// Instances that are no children and whose outcome it waits for.
    pub(crate) awaited: BTreeMap<EventId, InstanceId>,
    /// Arrivals recorded since the last turn that started.
    pub(crate) undelivered: u32,
    /// Whether its last turn could not be run.
    pub(crate) stalled: bool,
    /// Whether this execution has been told to end.
    pub(crate) cancel_requested: bool,
    /// Whether it has ended.
    pub(crate) ended: bool,
    /// Whether it is held until somebody resumes it.
    pub(crate) suspended: bool,
    /// No turn runs before; until the first one has.
    pub(crate) start_at: Option<Timestamp>,
}

impl Default for Outstanding {
    /// Of an instance without any event.
    fn default() -> Self {
        Self {
            execution: ExecutionId::FIRST,
            next: Sequence(0),
            timers: BTreeMap::new(),
            activities: BTreeMap::new(),
            children: BTreeMap::new(),
            awaited: BTreeMap::new(),
            undelivered: 0,
            stalled: false,
            cancel_requested: false,
            ended: false,
            suspended: false,
            start_at: None,
        }
    }
}

impl Outstanding {
    /// Of an execution that has ended with this many events.
    pub(crate) fn ended(execution: ExecutionId, next: Sequence) -> Self {
        Self {
            execution,
            next,
            ended: true,
            ..Self::default()
        }
    }

    /// What is outstanding after one more event.
    pub(crate) fn apply(&mut self, event: &HistoryEvent) {
        self.next = Sequence(self.next.0.saturating_add(1));
        if event.is_arrival() {
            self.undelivered = self.undelivered.saturating_add(1);
        }
        match event {
            HistoryEvent::ExecutionStarted(started) => {
                *self = Self {
                    execution: started.execution,
                    next: Sequence(1),
                    undelivered: 1,
                    start_at: started.start_at,
                    ..Self::default()
                };
            }
            HistoryEvent::ActivityScheduled(scheduled) => {
                self.activities.insert(scheduled.id, scheduled.clone());
            }
            HistoryEvent::TimerCreated(created) => {
                self.timers.insert(created.id, created.due);
            }
            HistoryEvent::ChildScheduled(scheduled) => {
                self.children
                    .insert(scheduled.id, scheduled.instance.clone());
            }
            HistoryEvent::DetachedAwaited(command) => {
                self.awaited.insert(command.id, command.instance.clone());
            }
            HistoryEvent::ActivityCompleted(arrived) => self.settle_activity(arrived.scheduled),
            HistoryEvent::ActivityFailed(arrived) => self.settle_activity(arrived.scheduled),
            HistoryEvent::HeartbeatRecorded(arrived) => {
                if let Some(scheduled) = self.activities.get_mut(&arrived.scheduled) {
                    // What its next delivery finds.
                    let heartbeats = scheduled.heartbeats.get_or_insert_default();
                    heartbeats.last = Some(arrived.details.clone());
                }
            }
            HistoryEvent::TimerFired(arrived) => self.settle_timer(arrived.scheduled),
            HistoryEvent::ChildCompleted(arrived) => self.settle_child(arrived.scheduled),
            HistoryEvent::ChildFailed(arrived) => self.settle_child(arrived.scheduled),
            HistoryEvent::DetachedCompleted(arrived) => self.settle_outcome(arrived.scheduled),
            HistoryEvent::DetachedFailed(arrived) => self.settle_outcome(arrived.scheduled),
            HistoryEvent::Cancelled(cancelled) => self.cancel(*cancelled),
            HistoryEvent::TurnStarted(_) => {
                self.undelivered = 0;
                self.stalled = false;
                self.start_at = None;
            }
            HistoryEvent::ExecutionStalled(_) => self.stalled = true,
            HistoryEvent::ExecutionCompleted(_) | HistoryEvent::ExecutionTerminated(_) => {
                self.close();
                self.ended = true;
            }
            HistoryEvent::ExecutionContinued(_) => self.close(),
            HistoryEvent::CancelRequested(_) => self.cancel_requested = true,
            HistoryEvent::ExecutionRewound(rewound) => self.rewind(rewound),
            HistoryEvent::ExecutionSuspended(_) => self.suspended = true,
            HistoryEvent::ExecutionResumed(_) => self.suspended = false,
            // A detached start is answered by the commit that asks for it; an event that was sent has a table of its own.
            HistoryEvent::DetachedScheduled(_)
            | HistoryEvent::DetachedStarted(_)
            | HistoryEvent::DetachedRefused(_)
            | HistoryEvent::EventSent(_)
            | HistoryEvent::EventRaised(_)
            | HistoryEvent::MarkerRecorded(_)
            | HistoryEvent::CustomStatusSet(_)
            | HistoryEvent::ChangeRecorded(_)
            | HistoryEvent::InstancePurged(_) => {}
        }
    }

    /// All of it is what the rewind says: the end had closed what was open before.
    fn rewind(&mut self, rewound: &ExecutionRewound) {
        let activities = rewound.activities.iter();
        *self = Self {
            execution: self.execution,
            next: self.next,
            timers: rewound.timers.iter().copied().collect(),
            activities: activities.map(|it| (it.id, it.clone())).collect(),
            children: rewound.children.iter().cloned().collect(),
            awaited: rewound.awaited.iter().cloned().collect(),
            undelivered: rewound.undelivered,
            // Whose parent does not wait is not told to end for that.
            cancel_requested: rewound.is_alone,
            ..Self::default()
        };
    }

    fn settle_activity(&mut self, scheduled: EventId) {
        self.activities.remove(&scheduled);
    }

    fn settle_timer(&mut self, scheduled: EventId) {
        self.timers.remove(&scheduled);
    }

    fn settle_child(&mut self, scheduled: EventId) {
        self.children.remove(&scheduled);
    }

    fn settle_outcome(&mut self, scheduled: EventId) {
        self.awaited.remove(&scheduled);
    }

    fn cancel(&mut self, cancelled: Cancelled) {
        match cancelled.pending {
            Pending::Activity => self.settle_activity(cancelled.scheduled),
            Pending::Timer => self.settle_timer(cancelled.scheduled),
            Pending::Child => self.settle_child(cancelled.scheduled),
            Pending::Start => {}
            Pending::End => self.settle_outcome(cancelled.scheduled),
        }
    }

    /// A terminal event closes all open work.
    fn close(&mut self) {
        self.timers.clear();
        self.activities.clear();
        self.children.clear();
        self.awaited.clear();
    }
}
