//! Types that are known only after they were used, as far as plain Rust allows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use durable_runtime::prelude::*;

use crate::activities::{measure, notify, price};

#[activity(name = "corpus.take_names")]
async fn take_names(names: Vec<String>) -> usize {
    names.len()
}

fn total(values: &[u64]) -> u64 {
    values.iter().sum()
}

#[orchestrator(name = "corpus.filled_later")]
pub async fn filled_later(to: u32) -> usize {
    let mut list = Vec::new();
    let mut none = 0;
    for _ in &list {
        none += 1;
    }
    for _ in list.iter().rev() {
        none += 1;
    }
    assert_eq!(none, 0, "nothing is in it yet");
    for station in 0..to {
        list.push(station.to_string());
    }
    let mut other = Default::default();
    for _ in &list {
        let borrowed: &mut VecDeque<u8> = &mut other;
        borrowed.push_back(1);
    }
    for it in other {
        list.push(char::from(it).to_string());
    }
    take_names(list).await
}

#[orchestrator(name = "corpus.collected")]
pub async fn collected(words: Vec<String>) -> usize {
    let names = words.iter().map(|word| word.to_lowercase()).collect();
    let mut count = 0;
    for _ in &names {
        count += 1;
    }
    count += take_names(names).await;

    let mut unique = words.into_iter().collect();
    for _ in &mut unique {
        count += 1;
    }
    let lengths = |them: &mut Vec<String>| them.iter().map(String::len).sum::<usize>();
    count + lengths(&mut unique)
}

#[orchestrator(name = "corpus.one_behind")]
pub async fn one_behind(to: u32) -> f64 {
    let mut last = None;
    let mut sum = 0.0;
    for station in 0..to {
        let values = measure(station).await;
        if let Some(before) = last {
            for it in before {
                sum += it;
            }
        }
        last = Some(values);
    }
    if let Some(rest) = last {
        for it in rest {
            sum -= it;
        }
    }
    sum
}

#[orchestrator(name = "corpus.numbers_without_a_type")]
pub async fn numbers_without_a_type() -> u64 {
    let mut list = vec![];
    for n in [1, 2, 3] {
        list.push(n);
    }
    for n in list.iter_mut() {
        *n *= 2;
    }
    let mut pairs = vec![(0, 0.5)];
    pairs.extend(list.iter().map(|n| (*n, 1.0)));
    for (n, weight) in &pairs {
        if *weight > 0.7 {
            list.push(*n);
        }
    }
    let empty = [];
    for n in empty {
        list.push(n);
    }
    let best = list.iter().copied().max().unwrap_or_default();
    total(&list) + best
}

#[orchestrator(name = "corpus.parsed")]
pub async fn parsed(text: String) -> Result<i64, String> {
    added(&text).await.map_err(|error| error.to_string())
}

#[helper]
async fn added(text: &str) -> Result<i64, std::num::ParseIntError> {
    let mut sum = 0;
    for part in text.split(',') {
        sum += part.trim().parse::<i64>()?;
    }
    let parts: Result<Vec<_>, _> = text.split(';').map(str::parse::<i64>).collect();
    for part in parts? {
        sum -= part;
    }
    let (odd, even): (Vec<_>, BTreeSet<_>) = (0..sum).partition_map_by(|n| n % 2 == 1);
    for n in odd.iter().chain(&even) {
        sum += n;
    }
    Ok(sum)
}

/// A method of the user's own with two results of types that only the caller knows.
trait PartitionMapBy: Iterator + Sized {
    fn partition_map_by<A, B>(self, is_left: impl Fn(&Self::Item) -> bool) -> (A, B)
    where
        A: Default + Extend<Self::Item>,
        B: Default + Extend<Self::Item>,
    {
        let (mut left, mut right) = (A::default(), B::default());
        for it in self {
            if is_left(&it) {
                left.extend([it]);
            } else {
                right.extend([it]);
            }
        }
        (left, right)
    }
}

impl<I: Iterator> PartitionMapBy for I {}

#[helper]
async fn generic<C>(values: C) -> u64
where
    C: IntoIterator,
    C::Item: Into<u64>,
{
    let mut sum = 0;
    for it in values {
        sum += it.into();
    }
    sum
}

#[helper]
async fn borrowed<'a, C>(values: &'a C) -> usize
where
    &'a C: IntoIterator<Item = &'a String>,
{
    let mut sum = 0;
    for it in values {
        sum += it.len();
    }
    for it in values.into_iter() {
        sum += it.len();
    }
    sum
}

