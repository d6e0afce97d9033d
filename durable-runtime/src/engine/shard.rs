//! The shard machine: live instances, their inboxes, and their turns.
//!
//! An instance belongs to one shard. While it is live its suspended future is kept in memory and advanced by new
//! arrivals only; else it is rebuilt by replay when something arrives. It has at most one turn on its way to the disk;
//! what arrives meanwhile waits in its inbox, which the shard does not own ([`inboxes`](super::inboxes)).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::engine::guard::Guarded;
use crate::engine::inboxes::{Inboxes, Stepped, Tenure};
use crate::engine::live::Live;
use crate::engine::message::{
    Delivered, Incoming, Reply, ShardInput, Submission, TurnCommit, TurnCommitEnd,
};
use crate::engine::observe::{log, spans};
use crate::engine::revive::{Revived, Reviver};
use crate::engine::twin::{SharedTwins, Twins};
use crate::event::HistoryEvent;
use crate::id::InstanceKey;
use crate::store::StoreError;

/// The instances of one shard thread.
pub(crate) struct Shard {
    reviver: Arc<Reviver>,
    /// All but the code, which outlives the thread.
    inboxes: Arc<Inboxes>,
    /// Since when this thread has the shard; what it does counts as long as the inboxes know of no later one.
    tenure: Tenure,
    /// Boxed, since they move.
    live: HashMap<InstanceKey, Box<Live>>,
    twins: Option<SharedTwins>,
    recency: Recency,
    budget: usize,
    /// How many instances in memory it has last told of.
    counted: usize,
}

impl Shard {
    /// A shard over these inboxes that keeps idle instances in memory up to an estimate of `budget` bytes.
    pub(crate) fn new(reviver: Arc<Reviver>, inboxes: Arc<Inboxes>, budget: usize) -> Self {
        Self {
            twins: Twins::new(&reviver, &inboxes),
            reviver,
            tenure: inboxes.tenure(),
            inboxes,
            live: HashMap::new(),
            recency: Recency::default(),
            budget,
            counted: 0,
        }
    }

    /// Takes an input in; turns are run by [`step`](Self::step).
    pub(crate) fn accept(&mut self, input: ShardInput) {
        let key = match input {
            ShardInput::Incoming(key, incoming) => {
                self.inboxes.put(self.tenure, key, incoming);
                key
            }
            ShardInput::Committed(key, answers) => {
                self.committed(key, answers);
                key
            }
            ShardInput::Refused(key) => {
                // What it is in memory and what is recorded are no longer the same.
                self.live.remove(&key);
                self.inboxes.committed(self.tenure, key);
                key
            }
            ShardInput::Changed(key) => {
                self.live.remove(&key);
                self.inboxes.stir(self.tenure, key);
                key
            }
            ShardInput::Terminated(key) => {
                spans::terminated(&self.reviver, key);
                key
            }
            ShardInput::Probe(reply) => {
                self.inboxes.probe(self.tenure, reply);
                return;
            }
            ShardInput::Reset => {
                self.live.clear();
                self.recency = Recency::default();
                self.tenure = self.inboxes.reset();
                self.tell_count();
                return;
            }
        };
        self.rest(key);
        self.tell_count();
    }

    /// The turn of an instance is on disk, and behind it these answers to what the turn asked for.
    fn committed(&mut self, key: InstanceKey, answers: Vec<HistoryEvent>) {
        if self.live.get(&key).is_some_and(|live| live.is_over()) {
            let ended = self.live.remove(&key);
            spans::ended(&self.reviver, ended.as_deref());
        }
        if let Some(live) = self.live.get_mut(&key) {
            log::waits(live);
            if !answers.is_empty() {
                live.answered(answers);
            }
        }
        self.inboxes.committed(self.tenure, key);
    }

    /// Whether [`step`](Self::step) has something to run.
    pub(crate) fn is_ready(&self) -> bool {
        self.inboxes.is_ready(self.tenure)
    }

