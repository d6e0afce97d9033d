use serde_json::json;

use super::support::*;
use crate::event::HistoryEvent;
use crate::failure::FaultKind;
use crate::id::{EventId, ExecutionId};
use crate::orchestration::{Event, OrchestratorCall, continue_as_new, named};
use crate::replay::TurnEnd;
use crate::retry::RetryPolicy;

static NEWS: Event<u32> = Event::new("news");

fn payload(event: &HistoryEvent) -> Option<u32> {
    match event {
        HistoryEvent::EventRaised(raised) => Some(raised.payload.decode().unwrap()),
        HistoryEvent::CancelRequested(_) => None,
        event => panic!("{event:?}"),
    }
}

#[test]
fn an_execution_goes_on_with_new_input_and_the_events_that_nobody_took() {
    let code = code(|round: u32| async move {
        double(1).await;
        NEWS.wait().await;
        race(double(2), continue_as_new(flow(round + 1)))
            .await
            .unwrap_or_default()
    });
    let mut world = World::start_with(&code, &json!(1));
    world.raise("news", 1);
    world.raise("other", 2);
    world.raise("news", 3);
    let arrivals = vec![
        world.completed(0, 2),
        world.raised("news", 4),
        world.completed(1, 9),
        world.cancel_requested(),
    ];
    let turn = world.turn(arrivals);
    world.check();
    let TurnEnd::Continued {
        abandoned,
        next,
        carried,
    } = turn.end
    else {
        panic!("{:?}", turn.end);
    };
    assert_eq!(next.execution, ExecutionId(2));
    assert_eq!(next.input.decode::<u32>().unwrap(), 2);
    assert_eq!((&*next.name, next.at), ("flow", world.at));
    assert_eq!(next.tags, started(&json!(1)).tags);
    let carried: Vec<_> = carried.iter().map(payload).collect();
    let expected = [Some(2), Some(3), Some(4), None];
    assert_eq!(
        carried, expected,
        "in order of arrival over all names, the cancellation last"
    );
    assert_eq!(abandoned.len(), 1);
    assert_eq!(abandoned[0].scheduled, EventId(1));
    assert_eq!(kinds(&turn.events).last().unwrap(), "ExecutionContinued");
}

#[test]
fn code_after_it_asks_for_nothing() {
    let code = code(|round: u32| async move {
        let going_on = continue_as_new(flow(round + 1));
        race(going_on, double(1)).await.unwrap_or_default()
    });
    let world = World::start_with(&code, &json!(1));
    let expected = ["ExecutionStarted", "TurnStarted", "ExecutionContinued"];
    assert_eq!(kinds(&world.history), expected);
    world.check();
}

#[test]
fn another_orchestrator_is_refused_with_the_remedy() {
    let code = code(|(): ()| async { continue_as_new(ship(&json!(1))).await });
    let fault = World::start(&code).fault();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert!(fault.message().contains("as a child instead"), "{fault}");
}

/// The call of `flow` that is given something without effect.
fn misguided(given: &str) -> OrchestratorCall<u32, Flow> {
    match given {
        "id" => flow(2).id("other"),
        "tag" => flow(2).tag("k", "v"),
        _ => flow(2).retry(RetryPolicy::attempts(3)),
    }
}

#[test]
fn what_cannot_be_taken_along_is_refused() {
    for given in ["id", "tag", "retry"] {
        let code = code(move |(): ()| async move { continue_as_new(misguided(given)).await });
        let fault = World::start(&code).fault();
        assert_eq!(fault.kind(), FaultKind::Panicked);
        let start = format!("`flow` cannot continue as new with `.{given}(..)`");
        assert!(fault.message().contains(&start), "{fault}");
    }
}

#[test]
fn by_name_it_keeps_the_orchestrator_and_its_version_unless_one_is_given() {
    let code = code(|which: String| async move {
        let input = json!({"round": 2});
        match &*which {
            "input" => named::continue_as_new(&input).await,
            "call" => continue_as_new(named::orchestrator("flow", &input))
                .await
                .unwrap(),
            _ => continue_as_new(named::orchestrator("flow", &input).version("4"))
                .await
                .unwrap(),
        }
    });
    for (which, version) in [
        ("input", Some("3")),
        ("call", Some("3")),
        ("version", Some("4")),
    ] {
        let world = World::start_as(&code, Some("3"), &json!(which));
        let Some(TurnEnd::Continued { next, .. }) = &world.end else {
            panic!("{:?}", world.end);
        };
        assert_eq!((&*next.name, next.version.as_deref()), ("flow", version));
        world.check();
    }
}
