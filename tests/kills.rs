//! The examples as child processes, killed: at random moments, and at every commit.
//!
//! Whatever the moment, the next run goes on from what is on disk, and the last one ends with the result of a run that
//! nobody disturbed. `DURABLE_SEED` repeats the moments of a run, as well as real time lets them be repeated.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what these tests cannot do fails them; what they hit is shown"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::testing::check_replay;
use durable_runtime::{HistoryEvent, Registry, StallReason};
use durable_tests::left_behind::{self, Histories};
use durable_tests::program::{End, Program, Undisturbed};
use durable_tests::random::Random;

use life::Life;

#[path = "kills/diagram.rs"]
mod diagram;
#[path = "kills/life.rs"]
mod life;

#[path = "patterns/examples.rs"]
mod examples;

#[path = "../examples/chaining.rs"]
#[expect(
    dead_code,
    reason = "only its functions are wanted; its `main` runs as a process"
)]
mod chaining;
#[path = "../examples/order.rs"]
#[expect(
    dead_code,
    reason = "only its functions are wanted; its `main` runs as a process"
)]
mod order;

/// Kills of each example at random moments.
const KILLS: u32 = 100;
/// Of those, how many lie between the first and the last commit.
const INSIDE_MIN: u32 = 80;
/// How many different lengths of the history the restarts find.
const LENGTHS_MIN: usize = 5;
/// How often one instance is killed before it is left alone.
const KILLS_OF_ONE_MAX: u64 = 20;
/// Kills beyond the first hundred that are aimed at the ends, where lengths are rare.
const AIMED_MAX: u32 = 100;

const POINTS: [&str; 3] = ["commit.before", "commit.after", "effects.before"];

#[test]
fn order_survives_kills_at_random_moments() {
    kill_at_random_moments("order-random", &order());
}

#[test]
fn chaining_survives_kills_at_random_moments() {
    kill_at_random_moments("chaining-random", &chaining());
}

#[test]
fn order_survives_an_abort_at_every_commit() {
    abort_at_every_commit("order-commits", &order());
}

#[test]
fn chaining_survives_an_abort_at_every_commit() {
    abort_at_every_commit("chaining-commits", &chaining());
}

#[test]
fn a_refused_order_is_undone_whatever_happens() {
    let refused = Subject {
        program: Program::example("order", &["--fast", "--refuse"]),
        instance: "order-42-fast-refuse",
        children: 0,
    };
    abort_at_every_commit("order-refused", &refused);
}

#[test]
fn a_fan_out_survives_an_abort_at_every_commit() {
    survive_aborts("fan_out_fan_in", &["--fast"], "backup", 0);
}

#[test]
fn a_monitor_survives_an_abort_at_every_commit() {
    survive_aborts("monitor", &["--fast"], "weather-fast", 0);
}

#[test]
fn a_human_interaction_survives_an_abort_at_every_commit() {
    survive_aborts("human_interaction", &["--fast"], "verification-fast", 0);
}

#[test]
fn a_saga_survives_an_abort_at_every_commit() {
    survive_aborts("saga", &["--fast"], "trip-fast", 0);
}

#[test]
fn children_survive_an_abort_at_every_commit() {
    // Three devices, one of them in two attempts.
    survive_aborts("children", &["--fast"], "house", 4);
}

#[test]
fn an_eternal_orchestration_survives_an_abort_at_every_commit() {
    survive_aborts("eternal", &["--fast"], "cleaner-fast", 0);
}

/// Its desk does from outside what it does; so not the histories are compared, but what it comes to.
#[test]
fn a_day_of_operating_survives_an_abort_at_every_commit() {
    let places = Places::new("operating-commits");
    let program = Program::example("operating", &["--fast"]);
    let expected = program.undisturbed(&places.fresh()).result;
    for point in POINTS {
        let mut aborts = 0;
        while program.aborted_at(&places.fresh(), point, aborts + 1) == End::Killed {
            aborts += 1;
            assert_eq!(program.undisturbed(&places.last()).result, expected);
        }
        println!("operating: {aborts} aborts at `{point}`");
        // What the desk does is four commits at the least, and each of three deliveries has as many of its own.
        assert!(aborts >= 10, "`{point}` was passed {aborts} times only");
    }
}

#[test]
fn a_history_that_the_code_would_not_repeat_is_found() {
    let db = Places::new("altered").fresh();
    let Subject {
        program, instance, ..
    } = chaining();
    program.undisturbed(&db);
    let mut history = left_behind::histories(&db, instance)
        .remove(instance)
        .expect("it has run");
    let registry = Registry::linked();
    assert_eq!(check_replay(&registry, &history), Ok(()));
    let scheduled = history.iter_mut().rev().find_map(|event| match event {
        HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled),
        _ => None,
    });
    scheduled.expect("it greets").name = "wave".into();
    let error = check_replay(&registry, &history).expect_err("nobody waves");
    assert_eq!(error.reason(), StallReason::Divergence);
}

