//! Starts suspects one at a time, while nothing else runs.
//!
//! Before each, one commit says that it is on trial; so a process that dies meanwhile leaves behind of what. The next one's turn
//! comes when the one before has come to its end, or has outlived the patience that grows with every death.
//!
//! Source: `docs/design.md`, "What the process dies of".

use std::sync::Arc;
use std::time::Duration;

use crate::engine::gate::{Ending, OnTrial};
use crate::engine::hub::Hub;
use crate::engine::message::{Incoming, Mark, Reply, ShardInput, Submission, TimerRef};
use crate::engine::suspects::{Accused, Suspect, in_order};
use crate::limits;
use crate::store::Suspicion;

/// Tries all, then opens the gate. Ends early if the engine stops, or goes on without trials.
pub(crate) async fn try_all(hub: Arc<Hub>, suspects: Vec<Suspect>) {
    tracing::warn!(
        suspects = suspects.len(),
        "the process died more than once with these running; each is started alone, everything else after that"
    );
    let share = u32::try_from(suspects.len()).unwrap_or(u32::MAX);
    let share = limits::TRIALS_MAX / share.max(1);
    let mut before = Vec::new();
    for suspect in in_order(suspects) {
        let command = suspect.accused.command();
        if command.is_some_and(|command| hub.gate.is_cancelled(command)) {
            continue;
        }
        match try_one(&hub, suspect, share, std::mem::take(&mut before)).await {
            Some(after) => before.extend(after),
            None => return,
        }
    }
    if record(&hub, before).await.is_some() {
        hub.open_gate();
    }
}

/// One trial; returns what is to be recorded of it with the next. `None`: there are no trials any more.
async fn try_one(
    hub: &Arc<Hub>,
    suspect: Suspect,
    share: Duration,
    mut marks: Vec<Mark>,
) -> Option<Option<Mark>> {
    let Suspect { accused, suspicion } = suspect;
    let row = accused.row();
    // One that was tried before may still run: a death would not be this one's alone.
    let on_trial =
        hub.desk.running() == 0 && hub.inboxes.iter().all(|inboxes| inboxes.runs_nothing());
    let starting = Suspicion {
        on_trial,
        ..suspicion
    };
    marks.push((row, Some(starting)));
    record(hub, marks).await?;
    let command = accused.command();
    if command.is_some_and(|command| hub.gate.is_cancelled(command)) {
        return Some(Some((row, None)));
    }

    let over = hub.gate.begin_trial(accused.on_trial());
    let due = hub.clock.now().plus(patience(suspicion.deaths).min(share));
    hub.timers.change(vec![(TimerRef::Trial, due)], Vec::new());
    let is_turn = command.is_none();
    start(hub, accused);
    let ending = over.await.ok()?;
    hub.timers.change(Vec::new(), vec![TimerRef::Trial]);

    Some(match ending {
        Ending::Finished if is_turn => Some((row, None)),
        Ending::Finished => {
            // Its outcome, and with it its acquittal, is recorded before the next one starts.
            hub.settle_instance(row.0).await?;
            None
        }
        Ending::Outlived => {
            let alone = if on_trial { 0 } else { suspicion.alone };
            Some((row, Some(Suspicion { alone, ..suspicion })))
        }
    })
}

fn start(hub: &Arc<Hub>, accused: Accused) {
    match accused {
        Accused::Turn(key) => {
            hub.reviver.guard.spare(Some(key));
            hub.send_to_shard(key, [ShardInput::Incoming(key, Incoming::Wake)]);
            let its_hub = Arc::clone(hub);
            hub.desk.set_off(async move {
                // What has arrived before it may be on its way to the disk, and is waited for as well.
                if its_hub.settle_instance(key).await.is_some() {
                    its_hub.gate.finished(OnTrial::Turn(key));
                }
            });
        }
        Accused::Activity(task) => {
            hub.reviver.guard.spare(None);
            let (command, mut lists) = (task.command, 0);
            if hub.gate.pass(command, || lists = hub.hand_in(vec![*task])) {
                hub.place(lists);
            } else {
                hub.gate.finished(OnTrial::Activity(command));
            }
        }
    }
}

/// Waits until this is on disk; `None` if the engine stops, or if the trials are over since the file was opened again, after
/// which everything runs.
async fn record(hub: &Hub, marks: Vec<Mark>) -> Option<()> {
    if !hub.gate.is_closed() {
        return None;
    }
    let (reply, recorded) = Reply::channel();
    hub.submit(Submission::Mark(marks, reply)).ok()?;
    recorded.await.ok()?;
    hub.gate.is_closed().then_some(())
}

/// How long a suspect runs before the next one may start. What kills at once is found at once; what takes its time is given
/// more after each death.
fn patience(deaths: u32) -> Duration {
    let doublings = deaths.saturating_sub(limits::DEATHS_OF_SUSPECTS).min(16) * 2;
    (limits::TRIAL_MIN * (1 << doublings.min(31))).min(limits::TRIAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_fourfold_with_every_death_up_to_a_bound() {
        let millis = |deaths| patience(deaths).as_millis();
        assert_eq!([2, 3, 4].map(millis), [50, 200, 800]);
        assert_eq!([7, 100, u32::MAX].map(millis), [30_000; 3]);
    }
}
