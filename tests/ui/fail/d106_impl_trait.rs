use durable_runtime::activity;

#[activity]
async fn takes(name: impl Into<String>) -> u64 {
    0
}

#[activity]
async fn gives() -> impl std::fmt::Display {
    0
}

fn main() {}
