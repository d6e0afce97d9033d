use durable_runtime::orchestrator;

#[orchestrator]
async fn peeks(text: String) -> String {
    unsafe { String::from_utf8_unchecked(text.into_bytes()) }
}

fn main() {}
