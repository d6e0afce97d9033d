//! Every order in which an instance, the disk and a program that ends or holds the instance can come to their next steps.
//!
//! An adversary has the machines of one engine in its hands, and steps one of them after the other: a turn runs, what it came to
//! is handed over, a batch is committed, its effects are released, an activity gets a moment to run, a timer is due, an event
//! is raised, an activity or a child comes to its end, and somebody asks for the end of it all. All orders are gone through:
//! from every state, each step that can be taken is taken. A state that was met before is not gone through again.

mod story;
mod world;

use std::collections::BTreeSet;

pub(super) use self::world::{Hands, NoChance};
use self::world::{Step, World};
use crate::engine::message::{Controlled, Delivered, Reach, Wish};
use crate::event::HistoryEvent;
use crate::store::Status;

/// What is found out about one state of the world.
type Check = fn(&World);

/// Goes through all states that can be reached by these steps of the outside; returns how many there were.
async fn explore(outside: &[Step], always: Check, at_the_end: Check) -> usize {
    let mut met = BTreeSet::new();
    let mut open: Vec<Vec<Step>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let (mut path, mut world) = (path.clone(), World::after(outside, &path).await);
        while met.insert(world.fingerprint()) {
            always(&world);
            // One step is taken from here, the others from the beginning again.
            let mut next = world.possible();
            let Some(step) = next.pop() else {
                at_the_end(&world);
                break;
            };
            open.extend(next.into_iter().map(|step| [&path[..], &[step]].concat()));
            world.take(step).await;
            path.push(step);
        }
    }
    met.len()
}

