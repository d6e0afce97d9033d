//! What the pages of `docs/determinism` say to write instead, in a crate of an older edition.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use durable_runtime::prelude::*;
use durable_runtime::{BoxDurable, race, select_all};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Order {
    pub id: String,
    pub cents: u64,
}

pub static APPROVAL: Event<bool> = Event::new("approval");

#[activity]
pub async fn charge(order: Order) -> Result<u64, Error> {
    Ok(order.cents)
}

#[activity]
pub async fn price(order: Order) -> u64 {
    order.cents
}

#[activity]
pub async fn reserve(sku: String, count: u64) -> Result<(), Error> {
    drop((sku, count));
    Ok(())
}

#[activity]
pub async fn count(skus: BTreeSet<String>, seeded: durable_runtime::HashSet<String>) -> usize {
    skus.len() + seeded.len()
}

#[activity]
pub async fn prices() -> Result<String, Error> {
    Ok(tokio::fs::read_to_string("prices.csv").await?)
}

#[activity(retry(max_attempts = 5))]
pub async fn rows(#[state] pool: &Arc<String>) -> Result<Vec<u64>, Error> {
    Ok(vec![pool.len() as u64])
}

#[activity(retry(max_attempts = 3), attempt_timeout = "1s")]
pub async fn poll(job: u64) -> bool {
    job > 0
}

#[orchestrator]
pub async fn d00x(order: Order) -> Result<u64, Error> {
    let deadline = now() + minutes(1);
    let started = now();
    let paid = charge(order.clone()).await?;
    let took = now().duration_since(started).unwrap_or_default();
    sleep(seconds(5)).await;
    let answer = charge(order.clone()).timeout(seconds(30)).await;
    let both = timeout(seconds(30), async {
        join!(charge(order.clone()), price(order.clone()))
    })
    .await;
    let entries = [1, 2, 3];
    let winner = usize::try_from(random()).unwrap_or_default() % entries.len();
    let id = uuid();
    let is_late = now() > deadline || took > seconds(1) || answer.is_err() || both.is_err();
    Ok(paid + winner as u64 + u64::from(is_late) + id.to_string().len() as u64)
}

#[orchestrator]
pub async fn d02x(order: Order, lines: Vec<Order>) -> Result<u64, Error> {
    let (receipt, priced) = join!(charge(order.clone()), price(order.clone()));
    let prices = join_all(lines.clone().into_iter().map(price)).await;
    let child = start(follow_up(order.clone())).await;
    let first = select! { a = price(order.clone()) => a, b = price(order.clone()) => b };
    let decision = APPROVAL.wait().await;
    let mut sum = 0;
    sum += prices.iter().sum::<u64>() + first + priced + u64::from(decision);
    let first = race(lines.iter().cloned().map(price)).await;
    let boxed = lines
        .iter()
        .cloned()
        .map(|line| Box::pin(async move { price(line).await }));
    let (won, index, rest) = select_all(boxed).await;
    drop(rest);
    let step: BoxDurable<'_, u64> = Box::pin(price(order.clone()));
    let stepped = step.await;
    let of_all = join_all(lines.iter().map(|line| async move { price(line.clone()).await })).await;
    let followed = child.result().await;
    Ok(receipt? + sum + first + won + index as u64 + stepped + of_all.len() as u64 + followed)
}

#[orchestrator]
pub async fn follow_up(order: Order) -> u64 {
    both(order.clone(), order).await
}

#[helper]
pub async fn both(a: Order, b: Order) -> u64 {
    price(a).await + price(b).await
}

#[orchestrator]
pub async fn d03x(region: String) -> Result<usize, Error> {
    let read = prices().await?;
    let once =
        side_effect(|| std::fs::read_to_string("prices.csv").unwrap_or_default()).await;
    let of = side_effect(|| std::env::var("REGION").unwrap_or_default()).await;
    let workers =
        side_effect(|| std::thread::available_parallelism().map_or(1, |n| n.get())).await;
    #[nondeterminism(allow(D032), reason = "the region of a deployment never changes")]
    let allowed = std::env::var("REGION");
    let rows = rows().await?;
    Ok(read.len() + once.len() + of.len() + workers + rows.len() + region.len() + allowed.map_or(0, |it| it.len()))
}

#[orchestrator]
pub async fn d04x(mut stock: BTreeMap<String, u64>, by_sku: HashMap<String, u64>) -> Result<bool, Error> {
    for (sku, count) in &stock {
        reserve(sku.clone(), *count).await?;
    }
    let mut skus: Vec<_> = by_sku.keys().cloned().collect();
    skus.sort();
    let by_sku = by_sku.into_iter().collect::<BTreeMap<_, _>>();
    for (sku, count) in by_sku {
        stock.insert(sku, count);
    }
    let (first, second) = (Arc::new(1), Arc::new(1));
    let local = Rc::new(1);
    let is_one = Arc::ptr_eq(&first, &second) || Rc::ptr_eq(&local, &local) || Rc::strong_count(&local) > 1;
    Ok(is_one && first == second)
}

#[cfg(unix)]
#[deterministic(reason = "only reads the bytes that it is given")]
fn text(bytes: Vec<u8>) -> String {
    #[cfg(any())]
    let bytes = if std::time::SystemTime::now() > std::time::UNIX_EPOCH { bytes } else { Vec::new() };
    // SAFETY: they come from a `String`.
    unsafe { String::from_utf8_unchecked(bytes) }
}

#[cfg(not(unix))]
#[deterministic(reason = "only reads the bytes that it is given")]
fn text(bytes: Vec<u8>) -> String {
    // SAFETY: they come from a `String`.
    unsafe { String::from_utf8_unchecked(bytes) }
}

#[orchestrator]
pub async fn d05x(job: u64, order: Order) -> usize {
    let mut depth = 0;
    depth += 1;
    #[cfg(any())]
    loop {
        depth += 1;
    }
    loop {
        if poll(job).await {
            break;
        }
        sleep(minutes(1)).await;
    }
    let receipt = price(order.clone()).await;
    println!("charged {receipt}");
    if changed("ship-first") {
        price(order).await;
    }
    depth + text(b"abc".to_vec()).len()
}
