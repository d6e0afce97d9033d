use durable_runtime::orchestrator;

#[orchestrator]
async fn depends() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{} {cores} {}", std::process::id(), std::any::type_name::<u8>())
}

fn main() {}
