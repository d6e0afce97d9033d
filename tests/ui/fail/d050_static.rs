use std::sync::{LazyLock, Mutex};

use durable_runtime::orchestrator;

static SEEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| vec!["a"]);

#[orchestrator]
async fn remembers(n: u64) -> usize {
    static mut LAST: u64 = 0;
    SEEN.lock().unwrap().push(n);
    NAMES.len()
}

fn main() {}
