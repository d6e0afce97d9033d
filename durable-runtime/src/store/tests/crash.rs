//! Power cuts: at any operation on the disk, what was not synced may be there, in part, or not at all.
//!
//! A workload runs on a disk that keeps a journal of its operations. Then images are built of what could be left at some
//! of them, and each must open and hold what was acknowledged by then, or that and the commit on its way; never less, never a mixture.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::faulty::{Fault, Faulty, Operation, apply};
use super::support::{Dice, Disk, World, open_impatient};
use crate::store::{Medium, Store, StoreError};

/// A disk that notes down what is done to it.
#[derive(Debug, Clone, Default)]
struct Journal {
    disk: Disk,
    operations: Arc<Mutex<Vec<Operation>>>,
}

impl Journal {
    fn note(&self, operation: Operation) {
        self.operations.lock().unwrap().push(operation);
    }

    fn length(&self) -> usize {
        self.operations.lock().unwrap().len()
    }

    /// What could be on the disk if the power went after `cut` operations.
    fn image(&self, cut: usize, base: &[u8], dice: &mut Dice) -> Vec<u8> {
        let operations = self.operations.lock().unwrap();
        let is_sync = |operation: &Operation| matches!(operation, Operation::Sync);
        let synced = operations[..cut].iter().rposition(is_sync).unwrap_or(0);
        let mut image = base.to_vec();
        for operation in &operations[..synced] {
            apply(&mut image, operation, |_| true);
        }
        // All that was issued, nothing of it, or some sectors.
        let luck = dice.below(4);
        for operation in &operations[synced..cut] {
            apply(&mut image, operation, |dice_of_sector| match luck {
                0 => true,
                1 => false,
                _ => dice.below(luck) + dice_of_sector % 2 == 0,
            });
        }
        image
    }
}

impl StorageBackend for Journal {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.note(Operation::SetLen(length));
        self.disk.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(Operation::Sync);
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Operation::Write(offset, data.to_vec()));
        self.disk.write(offset, data)
    }
}

/// A workload that ran, and what had been acknowledged after how many operations.
struct Trace {
    base: Vec<u8>,
    journal: Journal,
    acknowledged: Vec<(usize, World)>,
}

impl Trace {
    /// Goes on from an image of a store that holds `world`.
    fn run(base: Vec<u8>, mut world: World, commits: usize, patience: u64) -> Self {
        let disk = Disk::of(&base);
        let journal = Journal {
            disk,
            ..Journal::default()
        };
        let (mut store, _) = open_impatient(Medium::Backend(Box::new(journal.clone())), patience);
        let mut acknowledged = vec![(
            if base.is_empty() { journal.length() } else { 0 },
            world.clone(),
        )];
        for number in 0..commits {
            world.commit(&mut store, 8).unwrap();
            acknowledged.push((journal.length(), world.clone()));
            if number % 4 == 3 {
                store.maintain().unwrap();
            }
        }
        store.close(world.now()).unwrap();
        Self {
            base,
            journal,
            acknowledged,
        }
    }

    /// A crash somewhere: the image, and the worlds it may hold.
    fn crash(&self, dice: &mut Dice) -> (Vec<u8>, &[(usize, World)]) {
        let first = self.acknowledged[0].0;
        let choices = u64::try_from(self.journal.length() - first).unwrap();
        let cut = first + usize::try_from(dice.below(choices + 1)).unwrap();
        let known = self
            .acknowledged
            .partition_point(|(length, _)| *length <= cut)
            - 1;
        let last = (known + 2).min(self.acknowledged.len());
        (
            self.journal.image(cut, &self.base, dice),
            &self.acknowledged[known..last],
        )
    }
}

/// Opens an image; it must hold one of `worlds`, all of it, and go on. Returns which.
fn recover(image: &[u8], worlds: &[(usize, World)], context: &str) -> World {
    let (mut store, recovered) = open_impatient(Medium::Backend(Box::new(Disk::of(image))), 6);
    assert!(!recovered.created, "{context}");
    let held = worlds
        .iter()
        .map(|(_, world)| world)
        .find(|world| holds(&store, world));
    let mut world = held
        .unwrap_or_else(|| panic!("{context}: the store holds neither world"))
        .clone();
    assert_eq!(recovered.instances, world.model.unfinished(), "{context}");
    assert_eq!(recovered.sent, world.sent(), "{context}");
    let found = world.clone();
    world.commit(&mut store, 8).unwrap();
    store.maintain().unwrap();
    world.model.assert_read(&store);
    found
}

