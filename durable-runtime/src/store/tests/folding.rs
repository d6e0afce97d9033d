//! Folding changes where events stand, and nothing else.

use redb::ReadableTableMetadata;

use super::support::{Dice, Disk, Fixed, World, memory, open, open_disk, open_impatient};
use crate::clock::Timestamp;
use crate::event::encoding::samples::{id, payload, started, turn};
use crate::event::{ExecutionCompleted, HistoryEvent};
use crate::failure::Outcome;
use crate::id::{ExecutionId, InstanceKey, Sequence};
use crate::store::ledger::Patience;
use crate::store::schema::OPEN;
use crate::store::{Counters, Created, Medium, QuickRepair, Store, StoreOptions};

#[test]
fn histories_are_equal_with_and_without_folding() {
    for seed in 0..40 {
        let disk = Disk::default();
        let mut world = World::reaping(seed);
        let mut choice = Dice::new(seed);
        let mut reopen = |world: &World| {
            // From never to at once.
            let patience = [10_000, 30, 8, 2, 0][usize::try_from(choice.below(5)).unwrap()];
            let (store, recovered) =
                open_impatient(Medium::Backend(Box::new(disk.clone())), patience);
            assert_eq!(recovered.instances, world.model.unfinished(), "seed {seed}");
            world.model.assert_read(&store);
            store
        };
        let mut store = reopen(&world);
        for _ in 0..30 {
            world.commit(&mut store, 10).unwrap();
            if world.dice.one_in(3) {
                store.maintain().unwrap();
            }
            if world.dice.one_in(6) {
                drop(store);
                store = reopen(&world);
            }
        }
        world.model.assert_read(&store);
    }
}

#[test]
fn everything_can_be_folded_and_goes_on_from_there() {
    let (mut store, _) = open_impatient(memory(), 0);
    let mut world = World::reaping(3);
    for _ in 0..50 {
        world.commit(&mut store, 10).unwrap();
        while store.maintain().unwrap() {}
        let counters = store.counters();
        assert_eq!((counters.log_rows, counters.unfolded_bytes), (0, 0));
    }
    world.model.assert_read(&store);
}

#[test]
fn a_reader_beside_the_writer_sees_no_gap_and_nothing_twice() {
    let (mut store, _) = open_impatient(memory(), 3);
    let key = begin(&mut store, "order-1");
    let reader = store.reader();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut longest = 0;
            while longest < 400 {
                let history = reader.history(key, ExecutionId::FIRST).unwrap();
                let turns = history.iter().skip(1);
                for (number, event) in (1..).zip(turns) {
                    assert_eq!(*event, turn(number, 1));
                }
                let events = reader.summary(key).unwrap().unwrap().events;
                assert!(usize::try_from(events).unwrap() >= history.len());
                assert!(history.len() >= longest);
                longest = history.len();
            }
        });
        for number in 1..400 {
            let mut transaction = store.begin(Timestamp(number)).unwrap();
            let first = Sequence(u32::try_from(number).unwrap());
            transaction
                .append(key, ExecutionId::FIRST, first, &[turn(number, 1)])
                .unwrap();
            transaction.commit().unwrap();
        }
        watcher.join().unwrap();
    });
}

#[test]
fn an_id_that_is_found_has_an_instance() {
    let (mut store, _) = open(memory()).unwrap();
    let reader = store.reader();
    let name = |number| format!("order-{number}");
    std::thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            for number in 0..400 {
                let id = id(&name(number));
                let key = std::iter::repeat_with(|| reader.find(&id).unwrap())
                    .flatten()
                    .next();
                assert!(reader.summary(key.unwrap()).unwrap().is_some(), "{id}");
            }
        });
        for number in 0..400 {
            begin(&mut store, &name(number));
        }
        watcher.join().unwrap();
    });
}

#[test]
fn what_has_ended_and_is_folded_is_not_read_when_the_store_is_opened() {
    let (mut store, _) = open_impatient(memory(), 0);
    let keys = [begin(&mut store, "one"), begin(&mut store, "two")];
    while store.maintain().unwrap() {}
    let open_rows = |store: &Store| {
        let shared = store.reader.shared();
        shared.open_table(OPEN).unwrap().len().unwrap()
    };
    assert_eq!(open_rows(&store), 2);
    for key in keys {
        end(&mut store, key);
    }
    while store.maintain().unwrap() {}
    assert_eq!(open_rows(&store), 0);
}

#[test]
fn a_fold_keeps_the_store_time() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let key = begin(&mut store, "order-1");
    end(&mut store, key);
    let mut transaction = store.begin(Timestamp(90_000)).unwrap();
    transaction.create(started("order-2", 1, 1)).unwrap();
    transaction.commit().unwrap();
    store.maintain().unwrap();
    drop(store);
    assert_eq!(open_disk(&disk).1.last_time, Timestamp(90_000));
}

#[test]
fn maintaining_ends_and_writes_nothing_when_there_is_nothing_to_do() {
    let (mut store, _) = open(memory()).unwrap();
    let keys: Vec<_> = (0..450)
        .map(|number| begin(&mut store, &format!("order-{number}")))
        .collect();
    assert!(
        !store.fold_is_due(),
        "instances that wait are not folded before they lag"
    );
    for key in keys {
        end(&mut store, key);
    }
    assert!(store.fold_is_due());
    let mut slices = 1;
    while store.maintain().unwrap() {
        slices += 1;
    }
    assert_eq!(slices, 3, "450 instances are folded in slices of 200");
    let counters = store.counters();
    assert_eq!((counters.log_rows, counters.unfolded_bytes), (0, 0));
    assert!(!store.maintain().unwrap());
    assert_eq!(store.counters(), counters);
}

