//! Histories with a rewind: what counts of them, how they replay, and how they go on.

use serde_json::json;

use super::support::*;
use crate::clock::Timestamp;
use crate::durable::BoxDurable;
use crate::durable::op::DurableOp as _;
use crate::engine::rewinding;
use crate::event::{HistoryEvent, Pending, effective};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::EventId;
use crate::orchestration::{Event, join_all, seconds, sleep, uuid};
use crate::replay::Code;
use crate::retry::RetryPolicy;
use crate::store::Outstanding;

static GO: Event<u32> = Event::new("go");

fn broken(name: &str) -> Failure {
    Failure::Fault(Fault::new(FaultKind::Panicked, name, "out of order"))
}

impl World {
    /// Rewinds an execution that has failed, and goes on with `code`.
    fn rewound(self, code: &Code) -> Self {
        let at = Timestamp(self.at.0 + 500);
        let plan = rewinding::plan(&self.history, at, "mended").unwrap();
        let mut history = self.history;
        history.push(HistoryEvent::ExecutionRewound(Box::new(plan.event)));
        let mut world = Self::resume(code, &history)
            .unwrap_or_else(|stall| panic!("{}: {:#?}", stall.report, history));
        world.at = at;
        world
    }

    /// What is outstanding.
    fn outstanding(&self) -> Outstanding {
        let mut outstanding = Outstanding::default();
        self.history.iter().for_each(|it| outstanding.apply(it));
        outstanding
    }

    /// What counts of the history.
    fn effective(&self) -> Vec<String> {
        let counts: Vec<_> = effective(&self.history).cloned().collect();
        kinds(&counts)
    }
}

