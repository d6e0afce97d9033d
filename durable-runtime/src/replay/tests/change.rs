//! Code that changes under running executions, at each point of them.

use serde_json::json;

use super::attributes;
use super::divergence::sides;
use super::support::*;
use crate::event::{ChangeRecorded, HistoryEvent};
use crate::id::EventId;
use crate::orchestration::{Event, changed, continue_as_new, retired, seconds, sleep};
use crate::replay::{Code, TurnEnd};
use crate::{activity, helper, join, orchestrator, select};

static GO: Event<()> = Event::new("go");

#[activity(crate = crate, name = "change.add")]
async fn add(a: u32, b: u32) -> u32 {
    a + b
}

/// Without the change.
fn before() -> Code {
    code(|(): ()| async {
        let first = double(1).await;
        GO.wait().await;
        first + double(2).await
    })
}

/// With it: it waits a moment before it waits for `go`.
fn with() -> Code {
    code(|(): ()| async {
        let first = double(1).await;
        if changed("wait") {
            sleep(seconds(1)).await;
        }
        GO.wait().await;
        first + double(2).await
    })
}

fn retiring() -> Code {
    code(|(): ()| async {
        let first = double(1).await;
        retired("wait");
        sleep(seconds(1)).await;
        GO.wait().await;
        first + double(2).await
    })
}

/// The line is gone.
fn after() -> Code {
    code(|(): ()| async {
        let first = double(1).await;
        sleep(seconds(1)).await;
        GO.wait().await;
        first + double(2).await
    })
}

/// One execution of `code` after so many arrivals: `double(1)` has returned, the timer has fired, `go` was raised.
fn world(code: &Code, arrivals: usize, has_timer: bool, has_mark: bool) -> World {
    let mut world = World::start(code);
    let mark = u32::from(has_mark);
    let timer = u32::from(has_timer);
    let steps: [&dyn Fn(&mut World); 4] = [
        &|world| drop(world.complete(0, 2)),
        &|world| {
            if has_timer {
                world.fire(1 + mark);
            }
        },
        &|world| drop(world.raise("go", ())),
        &|world| drop(world.complete(1 + mark + timer, 4)),
    ];
    steps
        .iter()
        .take(arrivals)
        .for_each(|step| step(&mut world));
    world
}

fn marks(world: &World) -> usize {
    let commands = world.commands();
    let is_mark = |event: &&&HistoryEvent| matches!(event, HistoryEvent::ChangeRecorded(_));
    commands.iter().filter(is_mark).count()
}

/// Goes on from `world` in `code` to the end, and checks that what came of it replays.
fn go_on(world: &World, code: &Code) -> World {
    let mut world = World::resume(code, &world.history).unwrap_or_else(|e| panic!("{}", e.report));
    for _ in 0..4 {
        if world.history.iter().any(HistoryEvent::is_terminal) {
            break;
        }
        let next = world.commands().len();
        for id in 0..u32::try_from(next).unwrap() {
            let arrivals = [world.completed(id, 2), world.fired(id)];
            let arrival = arrivals.into_iter().find(|it| world.execution.accepts(it));
            if let Some(it) = arrival {
                world.turn(vec![it]);
            }
        }
        if !world.history.iter().any(HistoryEvent::is_terminal) {
            world.raise("go", ());
        }
    }
    replays(&world, code);
    world
}

/// Checks that a history that several builds have written fits this one.
fn replays(world: &World, code: &Code) {
    if let Err(stall) = World::resume(code, &world.history) {
        panic!("replay stalls: {}", stall.report);
    }
}

#[test]
fn the_first_call_is_recorded_and_true() {
    let world = world(&with(), 1, true, true);
    assert_eq!(world.asked(), ["ChangeRecorded", "TimerCreated"]);
    let HistoryEvent::ChangeRecorded(ChangeRecorded { id, change, .. }) = world.commands()[1]
    else {
        panic!("{:?}", world.commands());
    };
    assert_eq!((*id, &**change), (EventId(1), "wait"));
    assert_eq!(marks(&go_on(&world, &with())), 1);
}

#[test]
fn what_has_passed_the_place_goes_on_as_before_and_the_rest_takes_the_change() {
    for arrivals in 0..=4 {
        let begun = world(&before(), arrivals, false, false);
        let ended = go_on(&begun, &with());
        let takes_it = arrivals < 1;
        assert_eq!(marks(&ended), usize::from(takes_it), "{arrivals}");
    }
}

#[test]
fn a_change_is_retired_where_all_have_it_and_its_line_goes_where_none_has_the_mark() {
    for arrivals in 0..=4 {
        let marked = world(&with(), arrivals, true, true);
        let had = marks(&marked);
        assert_eq!(marks(&go_on(&marked, &retiring())), had, "{arrivals}");
        let unmarked = world(&retiring(), arrivals, true, false);
        assert_eq!(marks(&unmarked), 0);
        go_on(&unmarked, &after());
    }
}

#[test]
fn a_step_taken_too_early_diverges_and_the_report_names_the_change() {
    let stall = |world: &World, code| World::resume(&code, &world.history).err().unwrap();
    let divergence = |world: &World, code| *stall(world, code).divergence.unwrap();
    for arrivals in 1..=4 {
        let unchanged = world(&before(), arrivals, false, false);
        assert!(sides(&divergence(&unchanged, retiring())).1.is_some());
        let marked = world(&with(), arrivals, true, true);
        for code in [before(), after()] {
            let recorded = divergence(&marked, code).recorded.unwrap();
            let expected =
                "ChangeRecorded `wait`, which `changed(\"wait\")` or `retired(\"wait\")` passes";
            assert_eq!(recorded.what, expected);
            assert!(recorded.origin.is_some());
        }
    }
}

