//! The race book: all that can happen to an instance, in every order of two and of three, together and one after the other.
//!
//! Who wins is worked out by a small model, which knows the rules of `docs/races.md` and nothing of the engine. The engine's
//! machines are stepped by hand, so that what is said to be in one commit is in one commit. They have to come to the same, in
//! every way to cut a story into commits, with the engine going on, coming to rest, or dying between them.

mod afterwards;
mod book;
mod model;
mod moves;
mod racer;
mod replays;
mod story;
mod world;

use std::collections::BTreeSet;

use self::book::{Book, cell};
use self::model::{Model, Seen};
use self::moves::{Case, Move, Story, in_batches, orders};
use self::world::{Manner, World};

const MANNERS: [Manner; 4] = [
    Manner::AtOnce,
    Manner::AtRest,
    Manner::AfterDeath,
    Manner::AfterSilence,
];

/// What the model says of a race.
fn foretold(case: &Case, manner: Manner) -> Model {
    let mut model = Model::of(case);
    let mut place = 0;
    let mut moves = Vec::new();
    for batch in &case.batches {
        moves.extend((place..).zip(batch.iter().copied()));
        place += batch.len();
        if manner == Manner::AfterSilence {
            model.commit(&moves);
            model.die();
        }
        moves = model.commit(&moves);
        go_on(&mut model, manner);
        // What found no place in its commit goes with the next, unless that is long after.
        while manner != Manner::AtOnce && !moves.is_empty() {
            moves = model.commit(&moves);
            go_on(&mut model, manner);
        }
    }
    while !moves.is_empty() {
        moves = model.commit(&moves);
    }
    model.settle();
    model
}

fn go_on(model: &mut Model, manner: Manner) {
    match manner {
        Manner::AtOnce => {}
        Manner::AtRest => model.settle(),
        Manner::AfterDeath | Manner::AfterSilence => model.die(),
    }
}

/// Runs races and compares each with what the model says, and its histories with what they come to when they are replayed.
/// Returns what became of each.
fn check(cases: Vec<Case>, manner: Manner, finally: fn(&mut World)) -> Vec<(Case, Seen)> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let _entered = runtime.enter();
    let mut world = World::begin(cases, manner);
    world.run();
    let racers = world.racers.iter();
    let models: Vec<_> = racers.map(|it| foretold(&it.case, manner)).collect();
    compare(&world, &models, manner);
    let racers = world.racers.iter();
    let ended = racers.map(|it| (it.case.clone(), it.seen(&world.life)));
    let ended = ended.collect();
    afterwards::check_reopened(&world);
    afterwards::check_resumed(&mut world, &models);
    let racers = world.racers.iter();
    racers.for_each(|racer| replays::check(racer, &world.life));
    afterwards::check_terminated(&mut world);
    finally(&mut world);
    ended
}

fn compare(world: &World, models: &[Model], manner: Manner) {
    let mut wrong = Vec::new();
    for (racer, model) in world.racers.iter().zip(models) {
        let (seen, told) = (racer.seen(&world.life), racer.answers());
        let clients = racer.case.moves().into_iter().enumerate();
        let mut clients = clients.filter(|(_, it)| it.is_event() || !it.is_arrival());
        let is_told = clients.all(|(place, _)| told[place] == model.answers()[place]);
        if seen != model.seen() || !is_told {
            let (case, says, answers) = (&racer.case, model.seen(), model.answers());
            wrong.push(format!(
                "{case:?}\n  rules: {says:?} {answers:?}\n  engine: {seen:?} {told:?}"
            ));
        }
    }
    let some = wrong
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    let (count, all) = (wrong.len(), models.len());
    assert!(
        wrong.is_empty(),
        "{manner:?}: {count} of {all} go otherwise:\n{some}"
    );
}

/// These orders in all ways to cut them into commits, in both stories; with ids of events, and without where that matters.
fn cases(orders: &[Vec<Move>], manner: Manner) -> Vec<Case> {
    let mut cases = Vec::new();
    for order in orders {
        for batches in in_batches(order) {
            // Nothing comes to rest between the moves of one commit.
            if manner == Manner::AtRest && batches.len() == 1 {
                continue;
            }
            for story in Story::ALL.into_iter().filter(|story| story.tells(order)) {
                for has_ids in [false, true] {
                    if !has_ids || has_event_twice(order) {
                        let batches = batches.clone();
                        cases.push(Case {
                            story,
                            has_ids,
                            is_begun: true,
                            batches,
                        });
                    }
                }
            }
        }
    }
    cases
}

