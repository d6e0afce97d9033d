//! Histories in files, and the test that replays them.

use std::path::{Path, PathBuf};

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, assert_replays, check_saved};
use durable_runtime::{Registry, SavedHistory, StallReason};
use serde_json::{Value, json};

static YES: Event<bool> = Event::new("saved-yes");

#[activity(name = "saved.ask")]
async fn ask(question: String) -> String {
    question
}

#[orchestrator(name = "saved.flow")]
async fn flow(question: String) -> (String, String, bool) {
    let id = uuid().to_string();
    let answer = ask(question).await;
    sleep(hours(1)).await;
    (answer, id, YES.wait().await)
}

/// What came after it.
async fn next_flow(question: Value) -> Result<Value, Error> {
    sleep(hours(1)).await;
    ask(question.to_string()).await;
    Ok(json!(YES.wait().await))
}

fn fits() -> Registry {
    Registry::new().activity(ask).orchestrator(flow)
}

fn differs() -> Registry {
    let registry = Registry::new().activity(ask);
    registry.named_orchestrator("saved.flow", next_flow)
}

/// A directory of its own, with the histories of an instance that waits and of one that has ended.
async fn saved(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("saved-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&directory));
    let engine = TestEngine::builder().registry(fits()).start().unwrap();
    for id in ["waits", "ends"] {
        let question = format!("is it \"{id}\"?\n");
        let handle = engine.start(flow(question)).id(id).await.unwrap();
        engine.advance(hours(2)).await;
        if id == "ends" {
            handle.raise(&YES, true).await.unwrap();
            handle.result().await.unwrap();
        }
        let path = directory.join("histories").join(format!("{id}.json"));
        handle.save_history(&path).await.unwrap();
        let read = SavedHistory::load(&path).unwrap();
        assert_eq!(read, handle.saved_history().await.unwrap());
        assert_eq!(read.events(), handle.history().await.unwrap());
    }
    directory
}

/// What a failed assertion says.
fn failure(assertion: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(assertion).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn what_is_saved_replays_against_the_code_that_recorded_it() {
    let directory = saved("fits").await;
    let pattern = directory.join("histories/*.json");
    assert_replays!(pattern.to_str().unwrap(), fits());
    let text = std::fs::read_to_string(directory.join("histories/waits.json")).unwrap();
    for line in [
        "  \"instance\": \"waits\",",
        "  \"name\": \"saved.flow\",",
        r#"    {"TimerFired":{"#,
        r#""input":{"json":"is it \"waits\"?\n"}"#,
    ] {
        assert!(text.contains(line), "{text}");
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn code_that_does_not_fit_fails_with_both_sides_of_each() {
    let directory = saved("differs").await;
    let pattern = directory.join("histories/*");
    let pattern = pattern.to_str().unwrap().to_owned();
    let report = failure(move || assert_replays!(&pattern, differs()));
    assert!(report.contains("of 2 saved histories"), "{report}");
    for id in ["ends", "waits"] {
        let found = format!(
            "{id}.json: history and code disagree at event 2 of `{id}`, execution 1\n  recorded:  ActivityScheduled `saved.ask`\n"
        );
        assert!(report.contains(&found), "{report}");
    }
    assert!(
        report.contains("requested: TimerCreated, due in 3600s\n"),
        "{report}"
    );
    let saved = SavedHistory::load(directory.join("histories/waits.json")).unwrap();
    let error = check_saved(&Registry::new(), &saved).unwrap_err();
    assert_eq!(error.reason(), StallReason::Unregistered);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn no_file_and_a_file_of_another_kind_are_failures() {
    let directory = saved("none").await;
    let pattern = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    for (name, expected) in [
        ("histories/*.jsn", "no saved history matches `"),
        ("nowhere/*", "its directory cannot be read"),
    ] {
        let pattern = pattern(name);
        let report = failure(move || assert_replays!(&pattern, fits()));
        assert!(report.contains(expected), "{report}");
    }
    std::fs::write(directory.join("histories/other.json"), "{}").unwrap();
    let pattern = pattern("histories/*");
    let report = failure(move || assert_replays!(&pattern, fits()));
    assert!(
        report.contains("other.json` is no saved history: it has no `format`"),
        "{report}"
    );
    std::fs::remove_dir_all(&directory).unwrap();
}

/// What a team has: a directory of histories, and a test of one line. `BLESS=1` saves one if there is none.
#[tokio::test]
async fn the_histories_of_this_crate_fit_its_code() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/histories");
    if std::env::var_os("BLESS").is_some() && !directory.exists() {
        let made = saved("blessed").await;
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::copy(
            made.join("histories/ends.json"),
            directory.join("ends.json"),
        )
        .unwrap();
        std::fs::remove_dir_all(made).unwrap();
    }
    assert_replays!("it/histories/*");
}