/// A small file is read through at each opening, so nothing is gained by a commit that makes opening quick.
#[test]
fn an_idle_small_store_commits_nothing() {
    let (mut store, _) = open(memory()).unwrap();
    begin(&mut store, "order-1");
    let counters = store.counters();
    assert!(!store.fold_is_due());
    assert!(!store.maintain().unwrap());
    assert_eq!(store.counters(), counters);
}

#[test]
fn an_idle_store_shortens_its_log_and_leaves_a_quick_repair() {
    let options = StoreOptions {
        patience: Patience {
            rows: 160,
            ..Patience::default()
        },
        quick_repair: QuickRepair {
            beyond: 0,
            up_to: 0,
        },
        ..StoreOptions::default()
    };
    let (mut store, _) = Store::open(memory(), options, Timestamp(1), &Fixed(1)).unwrap();
    for number in 0..100 {
        begin(&mut store, &format!("order-{number}"));
    }
    assert_eq!(store.counters().fold_commits, 0, "that was not urgent");
    assert!(store.maintain().unwrap());
    let counters = store.counters();
    assert_eq!((counters.fold_commits, counters.log_rows), (1, 20));
    assert!(
        !store.maintain().unwrap(),
        "the last commit is for a quick repair"
    );
    assert!(!store.fold_is_due());
    assert_eq!(
        store.counters(),
        Counters {
            commits: 102,
            ..counters
        }
    );
    assert!(!store.maintain().unwrap());
    assert_eq!(store.counters().commits, 102);
}

#[test]
fn one_waiting_instance_does_not_hold_the_log_back() {
    const PATIENCE: u64 = 100;
    let disk = Disk::default();
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), PATIENCE);
    let waiting = begin(&mut store, "waiting");
    for number in 0..PATIENCE {
        let key = begin(&mut store, &format!("order-{number}"));
        end(&mut store, key);
    }
    let counters = store.counters();
    assert!(counters.log_rows <= PATIENCE, "{counters:?}");
    assert!(counters.fold_commits > 0);
    let unfolded = store.reader().history(waiting, ExecutionId::FIRST).unwrap();
    assert_eq!(unfolded.len(), 1);
    // It was folded, so it comes back from its rows alone, and goes on.
    drop(store);
    let (mut store, recovered) = open_disk(&disk);
    assert_eq!(recovered.instances.len(), 1);
    end(&mut store, waiting);
    while store.maintain().unwrap() {}
    drop(store);
    assert_eq!(open_disk(&disk).1.instances, []);
}

#[test]
fn the_file_does_not_grow_beyond_what_is_kept() {
    let (mut store, _) = open(memory()).unwrap();
    let mut sizes = Vec::new();
    for round in 0..5 {
        for batch in 0..100 {
            let mut transaction = store.begin(Timestamp(1)).unwrap();
            let mut keys = Vec::new();
            for number in 0..50 {
                let name = format!("order-{round}-{batch}-{number}");
                let Created::New(key) = transaction.create(started(&name, 1, 1)).unwrap() else {
                    panic!("`{name}` is new");
                };
                keys.push(key);
            }
            transaction.commit().unwrap();
            let mut transaction = store.begin(Timestamp(1)).unwrap();
            for key in keys {
                transaction
                    .append(key, ExecutionId::FIRST, Sequence(1), &last_turn())
                    .unwrap();
            }
            transaction.commit().unwrap();
            store.maintain().unwrap();
        }
        while store.maintain().unwrap() {}
        assert_eq!(store.counters().log_rows, 0);
        sizes.push(store.counters().allocated_bytes);
    }
    // 5,000 instances of about 400 bytes in three tables, each round.
    let grown = sizes[4] - sizes[0];
    assert!(grown < 4 * 5_000 * 1_200, "{sizes:?}");
}

fn begin(store: &mut Store, instance: &str) -> InstanceKey {
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    let Created::New(key) = transaction.create(started(instance, 1, 1)).unwrap() else {
        panic!("`{instance}` is new");
    };
    transaction.commit().unwrap();
    key
}

fn end(store: &mut Store, key: InstanceKey) {
    let mut transaction = store.begin(Timestamp(2)).unwrap();
    transaction
        .append(key, ExecutionId::FIRST, Sequence(1), &last_turn())
        .unwrap();
    transaction.commit().unwrap();
}

fn last_turn() -> [HistoryEvent; 2] {
    let outcome = Outcome::Completed(payload("done"));
    [
        turn(2, 1),
        HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome }),
    ]
}

/// They take much more memory than their bytes, and whoever opens the store next has to read them.
#[test]
fn only_so_many_instances_wait_to_be_folded() {
    let unfolded = |patience: Patience, has_end: bool| {
        let options = StoreOptions {
            patience,
            ..StoreOptions::default()
        };
        let (mut store, _) = Store::open(memory(), options, Timestamp(1), &Fixed(1)).unwrap();
        for number in 0..600 {
            let key = begin(&mut store, &format!("order-{number}"));
            if has_end {
                end(&mut store, key);
            }
        }
        store.reader().shared().tail().count_instances()
    };
    let all = Patience::default();
    assert_eq!(unfolded(all, true), 600, "that is not urgent");
    let ended = Patience { ended: 80, ..all };
    assert!(unfolded(ended, true) <= 82);
    assert_eq!(unfolded(ended, false), 600, "none of them has ended");
    let instances = Patience {
        instances: 80,
        ..all
    };
    assert!(unfolded(instances, false) <= 82);
}
