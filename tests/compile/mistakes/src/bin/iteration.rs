//! Whatever goes over a `HashMap` or `HashSet` of std.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, hash_map};
use std::rc::Rc;
use std::sync::Arc;

use durable_runtime::prelude::*;

#[activity]
async fn ship(sku: String) -> u64 {
    sku.len().try_into().unwrap_or_default()
}

fn stock() -> HashMap<String, u64> {
    HashMap::new()
}

fn entries(stock: &HashMap<String, u64>) -> hash_map::Iter<'_, String, u64> {
    stock.iter()
}

struct Shop {
    stock: HashMap<String, u64>,
    shared: RefCell<HashMap<String, u64>>,
    all: Vec<HashSet<u64>>,
}

impl Shop {
    fn stock(&self) -> &HashMap<String, u64> {
        &self.stock
    }

    fn stock_mut(&mut self) -> &mut HashMap<String, u64> {
        &mut self.stock
    }
}

#[helper]
async fn loops(mut stock: HashMap<String, u64>, skus: HashSet<String>) -> u64 {
    let mut total = 0;
    for (sku, _) in &stock { //~ D040 stock
        total += ship(sku.clone()).await;
    }
    for (_, count) in &mut stock { //~ D040 stock
        *count += 1;
    }
    let lent = &mut stock;
    for (_, count) in lent { //~ D040 lent
        *count += 1;
    }
    for sku in (&skus) { //~ D040 skus
        total += ship(sku.clone()).await;
    }
    for (_, count) in stock { //~ D040 stock
        total += count;
    }
    'outer: for sku in skus { //~ D040 skus
        if sku.is_empty() {
            break 'outer;
        }
    }
    total
}

#[helper]
async fn methods(mut stock: HashMap<String, u64>, mut skus: HashSet<String>) -> u64 {
    let mut total = 0;
    for (_, count) in stock.iter() { //~ D040 iter
        total += count;
    }
    for count in stock.values_mut() { //~ D040 values_mut
        *count += 1;
    }
    let first = stock.keys().next().cloned(); //~ D040 keys
    let kept = stock.iter_mut().map(|(_, count)| *count).collect::<Vec<_>>(); //~ D040 iter_mut
    stock.retain(|_, count| *count > 0); //~ D040 retain
    skus.retain(|sku| !sku.is_empty()); //~ D040 retain
    let old: Vec<(String, u64)> = stock.extract_if(|_, count| *count > 9).collect(); //~ D040 extract_if
    let names: Vec<String> = stock.clone().into_keys().collect(); //~ D040 into_keys
    let counts: Vec<u64> = stock.clone().into_values().collect(); //~ D040 into_values
    total += stock.values().map(|count| count * 2).fold(0, |all, it| all * 3 + it); //~ D040 values
    for it in skus.drain() { //~ D040 drain
        total += ship(it).await;
    }
    for (sku, _) in stock.drain() { //~ D040 drain
        total += ship(sku).await;
    }
    let pairs: Vec<(String, u64)> = stock.into_iter().collect(); //~ D040 into_iter
    total += u64::from(first.is_some()) + u64::from(kept.is_empty());
    total + u64::from(old.is_empty() || names.is_empty() || counts.is_empty() || pairs.is_empty())
}

#[helper]
async fn sets(a: HashSet<u64>, b: HashSet<u64>) -> Vec<u64> {
    let mut all: Vec<u64> = a.union(&b).copied().collect(); //~ D040 union
    all.extend(a.intersection(&b)); //~ D040 intersection
    all.extend(a.difference(&b)); //~ D040 difference
    for it in a.symmetric_difference(&b) { //~ D040 symmetric_difference
        all.push(*it);
    }
    all
}

#[helper]
async fn places(shop: &mut Shop, at: usize) -> u64 {
    let mut total = 0;
    for (_, count) in &shop.stock { //~ D040 stock
        total += count;
    }
    for (_, count) in shop.stock() { //~ D040 stock
        total += count;
    }
    for (_, count) in shop.stock_mut().iter_mut() { //~ D040 iter_mut
        *count += 1;
    }
    for (_, count) in shop.shared.borrow().iter() { //~ D040 iter
        total += count;
    }
    for it in &shop.all[at] { //~ D040 all
        total += it;
    }
    for it in shop.all[at + 1].iter() { //~ D040 iter
        total += it;
    }
    for (_, count) in stock() { //~ D040 stock
        total += count;
    }
    for (_, count) in entries(&shop.stock) { //~ D040 entries
        total += count;
    }
    let shared = Arc::new(stock());
    let local = Rc::new(shared.clone());
    total += shared.values().next().copied().unwrap_or_default(); //~ D040 values
    total += local.values().next().copied().unwrap_or_default(); //~ D040 values
    let found = side_effect(stock).await.into_iter().next(); //~ D040 into_iter
    total + u64::from(found.is_some())
}

#[helper]
async fn handed_over(entries: hash_map::Iter<'_, String, u64>) -> u64 {
    let mut total = 0;
    for (_, count) in entries { //~ D040 entries
        total += count;
    }
    total
}

/// The type is known only after the loop.
#[helper]
async fn known_later(rows: Vec<(String, u64)>) -> u64 {
    let found = rows.into_iter().collect();
    let mut total = 0;
    for (_, count) in &found { //~ D040 found
        total += count;
    }
    let found: HashMap<String, u64> = found;
    total += found.get("tea").copied().unwrap_or_default();
    total
}

