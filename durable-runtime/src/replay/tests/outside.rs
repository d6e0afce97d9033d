use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::support::*;
use crate::activity::{self, States};
use crate::definition::{
    ActivityDef, ActivityMarker, OrchestratorMarker, OutputCodec, StateRequirement,
};
use crate::orchestration::{
    ActivityCall, Caught, Event, OrchestratorCall, Timeout, is_replaying, join_all, now, seconds,
    sleep,
};
use crate::payload::Payload;

/// The result of a future that is ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}

fn panic_of(call: impl FnOnce()) -> String {
    crate::panics::caught(call).expect_err("it panics")
}

#[test]
fn an_activity_just_runs_its_body() {
    assert_eq!(ready(double(4)), 8);
    assert_eq!(ready(charge(5)), Ok("5 charged".to_owned()));
    assert_eq!(ready(charge(5).catch()), Ok(Ok("5 charged".to_owned())));
    assert_eq!(ready(join_all((0..3).map(double))), [0, 2, 4]);
}

/// `async fn rate(#[state] rates: &u32, n: u32) -> u32`.
struct Rate;

impl ActivityMarker<u32> for Rate {
    const DEF: &'static ActivityDef = &ActivityDef {
        name: "rate",
        place: PLACE,
        options: OPTIONS,
        retry_when: None,
        states: &[StateRequirement {
            parameter: "rates",
            type_name: "Rates",
            is_given: |states| states.find::<u32>().is_some(),
        }],
        run: |input, states: &States| {
            let (n, rates) = (input.decode::<u32>()?, states.find::<u32>().unwrap());
            Ok(Box::pin(async move {
                crate::failure::Outcome::Completed(Payload::json(&(n * *rates)).unwrap())
            }))
        },
    };
    const OUT: &'static OutputCodec<u32> = Double::OUT;
}

fn rate(n: u32) -> ActivityCall<u32, Rate> {
    ActivityCall::__new(Payload::json(&n))
}

#[test]
fn a_state_is_given_by_hand_and_a_missing_one_is_named() {
    assert_eq!(ready(rate(4).with_state(&5_u32)), 20);
    let message = panic_of(|| {
        ready(rate(4));
    });
    assert!(message.contains("`rate`"), "{message}");
    assert!(
        message.contains("`Rates`; add `.with_state(&value)`"),
        "{message}"
    );
}

/// `async fn facts() -> u32`.
struct Facts;

impl ActivityMarker<u32> for Facts {
    const DEF: &'static ActivityDef = &ActivityDef {
        name: "facts",
        place: PLACE,
        options: OPTIONS,
        retry_when: None,
        states: &[],
        run: |_, _| {
            Ok(Box::pin(async {
                let digits = activity::attempt() + 10 * activity::delivery();
                let digits = digits + 100 * u32::from(activity::is_cancelled());
                assert!(!activity::key().is_nil());
                crate::failure::Outcome::Completed(Payload::json(&digits).unwrap())
            }))
        },
    };
    const OUT: &'static OutputCodec<u32> = Double::OUT;
}

#[test]
fn to_its_body_it_is_the_first_delivery_of_a_first_attempt() {
    let call = ActivityCall::<u32, Facts>::__new(Payload::json(&()));
    assert_eq!(ready(call), 11);
    let message = panic_of(|| _ = activity::key());
    assert!(message.contains("outside an activity"), "{message}");
}

#[test]
fn what_belongs_in_an_orchestrator_says_so() {
    static GO: Event<()> = Event::new("go");
    let by_name = || crate::orchestration::named::activity("double", &json!(1));
    let messages = [
        panic_of(|| ready(sleep(seconds(1)))),
        panic_of(|| _ = now()),
        panic_of(|| ready(GO.wait())),
        panic_of(|| crate::orchestration::set_status("x")),
        panic_of(|| drop(crate::orchestration::info())),
        panic_of(|| _ = ready(crate::orchestration::side_effect(|| 1))),
        panic_of(|| _ = ready(crate::orchestration::continue_as_new(flow(1)))),
        panic_of(|| drop(ready(by_name()))),
    ];
    for message in messages {
        assert!(message.contains("outside an orchestrator"), "{message}");
        assert!(message.contains("`#[orchestrator]`"), "{message}");
    }
    let message = panic_of(|| drop(ready(ship(&json!(1)))));
    assert!(message.contains("`engine.start(..)`"), "{message}");
    assert!(!is_replaying());
}

#[test]
fn an_orchestrator_call_gives_a_client_its_parts() {
    let (parts, _) = ship(&json!(1)).id("a").tag("k", "v").into_parts();
    assert_eq!(
        (&*parts.name, parts.version.or_else(|| None).as_deref()),
        ("ship", Some("2"))
    );
    assert_eq!(parts.input.unwrap().decode::<Value>().unwrap(), json!(1));
    assert_eq!((parts.id.as_deref(), parts.tags.len()), (Some("a"), 1));
}

/// Calls go wherever a caller's future goes, whatever their types are.
#[expect(dead_code, reason = "it is enough that it compiles")]
fn calls_are_free<Out: 'static, A: ActivityMarker<Out>, O: OrchestratorMarker<Out>>() {
    fn is_free<T: Send + Unpin + 'static>() {}
    is_free::<ActivityCall<Out, A>>();
    is_free::<OrchestratorCall<Out, O>>();
    is_free::<Caught<ActivityCall<Out, A>>>();
    is_free::<Timeout<ActivityCall<Out, A>>>();
    is_free::<Timeout<OrchestratorCall<Out, O>>>();
}

#[test]
fn a_call_that_was_begun_in_an_orchestrator_is_awaited_there() {
    thread_local! {
        static STRAY: std::cell::RefCell<Option<ActivityCall<u32, Double>>> =
            const { std::cell::RefCell::new(None) };
    }
    let code = code(|(): ()| async {
        let mut call = double(1);
        let polled = std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut call).poll(cx)));
        assert!(polled.await.is_pending());
        STRAY.set(Some(call));
        sleep(seconds(1)).await;
    });
    let _world = World::start(&code);
    let stray = STRAY.take().unwrap();
    let message = panic_of(std::panic::AssertUnwindSafe(|| _ = ready(stray)));
    assert!(
        message.contains("first polled in an orchestrator"),
        "{message}"
    );
}
