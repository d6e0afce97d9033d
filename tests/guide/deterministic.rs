//! What an orchestrator is not to do, and what its author vouches for.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn deploy(service: String, region: String) -> String {
    format!("{service} in {region}")
}

/// The fixed order of all regions.
#[deterministic(reason = "the table is a constant of the program")]
fn regions() -> Vec<String> {
    vec!["eu".to_owned(), "us".to_owned()]
}

#[orchestrator]
async fn rollout(service: String) -> Vec<String> {
    let only = side_effect(|| std::env::var("ONLY_REGION").ok()).await;
    #[nondeterminism(allow(D032), reason = "only the length of a pause depends on it")]
    let pause = std::env::var("FAST").map_or(60, |_| 1);
    let mut done = Vec::new();
    for region in only.map_or_else(regions, |only| vec![only]) {
        done.push(deploy(service.clone(), region).await);
        sleep(seconds(pause)).await;
    }
    done
}

#[tokio::test]
async fn what_is_vouched_for_is_listed() {
    let engine = TestEngine::start().unwrap();
    let handle = engine.start(rollout("shop".to_owned())).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), ["shop in eu", "shop in us"]);

    let all = durable_runtime::allowances();
    let lines: Vec<String> = all.iter().map(ToString::to_string).collect();

    let is_listed = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(is_listed(
        "D032 in `rollout`: only the length of a pause depends on it"
    ));
    assert!(is_listed(
        "deterministic in `regions`: the table is a constant of the program"
    ));
}
