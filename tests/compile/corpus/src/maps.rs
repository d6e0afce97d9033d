//! Hash maps: with a fixed seed, and where the order makes no difference.

use std::collections::{BTreeMap, HashMap};

use durable_runtime::prelude::*;

use crate::activities::price;

/// Maps with a fixed seed have an order, however they are gone over.
#[orchestrator(name = "corpus.fixed")]
pub async fn fixed(words: Vec<String>) -> u64 {
    let mut counts = durable_runtime::HashMap::default();
    for word in &words {
        *counts.entry(word.clone()).or_insert(0_u64) += 1;
    }
    let mut sum = 0;
    for (word, count) in &counts {
        sum += price(word.clone()).await.unwrap_or(*count);
    }
    for count in counts.values_mut() {
        *count += 1;
    }
    for (_, count) in counts.iter_mut() {
        *count += 1;
    }
    counts.retain(|_, count| *count > 2);
    let unique: durable_runtime::HashSet<&String> = words.iter().collect();
    for word in unique.iter() {
        sum += word.len() as u64;
    }
    let other: durable_runtime::HashSet<&String> = words.iter().skip(1).collect();
    for word in unique.difference(&other) {
        sum += word.len() as u64;
    }
    let in_order = counts.keys();
    for word in in_order {
        sum += word.len() as u64;
    }
    for (word, count) in counts.drain() {
        sum += word.len() as u64 + count;
    }
    sum
}

/// Where the order of a map of std makes no difference, nothing need be said.
#[orchestrator(name = "corpus.settled")]
pub async fn settled(counts: HashMap<String, u64>) -> u64 {
    let mut skus: Vec<_> = counts.keys().cloned().collect();
    skus.sort();
    let mut sum = counts.values().sum::<u64>();
    let long = counts.keys().filter(|sku| sku.len() > 3).count();
    let ordered = counts.iter().map(|(sku, count)| (sku.as_str(), *count)).collect::<BTreeMap<_, _>>();
    for (sku, count) in ordered {
        sum += price(sku.to_owned()).await.unwrap_or(count);
    }
    let most: Option<u64> = counts.values().copied().max();
    if counts.values().any(|count| *count == 0) || counts.iter().all(|(sku, _)| sku.is_empty()) {
        return sum;
    }
    let doubled: HashMap<String, u64> = counts.into_iter().map(|(sku, it)| (sku, it * 2)).collect();
    sum + doubled.get("tea").copied().unwrap_or_default() + most.unwrap_or_default() + long as u64
}
