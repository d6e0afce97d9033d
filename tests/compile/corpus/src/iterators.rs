//! Everything that can stand after `in`, and before `.iter()`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use std::ops::{ControlFlow, Range, RangeInclusive};
use std::rc::Rc;
use std::sync::Arc;

use durable_runtime::prelude::*;

use crate::activities::{measure, notify, price};

#[orchestrator(name = "corpus.ranges")]
pub async fn ranges(to: u32) -> u64 {
    let mut sum = 0;
    for station in 0..to {
        sum += measure(station).await.len() as u64;
    }
    for station in (1..=to).rev().step_by(2) {
        sum += u64::from(station);
    }
    for letter in 'a'..='e' {
        sum += u64::from(u32::from(letter));
    }
    let half: Range<u32> = 0..to / 2;
    for station in half.clone() {
        sum += u64::from(station);
    }
    for _ in half {
        sum += 1;
    }
    let whole: RangeInclusive<u8> = 1..=3;
    for n in whole {
        sum += u64::from(n);
    }
    for n in (0..).take(3) {
        sum += n;
    }
    for (at, n) in (10..20).enumerate().skip(2).filter(|(at, _)| at % 2 == 0) {
        sum += at as u64 + n;
    }
    sum
}

#[orchestrator(name = "corpus.arrays")]
pub async fn arrays() -> u64 {
    let fixed = [3_u64, 1, 2];
    let mut sum = 0;
    for it in fixed {
        sum += it;
    }
    for it in &fixed {
        sum += it;
    }
    for it in fixed.iter().rev() {
        sum += it;
    }
    for (name, cents) in [("tea", 3_u64), ("pot", 4)] {
        sum += price(name.to_owned()).await.unwrap_or(cents);
    }
    let mut grid = [[0_u64; 3]; 3];
    for row in &mut grid {
        for cell in row {
            *cell += 1;
        }
    }
    for row in grid.iter_mut() {
        for (at, cell) in row.iter_mut().enumerate() {
            *cell += at as u64;
        }
    }
    for [a, b, c] in grid {
        sum += a * b + c;
    }
    let slices: [&[u64]; 2] = [&fixed, &fixed[1..]];
    for slice in slices {
        for it in slice {
            sum += it;
        }
        for it in slice.iter().copied() {
            sum += it;
        }
        for pair in slice.windows(2) {
            sum += pair.iter().sum::<u64>();
        }
        for chunk in slice.chunks(2) {
            sum += chunk[0];
        }
    }
    sum
}

#[helper]
async fn references(values: &Vec<u64>, nested: &&Vec<u64>, boxed: Box<[u64]>) -> u64 {
    let mut sum = 0;
    for it in values {
        sum += it;
    }
    for it in *nested {
        sum += it;
    }
    for it in nested.iter() {
        sum += it;
    }
    for it in &**nested {
        sum += *it;
    }
    let thrice = &&&values;
    for it in thrice.iter() {
        sum += it;
    }
    for it in &boxed {
        sum += it;
    }
    for it in boxed {
        sum += it;
    }
    sum
}

#[helper]
async fn exclusive(values: &mut Vec<u64>, rest: &mut dyn Iterator<Item = u64>) -> u64 {
    for it in values.iter_mut() {
        *it += 1;
    }
    for it in &mut *values {
        *it += 1;
    }
    let mut sum = 0;
    for it in (&mut *rest).take(2) {
        sum += it;
    }
    for it in rest {
        sum += it;
        values.push(it);
    }
    for it in values.drain(..1) {
        sum += it;
    }
    let gone: Vec<u64> = values.extract_if(.., |it| *it > 3).collect();
    for it in values {
        *it *= 2;
        sum += *it;
    }
    sum + gone.len() as u64
}

