//! Damage is told and stalls whom it concerns; everybody else goes on.

use std::sync::Arc;
use std::time::Duration;

use redb::{ReadableTable, StorageBackend, TableDefinition};
use serde_json::{Value, json};

use super::{flows, large, open, open_keeping, start_waiting, until};
use crate::Stalled;
use crate::client::{LookupError, RaiseError, StartError, WaitError};
use crate::clock::Timestamp;
use crate::engine::message::{Incoming, ShardInput};
use crate::engine::{Engine, integrity, recovery};
use crate::event::encoding::samples::{child, id, payload, started, turn};
use crate::event::{ExecutionCompleted, HistoryEvent, Parent, StallReason};
use crate::failure::Outcome;
use crate::id::{BuildId, ExecutionId, InstanceKey, Sequence};
use crate::limits;
use crate::named;
use crate::store::tests::damage::{HISTORY, INSTANCES, edit, flip_last};
use crate::store::tests::support::{Disk, impatient, open_impatient};
use crate::store::{Medium, Status, StoreError, StoreOptions};

async fn open_disk(disk: &Disk, store: StoreOptions) -> Engine {
    let medium = Medium::Backend(Box::new(disk.clone()));
    open(medium, store, flows()).await.unwrap()
}

/// Instances 1 and 2 wait, 3 has ended; all is folded, and the store is closed.
async fn filled() -> Disk {
    let disk = Disk::default();
    let engine = open_disk(&disk, impatient(0)).await;
    for id in ["first", "second", "third"] {
        start_waiting(&engine, id).await;
    }
    finish(&engine, "third").await;
    until(async || engine.counters().unfolded_bytes == 0).await;
    engine.shutdown().await;
    disk
}

async fn finish(engine: &Engine, id: &str) {
    let instance = engine.instance(id).await.unwrap().unwrap();
    instance.raise(&named::event("go"), json!(2)).await.unwrap();
    assert_eq!(instance.wait().await.unwrap().status, Status::Completed);
}

/// Flips a bit in the first segment of an instance; a second time, it flips it back.
fn damage_history(disk: &Disk, instance: u64) {
    edit(disk, HISTORY, flip_last, |_| (instance, 1, 0));
}

/// The segments of an instance as they are on the disk.
fn segments(disk: &Disk, instance: u64) -> Vec<(u32, Vec<u8>)> {
    let database = redb::Database::builder()
        .create_with_backend(disk.clone())
        .unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    let history = transaction.open_table(HISTORY).unwrap();
    let all = history.range((instance, 1, 0)..(instance, 2, 0)).unwrap();
    all.map(|row| {
        let (at, segment) = row.unwrap();
        (at.value().2, segment.value().to_vec())
    })
    .collect()
}

