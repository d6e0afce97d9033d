//! Who waits for whom beyond one commit, and which events are on their way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::arrivals::{detached_outcome, not_found, unreadable};
use crate::clock::Timestamp;
use crate::engine::message::{CommandRef, ShardInput};
use crate::event::{EventRaised, HistoryEvent};
use crate::failure::Outcome;
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey};
use crate::store::{Sent, SentBy, StoreError};

/// What ties instances to one another. All of it is on disk as well; this is where it is found quickly.
#[derive(Debug, Default)]
pub(crate) struct Bonds {
    /// Running children by the command that waits for them.
    children: BTreeMap<CommandRef, InstanceKey>,
    /// Running instances that are no children, by the command that waits for them.
    awaited: BTreeMap<CommandRef, InstanceKey>,
    /// The same the other way round.
    awaiting: HashMap<InstanceKey, BTreeSet<CommandRef>>,
    /// Ended instances whose outcome is on its way, by the command that waits for it: not in that history yet.
    outcomes: BTreeMap<CommandRef, InstanceKey>,
    /// The same the other way round.
    hearing: HashMap<InstanceKey, BTreeSet<CommandRef>>,
    /// Children that were told to end and have not recorded that, with their parents.
    dismissed: HashMap<InstanceKey, InstanceKey>,
    /// The same the other way round.
    dismissals: HashMap<InstanceKey, BTreeSet<InstanceKey>>,
    /// Events on their way by whom they are for, with the id that they are recorded under there.
    sent: HashMap<InstanceKey, BTreeMap<String, SentBy>>,
}

impl Bonds {
    /// `command` waits for its child.
    pub(crate) fn adopt(&mut self, command: CommandRef, child: InstanceKey) {
        self.children.insert(command, child);
    }

    /// `command` no longer waits for its child; returns the child if it runs.
    pub(crate) fn part(&mut self, command: CommandRef) -> Option<InstanceKey> {
        self.heard(command);
        self.children.remove(&command)
    }

    /// `command` waits for the outcome of an instance that is no child, which was looked up. Returns what it is told at
    /// once; if the instance runs, it is told when that has ended.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn ask(
        &mut self,
        command: CommandRef,
        id: &InstanceId,
        found: Result<Option<(InstanceKey, Option<Outcome>)>, StoreError>,
        now: Timestamp,
    ) -> Result<Option<ShardInput>, StoreError> {
        let outcome = match found {
            Ok(Some((of, None))) => {
                self.awaited.insert(command, of);
                self.awaiting.entry(of).or_default().insert(command);
                return Ok(None);
            }
            Ok(Some((of, Some(outcome)))) => {
                self.tell(command, of);
                outcome
            }
            Ok(None) => not_found(id.as_str()),
            Err(error) if error.is_of_one_instance() => {
                let what = format!("the outcome of `{id}`");
                return Ok(Some(unreadable(command, &what, &error)));
            }
            Err(error) => return Err(error),
        };
        Ok(Some(detached_outcome(command, outcome, now)))
    }

    /// `command` no longer does.
    pub(crate) fn lose_interest(&mut self, command: CommandRef) {
        self.heard(command);
        let Some(of) = self.awaited.remove(&command) else {
            return;
        };
        if let Some(commands) = self.awaiting.get_mut(&of) {
            commands.remove(&command);
            if commands.is_empty() {
                self.awaiting.remove(&of);
            }
        }
    }

    /// An instance has ended and no turn of it says what it waited for: nothing any more. Returns the children that it waited for.
    pub(crate) fn abandon(&mut self, ended: InstanceKey) -> Vec<InstanceKey> {
        let all = || CommandRef::all_of(ended);
        let told: Vec<_> = self.outcomes.range(all()).map(|(told, _)| *told).collect();
        for command in told {
            self.heard(command);
        }
        let awaited: Vec<_> = self.awaited.range(all()).map(|(asked, _)| *asked).collect();
        for command in awaited {
            self.lose_interest(command);
        }
        let children = self.children.range(all());
        let (commands, children): (Vec<_>, Vec<_>) = children.unzip();
        let commands: Vec<CommandRef> = commands.into_iter().copied().collect();
        for command in commands {
            self.children.remove(&command);
        }
        children
    }

    /// An instance has ended: those who waited for that, in the order of their keys.
    pub(crate) fn take_awaiting(&mut self, ended: InstanceKey) -> BTreeSet<CommandRef> {
        let commands = self.awaiting.remove(&ended).unwrap_or_default();
        for command in &commands {
            self.awaited.remove(command);
            self.tell(*command, ended);
        }
        commands
    }

    /// `command` is told the outcome of an instance, which must be there until that is recorded: if the process dies before,
    /// it is told again.
    pub(crate) fn tell(&mut self, command: CommandRef, of: InstanceKey) {
        self.outcomes.insert(command, of);
        self.hearing.entry(of).or_default().insert(command);
    }

    /// The outcomes among these events, of this execution, are in its history.
    pub(crate) fn heard_all(
        &mut self,
        instance: InstanceKey,
        execution: ExecutionId,
        events: &[HistoryEvent],
    ) {
        if self.outcomes.is_empty() {
            return;
        }
        for scheduled in events.iter().filter_map(outcome_for) {
            self.heard(CommandRef {
                instance,
                execution,
                scheduled,
            });
        }
    }

    /// The outcome that `command` was told is in its history, or `command` does not wait for it any more.
    pub(crate) fn heard(&mut self, command: CommandRef) {
        let Some(of) = self.outcomes.remove(&command) else {
            return;
        };
        if let Some(commands) = self.hearing.get_mut(&of) {
            commands.remove(&command);
            if commands.is_empty() {
                self.hearing.remove(&of);
            }
        }
    }

    /// An instance whose history is to hold the outcome of this one, and does not yet.
    pub(crate) fn hears_of(&self, ended: InstanceKey) -> Option<InstanceKey> {
        let commands = self.hearing.get(&ended)?;
        commands.first().map(|command| command.instance)
    }

    /// A child is told to end, as its parent no longer waits for it: if the process dies before that is recorded, it is found by
    /// the parent, which must be there.
    pub(crate) fn dismiss(&mut self, child: InstanceKey, parent: InstanceKey) {
        self.dismissed.insert(child, parent);
        self.dismissals.entry(parent).or_default().insert(child);
    }

    /// A child has recorded that it is to end, or has ended.
    pub(crate) fn leaves(&mut self, child: InstanceKey) {
        let Some(parent) = self.dismissed.remove(&child) else {
            return;
        };
        if let Some(children) = self.dismissals.get_mut(&parent) {
            children.remove(&child);
            if children.is_empty() {
                self.dismissals.remove(&parent);
            }
        }
    }

    /// The children of an instance that is about to be removed which were told to end and have not recorded that.
    pub(crate) fn take_dismissed(&mut self, parent: InstanceKey) -> BTreeSet<InstanceKey> {
        let children = self.dismissals.remove(&parent).unwrap_or_default();
        for child in &children {
            self.dismissed.remove(child);
        }
        children
    }

    /// An event is on its way.
    pub(crate) fn send(&mut self, sent: &Sent) {
        let id = sent.event.event.clone().unwrap_or_default();
        self.sent.entry(sent.to).or_default().insert(id, sent.by);
    }

    /// Which of the events that are on their way to an instance are among these, which are recorded there now.
    pub(crate) fn arrived(&mut self, at: InstanceKey, events: &[HistoryEvent]) -> Vec<SentBy> {
        let Some(expected) = self.sent.get_mut(&at) else {
            return Vec::new();
        };
        let ids = events.iter().filter_map(sender_id);
        let arrived = ids.filter_map(|id| expected.remove(id)).collect();
        if expected.is_empty() {
            self.sent.remove(&at);
        }
        arrived
    }

    /// An instance has ended: what was on its way to it.
    pub(crate) fn take_sent(&mut self, ended: InstanceKey) -> BTreeMap<String, SentBy> {
        self.sent.remove(&ended).unwrap_or_default()
    }
}

