//! Purges: what is left of an instance in the file, whenever the fold comes, and what its space is used for.

use redb::{Key, ReadableTable, TableDefinition};

use super::support::{Disk, World, memory, open_disk, open_impatient};
use crate::clock::Timestamp;
use crate::event::encoding::samples::{id, payload, started, turn};
use crate::event::{ExecutionCompleted, ExecutionContinued, HistoryEvent};
use crate::failure::Outcome;
use crate::id::{ExecutionId, InstanceKey, Sequence};
use crate::limits;
use crate::store::schema::{HISTORY, IDS, INSTANCES, OPEN};
use crate::store::{Created, Medium, Store};

const FIRST: ExecutionId = ExecutionId::FIRST;

/// How many rows there are of `history`, `instances`, `open` and `ids`.
fn rows(store: &Store) -> [usize; 4] {
    [
        count(store, HISTORY),
        count(store, INSTANCES),
        count(store, OPEN),
        count(store, IDS),
    ]
}

fn count<K: Key + 'static>(
    store: &Store,
    table: TableDefinition<'static, K, &'static [u8]>,
) -> usize {
    let table = store.reader().shared().open_table(table).unwrap();
    table.iter().unwrap().count()
}

/// Creates instances in one commit, with inputs of so many bytes.
fn begin(store: &mut Store, names: &[String], bytes: usize) -> Vec<InstanceKey> {
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    let create = |name: &String| {
        let mut start = started(name, 1, 1);
        start.input = payload(&"x".repeat(bytes));
        match transaction.create(start).unwrap() {
            Created::New(key) => key,
            Created::Existing(..) => panic!("`{name}` is new"),
        }
    };
    let keys = names.iter().map(create).collect();
    transaction.commit().unwrap();
    keys
}

fn end(store: &mut Store, keys: &[InstanceKey]) {
    let mut transaction = store.begin(Timestamp(2)).unwrap();
    let outcome = Outcome::Completed(payload("done"));
    let events = [
        turn(2, 1),
        HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome }),
    ];
    for key in keys {
        let at = store_events(&transaction.summary(*key).unwrap().unwrap());
        transaction.append(*key, at.0, at.1, &events).unwrap();
    }
    transaction.commit().unwrap();
}

fn store_events(summary: &crate::store::Summary) -> (ExecutionId, Sequence) {
    (summary.execution, Sequence(summary.events))
}

fn purge(store: &mut Store, keys: &[InstanceKey]) {
    let mut transaction = store.begin(Timestamp(3)).unwrap();
    for key in keys {
        transaction.purge(*key).unwrap();
    }
    transaction.commit().unwrap();
}

fn tidy(store: &mut Store) {
    while store.maintain().unwrap() {}
}

fn names(round: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{round}-{number}"))
        .collect()
}

/// Whether the waiting instance that holds the log back is there or not, and whenever the fold comes: a purged instance is
/// found no more, leaves nothing, and does not come back when the store is opened again.
#[test]
fn a_purged_instance_leaves_nothing_whenever_the_fold_comes() {
    for fold_after in 0..4 {
        for reopen_after in 0..5 {
            let context = format!("fold after {fold_after}, reopened after {reopen_after}");
            let disk = Disk::default();
            let open = || open_impatient(Medium::Backend(Box::new(disk.clone())), 0).0;
            // The log is folded by `tidy` alone, and not before.
            let mut store = open_disk(&disk).0;
            let mut keys = Vec::new();
            for step in 0..5 {
                match step {
                    0 => keys = begin(&mut store, &names("order", 3), 50),
                    1 => end(&mut store, &keys[..2]),
                    2 => purge(&mut store, &keys[..1]),
                    3 => drop(begin(&mut store, &["order-0".to_owned()], 50)),
                    _ => end(&mut store, &keys[2..]),
                }
                if step == fold_after {
                    drop(store);
                    store = open();
                    tidy(&mut store);
                }
                if step == reopen_after {
                    drop(store);
                    store = open_disk(&disk).0;
                }
            }
            let reader = store.reader();
            assert!(reader.summary(keys[0]).unwrap().is_none(), "{context}");
            assert!(reader.last_history(keys[0]).unwrap().is_none(), "{context}");
            assert_eq!(reader.find(&id("order-0")).unwrap(), Some(InstanceKey(4)));
            assert_eq!(reader.find(&id("order-1")).unwrap(), Some(keys[1]));
            drop(store);
            let mut store = open();
            tidy(&mut store);
            assert_eq!(rows(&store)[1..], [3, 1, 3], "{context}");
            let history = store.reader().shared().open_table(HISTORY).unwrap();
            let mut of_purged = history.range((keys[0].0, 0, 0)..(keys[0].0 + 1, 0, 0));
            assert!(of_purged.as_mut().unwrap().next().is_none(), "{context}");
            let next = begin(&mut store, &["later".to_owned()], 1);
            assert_eq!(next, [InstanceKey(5)], "{context}: keys are never reused");
        }
    }
}

