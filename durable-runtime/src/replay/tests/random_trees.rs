//! Combinators nested at random, answered at random: they end, whatever the order, and every replay goes the same way.

use std::collections::BTreeSet;
use std::pin::pin;

use serde_json::json;

use super::support::*;
use crate::durable::BoxDurable;
use crate::durable::op::DurableOp as _;
use crate::event::{HistoryEvent, Pending};
use crate::orchestration::{
    FuturesUnordered, join_all, race as race_all, seconds, select_all, side_effect, sleep, timeout,
};
use crate::replay::Code;

/// xorshift: enough to vary a test, and the same everywhere.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn index(&mut self, len: usize) -> usize {
        let len = u64::try_from(len).unwrap();
        usize::try_from(self.below(len)).unwrap()
    }
}

type Tree = BoxDurable<'static, u64>;

/// Depends on every value and on their order.
fn folded(values: impl IntoIterator<Item = u64>) -> u64 {
    let mix = |sum: u64, value| sum.wrapping_mul(31).wrapping_add(value + 1) % 1_000_003;
    values.into_iter().fold(7, mix)
}

fn leaf(random: &mut Random) -> Tree {
    let n = random.below(100);
    match random.below(8) {
        0 => Box::pin(side_effect(move || n)),
        1 | 2 => Box::pin(
            async move {
                sleep(seconds(n)).await;
                n
            }
            .__durable_block(),
        ),
        _ => Box::pin(
            async move { u64::from(double(u32::try_from(n).unwrap()).await) }.__durable_block(),
        ),
    }
}

fn tree(random: &mut Random, depth: u32) -> Tree {
    if depth == 0 || random.below(5) == 0 {
        return leaf(random);
    }
    let count = 1 + random.below(4);
    let mut children: Vec<Tree> = (0..count).map(|_| tree(random, depth - 1)).collect();
    let other = tree(random, depth - 1);
    let limit = 1 + random.index(4);
    match random.below(7) {
        0 => {
            Box::pin(async move { folded(join_all(children).limit(limit).await) }.__durable_block())
        }
        1 => Box::pin(race_all(children)),
        2 => Box::pin(
            async move {
                let (first, index, rest) = select_all(children).await;
                let last = if index == 0 {
                    0
                } else {
                    folded(join_all(rest).await)
                };
                folded([first, last, other.await])
            }
            .__durable_block(),
        ),
        3 => Box::pin(drained(children, other).__durable_block()),
        4 => Box::pin(
            async move {
                let result = timeout(seconds(50), other).await;
                folded([result.unwrap_or(0), folded(join_all(children).await)])
            }
            .__durable_block(),
        ),
        5 => Box::pin(interrupted(children, other).__durable_block()),
        _ => Box::pin(
            async move {
                let mut values = Vec::new();
                for child in children.drain(..) {
                    values.push(child.await);
                }
                folded(values)
            }
            .__durable_block(),
        ),
    }
}

/// Pauses after the first result, so that others come while nobody asks.
async fn drained(children: Vec<Tree>, other: Tree) -> u64 {
    let mut running: FuturesUnordered<_> = children.into_iter().collect();
    let mut values: Vec<_> = running.next().await.into_iter().collect();
    sleep(seconds(1)).await;
    running.push(other);
    while let Some(value) = running.next().await {
        values.push(value);
    }
    folded(values)
}

/// A race that is looked at, left alone for a while, and looked at again.
async fn interrupted(children: Vec<Tree>, mut other: Tree) -> u64 {
    let mut held = pin!(race_all(children));
    loop {
        match race(&mut held, sleep(seconds(1))).await {
            Ok(value) => return folded([value, other.await]),
            Err(()) if double(3).await == 0 => return (&mut other).await,
            Err(()) => {}
        }
    }
}

fn grown(seed: u64) -> Code {
    code(move |(): ()| async move { tree(&mut Random::new(seed), 4).await })
}

/// What waits for an answer.
fn open(history: &[HistoryEvent]) -> BTreeSet<(u32, Pending)> {
    let mut open = BTreeSet::new();
    for event in history {
        match event {
            HistoryEvent::ActivityScheduled(it) => _ = open.insert((it.id.0, Pending::Activity)),
            HistoryEvent::TimerCreated(it) => _ = open.insert((it.id.0, Pending::Timer)),
            HistoryEvent::ActivityCompleted(it) => {
                open.remove(&(it.scheduled.0, Pending::Activity));
            }
            HistoryEvent::TimerFired(it) => _ = open.remove(&(it.scheduled.0, Pending::Timer)),
            HistoryEvent::Cancelled(it) => _ = open.remove(&(it.scheduled.0, it.pending)),
            _ => {}
        }
    }
    open
}

/// Answers up to five at a time, until it ends.
fn run(world: &mut World, random: &mut Random) {
    while world.end.is_none() {
        let mut open: Vec<_> = open(&world.history).into_iter().collect();
        assert!(!open.is_empty(), "it waits for nothing");
        let mut arrivals = Vec::new();
        for _ in 0..=random.below(5).min(u64::try_from(open.len()).unwrap() - 1) {
            let (id, pending) = open.swap_remove(random.index(open.len()));
            arrivals.push(match pending {
                Pending::Timer => world.fired(id),
                _ => world.completed(id, random.below(50)),
            });
        }
        world.turn(arrivals);
    }
}

#[test]
fn whatever_the_order_they_end_and_replay() {
    let mut turns = 0;
    for seed in 1..=300 {
        let mut world = World::start(&grown(seed));
        run(&mut world, &mut Random::new(seed + 1_000));
        let is_turn = |event: &&HistoryEvent| matches!(event, HistoryEvent::TurnStarted(_));
        turns += world.history.iter().filter(is_turn).count();
        assert_ne!(world.output(), json!(null), "seed {seed}");
    }
    assert!(turns > 3_000, "{turns} turns are few");
}
