//! Names that two functions share. Whatever is annotated in a program is linked into it, so this is a program of its
//! own. The tests name lines of this file.

use durable_runtime::testing::TestEngine;
use durable_runtime::{Engine, OpenError, Registry};

mod orders {
    #[durable_runtime::activity]
    pub(crate) async fn charge(cents: u32) -> u32 {
        cents
    }

    #[durable_runtime::orchestrator]
    pub(crate) async fn checkout(cents: u32) -> u32 {
        charge(cents).await
    }
}

mod refunds {
    #[durable_runtime::activity]
    pub(crate) async fn charge(cents: i64) -> i64 {
        -cents
    }

    #[durable_runtime::orchestrator(version = "2")]
    pub(crate) async fn checkout(cents: i64) -> i64 {
        charge(cents).await
    }
}

/// The message that refuses two functions of one name, which must name both places.
fn assert_names_both(message: &str, places: [&str; 2]) {
    assert!(message.contains("is defined twice"), "{message}");
    for place in places {
        assert!(
            message.contains(&format!("duplicates.rs:{place}")),
            "{message}"
        );
    }
    assert!(
        message.contains("give one of them another `name = \"..\"`"),
        "{message}"
    );
}

#[test]
fn two_linked_functions_of_one_name_are_refused_at_the_start_with_both_places() {
    let error = TestEngine::start().unwrap_err();
    assert!(matches!(error, OpenError::Duplicate(_)), "{error}");
    let message = error.to_string();
    assert!(message.starts_with("activity `charge` "), "{message}");
    assert_names_both(&message, ["9:", "21:"]);
}

#[tokio::test]
async fn a_refused_program_leaves_no_file_behind() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused.redb");
    let error = Engine::open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::Duplicate(_)), "{error}");
    assert!(!path.exists());
}

#[test]
fn functions_given_by_hand_are_held_to_the_same_rule() {
    let registry = Registry::new()
        .activity(orders::charge)
        .activity(refunds::charge);
    let error = TestEngine::builder().registry(registry).start();
    assert_names_both(&error.unwrap_err().to_string(), ["9:", "21:"]);
}

#[tokio::test]
async fn one_function_twice_and_one_name_in_two_versions_are_no_conflict() {
    let registry = Registry::new()
        .activity(orders::charge)
        .activity(orders::charge)
        .orchestrator(orders::checkout)
        .orchestrator(orders::checkout)
        .orchestrator(refunds::checkout);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    let handle = engine.start(orders::checkout(5)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 5);
}
