use durable_runtime::{deterministic, orchestrator};

#[orchestrator]
async fn vouches() -> u64 {
    #[nondeterminism(allow(D001))]
    let now = std::time::SystemTime::now();
    #[nondeterminism(allow(D01), reason = "only logged")]
    let since = now.duration_since(std::time::UNIX_EPOCH);
    #[nondeterminism(allow(D200), reason = "only logged")]
    std::future::ready(1).await;
    #[nondeterminism(because = "only logged")]
    let seconds = since.map_or(0, |since| since.as_secs());
    seconds
}

#[orchestrator]
#[nondeterminism(allow(D001), reason = "only logged")]
async fn vouches_for_all() -> u64 {
    1
}

#[deterministic]
fn without_a_reason() -> u64 {
    1
}

#[deterministic(why = "it is")]
fn with_another() -> u64 {
    1
}

#[deterministic(reason = "data")]
struct NotAFunction;

fn main() {}