    /// Whether another thread has taken over.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.inboxes.tenure().owner() != self.tenure.owner()
    }

    /// Whether what it does counts for nothing, until it begins anew or for good.
    pub(crate) fn is_void(&self) -> bool {
        !self.inboxes.counts(self.tenure)
    }

    /// Runs a turn of the next instance that is ready; returns how many turns are to be [handed over](Self::hand_over).
    pub(crate) fn step(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let Some((key, inbox)) = self.inboxes.next(self.tenure) else {
            return Ok(0);
        };
        self.recency.forget(key);
        let guarded = if inbox.iter().any(Incoming::is_arrival) {
            self.reviver.guard.take(key)
        } else {
            None
        };
        let unrun = match guarded {
            Some(guarded) => {
                (self.reviver.find_unrun(key, &inbox, now)?).map(|unrun| (unrun, guarded))
            }
            None => None,
        };
        let stepped = match unrun {
            Some((unrun, guarded)) => Some(self.record_first(unrun, guarded, inbox, now)?),
            None => self.run(key, inbox, now)?,
        };
        let Some(stepped) = stepped else {
            return Ok(0);
        };
        let done = self.inboxes.note(self.tenure, key, stepped);
        self.rest(key);
        self.evict();
        Ok(done)
    }

    /// Has the turns submitted that have run and are to be committed; returns how many these are.
    pub(crate) fn hand_over(&mut self, submit: impl FnOnce(Vec<Submission>)) -> usize {
        self.inboxes.hand_over(self.tenure, submit)
    }

    /// Runs a turn; `None` if what it came to counts for nothing here, since it took too long.
    fn run(
        &mut self,
        key: InstanceKey,
        inbox: Vec<Incoming>,
        now: Timestamp,
    ) -> Result<Option<Stepped>, StoreError> {
        let revived = match self.live.remove(&key) {
            Some(live) if !live.is_due(now) => Revived::Live(live),
            _ => self.reviver.revive(key, now)?,
        };
        let answer = match revived {
            Revived::Live(mut live) => {
                live.have_twin(self.twins.as_ref());
                let delivered = self.inboxes.begin(self.tenure, key, inbox);
                let turn = spans::turn(&live).entered();
                let begun = self.reviver.observer.meters.now();
                let commit = live.step(delivered, now, &self.reviver.reader)?;
                drop(turn);
                let Some(arrivals) = self.inboxes.end(self.tenure) else {
                    return Ok(None);
                };
                if commit.as_ref().is_some_and(TurnCommit::has_run) {
                    (self.reviver.observer.meters).turn(&live.begun.name, begun);
                }
                let (arrivals, held) = live.backlog.turn_away(arrivals);
                let room = live.room();
                self.live.insert(key, live);
                let replies = arrivals.into_iter().filter_map(Incoming::into_reply);
                return Ok(Some(Stepped {
                    held,
                    room,
                    ..Stepped::of(told(commit, replies))
                }));
            }
            Revived::Ended => return self.answer_for_ended(key, inbox).map(Some),
            Revived::Unknown => Delivered::Unknown,
            Revived::Unreadable(report) => {
                tracing::error!(instance = key.0, "an instance cannot be run: {report}");
                Delivered::Unreadable(report)
            }
        };
        let replies = inbox.into_iter().filter_map(Incoming::into_reply);
        replies.for_each(|reply| reply.send(answer.clone()));
        Ok(Some(Stepped::of(None)))
    }

    /// Tells that the instance has ended, but those whose event is on record.
    fn answer_for_ended(
        &self,
        key: InstanceKey,
        inbox: Vec<Incoming>,
    ) -> Result<Stepped, StoreError> {
        for incoming in inbox {
            let answer = if self.reviver.knows(key, &incoming)? {
                Delivered::Recorded
            } else {
                Delivered::Ended
            };
            if let Some(reply) = incoming.into_reply() {
                reply.send(answer);
            }
        }
        Ok(Stepped::of(None))
    }

    /// Records what has arrived for a guarded instance and runs nothing; a turn follows when that is on disk.
    fn record_first(
        &mut self,
        mut unrun: Live,
        Guarded { held: suspicion }: Guarded,
        inbox: Vec<Incoming>,
        now: Timestamp,
    ) -> Result<Stepped, StoreError> {
        // What it is in memory, if it is, does not know of this.
        self.live.remove(&unrun.key);
        let (arrivals, mut rest): (Vec<_>, Vec<_>) =
            inbox.into_iter().partition(Incoming::is_arrival);
        let recorded = arrivals.iter().map(Incoming::without_reply).collect();
        let commit = unrun.step(recorded, now, &self.reviver.reader)?;
        if commit.is_some() {
            // The turn that follows is what a wake asks for.
            rest.retain(|incoming| !matches!(incoming, Incoming::Wake));
        }
        let (arrivals, held) = unrun.backlog.turn_away(arrivals);
        let room = unrun.room();
        let commit = commit.map(|commit| TurnCommit {
            end: TurnCommitEnd::Due(suspicion),
            ..commit
        });
        let replies = arrivals.into_iter().filter_map(Incoming::into_reply);
        let commit = told(commit, replies);
        Ok(Stepped {
            commit,
            rest,
            held,
            room,
        })
    }

    /// Notes an instance that waits as the most recently used, and forgets one that is busy: it must not be evicted.
    fn rest(&mut self, key: InstanceKey) {
        match self.live.get(&key) {
            Some(live) if self.inboxes.is_idle(key) => self.recency.note(key, live.memory()),
            _ => self.recency.forget(key),
        }
    }

    /// Drops the least recently used idle instances while the estimate is over the budget.
    fn evict(&mut self) {
        let mut count = 0;
        while self.recency.total > self.budget
            && let Some(key) = self.recency.oldest()
        {
            self.recency.forget(key);
            self.live.remove(&key);
            count += 1;
        }
        self.reviver.observer.meters.evicted(count);
        self.tell_count();
    }

    /// Tells how many instances are in memory, if that has changed.
    fn tell_count(&mut self) {
        let before = std::mem::replace(&mut self.counted, self.live.len());
        self.reviver.observer.meters.live(self.counted, before);
    }

    /// Drops every idle instance; each comes back by replay when something arrives.
    pub(crate) fn evict_all(&mut self) {
        let budget = std::mem::replace(&mut self.budget, 0);
        self.evict();
        self.budget = budget;
    }

    /// Whether this instance is in memory.
    #[cfg(test)]
    pub(crate) fn keeps(&self, key: InstanceKey) -> bool {
        self.live.contains_key(&key)
    }

    /// Answers those who asked whether nothing is on its way to the disk.
    pub(crate) fn answer_probes(&mut self) {
        self.inboxes.answer_probes(self.tenure);
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        self.reviver.observer.meters.live(0, self.counted);
    }
}