/// Waits for a stall and returns its report.
async fn stalled(engine: &Engine, id: &str) -> String {
    let instance = engine.instance(id).await.unwrap().unwrap();
    let mut seen = instance.summary().await.unwrap();
    while seen.status != Status::Stalled {
        let changed = tokio::time::timeout(super::PATIENCE, instance.changed(&seen));
        seen = changed.await.unwrap().unwrap();
    }
    let Stalled { reason, report, .. } = seen.stalled.unwrap();
    assert_eq!(reason, StallReason::Damaged);
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_limit_a_damaged_history_stalls_its_instance_and_no_other() {
    let disk = filled().await;
    damage_history(&disk, 1);
    let before = segments(&disk, 1);
    let engine = open_disk(&disk, large()).await;
    let report = stalled(&engine, "first").await;
    assert!(
        report.starts_with("the history of instance 1, execution 1, from event ")
            && report.contains("is damaged: its checksum is wrong"),
        "{report}"
    );
    finish(&engine, "second").await;

    let instance = engine.instance("first").await.unwrap().unwrap();
    let history = instance.history().await.unwrap_err();
    assert!(
        matches!(&history, LookupError::Store(StoreError::Damaged { .. })),
        "{history:?}"
    );
    assert_eq!(history.to_string(), report);
    // What reaches it is kept, behind what is damaged.
    instance.raise(&named::event("go"), json!(2)).await.unwrap();
    let events = instance.summary().await.unwrap().events;
    until(async || engine.counters().unfolded_bytes == 0).await;
    engine.shutdown().await;
    let after = segments(&disk, 1);
    assert_eq!(after[..before.len()], before, "nothing is written over");
    assert!(after.len() > before.len());

    // A restart finds the same and records nothing new.
    let engine = open_disk(&disk, large()).await;
    assert_eq!(stalled(&engine, "first").await, report);
    let instance = engine.instance("first").await.unwrap().unwrap();
    until(async || engine.counters().unfolded_bytes == 0).await;
    assert_eq!(instance.summary().await.unwrap().events, events);
    engine.shutdown().await;

    damage_history(&disk, 1);
    let engine = open_disk(&disk, large()).await;
    let instance = engine.instance("first").await.unwrap().unwrap();
    assert_eq!(instance.wait().await.unwrap().status, Status::Completed);
    let history = instance.history().await.unwrap();
    let is_stall = |event: &&HistoryEvent| matches!(event, HistoryEvent::ExecutionStalled(_));
    assert_eq!(history.iter().filter(is_stall).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_instance_whose_history_is_damaged_stalls_in_the_words_of_its_reader() {
    let disk = filled().await;
    damage_history(&disk, 2);
    // The integrity of the pages is right, so the file is opened; whoever reads the history finds it.
    let engine = open_disk(&disk, impatient(0)).await;
    let second = engine.instance("second").await.unwrap().unwrap();
    second.raise(&named::event("go"), json!(2)).await.unwrap();
    let report = stalled(&engine, "second").await;
    let history = second.history().await.unwrap_err();
    assert_eq!(history.to_string(), report);
    finish(&engine, "first").await;
    assert!(!engine.hub.is_stopped());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_of_an_ended_instance_says_so_and_harms_nobody() {
    let disk = filled().await;
    damage_history(&disk, 3);
    let engine = open_disk(&disk, large()).await;
    let third = engine.instance("third").await.unwrap().unwrap();
    assert_eq!(third.status().await.unwrap(), Status::Completed);
    let history = third.history().await.unwrap_err().to_string();
    assert!(
        history.starts_with("the history of instance 3, execution 1, from event ")
            && history.contains("is damaged: its checksum is wrong"),
        "{history}"
    );
    finish(&engine, "first").await;
    finish(&engine, "second").await;
    assert_eq!(third.wait().await.unwrap().status, Status::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_of_an_ended_instance_is_an_error_of_those_who_ask_for_it() {
    let disk = filled().await;
    edit(&disk, INSTANCES, flip_last, |_| 3);
    let engine = open_disk(&disk, large()).await;
    let third = engine.instance("third").await.unwrap().unwrap();
    let is_damage = |error: &StoreError| {
        let text = error.to_string();
        text.starts_with("row 3 of `instances` is damaged: its checksum is wrong")
    };
    assert!(matches!(third.summary().await, Err(LookupError::Store(error)) if is_damage(&error)));
    assert!(matches!(third.wait().await, Err(WaitError::Store(error)) if is_damage(&error)));
    let again = engine
        .start(named::orchestrator("flow", &Value::Null))
        .id("third")
        .await;
    assert!(matches!(again, Err(StartError::Store(error)) if is_damage(&error)));
    let raised = third.raise(&named::event("go"), json!(2)).await;
    let Err(RaiseError::Damaged { id, report }) = raised else {
        panic!("{raised:?}");
    };
    assert_eq!(id, "third");
    assert!(
        report.starts_with("row 3 of `instances` is damaged"),
        "{report}"
    );
    finish(&engine, "first").await;
}

/// Writes to the file beside the running engine.
fn edit_live(engine: &Engine, definition: TableDefinition<'static, u64, &'static [u8]>, key: u64) {
    let transaction = engine.hub.reviver.reader.shared().begin_write().unwrap();
    let mut table = transaction.open_table(definition).unwrap();
    let mut row = table.get(key).unwrap().unwrap().value().to_vec();
    flip_last(&mut row);
    table.insert(key, row.as_slice()).unwrap();
    drop(table);
    transaction.commit().unwrap();
}

/// Not even a stall can be recorded of an instance whose own row is damaged: it stands still, and the next opening of the store
/// says why.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_whose_own_row_is_damaged_while_it_waits_stands_still_alone() {
    for live_bytes in [limits::LIVE_BYTES_MAX, 0] {
        let disk = Disk::default();
        let medium = Medium::Backend(Box::new(disk.clone()));
        let engine = open_keeping(medium, impatient(0), flows(), live_bytes);
        let engine = engine.await.unwrap();
        for id in ["first", "second"] {
            start_waiting(&engine, id).await;
        }
        edit_live(&engine, INSTANCES, 1);
        let first = engine.instance("first").await.unwrap().unwrap();
        for _ in 0..2 {
            let raised = first.raise(&named::event("go"), json!(2));
            let raised = tokio::time::timeout(super::PATIENCE, raised);
            let raised = raised.await.unwrap();
            assert!(
                matches!(raised, Err(RaiseError::Damaged { .. })),
                "{raised:?}"
            );
        }
        finish(&engine, "second").await;
        // Sooner than the grace that running activities get: nothing is waited for.
        let stopped = tokio::time::timeout(Duration::from_secs(4), engine.shutdown());
        stopped.await.unwrap();
        let medium = Medium::Backend(Box::new(disk.clone()));
        let error = open(medium, large(), flows())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("row 1 of `instances` is damaged: its checksum is wrong"),
            "{error}"
        );
        edit(&disk, INSTANCES, flip_last, |_| 1);
        let engine = open_disk(&disk, large()).await;
        finish(&engine, "first").await;
    }
}

/// A store in which instance 1 waits for instance 2, its child, which has ended; all is folded but that it was told.
fn waiting_for_an_ended_child() -> Disk {
    let disk = Disk::default();
    let medium = Medium::Backend(Box::new(disk.clone()));
    let (mut store, _) = open_impatient(medium, 0);
    let mut transaction = store.begin(Timestamp(1_000)).unwrap();
    let (parent, scheduled) = (InstanceKey(1), child(0));
    let mut start = started(scheduled.instance.as_str(), 1, 1_000);
    start.parent = Some(Parent {
        instance: id("parent"),
        key: parent,
        execution: ExecutionId::FIRST,
        scheduled: scheduled.id,
    });
    transaction.create(started("parent", 1, 1_000)).unwrap();
    transaction.create(start).unwrap();
    let events = [turn(1_000, 1), HistoryEvent::ChildScheduled(scheduled)];
    let first = ExecutionId::FIRST;
    (transaction.append(parent, first, Sequence(1), &events)).unwrap();
    let outcome = Outcome::Completed(payload("done"));
    let events = [
        turn(1_000, 1),
        HistoryEvent::ExecutionCompleted(ExecutionCompleted { outcome }),
    ];
    (transaction.append(InstanceKey(2), first, Sequence(1), &events)).unwrap();
    transaction.commit().unwrap();
    while store.maintain().unwrap() {}
    store.close(Timestamp(1_000)).unwrap();
    disk
}

#[test]
fn a_parent_whose_child_cannot_be_read_stalls_and_the_store_opens() {
    let disk = waiting_for_an_ended_child();
    let image = disk.image();
    edit(&disk, INSTANCES, flip_last, |_| 2);
    let planned = |disk: Disk| {
        let medium = Medium::Backend(Box::new(disk));
        let (store, recovered) = open_impatient(medium, 0);
        let plan =
            recovery::plan(&recovered, &store.reader(), BuildId(1), Timestamp(1_000)).unwrap();
        plan.effects.to_shards
    };
    let inputs = planned(disk);
    let [ShardInput::Incoming(InstanceKey(1), Incoming::Stall { reason, report, .. })] =
        &inputs[..]
    else {
        panic!("{inputs:?}");
    };
    assert_eq!(*reason, StallReason::Damaged);
    assert!(
        report.contains("row 2 of `instances` is damaged"),
        "{report}"
    );
    let inputs = planned(Disk::of(&image));
    let [ShardInput::Incoming(InstanceKey(1), Incoming::Arrival { event, .. })] = &inputs[..]
    else {
        panic!("{inputs:?}");
    };
    assert!(
        matches!(event, HistoryEvent::ChildCompleted(_)),
        "{event:?}"
    );
}

/// In a page that is no page any more the database panics, and whatever it did next would be built on sand.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_which_the_database_loses_its_way_stops_the_engine_and_says_so() {
    let disk = filled().await;
    let engine = open_disk(&disk, impatient(0)).await;
    for number in 0..60 {
        start_waiting(&engine, &format!("more-{number}")).await;
    }
    engine.shutdown().await;
    let image = disk.image();
    let mut stopped = 0;
    for page in (1..image.len() / PAGE).step_by(3) {
        let disk = Disk::of(&image);
        let uncached = StoreOptions {
            cache_bytes: 0,
            ..large()
        };
        let engine = open_disk(&disk, uncached).await;
        let offset = u64::try_from(page * PAGE).unwrap();
        disk.write(offset, &[0xa5; PAGE]).unwrap();
        let hub = Arc::clone(&engine.hub);
        let check = move || integrity::check(&hub, hub.reviver.reader.integrity());
        tokio::task::spawn_blocking(check).await.unwrap();
        stopped += u32::from(engine.hub.is_stopped());
        assert_ends(&engine, page).await;
    }
    assert!(stopped > 0, "no check met such a page");
}

const PAGE: usize = 4096;

/// Whatever becomes of an engine whose file is damaged, nobody waits for it for ever.
async fn assert_ends(engine: &Engine, page: usize) {
    let ended = tokio::time::timeout(super::PATIENCE, async {
        let started = engine
            .start(named::orchestrator("flow", &Value::Null))
            .await;
        if let Ok(instance) = started
            && instance.raise(&named::event("go"), json!(2)).await.is_ok()
        {
            drop(instance.wait().await);
        }
        engine.shutdown().await;
    });
    ended
        .await
        .unwrap_or_else(|_| panic!("page {page} makes somebody wait for ever"));
    let reason = engine.hub.reason().to_string();
    let told = ["damaged", "database", "panicked", "was shut down"];
    assert!(told.iter().any(|text| reason.contains(text)), "{reason}");
}
