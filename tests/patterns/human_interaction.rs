//! Human interaction: a code, four tries, ninety seconds.

use std::path::{Path, PathBuf};

use durable_runtime::orchestration::seconds;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Instance, named};
use serde_json::{Value, json};

use crate::support::{Ran, Started, Turnstile, count, engine, find, fresh_place, recorded};

const RESPONSE: &str = "SmsChallengeResponse";

async fn verify(engine: &TestEngine, telephone: &Path) -> Started {
    let input = json!([telephone, recorded(seconds(90))]);
    let request = engine
        .start(named::orchestrator("verify_phone", &input))
        .id("verify");
    let handle = request.await.unwrap();
    engine.settle().await;
    handle
}

/// A verification that waits for its first answer.
async fn waiting(test: &str) -> (TestEngine, Started, PathBuf) {
    let telephone = fresh_place(test).join("sms");
    let engine = Ran::default().engine(&format!("{test}-ledger"));
    let handle = verify(&engine, &telephone).await;
    (engine, handle, telephone)
}

fn code(telephone: &Path) -> u32 {
    let text = std::fs::read_to_string(telephone).unwrap();
    text.parse().unwrap()
}

async fn answer(handle: &Instance, code: u32) {
    handle
        .raise(&named::event(RESPONSE), json!(code))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_the_right_code_verifies_on_any_try() {
    for wrong in 0..4 {
        let (engine, handle, telephone) = waiting(&format!("human-a{wrong}")).await;
        let code = code(&telephone);
        for _ in 0..wrong {
            answer(&handle, code + 1).await;
            engine.settle().await;
        }
        answer(&handle, code).await;
        assert_eq!(handle.result().await.unwrap(), Ok(json!(true)));
    }
}

#[tokio::test]
async fn a_four_wrong_codes_do_not() {
    let (engine, handle, telephone) = waiting("human-a-wrong").await;
    for _ in 0..4 {
        answer(&handle, code(&telephone) + 1).await;
    }
    engine.settle().await;
    // It did not wait for the deadline: there is no fifth try.
    assert!(handle.summary().await.unwrap().has_ended());
    assert_eq!(handle.result().await.unwrap(), Ok(json!(false)));
}

#[tokio::test]
async fn a_ninety_seconds_are_for_all_tries_together() {
    let (engine, handle, telephone) = waiting("human-a-late").await;
    engine.advance(seconds(80)).await;
    answer(&handle, code(&telephone) + 1).await;
    engine.advance(seconds(10)).await;
    assert!(handle.summary().await.unwrap().has_ended());
    assert_eq!(handle.result().await.unwrap(), Ok(json!(false)));
}

#[tokio::test]
async fn b_the_event_is_known_in_any_case_of_letters() {
    let (_engine, handle, telephone) = waiting("human-b").await;
    let code = json!(code(&telephone));
    let name = RESPONSE.to_uppercase();
    handle.raise(&named::event(name), code).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(json!(true)));
}

/// The message is read and answered before the sender is told that it was sent.
#[tokio::test]
async fn c_an_answer_that_comes_before_anybody_waits_is_taken() {
    let telephone = fresh_place("human-c").join("sms");
    let turnstile = Turnstile::new();
    let its_turnstile = turnstile.clone();
    let engine = engine("human-c-ledger", move |_| {
        let turnstile = its_turnstile.clone();
        async move { turnstile.pass(0).await }
    });
    let handle = verify(&engine, &telephone).await;
    answer(&handle, code(&telephone)).await;
    engine.settle().await;
    assert!(!handle.summary().await.unwrap().has_ended());
    turnstile.open_below(1);
    assert_eq!(handle.result().await.unwrap(), Ok(json!(true)));
}

#[tokio::test]
async fn d_no_timer_is_left_when_it_has_ended() {
    let (engine, handle, telephone) = waiting("human-d").await;
    let before = engine.now();
    answer(&handle, code(&telephone) + 1).await;
    answer(&handle, code(&telephone)).await;
    handle.wait().await.unwrap();
    assert_eq!(engine.now(), before, "nobody waited for the timer");
    let history = handle.history().await.unwrap();
    engine.advance(seconds(90)).await;
    let engine = engine.restart().await.unwrap();
    engine.settle().await;
    let handle = find(&engine, "verify").await;
    assert_eq!(handle.history().await.unwrap(), history);
    let timers = |event: &HistoryEvent| matches!(event, HistoryEvent::TimerCreated(_));
    assert_eq!(count(&history, timers), 1, "one for all tries");
}

#[tokio::test]
async fn e_an_answer_that_comes_too_late_is_refused() {
    let (_engine, handle, telephone) = waiting("human-e").await;
    answer(&handle, code(&telephone)).await;
    handle.wait().await.unwrap();
    let late = handle.raise(&named::event(RESPONSE), json!(0)).await;
    assert!(late.unwrap_err().is_ended());
}

#[tokio::test]
async fn f_an_answer_that_was_accepted_survives_a_crash() {
    let (mut engine, handle, telephone) = waiting("human-f").await;
    let answers = [1, 1, 0].map(|off| code(&telephone) + off);
    drop(handle);
    for code in answers {
        answer(&find(&engine, "verify").await, code).await;
        engine = engine.restart().await.unwrap();
    }
    let ended = find(&engine, "verify").await.wait().await.unwrap();
    let status: Value = ended.custom_status.unwrap().decode().unwrap();
    assert_eq!(status, 3, "each answer was one try");
}

#[tokio::test]
async fn g_of_two_answers_at_once_the_first_decides_and_the_second_is_kept() {
    let (_engine, handle, telephone) = waiting("human-g").await;
    let (wrong, right) = (json!(code(&telephone) + 1), json!(code(&telephone)));
    let event = named::event(RESPONSE);
    let (first, second) = (handle.raise(&event, wrong), handle.raise(&event, right));
    let (first, second) = tokio::join!(first, second);
    first.and(second).unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(json!(true)));
    let status = handle.custom_status::<u32>().await.unwrap();
    assert_eq!(status, Some(2), "the second answer was the second try");
}
