//! The index: what is written there, that damage of it is found, and that damage elsewhere does not spread to it.

use std::collections::BTreeSet;

use redb::{Key, ReadableDatabase, ReadableTable, TableDefinition};

use super::damage::{edit, filled, flip_last, remove};
use super::support::{Disk, World, memory, open_disk, open_impatient};
use crate::clock::Timestamp;
use crate::event::HistoryEvent;
use crate::event::encoding::samples::started;
use crate::id::InstanceKey;
use crate::store::index::{Facts, Term};
use crate::store::query::{Filter, Request, Shape};
use crate::store::schema::{COUNTS, ENDED, INDEX, INSTANCES};
use crate::store::{Created, Medium, Status, Store, Summary};

fn keys<K, At>(disk: &Disk, definition: TableDefinition<'static, K, &'static [u8]>) -> Vec<At>
where
    K: for<'a> Key<SelfType<'a> = At> + 'static,
{
    let database = redb::Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_read().unwrap();
    let table = transaction.open_table(definition).unwrap();
    let all = table.iter().unwrap();
    all.map(|row| row.unwrap().0.value()).collect()
}

/// What the check of the file says, and whether it compared the counts.
fn told(disk: &Disk) -> (Vec<String>, bool) {
    let (store, _) = open_disk(disk);
    let mut integrity = store.reader().integrity();
    let mut told = Vec::new();
    while let Some(found) = integrity.next_slice().unwrap() {
        told.extend(found.into_iter().map(|damage| damage.error.to_string()));
    }
    (told, integrity.has_counted())
}

#[test]
fn the_index_holds_what_the_folded_rows_say_and_nothing_else() {
    let (disk, world) = filled();
    let folded: BTreeSet<u64> = keys(&disk, INSTANCES).into_iter().collect();
    let (store, _) = open_disk(&disk);
    let (mut index, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for key in &folded {
        let instances = store.reader().shared().open_table(INSTANCES).unwrap();
        let row = instances.get(key).unwrap().unwrap();
        let checksum = store.reader().shared().checksum;
        let key = InstanceKey(*key);
        let summary = crate::store::row::summary_from_row(key, row.value(), checksum).unwrap();
        let facts = Facts::of(&summary);
        index.extend([
            (Term::status(facts.status).0, key.0),
            (Term::name(facts.name).0, key.0),
        ]);
        index.extend(
            facts
                .tags
                .iter()
                .map(|(tag, value)| (Term::tag(tag, value).0, key.0)),
        );
        ended.extend(facts.completed_at.map(|at| (at.0, key.0)));
    }
    drop(store);
    assert!(index.len() > 60 && ended.len() > 3);
    assert_eq!(keys(&disk, INDEX), Vec::from_iter(index));
    assert_eq!(keys(&disk, ENDED), Vec::from_iter(ended));
    assert_eq!(told(&disk), (Vec::new(), true));
    world.model.assert_read(&open_disk(&disk).0);
}

/// Some of it is purged, and some goes on, folded or not.
#[test]
fn the_index_follows_what_has_ended_and_goes_on() {
    for seed in 0..4 {
        let disk = Disk::default();
        let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), 9);
        let mut world = World::reaping(seed);
        for _ in 0..60 {
            world.commit(&mut store, 8).unwrap();
            let tail = store.reader();
            let tail = tail.shared().tail();
            let mut ended = tail.ended(..).map(|(_, key)| key);
            assert!(ended.all(|key| world.model.summary(key).has_ended()));
        }
        let all = || world.model.0.values().flatten().flatten();
        let is_rewound = |event: &&HistoryEvent| matches!(event, HistoryEvent::ExecutionRewound(_));
        assert!(all().filter(is_rewound).count() > 5);
        while store.maintain().unwrap() {}
        drop(store);
        assert_eq!(told(&disk), (Vec::new(), true));
    }
}