/// The command that this event brings the outcome of another instance.
fn outcome_for(event: &HistoryEvent) -> Option<EventId> {
    match event {
        HistoryEvent::ChildCompleted(done) | HistoryEvent::DetachedCompleted(done) => {
            Some(done.scheduled)
        }
        HistoryEvent::ChildFailed(failed) | HistoryEvent::DetachedFailed(failed) => {
            Some(failed.scheduled)
        }
        _ => None,
    }
}

/// The id that the sender of an event gave it.
fn sender_id(event: &HistoryEvent) -> Option<&str> {
    match event {
        HistoryEvent::EventRaised(EventRaised { event, .. }) => event.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::message::Incoming;

    fn command(instance: u64) -> CommandRef {
        CommandRef {
            instance: InstanceKey(instance),
            execution: ExecutionId::FIRST,
            scheduled: EventId(0),
        }
    }

    fn ask(bonds: &mut Bonds, waiter: u64, of: u64) {
        let id = InstanceId::parse("ship-42").unwrap();
        let found = Ok(Some((InstanceKey(of), None)));
        let told = bonds.ask(command(waiter), &id, found, Timestamp(1));
        assert!(told.unwrap().is_none());
    }

    #[test]
    fn what_can_never_be_told_is_told_at_once_and_what_cannot_be_read_stalls() {
        let mut bonds = Bonds::default();
        let id = InstanceId::parse("ship-42").unwrap();
        let mut ask = |found| bonds.ask(command(1), &id, found, Timestamp(1)).unwrap();
        let Some(ShardInput::Incoming(waiter, Incoming::Arrival { event, .. })) = ask(Ok(None))
        else {
            panic!("nobody has the id");
        };
        assert_eq!(waiter, InstanceKey(1));
        let HistoryEvent::DetachedFailed(failed) = event else {
            panic!("{event:?}");
        };
        assert!(
            failed
                .failure
                .to_string()
                .contains("`ship-42` could not be found")
        );
        let damaged = StoreError::damaged("row 9 of `instances`", "its checksum is wrong");
        let told = ask(Err(damaged));
        let Some(ShardInput::Incoming(_, Incoming::Stall { report, .. })) = told else {
            panic!("{told:?}");
        };
        assert!(
            report.starts_with("the outcome of `ship-42` cannot be read: row 9"),
            "{report}"
        );
        assert!(bonds.awaited.is_empty() && bonds.awaiting.is_empty());
    }

    #[test]
    fn who_lost_interest_is_forgotten_and_the_others_are_told_once() {
        let mut bonds = Bonds::default();
        for waiter in [3, 1, 2] {
            ask(&mut bonds, waiter, 9);
        }
        ask(&mut bonds, 4, 8);
        bonds.lose_interest(command(2));
        bonds.lose_interest(command(4));
        bonds.lose_interest(command(77));
        let told: Vec<_> = bonds.take_awaiting(InstanceKey(9)).into_iter().collect();
        assert_eq!(told, [command(1), command(3)]);
        assert!(bonds.take_awaiting(InstanceKey(9)).is_empty());
        assert!(bonds.awaited.is_empty() && bonds.awaiting.is_empty());
    }
}
