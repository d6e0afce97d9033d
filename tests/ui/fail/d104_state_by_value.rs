use std::rc::Rc;

use durable_runtime::activity;

struct Db;

#[activity]
async fn charge(#[state] _db: Db, n: u64) -> u64 {
    n
}

#[activity]
fn counts(#[state] _shared: Rc<Db>) -> u64 {
    1
}

fn main() {}
