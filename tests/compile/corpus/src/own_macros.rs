//! Macros of the user's own, with code of all kinds in them.

use std::collections::BTreeMap;

use durable_runtime::prelude::*;

use crate::activities::{charge, measure, notify, price};

macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => {
        BTreeMap::from([$(($key, $value)),*])
    };
}

macro_rules! first {
    ($first:expr $(, $rest:expr)*) => {{
        let mut all = vec![$first];
        $(all.push($rest);)*
        all.into_iter().next()
    }};
}

macro_rules! each {
    ($name:ident in $items:expr; $body:block) => {
        for $name in $items $body
    };
    ($name:ident in $items:expr => $value:expr) => {{
        let mut all = Vec::new();
        for $name in $items {
            all.push($value);
        }
        all
    }};
}

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

macro_rules! record {
    ($name:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        #[derive(Debug)]
        struct $name<T> {
            $($field: T,)*
        }
        let it = $name { $($field: $value,)* };
        format!("{it:?} {}", [$(it.$field),*].iter().sum::<usize>())
    }};
}

#[orchestrator(name = "corpus.in_macros")]
pub async fn in_macros(stations: Vec<u32>) -> Result<String, String> {
    let prices = map! {
        "tea" => price("tea".to_owned()).await.unwrap_or_default(),
        "pot" => price("pot".to_owned()).await.unwrap_or_else(|| stations.iter().map(|it| u64::from(*it)).sum()),
    };
    ensure!(!prices.is_empty(), "no prices for {} stations", stations.len());
    ensure!(prices.values().all(|it| *it > 0), "{:?}", prices.keys().collect::<Vec<_>>());
    let first = first!(charge(1, 2).await, charge(3, 4).await, Ok(prices["tea"]));
    let measured = each!(station in stations.iter().copied() => measure(station).await.len());
    let mut sum = 0;
    each!(it in &measured; {
        sum += it;
        if sum > 1000 {
            break;
        }
    });
    assert!(measured.iter().all(|it| *it < 1000), "too many at {:?}", stations.iter().max());
    assert_eq!(measured.len(), stations.len());
    debug_assert!(matches!(measured.iter().max(), None | Some(0..1000)));
    let is_paid = matches!(first, Some(Ok(cents)) if cents > 0 && prices.values().any(|it| *it == cents));
    let text = record!(Tally { sum: sum, measured: measured.iter().filter(|it| **it > 1).count(), stations: stations.len() });
    println!("{text} {}", measured.iter().map(ToString::to_string).collect::<String>());
    notify("log".to_owned(), format!("{text}, {is_paid}, {:>width$}", sum, width = 10)).await;
    Ok(concat!("stations", ": ").to_owned() + &text + stringify!(a.iter()))
}

#[orchestrator(name = "corpus.branches_in_macros")]
pub async fn branches_in_macros(cents: Vec<u64>) -> Vec<u64> {
    let (a, b) = join!(
        async {
            let mut sum = 0;
            for it in &cents {
                sum += charge(1, *it).await.unwrap_or_default();
            }
            sum
        },
        join_all(cents.iter().map(|it| charge(2, *it))),
    );
    let chosen = select! {
        Ok(it) = charge(3, a), if b.iter().any(Result::is_ok) => vec![it],
        values = measure(1) => values.iter().map(|it| it.abs().to_bits()).collect(),
        () = sleep(hours(cents.iter().copied().max().unwrap_or(1))) => {
            let mut late = Vec::new();
            for it in b.into_iter().flatten() {
                late.push(it);
            }
            late
        }
    };
    let tried = try_join!(
        charge(4, chosen.iter().sum()),
        async { cents.first().map(|it| charge(5, *it)).ok_or(crate::activities::PaymentError::Unknown)?.await },
    );
    vec![chosen.len() as u64, tried.map_or(0, |(a, b)| a + b), vec![a; cents.len()].iter().sum()]
}
