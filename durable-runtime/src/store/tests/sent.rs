//! Events on their way: kept until they arrive, whatever happens to the process, and in the order of their sender.

use redb::ReadableTable;

use crate::clock::Timestamp;
use crate::event::encoding::samples::started;
use crate::id::InstanceKey;
use crate::store::schema::SENT;
use crate::store::tests::support::{Disk, memory, open, open_disk, sent};
use crate::store::{Created, Medium, Sent, Store};

fn commit(store: &mut Store, put: &[&Sent], taken: &[&Sent]) {
    let mut transaction = store.begin(Timestamp(2_000)).unwrap();
    for sent in put {
        transaction.send(sent).unwrap();
    }
    for sent in taken {
        transaction.arrived(sent.by);
    }
    transaction.commit().unwrap();
}

#[test]
fn an_event_is_found_at_every_opening_until_it_has_arrived() {
    let disk = Disk::default();
    let (mut store, recovered) = open_disk(&disk);
    assert_eq!(recovered.sent, []);
    // Of two senders, out of order: those of each come back in order.
    let (a, b, c) = (
        sent(InstanceKey(1), 300),
        sent(InstanceKey(1), 2),
        sent(InstanceKey(2), 0),
    );
    commit(&mut store, &[&c, &a, &b], &[]);
    for _ in 0..2 {
        drop(store);
        let (again, recovered) = open_disk(&disk);
        assert_eq!(recovered.sent, [b.clone(), a.clone(), c.clone()]);
        store = again;
    }
    commit(&mut store, &[], &[&a]);
    store.close(Timestamp(3_000)).unwrap();
    let (mut store, recovered) = open_disk(&disk);
    assert_eq!(recovered.sent, [b.clone(), c.clone()]);
    commit(&mut store, &[], &[&b, &c]);
    drop(store);
    assert_eq!(open_disk(&disk).1.sent, []);
}

#[test]
fn what_is_sent_and_arrives_in_one_commit_leaves_nothing() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let event = sent(InstanceKey(1), 0);
    commit(&mut store, &[&event], &[&event]);
    drop(store);
    assert_eq!(open_disk(&disk).1.sent, []);
}

#[test]
fn a_dropped_transaction_sends_nothing() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let mut transaction = store.begin(Timestamp(2_000)).unwrap();
    transaction.send(&sent(InstanceKey(1), 0)).unwrap();
    drop(transaction);
    drop(store);
    assert_eq!(open_disk(&disk).1.sent, []);
}

/// A store that was made before there was such a table.
#[test]
fn a_store_without_the_table_opens_and_gets_it_with_the_first_event() {
    let disk = Disk::default();
    let (store, _) = open_disk(&disk);
    let transaction = store.reader().shared().begin_write().unwrap();
    assert!(transaction.delete_table(SENT).unwrap());
    transaction.commit().unwrap();
    drop(store);
    let (mut store, recovered) = open_disk(&disk);
    assert_eq!(recovered.sent, []);
    let event = sent(InstanceKey(1), 0);
    commit(&mut store, &[&event], &[]);
    drop(store);
    assert_eq!(open_disk(&disk).1.sent, [event]);
}

#[test]
fn a_damaged_row_refuses_the_store_and_is_named() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let event = sent(InstanceKey(1), 7);
    commit(&mut store, &[&event], &[]);
    let transaction = store.reader().shared().begin_write().unwrap();
    let mut table = transaction.open_table(SENT).unwrap();
    let mut row = table.get((1, 1, 7)).unwrap().unwrap().value().to_vec();
    *row.last_mut().unwrap() ^= 1;
    table.insert((1, 1, 7), row.as_slice()).unwrap();
    drop(table);
    transaction.commit().unwrap();
    drop(store);
    let error = open(Medium::Backend(Box::new(disk))).unwrap_err();
    assert!(error.to_string().contains("`sent`"), "{error}");
}

#[test]
fn an_instance_is_looked_up_as_of_the_transaction() {
    let (mut store, _) = open(memory()).unwrap();
    let mut transaction = store.begin(Timestamp(2_000)).unwrap();
    let begun = started("order", 1, 5);
    let id = begun.instance.clone();
    assert!(transaction.look_up(&id).unwrap().is_none());
    let Created::New(key) = transaction.create(begun).unwrap() else {
        panic!("there was none");
    };
    let (found, summary) = transaction.look_up(&id).unwrap().unwrap();
    assert_eq!((found, &summary.id), (key, &id));
}
