//! Create, append, read back; ids, builds, crash counts.

use super::support::{Disk, World, memory, open, open_disk};
use crate::clock::Timestamp;
use crate::event::encoding::samples::{activity, id, payload, started, turn};
use crate::event::{ExecutionCompleted, HistoryEvent};
use crate::failure::Outcome;
use crate::id::{BuildId, EventId, ExecutionId, InstanceKey, Sequence, SiteId};
use crate::limits;
use crate::store::{Created, Status, Store, Suspicion};

const FIRST: ExecutionId = ExecutionId::FIRST;

fn create(store: &mut Store, instance: &str) -> InstanceKey {
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    let Created::New(key) = transaction.create(started(instance, 1, 1)).unwrap() else {
        panic!("`{instance}` is new");
    };
    transaction.commit().unwrap();
    key
}

#[test]
fn what_is_committed_is_read_at_once_and_after_a_restart() {
    let disk = Disk::default();
    let (mut store, recovered) = open_disk(&disk);
    assert!(recovered.created && recovered.clean && recovered.instances.is_empty());
    assert_eq!(recovered.last_time, Timestamp(1_000));
    let mut world = World::new(1);
    for _ in 0..40 {
        world.commit(&mut store, 12).unwrap();
    }
    world.model.assert_read(&store);
    drop(store);
    let (store, recovered) = open_disk(&disk);
    world.model.assert_read(&store);
    assert_eq!(recovered.instances, world.model.unfinished());
    assert!(!recovered.created && !recovered.clean);
    assert_eq!(recovered.last_time, world.now());
}

#[test]
fn a_closed_store_opens_clean_and_remembers_its_time() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    create(&mut store, "order-1");
    let reader = store.reader();
    store.close(Timestamp(77_000)).unwrap();
    let error = reader.find(&id("order-1")).unwrap_err();
    assert_eq!(error.to_string(), "the store is closed");
    let (_, recovered) = open_disk(&disk);
    assert!(recovered.clean && !recovered.created);
    assert_eq!(recovered.last_time, Timestamp(77_000));
}

#[test]
fn a_dropped_transaction_leaves_no_trace() {
    let (mut store, _) = open(memory()).unwrap();
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    transaction.create(started("never", 1, 1)).unwrap();
    drop(transaction);
    assert_eq!(store.reader().find(&id("never")).unwrap(), None);
    let before = store.counters();
    store.begin(Timestamp(2)).unwrap().commit().unwrap();
    assert_eq!(
        store.counters(),
        before,
        "an empty transaction writes nothing"
    );
    assert_eq!(create(&mut store, "order-1"), InstanceKey(1));
}

#[test]
fn an_id_names_one_instance_in_the_same_commit_and_in_later_ones() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    let Created::New(key) = transaction.create(started("order-1", 1, 5)).unwrap() else {
        panic!("it is new");
    };
    let again = transaction.create(started("order-1", 1, 9)).unwrap();
    let Created::Existing(same, summary) = again else {
        panic!("it exists");
    };
    assert_eq!(
        (same, summary.status, summary.created_at),
        (key, Status::Pending, Timestamp(5).into())
    );
    transaction.commit().unwrap();
    for _ in 0..2 {
        let mut transaction = store.begin(Timestamp(2)).unwrap();
        let found = transaction.create(started("order-1", 1, 10)).unwrap();
        assert_eq!(found, Created::Existing(key, summary.clone()));
        drop(transaction);
        drop(store);
        store = open_disk(&disk).0;
    }
    assert_eq!(create(&mut store, "order-2"), InstanceKey(key.0 + 1));
}

#[test]
fn keys_are_never_given_twice_even_when_all_is_folded() {
    let disk = Disk::default();
    let mut last = InstanceKey(0);
    for round in 0..4 {
        let (mut store, _) = open_disk(&disk);
        let key = create(&mut store, &format!("order-{round}"));
        assert!(key > last);
        last = key;
        let mut transaction = store.begin(Timestamp(2)).unwrap();
        let outcome = Outcome::Completed(payload("done"));
        let end = HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome });
        transaction
            .append(key, FIRST, Sequence(1), &[turn(2, 1), end])
            .unwrap();
        transaction.commit().unwrap();
        while store.maintain().unwrap() {}
        assert_eq!(store.counters().log_rows, 0);
    }
}

