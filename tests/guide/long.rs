//! Activities that take long, and activities that block.

use std::sync::Mutex;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

/// What was stored, in order.
static STORED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Refuses the third line the first time.
async fn store(line: &str) -> Result<(), Error> {
    tokio::task::yield_now().await;
    if line == "c" && activity::attempt() == 1 {
        return Err(Error::msg("the disk was full"));
    }
    let mut stored = STORED.lock().map_err(Error::msg)?;
    stored.push(line.to_owned());
    Ok(())
}

#[activity(heartbeat_timeout = "1m", retry(max_attempts = 5))]
async fn import(lines: Vec<String>) -> Result<usize, Error> {
    let done = activity::last_heartbeat().unwrap_or(0);
    for (index, line) in lines.iter().enumerate().skip(done) {
        store(line).await?;
        activity::heartbeat(index + 1);
    }
    Ok(lines.len())
}

#[activity(limit = 4)]
fn factor(number: u64) -> Vec<u64> {
    let divides = |divisor: &u64| number.is_multiple_of(*divisor);
    (1..=number)
        .take_while(|_| !activity::is_cancelled())
        .filter(divides)
        .collect()
}

#[orchestrator]
async fn import_and_factor(lines: Vec<String>) -> Result<(usize, Vec<u64>), Error> {
    let lines = import(lines).await?;
    Ok((lines, factor(12).await))
}

#[tokio::test]
async fn the_second_attempt_goes_on_where_the_first_was() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let lines = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let imported = engine.start(import_and_factor(lines.clone())).await?;
    let (count, factors) = imported.result().await??;
    assert_eq!((count, factors), (4, vec![1, 2, 3, 4, 6, 12]));
    assert_eq!(*STORED.lock().unwrap(), lines);
    Ok(())
}