fn has_event_twice(order: &[Move]) -> bool {
    let events = order.iter().filter(|it| it.is_event());
    let count = events.clone().count();
    events.collect::<BTreeSet<_>>().len() < count
}

/// Compares what became of races with what the document says of them. It speaks of the code that returns what comes first, and
/// of two events of a name as of two.
fn check_document(ended: &[(Case, Seen)], manner: Manner) {
    let book = Book::read();
    let documented = ended.iter().filter(|(case, _)| {
        case.story == Story::First && !(case.has_ids && has_event_twice(&case.moves()))
    });
    for (case, seen) in documented {
        let mut order = case.moves();
        if book.has_turn_to_come(case, manner) {
            let last = order.len() - 1;
            order.swap(last - 1, last);
        }
        assert_eq!(cell(seen), book.says(&order), "{manner:?}: {case:?}");
    }
}

#[test]
fn every_pair_has_the_winner_of_the_table_wherever_the_commits_are() {
    let orders = [orders(1), orders(2)].concat();
    let mut count = 0;
    for manner in MANNERS {
        let ended = check(cases(&orders, manner), manner, afterwards::check_purged);
        // What is done again need not come to the same.
        if manner != Manner::AfterSilence {
            check_document(&ended, manner);
        }
        count += ended.len();
    }
    assert_eq!(count, 1_974);
}

/// The rule by which a pair goes as it does.
fn reason(first: Move, second: Move) -> u32 {
    match (first, second) {
        (Move::Purge, _) | (_, Move::Purge) => 7,
        (Move::Resume, _) | (Move::Anew, Move::Resume) | (Move::Suspend, Move::Suspend) => 5,
        (Move::Anew, _) => 6,
        (Move::Suspend, Move::Terminate) => 3,
        (Move::Suspend, _) => 4,
        (first, second) if first.is_arrival() && second.is_arrival() => 1,
        _ => 2,
    }
}

#[test]
fn the_table_gives_every_pair_its_rule() {
    let book = Book::read();
    for order in orders(2) {
        let (first, second) = (order[0], order[1]);
        assert_eq!(book.rule(first, second), reason(first, second), "{order:?}");
    }
}

/// Nothing that it asks for can have come to anything; all else may be there before it.
#[test]
fn what_reaches_an_instance_before_its_first_turn_has_its_place() {
    let is_possible = |it: &Move| it.is_event() || !it.is_arrival();
    let orders = [orders(1), orders(2), orders(3)].concat().into_iter();
    let orders = orders.filter(|order| order.iter().all(is_possible));
    let orders: Vec<_> = orders.collect();
    let count = MANNERS.map(|manner| {
        let mut cases = cases(&orders, manner);
        for case in &mut cases {
            case.is_begun = false;
        }
        check(cases, manner, |_| ()).len()
    });
    assert_eq!(count, [1_678, 1_188, 1_678, 1_678]);
}

/// What the engine itself never sends decides nothing, in whatever order.
#[test]
fn what_was_never_asked_for_changes_no_race() {
    let forged = Move::FORGED.into_iter();
    let orders = forged.flat_map(|forged| {
        let with = move |other| [[forged, other], [other, forged]];
        Move::ALL
            .into_iter()
            .flat_map(with)
            .map(|order| order.to_vec())
    });
    let orders: Vec<_> = orders.collect();
    let count = MANNERS.map(|manner| check(cases(&orders, manner), manner, |_| ()).len());
    assert_eq!(count, [336, 168, 336, 336]);
}

fn check_triples(manner: Manner) -> usize {
    let ended = check(cases(&orders(3), manner), manner, |_| ());
    check_document(&ended, manner);
    ended.len()
}

#[test]
fn every_triple_follows_from_the_pairs_in_commits_that_follow_at_once() {
    assert_eq!(check_triples(Manner::AtOnce), 5_768);
}

#[test]
fn every_triple_follows_from_the_pairs_if_all_comes_to_rest_between() {
    assert_eq!(check_triples(Manner::AtRest), 4_326);
}

#[test]
fn every_triple_follows_from_the_pairs_if_the_process_dies_between() {
    assert_eq!(check_triples(Manner::AfterDeath), 5_768);
}
