use durable_runtime::{activity, helper};

#[activity]
async fn double(n: u32) -> u32 {
    n * 2
}

/// Of another type than is said.
#[helper]
async fn other_type(n: u32) -> String {
    double(n).await
}

#[helper]
async fn other_early(n: u32) -> String {
    if n == 0 {
        return n;
    }
    double(n).await.to_string()
}

#[helper]
async fn nothing(n: u32) -> u32 {
    double(n).await;
}

#[helper]
async fn too_much(n: u32) {
    double(n).await
}

/// Calls itself, and is not boxed.
#[helper]
async fn endless(n: u32) -> u32 {
    if n == 0 { 0 } else { endless(n - 1).await }
}

#[helper]
async fn unbounded<T>(value: T) -> u32 {
    double(value.into()).await
}

#[helper]
async fn returns_local(n: u32) -> &'static str {
    let text = double(n).await.to_string();
    &text
}

struct Ledger(Vec<u32>);

impl Ledger {
    #[helper]
    async fn note(&self, n: u32) {
        self.0.push(double(n).await);
    }
}

trait Stage {
    #[helper]
    fn not_async(&self) -> u32;

    #[helper(name = "x")]
    async fn named(&self) -> u32;
}

fn main() {}
