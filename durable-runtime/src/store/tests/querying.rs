//! Lists and counts say what the model says, however much is folded, and while it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{Dice, Disk, Model, World, open_impatient};
use crate::clock::Timestamp;
use crate::id::InstanceKey;
use crate::store::query::{Filter, Listing, Order, Position, Request, Shape};
use crate::store::{Medium, Status, Store, Summary};

const SHAPE: Shape<Summary> = Shape {
    stored: |stored| stored.into(),
    live: Clone::clone,
};

fn request(filter: Filter) -> Request {
    Request {
        filter,
        descending: false,
        limit: 100,
        after: None,
    }
}

/// The whole list, page by page, of which each is made with so many steps.
fn walk(store: &Store, mut request: Request, steps: usize) -> Vec<Summary> {
    let mut all = Vec::new();
    loop {
        let Listing {
            rows,
            damaged,
            next,
            ..
        } = store.reader().list_within(&request, SHAPE, steps).unwrap();
        assert!(damaged.is_empty(), "{damaged:?}");
        assert!(rows.len() <= request.limit, "a page is too long");
        assert!(next.is_none() || next != request.after, "it goes on");
        all.extend(rows);
        match next {
            Some(next) => request.after = Some(next),
            None => return all,
        }
    }
}

/// Whether a filter holds of an instance, in the words of its definition.
fn fits(filter: &Filter, summary: &Summary) -> bool {
    let within = |span: &Option<std::ops::Range<u64>>, at: Option<std::time::SystemTime>| {
        span.as_ref().is_none_or(|span| {
            at.is_some_and(|at| span.contains(&Timestamp::from_system_time(at).0))
        })
    };
    let tags = filter.tags.iter();
    let has_tag = |(key, value): &(String, String)| summary.tags.get(key) == Some(value);
    let is_any = filter.statuses.is_empty() || filter.statuses.contains(&summary.status);
    let is_named = filter.names.is_empty() || filter.names.contains(&*summary.name);
    let prefix = filter.id_prefix.clone().unwrap_or_default();
    is_any
        && is_named
        && tags.into_iter().all(has_tag)
        && within(&filter.created, Some(summary.created_at))
        && within(&filter.completed, summary.completed_at)
        && summary.id.as_str().starts_with(&prefix)
}

/// The list that the model has.
fn expected(model: &Model, request: &Request) -> Vec<Summary> {
    let place = |key: InstanceKey, summary: &Summary| match request.filter.order() {
        Order::Creation => Position::Creation(key),
        Order::Completion => {
            let at = Timestamp::from_system_time(summary.completed_at.unwrap());
            Position::Completion(at, key)
        }
        Order::Id => Position::Id(summary.id.clone()),
    };
    let all = model.0.keys().map(|key| (*key, model.summary(*key)));
    let all = all.filter(|(_, summary)| fits(&request.filter, summary));
    let all: BTreeMap<_, _> = all
        .map(|(key, summary)| (place(key, &summary), summary))
        .collect();
    let mut all: Vec<_> = all.into_values().collect();
    if request.descending {
        all.reverse();
    }
    all
}

/// Everything that can be counted or listed is what the model says.
pub(super) fn assert_found(model: &Model, store: &Store) {
    let census = store.reader().census().unwrap();
    let mut counts: BTreeMap<(String, Status), u64> = BTreeMap::new();
    for key in model.0.keys() {
        let summary = model.summary(*key);
        *counts
            .entry((summary.name.to_string(), summary.status))
            .or_default() += 1;
    }
    let counted = census
        .iter()
        .map(|(name, status, count)| ((name.to_owned(), status), count));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), counts);
    assert_eq!(census.all().total(), u64::try_from(model.0.len()).unwrap());
    let mut filters = vec![
        Filter::default(),
        Filter {
            completed: Some(0..u64::MAX),
            ..Filter::default()
        },
    ];
    filters.extend(Status::ALL.iter().map(|status| Filter {
        statuses: BTreeSet::from([*status]),
        ..Filter::default()
    }));
    for filter in filters {
        let request = request(filter);
        assert_eq!(
            walk(store, request.clone(), 1_000),
            expected(model, &request),
            "{request:?}"
        );
    }
}

