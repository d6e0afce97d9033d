//! The shard machine: live instances, their inboxes, and their turns.
//!
//! An instance belongs to one shard. While it is live its suspended future is kept in memory and advanced by new
//! arrivals only; else it is rebuilt by replay when something arrives. It has at most one turn on its way to the disk;
//! what arrives meanwhile waits in its inbox.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::engine::live::Live;
use crate::engine::message::{Delivered, Incoming, Reply, ShardInput, TurnCommit};
use crate::engine::revive::{Revived, Reviver};
use crate::event::HistoryEvent;
use crate::failure::Failure;
use crate::id::InstanceKey;
use crate::limits;
use crate::store::StoreError;

/// The instances of one shard thread.
pub(crate) struct Shard {
    reviver: Arc<Reviver>,
    slots: HashMap<InstanceKey, Slot>,
    ready: VecDeque<InstanceKey>,
    recency: Recency,
    budget: usize,
    probes: Vec<Reply<bool>>,
}

/// An instance of which something is in memory.
#[derive(Default)]
struct Slot {
    /// Boxed, since slots move.
    live: Option<Box<Live>>,
    inbox: VecDeque<Incoming>,
    is_committing: bool,
    is_ready: bool,
}

impl Shard {
    /// A shard that keeps idle instances in memory up to an estimate of `budget` bytes.
    pub(crate) fn new(reviver: Arc<Reviver>, budget: usize) -> Self {
        Self {
            reviver,
            slots: HashMap::new(),
            ready: VecDeque::new(),
            recency: Recency::default(),
            budget,
            probes: Vec::new(),
        }
    }

    /// Takes an input in; turns are run by [`step`](Self::step).
    pub(crate) fn accept(&mut self, input: ShardInput) {
        let (key, slot) = match input {
            ShardInput::Incoming(key, incoming) => {
                let slot = self.slots.entry(key).or_default();
                slot.inbox.push_back(incoming);
                (key, slot)
            }
            ShardInput::Committed(key) => {
                let slot = self.slots.entry(key).or_default();
                slot.is_committing = false;
                if slot.live.as_ref().is_some_and(|live| live.is_over()) {
                    slot.live = None;
                }
                (key, slot)
            }
            ShardInput::Refused(key) => {
                let slot = self.slots.entry(key).or_default();
                slot.is_committing = false;
                // What it is in memory and what is recorded are no longer the same.
                slot.live = None;
                (key, slot)
            }
            ShardInput::Probe(reply) => {
                self.probes.push(reply);
                return;
            }
        };
        if !slot.is_committing && !slot.is_ready && !slot.inbox.is_empty() {
            slot.is_ready = true;
            self.ready.push_back(key);
        }
        self.rest(key);
    }

    /// Whether [`step`](Self::step) has something to run.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Runs a turn of the next instance that is ready; what it returns is to be committed.
    pub(crate) fn step(&mut self, now: Timestamp) -> Result<Option<TurnCommit>, StoreError> {
        let Some(key) = self.ready.pop_front() else {
            return Ok(None);
        };
        let Some(mut slot) = self.slots.remove(&key) else {
            return Ok(None);
        };
        slot.is_ready = false;
        self.recency.forget(key);
        let inbox = slot.of_one_turn();
        let reader = &self.reviver.reader;
        let commit = match slot.live.take() {
            Some(mut live) => {
                let commit = live.step(inbox, now, reader)?;
                slot.live = Some(live);
                commit
            }
            None => match self.reviver.revive(key)? {
                Revived::Live(mut live) => {
                    let commit = live.step(inbox, now, reader)?;
                    slot.live = Some(live);
                    commit
                }
                Revived::Ended => refuse(inbox, &Delivered::Ended),
                Revived::Unknown => refuse(inbox, &Delivered::Unknown),
                Revived::Unreadable(report) => {
                    tracing::error!(instance = key.0, "an instance cannot be run: {report}");
                    refuse(inbox, &Delivered::Unreadable(report))
                }
            },
        };
        slot.is_committing = commit.is_some();
        if !slot.is_committing && !slot.inbox.is_empty() {
            slot.is_ready = true;
            self.ready.push_back(key);
        }
        self.slots.insert(key, slot);
        self.rest(key);
        self.evict();
        Ok(commit)
    }

