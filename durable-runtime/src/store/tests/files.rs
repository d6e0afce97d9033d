//! Stores in files: creation, a second opener, and files that are something else.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{World, open};
use crate::store::{Medium, StoreError};

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("durable-store-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn refusal(path: &Path) -> StoreError {
    match open(Medium::File(path.to_owned())) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

#[test]
fn a_store_is_created_whole_and_found_again() {
    let directory = Directory::new("create");
    let path = directory.0.join("orders.redb");
    let (mut store, recovered) = open(Medium::File(path.clone())).unwrap();
    assert!(recovered.created);
    assert_eq!(
        directory.names(),
        ["orders.redb"],
        "no temporary file is left"
    );
    let mut world = World::new(2);
    for _ in 0..10 {
        world.commit(&mut store, 5).unwrap();
    }
    let id = store.id();
    store.close(world.now()).unwrap();
    let (store, recovered) = open(Medium::File(path)).unwrap();
    assert!(!recovered.created && recovered.clean);
    assert_eq!(store.id(), id);
    assert_eq!(recovered.instances, world.model.unfinished());
    world.model.assert_read(&store);
}

#[test]
fn a_second_opener_fails_at_once() {
    let directory = Directory::new("second");
    let path = directory.0.join("orders.redb");
    let (store, _) = open(Medium::File(path.clone())).unwrap();
    let reader = store.reader();
    let error = refusal(&path);
    assert!(matches!(error, StoreError::AlreadyOpen { .. }), "{error}");
    let linked = directory.0.join("the-same.redb");
    fs::hard_link(&path, &linked).unwrap();
    assert!(matches!(refusal(&linked), StoreError::AlreadyOpen { .. }));
    drop(store);
    let (_store, _) = open(Medium::File(path)).unwrap();
    assert!(
        matches!(reader.ids(), Err(StoreError::Closed)),
        "a reader does not hold the file"
    );
}

#[test]
fn an_empty_file_is_never_taken_for_a_new_store() {
    let directory = Directory::new("empty");
    let path = directory.0.join("orders.redb");
    fs::write(&path, []).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, StoreError::Empty { .. }), "{error}");
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        0,
        "and it is left as it was"
    );
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    let directory = Directory::new("foreign");
    let path = directory.0.join("letter.txt");
    let text = "Dear Sir or Madam, ".repeat(1_000);
    fs::write(&path, &text).unwrap();
    let error = refusal(&path).to_string();
    assert!(
        error.contains("letter.txt` is not a store of durable functions: "),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_missing_directory_is_named() {
    let directory = Directory::new("missing");
    let path = directory.0.join("nowhere").join("orders.redb");
    let error = refusal(&path).to_string();
    assert!(
        error.contains("nowhere/orders.redb` does not exist; create it first"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new("mode");
    let path = directory.0.join("orders.redb");
    let (_store, _) = open(Medium::File(path.clone())).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_crashes_of_creations_have_left_is_swept_up_by_the_next() {
    let directory = Directory::new("swept");
    let left = format!(".orders.redb.{:032x}.new", 77);
    let others = [
        format!(".orders.redb.old.{:032x}.new", 77),
        ".orders.redb.backup.new".to_owned(),
        "orders.redb.new".to_owned(),
    ];
    for name in others.iter().chain([&left]) {
        fs::write(directory.0.join(name), "half a store").unwrap();
    }
    let path = directory.0.join("orders.redb");
    drop(open(Medium::File(path)).unwrap());
    let mut expected = others.to_vec();
    expected.push("orders.redb".to_owned());
    expected.sort();
    let mut names = directory.names();
    names.sort();
    assert_eq!(names, expected, "only its own temporary file is gone");
}

/// A crash between the link and the removal of the temporary name would else keep the bytes of a deleted store for ever.
#[cfg(unix)]
#[test]
fn a_store_with_its_temporary_name_still_on_it_loses_that_when_it_is_opened() {
    let directory = Directory::new("two-names");
    let path = directory.0.join("orders.redb");
    drop(open(Medium::File(path.clone())).unwrap());
    let temporary = format!(".orders.redb.{:032x}.new", 77);
    fs::hard_link(&path, directory.0.join(temporary)).unwrap();
    fs::hard_link(&path, directory.0.join("by-hand.redb")).unwrap();
    drop(open(Medium::File(path)).unwrap());
    let mut names = directory.names();
    names.sort();
    assert_eq!(names, ["by-hand.redb", "orders.redb"]);
}

#[test]
fn a_creation_that_is_refused_sweeps_nothing() {
    let directory = Directory::new("refused");
    let path = directory.0.join("orders.redb");
    let temporary = directory.0.join(format!(".orders.redb.{:032x}.new", 77));
    fs::write(&path, "a letter").unwrap();
    fs::write(&temporary, "half a store").unwrap();
    refusal(&path);
    assert!(temporary.exists());
}

#[test]
fn creators_that_race_make_one_store() {
    let directory = Directory::new("race");
    let path = directory.0.join("orders.redb");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let path = path.clone();
                scope.spawn(move || {
                    let entropy = super::support::Fixed(number);
                    let options = crate::store::StoreOptions::default();
                    let wall = crate::clock::Timestamp(1);
                    crate::store::Store::open(Medium::File(path), options, wall, &entropy)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "{lost:?}");
    for error in lost {
        assert!(
            matches!(error, Err(StoreError::AlreadyOpen { .. })),
            "{error:?}"
        );
    }
    assert_eq!(directory.names(), ["orders.redb"]);
}