#[test]
fn an_id_is_free_for_another_in_the_same_commit_and_the_old_one_is_not_found() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let old = begin(&mut store, &["job".to_owned()], 9)[0];
    end(&mut store, &[old]);
    let mut transaction = store.begin(Timestamp(3)).unwrap();
    transaction.purge(old).unwrap();
    assert!(transaction.look_up(&id("job")).unwrap().is_none());
    assert!(transaction.summary(old).unwrap().is_none());
    let Created::New(new) = transaction.create(started("job", 1, 3)).unwrap() else {
        panic!("the id is free");
    };
    transaction.commit().unwrap();
    assert_ne!(new, old);
    for _ in 0..2 {
        let reader = store.reader();
        assert_eq!(reader.find(&id("job")).unwrap(), Some(new));
        assert!(reader.summary(old).unwrap().is_none());
        assert_eq!(reader.summary(new).unwrap().unwrap().events, 1);
        drop(store);
        store = open_disk(&disk).0;
    }
}

#[test]
#[should_panic(expected = "instance 1 is to be purged, but has not ended")]
fn what_has_not_ended_cannot_be_purged() {
    let (mut store, _) = open_impatient(memory(), 9);
    let keys = begin(&mut store, &["job".to_owned()], 9);
    purge(&mut store, &keys);
}

/// What is purged while something else holds the log back: its frames leave the log before its tombstone does.
#[test]
fn a_log_whose_front_is_gone_is_read_by_its_tombstones() {
    let disk = Disk::default();
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), 40);
    let waiting = begin(&mut store, &["waiting".to_owned()], 9);
    for round in 0..20 {
        let keys = begin(&mut store, &names(&format!("order{round}"), 5), 9);
        end(&mut store, &keys);
        if round % 2 == 0 {
            store.maintain().unwrap();
        }
        purge(&mut store, &keys);
        drop(store);
        let (opened, recovered) = open_impatient(Medium::Backend(Box::new(disk.clone())), 40);
        store = opened;
        assert_eq!(recovered.instances.len(), 1, "round {round}");
        assert_eq!(recovered.instances[0].key, waiting[0]);
    }
    tidy(&mut store);
    assert_eq!(rows(&store)[1..], [1, 1, 1]);
}

/// The space of what is purged is given to what comes after.
#[test]
fn as_many_new_instances_as_were_purged_need_no_more_space() {
    const MANY: usize = 3_000;
    let (mut store, _) = open_impatient(memory(), limits::FOLD_LAG_ROWS);
    let mut sizes = Vec::new();
    for round in 0..4 {
        let mut all = Vec::new();
        for batch in 0..MANY / 500 {
            let keys = begin(&mut store, &names(&format!("{round}-{batch}"), 500), 300);
            end(&mut store, &keys);
            tidy(&mut store);
            all.extend(keys);
        }
        sizes.push(store.counters().allocated_bytes);
        for slice in all.chunks(500) {
            purge(&mut store, slice);
        }
        tidy(&mut store);
        assert_eq!(rows(&store), [0; 4]);
        assert_eq!(store.counters().log_rows, 0);
    }
    // The first purge leaves its tombstones, and pages that are not full; from then on nothing grows.
    assert!(sizes[1] < sizes[0] + sizes[0] / 2, "{sizes:?}");
    assert!(sizes[3] < sizes[2] + sizes[2] / 20, "{sizes:?}");
}

/// What is purged faster than it is folded is folded with the commits that purge.
#[test]
fn what_waits_to_be_removed_is_bounded_without_an_idle_moment() {
    const MANY: usize = 20_000;
    let (mut store, _) = open_impatient(memory(), limits::FOLD_LAG_ROWS);
    let mut all = Vec::new();
    for batch in 0..MANY / 1_000 {
        let keys = begin(&mut store, &names(&format!("{batch}"), 1_000), 9);
        end(&mut store, &keys);
        all.extend(keys);
    }
    tidy(&mut store);
    for slice in all.chunks(500) {
        purge(&mut store, slice);
        let left = count(&store, INSTANCES) + (slice.len() * 2);
        let gone = all.iter().position(|key| *key == slice[0]).unwrap();
        assert!(left + gone <= MANY + limits::UNFOLDED_GRAVES_MAX + 2_000);
    }
    assert!(count(&store, INSTANCES) <= limits::UNFOLDED_GRAVES_MAX);
    tidy(&mut store);
    assert_eq!(rows(&store), [0; 4]);
}