/// The same commit, with those who wait to hear of it. Without one, nothing changes by what has arrived, and they are told that
/// it is dealt with.
fn told(
    commit: Option<TurnCommit>,
    replies: impl Iterator<Item = Reply<Delivered>>,
) -> Option<TurnCommit> {
    let Some(mut commit) = commit else {
        replies.for_each(|reply| reply.send(Delivered::Recorded));
        return None;
    };
    commit.replies.extend(replies);
    Some(commit)
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
        write!(f, "Shard with {} instances in memory", self.live.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::event::{EventRaised, HistoryEvent, Name};
    use crate::limits;
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
        let builder = TestEngine::builder().registry(registry);
        let engine = builder.event_limit(usize::MAX, usize::MAX).start().unwrap();
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

    /// They stayed in memory for good: nothing ever reached the instance again.
    #[tokio::test]
    async fn what_waits_for_room_in_one_that_is_terminated_is_forgotten_with_it() {
        let registry = Registry::new()
            .named_orchestrator("wait", |_| async {
                Ok::<_, Error>(named::event("go").wait().await)
            })
            .named_orchestrator("tell", |_| async {
                for _ in 0..5 {
                    named::event("noise").send("full", Value::Null).await;
                }
                Ok::<_, Error>(Value::Null)
            });
        let builder = TestEngine::builder().registry(registry);
        let engine = builder.event_limit(2, 1 << 20).start().unwrap();
        let start = |name| engine.start(named::orchestrator(name, &Value::Null));
        let full = start("wait").id("full").await.unwrap();
        start("tell").await.unwrap();
        engine.settle().await;
        let inboxes = &engine.hub.inboxes[0];
        assert_eq!(inboxes.holding(), 1);
        full.suspend("it waits on").await.unwrap();
        engine.settle().await;
        assert_eq!(inboxes.holding(), 1);
        full.terminate("enough").await.unwrap();
        engine.settle().await;
        assert_eq!(inboxes.holding(), 0);
        assert!(inboxes.is_idle(InstanceKey(1)));
    }

    /// A step of which nothing is recorded leaves the rest to the next step, with no commit to wait for.
    #[tokio::test]
    async fn the_rest_of_a_flood_is_answered_though_nothing_is_recorded() {
        let engine = TestEngine::builder()
            .registry(Registry::new())
            .start()
            .unwrap();
        let mut answers = Vec::new();
        let inboxes = Arc::new(Inboxes::default());
        let mut shard = Shard::new(Arc::clone(&engine.hub.reviver), Arc::clone(&inboxes), 0);
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
            assert_eq!(shard.step(engine.hub.clock.now()).unwrap(), 0);
        }
        for mut answer in answers {
            assert_eq!(answer.try_recv(), Ok(Delivered::Unknown));
        }
        assert!(shard.live.is_empty() && inboxes.is_idle(InstanceKey(77)));
    }
}
