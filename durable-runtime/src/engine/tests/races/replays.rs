//! Whether the histories of a race, replayed, come to what was recorded.

use super::racer::Racer;
use crate::engine::tests::boundaries::Life;
use crate::event::HistoryEvent;
use crate::id::ExecutionId;
use crate::replay::Execution;

/// Replays each execution of a race: as a whole, and each turn of it again over what is recorded before.
pub(super) fn check(racer: &Racer, life: &Life) {
    let reader = &life.hub.reviver.reader;
    let Some(summary) = reader.summary(racer.key).unwrap() else {
        return;
    };
    for number in 1..=summary.execution.0 {
        let history = reader.history(racer.key, ExecutionId(number)).unwrap();
        if history.is_empty() && number < summary.execution.0 {
            // What is folded of an execution that is over is not kept.
            continue;
        }
        check_order(racer, &history);
        let heads = history.iter().enumerate();
        let heads = heads.filter(|(_, event)| matches!(event, HistoryEvent::TurnStarted(_)));
        let mut before = 0;
        for (head, _) in heads {
            check_turn(racer, life, &history, (before, head));
            before = end_of_turn(&history, head);
        }
        replayed(racer, life, &history, history.len());
    }
}

/// One end, and nothing behind it.
fn check_order(racer: &Racer, history: &[HistoryEvent]) {
    let end = history.iter().position(HistoryEvent::is_terminal);
    let is_last = end.is_none_or(|end| end + 1 == history.len());
    assert!(is_last, "{:?}: {history:?}", racer.case);
}

/// The turn whose arrivals begin at `before` and that starts at `head` is run again, and records the same.
fn check_turn(
    racer: &Racer,
    life: &Life,
    history: &[HistoryEvent],
    (before, head): (usize, usize),
) {
    let HistoryEvent::TurnStarted(started) = &history[head] else {
        panic!("no turn");
    };
    let arrivals = history[before..head].iter();
    let arrivals: Vec<_> = arrivals.filter(|it| it.is_arrival()).cloned().collect();
    let mut execution = replayed(racer, life, history, before);
    let count = arrivals.len();
    let again = execution.turn(started.at, arrivals).events;
    let recorded = &history[head..end_of_turn(history, head)];
    assert_eq!(&again[count..], recorded, "{:?}", racer.case);
}

/// The execution after so many events.
fn replayed(racer: &Racer, life: &Life, history: &[HistoryEvent], length: usize) -> Execution {
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        panic!("{:?} does not begin with its start", racer.case);
    };
    let replayer = life.hub.reviver.replayer();
    let execution = replayer.replay(racer.key, started, &history[..length]);
    execution.unwrap_or_else(|stall| panic!("{:?}: {}", racer.case, stall.report))
}

/// Where the commands and the end of the turn at `head` are over.
fn end_of_turn(history: &[HistoryEvent], head: usize) -> usize {
    let is_of_turn = |event: &&HistoryEvent| {
        !event.is_arrival()
            && !matches!(
                event,
                HistoryEvent::TurnStarted(_)
                    | HistoryEvent::ExecutionSuspended(_)
                    | HistoryEvent::ExecutionResumed(_)
                    | HistoryEvent::ExecutionTerminated(_)
            )
    };
    let rest = history[head + 1..].iter();
    head + 1 + rest.take_while(is_of_turn).count()
}
