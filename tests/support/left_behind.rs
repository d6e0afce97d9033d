//! What a process left behind: the histories in its event log, and the lines in its ledger.

use std::collections::BTreeMap;
use std::path::Path;

use durable_runtime::event::HistoryEvent;
use durable_runtime::{Engine, Registry};

/// The histories of an instance and of all its children, by id.
pub type Histories = BTreeMap<String, Vec<HistoryEvent>>;

/// Reads the histories of `instance` and its children from a copy of the event log, in an engine that knows no code.
///
/// Opening a log lets what is unfinished go on; without code that stalls it, and the stall is recorded. So this looks
/// at a copy, and leaves out what the looking itself recorded. Empty if nothing was recorded.
///
/// # Panics
/// If the event log cannot be copied or read.
pub fn histories(db: &Path, instance: &str) -> Histories {
    if !db.exists() {
        return Histories::new();
    }
    let copy = db.with_extension("copy");
    std::fs::copy(db, &copy).expect("the event log can be copied");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let histories = runtime.block_on(read(&copy, instance));
    std::fs::remove_file(&copy).expect("the copy is ours");
    histories
}

async fn read(db: &Path, instance: &str) -> Histories {
    let builder = Engine::builder(db).registry(Registry::new());
    let engine = builder
        .open()
        .await
        .expect("what a killed process leaves can be opened");
    let mut histories = Histories::new();
    let mut ids = vec![instance.to_owned()];
    while let Some(id) = ids.pop() {
        let instance = engine
            .instance(&id)
            .await
            .expect("an instance can be looked up");
        let Some(instance) = instance else { continue };
        let mut history = instance.history().await.expect("a history can be read");
        history.truncate(recorded_by_turns(&history));
        ids.extend(history.iter().filter_map(child));
        histories.insert(id, history);
    }
    engine.shutdown().await;
    histories
}

/// Arrivals are recorded with the turn that delivers them, and the begin of the instance alone; what else stands after
/// the last turn came from looking.
fn recorded_by_turns(history: &[HistoryEvent]) -> usize {
    let is_of_turn = |event: &HistoryEvent| {
        !event.is_arrival() && !matches!(event, HistoryEvent::ExecutionStalled(_))
    };
    history
        .iter()
        .rposition(is_of_turn)
        .map_or(1, |last| last + 1)
}

fn child(event: &HistoryEvent) -> Option<String> {
    match event {
        HistoryEvent::ChildScheduled(child) => Some(child.instance.to_string()),
        _ => None,
    }
}

/// Which execution of its instance the history is of.
///
/// # Panics
/// If it does not say, as every history does first.
pub fn execution(history: &[HistoryEvent]) -> u32 {
    match history.first() {
        Some(HistoryEvent::ExecutionStarted(started)) => started.execution.0,
        first => panic!("a history does not begin with {first:?}"),
    }
}

/// Whether the history has reached its end.
pub fn has_ended(history: &[HistoryEvent]) -> bool {
    history.last().is_some_and(HistoryEvent::is_terminal)
}

/// One attempt of one activity, as the ledger names it and the histories too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Attempt {
    /// The instance it ran for.
    pub instance: String,
    /// The activity.
    pub name: String,
    /// The execution of the instance.
    pub execution: u32,
    /// The number of the call.
    pub call: u32,
    /// The number of the attempt.
    pub number: u32,
}

/// Where an attempt stands in the history of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// The position of its schedule.
    pub scheduled_at: usize,
    /// The position of its outcome.
    pub outcome_at: Option<usize>,
}

/// Every attempt that the histories tell of.
pub fn attempts(histories: &Histories) -> BTreeMap<Attempt, Recorded> {
    let of_instance = |(instance, history): (&String, &Vec<HistoryEvent>)| {
        let scheduled = history
            .iter()
            .enumerate()
            .filter_map(|(scheduled_at, event)| {
                let HistoryEvent::ActivityScheduled(scheduled) = event else {
                    return None;
                };
                let answers = |event: &HistoryEvent| match event {
                    HistoryEvent::ActivityCompleted(completed) => {
                        completed.scheduled == scheduled.id
                    }
                    HistoryEvent::ActivityFailed(failed) => failed.scheduled == scheduled.id,
                    _ => false,
                };
                let attempt = Attempt {
                    instance: instance.clone(),
                    name: scheduled.name.to_string(),
                    execution: execution(history),
                    call: scheduled.call.0,
                    number: scheduled.attempt,
                };
                let outcome_at = history.iter().position(answers);
                Some((
                    attempt,
                    Recorded {
                        scheduled_at,
                        outcome_at,
                    },
                ))
            });
        scheduled.collect::<Vec<_>>()
    };
    histories.iter().flat_map(of_instance).collect()
}

/// The lines of the ledger beside the event log, in order; none if there is no ledger.
///
/// # Panics
/// If a line is not what the examples write.
pub fn ledger(db: &Path) -> Vec<Attempt> {
    let text = std::fs::read_to_string(db.with_extension("ledger")).unwrap_or_default();
    text.lines()
        .map(|line| parse(line).unwrap_or_else(|| panic!("a torn line: {line}")))
        .collect()
}

fn parse(line: &str) -> Option<Attempt> {
    let mut words = line.split(' ');
    let attempt = Attempt {
        instance: words.next()?.to_owned(),
        name: words.next()?.to_owned(),
        execution: words.next()?.strip_prefix("execution=")?.parse().ok()?,
        call: words.next()?.strip_prefix("call=")?.parse().ok()?,
        number: words.next()?.strip_prefix("attempt=")?.parse().ok()?,
    };
    words.next()?.starts_with("key=").then_some(attempt)
}
