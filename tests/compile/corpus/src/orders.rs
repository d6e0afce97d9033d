//! Orders, from the cart to the door.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{
    Article, Line, PaymentError, article, blocked, charge, notify, price, refund, release, reserve,
    stock,
};

static APPROVAL: Event<bool> = Event::new("approval");
static CHANGE: Event<Change> = Event::new("change");

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub customer: String,
    pub lines: Vec<Line>,
    pub coupon: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Change {
    Add(Line),
    Remove(String),
    Cancel,
    Done,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    Blocked(u64),
    NotFor { sku: String },
    Payment(PaymentError),
    Stock(String),
    TooLate,
}

impl From<PaymentError> for Refusal {
    fn from(error: PaymentError) -> Self {
        Self::Payment(error)
    }
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Invoice {
    pub total: u64,
    pub discounts: Vec<(String, u64)>,
    pub payment: Option<u64>,
}

impl Invoice {
    fn due(&self) -> u64 {
        let discount = self.discounts.iter().map(|(_, cents)| cents).sum::<u64>();
        self.total.saturating_sub(discount)
    }

    fn discounts_mut(&mut self) -> &mut Vec<(String, u64)> {
        &mut self.discounts
    }
}

impl Order {
    fn skus(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.sku.as_str())
    }

    fn count(&self) -> u32 {
        self.lines.iter().map(|line| line.count).sum()
    }

    fn merge(&mut self, other: Line) {
        match self.lines.iter_mut().find(|line| line.sku == other.sku) {
            Some(line) => line.count += other.count,
            None => self.lines.push(other),
        }
    }
}

#[helper]
async fn priced(lines: &[Line]) -> Result<u64, Refusal> {
    let mut total = 0;
    for Line { sku, count } in lines {
        let Some(cents) = price(sku.clone()).await else {
            return Err(Refusal::NotFor { sku: sku.clone() });
        };
        total += cents * u64::from(*count);
    }
    Ok(total)
}

#[helper]
async fn priced_at_once(lines: &[Line]) -> Result<u64, Refusal> {
    let prices = join_all(lines.iter().map(|line| price(line.sku.clone()))).await;
    lines
        .iter()
        .zip(prices)
        .map(|(line, cents)| {
            let cents = cents.ok_or_else(|| Refusal::NotFor {
                sku: line.sku.clone(),
            })?;
            Ok(cents * u64::from(line.count))
        })
        .sum()
}

#[helper]
async fn discounted(invoice: &mut Invoice, order: &Order) {
    if let Some(coupon) = order.coupon.as_deref() {
        let cents = match coupon.split_once('-') {
            Some(("TEN", _)) => invoice.total / 10,
            Some(("FIX", rest)) => rest.parse().unwrap_or_default(),
            Some((kind, _)) if kind.starts_with('X') => 1,
            _ => 0,
        };
        invoice.discounts.push((coupon.to_owned(), cents));
    }
    if order.count() > 10 {
        let bulk = invoice.total / 20;
        invoice.discounts_mut().push(("bulk".to_owned(), bulk));
    }
    for (name, cents) in invoice.discounts_mut() {
        if *cents == 0 {
            name.push_str(" (void)");
        }
    }
    invoice.discounts.retain(|(_, cents)| *cents > 0);
    notify(order.customer.clone(), format!("{} discounts", invoice.discounts.len())).await;
}

#[helper]
async fn reserved(lines: &[Line]) -> Result<Vec<u64>, Refusal> {
    let mut reservations = Vec::with_capacity(lines.len());
    for line in lines {
        match reserve(line.sku.clone(), line.count).await {
            Ok(reservation) => reservations.push(reservation),
            Err(why) => {
                for reservation in reservations.drain(..).rev() {
                    release(reservation).await;
                }
                return Err(Refusal::Stock(why));
            }
        }
    }
    Ok(reservations)
}

#[helper]
async fn paid(order: &Order, invoice: &mut Invoice) -> Result<(), Refusal> {
    let payment = charge(order.id, invoice.due()).await?;
    invoice.payment.replace(payment);
    Ok(())
}

