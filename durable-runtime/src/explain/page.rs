//! An explanation as people read it, at two in the morning: the short answer first, one line for each thing that is awaited, what is
//! known of it beneath, and equal things told together.

use std::fmt::{self, Formatter};
use std::time::SystemTime;

use super::moment::{between, told};
use super::wait::{
    ActivityWait, Awaited, Delivery, InstanceWait, Link, OutcomeOf, Suspected, TimerUse, Wait,
};
use super::{Buffered, Explanation, NextTurn, Standing};
use crate::limits;
use crate::store::Status;

/// How many waits of an instance a page tells of.
const TOLD_MAX: usize = 10;
/// How many characters of a heartbeat a page shows.
const SHOWN_MAX: usize = 80;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let version = self.version.as_ref();
        let version = version.map(|version| format!(" v{version}"));
        write!(
            f,
            "`{}`, `{}`{}",
            self.instance,
            self.name,
            version.unwrap_or_default()
        )?;
        if self.execution.0 > 1 {
            write!(f, ", execution {}", self.execution)?;
        }
        write!(f, ": ")?;
        Page { of: self, depth: 0 }.write(f)
    }
}

/// What is said of one instance, under its name.
struct Page<'a> {
    of: &'a Explanation,
    depth: usize,
}

impl Page<'_> {
    fn write(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.standing(f)?;
        self.turn(f)?;
        self.waits(f)?;
        self.buffered(f)?;
        for hint in &self.of.hints {
            self.line(f)?;
            write!(f, "! {hint}")?;
        }
        Ok(())
    }

    /// Begins a line of this instance.
    fn line(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:1$}", "", 2 + 4 * self.depth)
    }

    /// Begins a line beneath a wait.
    fn detail(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:1$}", "", 4 + 4 * self.depth)
    }

    /// For how long.
    fn since(&self, time: SystemTime) -> String {
        format!("for {} (since {})", between(time, self.of.at), told(time))
    }

    /// How long ago.
    fn ago(&self, time: SystemTime) -> String {
        format!("{} ago ({})", between(time, self.of.at), told(time))
    }

    /// In how long.
    fn until(&self, time: SystemTime) -> String {
        if time <= self.of.at {
            format!("now ({})", told(time))
        } else {
            format!("in {} ({})", between(self.of.at, time), told(time))
        }
    }

    fn standing(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Explanation { status, waits, .. } = self.of;
        match &self.of.standing {
            Standing::NotBegun { start_at: None } => {
                write!(f, "{status:?}, its first turn has not run")
            }
            Standing::NotBegun {
                start_at: Some(moment),
            } => {
                let moment = told(*moment);
                write!(f, "{status:?}, its first turn runs at {moment} or later")
            }
            Standing::Suspended { since, reason } => {
                write!(f, "{status:?} {}, until it is resumed", self.ago(*since))?;
                self.line(f)?;
                write!(f, "reason: {}", self.indented(reason))
            }
            Standing::Waits if waits.is_empty() => write!(f, "{status:?}"),
            Standing::Waits => {
                let count = waits.len() + self.of.more;
                write!(f, "{status:?}, waits for {}", counted(count, "thing"))
            }
            Standing::Stalled {
                reason,
                report,
                remedy,
            } => {
                let last = self.ago(self.of.updated_at);
                write!(f, "{status:?} ({reason:?}), last change {last}")?;
                self.line(f)?;
                write!(f, "cause:  {}", self.indented(report))?;
                self.line(f)?;
                write!(f, "remedy: {remedy}; what is recorded is kept")
            }
            Standing::Unreadable { report } => {
                write!(f, "{status:?}, but what is recorded of it cannot be read")?;
                self.line(f)?;
                write!(f, "cause:  {}", self.indented(report))
            }
            Standing::Ended { at, failure: None } => {
                write!(f, "{status:?} {}", self.ago(*at))
            }
            Standing::Ended {
                at,
                failure: Some(failure),
            } => {
                write!(f, "{status:?} {}", self.ago(*at))?;
                self.line(f)?;
                write!(f, "cause:  {}", self.indented(failure))
            }
        }
    }

    /// Text of several lines, each as far in as the first.
    fn indented(&self, text: &str) -> String {
        text.replace('\n', &format!("\n{:1$}", "", 2 + 4 * self.depth))
    }

    fn turn(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let turn = match self.of.turn {
            NextTurn::None => None,
            NextTurn::Due => Some("its next turn waits for its thread"),
            NextTurn::HeldBack => {
                Some("nothing else runs while the engine finds out what the process died of")
            }
            NextTurn::Running => Some("a turn of it runs, or it is being brought back by replay"),
            NextTurn::Committing => Some("a turn of it is on its way to the disk"),
        };
        if let Some(turn) = turn {
            self.line(f)?;
            write!(f, "{turn}")?;
            if self.of.undelivered > 0 {
                write!(
                    f,
                    ", with {}",
                    counted(self.of.undelivered, "recorded arrival")
                )?;
            }
        }
        if let Some(suspected) = self.of.suspected {
            self.line(f)?;
            write!(f, "{}", held(suspected, "a turn of it was outstanding"))?;
        }
        Ok(())
    }

    fn waits(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut groups = groups(&self.of.waits);
        groups.sort_by_key(|group| !is_urgent(group.first));
        for group in groups.iter().take(TOLD_MAX) {
            self.line(f)?;
            write!(f, "- {}", subject(group.first))?;
            if group.count > 1 {
                write!(f, ", {} alike, the first of them", group.count)?;
            }
            write!(f, ", {}", self.since(group.first.since))?;
            if let Some(place) = &group.first.place {
                write!(f, ", at {place}")?;
            }
            if let Some(source) = &group.first.source {
                write!(f, " (`{source}`)")?;
            }
            if let Some(within) = &group.first.within {
                self.detail(f)?;
                write!(f, "{within}")?;
            }
            self.details(f, group.first)?;
        }
        let told: usize = groups.iter().take(TOLD_MAX).map(|group| group.count).sum();
        let rest = self.of.waits.len() + self.of.more - told;
        if rest > 0 {
            self.line(f)?;
            write!(f, "- and {rest} more")?;
        }
        Ok(())
    }

    fn details(&self, f: &mut Formatter<'_>, wait: &Wait) -> fmt::Result {
        match &wait.awaited {
            Awaited::Activity(activity) => self.activity(f, activity),
            Awaited::Timer(timer) => {
                self.detail(f)?;
                write!(f, "due {}", self.until(timer.due))
            }
            Awaited::Event(event) => {
                self.detail(f)?;
                match &event.similar {
                    Some(similar) => {
                        write!(f, "! `{similar}` is buffered; is that what was meant?")
                    }
                    None if is_among(&self.of.buffered, &event.name) => {
                        write!(f, "it is there, for its next turn")
                    }
                    None if is_among(&self.of.without_room, &event.name) => {
                        write!(f, "it was sent, and waits for room in the inbox")
                    }
                    None => write!(f, "nobody has raised it"),
                }
            }
            Awaited::Instance(instance) => self.instance(f, instance),
        }
    }

    fn activity(&self, f: &mut Formatter<'_>, activity: &ActivityWait) -> fmt::Result {
        self.detail(f)?;
        match &activity.delivery {
            Delivery::Running {
                since,
                delivery,
                given_up,
            } => {
                write!(f, "runs here {}", self.since(*since))?;
                if *delivery > 1 {
                    write!(f, ", delivery {delivery}")?;
                }
                if let Some(why) = given_up {
                    write!(f, "; given up ({why}), it keeps its place until it returns")?;
                }
            }
            Delivery::Queued { limit, is_its_own } => {
                let whose = if *is_its_own { "of its name" } else { "of all" };
                write!(
                    f,
                    "waits for a place: {limit} {whose} run, the most that may"
                )?;
            }
            Delivery::Starting => write!(f, "is about to start here")?,
            Delivery::Delayed { until } => write!(f, "next attempt {}", self.until(*until))?,
            Delivery::HeldBack => {
                write!(
                    f,
                    "held back while the engine finds out what the process died of"
                )?;
            }
            Delivery::Unregistered => {
                write!(
                    f,
                    "! no activity of that name is registered in this program"
                )?;
            }
            Delivery::Elsewhere => write!(f, "not running here at this moment")?,
        }
        if let Some(error) = &activity.last_error {
            self.detail(f)?;
            write!(f, "last error: {error}")?;
        }
        if let Some(heartbeat) = &activity.heartbeat {
            self.detail(f)?;
            write!(f, "last heartbeat")?;
            if let Some(at) = heartbeat.at {
                write!(f, " {} ago", between(at, self.of.at))?;
            }
            write!(f, ": {}", shortened(&heartbeat.details))?;
        }
        if let Some(suspected) = activity.suspected {
            self.detail(f)?;
            write!(f, "{}", held(suspected, "it was outstanding"))?;
        }
        Ok(())
    }

    fn instance(&self, f: &mut Formatter<'_>, wait: &InstanceWait) -> fmt::Result {
        if let Some(error) = &wait.last_error {
            self.detail(f)?;
            write!(f, "last error: {error}")?;
        }
        self.detail(f)?;
        if let Some(until) = wait.delayed_until {
            return write!(f, "next attempt {}", self.until(until));
        }
        match (&wait.link, wait.status) {
            (Link::Explained(of), _) => {
                write!(f, "it is ")?;
                let depth = self.depth + 1;
                Page { of, depth }.write(f)
            }
            (Link::Circle, _) => write!(
                f,
                "! it waits for this instance in turn: neither will ever go on; put a deadline on one of the awaits"
            ),
            (Link::NotFollowed, Some(status)) => {
                write!(f, "it is {status:?}; ask for its own explanation")
            }
            (Link::NotFollowed, None) => write!(f, "it is not there"),
        }
    }

    fn buffered(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.events(f, "buffered", &self.of.buffered)?;
        self.events(
            f,
            "sent, and waits for room in its inbox",
            &self.of.without_room,
        )
    }

    /// A line with the names of these events.
    fn events(&self, f: &mut Formatter<'_>, what: &str, all: &[Buffered]) -> fmt::Result {
        if all.is_empty() {
            return Ok(());
        }
        self.line(f)?;
        write!(f, "{what}: ")?;
        for (position, events) in all.iter().take(TOLD_MAX).enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}`{}`", events.name)?;
            if events.count > 1 {
                write!(f, " ({})", events.count)?;
            }
        }
        if all.len() > TOLD_MAX {
            let rest = all.len() - TOLD_MAX;
            write!(f, ", and {}", counted(rest, "more name"))?;
        }
        Ok(())
    }
}

