//! One function with nine ordinary mistakes. `tests/it/determinism.rs` has the same one as the messages suggest.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use durable_runtime::prelude::*;
use tokio::time::sleep as nap;
use uuid::Uuid;

#[orchestrator]
async fn checkout(stock: HashMap<String, u64>) -> String {
    let started = Instant::now(); //~ D002 Instant::now
    let today = SystemTime::now(); //~ D001 SystemTime::now
    let order = Uuid::new_v4(); //~ D011 Uuid::new_v4
    nap(Duration::from_secs(1)).await; //~ D003 nap
    let prices = std::fs::read_to_string("prices.csv").unwrap_or_default(); //~ D030 std::fs::read_to_string
    let region = std::env::var("REGION").unwrap_or_default(); //~ D032 std::env::var
    let mail = tokio::task::spawn(async { 1 }); //~ D020 tokio::task::spawn
    let mut lines = Vec::new();
    for (sku, count) in &stock { //~ D040 stock
        lines.push(format!("{count} {sku}"));
    }
    std::thread::sleep(Duration::from_secs(1)); //~ D003 std::thread::sleep
    let mailed = mail.await.unwrap_or_default();
    let took = started.elapsed().as_secs();
    format!("{order:?} {today:?} {prices} {region} {lines:?} {mailed} {took}")
}

fn main() {}
