//! Arithmetic over what stations measure: means, regressions, matrices, primes, roots.

use std::collections::BTreeMap;
use std::ops::{Add, Index, IndexMut, Mul};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{measure, notify};

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub count: usize,
    pub mean: f64,
    pub deviation: f64,
    pub median: f64,
    pub range: (f64, f64),
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn summary(values: &mut [f64]) -> Option<Summary> {
    values.sort_by(f64::total_cmp);
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
    let middle = values.len() / 2;
    let median = if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    };
    Some(Summary {
        count: values.len(),
        mean,
        deviation: (squares / values.len() as f64).sqrt(),
        median,
        range: (*values.first()?, *values.last()?),
    })
}

#[orchestrator(name = "corpus.summaries")]
pub async fn summaries(stations: Vec<u32>) -> BTreeMap<u32, Summary> {
    let measured = join_all(stations.iter().map(|station| measure(*station))).limit(8).await;
    let mut all = BTreeMap::new();
    for (station, mut values) in stations.into_iter().zip(measured) {
        values.retain(|it| it.is_finite());
        if let Some(summary) = summary(&mut values) {
            all.insert(station, summary);
        }
    }
    let means: Vec<f64> = all.values().map(|it| it.mean).collect();
    let overall = mean(&means).unwrap_or(f64::NAN);
    for (station, _) in all.iter().filter(|(_, it)| (it.mean - overall).abs() > 2.0 * it.deviation) {
        notify("service".to_owned(), format!("look after station {station}")).await;
    }
    all
}

#[helper]
async fn series(station: u32, rounds: u64) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for round in 0..rounds {
        if round != 0 {
            sleep(minutes(10)).await;
        }
        let values = measure(station).await;
        points.extend(values.into_iter().map(|it| (round as f64, it)));
    }
    points
}

#[orchestrator(name = "corpus.trend")]
pub async fn trend(station: u32) -> Option<(f64, f64)> {
    let points = series(station, 5).await;
    let count = points.len() as f64;
    let (mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in &points {
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    let divisor = count * xx - x * x;
    if divisor.abs() < f64::EPSILON {
        return None;
    }
    let slope = (count * xy - x * y) / divisor;
    Some((slope, (y - slope * x) / count))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    width: usize,
    cells: Vec<i64>,
}

impl Matrix {
    fn identity(width: usize) -> Self {
        let cells = (0..width * width).map(|at| i64::from(at % (width + 1) == 0));
        Self {
            width,
            cells: cells.collect(),
        }
    }

    fn rows(&self) -> std::slice::Chunks<'_, i64> {
        self.cells.chunks(self.width)
    }

    fn column(&self, at: usize) -> impl Iterator<Item = i64> + '_ {
        self.rows().map(move |row| row[at])
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = i64;

    fn index(&self, (row, column): (usize, usize)) -> &i64 {
        &self.cells[row * self.width + column]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut i64 {
        &mut self.cells[row * self.width + column]
    }
}

impl Mul for &Matrix {
    type Output = Matrix;

    fn mul(self, other: Self) -> Matrix {
        let cell = |row: &[i64], at| row.iter().zip(other.column(at)).map(|(a, b)| a * b).sum();
        let cells = self.rows().flat_map(|row| (0..self.width).map(move |at| cell(row, at)));
        Matrix {
            width: self.width,
            cells: cells.collect(),
        }
    }
}

impl Add for Matrix {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (cell, more) in self.cells.iter_mut().zip(other.cells) {
            *cell += more;
        }
        self
    }
}

#[orchestrator(name = "corpus.power")]
pub async fn power(base: Matrix, mut exponent: u32) -> Matrix {
    let mut result = Matrix::identity(base.width);
    let mut base = base;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = &result * &base;
        }
        base = &base * &base;
        exponent >>= 1;
        sleep(seconds(1)).await;
    }
    for at in 0..result.width {
        result[(at, at)] %= 1_000_000_007;
    }
    result.clone() + result
}

#[orchestrator(name = "corpus.primes")]
pub async fn primes(to: usize) -> Vec<usize> {
    let mut is_composite = vec![false; to + 1];
    let mut primes = Vec::new();
    for n in 2..=to {
        if is_composite[n] {
            continue;
        }
        primes.push(n);
        for multiple in (n * n..=to).step_by(n) {
            is_composite[multiple] = true;
        }
        if primes.len() % 1000 == 0 {
            set_status(&primes.len());
        }
    }
    if should_continue_as_new() {
        return continue_as_new(self::primes(to)).await;
    }
    primes
}

#[orchestrator(name = "corpus.factors")]
pub async fn factors(numbers: Vec<u64>) -> Vec<(u64, Vec<(u64, u32)>)> {
    let factored = numbers.into_iter().map(|number| async move {
        let mut rest = number;
        let mut factors: Vec<(u64, u32)> = vec![];
        let mut candidate = 2;
        while candidate * candidate <= rest {
            let mut times = 0;
            while rest.is_multiple_of(candidate) {
                rest /= candidate;
                times += 1;
            }
            if times > 0 {
                factors.push((candidate, times));
            }
            candidate += 1 + candidate % 2;
        }
        if rest > 1 {
            factors.push((rest, 1));
        }
        notify("log".to_owned(), format!("{number} is done")).await;
        (number, factors)
    });
    join_all(factored).limit(2).await
}

#[helper]
async fn bisected(mut low: f64, mut high: f64, of: impl Fn(f64) -> f64) -> Result<f64, String> {
    if of(low).signum() == of(high).signum() {
        return Err(format!("no change of sign between {low} and {high}"));
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if of(middle).abs() < 1e-9 {
            return Ok(middle);
        }
        if of(low).signum() == of(middle).signum() {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[orchestrator(name = "corpus.roots")]
pub async fn roots(station: u32) -> Result<Vec<f64>, String> {
    let coefficients = measure(station).await;
    let polynomial = |x: f64| coefficients.iter().rev().fold(0.0, |all, it| all * x + it);
    let mut found = vec![];
    for start in -10..10 {
        let (low, high) = (f64::from(start), f64::from(start + 1));
        match bisected(low, high, &polynomial).await {
            Ok(root) => found.push(root),
            Err(_) if polynomial(low) == 0.0 => found.push(low),
            Err(_) => {}
        }
    }
    found.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
    Ok(found)
}

#[orchestrator(name = "corpus.bits")]
pub async fn bits(words: Vec<u32>) -> (u32, u32, Vec<u8>) {
    let parity = words.iter().fold(0, |all, word| all ^ word);
    let ones = words.iter().map(|word| word.count_ones()).sum();
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    for byte in &mut bytes {
        *byte = byte.reverse_bits().rotate_left(1);
    }
    let mut check = 0_u8;
    for (at, byte) in bytes.iter().enumerate() {
        check = check.wrapping_add(byte.wrapping_mul(u8::try_from(at % 7).unwrap_or(1)));
    }
    bytes.push(check);
    let wanted = random() % 10;
    let rolled = bytes.iter().rev().map(|it| u64::from(it % 10)).position(|it| it == wanted);
    if let Some(at) = rolled {
        bytes.swap_remove(at);
    }
    (parity, ones, bytes)
}
