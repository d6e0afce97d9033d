//! Graphs whose edges are asked for one node at a time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{neighbours, notify};

#[orchestrator(name = "corpus.reachable")]
pub async fn reachable(from: u32, most: usize) -> BTreeSet<u32> {
    let mut seen = BTreeSet::from([from]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        if seen.len() >= most {
            break;
        }
        for (next, _) in neighbours(node).await {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    seen
}

/// Level by level, each at once.
#[orchestrator(name = "corpus.levels")]
pub async fn levels(from: u32, depth: usize) -> Vec<Vec<u32>> {
    let mut seen: HashSet<u32> = HashSet::new();
    let mut levels = vec![vec![from]];
    while let Some(last) = levels.last().filter(|it| !it.is_empty() && levels.len() <= depth) {
        let found = join_all(last.iter().copied().map(neighbours)).await;
        let mut next: Vec<u32> = found.into_iter().flatten().map(|(node, _)| node).collect();
        next.sort_unstable();
        next.dedup();
        next.retain(|node| seen.insert(*node));
        levels.push(next);
    }
    levels
}

#[orchestrator(name = "corpus.shortest")]
pub async fn shortest(from: u32, to: u32) -> Option<(u64, Vec<u32>)> {
    let mut best: HashMap<u32, (u64, Option<u32>)> = HashMap::from([(from, (0, None))]);
    let mut open = BinaryHeap::from([Reverse((0_u64, from))]);
    while let Some(Reverse((length, node))) = open.pop() {
        if node == to {
            let mut path = vec![node];
            let mut at = node;
            while let Some((_, Some(before))) = best.get(&at) {
                path.push(*before);
                at = *before;
            }
            path.reverse();
            return Some((length, path));
        }
        if best.get(&node).is_some_and(|(known, _)| *known < length) {
            continue;
        }
        for (next, weight) in neighbours(node).await {
            let through = length + weight;
            let is_better = best.get(&next).is_none_or(|(known, _)| through < *known);
            if is_better {
                best.insert(next, (through, Some(node)));
                open.push(Reverse((through, next)));
            }
        }
    }
    None
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    name: String,
    after: Vec<String>,
    minutes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanError {
    Unknown { task: String, after: String },
    Circle(Vec<String>),
}

fn sorted(tasks: &[Task]) -> Result<Vec<&Task>, PlanError> {
    let by_name: BTreeMap<&str, &Task> = tasks.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in tasks {
        waiting.entry(&task.name).or_insert(0);
        for after in &task.after {
            if !by_name.contains_key(after.as_str()) {
                return Err(PlanError::Unknown {
                    task: task.name.clone(),
                    after: after.clone(),
                });
            }
            *waiting.entry(&task.name).or_insert(0) += 1;
            followers.entry(after).or_default().push(&task.name);
        }
    }
    let mut ready: Vec<&str> = waiting.iter().filter(|(_, n)| **n == 0).map(|(it, _)| *it).collect();
    let mut order = Vec::with_capacity(tasks.len());
    while let Some(name) = ready.pop() {
        waiting.remove(name);
        order.push(by_name[name]);
        for follower in followers.get(name).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(follower) {
                *count -= 1;
                if *count == 0 {
                    ready.push(follower);
                }
            }
        }
    }
    if waiting.is_empty() {
        Ok(order)
    } else {
        Err(PlanError::Circle(waiting.into_keys().map(str::to_owned).collect()))
    }
}

#[helper]
async fn done(task: &Task) -> String {
    sleep(minutes(task.minutes)).await;
    notify("team".to_owned(), format!("{} is done", task.name)).await;
    task.name.clone()
}

#[orchestrator(name = "corpus.plan")]
pub async fn plan(tasks: Vec<Task>) -> Result<Vec<String>, PlanError> {
    let order = sorted(&tasks)?;
    let mut finished = BTreeSet::new();
    let mut log = Vec::new();
    let mut rest = order.into_iter().collect::<VecDeque<_>>();
    while !rest.is_empty() {
        let (ready, later): (VecDeque<&Task>, VecDeque<&Task>) =
            rest.into_iter().partition(|task| task.after.iter().all(|it| finished.contains(it)));
        let names = join_all(ready.iter().map(|task| done(task))).await;
        for name in names {
            log.push(name.clone());
            finished.insert(name);
        }
        rest = later;
    }
    Ok(log)
}

/// Whoever is first may bring in work of his own.
#[orchestrator(name = "corpus.crawl")]
pub async fn crawl(roots: Vec<u32>) -> Vec<u32> {
    let mut running = FuturesUnordered::new();
    let mut seen: HashSet<u32> = roots.iter().copied().collect();
    for root in roots {
        running.push(async move { (root, neighbours(root).await) });
    }
    let mut order = Vec::new();
    while let Some((node, next)) = running.next().await {
        order.push(node);
        let fresh = next.into_iter().filter(|(it, _)| seen.insert(*it)).map(|(it, _)| it);
        if order.len() > 100 {
            continue;
        }
        for node in fresh.collect::<Vec<_>>() {
            order.push(node);
        }
    }
    order
}

struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// Named like that of a set.
    fn union(&mut self, pair: (usize, usize)) -> bool {
        let (a, b) = (self.root(pair.0), self.root(pair.1));
        self.parent[a] = b;
        a != b
    }
}

#[orchestrator(name = "corpus.islands")]
pub async fn islands(nodes: u32) -> usize {
    let mut groups = Groups {
        parent: (0..nodes as usize).collect(),
    };
    let mut joined = 0;
    let found = join_all((0..nodes).map(neighbours)).await;
    for (node, edges) in found.iter().enumerate() {
        for (next, _) in edges {
            let next = *next as usize;
            if next < groups.parent.len() && groups.union((node, next)) {
                joined += 1;
            }
        }
    }
    nodes as usize - joined
}
