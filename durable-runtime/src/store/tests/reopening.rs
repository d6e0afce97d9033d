//! Opening the file again in the process that could not write it.

use super::faulty::{Fault, Faulty};
use super::support::{World, open};
use crate::clock::{SystemEntropy, Timestamp};
use crate::store::{Medium, StoreError};

/// It was tried again, as if only room had been wanting.
#[test]
fn a_sync_that_does_not_succeed_while_the_file_is_opened_again_is_no_full_disk() {
    let mut syncs = 0;
    for after in 0.. {
        let disk = Faulty::new(Fault::Full);
        let (mut store, _) = open(Medium::Renewed(disk.clone())).unwrap();
        let mut world = World::new(7);
        disk.fail_after(0);
        assert!(world.commit(&mut store, 1).unwrap_err().is_full());
        disk.fail_after(after);
        let medium = Medium::Renewed(disk.clone());
        let reopened = store.reopen(medium, Timestamp::default(), &SystemEntropy);
        let Err(error) = reopened else {
            break;
        };
        let is_sync = disk.began_with_sync().unwrap();
        syncs += usize::from(is_sync);
        assert_eq!(error.is_full(), !is_sync, "after {after}: {error:?}");
    }
    assert!(syncs > 0);
}

/// All instances would have been gone, and the numbers of the live ones given to others.
#[test]
fn another_store_in_the_place_of_the_file_is_not_gone_on_with() {
    let path = std::env::temp_dir().join(format!("durable-reopening-{}", std::process::id()));
    let (mut store, _) = open(Medium::File(path.clone())).unwrap();
    std::fs::remove_file(&path).unwrap();
    let medium = Medium::File(path.clone());
    let reopened = store.reopen(medium, Timestamp::default(), &SystemEntropy);
    std::fs::remove_file(&path).unwrap_or_default();
    let error = reopened.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("the store is damaged: it was exchanged"),
        "{text}"
    );
}
