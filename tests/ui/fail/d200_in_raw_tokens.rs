use durable_runtime::orchestrator;

macro_rules! pair {
    ($a:expr => $b:expr) => {
        ($a, $b)
    };
}

#[orchestrator]
async fn pairs() -> (u8, u8) {
    pair!(std::future::ready(1).await => 2)
}

fn main() {}
