//! Why is it waiting: what an engine tells of instances in every state.

use durable_runtime::explain::{Awaited, Delivery, Explanation, Link, NextTurn, Standing, Wait};
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Instance, InstanceId, Registry, StallReason, Status};

use crate::support::{Gate, engine_of, instance};

static APPROVAL: Event<bool> = Event::new("approval");
static MISSPELT: Event<bool> = Event::new("Aproval");
static ELSE: Event<bool> = Event::new("something else");
static DOOR: Gate = Gate::new();

#[activity(name = "explaining.charge", retry(max_attempts = 5, initial = "1m"))]
async fn charge(cents: u32) -> Result<(), String> {
    Err(format!("no {cents} on the card"))
}

#[activity(name = "explaining.narrow", limit = 2)]
async fn narrow() {
    activity::heartbeat("at the door");
    DOOR.pass().await;
}

#[orchestrator(name = "explaining.asks")]
async fn asks() -> bool {
    APPROVAL.wait().timeout(days(2)).await.unwrap_or(false)
}

#[orchestrator(name = "explaining.charges")]
async fn charges() -> Result<(), String> {
    charge(4200).await
}

#[orchestrator(name = "explaining.parent")]
async fn parent() -> Result<(), String> {
    middle().id("middle").await
}

#[orchestrator(name = "explaining.middle")]
async fn middle() -> Result<(), String> {
    charges().id("leaf").retry(RetryPolicy::attempts(2)).await
}

/// Waits for the outcome of another, which may be waiting for it.
#[orchestrator(name = "explaining.follows")]
async fn follows(other: String) -> u32 {
    sleep(minutes(1)).await;
    let other: InstanceId = other.parse().unwrap_or_else(|_| unreachable!());
    Detached::<u32>::new(other).result().await
}

#[orchestrator(name = "explaining.approves")]
async fn approves(order: String) {
    APPROVAL.send(&order, true).await;
    APPROVAL.send(&order, true).await;
}

#[orchestrator(name = "explaining.reminds")]
async fn reminds() -> bool {
    for _ in 0..3 {
        select! {
            approved = APPROVAL.wait() => return approved,
            () = sleep(days(1)) => {}
        }
    }
    false
}

#[orchestrator(name = "explaining.sleeps")]
async fn sleeps() -> u32 {
    sleep(hours(1)).await;
    7
}

#[orchestrator(name = "explaining.ends")]
async fn ends(well: bool) -> Result<u32, String> {
    if well {
        Ok(7)
    } else {
        Err("it was not meant to be".to_owned())
    }
}

#[orchestrator(name = "explaining.crowd")]
async fn crowd(people: u32) {
    join_all((0..people).map(|_| narrow())).await;
}

fn registry() -> Registry {
    Registry::new()
        .activity(charge)
        .activity(narrow)
        .orchestrator(asks)
        .orchestrator(charges)
        .orchestrator(parent)
        .orchestrator(middle)
        .orchestrator(follows)
        .orchestrator(approves)
        .orchestrator(sleeps)
        .orchestrator(ends)
        .orchestrator(crowd)
}

async fn why(instance: &Instance) -> Explanation {
    instance.explain().await.unwrap()
}

fn only(explanation: &Explanation) -> &Wait {
    let [wait] = &explanation.waits[..] else {
        panic!("{explanation}");
    };
    wait
}

fn line(place: Option<&String>) -> &str {
    let place = place.map(String::as_str).unwrap_or_default();
    assert!(place.contains("explaining.rs:"), "{place}");
    place
}

#[tokio::test]
async fn an_event_under_a_wrong_name_is_told_with_the_one_that_is_awaited() {
    let engine = engine_of(registry());
    let order = engine.start(asks()).await.unwrap();
    order.raise(&MISSPELT, true).await.unwrap();
    order.raise(&ELSE, true).await.unwrap();
    order.raise(&ELSE, true).await.unwrap();
    engine.advance(hours(3)).await;
    for round in 0..2 {
        let told = why(&order).await;
        assert_eq!(told.standing, Standing::Waits, "{round}");
        let [event, deadline] = &told.waits[..] else {
            panic!("{told}");
        };
        let Awaited::Event(awaited) = &event.awaited else {
            panic!("{told}");
        };
        assert_eq!(awaited.name, "approval");
        assert_eq!(awaited.similar.as_deref(), Some("Aproval"));
        let Awaited::Timer(timer) = &deadline.awaited else {
            panic!("{told}");
        };
        assert_eq!(timer.due, event.since + days(2));
        line(event.place.as_ref());
        line(deadline.place.as_ref());
        let buffered: Vec<_> = told.buffered.iter().map(|b| (&*b.name, b.count)).collect();
        assert_eq!(buffered, [("Aproval", 1), ("something else", 2)]);
        let page = told.to_string();
        assert!(
            page.contains("for 3 h (since 2026-01-01T00:00:00Z)"),
            "{page}"
        );
        assert!(
            page.contains("! `Aproval` is buffered; is that what was meant?"),
            "{page}"
        );
        // Whether it is in memory makes no difference.
        engine.evict().await;
    }
    order.raise(&APPROVAL, true).await.unwrap();
    assert!(order.result().await.unwrap());
}

