use durable_runtime::{activity, helper, orchestrator};

#[activity(retry(max_attempts = 0))]
async fn no_attempt() {}

#[activity(attempt_timeout = "1 sec", limit = "ten")]
async fn words() {}

#[activity(retries = 5)]
async fn unknown() {}

#[activity(timeout = "5s")]
async fn of_what() {}

#[orchestrator(timeout = "5s")]
async fn elsewhere() {}

#[helper(name = "x")]
async fn helps() {}

#[activity(codec = "xml", name = "")]
async fn text() {}

#[activity(retry(backoff = 0.5, tries = 3), name)]
async fn many() {}

#[activity(retry = 5)]
async fn list() {}

#[orchestrator]
async fn calls_them() {
    no_attempt().await;
    words().await;
    unknown().await;
    helps().await;
}

fn main() {}
