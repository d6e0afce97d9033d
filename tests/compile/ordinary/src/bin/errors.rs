//! Mistakes that have nothing to do with durability. rustc must say the same of them as in plain Rust, at the same place.

#![allow(unused_imports, clippy::all)]

use std::collections::BTreeMap;
use std::fmt;

use durable_runtime::{activity, helper, join, orchestrator};

#[cfg_attr(not(feature = "plain"), activity)]
async fn charge(cents: u64) -> Result<u64, String> {
    Ok(cents)
}

#[cfg_attr(not(feature = "plain"), activity)]
async fn ship(sku: String) -> u64 {
    let wrong: u64 = sku; //~ E0308 sku
    wrong
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn types(cents: u64) -> Result<u64, String> {
    let text: String = charge(cents).await; //~ E0308 charge(cents).await
    let number: u64 = vec![1_u32].iter(); //~ E0308 vec![1_u32].iter()
    let prices = BTreeMap::from([("tea".to_owned(), 1_u64)]);
    let keys: Vec<String> = prices.keys(); //~ E0308 prices.keys()
    let first: u32 = prices.values().next(); //~ E0308 prices.values().next()
    let sum: String = prices.values().sum::<u64>(); //~ E0308 prices.values().sum::<u64>()
    for price in prices.values() {
        let price: &str = price; //~ E0308 price
    }
    if cents { //~ E0308 cents
        return Err(1); //~ E0308 1
    }
    let text = match cents {
        0 => "none",
        _ => 1, //~ E0308 1
    };
    charge("one").await?; //~ E0308 "one"
    prices.retain(|_, _| 1); //~ E0308 1
    cents //~ E0308 cents
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn names(cents: u64) -> u64 {
    let missing = absent + cents; //~ E0425 absent
    let called = nowhere(cents).await; //~ E0425 nowhere
    for item in nothing { //~ E0425 nothing
        drop(item);
    }
    for item in nobody.iter() { //~ E0425 nobody
        drop(item);
    }
    let typed: Missing = cents; //~ E0425 Missing
    missing + called
}

struct Order {
    lines: Vec<u64>,
}

#[cfg_attr(not(feature = "plain"), helper)]
async fn methods(order: &Order, cents: u64) -> u64 {
    cents.no_such_method(); //~ E0599 no_such_method
    cents.iter(); //~ E0599 iter
    order.keys().next(); //~ E0599 keys
    order.lines.iter().no_such_adaptor(); //~ E0599 no_such_adaptor
    order.line.iter().sum::<u64>(); //~ E0609 line
    charge(cents).no_such_option(1).await; //~ E0599 no_such_option
    order.lines.values().count() //~ E0599 values
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn arguments(cents: u64) -> Result<u64, String> {
    charge(cents, 2).await?; //~ E0061 charge
    charge().await?; //~ E0061 charge
    let lines = vec![cents];
    lines.iter(1).count(); //~ E0061 iter
    Ok(methods(&Order { lines }).await) //~ E0061 methods
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn not_iterable(cents: u64) -> u64 {
    for one in cents { //~ E0277 cents
        drop(one);
    }
    for one in &cents { //~ E0277 &cents
        drop(one);
    }
    for one in (Order { lines: vec![] }) { //~ E0277 (Order { lines: vec![] })
        drop(one);
    }
    for one in charge(1).await.is_ok() { //~ E0277 charge(1).await.is_ok()
        drop(one);
    }
    cents
}

#[cfg_attr(not(feature = "plain"), helper)]
async fn questions(cents: u64) -> Result<u64, fmt::Error> {
    let charged = charge(cents).await?; //~ E0277 ?
    let first = vec![charged].iter().next()?; //~ E0277 ?
    Ok(*first)
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn not_async(cents: u64) -> u64 {
    let closure = || charge(cents).await; //~ E0728 await
    let mapped = (0..cents).map(|it| charge(it).await.is_ok()).count(); //~ E0728 await
    fn nested() -> u64 {
        charge(1).await.unwrap_or_default() //~ E0728 await
    }
    drop(closure);
    mapped as u64 + nested()
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn patterns(cents: u64) -> u64 {
    let Ok(charged) = charge(cents).await; //~ E0005 Ok(charged)
    for Some(it) in [Some(1), None].iter() { //~ E0005 Some(it)
        drop(it);
    }
    match charge(charged).await { //~ E0004 charge(charged).await
        Ok(it) => it,
    }
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn moves(sku: String, lines: Vec<u64>) -> u64 {
    let moved = sku;
    drop(sku); //~ E0382 sku
    for line in lines {
        drop(line);
    }
    let count = lines.len(); //~ E0382 lines
    let again = vec![1_u64];
    let sum: u64 = again.into_iter().sum();
    let more = again.iter().count(); //~ E0382 again
    let call = charge(1);
    drop(call.await);
    drop(call.await); //~ E0382 call
    (count + moved.len() + more) as u64 + sum
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn borrows(lines: Vec<u64>) -> u64 { //~ E0596 lines
    lines.push(1);
    lines.drain(..);
    for line in lines.iter_mut() {
        *line += 1;
    }
    let mut grown = lines;
    for line in grown.iter() {
        grown.push(*line); //~ E0502 grown.push(*line)
    }
    for line in &grown {
        grown.push(*line); //~ E0502 grown.push(*line)
    }
    let last = {
        let short = vec![1_u64];
        short.iter() //~ E0597 short
    };
    let kept = charge(1).await.as_ref().ok(); //~ E0716 charge(1).await
    last.count() as u64 + kept.copied().unwrap_or_default()
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn unnamed(cents: u64) -> u64 {
    for item in "1".parse().unwrap() {
        item.unknown(); //~ E0282 item
    }
    cents
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn unfilled(cents: u64) -> u64 {
    let listed = Vec::new(); //~ E0282 listed
    for item in &listed {
        drop(item);
    }
    cents
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn no_value(cents: u64) -> u64 { //~ E0308 {
    charge(cents).await.unwrap_or_default();
}

#[cfg_attr(not(feature = "plain"), orchestrator)]
async fn no_value_after_a_loop(cents: u64) -> u64 {
    let lines = vec![cents];
    for line in lines { //~ E0308 for line in lines {
        charge(line).await.unwrap_or_default();
    }
}

fn main() {
    let wrong: u64 = async { charge(1) }; //~ E0308 async { charge(1) }
}
