//! Helpers that are generic, methods, and functions of traits.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Display};
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use durable_runtime::prelude::*;
use durable_runtime::{BoxDurable, Durable};
use serde::{Deserialize, Serialize};

use crate::activities::{PaymentError, charge, measure, notify, price, refund};

/// Calls something durable until it succeeds, or often enough.
#[helper]
async fn persistently<T, E, F, D>(mut call: F, most: usize) -> Result<T, Vec<E>>
where
    F: FnMut(usize) -> D,
    D: Durable<Output = Result<T, E>>,
{
    let mut errors = Vec::with_capacity(most);
    for attempt in 0..most {
        match call(attempt).await {
            Ok(value) => return Ok(value),
            Err(error) => errors.push(error),
        }
        sleep(seconds(1 << attempt.min(10))).await;
    }
    Err(errors)
}

#[helper]
async fn all_of<'a, K, V, S>(map: &'a HashMap<K, V, S>, keys: &[K]) -> Vec<&'a V>
where
    K: Eq + Hash,
    S: BuildHasher,
{
    keys.iter().filter_map(|key| map.get(key)).collect()
}

#[helper]
async fn told<I>(items: I) -> usize
where
    I: IntoIterator<Item: Display, IntoIter: ExactSizeIterator>,
{
    let items = items.into_iter();
    let count = items.len();
    for (at, item) in items.enumerate() {
        notify(format!("{at} of {count}"), item.to_string()).await;
    }
    count
}

#[helper]
async fn folded<T, A: Default, D: Durable<Output = A>>(
    items: Vec<T>,
    mut with: impl FnMut(A, T) -> D,
) -> A {
    let mut all = A::default();
    for item in items {
        all = with(all, item).await;
    }
    all
}

#[helper]
async fn largest<T: PartialOrd + Copy, const N: usize>(values: [T; N]) -> Option<T> {
    let mut largest = None;
    for value in values {
        if largest.is_none_or(|it| value > it) {
            largest = Some(value);
        }
    }
    for value in &values {
        debug_assert!(largest.is_some_and(|it| it >= *value));
    }
    largest
}

#[helper]
async fn first_of<T: 'static>(mut calls: Vec<BoxDurable<'_, Option<T>>>) -> Option<T> {
    calls.reverse();
    while let Some(call) = calls.pop() {
        if let Some(found) = call.await {
            return Some(found);
        }
    }
    None
}

#[orchestrator(name = "corpus.generic_calls")]
pub async fn generic_calls(account: u64) -> Result<u64, PaymentError> {
    let charged = persistently(|attempt| charge(account, attempt as u64), 3).await;
    let payment = charged.map_err(|mut errors| errors.pop().unwrap_or(PaymentError::Unknown))?;
    let map = HashMap::from([("a", 1), ("b", 2)]);
    let found = all_of(&map, &["b", "c"]).await;
    let told = told(found.iter().copied().copied().collect::<Vec<i32>>()).await;
    let sum = folded(vec![1_u64, 2, 3], |all: u64, it| async move {
        all + it * price(it.to_string()).await.unwrap_or(1)
    });
    let largest = largest([1.5, 2.5, measure(1).await.len() as f64]).await;
    let calls: Vec<BoxDurable<'_, Option<u64>>> = vec![
        Box::pin(price("tea".to_owned())),
        Box::pin(async { refund(payment).await.is_ok().then_some(0) }),
    ];
    let first = first_of(calls).await;
    let sum = sum.await + first.unwrap_or_default() + told as u64;
    Ok(sum + u64::from(largest.is_some_and(f64::is_normal)))
}

/// A step of a pipeline, whose implementations give helpers.
trait Step {
    type Input;
    type Output;

    #[helper]
    async fn run(&mut self, input: Self::Input) -> Self::Output;
}

struct Then<A, B>(A, B);

impl<A: Step, B: Step<Input = A::Output>> Step for Then<A, B> {
    type Input = A::Input;
    type Output = B::Output;

    #[helper]
    async fn run(&mut self, input: A::Input) -> B::Output {
        let between = self.0.run(input).await;
        self.1.run(between).await
    }
}

struct Each<S>(S);

impl<S: Step> Step for Each<S> {
    type Input = Vec<S::Input>;
    type Output = Vec<S::Output>;

    #[helper]
    async fn run(&mut self, input: Vec<S::Input>) -> Vec<S::Output> {
        let mut output = Vec::with_capacity(input.len());
        for item in input {
            output.push(self.0.run(item).await);
        }
        output
    }
}

#[derive(Default)]
struct Priced {
    known: BTreeMap<String, u64>,
    asked: usize,
}

impl Step for Priced {
    type Input = String;
    type Output = u64;

    #[helper]
    async fn run(&mut self, sku: String) -> u64 {
        if let Some(known) = self.known.get(&sku) {
            return *known;
        }
        self.asked += 1;
        let cents = price(sku.clone()).await.unwrap_or_default();
        *self.known.entry(sku).or_insert(cents)
    }
}

struct Counted<T>(PhantomData<T>);

impl<T: Debug> Step for Counted<T> {
    type Input = Vec<T>;
    type Output = (usize, String);

    #[helper]
    async fn run(&mut self, items: Vec<T>) -> (usize, String) {
        let text: Vec<String> = items.iter().map(|it| format!("{it:?}")).collect();
        notify("count".to_owned(), text.concat()).await;
        (items.len(), text.join(","))
    }
}

#[orchestrator(name = "corpus.pipeline")]
pub async fn pipeline(skus: Vec<String>) -> (usize, String) {
    let mut steps = Then(Each(Priced::default()), Counted(PhantomData));
    let first = steps.run(skus.clone()).await;
    let again = steps.run(skus).await;
    if steps.0.0.asked > first.0 { again } else { first }
}

/// A combinator of the user's own.
#[derive(Debug)]
struct Twice<F>(F);

impl<D: Durable<Output = u64> + Unpin, F: FnMut() -> D> Twice<F> {
    #[helper]
    async fn sum(mut self) -> u64 {
        let mut first = (self.0)();
        let second = (self.0)();
        let before = (&mut first).await;
        before + second.await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Id<T>(u64, PhantomData<fn() -> T>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Account {}

#[orchestrator(name = "corpus.typed_ids")]
pub async fn typed_ids(ids: Vec<Id<Account>>) -> u64 {
    let mut sum = 0;
    for Id(id, _) in ids {
        sum += Twice(|| async_sum(id)).sum().await;
    }
    sum
}

fn async_sum(id: u64) -> BoxDurable<'static, u64> {
    Box::pin(summed(id))
}

#[helper]
async fn summed(id: u64) -> u64 {
    charge(id, 1).await.unwrap_or_default()
}

/// What is not durable may be made and held, as long as nobody awaits it here.
#[orchestrator(name = "corpus.held")]
pub async fn held() -> usize {
    let future = async_noop();
    let size = std::mem::size_of_val(&future);
    drop(future);
    fn is_future(_: &impl Future) -> bool {
        true
    }
    size + usize::from(is_future(&std::future::pending::<()>()))
}

async fn async_noop() {}
