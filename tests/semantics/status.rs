//! CST: custom status.

use durable_runtime::prelude::*;
use serde_json::{Value, json};

use crate::support::engine;

static GO: Event<Value> = Event::new("cst-go");

/// Sets what it is told, after something else in the same turn.
#[orchestrator(name = "cst.sets")]
async fn sets(times: u32) -> u32 {
    for _ in 0..times {
        let status = GO.wait().await;
        set_status("overwritten in the same turn");
        set_status(&status);
    }
    times
}

#[tokio::test]
async fn cst_1_the_last_of_a_turn_is_seen_from_its_commit_on_and_null_clears() {
    let engine = engine();
    let handle = engine.start(sets(4)).await.unwrap();
    let statuses = [
        json!({"done": 1, "of": [2, 3]}),
        json!("text"),
        Value::Null,
        json!(7),
    ];
    for status in statuses {
        handle.raise(&GO, status.clone()).await.unwrap();
        engine.settle().await;
        let seen: Option<Value> = handle.custom_status().await.unwrap();
        assert_eq!(seen.unwrap_or(Value::Null), status);
    }
    assert_eq!(handle.result().await.unwrap(), 4);
    assert_eq!(handle.custom_status::<u32>().await.unwrap(), Some(7));
}
