//! What tells the points of one build's orchestrators from those of another.

use std::collections::{BTreeSet, HashSet};

use super::{Registry, spell};
use crate::event::Name;
use crate::sites::{self, SiteTable};

impl Registry {
    /// A line for each orchestrator: its name and version as people read them, a tab, and a number that changes when a point at
    /// which it may wait comes or goes, in it or in a helper that it reaches.
    pub(crate) fn points(&self) -> String {
        let entries = self.orchestrators.iter();
        entries
            .filter_map(|(key, entry)| {
                let ids = reached(entry.sites?);
                let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
                let number = xxhash_rust::xxh3::xxh3_64(&bytes);
                Some(format!("{}\t{number:016x}\n", spell(key)))
            })
            .collect()
    }

    /// A name and a version as people read them.
    pub(crate) fn spelled(name: &Name, version: Option<&str>) -> String {
        spell(&(name.clone(), version.map(|v| Name::from(v.to_owned()))))
    }

    /// The ids of all points of this build's orchestrators and helpers.
    pub(crate) fn site_ids(&self) -> HashSet<u32> {
        let own = self.orchestrators.values().filter_map(|entry| entry.sites);
        let tables = own.chain(sites::helpers());
        tables
            .flat_map(|table| table.sites)
            .map(sites::Site::id)
            .collect()
    }
}

/// The ids of the points of a body, and of the helpers that it calls, by their names.
fn reached(table: &'static SiteTable) -> BTreeSet<u32> {
    let mut ids = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut to_do = vec![table];
    while let Some(table) = to_do.pop() {
        if !seen.insert(std::ptr::from_ref(table).addr()) {
            continue;
        }
        for site in table.sites {
            ids.insert(site.id());
            let name = site.callee().rsplit([':', '.']).next().unwrap_or_default();
            to_do.extend(sites::of_function(name));
        }
    }
    ids
}
