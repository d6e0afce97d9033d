//! Bytes that are not what was written are refused; they never become a wrong history.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::support::{Dice, Disk, World, open, open_disk, open_impatient};
pub(crate) use crate::store::schema::{HISTORY, INSTANCES};
use crate::store::schema::{LOG, META, META_FORMAT, OPEN};
use crate::store::{Medium, Store, StoreError};

/// A store with rows in every table.
pub(crate) fn filled() -> (Disk, World) {
    let disk = Disk::default();
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), 6);
    let mut world = World::new(11);
    for _ in 0..30 {
        world.commit(&mut store, 8).unwrap();
    }
    store.close(world.now()).unwrap();
    (disk, world)
}

pub(crate) fn edit<K: redb::Key + 'static>(
    disk: &Disk,
    definition: TableDefinition<'static, K, &'static [u8]>,
    change: impl Fn(&mut Vec<u8>),
    which: impl for<'a> Fn(&redb::Table<'a, K, &'static [u8]>) -> K::SelfType<'static>,
) {
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(definition).unwrap();
    let key = which(&table);
    let mut value = table.get(&key).unwrap().unwrap().value().to_vec();
    change(&mut value);
    table.insert(key, value.as_slice()).unwrap();
    drop(table);
    transaction.commit().unwrap();
}

pub(crate) fn remove<K: redb::Key + 'static>(
    disk: &Disk,
    definition: TableDefinition<'static, K, &'static [u8]>,
    row: K::SelfType<'_>,
) {
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(definition).unwrap();
    assert!(table.remove(row).unwrap().is_some());
    drop(table);
    transaction.commit().unwrap();
}

#[expect(clippy::ptr_arg, reason = "it is passed as a change of a row")]
pub(crate) fn flip_last(value: &mut Vec<u8>) {
    *value.last_mut().unwrap() ^= 1;
}

fn refusal(disk: &Disk) -> String {
    match open(Medium::Backend(Box::new(disk.clone()))) {
        Ok(_) => panic!("a damaged store was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_flipped_byte_in_the_log_refuses_the_store() {
    let (disk, _) = filled();
    edit(&disk, LOG, flip_last, |table| {
        table.first().unwrap().unwrap().0.value()
    });
    let error = refusal(&disk);
    assert!(error.starts_with("row "), "{error}");
    assert!(
        error.contains("of `log`, byte ")
            && error.contains("is damaged: its checksum is wrong; bring"),
        "{error}"
    );
}

#[test]
fn a_missing_row_of_the_log_refuses_the_store() {
    let (disk, _) = filled();
    let image = disk.image();
    let first = remove_row(&disk, |first, _| first + 1) - 1;
    let error = refusal(&disk);
    let expected = format!("expected row {}, found row {}", first + 1, first + 2);
    assert!(error.contains(&expected), "{error}");
    let disk = Disk::of(&image);
    let last = remove_row(&disk, |_, last| last);
    let error = refusal(&disk);
    assert!(error.contains(&format!("row {last} is missing")), "{error}");
}

fn remove_row(disk: &Disk, which: impl Fn(u64, u64) -> u64) -> u64 {
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let mut log = transaction.open_table(LOG).unwrap();
    let first = log.first().unwrap().unwrap().0.value();
    let last = log.last().unwrap().unwrap().0.value();
    assert!(last > first + 1, "the log is too short for this test");
    let row = which(first, last);
    assert!(log.remove(row).unwrap().is_some());
    drop(log);
    transaction.commit().unwrap();
    row
}

#[test]
fn a_damaged_open_or_instance_row_of_a_waiting_instance_refuses_the_store() {
    let (disk, _) = filled();
    let image = disk.image();
    edit(&disk, OPEN, flip_last, |table| {
        table.first().unwrap().unwrap().0.value()
    });
    assert!(refusal(&disk).contains("of `open` is damaged: its checksum is wrong"));
    let disk = Disk::of(&image);
    let waiting = waiting(&disk);
    edit(&disk, INSTANCES, flip_last, |_| waiting);
    assert!(refusal(&disk).contains("of `instances` is damaged: its checksum is wrong"));
}

fn waiting(disk: &Disk) -> u64 {
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let open = database.begin_read().unwrap().open_table(OPEN).unwrap();
    ReadableTable::first(&open).unwrap().unwrap().0.value()
}

#[test]
fn a_damaged_segment_harms_its_instance_alone() {
    let (disk, world) = filled();
    edit(&disk, HISTORY, flip_last, |table| {
        table.first().unwrap().unwrap().0.value()
    });
    let (store, _) = open_disk(&disk);
    let (damaged, whole) = histories(&store, &world);
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(whole > 5);
    let error = damaged[0].to_string();
    assert!(
        error.contains("the history of instance 1, execution 1, from event")
            && error.contains("is damaged: its checksum is wrong"),
        "{error}"
    );
}

#[test]
fn a_segment_in_the_wrong_place_is_damage() {
    let (disk, world) = filled();
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let mut history = transaction.open_table(HISTORY).unwrap();
    let read = history.first().unwrap().unwrap();
    let (first, segment) = (read.0.value(), read.1.value().to_vec());
    drop(read);
    let of_another = |row: &(u64, u32, u32)| row.0 != first.0;
    let mut rows = history.iter().unwrap().map(|row| row.unwrap().0.value());
    let place = rows.find(of_another).unwrap();
    drop(rows);
    history.insert(place, segment.as_slice()).unwrap();
    drop(history);
    transaction.commit().unwrap();
    drop(database);
    let (store, _) = open_disk(&disk);
    let (damaged, _) = histories(&store, &world);
    assert_eq!(damaged.len(), 1);
    assert!(
        damaged[0]
            .to_string()
            .contains(&format!("found event 0 of instance {}", first.0)),
        "{}",
        damaged[0]
    );
}

/// The histories that cannot be read, and how many can; those that can are right.
fn histories(store: &Store, world: &World) -> (Vec<StoreError>, usize) {
    let mut damaged = Vec::new();
    let mut whole = 0;
    for (key, executions) in &world.model.0 {
        match store.reader().last_history(*key) {
            Ok(read) => {
                assert_eq!(read.as_ref(), executions.last());
                whole += 1;
            }
            Err(error) => damaged.push(error),
        }
    }
    (damaged, whole)
}

#[test]
fn a_later_format_is_refused_by_name() {
    let (disk, _) = filled();
    edit(&disk, META, |value| *value = vec![2], |_| META_FORMAT);
    let error = refusal(&disk);
    assert!(
        error.starts_with("the store has format 2, and this build reads up to 1; open it with"),
        "{error}"
    );
}

#[test]
fn flipped_bits_of_the_file_never_give_wrong_data() {
    let (disk, world) = filled();
    let image = disk.image();
    let mut dice = Dice::new(9);
    let mut refused = 0;
    for _ in 0..60 {
        let mut image = image.clone();
        let bits = u64::try_from(image.len()).unwrap() * 8;
        let bit = dice.below(bits);
        image[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        match open(Medium::Backend(Box::new(Disk::of(&image)))) {
            Ok((store, recovered)) => {
                assert_eq!(recovered.instances, world.model.unfinished());
                world.model.assert_read(&store);
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0, "no flipped bit was noticed");
}

#[test]
fn another_database_is_refused() {
    let disk = Disk::default();
    let database = Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = database.begin_write().unwrap();
    let table: TableDefinition<'_, u64, u64> = TableDefinition::new("meta");
    transaction.open_table(table).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refusal(&disk);
    assert!(
        error.contains("is not a store of durable functions: another redb database"),
        "{error}"
    );
}