#[orchestrator]
async fn inside(stock: HashMap<String, u64>) -> Vec<u64> {
    let sum = || {
        let mut total = 0;
        for (_, count) in &stock { //~ D040 stock
            total += count;
        }
        total
    };
    let given = |stock: &HashMap<String, u64>| {
        for (_, count) in stock { //~ D040 stock
            return *count;
        }
        0
    };
    drop(given);
    let maps = [stock.clone()];
    let all = maps.iter().map(|stock| stock.values().next().is_some()).collect::<Vec<_>>(); //~ D040 values
    maps.iter().for_each(|it| for entry in it { drop(entry) }); //~ D040 it
    drop(all);
    let block = async {
        let mut total = 0;
        for sku in stock.keys() { //~ D040 keys
            total += ship(sku.clone()).await;
        }
        total
    };
    let (first, _) = join!(async { ship(stock.keys().next().cloned().unwrap_or_default()).await }, block); //~ D040 keys
    if let Some(count) = stock.values().next() { //~ D040 values
        return vec![*count, sum(), first];
    }
    assert!(stock.iter().all(|(_, count)| *count > 0));
    assert_eq!(stock.values().next(), None); //~ D040 values
    let seconds = vec![stock.values().nth(1).copied().unwrap_or_default()]; //~ D040 values
    match stock.len() {
        0 => stock.into_values().collect(), //~ D040 into_values
        _ => seconds,
    }
}

macro_rules! pairs {
    ($($key:expr => $value:expr),* ; $then:ident { $($rest:tt)* }) => {
        { let pairs = vec![$(($key, $value)),*]; $then! { $($rest)* } pairs }
    };
}

macro_rules! nothing {
    ($($rest:tt)*) => { $($rest)* };
}

#[orchestrator]
async fn in_macros(stock: HashMap<String, u64>) -> Vec<(u64, u64)> {
    let mut total = 0;
    if matches!(stock.keys().next(), Some(sku) if sku.len() > 1) { //~ D040 keys
        total += 1;
    }
    let zeros = vec![stock.values().next().copied().unwrap_or_default(); 3]; //~ D040 values
    let pairs = pairs![1 => stock.values().next().copied().unwrap_or_default(); nothing { //~ D040 values
        for (_, count) in &stock { total += count; } //~ D040 stock
    }];
    total += zeros.iter().sum::<u64>();
    assert!(stock.keys().next().is_some(), "{:?}", stock.values().next()); //~ D040 keys; D040 values
    assert!(total > 3);
    pairs
}

/// What has an order, or needs none.
#[helper]
async fn in_order(mut stock: HashMap<String, u64>, skus: HashSet<String>) -> u64 {
    let mut total = u64::from(stock.contains_key("tea")) + stock.get("pot").copied().unwrap_or_default();
    stock.insert("tea".to_owned(), 1);
    *stock.entry("pot".to_owned()).or_default() += 1;
    let mut names: Vec<String> = stock.keys().cloned().collect();
    names.sort();
    for name in names {
        total += ship(name).await;
    }
    let listed = stock.iter().map(|(sku, count)| (sku.clone(), *count)).collect::<BTreeMap<_, _>>();
    for (sku, count) in &listed {
        total += ship(sku.clone()).await * count;
    }
    let sum: u64 = stock.values().sum();
    total += sum + stock.values().sum::<u64>() + stock.values().copied().max().unwrap_or_default();
    let long = skus.iter().filter(|sku| sku.len() > 3).count();
    let fixed: durable_runtime::HashMap<String, u64> = stock.into_iter().collect();
    let mut order = fixed.iter();
    for (sku, _) in &fixed {
        total += ship(sku.clone()).await;
    }
    while let Some((_, count)) = order.next() {
        total += count;
    }
    let again = fixed.iter();
    for (_, count) in again {
        total += count;
    }
    for count in fixed.into_values() {
        total += count;
    }
    total + u64::try_from(long).unwrap_or_default()
}

/// Handed whole to what goes over it.
#[helper]
async fn hands_over(stock: HashMap<String, u64>, skus: HashSet<String>, shop: HashMap<String, u64>) -> usize {
    let mut lines: Vec<(String, u64)> = Vec::new();
    lines.extend(shop); //~ D040 shop
    lines.extend(self::stock()); //~ D040 stock
    let mut names: Vec<&String> = Vec::with_capacity(skus.len());
    names.extend(&skus); //~ D040 skus
    let numbered: Vec<(u64, &String)> = (0..).zip(&skus).collect(); //~ D040 skus
    let known = ["a".to_owned()];
    let both: Vec<&String> = known.iter().chain(&skus).collect(); //~ D040 skus
    let told = skus.iter(); //~ D040 iter
    names.extend(told);
    // These have an order of their own, or none.
    let mut ordered: BTreeMap<String, u64> = BTreeMap::new();
    ordered.extend(stock.clone());
    let mut others = HashMap::new();
    others.extend(stock);
    let mut found = Vec::new();
    let more = known.iter().cloned().collect();
    found.extend(more);
    let list: Vec<String> = found;
    #[nondeterminism(allow(D040), reason = "only counted")]
    names.extend(&skus);
    lines.len() + names.len() + numbered.len() + both.len() + ordered.len() + others.len() + list.len()
}

fn main() {}