/// A filter of any kind.
fn any_filter(dice: &mut Dice, world: &World) -> Filter {
    let mut filter = Filter::default();
    for status in Status::ALL {
        if dice.one_in(5) {
            filter.statuses.insert(*status);
        }
    }
    for name in ["checkout", "ship", "none"] {
        if dice.one_in(5) {
            filter.names.insert(name.to_owned());
        }
    }
    for town in ["Praha", "Wien"] {
        if dice.one_in(6) {
            filter.tags.insert(("shop".to_owned(), town.to_owned()));
        }
    }
    let end = world.now().0 + 2;
    let mut span = || {
        let (one, other) = (dice.below(end), dice.below(end));
        dice.one_in(3).then_some(one.min(other)..one.max(other))
    };
    (filter.created, filter.completed) = (span(), span());
    if dice.one_in(4) {
        filter.id_prefix = Some(
            ["", "instance-", "instance-1", "instance-12", "other"]
                [usize::try_from(dice.below(5)).unwrap()]
            .to_owned(),
        );
    }
    filter
}

#[test]
fn lists_and_counts_are_those_of_the_model_however_much_is_folded() {
    let mut listed = 0;
    for seed in 0..30 {
        let patience = [9_999, 20, 4, 0][usize::try_from(seed % 4).unwrap()];
        let disk = Disk::default();
        let (mut store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), patience);
        let mut world = World::reaping(seed);
        let mut dice = Dice::new(seed + 7);
        for round in 0..25 {
            world.commit(&mut store, 10).unwrap();
            if dice.one_in(4) {
                store.maintain().unwrap();
            }
            if round % 8 == 7 {
                drop(store);
                (store, _) = open_impatient(Medium::Backend(Box::new(disk.clone())), patience);
            }
            let request = Request {
                descending: dice.one_in(2),
                limit: usize::try_from(1 + dice.below(9)).unwrap(),
                ..request(any_filter(&mut dice, &world))
            };
            let steps = usize::try_from(20 + dice.below(100)).unwrap();
            let found = walk(&store, request.clone(), steps);
            assert_eq!(
                found,
                expected(&world.model, &request),
                "seed {seed}: {request:?}"
            );
            listed += found.len();
        }
        assert_found(&world.model, &store);
    }
    assert!(listed > 1_000, "{listed} were listed");
}

#[test]
fn who_is_there_during_a_whole_walk_comes_once_whatever_happens_meanwhile() {
    let mut walked = 0;
    for seed in 0..60 {
        let patience = [9_999, 6, 2, 0][usize::try_from(seed % 4).unwrap()];
        let (mut store, _) = open_impatient(super::support::memory(), patience);
        let mut world = World::new(seed);
        let mut dice = Dice::new(seed + 70);
        for _ in 0..20 {
            world.commit(&mut store, 10).unwrap();
        }
        let mut request = Request {
            descending: dice.one_in(2),
            limit: usize::try_from(1 + dice.below(4)).unwrap(),
            ..request(any_filter(&mut dice, &world))
        };
        let holds = |world: &World, filter: &Filter| {
            let keys = world.model.0.keys();
            let all = keys.map(|key| world.model.summary(*key));
            let all = all.filter(|summary| fits(filter, summary));
            all.map(|summary| summary.id).collect::<BTreeSet<_>>()
        };
        let mut throughout = holds(&world, &request.filter);
        let mut ids = Vec::new();
        loop {
            let page = store.reader().list(&request, SHAPE).unwrap();
            ids.extend(page.rows.into_iter().map(|summary| summary.id));
            let Some(next) = page.next else { break };
            request.after = Some(next);
            world.commit(&mut store, 6).unwrap();
            if dice.one_in(3) {
                while store.maintain().unwrap() {}
            }
            let now = holds(&world, &request.filter);
            throughout.retain(|id| now.contains(id));
        }
        let once: BTreeSet<_> = ids.iter().cloned().collect();
        assert_eq!(
            once.len(),
            ids.len(),
            "seed {seed}: one came twice: {request:?}"
        );
        assert!(
            throughout.is_subset(&once),
            "seed {seed}: one did not come: {request:?}"
        );
        walked += ids.len();
    }
    assert!(walked > 150, "{walked} came");
}