fn holds(store: &Store, world: &World) -> bool {
    let next_key = store.next_key - 1;
    let reader = store.reader();
    let is_whole = world.model.0.iter().all(|(key, executions)| {
        reader.summary(*key).unwrap().as_ref() == Some(&world.model.summary(*key))
            && reader.last_history(*key).unwrap().as_ref() == executions.last()
    });
    let is_gone = |key: &crate::id::InstanceKey| reader.summary(*key).unwrap().is_none();
    is_whole
        && world.model.1.keys().all(is_gone)
        && next_key == u64::try_from(world.model.created()).unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_and_a_second_one() {
    let mut in_flight = 0;
    for seed in 0..6 {
        let trace = Trace::run(
            Vec::new(),
            World::reaping(seed),
            24,
            [9_999, 6, 0][usize::try_from(seed % 3).unwrap()],
        );
        let mut dice = Dice::new(seed + 100);
        for number in 0..40 {
            let (image, worlds) = trace.crash(&mut dice);
            let context = format!("seed {seed}, image {number}");
            let world = recover(&image, worlds, &context);
            in_flight += u32::from(world.model != worlds[0].1.model);
            if number % 8 == 0 {
                let second = Trace::run(image, world, 3, 2);
                for again in 0..4 {
                    let (image, worlds) = second.crash(&mut dice);
                    recover(&image, worlds, &format!("{context}, second {again}"));
                }
            }
        }
    }
    assert!(
        in_flight > 0,
        "no image held the commit on its way, so that was not tested"
    );
}

#[test]
fn every_commit_has_two_phases() {
    let journal = Journal::default();
    // Without quick repair, which would bring a second phase with it.
    let (mut store, _) = open_impatient(Medium::Backend(Box::new(journal.clone())), 9);
    let mut world = World::new(1);
    // The first one after a quick repair also marks the file as in need of a slow one.
    world.commit(&mut store, 4).unwrap();
    for _ in 0..3 {
        let before = journal.length();
        world.commit(&mut store, 4).unwrap();
        let operations = journal.operations.lock().unwrap();
        let is_sync = |operation: &&Operation| matches!(operation, Operation::Sync);
        assert_eq!(operations[before..].iter().filter(is_sync).count(), 2);
    }
}

#[test]
fn a_full_disk_ends_all_writing_and_loses_nothing() {
    let disk = Faulty::new(Fault::Full);
    let (mut store, _) = open_impatient(disk.medium(), 6);
    let mut world = World::new(5);
    for _ in 0..6 {
        world.commit(&mut store, 8).unwrap();
    }
    disk.fail_after(0);
    let first = world.clone().commit(&mut store, 8).unwrap_err();
    assert!(first.is_full(), "{first:?}");
    let second = world.clone().commit(&mut store, 8).unwrap_err();
    let text = second.to_string();
    assert!(!second.is_full(), "{second:?}");
    assert!(
        text.contains("no more writes after this: ") && text.contains("I/O error"),
        "{text}"
    );
    assert!(matches!(store.maintain(), Err(StoreError::Broken { .. })));
    world.model.assert_read(&store);
    drop(store);
    disk.mend();
    let (store, recovered) = open_impatient(disk.medium(), 6);
    assert_eq!(recovered.instances, world.model.unfinished());
    world.model.assert_read(&store);
}

#[test]
fn no_failing_operation_loses_what_was_acknowledged() {
    let mut failed = 0;
    for fault in [Fault::Full, Fault::LostSync] {
        for after in 0..90 {
            let disk = Faulty::new(fault);
            let (mut store, _) = open_impatient(disk.medium(), 4);
            let mut world = World::reaping(after);
            for _ in 0..4 {
                world.commit(&mut store, 6).unwrap();
            }
            disk.fail_after(after);
            let mut before = world.clone();
            let is_failed = (0..4).any(|_| {
                before = world.clone();
                world.commit(&mut store, 6).is_err()
            });
            failed += u32::from(is_failed);
            drop(store);
            disk.mend();
            let worlds = [(0, before), (0, world)];
            recover(&disk.image(), &worlds, &format!("{fault:?} after {after}"));
        }
    }
    assert!(failed > 60, "{failed} runs met a fault");
}
