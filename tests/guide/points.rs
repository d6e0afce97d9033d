//! The points at which an orchestrator may wait, as rows and as a diagram.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Instance, graph_of};

static SIGNED: Event<bool> = Event::new("signed");

#[activity(name = "points.remind")]
async fn remind(name: String) {
    drop(name);
}

#[orchestrator(name = "points.contract")]
async fn contract(name: String) -> bool {
    for _ in 0..3 {
        remind(name.clone()).await;
        select! {
            is_signed = SIGNED.wait() => return is_signed,
            () = sleep(days(7)) => {}
        }
    }
    false
}

fn points() -> Vec<String> {
    let sites = graph_of(contract).sites().iter();
    let told = sites.map(|site| format!("{}: {}", site.line(), site.callee()));
    told.collect()
}

async fn drawn(instance: &Instance) -> Result<String, Error> {
    let mut graph = graph_of(contract);
    for wait in instance.explain().await?.waits {
        if let Some(site) = wait.site {
            graph = graph.mark(site);
        }
    }
    Ok(graph.to_string())
}

#[tokio::test]
async fn where_it_waits_is_coloured_in_its_diagram() {
    let engine = TestEngine::start().unwrap();
    let contract = engine.start(contract("Ann".to_owned())).await.unwrap();
    engine.settle().await;
    let drawn = drawn(&contract).await.unwrap();
    assert!(drawn.contains("site0[\"remind\"]"), "{drawn}");
    assert!(drawn.ends_with("class site1,site2 waiting\n"), "{drawn}");
    let callees: Vec<String> = points();
    let callees = callees
        .iter()
        .map(|point| point.split(": ").last().unwrap());
    assert_eq!(
        callees.collect::<Vec<_>>(),
        ["remind", "SIGNED.wait", "sleep"]
    );
    let why = contract.explain().await.unwrap().to_string();
    assert!(
        why.contains("in `for` at line 16, branch 2 of `select!` at line 18"),
        "{why}"
    );
}
