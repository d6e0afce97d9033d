//! Names of other crates.

use chrono::Utc;
use durable_runtime::prelude::*;
use rand::Rng;
use rand::rngs::StdRng;
use rayon::prelude::*;
use reqwest::{Client, StatusCode};

#[orchestrator]
async fn by_chance() -> u64 {
    let mut generator = rand::rng(); //~ D010 rand::rng
    let first: u64 = rand::random(); //~ D010 rand::random
    let second = StdRng::from_os_rng(); //~ D010 StdRng::from_os_rng
    first + generator.random_range(1..6) + second.0
}

#[orchestrator]
async fn by_chance_of_its_own() -> u64 {
    StdRng::seed_from_u64(random()).random_range(1..6)
}

#[orchestrator]
async fn today() -> i64 {
    let now = Utc::now(); //~ D001 Utc::now
    now.timestamp() + chrono::offset::Utc::now().timestamp() //~ D001 chrono::offset::Utc::now
}

#[orchestrator]
async fn combines(all: Vec<u64>) -> u64 {
    let waits = all.iter().map(|n| side_effect(move || *n));
    let values = futures::future::join_all(waits).await; //~ D021 futures::future::join_all
    let (a, b) = futures::join!(side_effect(|| 1), side_effect(|| 2)); //~ D021 futures::join
    values.len() as u64 + a + b
}

#[orchestrator]
async fn in_parallel(all: Vec<u64>) -> u64 {
    let sum: u64 = all.par_iter().sum(); //~ D020 par_iter
    sum + rayon::current_num_threads() as u64 //~ D020 rayon::current_num_threads
}

#[orchestrator]
async fn asks(url: String) -> bool {
    let client = Client::new(); //~ D031 Client::new
    let answer = reqwest::get(&url).await; //~ D031 reqwest::get
    let _ = client;
    answer.is_ok() && StatusCode::from_u16(200).is_ok_and(|code| code == StatusCode::OK)
}

/// It only holds a future in its place.
#[orchestrator]
async fn waits_in_place() -> u64 {
    let deadline = sleep(seconds(1));
    tokio::pin!(deadline);
    select! {
        () = &mut deadline => 1,
        n = side_effect(|| 2) => n,
    }
}

/// What an arm is given was refused already.
#[orchestrator]
async fn matches() -> u64 {
    match tokio::runtime::Handle::try_current() { //~ D023 tokio::runtime::Handle::try_current
        Ok(handle) => {
            let task = handle.spawn_blocking(|| 1);
            drop(task);
            1
        }
        Err(_) => 2,
    }
}

/// Nor is what a combinator is given.
#[orchestrator]
async fn gives(urls: Vec<String>, limit: std::time::Duration) -> usize {
    join_all(vec![tokio::time::sleep(limit)]).await; //~ D003 tokio::time::sleep
    let first = race([tokio::fs::read("a"), tokio::fs::read("b")]).await; //~ D030 tokio::fs::read; D030 tokio::fs::read
    let all = join_all(urls.iter().map(|url| reqwest::get(url))).await; //~ D031 reqwest::get
    let one = timeout(limit, tokio::spawn(async { 1 })).await; //~ D020 tokio::spawn
    drop((first, one));
    all.len()
}

/// A branch that was refused is not refused again.
#[orchestrator]
async fn races(url: String) -> u64 {
    let (_, waited) = join!(reqwest::get(&url), async { 1 }); //~ D031 reqwest::get
    select! {
        _ = tokio::time::sleep(seconds(1)) => waited, //~ D003 tokio::time::sleep
        _ = reqwest::get(&url) => 2, //~ D031 reqwest::get
    }
}

mod globbed {
    use durable_runtime::prelude::*;
    use rand::rngs::*;
    use reqwest::*;

    /// Each of the two crates may have these; what is awaited is known by its type.
    #[orchestrator]
    async fn asks_in_short(url: String) -> u64 {
        let generator = StdRng::seed_from_u64(random());
        let hops = redirects(&url) as u64; //~ D080 redirects
        let _ = get(&url).await.is_ok(); //~ D200 await
        hops + generator.0
    }
}

fn main() {}
