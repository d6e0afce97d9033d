//! Limits: what is just within one passes, what is beyond it is refused with an error that names it and says what helps.

use durable_runtime::client::Refused;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{OpenError, Outcome, RaiseError, Registry, StartError, named};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;
/// The largest payload, unless the engine is told otherwise.
const PAYLOAD: usize = 2 * MIB;

/// What has a payload, in the code of an orchestrator.
const KINDS: [&str; 9] = [
    "activity input",
    "activity output",
    "child input",
    "detached input",
    "output",
    "custom status",
    "side effect",
    "sent event",
    "next input",
];

/// Text that takes so many bytes as JSON.
fn text(bytes: usize) -> Value {
    Value::String("x".repeat(bytes - 2))
}

async fn make(bytes: Value) -> Result<Value, Error> {
    Ok(text(serde_json::from_value(bytes)?))
}

async fn small(_: Value) -> Result<Value, Error> {
    Ok(json!("small"))
}

/// Makes a payload of that kind and size, and says what came of it.
async fn large(input: Value) -> Result<Value, Error> {
    let Some(kind) = input.get("kind").and_then(Value::as_str) else {
        return Ok(json!("went on"));
    };
    let bytes = usize::try_from(
        input
            .get("bytes")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
    )?;
    match kind {
        "activity input" => drop(named::activity("small", &text(bytes)).await?),
        "activity output" => drop(named::activity("make", &json!(bytes)).await?),
        "child input" => drop(named::orchestrator("small", &text(bytes)).await?),
        "detached input" => drop(start(named::orchestrator("small", &text(bytes))).await),
        "output" => return Ok(text(bytes)),
        "custom status" => set_status(&text(bytes)),
        "side effect" => drop(side_effect(|| text(bytes)).await),
        "sent event" => named::event("e").send("nobody", text(bytes)).await,
        _ => drop(named::continue_as_new(&text(bytes)).await),
    }
    Ok(json!("done"))
}

fn registry() -> Registry {
    Registry::new()
        .named_activity("make", make)
        .named_activity("small", small)
        .named_orchestrator("small", small)
        .named_orchestrator("large", large)
}

fn engine(payload_limit: usize) -> Result<TestEngine, OpenError> {
    let builder = TestEngine::builder().registry(registry());
    builder.payload_limit(payload_limit).start()
}

/// How an orchestration failed that made a payload of this kind and size; `None` if it did not.
async fn failure(engine: &TestEngine, kind: &str, bytes: usize) -> Option<String> {
    let call = named::orchestrator("large", &json!({"kind": kind, "bytes": bytes}));
    let summary = engine.start(call).await.unwrap().wait().await.unwrap();
    match summary.outcome.unwrap() {
        Outcome::Completed(_) => None,
        Outcome::Failed(failure) => Some(failure.to_string()),
    }
}

#[track_caller]
fn names_the_limit(told: &str, limit: usize) {
    let named = format!("the limit is {limit} bytes");
    assert!(told.contains(&named), "{told}");
    assert!(
        told.contains("raise `payload_limit` of the engine's builder"),
        "{told}"
    );
}

#[tokio::test]
async fn a_payload_in_orchestrator_code_is_as_large_as_the_limit_and_no_larger() {
    let engine = TestEngine::builder().registry(registry()).start().unwrap();
    for kind in KINDS {
        for bytes in [PAYLOAD - 1, PAYLOAD] {
            assert_eq!(failure(&engine, kind, bytes).await, None, "{kind}, {bytes}");
        }
        let told = failure(&engine, kind, PAYLOAD + 1).await;
        names_the_limit(&told.unwrap_or_else(|| panic!("{kind}")), PAYLOAD);
    }
}

