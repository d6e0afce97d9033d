//! What is in flight is found, wherever it stands and whatever is folded meanwhile.

use super::support::{World, memory, open_impatient};
use crate::id::InstanceKey;
use crate::store::{Store, Summary};

/// Those of the keys whose instances have not ended.
fn in_flight(store: &Store, keys: &[InstanceKey]) -> Vec<InstanceKey> {
    let reader = store.reader();
    let summary = |key: &InstanceKey| reader.summary(*key).unwrap();
    let open = |summary: Summary| !summary.has_ended();
    let keys = keys.iter().copied();
    keys.filter(|key| summary(key).is_some_and(open)).collect()
}

#[test]
fn all_are_found_in_order_folded_or_not() {
    let mut found = 0;
    for seed in 0..30 {
        let (mut store, _) = open_impatient(memory(), 8);
        let mut world = World::new(seed);
        for round in 0..20 {
            world.commit(&mut store, 10).unwrap();
            let mut unended = store.reader().unended();
            let expected = world.model.unfinished().into_iter();
            let expected: Vec<_> = expected.map(|unfinished| unfinished.key).collect();
            if round % 3 == 0 {
                while store.maintain().unwrap() {}
            }
            let mut keys = Vec::new();
            while let Some(page) = unended.next_page().unwrap() {
                keys.extend(page);
            }
            assert!(keys.is_sorted(), "seed {seed}: {keys:?}");
            assert_eq!(in_flight(&store, &keys), expected, "seed {seed}");
            found += expected.len();
        }
    }
    assert!(found > 1_000, "{found}");
}

/// Its history had gone with the execution, or with a purge, by the time that it was read: it was told to be damaged.
#[test]
fn what_goes_on_between_a_look_at_an_instance_and_one_at_its_history_is_no_damage() {
    let (mut missed, mut gone) = (0, 0);
    for seed in 0..10 {
        let (mut store, _) = open_impatient(memory(), 8);
        let mut world = World::reaping(seed);
        for _ in 0..20 {
            world.commit(&mut store, 10).unwrap();
            let reader = store.reader();
            let open = world.model.unfinished().into_iter();
            let seen: Vec<_> = open
                .map(|unfinished| unfinished.key)
                .map(|key| (key, reader.shared_summary(key).unwrap()))
                .collect();
            world.commit(&mut store, 10).unwrap();
            while store.maintain().unwrap() {}
            for (key, seen) in seen {
                let late = reader.current_history(key, seen.as_ref().unwrap());
                missed += usize::from(late.is_err());
                match reader.last_execution(key, seen).unwrap() {
                    Some(last) => {
                        let history = last.history.unwrap();
                        assert!(history.len() >= usize::try_from(last.summary.events).unwrap());
                    }
                    None => gone += 1,
                }
            }
        }
    }
    assert!(missed > 10 && gone > 1, "{missed} {gone}");
}
