//! Lists and counts of instances, and what a cursor is worth.

use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Cursor, CursorError, LookupError, Overview, Page, Query, Registry, Status};

use crate::support::engine_of;

static GO: Event<u32> = Event::new("queries-go");

#[orchestrator(name = "queries.order")]
async fn order(number: u32) -> Result<u32, String> {
    sleep(hours(u64::from(number))).await;
    if number.is_multiple_of(5) {
        return Err("sold out".to_owned());
    }
    Ok(number)
}

#[orchestrator(name = "queries.waits")]
async fn waits() -> u32 {
    GO.wait().await
}

#[orchestrator(name = "queries.text")]
async fn text(input: String) -> usize {
    input.len()
}

fn registry() -> Registry {
    Registry::new()
        .orchestrator(order)
        .orchestrator(waits)
        .orchestrator(text)
}

/// Twelve orders, of which those up to the ninth have ended, and three that wait.
async fn shop() -> TestEngine {
    let engine = engine_of(registry());
    for number in 1..=12 {
        let id = format!("order-{number:02}");
        let town = if number % 2 == 0 { "Wien" } else { "Praha" };
        let start = engine.start(order(number)).id(id).tag("town", town);
        start.tag("year", "2026").await.unwrap();
    }
    for _ in 0..9 {
        engine.advance(hours(1)).await;
    }
    for number in 0..3 {
        let start = engine.start(waits()).id(format!("waits-{number}"));
        start.tag("town", "Wien").await.unwrap();
    }
    engine.settle().await;
    engine
}

async fn ids<R: 'static>(list: Query<R>) -> Vec<String> {
    let page = list.ids_only().await.unwrap();
    assert!(page.next.is_none() && page.damaged.is_empty());
    page.instances.iter().map(ToString::to_string).collect()
}

fn orders(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    let id = |number: u32| format!("order-{number:02}");
    numbers.into_iter().map(id).collect()
}

#[tokio::test]
async fn a_list_says_why_and_until_when_an_instance_is_held() {
    let engine = engine_of(registry());
    let held = engine.start(waits()).id("held").await.unwrap();
    held.suspend("the shop is closed").await.unwrap();
    let later = engine.start(waits()).id("later").after(hours(1));
    later.await.unwrap();
    let listed = engine.instances().await.unwrap().instances;
    let [held, later] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    let why = held.suspended.as_ref().unwrap();
    assert_eq!(why.reason, "the shop is closed");
    assert!(later.suspended.is_none() && held.start_at.is_none());
    assert_eq!(later.start_at, Some(later.created_at + hours(1)));
}

#[tokio::test]
async fn a_list_is_narrowed_by_status_name_tag_and_prefix() {
    let engine = shop().await;
    let list = || engine.instances();
    assert_eq!(ids(list()).await.len(), 15);
    assert_eq!(ids(list().status(Status::Failed)).await, orders([5]));
    let running = list().of(order).status(Status::Running);
    assert_eq!(ids(running).await, orders(10..=12));
    let ended = list().status(Status::Completed).status(Status::Failed);
    assert_eq!(ids(ended).await, orders(1..=9));
    let in_wien = list().tag("town", "Wien").name("queries.order");
    assert_eq!(ids(in_wien).await, orders([2, 4, 6, 8, 10, 12]));
    let both = list().tag("town", "Wien").tag("year", "2026");
    assert_eq!(ids(both.status(Status::Running)).await, orders([10, 12]));
    assert_eq!(ids(list().tag("town", "2026")).await, [""; 0]);
    assert_eq!(ids(list().id_prefix("waits-")).await.len(), 3);
    let some = list()
        .id_prefix("order-0")
        .status(Status::Completed)
        .tag("town", "Praha");
    assert_eq!(ids(some.newest_first()).await, orders([9, 7, 3, 1]));
    assert_eq!(ids(list().name("queries.unknown")).await, [""; 0]);
}