    /// Notes an instance that waits as the most recently used; forgets one of which nothing is left, and one that is busy:
    /// its inbox must not be evicted.
    fn rest(&mut self, key: InstanceKey) {
        let Some(slot) = self.slots.get(&key) else {
            return;
        };
        if slot.is_committing || slot.is_ready {
            self.recency.forget(key);
            return;
        }
        if let Some(live) = &slot.live {
            self.recency.note(key, live.memory());
        } else {
            self.recency.forget(key);
            self.slots.remove(&key);
        }
    }

    /// Drops the least recently used idle instances while the estimate is over the budget.
    fn evict(&mut self) {
        while self.recency.total > self.budget {
            let Some(key) = self.recency.oldest() else {
                return;
            };
            self.recency.forget(key);
            self.slots.remove(&key);
        }
    }

    /// Drops every idle instance; each comes back by replay when something arrives.
    pub(crate) fn evict_all(&mut self) {
        let budget = std::mem::replace(&mut self.budget, 0);
        self.evict();
        self.budget = budget;
    }

    /// Answers those who asked whether nothing is on its way to the disk.
    pub(crate) fn answer_probes(&mut self) {
        if self.probes.is_empty() {
            return;
        }
        let is_quiet = self.ready.is_empty() && self.slots.values().all(|slot| !slot.is_committing);
        self.probes.drain(..).for_each(|reply| reply.send(is_quiet));
    }
}

impl Slot {
    /// Takes what one turn may deliver; the rest stays, in order, for the next.
    fn of_one_turn(&mut self) -> Vec<Incoming> {
        let mut bytes = 0;
        let mut fits = |incoming: &Incoming| {
            bytes += payload_bytes(incoming);
            bytes <= limits::TURN_ARRIVAL_BYTES_MAX
        };
        let candidates = self.inbox.iter().take(limits::TURN_ARRIVALS_MAX);
        let count = candidates.take_while(|incoming| fits(incoming)).count();
        // One that is too large by itself must go as well.
        let count = count.max(1).min(self.inbox.len());
        self.inbox.drain(..count).collect()
    }
}

/// What grows with what users send.
fn payload_bytes(incoming: &Incoming) -> usize {
    let Incoming::Arrival { event, .. } = incoming else {
        return 0;
    };
    match event {
        HistoryEvent::EventRaised(raised) => raised.payload.bytes().len(),
        HistoryEvent::ActivityCompleted(completed) | HistoryEvent::ChildCompleted(completed) => {
            completed.output.bytes().len()
        }
        HistoryEvent::ActivityFailed(failed) | HistoryEvent::ChildFailed(failed) => {
            match &failed.failure {
                Failure::Returned(returned) => returned.error.bytes().len(),
                Failure::Fault(fault) => fault.message().len(),
            }
        }
        _ => 0,
    }
}

/// Tells whoever waits for these that they were not recorded.
fn refuse(inbox: Vec<Incoming>, answer: &Delivered) -> Option<TurnCommit> {
    for incoming in inbox {
        if let Incoming::Arrival {
            reply: Some(reply), ..
        } = incoming
        {
            reply.send(answer.clone());
        }
    }
    None
}

/// Idle instances, least recently used first, with their estimated size.
#[derive(Default)]
struct Recency {
    order: BTreeMap<u64, (InstanceKey, usize)>,
    ticks: HashMap<InstanceKey, u64>,
    next: u64,
    total: usize,
}

impl Recency {
    fn note(&mut self, key: InstanceKey, bytes: usize) {
        self.forget(key);
        self.order.insert(self.next, (key, bytes));
        self.ticks.insert(key, self.next);
        self.next += 1;
        self.total += bytes;
    }

    fn forget(&mut self, key: InstanceKey) {
        if let Some((_, bytes)) = self
            .ticks
            .remove(&key)
            .and_then(|tick| self.order.remove(&tick))
        {
            self.total -= bytes;
        }
    }

