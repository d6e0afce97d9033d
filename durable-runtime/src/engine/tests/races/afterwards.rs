//! What is left when a race is over.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::model::Model;
use super::moves::{Move, Story};
use super::world::World;
use crate::engine::message::{
    Delivered, Effects, Purge, Reach, Reply, ShardInput, Submission, TimerRef, Wish,
};
use crate::engine::tests::boundaries::start_of;
use crate::event::HistoryEvent;
use crate::id::InstanceKey;
use crate::store::Status;

/// Another process finds nothing left to do for those that have ended, and all others again.
pub(super) fn check_reopened(world: &World) {
    let has_ended = |status: Option<Status>| status.is_none_or(Status::has_ended);
    let racers = world.racers.iter();
    let ended = racers.filter(|racer| has_ended(racer.seen(&world.life).status));
    let ended: BTreeSet<_> = ended.map(|racer| racer.key).collect();
    let reached = reached(&world.reopened());
    for racer in &world.racers {
        let is_reached = reached.contains(&racer.key);
        assert!(
            !is_reached || !ended.contains(&racer.key),
            "{:?}",
            racer.case
        );
        // Who waits for the first of all has at least a timer, or something to deliver.
        let is_waiting = racer.seen(&world.life).status == Some(Status::Running);
        let waits_for_all = is_waiting && racer.case.story == Story::First;
        assert!(is_reached || !waits_for_all, "{:?}", racer.case);
    }
}

/// Whom the effects are for.
fn reached(effects: &Effects) -> BTreeSet<InstanceKey> {
    let run = effects.run.iter().map(|task| task.command.instance);
    let armed = effects.arm.iter().filter_map(|(timer, _)| match timer {
        TimerRef::Durable(command) => Some(command.instance),
        _ => None,
    });
    let told = effects.to_shards.iter().filter_map(ShardInput::instance);
    run.chain(armed).chain(told).collect()
}

/// Whoever is held goes on with what has come meanwhile, in that order.
pub(super) fn check_resumed(world: &mut World, models: &[Model]) {
    let held: BTreeSet<_> = (world.racers.iter())
        .filter(|racer| racer.seen(&world.life).status == Some(Status::Suspended))
        .map(|racer| racer.key)
        .collect();
    world.ask(Wish::Resume, |racer| held.contains(&racer.key));
    for (racer, model) in world.racers.iter().zip(models) {
        let mut model = model.clone();
        model.control(Move::Resume);
        model.settle();
        let seen = racer.seen(&world.life);
        assert_eq!(seen, model.seen(), "{:?}, resumed", racer.case);
    }
}

/// Once all have ended, no timer is armed, and every activity that still runs was told.
pub(super) fn check_terminated(world: &mut World) {
    world.ask(Wish::Terminate(Reach::Alone), |_| true);
    for racer in &world.racers {
        let status = racer.seen(&world.life).status;
        assert!(status.is_none_or(Status::has_ended), "{:?}", racer.case);
    }
    assert_eq!(world.life.hub.timers.next_awaited(), None);
    assert_eq!(world.life.hub.desk.untold(), 0);
}

/// All are purged, others begin under their ids in the same commit, and everything comes once more for those that are gone: it
/// is for nobody.
pub(super) fn check_purged(world: &mut World) {
    let mut answers = Vec::new();
    let mut batch = Vec::new();
    for racer in &world.racers {
        let (reply, _) = Reply::channel();
        let keys = vec![racer.key];
        batch.push(Submission::Purge(Purge {
            keys,
            ended_by: None,
            reply,
        }));
        batch.push(start_of(racer.case.story.orchestrator(), racer.id.as_str()));
    }
    world.commit(batch);
    for racer in &world.racers {
        let stragglers = racer.stragglers(&world.life);
        for (straggler, answer) in stragglers {
            answers.push(answer);
            let straggler = ShardInput::Incoming(racer.key, straggler);
            world.life.shard.accept(straggler);
        }
    }
    world.settle();
    for answer in answers {
        let told: Result<Delivered, oneshot::error::TryRecvError> = { answer }.try_recv();
        assert_eq!(told, Ok(Delivered::Unknown));
    }
    let reader = &world.life.hub.reviver.reader;
    for racer in &world.racers {
        assert_eq!(racer.seen(&world.life).status, None, "{:?}", racer.case);
        let heir = reader.find(&racer.id).unwrap().unwrap();
        assert_ne!(heir, racer.key, "{:?}", racer.case);
        let history = reader.last_history(heir).unwrap().unwrap();
        let arrivals = history.iter().filter(|event| event.is_arrival()).count();
        let ends = history.iter().filter(|event| event.is_terminal()).count();
        assert_eq!((arrivals, ends), (1, 0), "{:?}: {history:?}", racer.case);
        assert!(
            history
                .iter()
                .any(|it| matches!(it, HistoryEvent::ActivityScheduled(_)))
        );
    }
    // Nor does another process find anything for them.
    let gone: BTreeSet<_> = world.racers.iter().map(|racer| racer.key).collect();
    for key in reached(&world.reopened()) {
        assert!(!gone.contains(&key), "{key:?}");
    }
}