#[tokio::test]
async fn a_list_is_narrowed_by_time_and_goes_in_order_of_creation_or_completion() {
    let engine = shop().await;
    let now = engine.now();
    let begin = now - hours(9);
    let list = || engine.instances();
    assert_eq!(ids(list().created(begin..now)).await, orders(1..=12));
    assert_eq!(ids(list().created(now..)).await.len(), 3);
    assert_eq!(ids(list().created(..begin)).await, [""; 0]);
    assert_eq!(ids(list().created(..=begin)).await.len(), 12);
    let later = (std::ops::Bound::Excluded(begin), std::ops::Bound::Unbounded);
    assert_eq!(ids(list().created(later)).await.len(), 3);
    let all = list().newest_first();
    assert_eq!(ids(all).await[3..], orders((1..=12).rev()));

    let early = begin + hours(3);
    let ended = list().completed(early..begin + hours(6));
    assert_eq!(ids(ended.clone()).await, orders([3, 4, 5]));
    assert_eq!(ids(ended.clone().newest_first()).await, orders([5, 4, 3]));
    assert_eq!(ids(ended.status(Status::Failed)).await, orders([5]));
    assert_eq!(ids(list().completed(..)).await, orders(1..=9));
    let reversed = list().created(now..begin).completed(now..begin);
    assert_eq!(ids(reversed).await, [""; 0]);
}

