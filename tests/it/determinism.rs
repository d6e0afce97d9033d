//! What the messages of the compiler suggest, and what authors vouch for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{Allowance, Registry, allowances};

use crate::support::engine_of;

#[activity(name = "determinism.mail")]
async fn mail(order: String) -> u64 {
    u64::try_from(order.len()).unwrap_or_default()
}

/// The function of `tests/compile/names/src/bin/checkout.rs`, each of its nine mistakes mended as the message says.
#[orchestrator(name = "determinism.checkout")]
async fn checkout(stock: BTreeMap<String, u64>) -> String {
    let started = now();
    let today = now();
    let order = uuid();
    sleep(seconds(1)).await;
    let prices = side_effect(|| std::fs::read_to_string("prices.csv").unwrap_or_default()).await;
    let region = side_effect(|| std::env::var("NO_SUCH_REGION").unwrap_or_default()).await;
    let (mailed, lines) = join!(mail(order.to_string()), async {
        let mut lines = Vec::new();
        for (sku, count) in &stock {
            lines.push(format!("{count} {sku}"));
        }
        sleep(seconds(1)).await;
        lines
    });
    let took = now().duration_since(started).unwrap_or_default().as_secs();
    let is_same_day = today == started;
    format!(
        "{prices}{region}{} {mailed} {took} {is_same_day}",
        lines.join(", ")
    )
}

#[tokio::test]
async fn what_the_messages_suggest_runs_and_is_replayed() {
    let registry = || Registry::new().activity(mail).orchestrator(checkout);
    let engine = engine_of(registry());
    let stock = BTreeMap::from([("tea".to_owned(), 2), ("cup".to_owned(), 1)]);
    let handle = engine.start(checkout(stock)).id("one").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "1 cup, 2 tea 36 2 true");
    check_replay(&registry(), &handle.history().await.unwrap()).unwrap();
}

static LINES: AtomicU64 = AtomicU64::new(0);

#[orchestrator(name = "determinism.tells")]
async fn tells() -> u64 {
    #[nondeterminism(allow(D050), reason = "tells the test how often it was printed")]
    println!("line {}", LINES.fetch_add(1, Ordering::SeqCst));
    mail("order".to_owned()).await
}

#[tokio::test]
async fn a_log_line_appears_once_however_often_the_code_is_replayed() {
    let registry = || Registry::new().activity(mail).orchestrator(tells);
    let engine = engine_of(registry());
    let handle = engine.start(tells()).id("one").await.unwrap();
    handle.result().await.unwrap();
    let history = handle.history().await.unwrap();
    for _ in 0..3 {
        check_replay(&registry(), &history).unwrap();
    }
    assert_eq!(LINES.load(Ordering::SeqCst), 1);
}

struct Rates(u64);

impl Rates {
    #[helper]
    async fn today(&self) -> u64 {
        #[nondeterminism(allow(D033), reason = "the same in all deployments")]
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        mail("x".repeat(cores.min(1))).await + self.0
    }
}

#[deterministic(reason = "its argument alone decides")]
fn vouched(n: u64) -> u64 {
    #[nondeterminism(allow(D032), reason = "only looks")]
    drop(std::env::var_os("A"));
    n + 1
}

#[orchestrator(name = "determinism.vouches", version = "2")]
async fn vouches() -> u64 {
    match vouched(1) {
        #[nondeterminism(allow(D032), reason = "never in a deployment")]
        0 => u64::try_from(std::env::args().count()).unwrap_or_default(),
        n => Rates(n).today().await,
    }
}

#[tokio::test]
async fn all_that_is_vouched_for_is_listed_with_its_reason_and_place() {
    let engine = engine_of(Registry::new().activity(mail).orchestrator(vouches));
    let handle = engine.start(vouches()).id("one").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 3);

    let all = allowances();
    let is_here = |allowance: &&Allowance| allowance.file().ends_with("it/determinism.rs");
    let here: Vec<&Allowance> = all.iter().filter(is_here).collect();
    let said =
        |allowance: &&Allowance| (allowance.code(), allowance.function(), allowance.reason());
    let said: Vec<_> = here.iter().map(said).collect();
    assert_eq!(
        said,
        [
            (
                Some("D050"),
                "determinism.tells",
                "tells the test how often it was printed"
            ),
            (Some("D033"), "today", "the same in all deployments"),
            (None, "vouched", "its argument alone decides"),
            (Some("D032"), "vouched", "only looks"),
            (Some("D032"), "determinism.vouches", "never in a deployment"),
        ]
    );
    let last = here.last().unwrap();
    let text = include_str!("determinism.rs");
    let line = text
        .lines()
        .nth(usize::try_from(last.line()).unwrap() - 1)
        .unwrap();
    assert!(
        line.split_at(usize::try_from(last.column()).unwrap() - 1)
            .1
            .starts_with("D032"),
        "{line}"
    );
    let place = format!("{}:{}:{}", last.file(), last.line(), last.column());
    assert_eq!(
        last.to_string(),
        format!("{place}: D032 in `determinism.vouches`: never in a deployment")
    );
}