#[orchestrator(name = "corpus.checkout")]
pub async fn checkout(order: Order) -> Result<Invoice, Refusal> {
    if order.lines.is_empty() {
        return Err(Refusal::Empty);
    }
    let blocked = blocked().await;
    if blocked.contains(&order.id) {
        return Err(Refusal::Blocked(order.id));
    }
    let mut invoice = Invoice {
        total: priced(&order.lines).await?,
        ..Invoice::default()
    };
    discounted(&mut invoice, &order).await;
    let reservations = reserved(&order.lines).await?;
    if let Err(refusal) = paid(&order, &mut invoice).await {
        let released = join_all(reservations.iter().map(|it| release(*it))).await;
        debug_assert!(released.iter().all(|it| *it));
        return Err(refusal);
    }
    let approved = select! {
        approved = APPROVAL.wait() => approved,
        () = sleep(days(2)) => false,
    };
    if !approved {
        if let Some(payment) = invoice.payment.take() {
            refund(payment).await?;
        }
        for reservation in reservations {
            release(reservation).await;
        }
        return Err(Refusal::TooLate);
    }
    Ok(invoice)
}

#[orchestrator(name = "corpus.cart")]
pub async fn cart(customer: String) -> Result<u64, Refusal> {
    let mut order = Order {
        id: 1,
        customer,
        lines: vec![],
        coupon: None,
    };
    let mut removed = BTreeSet::new();
    loop {
        let change = select! {
            change = CHANGE.wait() => change,
            () = sleep(hours(1)), if !order.lines.is_empty() => Change::Done,
        };
        match change {
            Change::Add(line) if line.count == 0 => continue,
            Change::Add(line) => {
                removed.remove(&line.sku);
                order.merge(line);
            }
            Change::Remove(sku) => {
                if let Some(at) = order.lines.iter().position(|line| line.sku == sku) {
                    let line = order.lines.swap_remove(at);
                    removed.insert(line.sku);
                }
            }
            Change::Cancel => return Err(Refusal::Empty),
            Change::Done => break,
        }
        set_status(&format!("{} lines, {} removed", order.lines.len(), removed.len()));
    }
    for sku in &removed {
        notify(order.customer.clone(), format!("{sku} is gone")).await;
    }
    let total = priced_at_once(&order.lines).await?;
    Ok(total)
}

#[orchestrator(name = "corpus.restock")]
pub async fn restock(wanted: BTreeMap<String, u32>) -> Vec<String> {
    let held = stock().await;
    let mut missing = Vec::new();
    for (sku, count) in &wanted {
        let have = held.get(sku).copied().unwrap_or_default();
        if have < *count {
            missing.push((sku.as_str(), count - have));
        }
    }
    missing.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    let mut ordered = vec![];
    for (sku, count) in missing.iter().take(5) {
        if reserve((*sku).to_owned(), *count).await.is_ok() {
            ordered.push(format!("{count} of {sku}"));
        }
    }
    ordered
}

/// Maps are fine as long as they are looked up, changed and counted.
#[orchestrator(name = "corpus.tally")]
pub async fn tally(orders: Vec<Order>) -> u64 {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut customers = HashSet::new();
    for order in &orders {
        customers.insert(order.customer.as_str());
        for sku in order.skus() {
            *counts.entry(sku.to_owned()).or_default() += 1;
        }
        for line in order.lines.iter().filter(|line| line.count > 1) {
            counts.entry(line.sku.clone()).and_modify(|it| *it += line.count).or_insert(1);
        }
    }
    if counts.is_empty() || !counts.contains_key("tea") {
        return 0;
    }
    counts.remove("pot");
    let mut names: Vec<&String> = counts.keys().collect();
    names.sort_unstable();
    let mut total = 0;
    for name in names {
        if let (Some(count), Some(cents)) = (counts.get(name), price(name.clone()).await) {
            total += u64::from(*count) * cents;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let listed: BTreeMap<String, u32> = counts.into_iter().collect();
    let best = listed.iter().find(|(_, count)| **count == most).map(|(sku, _)| sku);
    total + best.map_or(0, |sku| sku.len() as u64) + customers.len() as u64
}

#[orchestrator(name = "corpus.compare")]
pub async fn compare(skus: Vec<String>) -> Result<Option<Article>, String> {
    let articles = try_join_all(skus.into_iter().map(article)).limit(4).await?;
    let cheapest = articles.iter().min_by_key(|it| (it.cents, &it.sku)).cloned();
    let dearest = articles.iter().map(|it| it.cents).max();
    let by_tag = articles.iter().flat_map(|it| it.tags.iter().map(move |tag| (tag, &it.sku)));
    let mut tagged: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (tag, sku) in by_tag {
        tagged.entry(tag).or_default().push(sku);
    }
    for (tag, skus) in &mut tagged {
        skus.sort();
        skus.dedup();
        notify((*tag).clone(), skus.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")).await;
    }
    Ok(cheapest.filter(|it| Some(it.cents) < dearest))
}
