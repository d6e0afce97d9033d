//! Helpers of every shape: generic over types, constants and lifetimes, with references, methods, recursion.
#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use durable_runtime::durable::Recordable;
use durable_runtime::{BoxDurable, Durable, activity, helper, join_all, orchestrator};

#[activity]
async fn double(n: u32) -> u32 {
    n * 2
}

#[activity]
async fn print(text: String) -> usize {
    text.len()
}

/// Over a type, with a bound and a where clause.
#[helper]
async fn sum<T>(values: &[T]) -> u32
where
    T: Copy + Into<u32>,
{
    let mut sum = 0;
    for value in values {
        sum += double((*value).into()).await;
    }
    sum
}

/// Over a constant.
#[helper]
async fn each<const N: usize>(values: [u32; N]) -> [u32; N] {
    let mut doubled = [0; N];
    for (at, value) in values.into_iter().enumerate() {
        doubled[at] = double(value).await;
    }
    doubled
}

/// Over an argument that is not named.
#[helper]
async fn shown(what: impl Display, mut also: impl Iterator<Item = u32>) -> usize {
    let next = also.next().unwrap_or_default();
    print(format!("{what}{next}")).await
}

/// Returns what it borrowed, with a lifetime that is named, or not.
#[helper]
async fn longer<'a>(a: &'a str, b: &'a str) -> &'a str {
    if print(a.to_owned()).await >= print(b.to_owned()).await { a } else { b }
}

#[helper]
async fn first(texts: &[String]) -> Option<&str> {
    let text = texts.first()?;
    print(text.clone()).await;
    Some(text)
}

/// Of two lifetimes, and of a type that holds one.
#[helper]
async fn pick<'a, 'b: 'a>(long: &'b str, short: &'a mut Vec<&'b str>) -> &'a [&'b str] {
    print(long.to_owned()).await;
    short.push(long);
    short
}

/// Never returns, or early.
#[helper]
async fn forever(n: u32) -> u32 {
    loop {
        if double(n).await == 0 {
            return 0;
        }
    }
}

/// Returns as one type what it has as several, early and late.
#[helper]
async fn boxed(n: u32) -> Box<dyn Display> {
    if double(n).await > 2 {
        return Box::new(n);
    }
    Box::new("few")
}

/// What it returns has no name.
#[helper]
async fn unnamed(n: u32) -> impl Iterator<Item = u32> {
    let n = double(n).await;
    0..n
}

/// Takes what makes durable futures, and a durable future itself.
#[helper]
async fn all<F, D>(make: F, last: impl Durable<Output = u32>) -> Vec<u32>
where
    F: Fn(u32) -> D,
    D: Durable<Output = u32>,
{
    let mut all = join_all((1..=3).map(&make)).await;
    all.push(make(4).await);
    all.push(last.await);
    all
}

/// Anything that may be recorded.
#[helper]
async fn twice<T: Recordable + Clone>(value: T) -> (T, T) {
    double(2).await;
    (value.clone(), value)
}

/// Calls itself, boxed.
#[helper]
async fn depth(n: u32) -> u32 {
    if n == 0 { 0 } else { 1 + double(0).await + Box::pin(depth(n - 1)).await }
}

struct Tree {
    value: u32,
    children: Vec<Tree>,
}

/// Calls itself over what it borrows, in branches.
#[helper]
async fn total(tree: &Tree) -> u32 {
    let children = tree.children.iter().map(|child| -> BoxDurable<'_, u32> { Box::pin(total(child)) });
    let below: u32 = join_all(children).await.into_iter().sum();
    double(tree.value).await + below
}

#[derive(Debug, Default)]
struct Ledger<T> {
    lines: BTreeMap<String, T>,
}

impl<T: Display + Default> Ledger<T> {
    /// A method that changes its value.
    #[helper]
    async fn note(&mut self, name: &str, value: T) -> &mut T {
        print(format!("{name} {value}")).await;
        self.lines.entry(name.to_owned()).or_insert(value)
    }

    #[helper]
    async fn find(&self, name: &str) -> Option<&T> {
        print(name.to_owned()).await;
        self.lines.get(name)
    }

    #[helper]
    async fn into_lines(mut self: Box<Self>) -> BTreeMap<String, T> {
        self.lines.insert("end".to_owned(), T::default());
        print("end".to_owned()).await;
        self.lines
    }

    /// No method.
    #[helper]
    async fn empty<const N: usize>() -> [Self; N]
    where
        Self: Sized,
    {
        double(1).await;
        std::array::from_fn(|_| Self { lines: BTreeMap::new() })
    }

    #[cfg(any())]
    #[helper]
    async fn absent(&self) -> Missing {}
}

/// Of a pinned value.
struct Held;

impl Held {
    #[helper]
    async fn by_pin(self: Pin<&mut Self>) -> u32 {
        double(1).await
    }
}

/// A trait whose methods are parts of orchestrators, one of them with a body of its own.
trait Stage {
    /// Each has its own.
    #[helper]
    async fn run(&mut self, n: u32) -> Result<u32, String>;

    #[helper]
    async fn twice(&mut self, n: u32) -> Result<u32, String> {
        let n = self.run(n).await?;
        self.run(n).await
    }
}

struct Doubles(u32);

impl Stage for Doubles {
    #[helper]
    async fn run(&mut self, n: u32) -> Result<u32, String> {
        self.0 += 1;
        Ok(double(n).await)
    }
}

/// Over whatever implements the trait.
#[helper]
async fn staged<S: Stage>(stage: &mut S) -> Result<u32, String> {
    Ok(stage.run(1).await? + stage.twice(2).await?)
}

#[cfg(any())]
#[helper]
async fn absent() -> Missing {}

#[orchestrator]
async fn calls_them() -> usize {
    let texts = vec!["a".to_owned(), "bb".to_owned()];
    let sum = sum(&[1u8, 2]).await + sum(&[3u16]).await;
    let [a, b] = each([1, 2]).await;
    let none = each([]).await.len();
    let shown = shown("x", [1u32].into_iter()).await + shown(4.5, std::iter::empty()).await;
    let longer = longer(&texts[0], &texts[1]).await;
    let first = first(&texts).await.unwrap_or_default();
    let mut short = Vec::new();
    let picked = pick(longer, &mut short).await.len();
    let all = all(double, double(5)).await.len();
    let (left, right) = twice("text".to_owned()).await;
    let tree = Tree { value: 1, children: vec![Tree { value: 2, children: Vec::new() }] };
    let deep = depth(3).await + total(&tree).await;
    let [mut ledger] = Ledger::<f64>::empty().await;
    *ledger.note("a", 1.0).await += 1.0;
    let found = ledger.find("a").await.is_some();
    let lines = Box::new(ledger).into_lines().await.len();
    let named = boxed(1).await.to_string() + &forever(0).await.to_string();
    let mut doubles = Doubles(0);
    let staged = staged(&mut doubles).await.unwrap_or_default() + doubles.0;
    let held = std::pin::pin!(Held).by_pin().await;
    usize::from(found) + unnamed(2).await.count() + named.len() + lines + none + shown + first.len() + picked + all + left.len() + right.len()
        + usize::try_from(sum + staged + a + b + deep + held).unwrap_or_default()
}

/// A helper is a durable future of its own: it may be kept, boxed and given to others.
fn keeps<'a>(texts: &'a [String]) -> (impl Future<Output = Option<&'a str>>, BoxDurable<'a, u32>) {
    (first(texts), Box::pin(depth(1)))
}

fn main() {
    let _kept = keeps(&[]);
    let _ = calls_them();
}