/// The check of a large file runs beside purges, and takes none of them for damage.
#[test]
fn the_check_of_the_file_takes_no_purge_for_damage() {
    let cuts = [1, 1, 2, 4, 7, 10, 13, 17, 20, 25, 99];
    for (number, cut) in cuts.into_iter().enumerate() {
        let (mut store, _) = open_impatient(memory(), 0);
        let keys = begin(&mut store, &names("order", 1_200), 700);
        end(&mut store, &keys);
        tidy(&mut store);
        let mut check = store.reader().integrity();
        let mut slices = 0;
        while let Some(found) = check.next_slice().unwrap() {
            assert!(found.is_empty(), "cut {cut}: {found:?}");
            slices += 1;
            if slices == cut {
                // Also those of which the check has seen a part, and those whose id another has got.
                purge(&mut store, &keys);
                begin(&mut store, &names("order", 50), 9);
                if number % 2 == 0 {
                    tidy(&mut store);
                }
            }
        }
        assert!(
            slices < 99,
            "the check never came to its end before a purge"
        );
    }
}

/// Of an instance that goes on and on, what is kept is its current execution.
#[test]
fn executions_before_the_current_one_take_no_space() {
    let disk = Disk::default();
    let medium = || Medium::Backend(Box::new(disk.clone()));
    let (mut store, _) = open_impatient(medium(), 50);
    let key = begin(&mut store, &["eternal".to_owned()], 200)[0];
    let mut sizes = Vec::new();
    for generation in 1..2_000 {
        let mut transaction = store.begin(Timestamp(generation)).unwrap();
        let summary = transaction.summary(key).unwrap().unwrap();
        let (execution, next) = (summary.execution, summary.execution.next());
        let input = payload("next");
        let last = [
            turn(generation, 1),
            HistoryEvent::ExecutionContinued(ExecutionContinued { input }),
        ];
        let at = Sequence(summary.events);
        transaction.append(key, execution, at, &last).unwrap();
        let start = HistoryEvent::ExecutionStarted(Box::new(started("eternal", next.0, 1)));
        (transaction.append(key, next, Sequence(0), &[start])).unwrap();
        transaction.commit().unwrap();
        if generation % 500 == 0 {
            store.maintain().unwrap();
            sizes.push(store.counters().allocated_bytes);
            drop(store);
            let (opened, recovered) = open_impatient(medium(), 50);
            assert_eq!(recovered.instances[0].outstanding.execution, next);
            store = opened;
        }
    }
    // 2,000 executions of about 600 bytes are more than a megabyte.
    assert!(sizes.iter().all(|size| *size < 300_000), "{sizes:?}");
    assert_eq!(count(&store, HISTORY), 1);
    end(&mut store, &[key]);
    tidy(&mut store);
    assert_eq!(rows(&store), [1, 1, 0, 1]);
    let history = store.reader().last_history(key).unwrap().unwrap();
    assert_eq!(history.len(), 3);
}

/// Purges and all else, in any order: nothing is left of what is not there.
#[test]
fn no_row_is_left_of_whoever_is_not_there() {
    for seed in 0..20 {
        let patience = [9_999, 20, 3, 0][usize::try_from(seed % 4).unwrap()];
        let (mut store, _) = open_impatient(memory(), patience);
        let mut world = World::reaping(seed);
        for _ in 0..60 {
            world.commit(&mut store, 10).unwrap();
            if world.dice.one_in(4) {
                store.maintain().unwrap();
            }
        }
        assert!(!world.model.1.is_empty());
        world.model.assert_read(&store);
        tidy(&mut store);
        let reader = store.reader();
        let table = reader.shared().open_table(HISTORY).unwrap();
        for row in table.iter().unwrap() {
            let (key, execution, _) = row.unwrap().0.value();
            let current = world.model.0.get(&InstanceKey(key)).map(Vec::len);
            // One that is not folded since it has continued as new has that of before.
            let is_current = current == usize::try_from(execution).ok();
            assert!(is_current || patience > 0 && current.is_some(), "{key}");
        }
        let [_, instances, _, ids] = rows(&store);
        assert!(instances <= world.model.0.len());
        assert_eq!(ids, world.model.0.len());
    }
}

#[test]
fn a_purge_that_is_not_committed_never_was() {
    let (mut store, _) = open_impatient(memory(), 9);
    let keys = begin(&mut store, &["job".to_owned()], 9);
    end(&mut store, &keys);
    let mut transaction = store.begin(Timestamp(3)).unwrap();
    transaction.purge(keys[0]).unwrap();
    drop(transaction);
    let reader = store.reader();
    assert_eq!(reader.find(&id("job")).unwrap(), Some(keys[0]));
    let history = reader.history(keys[0], FIRST).unwrap();
    assert_eq!(history.len(), 3);
}