/// A loop that began without the change.
#[test]
fn the_first_answer_holds_for_the_whole_execution() {
    let rounds = |with: bool| {
        code(move |(): ()| async move {
            let mut said = Vec::new();
            for _ in 0..3 {
                GO.wait().await;
                said.push(with && changed("again"));
                double(1).await;
            }
            said
        })
    };
    let finish = |world: &mut World| {
        while world.end.is_none() {
            world.raise("go", ());
            let asked = world.commands().len();
            world.complete(u32::try_from(asked).unwrap() - 1, 2);
        }
    };
    let mut begun = World::start(&rounds(false));
    begun.raise("go", ());
    begun.complete(0, 2);
    let mut old = World::resume(&rounds(true), &begun.history).unwrap();
    finish(&mut old);
    assert_eq!(old.unchecked_output(), json!([false, false, false]));
    replays(&old, &rounds(true));
    let mut new = World::start(&rounds(true));
    finish(&mut new);
    assert_eq!(new.output(), json!([true, true, true]));
    assert_eq!((marks(&old), marks(&new)), (0, 1));
}

#[helper(crate = crate)]
async fn asks(n: u32, change: &'static str) -> u32 {
    let first = add(n, n).await;
    if changed(change) {
        sleep(seconds(1)).await;
    }
    first
}

#[orchestrator(crate = crate)]
async fn branches() -> ([u32; 2], (bool, u32), bool) {
    let (a, b) = join!(asks(1, "a"), asks(2, "b"));
    let lone = select! {
        n = add(3, 3) => (changed("c"), n),
        () = GO.wait() => (changed("d"), 0),
    };
    ([a, b], lone, changed("a"))
}

#[test]
fn branches_ask_in_the_order_in_which_they_are_polled() {
    let mut world = World::start(&attributes::flow(branches()));
    let arrivals = vec![world.completed(1, 4), world.completed(0, 2)];
    world.turn(arrivals);
    let recorded: Vec<String> = world
        .commands()
        .iter()
        .filter_map(|event| match event {
            HistoryEvent::ChangeRecorded(mark) => Some(mark.change.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(recorded, ["b", "a"]);
    world.fire(3);
    world.fire(5);
    world.raise("go", ());
    assert_eq!(world.output(), json!([[2, 4], [true, 0], true]));
    assert_eq!(marks(&world), 3);
}

#[test]
fn a_second_change_beside_the_first_leaves_it_alone() {
    let both = code(|(): ()| async {
        let first = double(1).await;
        let more = changed("more");
        if changed("wait") {
            sleep(seconds(1)).await;
        }
        GO.wait().await;
        (first + double(2).await, more)
    });
    for arrivals in 0..=3 {
        let begun = world(&with(), arrivals, true, true);
        let ended = go_on(&begun, &both);
        assert_eq!(
            ended.unchecked_output()[1],
            json!(arrivals == 0),
            "{arrivals}"
        );
        assert_eq!(marks(&ended), if arrivals == 0 { 2 } else { 1 });
    }
}

#[test]
fn many_calls_record_one_mark_and_the_next_execution_has_one_of_its_own() {
    let code = code(|n: u32| async move {
        let all = [(); 3].map(|()| changed("many"));
        GO.wait().await;
        if n == 0 && all == [true; 3] {
            continue_as_new(flow(1)).await
        } else {
            n
        }
    });
    let mut world = World::start_with(&code, &json!(0));
    assert_eq!(marks(&world), 1);
    world.raise("go", ());
    world.check();
    let Some(TurnEnd::Continued { next, .. }) = world.end.take() else {
        panic!("it goes on");
    };
    let begin = HistoryEvent::ExecutionStarted(next);
    let mut next = World::resume(&code, &[begin]).unwrap();
    next.turn(Vec::new());
    assert_eq!(marks(&next), 1);
}

#[test]
fn a_log_line_decides_nothing() {
    let logs = code(|(): ()| async {
        if let Some(_telling) = crate::orchestration::telling::telling() {
            assert!(changed("told"));
            retired("told");
        }
        let has = changed("told");
        GO.wait().await;
        has
    });
    let mut world = World::start(&logs);
    assert_eq!(marks(&world), 1);
    world.raise("go", ());
    assert_eq!(world.output(), json!(true));
    let silent = code(|(): ()| async {
        if let Some(_telling) = crate::orchestration::telling::telling() {
            assert!(changed("told"));
        }
        GO.wait().await;
    });
    let mut world = World::start(&silent);
    world.raise("go", ());
    world.check();
    assert_eq!(marks(&world), 0);
}

#[test]
#[should_panic(expected = "`changed` was used outside an orchestrator")]
fn outside_it_says_where_it_belongs() {
    changed("outside");
}

#[test]
#[should_panic(expected = "`retired` was used outside an orchestrator")]
fn outside_it_is_not_retired_either() {
    retired("outside");
}

#[test]
fn a_name_is_as_long_as_the_store_takes_it() {
    let of = |bytes: usize| code(move |(): ()| async move { changed("x".repeat(bytes)) });
    assert_eq!(World::start(&of(128)).output(), json!(true));
    let fault = World::start(&of(129)).fault();
    assert!(
        fault
            .message()
            .contains("has 129 bytes, the limit is 128 bytes"),
        "{fault}"
    );
}
