//! Ten flows that reach the system through what no attribute sees, a trait object of somebody else's crate, and what is noted of each.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(
    clippy::disallowed_methods,
    reason = "what is not to be called in an orchestrator is what the guard looks for"
)]

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use durable_runtime::testing::TestEngine;
use durable_runtime::{Error, Registry, named, side_effect};
use serde_json::{Value, json};

/// As a dependency has it: what it does is found at run time.
trait Policy {
    fn pick(&self) -> u64;
}

macro_rules! policies {
    ($($Name:ident: $pick:expr;)*) => {
        $(struct $Name;
        impl Policy for $Name {
            fn pick(&self) -> u64 { $pick }
        })*

        fn policy(name: &str) -> Option<Box<dyn Policy>> {
            match name {
                $(stringify!($Name) => Some(Box::new($Name)),)*
                _ => None,
            }
        }
    };
}

policies! {
    WallClock: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Stopwatch: u64::from(Instant::now().elapsed().is_zero());
    Lots: durable_sandbox::draw() % 2;
    File: std::fs::read("/etc/hostname").map_or(0, |name| u64::from(name.is_empty()));
    Thread: std::thread::spawn(|| 1).join().unwrap_or(0);
    Socket: u64::from(std::net::UdpSocket::bind("127.0.0.1:0").is_ok());
    Nap: { std::thread::sleep(Duration::from_millis(1)); 1 };
    Variable: u64::from(std::env::var("PATH").is_ok());
    LookUp: HashMap::from([(1, 2), (3, 4)]).get(&1).copied().unwrap_or(0);
    Clean: 1;
}

/// Each flow, and the code of what is noted of it first.
const FLOWS: [(&str, Option<&str>); 10] = [
    ("WallClock", Some("D001")),
    ("Stopwatch", Some("D002")),
    ("Lots", Some("D010")),
    ("File", Some("D030")),
    ("Thread", Some("D020")),
    ("Socket", Some("D030")),
    ("Nap", Some("D003")),
    ("Variable", Some("D032")),
    ("LookUp", None),
    ("Clean", None),
];

fn registry() -> Registry {
    Registry::new()
        .named_activity("say", |value| async move {
            // An activity may do all that.
            let waited = Instant::now().elapsed();
            Ok::<_, Error>(json!([value, waited.is_zero()]))
        })
        .named_orchestrator("flow", |name: Value| async move {
            let picked = policy(name.as_str().unwrap_or_default()).map(|policy| policy.pick());
            let said = named::activity("say", &json!(picked)).await;
            Ok::<_, Error>(said.unwrap_or_default())
        })
        .named_orchestrator("excused", |_| async {
            let secs = side_effect(|| WallClock.pick()).await;
            Ok::<_, Error>(json!(secs > 0))
        })
        .named_orchestrator("panics", |_| async {
            let told = std::backtrace::Backtrace::force_capture().to_string();
            assert!(
                told.is_empty(),
                "a backtrace is told, and another by the panic"
            );
            Ok::<_, Error>(Value::Null)
        })
}

/// The line of a policy.
fn line(name: &str) -> usize {
    let mut lines = include_str!("flows.rs").lines();
    let begin = format!("    {name}: ");
    lines.position(|line| line.starts_with(&begin)).unwrap() + 1
}

#[tokio::test(flavor = "current_thread")]
async fn each_flow_is_noted_with_its_code_and_line_and_nothing_else_is() {
    durable_sandbox::arm();
    // What it is not to note: whatever runs outside the polls.
    assert!(Instant::now() <= Instant::now());
    let builder = TestEngine::builder().registry(registry());
    let engine = builder.replay_check(false).start().unwrap();
    for (name, code) in FLOWS {
        let flow = engine.start(named::orchestrator("flow", &json!(name)));
        flow.await.unwrap().result().await.unwrap().unwrap();
        let found = durable_sandbox::take();
        let first = found.first().map(|found| found.code);
        assert_eq!(first, code, "{name}: {found:#?}");
        for found in found {
            let place = format!("tests/flows.rs:{}:", line(name));
            assert!(found.place.contains(&place), "{place}: {found}");
        }
    }
    let flow = engine.start(named::orchestrator("excused", &Value::Null));
    let result = flow.await.unwrap().result().await.unwrap();
    assert_eq!(result.unwrap(), json!(true));
    assert_eq!(durable_sandbox::take(), []);
    let flow = engine.start(named::orchestrator("panics", &Value::Null));
    assert!(flow.await.unwrap().result().await.is_err());
    assert_eq!(durable_sandbox::take(), []);
}
