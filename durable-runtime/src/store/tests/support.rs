//! A seeded world of instances, a model of what the store must hold, and disks to hold it.

mod rewinding;

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use crate::clock::{Entropy, Timestamp};
use crate::event::encoding::samples::{
    activity, awaited, child, failed, payload, stalled, started, timer, turn,
};
use crate::event::{
    Cancelled, Completed, CustomStatusSet, EventRaised, ExecutionCompleted, ExecutionContinued,
    Fired, HistoryEvent, Pending, StallReason,
};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, Sequence};
use crate::store::Unfinished;
use crate::store::ledger::Patience;
use crate::store::{
    Created, Medium, Outstanding, QuickRepair, Recovered, Sent, SentBy, Store, StoreError,
    StoreOptions, Summary, Transaction,
};

/// A small generator: equal seeds give equal worlds.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // Steele, Lea and Flood's SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let end = u64::try_from(from.len()).unwrap();
        (end > 0).then(|| &from[usize::try_from(self.below(end)).unwrap()])
    }
}

/// The entropy of a test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed(pub(crate) u128);

impl Entropy for Fixed {
    fn bits(&self) -> u128 {
        self.0
    }
}

/// Bytes that several stores open one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<InMemoryBackend>);

impl Disk {
    pub(crate) fn of(image: &[u8]) -> Self {
        let disk = Self::default();
        disk.set_len(u64::try_from(image.len()).unwrap()).unwrap();
        disk.write(0, image).unwrap();
        disk
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        let mut image = vec![0; usize::try_from(self.len().unwrap()).unwrap()];
        self.read(0, &mut image).unwrap();
        image
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

pub(crate) fn open(medium: Medium) -> Result<(Store, Recovered), StoreError> {
    Store::open(medium, StoreOptions::default(), Timestamp(1_000), &Fixed(7))
}

pub(crate) fn open_disk(disk: &Disk) -> (Store, Recovered) {
    open(Medium::Backend(Box::new(disk.clone()))).unwrap()
}

/// A medium of its own, gone with the store.
pub(crate) fn memory() -> Medium {
    Medium::Backend(Box::new(Disk::default()))
}

/// A store that folds what is more than `rows` rows old, with every commit, and leaves no quick repair.
pub(crate) fn open_impatient(medium: Medium, rows: u64) -> (Store, Recovered) {
    Store::open(medium, impatient(rows), Timestamp(1_000), &Fixed(7)).unwrap()
}

pub(crate) fn impatient(rows: u64) -> StoreOptions {
    StoreOptions {
        patience: Patience {
            rows,
            ..Patience::default()
        },
        quick_repair: QuickRepair {
            beyond: 0,
            up_to: 0,
        },
        ..StoreOptions::default()
    }
}

/// What the store must hold: the histories of every instance, by execution, and whom it must not hold any more.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model(
    pub(crate) BTreeMap<InstanceKey, Vec<Vec<HistoryEvent>>>,
    pub(crate) BTreeMap<InstanceKey, InstanceId>,
);

impl Model {
    pub(crate) fn summary(&self, key: InstanceKey) -> Summary {
        let mut events = self.0[&key].iter().flatten();
        let Some(HistoryEvent::ExecutionStarted(first)) = events.next() else {
            panic!("a history begins with its start");
        };
        let mut summary = Summary::started(first);
        events.for_each(|event| summary.apply(event));
        summary
    }

    pub(crate) fn outstanding(&self, key: InstanceKey) -> Outstanding {
        let mut outstanding = Outstanding::default();
        (self.0[&key].iter().flatten()).for_each(|event| outstanding.apply(event));
        outstanding
    }

    /// What [`Recovered`] must list.
    pub(crate) fn unfinished(&self) -> Vec<Unfinished> {
        let all = self.0.keys().map(|key| (*key, self.summary(*key)));
        let unfinished = all.filter(|(_, summary)| !summary.has_ended());
        unfinished
            .map(|(key, summary)| Unfinished {
                key,
                parent: summary.parent.map(Box::new),
                outstanding: self.outstanding(key),
            })
            .collect()
    }

    /// Everything a reader says is what the model says.
    pub(crate) fn assert_read(&self, store: &Store) {
        let reader = store.reader();
        for (key, executions) in &self.0 {
            let summary = self.summary(*key);
            assert_eq!(reader.find(&summary.id).unwrap(), Some(*key));
            assert_eq!(reader.summary(*key).unwrap(), Some(summary));
            let last = u32::try_from(executions.len()).unwrap();
            let read = reader.history(*key, ExecutionId(last)).unwrap();
            let of_last = executions.last().unwrap();
            assert_eq!(&read, of_last, "instance {}, execution {last}", key.0);
            assert_eq!(reader.last_history(*key).unwrap().unwrap(), *of_last);
            assert_eq!(reader.history(*key, ExecutionId(last + 1)).unwrap(), []);
        }
        super::querying::assert_found(self, store);
        for (key, id) in &self.1 {
            assert_eq!(reader.summary(*key).unwrap(), None, "instance {}", key.0);
            assert_eq!(reader.last_history(*key).unwrap(), None);
            assert_ne!(reader.find(id).unwrap(), Some(*key));
        }
    }

