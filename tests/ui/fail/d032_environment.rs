use durable_runtime::orchestrator;
use std::env::var;

#[orchestrator]
async fn reads() -> usize {
    let keys = vec!["A".to_owned(), "B".to_owned()];
    let set = keys.iter().filter_map(|key| var(key).ok()).count();
    set + std::env::args().count() + keys.iter().map(std::env::var_os).count()
}

fn main() {}
