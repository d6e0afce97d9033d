//! The timer machine: what is armed, and what is due.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::engine::message::{CommandRef, TimerRef};
use crate::id::InstanceKey;

/// Armed timers, in the order in which they fire: by due time, then by number.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Timestamp, TimerRef)>,
    /// By instance within each kind, so that those of one are found together.
    armed: BTreeMap<TimerRef, Timestamp>,
}

impl Timers {
    /// Arms a timer, or moves it.
    pub(crate) fn arm(&mut self, timer: TimerRef, due: Timestamp) {
        self.disarm(timer);
        self.armed.insert(timer, due);
        self.due.insert((due, timer));
    }

    /// Forgets a timer; one that is not armed is none of ours.
    pub(crate) fn disarm(&mut self, timer: TimerRef) {
        if let Some(due) = self.armed.remove(&timer) {
            self.due.remove(&(due, timer));
        }
    }

    /// Forgets the timers of an instance, but for those that watch over attempts: these end with the attempts.
    pub(crate) fn disarm_all_of(&mut self, instance: InstanceKey) {
        let (first, last) = CommandRef::all_of(instance).into_inner();
        let all = TimerRef::Durable(first)..=TimerRef::Durable(last);
        let armed: Vec<_> = self.armed.range(all).map(|(timer, _)| *timer).collect();
        for timer in armed {
            self.disarm(timer);
        }
        self.disarm(TimerRef::Begin(instance));
    }

    /// When the next one is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The same of those that an instance, or who waits for one, waits for.
    pub(crate) fn next_awaited(&self) -> Option<Timestamp> {
        let mut awaited = self
            .due
            .iter()
            .filter(|(_, timer)| *timer != TimerRef::Expiry);
        awaited.next().map(|(due, _)| *due)
    }

    /// Takes out the next timer that is due at `now`, with the moment at which it was.
    pub(crate) fn fire(&mut self, now: Timestamp) -> Option<(Timestamp, TimerRef)> {
        let (due, timer) = *self.due.first()?;
        if due > now {
            return None;
        }
        self.due.pop_first();
        self.armed.remove(&timer);
        Some((due, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, ExecutionId};

    fn timer(number: u32) -> TimerRef {
        TimerRef::Durable(CommandRef {
            instance: InstanceKey(1),
            execution: ExecutionId::FIRST,
            scheduled: EventId(number),
        })
    }

    #[test]
    fn timers_fire_by_due_time_then_number_and_never_early() {
        let mut timers = Timers::default();
        for (number, due) in [(3, 20), (2, 10), (1, 10)] {
            timers.arm(timer(number), Timestamp(due));
        }
        assert_eq!(timers.fire(Timestamp(9)), None);
        let fired: Vec<_> = std::iter::from_fn(|| timers.fire(Timestamp(20))).collect();
        let expected = [(10, 1), (10, 2), (20, 3)];
        assert_eq!(
            fired,
            expected.map(|(due, number)| (Timestamp(due), timer(number)))
        );
        assert_eq!(timers.next_due(), None);
    }

    #[test]
    fn the_timers_of_one_instance_are_forgotten_together_and_no_others() {
        let of = |key, number: u32| {
            TimerRef::Durable(CommandRef {
                instance: InstanceKey(key),
                execution: ExecutionId(number + 1),
                scheduled: EventId(number),
            })
        };
        let mut timers = Timers::default();
        let key = InstanceKey(2);
        let gone = [of(2, 0), of(2, 7), TimerRef::Begin(key)];
        let kept = [of(1, 7), TimerRef::Begin(InstanceKey(3)), of(3, 0)];
        for timer in gone.into_iter().chain(kept) {
            timers.arm(timer, Timestamp(10));
        }
        timers.disarm_all_of(key);
        let mut fired: Vec<_> = std::iter::from_fn(|| timers.fire(Timestamp(10))).collect();
        fired.sort_unstable();
        let mut expected = kept;
        expected.sort_unstable();
        assert_eq!(fired, expected.map(|timer| (Timestamp(10), timer)));
    }

    #[test]
    fn a_disarmed_timer_does_not_fire_and_a_moved_one_fires_once() {
        let mut timers = Timers::default();
        timers.arm(timer(1), Timestamp(10));
        timers.arm(timer(2), Timestamp(10));
        timers.arm(timer(2), Timestamp(30));
        timers.disarm(timer(1));
        assert_eq!(timers.fire(Timestamp(29)), None);
        let fired = timers.fire(Timestamp(30));
        assert_eq!(fired, Some((Timestamp(30), timer(2))));
        assert_eq!(timers.fire(Timestamp(30)), None);
    }
}
