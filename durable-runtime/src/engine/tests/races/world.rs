//! Many races at once in one engine, whose machines are stepped by hand: each commit has the next batch of every race.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::moves::Case;
use super::racer::Racer;
use super::story::registry;
use crate::engine::boot::{self, Parts};
use crate::engine::message::{Answer, Effects, Incoming, Reply, ShardInput, Submission, Wish};
use crate::engine::queue::Queue;
use crate::engine::tests::boundaries::{Life, start_of};
use crate::engine::tests::interleaving::{Hands, NoChance};
use crate::engine::tests::parts;
use crate::event::HistoryEvent;
use crate::id::InstanceKey;
use crate::store::tests::support::{Disk, impatient};
use crate::store::{Medium, StoreOptions};

/// How one batch follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It is the very next commit.
    AtOnce,
    /// All has come to rest: it is folded, and nothing is in memory any more.
    AtRest,
    /// The process has died with the commit: who asked was answered, and nothing else follows.
    AfterDeath,
    /// The same, but nobody was answered: all is done again by the next process, then as before.
    AfterSilence,
}

impl Manner {
    fn dies(self) -> bool {
        matches!(self, Self::AfterDeath | Self::AfterSilence)
    }
}

/// What follows from a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Everything,
    /// Nothing but the answers.
    Answers,
    Nothing,
}

/// No race takes so many to come to rest.
const COMMITS_MAX: usize = 12;

/// One engine with its races.
pub(super) struct World {
    disk: Disk,
    manner: Manner,
    pub(super) life: Life,
    pub(super) racers: Vec<Racer>,
}

impl World {
    /// Every race waits for all that it can wait for, unless their first turns are due; what its moves will tell it has happened.
    pub(super) fn begin(cases: Vec<Case>, manner: Manner) -> Self {
        let disk = Disk::default();
        let are_begun = cases.iter().all(|case| case.is_begun);
        let mut world = Self {
            life: live(&disk, manner),
            disk,
            manner,
            racers: Vec::new(),
        };
        let starts = cases.iter().enumerate();
        let starts =
            starts.map(|(number, case)| start_of(case.story.orchestrator(), &id_of(number)));
        let starts = starts.collect();
        world.commit(starts);
        if are_begun {
            world.settle();
        }
        let racers = cases.into_iter().enumerate();
        world.racers = racers
            .map(|(number, case)| Racer::find(&world.life, &id_of(number), case))
            .collect();
        if are_begun {
            let racers = world.racers.iter();
            racers.for_each(|racer| racer.end_child(&world.life));
            world.settle();
        }
        world
    }

    /// Goes through all the races.
    pub(super) fn run(&mut self) {
        let longest = self.racers.iter().map(|racer| racer.case.batches.len());
        for number in 0..longest.max().unwrap_or(0) {
            let after = match self.manner {
                Manner::AtOnce | Manner::AtRest => After::Everything,
                Manner::AfterDeath => After::Answers,
                Manner::AfterSilence => After::Nothing,
            };
            self.next_batch(after, |racer| Some(racer.places(number)));
            // Who was not answered by the process that has died does it again, and nobody else does anything meanwhile.
            while self.manner.dies() && self.racers.iter().any(Racer::is_unanswered) {
                self.next_batch(After::Answers, |racer| {
                    racer.is_unanswered().then(|| racer.unanswered())
                });
            }
            if self.manner == Manner::AtRest {
                self.rest();
            }
        }
        self.settle();
        for racer in &mut self.racers {
            racer.hear();
        }
    }

    fn rest(&mut self) {
        self.settle();
        self.life.shard.evict_all();
        while self.life.committer.maintenance_is_due() {
            self.life.committer.maintain().unwrap();
        }
    }

    /// One more commit, with these moves; nothing reaches a race that has none.
    fn next_batch(&mut self, after: After, places: impl Fn(&Racer) -> Option<Vec<usize>>) {
        let mut inputs = self.inputs();
        let mut batch = Vec::new();
        for racer in &mut self.racers {
            let reached = inputs.remove(&racer.key).unwrap_or_default();
            let Some(places) = places(racer) else {
                continue;
            };
            for input in reached {
                self.life.shard.accept(input);
            }
            for place in places {
                if let Some(submission) = racer.take(place, &mut self.life) {
                    // What has arrived before is on its way to the disk before it.
                    run_turns(&mut self.life, &mut batch);
                    batch.push(submission);
                }
            }
            run_turns(&mut self.life, &mut batch);
        }
        for input in inputs.into_values().flatten() {
            self.life.shard.accept(input);
        }
        run_turns(&mut self.life, &mut batch);
        self.commit_and(batch, after);
    }