#[test]
#[should_panic(expected = "event 3 of execution 1 does not continue the history of instance 1")]
fn a_gap_is_a_defect() {
    let (mut store, _) = open(memory()).unwrap();
    let key = create(&mut store, "order-1");
    let mut transaction = store.begin(Timestamp(2)).unwrap();
    transaction
        .append(key, FIRST, Sequence(3), &[turn(2, 1)])
        .unwrap();
}

#[test]
#[should_panic(expected = "does not continue")]
fn the_next_execution_begins_with_its_start() {
    let (mut store, _) = open(memory()).unwrap();
    let key = create(&mut store, "order-1");
    let mut transaction = store.begin(Timestamp(2)).unwrap();
    transaction
        .append(key, FIRST.next(), Sequence(0), &[turn(2, 1)])
        .unwrap();
}

#[test]
fn a_batch_is_cut_into_rows() {
    let (mut store, _) = open(memory()).unwrap();
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    for number in 0..500 {
        transaction
            .create(started(&format!("order-{number}"), 1, 1))
            .unwrap();
    }
    transaction.commit().unwrap();
    let counters = store.counters();
    assert_eq!(counters.commits, 1);
    let bytes = u64::try_from(counters.unfolded_bytes).unwrap();
    let full = u64::try_from(limits::LOG_ROW_BYTES).unwrap();
    assert_eq!(counters.log_rows, bytes.div_ceil(full), "{counters:?}");
    let large = activity(0);
    let key = store.reader().find(&id("order-7")).unwrap().unwrap();
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    let events = vec![HistoryEvent::ActivityScheduled(large); 3_000];
    transaction
        .append(key, FIRST, Sequence(1), &events)
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(store.reader().history(key, FIRST).unwrap().len(), 3_001);
}

#[test]
fn builds_are_numbered_and_places_are_kept() {
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let first = store.build(b"first").unwrap();
    let second = store.build(b"second").unwrap();
    assert_ne!(first, second);
    let commits = store.counters().commits;
    assert_eq!(store.build(b"first").unwrap(), first);
    assert_eq!(
        store.counters().commits,
        commits,
        "a known build is not written"
    );
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    for place in ["src/shop.rs:7:5", "elsewhere"] {
        transaction.place(first, SiteId(9), place);
    }
    transaction.place(first, SiteId(0), "the number of the build itself");
    transaction.commit().unwrap();
    drop(store);
    let (mut store, _) = open_disk(&disk);
    assert_eq!(store.build(b"second").unwrap(), second);
    let place = |site| store.reader().place(first, SiteId(site)).unwrap();
    assert_eq!(place(9).as_deref(), Some("src/shop.rs:7:5"));
    assert_eq!((place(0), place(8)), (None, None));
}

#[test]
fn suspicions_are_kept_until_they_are_cleared() {
    let suspicion = |deaths| Suspicion {
        deaths,
        alone: 1,
        on_trial: deaths == 2,
        build: BuildId(1),
    };
    let disk = Disk::default();
    let (mut store, _) = open_disk(&disk);
    let (one, two) = (create(&mut store, "one"), create(&mut store, "two"));
    let mut transaction = store.begin(Timestamp(1)).unwrap();
    transaction.set_suspect(one, None, suspicion(1));
    transaction.set_suspect(one, Some(EventId(4)), suspicion(2));
    transaction.set_suspect(two, Some(EventId(0)), suspicion(3));
    transaction.set_suspect(two, Some(EventId(1)), suspicion(4));
    transaction.commit().unwrap();
    drop(store);
    let (mut store, recovered) = open_disk(&disk);
    let kept: Vec<_> = recovered.suspects.into_iter().collect();
    let expected = [
        ((one, None), suspicion(1)),
        ((one, Some(EventId(4))), suspicion(2)),
        ((two, Some(EventId(0))), suspicion(3)),
        ((two, Some(EventId(1))), suspicion(4)),
    ];
    assert_eq!(kept, expected);
    let clear = |store: &mut Store| {
        let mut transaction = store.begin(Timestamp(1)).unwrap();
        transaction.clear_suspects(one);
        transaction.clear_suspect(two, Some(EventId(1)));
        transaction.clear_suspect(two, None);
        transaction.commit().unwrap();
        store.counters().commits
    };
    let commits = clear(&mut store);
    assert_eq!(
        clear(&mut store),
        commits,
        "there was nothing left to clear"
    );
    drop(store);
    let (_, recovered) = open_disk(&disk);
    assert_eq!(
        recovered.suspects.into_iter().collect::<Vec<_>>(),
        expected[2..3]
    );
}