#[helper]
async fn dynamic(kind: u8) -> u64 {
    let numbers: Box<dyn Iterator<Item = u64>> = match kind {
        0 => Box::new(std::iter::empty()),
        1 => Box::new(std::iter::once(7)),
        2 => Box::new([1, 2, 3].into_iter()),
        _ => Box::new((0..10).map(|it| it * it)),
    };
    let mut sum = 0;
    for it in numbers {
        sum += it;
        if sum > 50 {
            break;
        }
    }
    let mut held: Vec<Box<dyn Iterator<Item = u64>>> = vec![Box::new(0..3), Box::new(5..6)];
    while let Some(next) = held.iter_mut().filter_map(|it| it.next()).next() {
        sum += next;
    }
    for iterator in &mut held {
        for it in iterator {
            sum += it;
        }
    }
    for it in held.into_iter().flatten() {
        sum += it;
    }
    sum
}

#[helper]
async fn owned() -> usize {
    let mut queue: VecDeque<u32> = (0..5).collect();
    let mut seen = BTreeSet::new();
    while let Some(next) = queue.pop_front() {
        if !seen.insert(next) {
            continue;
        }
        for it in measure(next).await {
            if it > 3.0 {
                queue.push_back(next + 1);
            }
        }
    }
    let mut heap = BinaryHeap::from(vec![3, 1, 2]);
    heap.push(9);
    let mut sorted = Vec::new();
    while let Some(top) = heap.pop() {
        sorted.push(top);
    }
    let mut list = LinkedList::new();
    list.push_back(1);
    for it in list.iter_mut() {
        *it += 1;
    }
    for it in &list {
        sorted.push(*it);
    }
    for it in list {
        sorted.push(it);
    }
    let mut map: BTreeMap<u32, &str> = BTreeMap::new();
    map.insert(1, "one");
    for (_, name) in map.iter_mut() {
        *name = name.trim();
    }
    for name in map.values_mut() {
        *name = name.trim_start();
    }
    for (key, name) in map.range(0..9) {
        sorted.push(*key + name.len() as u32);
    }
    for key in map.keys() {
        sorted.push(*key);
    }
    for name in map.values() {
        sorted.push(name.len() as u32);
    }
    map.retain(|key, _| *key > 0);
    let odd: Vec<u32> = map.into_keys().filter(|it| it % 2 == 1).collect();
    let both: BTreeSet<u32> = seen.intersection(&odd.iter().copied().collect()).copied().collect();
    for it in seen.union(&both) {
        sorted.push(*it);
    }
    for it in seen.difference(&both).chain(seen.symmetric_difference(&both)) {
        sorted.push(*it);
    }
    sorted.len()
}

#[helper]
async fn shared() -> u64 {
    let counted = Rc::new(vec![1_u64, 2]);
    let atomic = Arc::new([3_u64, 4]);
    let cell = RefCell::new(vec![5_u64]);
    let mut sum = 0;
    for it in counted.iter() {
        sum += it;
    }
    for it in atomic.iter() {
        sum += it;
    }
    for it in Arc::clone(&atomic).iter() {
        sum += it;
    }
    for it in cell.borrow().iter() {
        sum += it;
    }
    for it in cell.borrow_mut().iter_mut() {
        *it += 1;
    }
    let taken = cell.take();
    for it in taken {
        sum += it;
    }
    let flags = [Cell::new(1_u64), Cell::new(2)];
    for flag in &flags {
        flag.set(flag.get() + 1);
    }
    sum + flags.iter().map(Cell::get).sum::<u64>()
}

/// An iterator of the user's own.
struct Fibonacci {
    pair: (u64, u64),
}

impl Iterator for Fibonacci {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (a, b) = self.pair;
        self.pair = (b, a.checked_add(b)?);
        Some(a)
    }
}

/// A collection of the user's own, with methods of well-known names.
#[derive(Debug, Clone, Default)]
pub struct Bag {
    items: Vec<(String, u64)>,
}

impl Bag {
    fn keys(&self) -> impl Iterator<Item = &String> {
        self.items.iter().map(|(key, _)| key)
    }

    fn values(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.items.iter().map(|(_, value)| *value)
    }

    fn drain(&mut self) -> Vec<(String, u64)> {
        std::mem::take(&mut self.items)
    }

    fn union(self, other: Self) -> Self {
        let items = self.items.into_iter().chain(other.items).collect();
        Self { items }
    }

    fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.items.retain(|(key, _)| keep(key));
    }

    fn iter(self) -> std::vec::IntoIter<(String, u64)> {
        self.items.into_iter()
    }
}

impl IntoIterator for Bag {
    type Item = (String, u64);
    type IntoIter = std::vec::IntoIter<(String, u64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a> IntoIterator for &'a Bag {
    type Item = &'a (String, u64);
    type IntoIter = std::slice::Iter<'a, (String, u64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl FromIterator<(String, u64)> for Bag {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(items: I) -> Self {
        Self {
            items: items.into_iter().collect(),
        }
    }
}

#[orchestrator(name = "corpus.own_types")]
pub async fn own_types() -> u64 {
    let mut sum = 0;
    for it in (Fibonacci { pair: (0, 1) }) {
        if it > 100 {
            break;
        }
        sum += it;
    }
    for it in (Fibonacci { pair: (1, 1) }).take_while(|it| *it < 50).filter(|it| it % 2 == 0) {
        sum += it;
    }
    let mut bag: Bag = [("tea".to_owned(), 1), ("pot".to_owned(), 2)].into_iter().collect();
    for (key, value) in &bag {
        sum += value + key.len() as u64;
    }
    for key in bag.keys() {
        sum += price(key.clone()).await.unwrap_or_default();
    }
    sum += bag.values().next_back().unwrap_or_default();
    bag.retain(|key| key != "pot");
    let other = Bag {
        items: bag.drain(),
    };
    for (_, value) in bag.clone().union(other.clone()) {
        sum += value;
    }
    for (_, value) in other.clone().iter() {
        sum += value;
    }
    for (_, value) in other {
        sum += value;
    }
    sum
}

#[helper]
async fn adaptors(words: &[&str]) -> Vec<String> {
    let mut output: Vec<String> = words.iter().map(|word| word.to_uppercase()).collect();
    let mut peeked = words.iter().peekable();
    while let Some(word) = peeked.next() {
        if peeked.peek().is_some_and(|next| next.starts_with(&word[..1])) {
            output.push(format!("{word} and its like"));
        }
    }
    let found = words.iter().try_for_each(|word| {
        if word.is_empty() {
            ControlFlow::Break("nothing")
        } else {
            ControlFlow::Continue(())
        }
    });
    if let ControlFlow::Break(what) = found {
        output.push(what.to_owned());
    }
    let (short, long): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.len() < 4);
    let lengths = short.iter().zip(&long).map(|(a, b)| a.len() + b.len());
    let running = lengths.scan(0, |all, it| {
        *all += it;
        Some(*all)
    });
    output.extend(running.map(|it| it.to_string()));
    let last = words.iter().rev().skip_while(|word| word.len() > 3).map_while(|word| word.chars().next());
    output.push(last.collect());
    let folded = words.iter().fold(String::new(), |mut all, word| {
        all.push_str(word);
        all
    });
    for (at, letter) in folded.char_indices() {
        if letter.is_uppercase() {
            output.push(folded[at..].to_owned());
        }
    }
    for line in folded.lines().flat_map(|line| line.split(' ')) {
        notify("lines".to_owned(), line.to_owned()).await;
    }
    output
}

#[orchestrator(name = "corpus.labels")]
pub async fn labels(to: u32) -> Option<(u32, u32)> {
    let mut best = None;
    'rows: for row in 0..to {
        for column in 0..to {
            let values = measure(row * to + column).await;
            for value in &values {
                if value.is_nan() {
                    continue 'rows;
                }
                if *value > 100.0 {
                    break 'rows;
                }
            }
            if values.iter().copied().fold(f64::MIN, f64::max) > 10.0 {
                best = Some((row, column));
                continue 'rows;
            }
        }
    }
    let found = 'search: {
        for n in 0..to {
            if measure(n).await.is_empty() {
                break 'search Some((n, n));
            }
        }
        None
    };
    let mut tries = 0;
    let again = loop {
        for n in (0..to).rev() {
            if n == 3 + tries {
                return best;
            }
        }
        tries += 1;
        if tries > to {
            break found;
        }
    };
    best.or(again)
}
