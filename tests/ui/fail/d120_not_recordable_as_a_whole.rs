use durable_runtime::activity;

struct Vec<T>(T);

#[activity]
async fn list() -> Vec<u8> {
    Vec(1)
}

fn main() {}
