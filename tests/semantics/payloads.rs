//! PAY: what values are recorded as, and how large they may be.

use durable_runtime::client::Refused;
use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, RaiseError, named};
use serde_json::{Value, json};

use crate::support::{engine, replayed};

/// What one payload may be.
const LIMIT: usize = 2 << 20;

static TEXT: Event<String> = Event::new("pay-text");

#[orchestrator(name = "pay.takes")]
async fn takes() -> usize {
    TEXT.wait().await.len()
}

/// A text that is recorded as JSON of this length.
fn text_of(bytes: usize) -> String {
    "x".repeat(bytes - 2)
}

#[tokio::test]
async fn pay_1_a_payload_may_have_two_mebibytes_and_the_error_says_so() {
    let engine = engine();
    let handle = engine.start(takes()).await.unwrap();
    let error = handle.raise(&TEXT, text_of(LIMIT + 1)).await.unwrap_err();
    let RaiseError::Payload(Refused::TooLarge { bytes, limit }) = error else {
        panic!("{error}");
    };
    assert_eq!((bytes, limit), (LIMIT + 1, LIMIT));
    let message = Refused::TooLarge { bytes, limit }.to_string();
    assert!(message.contains("keep it elsewhere"), "{message}");
    handle.raise(&TEXT, text_of(LIMIT)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), LIMIT - 2);
}

static ANY: Event<Option<String>> = Event::new("pay-any");

#[activity(name = "pay.passes_on")]
async fn passes_on(text: Option<String>) -> Option<String> {
    text
}

#[orchestrator(name = "pay.round_trip")]
async fn round_trip(text: Option<String>) -> (Option<String>, Option<String>) {
    let passed = passes_on(text).await;
    (passed, ANY.wait().await)
}

#[tokio::test]
async fn pay_3_nothing_and_empty_text_are_kept_apart() {
    let engine = engine();
    for text in [None, Some(String::new()), Some("null".to_owned())] {
        let handle = engine.start(round_trip(text.clone())).await.unwrap();
        engine.settle().await;
        engine.evict().await;
        handle.raise(&ANY, text.clone()).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), (text.clone(), text.clone()));
        replayed(&handle).await;
        let by_name = named::orchestrator("pay.round_trip", &json!(text));
        let by_name = engine.start(by_name).await.unwrap();
        by_name.raise(&ANY, text.clone()).await.unwrap();
        let value: Value = by_name.result().await.unwrap().unwrap();
        assert_eq!(value, json!([text, text]));
    }
}

#[tokio::test]
async fn pay_2_a_large_payload_stands_in_the_history_itself() {
    let engine = engine();
    let handle = engine.start(takes()).await.unwrap();
    let text = text_of(LIMIT * 3 / 4);
    handle.raise(&TEXT, text.clone()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), text.len());
    let history = replayed(&handle).await;
    let raised = history.iter().find_map(|event| match event {
        HistoryEvent::EventRaised(raised) => Some(&raised.payload),
        _ => None,
    });
    assert_eq!(raised.unwrap().decode::<String>().unwrap(), text);
}