#[test]
fn what_has_ended_and_is_folded_is_kept_in_memory_no_longer() {
    let (mut store, _) = open_impatient(memory(), 9_999);
    let mut world = World::new(5);
    for _ in 0..30 {
        world.commit(&mut store, 8).unwrap();
    }
    let kept = |store: &Store| store.reader().shared().tail().ended(..).count();
    assert!(kept(&store) > 5);
    while store.maintain().unwrap() {}
    assert_eq!(kept(&store), 0);
}

#[test]
fn a_missing_row_of_the_index_is_told() {
    let (disk, _) = filled();
    let image = disk.image();
    let rows: Vec<(u64, u64)> = keys(&disk, INDEX);
    remove(&disk, INDEX, rows[5]);
    let place = format!(
        "row ({:#x}, {}) of `index` is damaged: it is missing",
        rows[5].0, rows[5].1
    );
    let (found, _) = told(&disk);
    assert!(
        found.len() == 1 && found[0].starts_with(&place),
        "{found:?}"
    );

    let disk = Disk::of(&image);
    let rows: Vec<(u64, u64)> = keys(&disk, ENDED);
    remove(&disk, ENDED, rows[0]);
    let (found, _) = told(&disk);
    assert!(
        found.len() == 1 && found[0].contains("of `ended` is damaged: it is missing"),
        "{found:?}"
    );
}

#[test]
fn a_row_of_the_index_that_is_not_so_is_told_and_listed_by_nobody() {
    for (definition, row) in [
        (INDEX, (Term::name("unknown").0, 1)),
        (INDEX, (Term::status(Status::Pending).0, 9_999)),
        (ENDED, (3, 1)),
    ] {
        let (disk, world) = filled();
        insert(&disk, definition, row, &[]);
        let (found, _) = told(&disk);
        assert_eq!(found.len(), 1, "{row:?}: {found:?}");
        assert!(found[0].contains("is damaged: "), "{found:?}");
        world.model.assert_read(&open_disk(&disk).0);
    }
}

fn insert<K: Key + 'static>(
    disk: &Disk,
    definition: TableDefinition<'static, K, &'static [u8]>,
    row: K::SelfType<'_>,
    value: &[u8],
) {
    let database = redb::Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(definition)
        .unwrap()
        .insert(row, value)
        .unwrap();
    transaction.commit().unwrap();
}

#[test]
fn a_wrong_count_is_told_with_both_numbers() {
    let (disk, _) = filled();
    // The last row, so that it is not the number of changes.
    edit(
        &disk,
        COUNTS,
        |row| row[0] += 1,
        |table| {
            let (row, _) = table.last().unwrap().unwrap();
            Box::leak(row.value().to_vec().into_boxed_slice())
        },
    );
    let (found, has_counted) = told(&disk);
    assert!(has_counted);
    assert!(
        found.len() == 1 && found[0].starts_with("`counts` is damaged: expected "),
        "{found:?}"
    );
    assert!(found[0].contains("; found "), "{found:?}");
}

#[test]
fn counts_are_not_compared_while_folds_change_them() {
    let disk = Disk::default();
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk)), 0);
    let mut world = World::new(21);
    while store.next_key < 1_300 {
        world.commit(&mut store, 40).unwrap();
    }
    while store.maintain().unwrap() {}
    let mut integrity = store.reader().integrity();
    let mut slices = 0;
    while let Some(found) = integrity.next_slice().unwrap() {
        assert!(found.is_empty(), "{found:?}");
        slices += 1;
        world.commit(&mut store, 40).unwrap();
        while store.maintain().unwrap() {}
    }
    assert!(slices > 5 && !integrity.has_counted());
}