    /// How many instances were ever created.
    pub(crate) fn created(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

/// An event on its way from `sender`, which sent it as this command.
pub(crate) fn sent(sender: InstanceKey, command: u32) -> Sent {
    Sent {
        by: SentBy {
            sender,
            execution: ExecutionId(1),
            command: EventId(command),
        },
        to: InstanceKey(9),
        event: EventRaised {
            at: Timestamp(5),
            name: "approval".into(),
            payload: payload(&command.to_string()),
            event: Some(format!("~order/1/{command}")),
        },
    }
}

/// Makes up turns for instances that it remembers.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) model: Model,
    /// Events on their way.
    sent: BTreeMap<SentBy, Sent>,
    post: Dice,
    /// Decides who is purged and who is rewound, if anybody is.
    reaper: Option<Dice>,
    live: Vec<InstanceKey>,
    now: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            model: Model::default(),
            sent: BTreeMap::new(),
            post: Dice::new(seed + 1_000),
            reaper: None,
            live: Vec::new(),
            now: 1_000,
        }
    }

    /// One in which some of those that have ended are purged, and some go on.
    pub(crate) fn reaping(seed: u64) -> Self {
        Self {
            reaper: Some(Dice::new(seed + 2_000)),
            ..Self::new(seed)
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// Commits up to `turns` random turns.
    pub(crate) fn commit(&mut self, store: &mut Store, turns: u64) -> Result<(), StoreError> {
        self.now += self.dice.below(50);
        let mut transaction = store.begin(self.now())?;
        let mut busy = Vec::new();
        for _ in 0..=self.dice.below(turns) {
            match self.dice.pick(&self.live).copied() {
                Some(key) if !self.dice.one_in(4) => {
                    // An instance has at most one uncommitted turn.
                    if !busy.contains(&key) {
                        busy.push(key);
                        self.turn(&mut transaction, key)?;
                    }
                }
                _ => busy.push(self.create(&mut transaction)?),
            }
        }
        self.send(&mut transaction)?;
        self.rewind(&mut transaction)?;
        self.purge(&mut transaction)?;
        transaction.commit()
    }

    /// Some of those that have ended are purged; some ids are given to others at once.
    fn purge(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let Some(mut reaper) = self.reaper.clone() else {
            return Ok(());
        };
        let ended = self.model.0.keys().filter(|key| !self.live.contains(key));
        let ended: Vec<_> = ended.copied().collect();
        for key in ended {
            if reaper.one_in(16) {
                transaction.purge(key)?;
                let id = self.model.summary(key).id;
                self.model.0.remove(&key);
                self.model.1.insert(key, id.clone());
                if reaper.one_in(3) {
                    self.create_named(transaction, id.as_str())?;
                }
            }
        }
        self.reaper = Some(reaper);
        Ok(())
    }

    /// What [`Recovered`] must list of events on their way.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.values().cloned().collect()
    }

    /// Some events set off, and some arrive.
    fn send(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        if self.post.one_in(2)
            && let Some((by, _)) = self.sent.pop_first()
        {
            transaction.arrived(by);
        }
        for number in 0..self.post.below(3) {
            let Some(sender) = self.post.pick(&self.live).copied() else {
                return Ok(());
            };
            let command =
                self.model.outstanding(sender).next.0 * 8 + u32::try_from(number).unwrap();
            let sent = sent(sender, command);
            transaction.send(&sent)?;
            self.sent.insert(sent.by, sent);
        }
        Ok(())
    }

    fn create(&mut self, transaction: &mut Transaction<'_>) -> Result<InstanceKey, StoreError> {
        let name = format!("instance-{}", self.model.created());
        self.create_named(transaction, &name)
    }

    fn create_named(
        &mut self,
        transaction: &mut Transaction<'_>,
        name: &str,
    ) -> Result<InstanceKey, StoreError> {
        let mut start = started(name, 1, self.now);
        let number = self.model.created();
        start.name = ["checkout", "ship", "return"][number % 3].into();
        if number % 4 > 1 {
            let town = ["Praha", "Wien"][number % 2];
            start.tags.insert("shop".to_owned(), town.to_owned());
        }
        start.input = payload(&"x".repeat(usize::try_from(self.dice.below(400)).unwrap()));
        let Created::New(key) = transaction.create(start.clone())? else {
            panic!("`{name}` is new");
        };
        let event = HistoryEvent::ExecutionStarted(Box::new(start));
        self.model.0.insert(key, vec![vec![event]]);
        self.live.push(key);
        Ok(key)
    }

    fn turn(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: InstanceKey,
    ) -> Result<(), StoreError> {
        let outstanding = self.model.outstanding(key);
        let mut events = self.arrivals(&outstanding);
        if self.dice.one_in(12) {
            events.push(HistoryEvent::ExecutionStalled(stalled(
                self.now,
                StallReason::Divergence,
            )));
            return self.append(transaction, key, events);
        }
        events.push(turn(self.now, 1));
        let commands = self.dice.below(4);
        for number in 0..commands {
            let number = outstanding.next.0 * 8 + u32::try_from(number).unwrap();
            events.push(self.command(number));
        }
        if let Some(scheduled) = outstanding
            .timers
            .keys()
            .next_back()
            .filter(|_| self.dice.one_in(3))
        {
            let pending = Pending::Timer;
            events.push(HistoryEvent::Cancelled(Cancelled {
                scheduled: *scheduled,
                pending,
            }));
        }
        match self.dice.below(8) {
            0 => {
                let outcome = Outcome::Completed(payload("done"));
                events.push(HistoryEvent::ExecutionCompleted(ExecutionCompleted {
                    outcome,
                }));
                self.live.retain(|live| *live != key);
                self.append(transaction, key, events)
            }
            1 => {
                let input = payload("next");
                events.push(HistoryEvent::ExecutionContinued(ExecutionContinued {
                    input,
                }));
                self.append(transaction, key, events)?;
                self.continue_as_new(transaction, key)
            }
            _ => self.append(transaction, key, events),
        }
    }

    fn arrivals(&mut self, outstanding: &Outstanding) -> Vec<HistoryEvent> {
        let at = Timestamp(self.now);
        let mut events = Vec::new();
        if let Some((scheduled, _)) = outstanding.activities.first_key_value() {
            events.push(HistoryEvent::ActivityCompleted(Completed {
                scheduled: *scheduled,
                at,
                output: payload("receipt"),
            }));
        }
        if let Some((scheduled, _)) = outstanding.timers.first_key_value() {
            events.push(HistoryEvent::TimerFired(Fired {
                scheduled: *scheduled,
                at,
            }));
        }
        if let Some((scheduled, _)) = outstanding.awaited.first_key_value() {
            events.push(HistoryEvent::DetachedCompleted(Completed {
                scheduled: *scheduled,
                at,
                output: payload("shipped"),
            }));
        }
        if let Some((scheduled, _)) = outstanding.children.first_key_value() {
            let fault = Failure::Fault(Fault::new(FaultKind::Panicked, "ship", "lost"));
            events.push(HistoryEvent::ChildFailed(failed(scheduled.0, at.0, fault)));
        }
        events
    }

    fn command(&mut self, number: u32) -> HistoryEvent {
        match self.dice.below(5) {
            0 => HistoryEvent::TimerCreated(timer(number, self.now + 5)),
            1 => HistoryEvent::ChildScheduled(child(number)),
            2 if number.is_multiple_of(2) => HistoryEvent::DetachedAwaited(awaited(number)),
            2 => HistoryEvent::CustomStatusSet(CustomStatusSet {
                status: payload("busy"),
            }),
            _ => HistoryEvent::ActivityScheduled(activity(number)),
        }
    }

    fn append(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: InstanceKey,
        events: Vec<HistoryEvent>,
    ) -> Result<(), StoreError> {
        let executions = self.model.0.get_mut(&key).unwrap();
        let execution = ExecutionId(u32::try_from(executions.len()).unwrap());
        let history = executions.last_mut().unwrap();
        let first = Sequence(u32::try_from(history.len()).unwrap());
        transaction.append(key, execution, first, &events)?;
        history.extend(events);
        Ok(())
    }

    fn continue_as_new(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: InstanceKey,
    ) -> Result<(), StoreError> {
        let summary = self.model.summary(key);
        let next = summary.execution.next();
        let mut start = started(summary.id.as_str(), next.0, self.now);
        start.name = summary.name;
        start.tags = summary.tags;
        let events = [
            HistoryEvent::ExecutionStarted(Box::new(start)),
            HistoryEvent::EventRaised(EventRaised {
                at: self.now(),
                name: "carried".into(),
                payload: payload("over"),
                event: None,
            }),
        ];
        transaction.append(key, next, Sequence(0), &events)?;
        self.model.0.get_mut(&key).unwrap().push(events.to_vec());
        Ok(())
    }
}
