use durable_runtime::orchestrator;
use tokio::task::JoinHandle;

/// One that was begun elsewhere: the type tells.
trait Begun {
    fn task(&self) -> JoinHandle<u64>;
}

fn begun() -> Box<dyn Begun> {
    unimplemented!()
}

#[orchestrator]
async fn waits() -> u64 {
    begun().task().await.unwrap()
}

/// The handle of what was refused is not refused again.
#[orchestrator]
async fn spawns(n: u64) -> u64 {
    let task = tokio::spawn(async move { n + 1 });
    let thread = std::thread::spawn(move || n + 1);
    task.await.unwrap() + thread.join().unwrap()
}

fn main() {}