#[test]
fn what_failed_is_open_again_and_the_rest_is_not_asked_for() {
    let code = code(|(): ()| async {
        let (a, b) = (double(1).await, double(2).await);
        (a + b, double(3).await)
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.fail(1, broken("double"));
    let mut world = world.rewound(&code);
    let open = world.outstanding();
    assert!(open.activities.keys().eq(&[EventId(1)]) && open.undelivered == 0 && !open.ended);
    let late = world.completed(0, 9);
    assert!(!world.execution.accepts(&late), "it has its outcome");
    world.complete(1, 4);
    assert_eq!(world.commands().len(), 3);
    world.complete(2, 6);
    assert_eq!(world.output(), json!([6, 6]));
}

#[test]
fn commands_after_a_rewind_have_numbers_that_no_void_one_had() {
    let code = code(|(): ()| async {
        let paid = double(1).catch().await;
        if let Err(fault) = paid {
            double(50).await;
            panic!("{fault}");
        }
        double(2).await
    });
    let mut world = World::start(&code);
    world.fail(0, broken("double"));
    world.complete(1, 100);
    let mut world = world.rewound(&code);
    assert!(world.outstanding().activities.keys().eq(&[EventId(0)]));
    world.complete(0, 2);
    let ids = || world.history.iter().filter_map(HistoryEvent::command);
    assert!(ids().eq([0, 1, 2].map(EventId)));
    let late = world.completed(1, 100);
    assert!(!world.execution.accepts(&late), "that command is void");
    world.complete(2, 4);
    assert_eq!(world.output(), json!(4));
}

/// Void turns had delivered what is not void: it is delivered once more, in the same order.
#[test]
fn what_void_turns_delivered_is_delivered_again_but_for_the_failures() {
    let code = code(|(): ()| async {
        let all = join_all([double(0).catch(), double(1).catch(), double(2).catch()]).await;
        let sum: u32 = all.into_iter().map(Result::unwrap).sum();
        sum + GO.wait().await
    });
    let mut world = World::start(&code);
    let arrivals = vec![
        world.completed(2, 4),
        world.raised("go", 1000),
        world.failed(1, broken("double")),
    ];
    world.turn(arrivals);
    world.complete(0, 1);
    let world = world.rewound(&code);
    let open = world.outstanding();
    assert!(open.activities.keys().eq(&[EventId(1)]));
    assert_eq!(open.undelivered, 3);
    let expected = [
        "ExecutionStarted",
        "TurnStarted",
        "ActivityScheduled",
        "ActivityScheduled",
        "ActivityScheduled",
        "ActivityCompleted",
        "EventRaised",
        "ActivityCompleted",
        "ExecutionRewound",
    ];
    assert_eq!(world.effective(), expected);
    let mut world = world;
    assert!(world.execution.has_undelivered());
    world.turn(Vec::new());
    world.complete(1, 2);
    assert_eq!(world.output(), json!(1007));
}

#[test]
fn the_end_of_the_code_itself_takes_back_one_turn() {
    let wrong = code(|(): ()| async {
        let id = uuid();
        let first = double(1).await;
        sleep(seconds(5)).await;
        assert!(first > 100, "it cannot count");
        (id, GO.wait().await)
    });
    let right = code(|(): ()| async {
        let id = uuid();
        double(1).await;
        sleep(seconds(5)).await;
        (id, GO.wait().await)
    });
    let mut world = World::start(&wrong);
    world.complete(0, 2);
    world.fire(1);
    let before = world.history.clone();
    // The same code comes to the same end, as often as it likes.
    for _ in 0..3 {
        world = world.rewound(&wrong);
        let open = world.outstanding();
        assert_eq!((open.undelivered, open.activities.len()), (1, 0));
        world.turn(Vec::new());
        assert_eq!(world.fault().kind(), FaultKind::Panicked);
    }
    assert_eq!(world.history[..before.len()], before);
    let mut world = world.rewound(&right);
    world.turn(Vec::new());
    world.raise("go", 7);
    world.check();
    assert_eq!(world.commands().len(), 2, "nothing was asked for twice");
}

#[test]
fn a_first_turn_that_fails_runs_again_with_its_start() {
    let wrong = code(|begins: Option<u32>| async move { begins.expect("it cannot begin") });
    let right = code(|(): ()| async { double(1).await });
    let mut world = World::start(&wrong).rewound(&right);
    assert_eq!(world.outstanding().undelivered, 1);
    world.turn(Vec::new());
    world.complete(0, 2);
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_request_to_end_is_taken_back_and_what_was_open_is_open_again() {
    let code = code(|(): ()| async {
        let a = double(1).await;
        let (b, ()) = crate::join!(double(a), sleep(seconds(9)));
        b
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.cancel();
    let mut world = world.rewound(&code);
    let open = world.outstanding();
    assert!(open.activities.keys().eq(&[EventId(1)]));
    assert!(open.timers.keys().eq(&[EventId(2)]));
    world.fire(2);
    world.complete(1, 4);
    assert_eq!(world.output(), json!(4));
}

/// Where a failure was dealt with, and the end tells of another, what was done since stays.
#[test]
fn a_failure_that_was_dealt_with_is_not_gone_back_to() {
    let code = code(|(): ()| async {
        if double(1).catch().await.is_err() {
            double(2).await;
        }
        assert_ne!(double(3).await, 6, "by itself");
    });
    let mut world = World::start(&code);
    world.fail(0, broken("double"));
    world.complete(1, 4);
    world.complete(2, 6);
    let world = world.rewound(&code);
    let open = world.outstanding();
    assert!(open.activities.is_empty() && open.undelivered == 1);
    assert_eq!(world.commands().len(), 3);
}

#[test]
fn what_has_not_failed_is_not_planned_for() {
    let code = code(|(): ()| async { double(1).await });
    let mut world = World::start(&code);
    let plan = |world: &World| rewinding::plan(&world.history, Timestamp(1), "").is_some();
    assert!(!plan(&world));
    world.complete(0, 2);
    assert!(!plan(&world));
}

/// xorshift, as elsewhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

type Tree = BoxDurable<'static, Result<u32, Fault>>;

/// Activities in sequence, in parallel, with fallbacks, compensations and attempts.
fn tree(random: &mut Random, depth: u32) -> Tree {
    if depth == 0 {
        let n = u32::try_from(random.below(100)).unwrap();
        let attempts = u32::try_from(1 + random.below(3)).unwrap();
        let policy = RetryPolicy::attempts(attempts).initial(seconds(1));
        return Box::pin(async move { double(n).retry(policy).catch().await }.__durable_block());
    }
    let count = 1 + random.below(3);
    let children: Vec<Tree> = (0..count).map(|_| tree(random, depth - 1)).collect();
    let other = tree(random, depth - 1);
    match random.below(5) {
        0 | 1 => Box::pin(
            async move {
                let all = join_all(children).await;
                let sum = all.into_iter().sum::<Result<u32, Fault>>();
                Ok(sum? % 1000 + other.await? % 1000)
            }
            .__durable_block(),
        ),
        2 => Box::pin(
            async move {
                let mut sum = 0;
                for child in children {
                    sum += child.await?;
                }
                Ok(sum % 1000)
            }
            .__durable_block(),
        ),
        3 => Box::pin(
            async move {
                let done = join_all(children).await;
                if let Some(failed) = done.into_iter().find_map(Result::err) {
                    other.await?;
                    return Err(failed);
                }
                Ok(1)
            }
            .__durable_block(),
        ),
        _ => Box::pin(
            async move {
                let first = join_all(children).await.into_iter().find_map(Result::ok);
                match first {
                    Some(sum) => Ok(sum),
                    None => other.await,
                }
            }
            .__durable_block(),
        ),
    }
}

fn grown(seed: u64) -> Code {
    let outcome = move |(): ()| async move {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        match tree(&mut random, 3).await {
            Ok(sum) => sum,
            Err(fault) => panic!("{fault}"),
        }
    };
    code(outcome)
}

/// Answers what is open, at random and up to three at a time, until it ends; of ten activities so many fail.
fn run(world: &mut World, random: &mut Random, failing: u64) {
    world.turn(Vec::new());
    while world.end.is_none() {
        let open = world.outstanding();
        let activities = open.activities.keys().map(|id| (id.0, Pending::Activity));
        let timers = open.timers.keys().map(|id| (id.0, Pending::Timer));
        let mut open: Vec<_> = activities.chain(timers).collect();
        assert!(!open.is_empty(), "it waits for nothing");
        let mut arrivals = Vec::new();
        for _ in 0..=random.below(3).min(u64::try_from(open.len()).unwrap() - 1) {
            let index = random.below(u64::try_from(open.len()).unwrap());
            let (id, pending) = open.swap_remove(usize::try_from(index).unwrap());
            arrivals.push(match pending {
                Pending::Timer => world.fired(id),
                _ if random.below(10) < failing => {
                    let why = Fault::new(FaultKind::Panicked, "double", format!("broken {id}"));
                    world.failed(id, Failure::Fault(why))
                }
                _ => world.completed(id, random.below(50)),
            });
        }
        world.turn(arrivals);
    }
}

fn has_failed(world: &World) -> bool {
    let last = world.history.last();
    matches!(last, Some(HistoryEvent::ExecutionCompleted(end)) if matches!(end.outcome, Outcome::Failed(_)))
}

/// Whatever failed, and in whatever order, the same code follows what is left of its history, and ends once all succeed.
#[test]
fn whatever_the_failures_what_is_left_replays_and_goes_on() {
    let (mut rewinds, mut rerun) = (0, 0);
    for seed in 1..=400 {
        let code = grown(seed);
        let mut random = Random(seed | 1 << 40);
        let mut world = World::start(&code);
        let mut failing = 4;
        run(&mut world, &mut random, failing);
        let before = rewinds;
        while has_failed(&world) {
            rewinds += 1;
            assert!(rewinds < before + 100, "seed {seed} fails for ever");
            world = world.rewound(&code);
            let open = world.outstanding();
            let counts: Vec<_> = effective(&world.history).cloned().collect();
            let succeeded =
                |event: &&HistoryEvent| matches!(event, HistoryEvent::ActivityCompleted(_));
            let all = world.history.iter().filter(succeeded).count();
            rerun += all - counts.iter().filter(succeeded).count();
            assert!(open.undelivered > 0 || !open.activities.is_empty() || !open.timers.is_empty());
            run(&mut world, &mut random, failing);
            failing = failing.saturating_sub(1);
        }
        let sum = world.output();
        assert!(sum.is_u64(), "seed {seed}: {sum}");
    }
    assert!(rewinds > 300, "{rewinds} rewinds are few");
    assert!(rerun < 6_000, "{rerun} successes count no more");
}