#[tokio::test]
async fn the_limit_of_payloads_may_be_raised() {
    let limit = 3 * MIB;
    let engine = engine(limit).unwrap();
    for kind in KINDS {
        assert_eq!(failure(&engine, kind, limit).await, None, "{kind}");
        let told = failure(&engine, kind, limit + 1).await;
        names_the_limit(&told.unwrap_or_else(|| panic!("{kind}")), limit);
    }
    for (asked, is_taken) in [
        (PAYLOAD - 1, false),
        (PAYLOAD, true),
        (64 * MIB, true),
        (64 * MIB + 1, false),
    ] {
        match self::engine(asked) {
            Ok(_) => assert!(is_taken, "{asked}"),
            Err(error) => {
                assert!(!is_taken, "{asked}");
                let told = error.to_string();
                assert!(told.contains(&format!("up to {asked} bytes")), "{told}");
                assert!(told.contains("(64 MiB)"), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_client_gives_is_as_large_as_the_limit_and_no_larger() {
    let engine = TestEngine::builder().registry(registry()).start().unwrap();
    let waits = engine.start(named::orchestrator("small", &json!(1)));
    let waits = waits.await.unwrap();
    for bytes in [PAYLOAD - 1, PAYLOAD, PAYLOAD + 1] {
        let started = engine
            .start(named::orchestrator("small", &text(bytes)))
            .await;
        let raised = waits.raise(&named::event("e"), text(bytes)).await;
        if bytes <= PAYLOAD {
            started.unwrap();
            // It may have ended.
            assert!(raised.is_ok() || raised.is_err_and(|error| error.is_ended()));
            continue;
        }
        let StartError::Input(refused) = started.unwrap_err() else {
            panic!("another error was expected");
        };
        names_the_limit(&refused.to_string(), PAYLOAD);
        let Err(RaiseError::Payload(refused)) = raised else {
            panic!("{raised:?}");
        };
        names_the_limit(&refused.to_string(), PAYLOAD);
    }
}

fn name(bytes: usize) -> String {
    "n".repeat(bytes)
}

/// Asks for something under a label that is too long, and returns the fault.
async fn labelled(which: Value) -> Result<Value, Error> {
    let long = || name(129);
    let call = || named::orchestrator("small", &json!(1));
    let fault = match which.as_u64() {
        Some(0) => named::activity(long(), &json!(1)).await.err(),
        Some(1) => named::orchestrator(long(), &json!(1)).await.err(),
        Some(2) => call().version(long()).await.err(),
        Some(3) => call().tag("k".repeat(65), "v").await.err(),
        Some(4) => call().tag("k", "v".repeat(257)).await.err(),
        Some(5) => {
            let many = |call: named::Orchestrator, n: u32| call.tag(n.to_string(), "");
            (0..17).fold(call(), many).await.err()
        }
        Some(6) => call().tag("durabletask.displayName", "x").await.err(),
        Some(7) => {
            let fault = start(call().tag("k".repeat(65), "v")).catch().await.err();
            return Ok(json!(fault.map(|fault| fault.to_string())));
        }
        Some(8) => {
            named::event(long()).send("nobody", json!(1)).await;
            None
        }
        _ => None,
    };
    Ok(json!(fault.map(|fault| fault.to_string())))
}

#[tokio::test]
async fn labels_in_orchestrator_code_that_are_too_long_are_faults_that_say_so() {
    let registry = registry().named_orchestrator("labelled", labelled);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    for (which, expected) in [
        (0, "its name has 129 bytes, the limit is 128 bytes"),
        (1, "its name has 129 bytes, the limit is 128 bytes"),
        (2, "its version has 129 bytes, the limit is 128 bytes"),
        (3, "has 65 bytes, the limit is 64 bytes"),
        (4, "has 257 bytes, the limit is 256 bytes"),
        (5, "it has 17 tags, the limit is 16"),
        (6, "`durabletask.`, which is reserved"),
        (7, "has 65 bytes, the limit is 64 bytes"),
        (8, "its name has 129 bytes, the limit is 128 bytes"),
    ] {
        let call = named::orchestrator("labelled", &json!(which));
        let summary = engine.start(call).await.unwrap().wait().await.unwrap();
        let told = match summary.outcome.unwrap() {
            Outcome::Completed(told) => told.decode::<Option<String>>().unwrap().unwrap(),
            Outcome::Failed(failure) => failure.to_string(),
        };
        assert!(told.contains(expected), "{which}: {told}");
    }
}

#[tokio::test]
async fn labels_of_a_start_are_as_long_as_their_limits_and_no_longer() {
    let long = |bytes| {
        let registry = Registry::new().named_orchestrator(name(bytes), small);
        TestEngine::builder().registry(registry).start().unwrap()
    };
    for (bytes, is_taken) in [(127, true), (128, true), (129, false)] {
        let engine = long(bytes);
        let call = named::orchestrator(name(bytes), &json!(1));
        let started = engine.start(call).await;
        match started {
            Ok(_) => assert!(is_taken),
            Err(error) => {
                assert!(!is_taken, "{error:?}");
                assert!(
                    format!("{error:?}").contains("its name has 129 bytes, the limit is 128 bytes")
                );
            }
        }
    }
    let engine = engine(PAYLOAD).unwrap();
    let call = || named::orchestrator("small", &json!(1));
    for (bytes, is_taken) in [(99, true), (100, true), (101, false)] {
        let started = engine.start(call()).id(name(bytes)).await;
        assert_eq!(started.is_ok(), is_taken, "{started:?}");
        let told = started.err().map(|error| error.to_string());
        assert!(told.is_none_or(|told| told.contains("longer than 100 characters")));
    }
    for (count, is_taken) in [(15, true), (16, true), (17, false)] {
        let many = (0..count).fold(engine.start(call()), |start, n| {
            start.tag(n.to_string(), "")
        });
        match many.await {
            Ok(_) => assert!(is_taken, "{count}"),
            Err(StartError::Input(Refused::Tags(error))) => {
                assert!(!is_taken, "{count}");
                assert!(error.to_string().contains("the limit is 16"), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    for (key, value, is_taken) in [(64, 256, true), (65, 256, false), (64, 257, false)] {
        let start = engine.start(call()).tag("k".repeat(key), "v".repeat(value));
        assert_eq!(start.await.is_ok(), is_taken, "{key}, {value}");
    }
    // A version is looked up only if it can be one.
    for (bytes, expected) in [(128, "is registered"), (129, "its version has 129 bytes")] {
        let error = engine.start(call().version(name(bytes))).await.unwrap_err();
        assert!(format!("{error:?}").contains(expected), "{error:?}");
    }
}

#[tokio::test]
async fn the_names_of_events_are_as_long_as_the_limit_and_no_longer() {
    let waits = Registry::new().named_orchestrator("waits", |_| async {
        Ok::<_, Error>(named::event("stop").wait().await)
    });
    let engine = TestEngine::builder().registry(waits).start().unwrap();
    let one = engine
        .start(named::orchestrator("waits", &json!(1)))
        .await
        .unwrap();
    for bytes in [127, 128] {
        one.raise(&named::event(name(bytes)), json!(1))
            .await
            .unwrap();
    }
    let told = one
        .raise(&named::event(name(129)), json!(1))
        .await
        .unwrap_err();
    assert!(format!("{told:?}").contains("its name has 129 bytes, the limit is 128 bytes"));
}
