use super::*;
use crate::client::WaitError;
use crate::error::Error;
use crate::orchestration::{named, sleep};
use crate::registry::Registry;
use crate::testing::TestEngine;
use serde_json::{Value, json};

/// Nothing in these tests takes that long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(gate: &Arc<Notify>) -> TestEngine {
    let gate = Arc::clone(gate);
    let registry = Registry::new()
        .named_activity("gate", move |value: Value| {
            let gate = Arc::clone(&gate);
            async move {
                gate.notified().await;
                Ok::<_, Error>(value)
            }
        })
        .named_orchestrator("nap", |_| async {
            named::activity("gate", &json!(1)).await?;
            sleep(Duration::from_secs(3600)).await;
            Ok::<_, Error>(Value::Null)
        });
    TestEngine::builder().registry(registry).start().unwrap()
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

/// A client that had given up waiting still made the clock skip.
#[tokio::test]
async fn time_stands_still_once_nobody_waits_any_more() {
    let gate = Arc::new(Notify::new());
    let engine = start(&gate);
    let before = engine.now();
    let nap = engine
        .start(named::orchestrator("nap", &Value::Null))
        .await
        .unwrap();
    tokio::select! {
        biased;
        _ = nap.wait() => panic!("the gate is closed"),
        // The wait is known to the engine by then.
        () = engine.settle() => {}
    }
    gate.notify_one();
    for _ in 0..3 {
        in_time(engine.settle()).await;
    }
    assert_eq!(engine.now(), before);
    in_time(nap.wait()).await.unwrap();
    assert_eq!(engine.now(), before + Duration::from_secs(3600));
}

/// Whatever was asked of a world that had ended was never answered.
#[tokio::test]
async fn after_a_shutdown_nothing_hangs() {
    let engine = start(&Arc::new(Notify::new()));
    in_time(engine.shutdown()).await;
    in_time(engine.shutdown()).await;
    in_time(engine.settle()).await;
    in_time(engine.advance(Duration::from_secs(1))).await;
    in_time(engine.evict()).await;
}

#[tokio::test]
async fn a_world_that_panics_lets_everybody_go() {
    let engine = start(&Arc::new(Notify::new()));
    let nap = engine
        .start(named::orchestrator("nap", &Value::Null))
        .await
        .unwrap();
    engine.settle().await;
    let hub = Arc::clone(&engine.world.hub);
    let orders = Arc::new(Queue::new(None));
    let (answer, answered) = oneshot::channel();
    orders.push([Order::Settle(answer)]);
    let theirs = Arc::clone(&orders);
    let world = std::thread::spawn(move || {
        let _end = EndOfWorld {
            orders: theirs,
            hub: Some(hub),
        };
        panic!("a defect");
    });
    assert!(world.join().is_err());
    assert!(in_time(answered).await.is_err());
    let (late, _) = oneshot::channel();
    assert!(!orders.push([Order::Evict(late)]));
    assert!(matches!(
        in_time(nap.wait()).await,
        Err(WaitError::Stopped(_))
    ));
}
