//! The check of a large file by its own frames: every damaged row is found and told with its instance, and nothing else.

use std::collections::BTreeSet;

use redb::{Key, ReadableTable, TableDefinition};

use super::damage::{edit, filled, flip_last, remove};
use super::support::{Dice, Disk, Fixed, World};
use crate::clock::Timestamp;
use crate::id::InstanceKey;
use crate::limits;
use crate::store::schema::{HISTORY, IDS, INSTANCES, OPEN};
use crate::store::{Damage, Medium, Recovered, Store, StoreError, StoreOptions};

/// Opens as if the file were large.
fn open_large(disk: &Disk) -> Result<(Store, Recovered), StoreError> {
    let options = StoreOptions {
        integrity_check_bytes_max: 0,
        ..StoreOptions::default()
    };
    let medium = Medium::Backend(Box::new(disk.clone()));
    Store::open(medium, options, Timestamp(1_000), &Fixed(7))
}

/// Everything that the check finds, and how many slices it took.
fn check(store: &Store) -> (Vec<Damage>, u32) {
    let mut integrity = store.reader().integrity();
    let mut found = Vec::new();
    let mut slices = 0;
    while let Some(slice) = integrity.next_slice().unwrap() {
        found.extend(slice);
        slices += 1;
    }
    assert!(integrity.rows() > 0);
    (found, slices)
}

fn found_on(disk: &Disk) -> Vec<(InstanceKey, bool, String)> {
    let (store, _) = open_large(disk).unwrap();
    let told = |damage: Damage| {
        let text = damage.error.to_string();
        (damage.key, damage.execution.is_some(), text)
    };
    check(&store).0.into_iter().map(told).collect()
}

/// The only thing that the check finds: whose it is, whether it stalls, and what it says.
fn the_one_found(disk: &Disk) -> (InstanceKey, bool, String) {
    let mut found = found_on(disk);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_file_is_checked_by_redb_up_to_a_size_and_by_its_own_frames_above_it() {
    let (disk, world) = filled();
    let (store, recovered) = super::support::open_disk(&disk);
    assert!(recovered.is_checked);
    drop(store);
    let (store, recovered) = open_large(&disk).unwrap();
    assert!(!recovered.is_checked);
    let (found, _) = check(&store);
    assert!(found.is_empty(), "{found:?}");
    world.model.assert_read(&store);
}

#[test]
fn a_flipped_byte_in_a_segment_is_told_once_in_the_words_of_its_reader() {
    let (disk, _) = filled();
    edit(&disk, HISTORY, flip_last, |table| {
        table.first().unwrap().unwrap().0.value()
    });
    let (key, stalls, report) = the_one_found(&disk);
    assert_eq!((key, stalls), (InstanceKey(1), true));
    assert!(
        report.starts_with("the history of instance 1, execution 1, from event ")
            && report.contains(" on, is damaged: its checksum is wrong; bring"),
        "{report}"
    );
    let (store, _) = open_large(&disk).unwrap();
    let history = store.reader().history(key, crate::id::ExecutionId(1));
    assert_eq!(history.unwrap_err().to_string(), report);
}

#[test]
fn a_missing_segment_is_found_wherever_it_was() {
    let (disk, _) = filled();
    let image = disk.image();
    let segments = rows(&disk, HISTORY);
    let mut last_of = 0;
    for at in &segments {
        let disk = Disk::of(&image);
        remove(&disk, HISTORY, *at);
        let found = found_on(&disk);
        // Of an earlier execution, nobody knows how long it was.
        let is_last_of_earlier = segments.iter().any(|next| next.1 > at.1 && next.0 == at.0)
            && !segments
                .iter()
                .any(|next| (next.0, next.1) == (at.0, at.1) && next.2 > at.2);
        if is_last_of_earlier {
            last_of += 1;
            continue;
        }
        assert!(!found.is_empty(), "{at:?} is missing");
        assert!(found.iter().all(|(key, _, _)| key.0 == at.0), "{found:?}");
    }
    assert!(segments.len() > 20 && last_of < segments.len() / 4);
}

#[test]
fn rows_of_instances_and_open_are_checked_against_one_another() {
    let (disk, _) = filled();
    let image = disk.image();
    let is_unneeded = |key: &&u64| {
        let disk = Disk::of(&image);
        remove(&disk, OPEN, **key);
        open_large(&disk).is_ok()
    };
    let waiting = *rows(&disk, OPEN).iter().find(is_unneeded).unwrap();
    // One whose row is not read when the store is opened, as nothing of it is in `log`.
    let is_unread = |key: &&u64| {
        let disk = Disk::of(&image);
        edit(&disk, INSTANCES, flip_last, |_| **key);
        !rows(&disk, OPEN).contains(key) && open_large(&disk).is_ok()
    };
    let ended = *rows(&disk, INSTANCES).iter().find(is_unread).unwrap();

    edit(&disk, INSTANCES, flip_last, |_| ended);
    let (key, stalls, report) = the_one_found(&disk);
    assert_eq!((key.0, stalls), (ended, false));
    let expected = format!("row {ended} of `instances` is damaged: its checksum is wrong");
    assert!(report.starts_with(&expected), "{report}");

    let disk = Disk::of(&image);
    remove(&disk, INSTANCES, ended);
    let (key, stalls, report) = the_one_found(&disk);
    assert_eq!((key.0, stalls), (ended, false));
    assert!(
        report.contains("it is missing, and there is a history"),
        "{report}"
    );

    let disk = Disk::of(&image);
    remove(&disk, OPEN, waiting);
    let (key, stalls, report) = the_one_found(&disk);
    assert_eq!((key.0, stalls), (waiting, true));
    assert!(
        report.contains("it is missing, and the instance has not ended"),
        "{report}"
    );
}

#[test]
fn damage_that_comes_while_the_store_is_open_is_found_too() {
    let (disk, _) = filled();
    let waiting = rows(&disk, OPEN)[0];
    let (store, _) = open_large(&disk).unwrap();
    edit_live(&store, OPEN, waiting, flip_last);
    let (found, _) = check(&store);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].key.0, waiting);
    assert!(found[0].execution.is_some());
}

