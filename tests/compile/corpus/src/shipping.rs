//! Parcels on their way: time, deadlines, children, and who is first.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{Line, Region, blocked, notify, rates, reserve};

static SCANNED: Event<Scan> = Event::new("scanned");
static LOST: Event<String> = Event::new("lost");

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    place: String,
    parcel: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parcel {
    id: u64,
    region: Region,
    lines: Vec<Line>,
    grams: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    Arrived { stops: Vec<String>, late: bool },
    Lost(String),
}

/// The best way to pack: first fit, the heaviest first.
fn packed(mut parcels: Vec<Parcel>, most: u32) -> Vec<Vec<Parcel>> {
    parcels.sort_by_key(|it| (std::cmp::Reverse(it.grams), it.id));
    let mut vans: Vec<(u32, Vec<Parcel>)> = Vec::new();
    for parcel in parcels {
        match vans.iter_mut().find(|(grams, _)| grams + parcel.grams <= most) {
            Some((grams, van)) => {
                *grams += parcel.grams;
                van.push(parcel);
            }
            None => vans.push((parcel.grams, vec![parcel])),
        }
    }
    vans.into_iter().map(|(_, van)| van).collect()
}

#[orchestrator(name = "corpus.follow")]
pub async fn follow(parcel: Parcel) -> Delivery {
    let started = now();
    let mut stops = Vec::new();
    let limit = match parcel.region {
        Region::North | Region::South => days(3),
        Region::East => days(4),
        Region::West => Duration::from_secs(3600) * 24 * 5,
    };
    let deadline = sleep(limit);
    let mut deadline = std::pin::pin!(deadline);
    let late = loop {
        select! {
            scan = SCANNED.wait() => {
                if scan.parcel != parcel.id {
                    continue;
                }
                let is_last = scan.place == "door";
                stops.push(scan.place);
                if is_last {
                    break false;
                }
            }
            why = LOST.wait() => return Delivery::Lost(why),
            () = &mut deadline, if stops.len() < 100 => break true,
        }
    };
    let took = now().duration_since(started).unwrap_or_default();
    notify(parcel.id.to_string(), format!("{} stops in {} s", stops.len(), took.as_secs())).await;
    Delivery::Arrived { stops, late }
}

#[orchestrator(name = "corpus.dispatch")]
pub async fn dispatch(parcels: Vec<Parcel>) -> BTreeMap<Region, (usize, usize)> {
    let blocked = blocked().await;
    let mut by_region: BTreeMap<Region, Vec<Parcel>> = BTreeMap::new();
    for parcel in parcels.into_iter().filter(|it| !blocked.contains(&it.id)) {
        by_region.entry(parcel.region).or_default().push(parcel);
    }
    let mut report = BTreeMap::new();
    for (region, parcels) in by_region {
        let (mut arrived, mut lost) = (0, 0);
        for van in packed(parcels, 1_000_000) {
            for delivery in join_all(van.into_iter().map(follow)).limit(10).await {
                match delivery {
                    Delivery::Arrived { late: false, .. } => arrived += 1,
                    Delivery::Arrived { stops, .. } => arrived += usize::from(!stops.is_empty()),
                    Delivery::Lost(_) => lost += 1,
                }
            }
        }
        report.insert(region, (arrived, lost));
    }
    report
}

#[orchestrator(name = "corpus.quotes")]
pub async fn quotes(parcel: Parcel) -> Option<(String, u64)> {
    let rates = rates().await;
    let kilos = f64::from(parcel.grams) / 1000.0;
    let mut offers: Vec<(String, f64)> = rates.into_iter().map(|(name, rate)| (name, rate * kilos)).collect();
    offers.retain(|(_, cents)| cents.is_finite() && *cents >= 0.0);
    offers.sort_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| a.cmp(b)));
    let mut queue: VecDeque<_> = offers.into();
    while let Some((carrier, cents)) = queue.pop_front() {
        let accepted = race([
            reserve(carrier.clone(), 1),
            reserve(format!("{carrier}-express"), 1),
        ])
        .await;
        if accepted.is_ok() {
            return Some((carrier, cents.round() as u64));
        }
        if let Some((next, _)) = queue.front() {
            notify("quotes".to_owned(), format!("{carrier} refused, now {next}")).await;
        }
    }
    None
}

#[orchestrator(name = "corpus.rounds")]
pub async fn rounds(regions: Vec<Region>) -> u32 {
    let mut visited = 0;
    let mut pending: Vec<_> = regions.iter().map(|region| Box::pin(round(*region))).collect();
    while !pending.is_empty() {
        let (count, _, rest) = select_all(pending).await;
        visited += count;
        pending = rest;
    }
    visited
}

#[helper]
async fn round(region: Region) -> u32 {
    let hours_by_region = [(Region::North, 3), (Region::South, 2), (Region::East, 1)];
    let pause = hours_by_region.iter().find(|(it, _)| *it == region).map_or(4, |(_, hours)| *hours);
    let mut visited = 0;
    for stop in (1..=pause).rev() {
        sleep(hours(stop)).await;
        visited += u32::from(stop % 2 == 1);
    }
    visited
}
