// `retry_when` of a call decides about declared errors, as `when` in the attribute does.
use durable_runtime::{RetryPolicy, activity, orchestrator};

#[activity]
async fn count() -> u64 {
    1
}

#[activity]
async fn charge(cents: u64) -> Result<u64, String> {
    Ok(cents)
}

#[orchestrator]
async fn mistakes() -> u64 {
    let policy = RetryPolicy::attempts(3);
    let counted = count().retry(policy).retry_when(|_| true).await;
    let charged = charge(counted).retry(policy).retry_when(|code: &u32| *code > 3);
    charged.await.unwrap_or(0)
}

fn main() {}