/// Writes to the file beside its store.
fn edit_live<K: Key + 'static>(
    store: &Store,
    definition: TableDefinition<'static, K, &'static [u8]>,
    at: K::SelfType<'_>,
    change: impl Fn(&mut Vec<u8>),
) {
    let transaction = store.reader().shared().begin_write().unwrap();
    let mut table = transaction.open_table(definition).unwrap();
    let mut row = table.get(&at).unwrap().unwrap().value().to_vec();
    change(&mut row);
    table.insert(at, row.as_slice()).unwrap();
    drop(table);
    transaction.commit().unwrap();
}

#[test]
fn a_fold_mends_a_damaged_row_of_open_from_the_history_and_goes_on() {
    let (disk, mut world) = filled();
    let waiting = rows(&disk, OPEN);
    let (mut store, _) = super::support::open_impatient(Medium::Backend(Box::new(disk.clone())), 0);
    for at in &waiting {
        edit_live(&store, OPEN, *at, flip_last);
    }
    for _ in 0..40 {
        world.commit(&mut store, 8).unwrap();
    }
    while store.maintain().unwrap() {}
    world.model.assert_read(&store);
    let (damaged, _) = check(&store);
    // Those that had no turn since are as they were.
    assert!(damaged.len() < waiting.len(), "{damaged:?}");
    let untouched: Vec<u64> = damaged.iter().map(|damage| damage.key.0).collect();
    for at in &untouched {
        edit_live(&store, OPEN, *at, flip_last);
    }
    drop(store);
    let (_, recovered) = open_large(&disk).unwrap();
    assert_eq!(recovered.instances, world.model.unfinished());
}

#[test]
fn a_fold_leaves_alone_what_it_cannot_mend() {
    let (disk, mut world) = filled();
    let (waiting, segments) = (rows(&disk, OPEN), rows(&disk, HISTORY));
    let (mut store, _) = super::support::open_impatient(Medium::Backend(Box::new(disk.clone())), 0);
    for at in &waiting {
        edit_live(&store, OPEN, *at, flip_last);
    }
    for at in segments {
        edit_live(&store, HISTORY, at, flip_last);
    }
    for _ in 0..10 {
        world.commit(&mut store, 8).unwrap();
    }
    while store.maintain().unwrap() {}
    drop(store);
    let error = open_large(&disk).unwrap_err().to_string();
    assert!(
        error.contains("of `open` is damaged: its checksum is wrong"),
        "{error}"
    );
}

#[test]
fn an_id_that_leads_elsewhere_is_told() {
    let (disk, _) = filled();
    let image = disk.image();
    let id: &'static [u8] = b"instance-0";
    edit(&disk, IDS, |row| row[0] ^= 2, |_| id);
    let (key, stalls, report) = the_one_found(&disk);
    assert_eq!((key, stalls), (InstanceKey(1), false));
    assert!(
        report.starts_with("row `instance-0` of `ids` is damaged: expected instance 1, found 3"),
        "{report}"
    );
    let disk = Disk::of(&image);
    remove(&disk, IDS, id);
    assert!(
        the_one_found(&disk)
            .2
            .contains("expected instance 1, found none")
    );
}