#[helper]
async fn opaque(values: impl Iterator<Item = u32> + Clone, more: &mut impl Iterator<Item = u32>) -> u32 {
    let mut sum = 0;
    for it in values.clone() {
        sum += it;
    }
    for it in values.into_iter().skip(1) {
        sum += it;
    }
    for it in more.by_ref() {
        sum += it;
        if sum > 100 {
            break;
        }
    }
    for it in more {
        sum += it;
    }
    sum
}

#[orchestrator(name = "corpus.callers")]
pub async fn callers(words: Vec<String>) -> u64 {
    let a = generic([1_u32, 2]).await;
    let b = generic(vec![3_u8]).await;
    let c = generic(BTreeSet::from([4_u64])).await;
    let d = borrowed(&words).await as u64;
    let e = u64::from(opaque(0..5, &mut (1..200)).await);
    a + b + c + d + e
}

#[orchestrator(name = "corpus.closures")]
pub async fn closures(words: Vec<String>) -> usize {
    let lengths = |words: &[String]| {
        let mut sum = 0;
        for word in words {
            sum += word.len();
        }
        sum
    };
    let count = |words| {
        let mut count = 0;
        let words: &Vec<String> = words;
        for _ in words {
            count += 1;
        }
        count
    };
    let joined = |words| {
        let mut all = String::new();
        for word in words {
            all += word;
        }
        all
    };
    let mut seen = Vec::new();
    let mut note = |word: &str| {
        for known in &seen {
            if known == word {
                return false;
            }
        }
        seen.push(word.to_owned());
        true
    };
    let mut fresh = 0;
    for word in &words {
        fresh += usize::from(note(word));
    }
    let apply = |each: &dyn Fn(&str) -> usize| words.iter().map(|word| each(word)).sum::<usize>();
    let letters = apply(&|word| word.chars().filter(|it| it.is_alphabetic()).count());
    let boxed: Vec<Box<dyn Fn(usize) -> usize>> = vec![Box::new(|n| n + 1), Box::new(move |n| n * fresh)];
    let composed = boxed.iter().fold(letters, |n, each| each(n));
    for each in &boxed {
        fresh += each(1);
    }
    for each in boxed {
        fresh += each(2);
    }
    lengths(&words) + joined(["a", "b"]).len() + count(&words) + seen.len() + composed + fresh
}

/// What is returned says what was collected.
#[helper]
async fn returned(words: &[String]) -> Vec<String> {
    let found = words.iter().map(|word| word.trim().to_owned()).collect();
    let mut count = 0;
    for _ in &found {
        count += 1;
    }
    set_status(&count);
    found
}

#[helper]
async fn returned_in_a_result(words: &[String]) -> Result<(Vec<String>, usize), String> {
    let found = words.iter().cloned().collect();
    let mut count = 0;
    for _ in &found {
        count += 1;
    }
    if count == 0 { Err("none".to_owned()) } else { Ok((found, count)) }
}

#[helper]
async fn decided_in_a_loop(words: &[String]) -> usize {
    let mut all = 0;
    for word in words {
        let letters = word.chars().collect();
        for _ in &letters {
            all += 1;
        }
        if all > 100 {
            break;
        }
        let letters: Vec<char> = letters;
        all += letters.len();
    }
    all + returned(words).await.len()
}

/// Blocks give their value to what was declared before them.
#[orchestrator(name = "corpus.assigned")]
pub async fn assigned(flag: bool) -> usize {
    let list;
    let sorted: BTreeMap<_, _>;
    if flag {
        list = vec!["tea".to_owned()];
        sorted = BTreeMap::from([(1, list.clone())]);
    } else {
        list = join_all(["a", "b"].map(|it| async move { format!("{it}{:?}", price(it.to_owned()).await) })).await;
        sorted = (0..).zip([list.clone()]).collect();
    }
    for it in &list {
        notify("list".to_owned(), it.clone()).await;
    }
    let mut sum = 0;
    for (_, list) in sorted {
        for it in list {
            sum += it.len();
        }
    }
    let numbers = match list.len() {
        0 => None,
        n => Some((0..n).map(|it| it * 2)),
    };
    for it in numbers.into_iter().flatten() {
        sum += it;
    }
    for it in Some(3).iter().chain([].iter()) {
        sum += it;
    }
    sum
}