#[tokio::test]
async fn the_children_that_it_waits_for_are_followed_down_to_what_they_wait_for() {
    let engine = engine_of(registry());
    let top = engine.start(parent()).id("top").await.unwrap();
    engine.settle().await;
    engine.advance(minutes(1)).await;
    let told = why(&top).await;
    let leaves = told.leaves();
    let [(leaf, wait)] = &leaves[..] else {
        panic!("{told}");
    };
    assert_eq!(leaf.as_str(), "leaf");
    let Awaited::Activity(charge) = &wait.awaited else {
        panic!("{told}");
    };
    assert_eq!(
        (&*charge.name, charge.attempt, charge.attempts_max),
        ("explaining.charge", 3, 5)
    );
    assert_eq!(charge.last_error.as_deref(), Some("no 4200 on the card"));
    assert_eq!(
        charge.delivery,
        Delivery::Delayed {
            until: engine.now() + minutes(2)
        }
    );
    line(wait.place.as_ref());
    let page = told.to_string();
    for part in [
        "child `middle`",
        "child `leaf` (`explaining.charges`), attempt 1 of 2",
        "attempt 3 of 5",
        "next attempt in 2 min",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn an_activity_runs_here_or_is_queued_behind_a_limit() {
    let engine = engine_of(registry());
    let crowd = engine.start(crowd(5)).await.unwrap();
    engine.settle().await;
    let told = why(&crowd).await;
    let deliveries: Vec<_> = told
        .waits
        .iter()
        .map(|wait| match &wait.awaited {
            Awaited::Activity(activity) => activity,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(deliveries.len(), 5);
    for running in &deliveries[..2] {
        assert!(matches!(
            running.delivery,
            Delivery::Running {
                delivery: 1,
                given_up: None,
                ..
            }
        ));
        let heartbeat = running.heartbeat.as_ref().unwrap();
        assert_eq!(heartbeat.details, "\"at the door\"");
        assert!(heartbeat.at.is_some());
    }
    for queued in &deliveries[2..] {
        assert_eq!(
            queued.delivery,
            Delivery::Queued {
                limit: 2,
                is_its_own: true
            }
        );
    }
    let page = told.to_string();
    assert!(
        page.contains("activity `explaining.narrow`, 3 alike"),
        "{page}"
    );
    // The engine dies, and starts what had no outcome again.
    let engine = engine.restart_with(registry()).await.unwrap();
    let crowd = instance(&engine, crowd.id().as_str()).await;
    engine.settle().await;
    let told = why(&crowd).await;
    let Awaited::Activity(first) = &told.waits[0].awaited else {
        panic!("{told}");
    };
    assert!(
        matches!(first.delivery, Delivery::Running { delivery: 2, .. }),
        "{first:?}"
    );
    assert_eq!(first.suspected.map(|held| held.deaths), Some(1));
    DOOR.open();
    crowd.wait().await.unwrap();
    let told = why(&crowd).await;
    assert!(matches!(
        told.standing,
        Standing::Ended { failure: None, .. }
    ));
    assert!(told.waits.is_empty());
}

#[tokio::test]
async fn instances_that_wait_for_one_another_are_told_so() {
    let engine = engine_of(registry());
    let one = engine
        .start(follows("two".to_owned()))
        .id("one")
        .await
        .unwrap();
    engine
        .start(follows("one".to_owned()))
        .id("two")
        .await
        .unwrap();
    engine.advance(minutes(1)).await;
    let told = why(&one).await;
    let leaves = told.leaves();
    let [(id, wait)] = &leaves[..] else {
        panic!("{told}");
    };
    assert_eq!(id.as_str(), "two");
    let Awaited::Instance(awaited) = &wait.awaited else {
        panic!("{told}");
    };
    assert_eq!(
        (awaited.instance.as_str(), &awaited.link),
        ("one", &Link::Circle)
    );
    assert!(
        told.to_string().contains("neither will ever go on"),
        "{told}"
    );
}

#[tokio::test]
async fn a_stalled_one_is_told_with_cause_and_remedy_and_what_waits_for_it() {
    let engine = engine_of(registry());
    let order = engine.start(asks()).id("asks").await.unwrap();
    engine.settle().await;
    let lacking = Registry::new().orchestrator(sleeps);
    let engine = engine.restart_with(lacking).await.unwrap();
    let order = instance(&engine, order.id().as_str()).await;
    // Nothing has reached it yet, so it does not know.
    let told = why(&order).await;
    assert_eq!(told.standing, Standing::Waits);
    assert!(told.hints[0].contains("Unregistered"), "{told}");
    order.raise(&APPROVAL, true).await.unwrap();
    engine.settle().await;
    let told = why(&order).await;
    let Standing::Stalled {
        reason,
        report,
        remedy,
    } = &told.standing
    else {
        panic!("{told}");
    };
    assert_eq!(*reason, StallReason::Unregistered);
    assert!(report.contains("explaining.asks"), "{report}");
    assert!(
        remedy.contains("start a build that has the function"),
        "{remedy}"
    );
    assert_eq!(told.status, Status::Stalled);
    assert_eq!((told.undelivered, told.buffered.len()), (1, 1));
}

/// It was said that nobody had raised it.
#[tokio::test]
async fn what_was_sent_and_waits_for_room_is_told() {
    let builder = TestEngine::builder().registry(registry());
    let engine = builder.event_limit(1, 1 << 20).start().unwrap();
    let order = engine.start(asks()).id("asks").await.unwrap();
    engine.settle().await;
    order.suspend("lunch").await.unwrap();
    order.raise(&ELSE, true).await.unwrap();
    engine.start(approves("asks".to_owned())).await.unwrap();
    engine.settle().await;
    let told = why(&order).await;
    let without_room = told
        .without_room
        .iter()
        .map(|sent| (&*sent.name, sent.count));
    assert_eq!(without_room.collect::<Vec<_>>(), [("approval", 2)]);
    let page = told.to_string();
    assert!(
        page.contains("it was sent, and waits for room in the inbox"),
        "{page}"
    );
    assert!(
        page.contains("waits for room in its inbox: `approval` (2)"),
        "{page}"
    );
    order.resume("lunch").await.unwrap();
    assert!(order.result().await.unwrap());
}

#[tokio::test]
async fn one_that_has_ended_or_not_begun_says_so() {
    let engine = engine_of(registry());
    let failed = engine.start(ends(false)).await.unwrap();
    failed.wait().await.unwrap();
    let told = why(&failed).await;
    let Standing::Ended {
        failure: Some(failure),
        ..
    } = &told.standing
    else {
        panic!("{told}");
    };
    assert_eq!(failure, "it was not meant to be");
    let sleeper = engine.start(sleeps()).id("sleeper").await.unwrap();
    engine.settle().await;
    let told = why(&sleeper).await;
    assert_eq!(told.turn, NextTurn::None);
    assert!(matches!(only(&told).awaited, Awaited::Timer(_)), "{told}");
    let follower = engine.start(follows("sleeper".to_owned())).await.unwrap();
    engine.advance(minutes(1)).await;
    let told = why(&follower).await;
    let Awaited::Instance(awaited) = &only(&told).awaited else {
        panic!("{told}");
    };
    assert_eq!(awaited.status, Some(Status::Running));
    assert!(matches!(awaited.link, Link::Explained(_)));
}

/// The lines are found in this very file.
#[tokio::test]
async fn what_is_awaited_is_told_with_the_loops_and_branches_around_it() {
    let engine = engine_of(Registry::new().orchestrator(reminds));
    let waiting = engine.start(reminds()).id("one").await.unwrap();
    engine.settle().await;
    let told = waiting.explain().await.unwrap();
    let number = |text: &str| {
        let before = include_str!("explaining.rs").split(text).next().unwrap();
        before.lines().count()
    };
    let looped = number("    for _ in 0..3 {\n        select!") + 1;
    let within = |branch: u32| {
        let select = looped + 1;
        format!("in `for` at line {looped}, branch {branch} of `select!` at line {select}")
    };
    let found: Vec<_> = told.waits.iter().map(|wait| wait.within.clone()).collect();
    assert_eq!(found, [Some(within(1)), Some(within(2))]);
    assert!(told.to_string().contains(&within(2)), "{told}");
}