/// A program and the instance that it starts.
struct Subject {
    program: Program,
    instance: &'static str,
    /// How many children the instance has.
    children: usize,
}

fn order() -> Subject {
    Subject {
        program: Program::example("order", &["--fast"]),
        instance: "order-42-fast",
        children: 1,
    }
}

fn chaining() -> Subject {
    Subject {
        program: Program::example("chaining", &[]),
        instance: "greetings",
        children: 0,
    }
}

/// What all kills of one example have hit.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    inside: u32,
    lengths: BTreeSet<usize>,
    most_of_one: u64,
}

impl Tally {
    fn is_short_of_lengths(&self) -> bool {
        self.lengths.len() < LENGTHS_MIN
    }

    fn is_enough(&self) -> bool {
        let is_short = self.inside < INSIDE_MIN || self.is_short_of_lengths();
        self.kills >= KILLS && (!is_short || self.kills >= KILLS + AIMED_MAX)
    }

    fn note(&mut self, history: &Histories, instance: &str) {
        let history = history.get(instance);
        self.kills += 1;
        self.lengths.insert(history.map_or(0, Vec::len));
        if history.is_some_and(|history| !left_behind::has_ended(history)) {
            self.inside += 1;
        }
    }
}

fn kill_at_random_moments(name: &str, subject: &Subject) {
    let places = Places::new(name);
    let undisturbed = subject.program.undisturbed(&places.fresh());
    let mut random = Random::from_environment();
    let mut tally = Tally::default();
    while !tally.is_enough() {
        let mut life = Life::new(subject, &undisturbed, places.fresh());
        let kills_max = random.between(1, KILLS_OF_ONE_MAX);
        for kill in 1..=kills_max {
            let moment = moment(&mut random, &undisturbed, &life, kills_max, &tally);
            if life.run(|program, db| program.killed_after(db, moment)) {
                break;
            }
            tally.note(life.histories(), subject.instance);
            tally.most_of_one = tally.most_of_one.max(kill);
        }
        life.finish();
    }
    println!("{name}: {tally:?}");
    assert!(tally.inside >= INSIDE_MIN, "{tally:?}");
    assert!(!tally.is_short_of_lengths(), "{tally:?}");
}

/// A moment in the life of a process.
///
/// One that is to be killed often must be killed early, or it ends too soon; but whoever was killed in vain is given ever
/// more time, because an activity that dies too often is given up. One kill in eight is aimed at the begin or the end, where
/// few others fall.
fn moment(
    random: &mut Random,
    run: &Undisturbed,
    life: &Life<'_>,
    kills: u64,
    tally: &Tally,
) -> Duration {
    let micros = |time: Duration| u64::try_from(time.as_micros()).expect("a run is short");
    let (started, exit) = (micros(run.until_started), micros(run.until_exit));
    let is_aimed = random.chance(12) || tally.kills >= KILLS && tally.is_short_of_lengths();
    let earliest = started + life.kills_in_vain().pow(2) * exit / 32;
    let micros = match (is_aimed && life.kills_in_vain() == 0, random.chance(50)) {
        (true, true) => random.between(started / 2, started + started / 4),
        (true, false) => random.between(exit - exit / 8, exit),
        (false, _) => random.between(earliest, earliest + exit / (1 + kills)),
    };
    Duration::from_micros(micros)
}

fn survive_aborts(
    example: &str,
    flags: &'static [&'static str],
    instance: &'static str,
    children: usize,
) {
    let program = Program::example(example, flags);
    let subject = Subject {
        program,
        instance,
        children,
    };
    abort_at_every_commit(&format!("{example}-commits"), &subject);
}

fn abort_at_every_commit(name: &str, subject: &Subject) {
    let places = Places::new(name);
    let undisturbed = subject.program.undisturbed(&places.fresh());
    for point in POINTS {
        let mut aborts = 0;
        loop {
            let mut life = Life::new(subject, &undisturbed, places.fresh());
            let is_done = life.run(|program, db| program.aborted_at(db, point, aborts + 1));
            life.finish();
            if is_done {
                break;
            }
            aborts += 1;
        }
        println!("{name}: {aborts} aborts at `{point}`");
        // Creation, one commit for each of three activities at the least, and the end.
        assert!(aborts >= 5, "`{point}` was passed {aborts} times only");
    }
}

/// Names for the event logs of one test; all are removed before it begins.
struct Places {
    directory: PathBuf,
    used: std::cell::Cell<u32>,
}

impl Places {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("kills")
            .join(name);
        if directory.exists() {
            std::fs::remove_dir_all(&directory).expect("the directory is ours");
        }
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        Self {
            directory,
            used: std::cell::Cell::new(0),
        }
    }

    fn fresh(&self) -> PathBuf {
        self.used.set(self.used.get() + 1);
        self.last()
    }

    /// The name that was given out last.
    fn last(&self) -> PathBuf {
        self.directory.join(format!("{}.redb", self.used.get()))
    }
}
