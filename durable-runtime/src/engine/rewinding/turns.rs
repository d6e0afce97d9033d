//! A history cut into turns.

use crate::event::{HistoryEvent, TimerPurpose};
use crate::id::EventId;

/// A turn by the positions of its events.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// What it delivered.
    pub(super) arrivals: Vec<usize>,
    /// Its begin, and all that it recorded.
    pub(super) body: Vec<usize>,
    /// Whether it asked for nothing and withdrew nothing, but for further attempts of what was asked for before.
    pub(super) is_quiet: bool,
    /// Whether it asked for nothing and withdrew nothing at all.
    pub(super) is_silent: bool,
}

/// The turns of the events at these positions. What stands between turns and is no arrival belongs to none.
pub(super) fn turns(history: &[HistoryEvent], positions: &[usize]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut arrivals = Vec::new();
    for at in positions {
        let Some(event) = history.get(*at) else {
            continue;
        };
        match (event, turns.last_mut()) {
            (event, _) if event.is_arrival() => arrivals.push(*at),
            (HistoryEvent::TurnStarted(_), _) => turns.push(Turn {
                arrivals: std::mem::take(&mut arrivals),
                body: vec![*at],
                is_quiet: true,
                is_silent: true,
            }),
            (event, Some(turn)) if is_of_turn(event) => {
                turn.body.push(*at);
                let is_status = matches!(event, HistoryEvent::CustomStatusSet(_));
                turn.is_silent &= is_status;
                turn.is_quiet &= is_status || is_retry(event);
            }
            _ => {}
        }
    }
    turns
}

fn is_of_turn(event: &HistoryEvent) -> bool {
    event.command().is_some()
        || event.is_terminal()
        || matches!(
            event,
            HistoryEvent::Cancelled(_) | HistoryEvent::CustomStatusSet(_)
        )
}

/// Whether it is a further attempt, or the delay before one.
fn is_retry(event: &HistoryEvent) -> bool {
    match event {
        HistoryEvent::ActivityScheduled(command) => command.attempt > 1,
        HistoryEvent::ChildScheduled(command) => command.attempt > 1,
        HistoryEvent::TimerCreated(timer) => matches!(timer.purpose, TimerPurpose::Retry(_)),
        _ => false,
    }
}

/// The command that an arrival answers, or tells of.
pub(super) fn answered(arrival: Option<&HistoryEvent>) -> Option<EventId> {
    match arrival? {
        HistoryEvent::ActivityCompleted(it)
        | HistoryEvent::ChildCompleted(it)
        | HistoryEvent::DetachedCompleted(it) => Some(it.scheduled),
        HistoryEvent::ActivityFailed(it)
        | HistoryEvent::ChildFailed(it)
        | HistoryEvent::DetachedFailed(it)
        | HistoryEvent::DetachedRefused(it) => Some(it.scheduled),
        HistoryEvent::HeartbeatRecorded(it) => Some(it.scheduled),
        HistoryEvent::TimerFired(it) => Some(it.scheduled),
        HistoryEvent::DetachedStarted(it) => Some(it.scheduled),
        _ => None,
    }
}
