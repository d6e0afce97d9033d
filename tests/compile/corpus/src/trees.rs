//! Trees: of files, of decisions, of people.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use durable_runtime::prelude::*;
use durable_runtime::BoxDurable;
use serde::{Deserialize, Serialize};

use crate::activities::{load, notify, store};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Entry {
    File(String),
    Folder(BTreeMap<String, Entry>),
    Link(Box<Entry>),
}

impl Entry {
    fn depth(&self) -> usize {
        match self {
            Self::File(_) => 0,
            Self::Folder(entries) => entries.values().map(Self::depth).max().map_or(0, |it| it + 1),
            Self::Link(to) => to.depth(),
        }
    }
}

/// Calls itself, so it is boxed.
#[helper]
async fn copied(path: String, entry: &Entry) -> Result<usize, String> {
    match entry {
        Entry::File(source) => {
            let text = load(source.clone()).await?;
            store(path, text).await
        }
        Entry::Folder(entries) => {
            let mut sum = 0;
            for (name, entry) in entries {
                let below: BoxDurable<'_, _> = Box::pin(copied(format!("{path}/{name}"), entry));
                sum += below.await?;
            }
            Ok(sum)
        }
        Entry::Link(to) => Box::pin(copied(path, to)).await,
    }
}

#[orchestrator(name = "corpus.copy")]
pub async fn copy(root: Entry) -> Result<usize, String> {
    if root.depth() > 20 {
        return Err("too deep".to_owned());
    }
    copied("copy".to_owned(), &root).await
}

/// The same without recursion.
#[orchestrator(name = "corpus.listing")]
pub async fn listing(root: Entry) -> Vec<String> {
    let mut open = vec![(String::new(), &root)];
    let mut paths = Vec::new();
    while let Some((path, entry)) = open.pop() {
        match entry {
            Entry::File(_) => paths.push(path),
            Entry::Folder(entries) => {
                for (name, entry) in entries.iter().rev() {
                    open.push((format!("{path}/{name}"), entry));
                }
            }
            Entry::Link(to) => open.push((path + "@", to)),
        }
    }
    for page in paths.chunks(50) {
        notify("listing".to_owned(), page.join("\n")).await;
    }
    paths
}

/// Nobody but this orchestrator sees it, so it may be shared within.
#[derive(Debug)]
struct Person {
    name: String,
    parent: Weak<Person>,
    children: std::cell::RefCell<Vec<Rc<Person>>>,
}

impl Person {
    fn ancestors(self: &Rc<Self>) -> impl Iterator<Item = Rc<Self>> + use<> {
        std::iter::successors(self.parent.upgrade(), |it| it.parent.upgrade())
    }
}

#[orchestrator(name = "corpus.family")]
pub async fn family(pairs: Vec<(String, String)>) -> Vec<String> {
    let root = Rc::new(Person {
        name: "root".to_owned(),
        parent: Weak::new(),
        children: Default::default(),
    });
    let mut known: BTreeMap<String, Rc<Person>> = BTreeMap::new();
    known.insert(root.name.clone(), Rc::clone(&root));
    for (parent, child) in pairs {
        let Some(parent) = known.get(&parent).cloned() else {
            notify("family".to_owned(), format!("nobody knows {parent}")).await;
            continue;
        };
        let person = Rc::new(Person {
            name: child.clone(),
            parent: Rc::downgrade(&parent),
            children: Default::default(),
        });
        parent.children.borrow_mut().push(Rc::clone(&person));
        known.insert(child, person);
    }
    let mut lines = vec![];
    for (name, person) in &known {
        let above: Vec<String> = person.ancestors().map(|it| it.name.clone()).collect();
        let below = person.children.borrow().iter().map(|it| it.name.len()).sum::<usize>();
        lines.push(format!("{name} < {} ({below})", above.join(" < ")));
    }
    for child in root.children.borrow().iter() {
        lines.push(child.name.clone());
    }
    lines
}
