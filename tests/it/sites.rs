//! The static table of suspension points: every command has its row, and orchestrators have diagrams.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, Site, graph_of};

static GO: Event<bool> = Event::new("sites.go");

#[activity(name = "sites.charge")]
async fn charge(n: u32) -> Result<u32, String> {
    if n == 13 {
        Err("unlucky".to_owned())
    } else {
        Ok(n)
    }
}

#[orchestrator(name = "sites.ship")]
async fn ship(n: u32) -> u32 {
    n
}

#[helper]
async fn paid(n: u32) -> Result<u32, String> {
    let first = charge(n).await?;
    Ok(first + charge(1).await?)
}

#[orchestrator(name = "sites.everything")]
async fn everything(orders: Vec<u32>) -> Result<u32, String> {
    let mut total = paid(1).await?;
    let (a, b) = join!(charge(2), ship(3));
    total += a? + b;
    for order in orders {
        if order == 0 {
            continue;
        }
        total += charge(order)
            .timeout(hours(1))
            .await
            .map_err(|_| "late".to_owned())??;
        if total > 1000 {
            return Err("too much".to_owned());
        }
    }
    let later = sleep(minutes(1));
    let calls = (0..2).map(|n| async move { charge(n).await });
    total += u32::try_from(join_all(calls).await.len()).unwrap_or_default();
    later.await;
    if changed("sites.dice") {
        total += side_effect(|| 4_u32).await;
    }
    let child = start(ship(9)).await;
    loop {
        select! {
            go = GO.wait() => if go { break },
            () = sleep(days(1)) => return Err("nobody".to_owned()),
        }
    }
    let Some(last) = Some(child.result().await) else {
        return Ok(0);
    };
    Ok(total + last)
}

#[tokio::test(flavor = "current_thread")]
async fn every_command_has_the_row_of_what_asked_for_it() {
    let registry = Registry::new().activity(charge).orchestrator(ship);
    let registry = registry.orchestrator(everything);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    let handle = engine.start(everything(vec![5, 0])).await.unwrap();
    handle.raise(&GO, true).await.unwrap();
    handle.result().await.unwrap().unwrap();
    let sites = graph_of(everything).sites();
    let history = handle.history().await.unwrap();
    let mut callees = Vec::new();
    for event in &history {
        let Some(id) = event.site() else { continue };
        // The highest bit tells a row from a place that has none.
        assert!(id.0 >> 31 == 1, "no row for {event:?}");
        let row = sites.iter().find(|site| site.id() == id.0);
        callees.push(row.map_or("in a helper", Site::callee));
    }
    let expected = [
        "in a helper",
        "in a helper",
        "charge",
        "ship",
        "charge",
        "timeout",
        "charge",
        "charge",
        "sleep",
        "changed",
        "side_effect",
        "start",
        "child.result",
    ];
    assert_eq!(callees, expected);
}

#[test]
fn a_row_says_what_stands_there() {
    let sites = graph_of(everything).sites();
    let row = sites
        .iter()
        .find(|site| site.callee() == "GO.wait")
        .unwrap();
    assert_eq!(row.text().trim(), "go = GO.wait() => if go { break },");
    let line = row.line();
    let (around, inside) = row.path().split_once('/').unwrap();
    assert_eq!(around, format!("loop@{}", line - 2));
    assert_eq!(inside, format!("select@{}#0", line - 1));
    let column = row.text().find("wait").unwrap() + 1;
    assert_eq!(usize::try_from(row.column()), Ok(column));
}

#[test]
fn a_graph_has_boxes_choices_and_exits() {
    let text = graph_of(everything).to_string();
    let expected = include_str!("../golden/everything.mmd");
    assert_eq!(text, expected, "{text}");
}

#[test]
fn a_place_at_which_an_instance_waits_may_be_marked() {
    let graph = graph_of(everything);
    let id = graph.sites()[1].id();
    let plain = graph.to_string();
    assert!(!plain.contains("waiting"));
    assert_eq!(graph.clone().mark(0).to_string(), plain);
    assert!(
        graph
            .mark(id)
            .to_string()
            .ends_with("class site1 waiting\n")
    );
}

#[tokio::test(flavor = "current_thread")]
async fn where_an_instance_waits_is_shown_and_marked() {
    let registry = Registry::new().activity(charge).orchestrator(ship);
    let registry = registry.orchestrator(everything);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    let handle = engine.start(everything(vec![])).await.unwrap();
    engine.advance(minutes(2)).await;
    let explanation = handle.explain().await.unwrap();
    let mut graph = graph_of(everything);
    let callee = |id: Option<u32>| {
        let row = graph.sites().iter().find(|row| Some(row.id()) == id);
        row.map(Site::callee)
    };
    let mut waits: Vec<_> = explanation.waits.iter().collect();
    waits.sort_by_key(|wait| callee(wait.site));
    let found: Vec<_> = waits
        .iter()
        .map(|wait| (callee(wait.site), wait.source.as_deref()))
        .collect();
    let expected = [
        (Some("GO.wait"), Some("go = GO.wait() => if go { break },")),
        (
            Some("sleep"),
            Some("() = sleep(days(1)) => return Err(\"nobody\".to_owned()),"),
        ),
    ];
    assert_eq!(found, expected);
    let page = explanation.to_string();
    assert!(
        page.contains(" (`go = GO.wait() => if go { break },`)"),
        "{page}"
    );
    for wait in &waits {
        graph = graph.mark(wait.site.unwrap());
    }
    assert!(graph.to_string().ends_with("class site13,site14 waiting\n"));
}