/// A page that is older than its neighbours is what it says, so only the two rows of an instance together tell.
#[test]
fn an_older_row_of_open_refuses_the_store() {
    let disk = Disk::default();
    let (mut store, _) = super::support::open_impatient(Medium::Backend(Box::new(disk.clone())), 0);
    let mut world = World::new(3);
    world.commit(&mut store, 1).unwrap();
    store.maintain().unwrap();
    let older = row_of(&store, 1);
    let mut rounds = 0;
    while row_of(&store, 1) == older {
        world.commit(&mut store, 4).unwrap();
        store.maintain().unwrap();
        rounds += 1;
        assert!(rounds < 50, "instance 1 has no second turn");
    }
    drop(store);
    edit(&disk, OPEN, |row| row.clone_from(&older), |_| 1);
    let error = open_large(&disk).unwrap_err().to_string();
    assert!(
        error.starts_with("row 1 of `open` is damaged: expected it as of event "),
        "{error}"
    );
}

fn row_of(store: &Store, key: u64) -> Vec<u8> {
    let open = store.reader().shared().open_table(OPEN).unwrap();
    open.get(key).unwrap().unwrap().value().to_vec()
}

#[test]
fn a_check_goes_on_beside_commits_and_folds_in_short_slices() {
    let disk = Disk::default();
    let (mut store, _) = super::support::open_impatient(Medium::Backend(Box::new(disk)), 3);
    let mut world = World::new(21);
    for _ in 0..400 {
        world.commit(&mut store, 12).unwrap();
    }
    let mut integrity = store.reader().integrity();
    let (mut slices, mut before) = (0, 0);
    while let Some(found) = integrity.next_slice().unwrap() {
        assert!(found.is_empty(), "{found:?}");
        assert!(integrity.rows() - before <= limits::CHECK_SLICE_ROWS);
        before = integrity.rows();
        slices += 1;
        for _ in 0..20 {
            world.commit(&mut store, 12).unwrap();
        }
    }
    assert!(
        slices > 3,
        "{slices} slices: what lies between them was not tested"
    );
    drop(store);
    let mut closed = integrity;
    assert!(closed.next_slice().unwrap().is_none(), "its end is its end");
}

#[test]
fn a_check_of_a_closed_store_says_so() {
    let (disk, world) = filled();
    let (store, _) = open_large(&disk).unwrap();
    let mut integrity = store.reader().integrity();
    store.close(world.now()).unwrap();
    assert!(matches!(integrity.next_slice(), Err(StoreError::Closed)));
}

/// Above the size, redb checks nothing when it opens. Whatever bit is wrong, what can still be read is right, or the check
/// tells of it.
#[test]
fn flipped_bits_of_a_large_file_never_give_wrong_data_unnoticed() {
    let (disk, world) = filled();
    let image = disk.image();
    let mut dice = Dice::new(77);
    let (mut refused, mut found, mut panicked) = (0, 0, 0);
    for _ in 0..150 {
        let mut image = image.clone();
        let bit = dice.below(u64::try_from(image.len()).unwrap() * 8);
        image[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        let disk = Disk::of(&image);
        let outcome = std::panic::catch_unwind(|| {
            let Ok((store, recovered)) = open_large(&disk) else {
                return 'r';
            };
            let mut integrity = store.reader().integrity();
            let mut damaged = BTreeSet::new();
            loop {
                match integrity.next_slice() {
                    Ok(Some(slice)) => damaged.extend(slice.iter().map(|damage| damage.key)),
                    Ok(None) => break,
                    // The engine would stop.
                    Err(_) => return 'r',
                }
            }
            if damaged.is_empty() {
                assert_eq!(recovered.instances, world.model.unfinished());
                world.model.assert_read(&store);
                return 'w';
            }
            'f'
        });
        match outcome {
            Ok('r') => refused += 1,
            Ok('f') => found += 1,
            Ok(_) => {}
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(!text.contains("left == right"), "{text}");
                panicked += 1;
            }
        }
    }
    assert!(
        refused + found > 10,
        "{refused} refused, {found} found, {panicked} panicked"
    );
}

fn rows<K, At>(disk: &Disk, definition: TableDefinition<'static, K, &'static [u8]>) -> Vec<At>
where
    K: for<'a> Key<SelfType<'a> = At> + 'static,
{
    let database = redb::Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    let table = transaction.open_table(definition).unwrap();
    let all = table.iter().unwrap();
    all.map(|row| row.unwrap().0.value()).collect()
}
