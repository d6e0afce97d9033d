//! Called outside an engine, an activity just runs, and its call can go anywhere.
#![deny(warnings)]
#![forbid(unsafe_code)]

use durable_runtime::{ActivityCall, OrchestratorCall, activity, join, orchestrator, select, try_join};

#[derive(Clone)]
struct Db(u32);

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Order {
    id: u32,
}

#[activity]
async fn store(#[state] db: &Db, order: Order, times: u32) -> Result<u32, Order> {
    if order.id == 0 { Err(order) } else { Ok(db.0 + order.id * times) }
}

#[activity(codec = "bincode")]
async fn nothing(#[state] _db: &Db) {}

#[activity(codec = "bincode", name = "one")]
async fn one(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(1);
    bytes
}

#[orchestrator]
async fn flow(order: Order) -> Result<u32, Order> {
    store(order, 1).await
}

fn assert_free<T: Send + Unpin + 'static>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let db = Db(100);
    let stored = store(Order { id: 2 }, 3).with_state(&db).await;
    assert_eq!(stored, Ok(106));
    assert_eq!(store(Order { id: 0 }, 3).with_state(&db).await, Err(Order { id: 0 }));
    nothing().with_state(&db).await;
    let spawned = tokio::spawn(one(vec![7])).await.unwrap();
    assert_eq!(spawned, [7, 1]);

    let typed: ActivityCall<Vec<u8>, _> = assert_free(one(vec![]));
    let typed: Vec<u8> = typed.await;
    assert_eq!(typed, [1]);
    let _: OrchestratorCall<Result<u32, Order>, _> = assert_free(flow(Order { id: 1 }));

    let text = String::from("kept");
    let (a, b) = join!(one(vec![1]), one(vec![text.len() as u8]));
    assert_eq!((a, b), (vec![1, 1], vec![4, 1]));
    let both = try_join!(
        store(Order { id: 1 }, 1).with_state(&db),
        store(Order { id: 0 }, 1).with_state(&db),
    );
    assert_eq!(both, Err(Order { id: 0 }));
    let won = select! {
        Err(Order { id: 1.. }) = store(Order { id: 0 }, 1).with_state(&db) => "declined",
        mut bytes = one(vec![2]), if text.is_empty() => {
            bytes.clear();
            "disabled"
        }
        bytes = one(vec![3]) => if bytes == [3, 1] { "three" } else { "other" },
        else => "none",
    };
    assert_eq!(won, "three");
}