/// A whole list, one page after the other, with the cursor as text in between.
async fn pages(list: Query<Overview>) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let list = list.clone();
        let list = match &cursor {
            Some(text) => list.after(text.parse().unwrap()),
            None => list,
        };
        let page = list.await.unwrap();
        pages.push(
            page.instances
                .iter()
                .map(|row| row.id.to_string())
                .collect(),
        );
        match page.next {
            Some(next) => cursor = Some(next.to_string()),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn pages_follow_one_another_in_every_order() {
    let engine = shop().await;
    for list in [
        engine.instances(),
        engine.instances().status(Status::Completed),
        engine.instances().completed(..),
        engine.instances().id_prefix("order-"),
    ] {
        for list in [list.clone(), list.newest_first()] {
            let whole = ids(list.clone()).await;
            let pages = pages(list.page_size(4)).await;
            let (last, full) = pages.split_last().unwrap();
            assert!(full.iter().all(|page| page.len() == 4) && last.len() <= 4);
            assert!(!last.is_empty(), "no page is asked for in vain");
            assert_eq!(pages.concat(), whole);
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_after_a_restart_and_another_build_of_the_page() {
    let engine = shop().await;
    let first: Page<Overview> = engine
        .instances()
        .tag("year", "2026")
        .page_size(5)
        .await
        .unwrap();
    let cursor = first.next.unwrap().to_string();
    let engine = engine.restart_with(registry()).await.unwrap();
    let list = engine
        .instances()
        .tag("year", "2026")
        .after(cursor.parse().unwrap());
    assert_eq!(ids(list.clone()).await, orders(6..=12));
    let rows = list.page_size(2).with_payloads().await.unwrap();
    assert_eq!(rows.instances[1].input.decode::<u32>().unwrap(), 7);
}

#[tokio::test]
async fn a_cursor_of_another_list_or_store_is_refused() {
    let engine = shop().await;
    let list = || engine.instances().status(Status::Completed).page_size(2);
    let cursor = list().await.unwrap().next.unwrap();
    // Not by another store: all test engines have the same chance, and so the same id.
    let others = [
        engine.instances(),
        list().status(Status::Failed),
        list().newest_first(),
        list().tag("town", "Wien"),
        list().created(engine.now()..),
        list().id_prefix("order-"),
        list().completed(..),
    ];
    for other in others {
        let error = other.after(cursor.clone()).await.unwrap_err();
        assert!(
            matches!(error, LookupError::Cursor(CursorError::Foreign)),
            "{error}"
        );
        assert!(
            error.to_string().contains("same store, filters and order"),
            "{error}"
        );
    }
    assert!(
        list().page_size(9).after(cursor).await.is_ok(),
        "a page may be longer"
    );
}

#[tokio::test]
async fn text_that_is_no_cursor_is_told() {
    let engine = shop().await;
    let cursor = engine.instances().page_size(2).await.unwrap().next.unwrap();
    let text = cursor.to_string();
    assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
    for place in 0..text.len() {
        let mut forged = text.clone();
        let other = if text.as_bytes()[place] == b'0' {
            "1"
        } else {
            "0"
        };
        forged.replace_range(place..=place, other);
        assert_eq!(
            forged.parse::<Cursor>(),
            Err(CursorError::Malformed),
            "{place}"
        );
        assert!(text[..place].parse::<Cursor>().is_err());
    }
    for text in ["", "0", "zz", "naïve", "0123456789abcdef"] {
        let error = text.parse::<Cursor>().unwrap_err();
        assert!(
            error.to_string().starts_with("this is no cursor"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_page_has_as_many_as_asked_for_within_its_limits() {
    let engine = engine_of(registry());
    for _ in 0..1_010 {
        engine.start(waits()).await.unwrap();
    }
    assert_eq!(engine.instances().await.unwrap().instances.len(), 100);
    for (asked, given) in [(0, 1), (1, 1), (999, 999), (1_000, 1_000), (1_001, 1_000)] {
        let page = engine.instances().page_size(asked).await.unwrap();
        assert_eq!(page.instances.len(), given);
    }
    let names = |count| {
        let names = (0..count).map(|number| format!("name-{number}"));
        names.fold(engine.instances(), Query::name)
    };
    assert!(names(100).await.is_ok());
    let error = names(101).await.unwrap_err().to_string();
    assert!(
        error.contains("by 101 statuses, names and tags, the limit is 100"),
        "{error}"
    );
}

#[tokio::test]
async fn large_payloads_make_a_page_shorter_and_lose_nothing() {
    let engine = engine_of(registry());
    for number in 0..20 {
        let input = "x".repeat(1 << 20);
        let start = engine.start(text(input)).id(format!("text-{number:02}"));
        start.await.unwrap().wait().await.unwrap();
    }
    let first = engine.instances().with_payloads().await.unwrap();
    assert!(
        (10..20).contains(&first.instances.len()),
        "{}",
        first.instances.len()
    );
    let rest = engine
        .instances()
        .with_payloads()
        .after(first.next.unwrap());
    let rest = rest.await.unwrap();
    assert_eq!(first.instances.len() + rest.instances.len(), 20);
    assert!(rest.next.is_none());
    let light = engine
        .instance("text-03")
        .await
        .unwrap()
        .unwrap()
        .overview()
        .await
        .unwrap();
    assert_eq!(
        (light.status, light.id.as_str()),
        (Status::Completed, "text-03")
    );
}

#[tokio::test]
async fn counts_follow_every_change_and_a_restart() {
    let engine = shop().await;
    let told = |counts: &durable_runtime::Counts| counts.iter().collect::<Vec<_>>();
    let expected = [
        (Status::Running, 6),
        (Status::Completed, 8),
        (Status::Failed, 1),
    ];
    let counts = engine.counts().await.unwrap();
    assert_eq!((told(&counts), counts.total()), (expected.to_vec(), 15));
    let waiting = engine.counts_of("queries.waits").await.unwrap();
    assert_eq!(told(&waiting), [(Status::Running, 3)]);
    assert_eq!(
        engine.counts_of("queries.unknown").await.unwrap().total(),
        0
    );
    let engine = engine.restart_with(registry()).await.unwrap();
    assert_eq!(engine.counts().await.unwrap(), counts);
    let first = engine.instance("waits-0").await.unwrap().unwrap();
    first.raise(&GO, 1).await.unwrap();
    first.wait().await.unwrap();
    let waiting = engine.counts_of("queries.waits").await.unwrap();
    assert_eq!(
        told(&waiting),
        [(Status::Running, 2), (Status::Completed, 1)]
    );
}

#[tokio::test]
async fn a_stopped_engine_says_so_to_who_lists_or_counts() {
    let engine = shop().await;
    let list = engine.instances();
    engine.shutdown().await;
    assert!(matches!(list.await, Err(LookupError::Stopped(_))));
    assert!(matches!(
        engine.counts().await,
        Err(LookupError::Stopped(_))
    ));
    let listed = tokio::time::timeout(Duration::from_secs(5), engine.counts_of("x"));
    assert!(matches!(
        listed.await.unwrap(),
        Err(LookupError::Stopped(_))
    ));
}
