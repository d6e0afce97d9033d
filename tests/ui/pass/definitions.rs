//! What the attributes register, and that two layouts of modules work.
#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]

use std::time::Duration;

use durable_runtime::__private::inventory;
use durable_runtime::definition::{ActivityDef, OrchestratorDef};
use durable_runtime::failure::{Failure, FailureDetails, Fault, FaultKind, ReturnedError};
use durable_runtime::payload::{Codec, Payload};
use durable_runtime::retry::{Retry, RetryPolicy};
use durable_runtime::{activity, orchestrator};

mod checkout {
    /// Named as its module, and re-exported from there.
    #[durable_runtime::orchestrator(name = "shop.checkout", version = "2", codec = "bincode")]
    pub(crate) async fn checkout(n: u32) -> u32 {
        if n == 0 { 0 } else { checkout(n - 1).await }
    }
}
use checkout::checkout;

#[derive(serde::Serialize, serde::Deserialize)]
struct Transient(bool);

#[derive(Clone)]
struct Db;

fn is_transient(error: &Transient) -> bool {
    error.0
}

/// All options.
#[activity(
    name = "shop.charge",
    retry(max_attempts = 5, initial = "250ms", backoff = 3.0, max_interval = "1m", total = "2h", when = is_transient),
    attempt_timeout = "30s",
    heartbeat_timeout = "5s",
    limit = 10,
)]
async fn charge(#[state] _db: &Db, cents: u64) -> Result<u64, Transient> {
    Ok(cents)
}

/// Not `async`: it may block.
#[activity]
fn hash(#[state] shared: std::sync::Arc<Db>, text: String) -> usize {
    drop(shared);
    text.len()
}

#[deprecated(note = "use `charge`")]
#[activity]
#[expect(clippy::needless_return, reason = "so that an expectation is tried")]
async fn r#try() {
    return;
}

#[cfg(any())]
#[activity]
async fn absent() -> Missing {}

#[activity]
#[cfg(any())]
async fn absent_below() -> Missing {}

#[orchestrator(crate = durable_runtime)]
async fn plain() -> Result<(), Transient> {
    charge(1).await?;
    Ok(())
}

fn activity_def(name: &str) -> &'static ActivityDef {
    let defs = inventory::iter::<&'static ActivityDef>.into_iter();
    defs.copied().find(|def| def.name == name).unwrap()
}

fn orchestrator_def(name: &str) -> &'static OrchestratorDef {
    let defs = inventory::iter::<&'static OrchestratorDef>.into_iter();
    defs.copied().find(|def| def.name == name).unwrap()
}

fn main() {
    let charge_def = activity_def("shop.charge");
    let policy = RetryPolicy::attempts(5)
        .initial(Duration::from_millis(250))
        .backoff(3.0)
        .max_interval(Duration::from_secs(60))
        .total(Duration::from_secs(7_200));
    assert_eq!(charge_def.options.retry, policy);
    assert_eq!(charge_def.options.attempt_timeout, Some(Duration::from_secs(30)));
    assert_eq!(charge_def.options.limit, Some(10));
    assert_eq!(charge_def.options.codec, Codec::Json);
    assert_eq!(charge_def.states.len(), 1);
    assert_eq!(charge_def.states[0].type_name, "Db");
    assert_eq!(charge_def.states[0].parameter, "_db");
    let mut states = durable_runtime::__private::States::new();
    assert!(!(charge_def.states[0].is_given)(&states));
    states.insert(std::sync::Arc::new(Db));
    assert!((charge_def.states[0].is_given)(&states));
    assert!(!charge_def.options.is_blocking);
    assert_eq!(charge_def.options.heartbeat_timeout, Some(Duration::from_secs(5)));
    let hash_def = activity_def("hash");
    assert!(hash_def.options.is_blocking);
    assert_eq!((hash_def.states[0].parameter, hash_def.states[0].type_name), ("shared", "Db"));
    assert!((hash_def.states[0].is_given)(&states));
    assert!(charge_def.place.file.ends_with("definitions.rs"));
    assert_eq!(charge_def.place.column, 10);

    let returned = |transient| {
        Failure::Returned(ReturnedError {
            error: Payload::json(&Transient(transient)).unwrap(),
            details: FailureDetails {
                error_type: String::new(),
                message: String::new(),
                causes: vec![],
                non_retryable: false,
            },
        })
    };
    let when = charge_def.retry_when.unwrap();
    assert_eq!(when(&returned(true)), Retry::AsPolicy);
    assert_eq!(when(&returned(false)), Retry::Stop);
    assert_eq!(Retry::AsPolicy, when(&Failure::Fault(Fault::new(FaultKind::Panicked, "charge", "boom"))));

    assert_eq!(activity_def("try").options.retry, RetryPolicy::NONE);
    assert!(activity_def("try").retry_when.is_none());
    let checkout_def = orchestrator_def("shop.checkout");
    assert_eq!(checkout_def.version, Some("2"));
    assert_eq!(checkout_def.codec, Codec::Bincode);
    assert_eq!(orchestrator_def("plain").version, None);
    drop((checkout(1), plain()));
    #[expect(deprecated, reason = "it is what is tried")]
    drop(r#try());
}