    /// Lets the machines go on until none has anything to do.
    pub(super) fn settle(&mut self) {
        for _ in 0..COMMITS_MAX {
            let mut batch = self.life.hub.submissions.drain();
            for input in self.inputs().into_values().flatten() {
                self.life.shard.accept(input);
            }
            run_turns(&mut self.life, &mut batch);
            if batch.is_empty() {
                return;
            }
            self.commit(batch);
        }
        panic!("it does not come to rest");
    }

    pub(super) fn commit(&mut self, batch: Vec<Submission>) {
        self.commit_and(batch, After::Everything);
    }

    fn commit_and(&mut self, batch: Vec<Submission>, after: After) {
        self.life.committer.submit(batch);
        let now = self.life.hub.clock.now();
        let effects = self.life.committer.commit(now).unwrap();
        if after == After::Everything {
            self.life.hub.release(effects);
            place_all(&self.life);
            return;
        }
        if after == After::Answers {
            effects.answers.into_iter().for_each(Answer::give);
            self.racers.iter_mut().for_each(Racer::hear);
        } else {
            drop(effects);
        }
        self.disk = Disk::of(&self.disk.image());
        self.life = live(&self.disk, self.manner);
    }

    /// Asks the same of some of the instances, each in a commit with the others.
    pub(super) fn ask(&mut self, wish: Wish, whom: impl Fn(&Racer) -> bool) {
        let asked = self.racers.iter().filter(|racer| whom(racer));
        let submissions = asked.map(|racer| {
            let (reply, _) = Reply::channel();
            racer.control(wish, reply)
        });
        let submissions = submissions.collect();
        self.commit(submissions);
        self.settle();
    }

    /// The engine that another process would have over the same file.
    pub(super) fn reopened(&self) -> Effects {
        boot::boot(parts_over(&Disk::of(&self.disk.image()), self.manner))
            .unwrap()
            .outstanding
    }

    /// What was sent to instances, but for the ends of children, which come when it is their move.
    fn inputs(&mut self) -> BTreeMap<InstanceKey, Vec<ShardInput>> {
        let mut inputs: BTreeMap<InstanceKey, Vec<ShardInput>> = BTreeMap::new();
        let all = self.life.hub.shards.iter().flat_map(Queue::drain);
        let (ends, others): (Vec<_>, Vec<_>) = all.partition(is_end_of_child);
        for input in others {
            if let Some(key) = input.instance() {
                inputs.entry(key).or_default().push(input);
            }
        }
        let mut racers: BTreeMap<_, _> = (self.racers.iter_mut())
            .map(|racer| (racer.key, racer))
            .collect();
        for end in ends {
            if let ShardInput::Incoming(key, Incoming::Arrival { event, .. }) = end
                && let Some(racer) = racers.get_mut(&key)
            {
                racer.child_end = Some(event);
            }
        }
        inputs
    }
}

fn is_end_of_child(input: &ShardInput) -> bool {
    let ShardInput::Incoming(_, Incoming::Arrival { event, .. }) = input else {
        return false;
    };
    matches!(event, HistoryEvent::ChildCompleted(_))
}

/// Runs all turns that can be run, and has them submitted.
fn run_turns(life: &mut Life, batch: &mut Vec<Submission>) {
    while life.shard.is_ready() {
        life.shard.step(life.hub.clock.now()).unwrap();
        life.shard.hand_over(|turns| batch.extend(turns));
    }
}

fn live(disk: &Disk, manner: Manner) -> Life {
    let life = Life::of(parts_over(disk, manner));
    place_all(&life);
    life
}

/// Many activities are set off one after the other, by tasks that get no time here.
fn place_all(life: &Life) {
    loop {
        let placed = life.hub.desk.place_some();
        if placed.is_empty() {
            return;
        }
        life.hub.run(placed);
    }
}

fn parts_over(disk: &Disk, manner: Manner) -> Parts {
    let medium = Medium::Backend(Box::new(disk.clone()));
    let options = if manner == Manner::AtRest {
        impatient(0)
    } else {
        StoreOptions::default()
    };
    let mut parts = parts(medium, options, registry());
    parts.clock = Arc::new(Hands::default());
    parts.entropy = Arc::new(NoChance);
    // None waits for a place.
    parts.setup.activity_limit = 100_000;
    parts
}

fn id_of(number: usize) -> String {
    format!("race-{number}")
}
