use durable_runtime::activity;

fn is_transient(error: &String) -> bool {
    error.is_empty()
}

#[activity(retry(max_attempts = 3, when = is_transient))]
async fn fits() -> Result<u8, String> {
    Ok(1)
}

#[activity(retry(max_attempts = 3, when = is_transient))]
async fn other_error() -> Result<u8, u8> {
    Ok(1)
}

#[activity(retry(max_attempts = 3, when = is_transient))]
async fn no_result() -> u8 {
    1
}

fn main() {}