    fn oldest(&self) -> Option<InstanceKey> {
        self.order.first_key_value().map(|(_, (key, _))| *key)
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Shard with {} instances in memory, {} ready",
            self.slots.len(),
            self.ready.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::event::{EventRaised, Name};
    use crate::orchestration::named;
    use crate::payload::{Codec, Payload};
    use crate::registry::Registry;
    use crate::testing::TestEngine;
    use serde_json::Value;

    /// How many of a flood each turn delivered, and the step commits that took.
    async fn flood(count: usize, bytes: usize) -> (Vec<usize>, u64) {
        let registry = Registry::new().named_orchestrator("wait", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        });
        let engine = TestEngine::builder().registry(registry).start().unwrap();
        let instance = engine
            .start(named::orchestrator("wait", &Value::Null))
            .await
            .unwrap();
        engine.settle().await;
        let key = engine.hub.reviver.reader.find(instance.id());
        let key = key.unwrap().unwrap();
        let before = engine.counters();
        let payload = Payload::from_parts(Codec::Json, vec![b'1'; bytes]);
        let arrival = || Incoming::Arrival {
            event: HistoryEvent::EventRaised(EventRaised {
                at: engine.hub.clock.now(),
                name: Name::Borrowed("noise"),
                payload: payload.clone(),
                event: None,
            }),
            execution: None,
            reply: None,
        };
        let arrivals = (0..count).map(|_| ShardInput::Incoming(key, arrival()));
        // All at once: the shard finds them in one inbox.
        assert!(engine.hub.shards[0].push(arrivals.collect::<Vec<_>>()));
        engine.settle().await;
        let after = engine.counters();
        let commits = (after.commits - after.fold_commits) - (before.commits - before.fold_commits);
        let history = instance.history().await.unwrap();
        let turns = history.split(|event| matches!(event, HistoryEvent::TurnStarted(_)));
        let raised = turns.map(|turn| {
            let is_raised = |event: &&HistoryEvent| matches!(event, HistoryEvent::EventRaised(_));
            turn.iter().filter(is_raised).count()
        });
        (raised.filter(|raised| *raised > 0).collect(), commits)
    }

    /// A flood of events for one instance became one frame, however large.
    #[tokio::test]
    async fn a_flood_of_events_is_cut_into_turns() {
        let max = limits::TURN_ARRIVALS_MAX;
        assert_eq!(flood(max, 1).await, (vec![max], 1));
        assert_eq!(flood(2 * max + 1, 1).await, (vec![max, max, 1], 3));
    }

    #[tokio::test]
    async fn a_flood_of_bytes_is_cut_into_turns() {
        let of_one_turn = limits::TURN_ARRIVAL_BYTES_MAX / limits::PAYLOAD_BYTES_MAX;
        let told = flood(of_one_turn + 1, limits::PAYLOAD_BYTES_MAX).await;
        assert_eq!(told, (vec![of_one_turn, 1], 2));
    }

    /// A step of which nothing is recorded leaves the rest to the next step, with no commit to wait for.
    #[tokio::test]
    async fn the_rest_of_a_flood_is_answered_though_nothing_is_recorded() {
        let engine = TestEngine::builder()
            .registry(Registry::new())
            .start()
            .unwrap();
        let mut answers = Vec::new();
        let mut shard = Shard::new(Arc::clone(&engine.hub.reviver), 0);
        for _ in 0..=limits::TURN_ARRIVALS_MAX {
            let (reply, answer) = Reply::channel();
            answers.push(answer);
            let event = HistoryEvent::EventRaised(EventRaised {
                at: engine.hub.clock.now(),
                name: Name::Borrowed("noise"),
                payload: Payload::json(&1).unwrap(),
                event: None,
            });
            let arrival = Incoming::Arrival {
                event,
                execution: None,
                reply: Some(reply),
            };
            shard.accept(ShardInput::Incoming(InstanceKey(77), arrival));
        }
        while shard.is_ready() {
            assert!(shard.step(engine.hub.clock.now()).unwrap().is_none());
        }
        for mut answer in answers {
            assert_eq!(answer.try_recv(), Ok(Delivered::Unknown));
        }
        assert!(shard.slots.is_empty());
    }
}
