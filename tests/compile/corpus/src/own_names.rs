//! Types and functions of the user's own that share a name with something that an orchestrator may not use.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::notify;

/// A moment in a game, counted in rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instant(u32);

impl Instant {
    fn now(round: u32) -> Self {
        Self(round)
    }

    fn elapsed(self, until: Self) -> u32 {
        until.0.saturating_sub(self.0)
    }
}

/// A map, drawn on paper.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashMap {
    places: Vec<String>,
}

impl HashMap {
    fn keys(&self) -> std::slice::Iter<'_, String> {
        self.places.iter()
    }

    fn drain(&mut self) -> usize {
        self.places.drain(..).count()
    }
}

impl IntoIterator for HashMap {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter()
    }
}

/// The lock of a door.
#[derive(Debug, Default)]
struct Mutex {
    is_open: bool,
}

impl Mutex {
    #[helper]
    async fn lock(&mut self) -> bool {
        notify("door".to_owned(), "locked".to_owned()).await;
        !std::mem::replace(&mut self.is_open, false)
    }
}

/// A pipe through which water flows.
#[derive(Debug, Default)]
struct Receiver {
    litres: Vec<u32>,
}

impl Receiver {
    #[helper]
    async fn recv(&mut self) -> Option<u32> {
        sleep(minutes(1)).await;
        self.litres.pop()
    }

    #[helper]
    async fn changed(&self) -> bool {
        sleep(minutes(2)).await;
        self.litres.is_empty()
    }

    #[helper]
    async fn send(&self) -> usize {
        notify("pipe".to_owned(), format!("{:?}", self.litres)).await;
        self.litres.len()
    }

    #[helper]
    async fn next(&mut self) -> Option<u32> {
        self.recv().await
    }

    #[helper]
    async fn fetch_one(&mut self, at: usize) -> Option<u32> {
        notify("pipe".to_owned(), at.to_string()).await;
        (at < self.litres.len()).then(|| self.litres.remove(at))
    }

    #[helper]
    async fn read(&self) -> u32 {
        self.litres.iter().copied().filter(|it| *it > 0).sum()
    }

    #[helper]
    async fn flush(&mut self) {
        self.litres.clear();
    }
}

static NAMES: LazyLock<BTreeMap<u8, &str>> = LazyLock::new(|| BTreeMap::from([(1, "one")]));

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[orchestrator(name = "corpus.own_names")]
pub async fn own_names(rounds: u32) -> u64 {
    let start = Instant::now(0);
    let mut map = HashMap::default();
    map.places.push("harbour".to_owned());
    let mut sum = u64::from(start.elapsed(Instant::now(rounds)));
    for place in map.keys() {
        sum += place.len() as u64;
    }
    for place in map.clone() {
        sum += place.len() as u64;
    }
    sum += map.drain() as u64;
    let mut door = Mutex::default();
    if door.lock().await {
        sum += 1;
    }
    let mut pipe = Receiver {
        litres: vec![1, 2, 3],
    };
    while let Some(litres) = pipe.recv().await {
        sum += u64::from(litres);
        if pipe.changed().await {
            break;
        }
    }
    sum += pipe.send().await as u64 + u64::from(pipe.read().await);
    sum += u64::from(pipe.next().await.or(pipe.fetch_one(0).await).unwrap_or_default());
    pipe.flush().await;
    for (number, name) in NAMES.iter() {
        sum += u64::from(*number) + name.len() as u64;
    }
    sum + VERSION.len() as u64
}

/// Variables that are called as something else.
#[orchestrator(name = "corpus.shadows")]
pub async fn shadows(it: Vec<u64>) -> u64 {
    let sleep = it.len();
    let join = it.iter().sum::<u64>();
    let now = |round: u32| u64::from(round);
    let select = [sleep as u64, join, now(3)];
    let mut seen1 = 0;
    for callee in &select {
        for unreached in &it {
            seen1 += callee * unreached;
        }
    }
    let value = it.into_iter().map(|it| it + seen1);
    let __durable_iterated = value.max();
    notify("shadows".to_owned(), format!("{__durable_iterated:?}")).await;
    __durable_iterated.unwrap_or(seen1)
}

/// In rounds, not in time.
pub struct Stopwatch {
    rounds: u64,
}

impl Stopwatch {
    pub fn elapsed(&self) -> u64 {
        self.rounds
    }

    pub fn fetch_add(&mut self, rounds: u64, times: u64) -> u64 {
        self.rounds += rounds * times;
        self.rounds
    }
}

fn measured(watch: &Stopwatch) -> u64 {
    watch.elapsed()
}

#[orchestrator(name = "own_names.own_methods")]
pub async fn own_methods(rounds: u64) -> u64 {
    let mut watch = Stopwatch { rounds };
    watch.fetch_add(1, 2);
    let text = format!("{}", watch.elapsed());
    watch.elapsed() + measured(&watch) + u64::from(text.is_empty())
}
