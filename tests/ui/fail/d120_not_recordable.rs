use std::collections::BTreeMap;
use std::time::Instant;

use durable_runtime::{activity, orchestrator};

struct Connection;

#[activity]
async fn query(connection: Connection, sql: String) -> Result<Instant, String> {
    drop((connection, sql));
    Ok(Instant::now())
}

#[orchestrator]
async fn report(tables: BTreeMap<String, Vec<Connection>>) -> std::io::Result<u64> {
    drop(tables);
    Ok(0)
}

#[orchestrator]
async fn calls() -> Result<(), String> {
    query(Connection, String::new()).await?;
    Ok(())
}

fn main() {}
