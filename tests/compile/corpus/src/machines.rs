//! State machines: a door, a lift, a subscription, a negotiation.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{PaymentError, charge, notify};

static PRESSED: Event<Button> = Event::new("pressed");
static OFFER: Event<u64> = Event::new("offer");
static PLAN: Event<Plan> = Event::new("plan");
static STOP: Event<()> = Event::new("stop");

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Button {
    Open,
    Close,
    Floor(u8),
    Alarm,
}

/// Each state owns what it needs, and nothing else.
#[derive(Debug)]
enum Door {
    Closed,
    Opening { since: u32 },
    Open { people: Vec<String> },
    Blocked(String),
}

impl Door {
    fn pressed(self, button: Button) -> Self {
        match (self, button) {
            (Self::Closed, Button::Open) => Self::Opening { since: 0 },
            (Self::Opening { since }, Button::Open) if since > 2 => Self::Open { people: vec![] },
            (Self::Opening { since }, _) => Self::Opening { since: since + 1 },
            (Self::Open { mut people }, Button::Floor(floor)) => {
                people.push(floor.to_string());
                Self::Open { people }
            }
            (Self::Open { people }, Button::Close) if people.len() < 8 => Self::Closed,
            (Self::Open { .. }, Button::Close) => Self::Blocked("too many".to_owned()),
            (_, Button::Alarm) => Self::Blocked("alarm".to_owned()),
            (other, _) => other,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Opening { .. } => "opening",
            Self::Open { .. } => "open",
            Self::Blocked(_) => "blocked",
        }
    }
}

#[orchestrator(name = "corpus.door")]
pub async fn door(presses: u32) -> String {
    let mut door = Door::Closed;
    for press in 0..presses {
        let button = PRESSED.wait().await;
        door = door.pressed(button);
        set_status(&door.name());
        if let Door::Blocked(why) = &door {
            notify("keeper".to_owned(), format!("{why}, at press {press}")).await;
            break;
        }
    }
    match door {
        Door::Open { people } => people.join(" and "),
        other => other.name().to_owned(),
    }
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Lift {
    floor: u8,
    waiting: VecDeque<u8>,
    visited: Vec<u8>,
    up: bool,
}

impl Lift {
    /// The nearest floor in the direction it goes, else the nearest in the other.
    fn next(&mut self) -> Option<u8> {
        let floor = self.floor;
        let ahead = |it: &&u8| if self.up { **it >= floor } else { **it <= floor };
        let nearest = self.waiting.iter().filter(ahead).min_by_key(|it| it.abs_diff(floor));
        let next = match nearest {
            Some(next) => *next,
            None => {
                self.up = !self.up;
                *self.waiting.iter().min_by_key(|it| it.abs_diff(floor))?
            }
        };
        self.waiting.retain(|it| *it != next);
        Some(next)
    }
}

#[helper]
async fn moves(lift: &mut Lift, to: u8) -> u32 {
    let mut steps = 0;
    while lift.floor != to {
        if lift.floor < to {
            lift.floor += 1;
        } else {
            lift.floor -= 1;
        }
        sleep(seconds(3)).await;
        steps += 1;
    }
    lift.visited.push(to);
    steps
}

#[orchestrator(name = "corpus.lift")]
pub async fn lift(mut state: Lift) -> Vec<u8> {
    let mut idle = 0;
    while idle < 3 {
        let pressed = timeout(minutes(1), PRESSED.wait()).await;
        match pressed {
            Ok(Button::Floor(floor)) if !state.waiting.contains(&floor) => {
                state.waiting.push_back(floor);
            }
            Ok(Button::Alarm) => return mem::take(&mut state.visited),
            Ok(_) => {}
            Err(_) => idle += 1,
        }
        while let Some(to) = state.next() {
            idle = 0;
            let steps = moves(&mut state, to).await;
            if steps > 10 {
                notify("lift".to_owned(), format!("{steps} floors at once")).await;
            }
        }
    }
    state.visited
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Plan {
    Free,
    Small { seats: u16 },
    Large,
}

impl Plan {
    fn cents(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Small { seats } => u64::from(seats) * 900,
            Self::Large => 100_000,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    customer: u64,
    plan: Plan,
    month: u32,
    unpaid: u8,
    paid: BTreeMap<u32, u64>,
}

#[helper]
async fn billed(subscription: &mut Subscription) -> Result<bool, PaymentError> {
    let cents = subscription.plan.cents();
    if cents == 0 {
        return Ok(true);
    }
    let paid = match charge(subscription.customer, cents).await {
        Ok(payment) => {
            subscription.paid.insert(subscription.month, payment);
            subscription.unpaid = 0;
            true
        }
        Err(PaymentError::Declined { reason }) if subscription.unpaid < 3 => {
            subscription.unpaid += 1;
            notify(subscription.customer.to_string(), reason).await;
            false
        }
        Err(error) => return Err(error),
    };
    Ok(paid)
}

#[orchestrator(name = "corpus.subscription")]
pub async fn subscription(mut state: Subscription) -> Result<u64, PaymentError> {
    for _ in 0..12 {
        let is_paid = billed(&mut state).await?;
        let pause = if is_paid { days(30) } else { days(3) };
        select! {
            plan = PLAN.wait() => {
                let is_more = plan > state.plan;
                state.plan = plan;
                if is_more {
                    continue;
                }
            }
            () = STOP.wait() => return Ok(state.paid.values().sum()),
            () = sleep(pause) => {}
        }
        state.month += 1;
    }
    state.paid.retain(|month, _| month + 6 > state.month);
    if state.paid.len() > 100 {
        return Ok(state.paid.into_values().sum());
    }
    continue_as_new(subscription(state)).await
}

/// Two parties, each a branch with its own state, that take turns.
#[orchestrator(name = "corpus.negotiation")]
pub async fn negotiation(asked: u64, limit: u64) -> Option<u64> {
    let mut asked = asked;
    let mut round = 0_u32;
    let mut offers = vec![];
    let agreed = loop {
        round += 1;
        let offer = select! {
            offer = OFFER.wait(), if round < 10 => Some(offer),
            () = sleep(hours(u64::from(round))) => None,
            else => break None,
        };
        let Some(offer) = offer else {
            asked = asked * 95 / 100;
            continue;
        };
        offers.push(offer);
        let is_rising = offers.windows(2).all(|pair| matches!(pair, [a, b] if a <= b));
        match offer {
            it if it >= asked => break Some(it),
            it if it > limit && is_rising => asked = (asked + it).div_ceil(2),
            0 => break None,
            _ => {}
        }
    };
    let trend: Vec<String> = offers.iter().zip(1..).map(|(it, at)| format!("{at}: {it}")).collect();
    notify("both".to_owned(), trend.join("; ")).await;
    agreed
}
