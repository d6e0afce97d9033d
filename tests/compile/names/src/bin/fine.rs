//! What sounds like a mistake, and is none: no error, and no warning.
#![deny(warnings)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, SystemTime};

use durable_runtime::prelude::*;
use uuid::Uuid;

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| vec!["a", "b"]);
static APPROVAL: Event<bool> = Event::new("approval");
const LIMIT: u64 = 3;

#[activity]
async fn charge(cents: u64) -> u64 {
    std::env::args().count() as u64 + cents
}

/// Of the user, and only called so.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Instant(u64);

impl Instant {
    fn now() -> Self {
        Self(LIMIT)
    }

    fn elapsed(self, since: Self) -> u64 {
        self.0 - since.0
    }
}

mod env {
    pub fn var(name: &str) -> usize {
        name.len()
    }
}

mod tokio {
    pub fn spawn(n: u64) -> u64 {
        n
    }
}

fn sleepy(n: u64) -> u64 {
    n + tokio::spawn(n) + env::var("A") as u64
}

/// Calls itself by way of another.
fn even(n: u64) -> bool {
    n == 0 || odd(n - 1)
}

fn odd(n: u64) -> bool {
    n != 0 && even(n - 1)
}

#[deterministic(reason = "the bytes are a constant of the program")]
fn table() -> &'static str {
    unsafe { std::str::from_utf8_unchecked(b"ab") }
}

struct Door;

impl Door {
    fn lock(&self) -> Option<u64> {
        Some(1)
    }

    fn store(&self, n: u64) -> u64 {
        n
    }
}

#[orchestrator]
async fn own_names(n: u64) -> u64 {
    let (start, end) = (Instant::now(), Instant::now());
    let spawn = |n: u64| n + 1;
    let var = env::var("HOME") as u64;
    let door = Door;
    let held = door.lock().unwrap() + door.store(n);
    end.elapsed(start) + tokio::spawn(spawn(var)) + sleepy(n) + held
}

#[helper]
async fn looks_up(prices: HashMap<String, u64>, skus: HashSet<String>) -> u64 {
    let first = prices.get("a").copied().unwrap_or_default();
    let ordered: BTreeMap<String, u64> = BTreeMap::from([("a".to_owned(), first)]);
    let mut sum = u64::from(skus.contains("a") && prices.contains_key("b"));
    for (_, count) in &ordered {
        sum += count;
    }
    let mut sorted = vec![3, 1, 2];
    sorted.sort_unstable();
    sum + sorted.iter().sum::<u64>() + prices.len() as u64
}

#[orchestrator]
async fn constants() -> String {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    let names = NAMES.get_or_init(Vec::new).len();
    let version = env!("CARGO_PKG_VERSION");
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"order");
    let address = Ipv4Addr::new(127, 0, 0, 1);
    let shared = Arc::new(Uuid::nil());
    let mut text = String::new();
    write!(text, "{version} {id:?} {address} {names} {}", WORDS.len()).unwrap();
    println!("{text} {:?}", shared);
    text
}

#[orchestrator]
async fn asked_once() -> String {
    let region = side_effect(|| std::env::var("REGION").unwrap_or_default()).await;
    let start: SystemTime = now();
    let waited = now().duration_since(start).unwrap_or(Duration::ZERO);
    let parity = even(LIMIT);
    let decided = APPROVAL.wait().await;
    format!("{region} {waited:?} {parity} {decided} {}", table())
}

#[orchestrator]
async fn vouched_for() -> u64 {
    #[nondeterminism(allow(D032), reason = "the same in all deployments")]
    let shards = std::env::var("SHARDS").map_or(1, |shards| shards.len() as u64);
    #[nondeterminism(allow(D033), reason = "the same in all deployments")]
    if std::thread::available_parallelism().is_err() {
        return 0;
    }
    charge(shards).await
}

#[orchestrator]
async fn loops(n: u64) -> u64 {
    let mut rest = n;
    loop {
        if rest < 10 {
            break rest;
        }
        rest /= 10;
    }
}

fn main() {}