/// The same for several worlds, side by side.
fn explore_all(worlds: Vec<[Step; 3]>, always: Check, at_the_end: Check) -> usize {
    std::thread::scope(|scope| {
        let explore = |outside: [Step; 3]| {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            runtime.block_on(explore(&outside, always, at_the_end))
        };
        let threads = worlds
            .into_iter()
            .map(|world| scope.spawn(move || explore(world)));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn is_turn(event: &HistoryEvent) -> bool {
    matches!(event, HistoryEvent::TurnStarted(_))
}

/// What is recorded behind the last event of a kind.
fn behind(history: &[HistoryEvent], is_it: fn(&HistoryEvent) -> bool) -> &[HistoryEvent] {
    let at = history.iter().rposition(is_it);
    at.and_then(|at| history.get(at + 1..)).unwrap_or_default()
}

/// The promise, as it holds from the moment on in which somebody was told that the instance is terminated.
fn nothing_runs_once_that_was_promised(world: &World) {
    let told = world.log();
    let history = world.history();
    let ends = history.iter().filter(|event| event.is_terminal()).count();
    assert!(ends <= 1, "{}", world.story());
    let Some(Controlled::Recorded) = world.answers().first() else {
        return;
    };
    let last = history.last();
    assert!(
        matches!(last, Some(HistoryEvent::ExecutionTerminated(_))),
        "{}",
        world.story()
    );
    assert_eq!(told.begun_since_answer, 0, "{}", world.story());
    assert_eq!(world.untold(), 0, "{}", world.story());
}

/// What is left when nobody can take a step any more.
fn all_is_settled(world: &World) {
    nothing_runs_once_that_was_promised(world);
    let summary = world.summary();
    let last = world.history().last().cloned();
    let raised = world
        .history()
        .iter()
        .any(|event| matches!(event, HistoryEvent::EventRaised(_)));
    match world.answers() {
        [Controlled::Recorded] => assert_eq!(summary.status, Status::Terminated),
        // Its own end was recorded first.
        [Controlled::Ended(status)] => {
            assert_eq!(
                (*status, summary.status),
                (Status::Completed, Status::Completed)
            );
            assert!(
                matches!(last, Some(HistoryEvent::ExecutionCompleted(_))),
                "{}",
                world.story()
            );
        }
        answers => panic!("{answers:?}: {}", world.story()),
    }
    match world.raised() {
        None => assert!(!raised),
        Some(Delivered::Recorded) => assert!(raised, "{}", world.story()),
        Some(Delivered::Ended) => assert!(!raised, "{}", world.story()),
        Some(other) => panic!("{other:?}: {}", world.story()),
    }
    assert_eq!(world.waiting_timers(), 0, "{}", world.story());
    assert_eq!(world.running(), 0, "{}", world.story());
    world.check_reopened();
}

#[test]
fn nothing_of_a_terminated_instance_runs_or_is_recorded_in_any_order_of_things() {
    const REST: [Step; 4] = [Step::Timer, Step::Raise, Step::Finish, Step::EndChild];
    let terminate = Step::Ask(Wish::Terminate(Reach::Alone));
    let pairs =
        (1..REST.len()).flat_map(|end| REST[..end].iter().map(move |one| (*one, REST[end])));
    let worlds = pairs.map(|(one, other)| [terminate, one, other]);
    let (always, at_the_end) = (nothing_runs_once_that_was_promised, all_is_settled);
    let states = explore_all(worlds.collect(), always, at_the_end);
    assert!(states > 5_000, "{states} states are not all");
}

/// No turn is recorded while it is held.
fn nothing_runs_while_it_is_held(world: &World) {
    let history = world.history();
    let is_suspended = |event: &HistoryEvent| matches!(event, HistoryEvent::ExecutionSuspended(_));
    let is_resumed = |event: &HistoryEvent| matches!(event, HistoryEvent::ExecutionResumed(_));
    let meanwhile = behind(&history, is_suspended).iter();
    let meanwhile: Vec<_> = meanwhile.take_while(|event| !is_resumed(event)).collect();
    if history.iter().any(is_suspended) {
        let is_quiet = meanwhile.iter().all(|event| event.is_arrival());
        assert!(is_quiet, "{}", world.story());
    }
}

/// Nothing that reached it meanwhile is lost, or is there twice.
fn all_was_delivered(world: &World) {
    nothing_runs_while_it_is_held(world);
    let history = world.history();
    let count = |is_it: fn(&HistoryEvent) -> bool| history.iter().filter(|it| is_it(it)).count();
    let ended = count(|event| matches!(event, HistoryEvent::ExecutionCompleted(_)));
    if world.raised().is_some() {
        // Its event ends it, whatever else was on its way.
        assert_eq!(ended, 1, "{}", world.story());
    } else {
        for (step, is_it) in OUTCOMES {
            assert_eq!(
                count(is_it),
                usize::from(world.has_taken(step)),
                "{}",
                world.story()
            );
        }
        assert!(
            behind(&history, HistoryEvent::is_arrival)
                .iter()
                .any(is_turn)
        );
    }
    world.check_replays();
}

type IsIt = fn(&HistoryEvent) -> bool;

const OUTCOMES: [(Step, IsIt); 3] = [
    (Step::Timer, |event| {
        matches!(event, HistoryEvent::TimerFired(_))
    }),
    (Step::Finish, |event| {
        matches!(event, HistoryEvent::ActivityCompleted(_))
    }),
    (Step::EndChild, |event| {
        matches!(event, HistoryEvent::ChildCompleted(_))
    }),
];

#[test]
fn no_turn_runs_while_one_is_held_and_nothing_is_lost_in_any_order_of_things() {
    let rest = [Step::Timer, Step::Raise, Step::Finish, Step::EndChild];
    let (suspend, resume) = (Step::Ask(Wish::Suspend), Step::Ask(Wish::Resume));
    let worlds = rest.map(|other| [suspend, resume, other]);
    let (always, at_the_end) = (nothing_runs_while_it_is_held, all_was_delivered);
    let states = explore_all(worlds.into(), always, at_the_end);
    assert!(states > 1_000, "{states} states are not all");
}

/// Whoever was not answered asks again, in the next process.
#[tokio::test]
async fn a_kill_after_any_commit_loses_no_word_of_whoever_holds_and_ends_it() {
    let script = [
        Step::Ask(Wish::Suspend),
        Step::Finish,
        Step::Timer,
        Step::EndChild,
        Step::Ask(Wish::Resume),
        Step::Ask(Wish::Terminate(Reach::Alone)),
    ];
    let mut killed_after = 1;
    while let Some(world) = World::killed_after(&script, killed_after).await {
        nothing_runs_while_it_is_held(&world);
        let history = world.history();
        let count = |is_it: IsIt| history.iter().filter(|it| is_it(it)).count();
        let story = format!("killed after {killed_after}: {}", world.story());
        let records: [IsIt; 4] = [
            |event| matches!(event, HistoryEvent::ExecutionSuspended(_)),
            |event| matches!(event, HistoryEvent::ExecutionResumed(_)),
            |event| matches!(event, HistoryEvent::ExecutionTerminated(_)),
            |event| matches!(event, HistoryEvent::TimerFired(_)),
        ];
        assert_eq!(records.map(count), [1; 4], "{story}");
        assert_eq!(world.summary().status, Status::Terminated, "{story}");
        assert_eq!((world.waiting_timers(), world.running()), (0, 0), "{story}");
        world.check_reopened();
        killed_after += 1;
    }
    assert!(killed_after > 8, "{killed_after} commits");
}