/// Whether an event of this name is among these.
fn is_among(events: &[Buffered], name: &str) -> bool {
    let mut events = events.iter();
    events.any(|there| there.name.eq_ignore_ascii_case(name))
}

/// Waits that differ in their times and numbers only.
struct Group<'a> {
    first: &'a Wait,
    count: usize,
}

fn groups(waits: &[Wait]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for wait in waits {
        let alike = groups.iter_mut().find(|group| are_alike(group.first, wait));
        match alike {
            Some(group) => group.count += 1,
            None => groups.push(Group {
                first: wait,
                count: 1,
            }),
        }
    }
    groups
}

fn are_alike(one: &Wait, other: &Wait) -> bool {
    let is_same_line = one.place == other.place;
    is_same_line
        && match (&one.awaited, &other.awaited) {
            (Awaited::Activity(one), Awaited::Activity(other)) => {
                let kind = std::mem::discriminant(&one.delivery);
                let error = (&one.last_error, &one.name, one.attempt);
                kind == std::mem::discriminant(&other.delivery)
                    && error == (&other.last_error, &other.name, other.attempt)
            }
            (Awaited::Event(one), Awaited::Event(other)) => one == other,
            _ => false,
        }
}

/// Whether a wait is likely to be why somebody asks.
fn is_urgent(wait: &Wait) -> bool {
    match &wait.awaited {
        Awaited::Activity(activity) => {
            activity.last_error.is_some()
                || activity.suspected.is_some()
                || matches!(activity.delivery, Delivery::Unregistered)
        }
        Awaited::Timer(_) => false,
        Awaited::Event(event) => event.similar.is_some(),
        Awaited::Instance(wait) => {
            let is_stuck = matches!(wait.status, None | Some(Status::Stalled));
            wait.last_error.is_some() || is_stuck || matches!(wait.link, Link::Circle)
        }
    }
}