/// A fold learns what changes from the row that it writes over. If that is damaged, the index itself says what was so.
#[test]
fn a_damaged_row_of_instances_leaves_the_index_right_once_it_is_written_over() {
    let disk = Disk::default();
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), 0);
    let mut world = World::new(4);
    for _ in 0..20 {
        world.commit(&mut store, 8).unwrap();
    }
    while store.maintain().unwrap() {}
    drop(store);
    // What the next turns add to is in memory before the rows are damaged.
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk)), 60);
    for _ in 0..3 {
        world.commit(&mut store, 8).unwrap();
    }
    let unfolded: Vec<u64> = {
        let shared = store.reader();
        let tail = shared.shared().tail();
        tail.range(..).map(|(key, _)| key.0).collect()
    };
    let mut damaged = 0;
    {
        let shared = store.reader();
        let transaction = shared.shared().begin_write().unwrap();
        let mut table = transaction.open_table(INSTANCES).unwrap();
        for key in &unfolded {
            let Some(mut row) = table.get(key).unwrap().map(|row| row.value().to_vec()) else {
                continue;
            };
            flip_last(&mut row);
            table.insert(key, row.as_slice()).unwrap();
            damaged += 1;
        }
        drop(table);
        transaction.commit().unwrap();
    }
    assert!(damaged > 0, "no row was written over");
    for _ in 0..130 {
        world.commit(&mut store, 8).unwrap();
    }
    world.model.assert_read(&store);
    let mut integrity = store.reader().integrity();
    while let Some(found) = integrity.next_slice().unwrap() {
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_list_tells_of_a_damaged_instance_and_goes_on() {
    let (disk, world) = filled();
    let folded: Vec<u64> = keys(&disk, INSTANCES);
    let ended = *folded
        .iter()
        .find(|key| world.model.summary(InstanceKey(**key)).has_ended())
        .unwrap();
    edit(&disk, INSTANCES, flip_last, |_| ended);
    let (store, _) = open_disk(&disk);
    let request = Request {
        filter: Filter::default(),
        descending: false,
        limit: 1_000,
        after: None,
    };
    let listing = store.reader().list(&request, IDS).unwrap();
    assert_eq!(listing.rows.len(), world.model.0.len() - 1);
    let told = listing.damaged[0].to_string();
    assert!(
        told.starts_with(&format!("row {ended} of `instances` is damaged")),
        "{told}"
    );
}

const IDS: Shape<String> = Shape {
    stored: |stored| stored.id().to_string(),
    live: |summary: &Summary| summary.id.to_string(),
};

/// So many instances, all folded, of which the last one is of another name.
fn many(count: u64) -> Store {
    let (mut store, _) = open_impatient(memory(), 0);
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    for number in 1..=count {
        let mut start = started(&format!("instance-{number}"), 1, number);
        if number == count {
            start.name = "rare".into();
        }
        assert!(matches!(
            transaction.create(start).unwrap(),
            Created::New(_)
        ));
    }
    transaction.commit().unwrap();
    while store.maintain().unwrap() {}
    store
}

#[test]
fn a_page_looks_at_little_more_than_it_returns() {
    let store = many(5_000);
    let found = |filter: Filter, steps| {
        let request = Request {
            filter,
            descending: false,
            limit: 10,
            after: None,
        };
        let page = store.reader().list_within(&request, IDS, steps).unwrap();
        (page.rows.len(), page.next.is_some())
    };
    let pending = || BTreeSet::from([Status::Pending]);
    let rare = || BTreeSet::from(["rare".to_owned()]);
    let both = Filter {
        statuses: pending(),
        names: rare(),
        ..Filter::default()
    };
    assert_eq!(found(both, 60), (1, false), "4,999 are jumped over");
    let late = Filter {
        created: Some(4_996..9_999),
        statuses: pending(),
        ..Filter::default()
    };
    assert_eq!(found(late, 60), (5, false), "the time is found by halving");
    let none = Filter {
        statuses: BTreeSet::from([Status::Failed]),
        ..Filter::default()
    };
    assert_eq!(found(none, 20), (0, false));
    let filtered = Filter {
        id_prefix: Some("instance-".to_owned()),
        names: rare(),
        ..Filter::default()
    };
    assert_eq!(
        found(filtered, 100),
        (0, true),
        "a filter walks, and stops in time"
    );
}