/// What is awaited, in a few words.
fn subject(wait: &Wait) -> String {
    match &wait.awaited {
        Awaited::Activity(activity) => {
            let attempt = attempt(activity.attempt, activity.attempts_max);
            format!("activity `{}`{attempt}", activity.name)
        }
        Awaited::Timer(timer) => match timer.of {
            TimerUse::Sleep => "timer".to_owned(),
            TimerUse::Deadline => "deadline".to_owned(),
            TimerUse::Retry => "timer for another attempt".to_owned(),
        },
        Awaited::Event(event) => format!("event `{}`", event.name),
        Awaited::Instance(wait) => {
            let what = match wait.of {
                OutcomeOf::Child => "child",
                OutcomeOf::Detached => "outcome of",
                OutcomeOf::Start => "start of",
            };
            let name = wait.name.as_ref().map(|name| format!(" (`{name}`)"));
            let attempt = attempt(wait.attempt, wait.attempts_max);
            format!(
                "{what} `{}`{}{attempt}",
                wait.instance,
                name.unwrap_or_default()
            )
        }
    }
}

fn attempt(number: u32, most: u32) -> String {
    match (number, most) {
        (1, 1) => String::new(),
        _ => format!(", attempt {number} of {most}"),
    }
}

fn held(suspected: Suspected, when: &str) -> String {
    let Suspected { deaths, alone } = suspected;
    let deaths = counted(usize::try_from(deaths).unwrap_or(usize::MAX), "time");
    let most = limits::LONE_DEATHS_MAX;
    let told = format!("the process died {deaths} while {when}");
    match alone {
        0 => told,
        alone => {
            format!("{told}, {alone} in a row with nothing else running; at {most} it is given up")
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
