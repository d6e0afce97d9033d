//! From a place to its row, and from an id to its row.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::panic::Location;
use std::sync::OnceLock;

use super::{Site, SiteTable};

/// All rows that are linked into this program.
#[derive(Default)]
struct Index {
    /// In the order of lines.
    files: BTreeMap<&'static str, Vec<&'static Site>>,
    places: HashMap<(&'static str, u32, u32), &'static Site>,
    ids: HashMap<u32, &'static Site>,
}

impl Index {
    fn get() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(|| Self::of(tables()))
    }

    fn of(tables: impl Iterator<Item = &'static SiteTable>) -> Self {
        let mut tables: Vec<&'static SiteTable> = tables.collect();
        tables.sort_by_key(|table| (table.place.file, table.place.line, table.place.column));
        let mut index = Self::default();
        for table in tables {
            let file = table.place.file;
            let rows = index.files.entry(file).or_default();
            for site in table.sites {
                // Two methods of one name may have rows with the same id: the first has it, the others go by their places.
                if let Entry::Vacant(first) = index.ids.entry(site.id) {
                    first.insert(site);
                    index.places.insert((file, site.line, site.column), site);
                    rows.push(site);
                }
            }
        }
        for rows in index.files.values_mut() {
            rows.sort_by_key(|site| site.line);
        }
        index
    }

    /// The row at a place; else the innermost one whose expression goes over its line.
    fn at(&self, file: &str, line: u32, column: u32) -> Option<&'static Site> {
        let rows = self.files.get_key_value(file)?;
        let exact = self.places.get(&(*rows.0, line, column));
        exact.copied().or_else(|| {
            let before = rows.1.iter().rev();
            let mut around = before.skip_while(|site| site.line > line);
            around.find(|site| site.end_line >= line).copied()
        })
    }
}

/// The id of the row at a place, as `Location::caller` gives it; that of `otherwise` if there is none.
///
/// Asked for at every command, so the answer is kept by the address of the place.
pub(crate) fn id_at(location: &'static Location<'static>, otherwise: impl FnOnce() -> u32) -> u32 {
    thread_local! {
        static KNOWN: RefCell<HashMap<usize, u32>> = RefCell::default();
    }
    let address = std::ptr::from_ref(location).addr();
    let find = || {
        let known = Index::get().at(location.file(), location.line(), location.column());
        known.map_or_else(otherwise, |site| site.id)
    };
    KNOWN.with_borrow_mut(|known| *known.entry(address).or_insert_with(find))
}

/// The source of the line of a place, if it has a row.
pub(crate) fn text_at(location: &Location<'_>) -> Option<&'static str> {
    let site = Index::get().at(location.file(), location.line(), location.column())?;
    (site.line == location.line() && !site.text.is_empty()).then_some(site.text)
}

/// The row of this id, if this program has it.
pub(crate) fn site_of(id: u32) -> Option<&'static Site> {
    Index::get().ids.get(&id).copied()
}

/// The rows behind the one at `last` in the source of its function; without one, those of the orchestrator `name`.
pub(crate) fn rows_after(
    last: Option<&'static Location<'static>>,
    name: &str,
) -> Option<(&'static SiteTable, &'static [Site])> {
    let Some(last) = last else {
        let table = tables().find(|table| !table.is_helper && table.function == name)?;
        return Some((table, table.sites));
    };
    let row = Index::get().at(last.file(), last.line(), last.column())?;
    tables().find_map(|table| {
        let is_last = |site: &Site| (site.id, site.line) == (row.id, row.line);
        let at = table.sites.iter().position(is_last)?;
        Some((table, table.sites.get(at + 1..)?))
    })
}

/// The tables of all functions.
fn tables() -> impl Iterator<Item = &'static SiteTable> {
    inventory::iter::<&'static SiteTable>.into_iter().copied()
}

/// The tables of all helpers.
pub(crate) fn helpers() -> impl Iterator<Item = &'static SiteTable> {
    tables().filter(|table| table.is_helper)
}

/// The tables of the helpers of this name.
pub(crate) fn of_function(helper: &str) -> impl Iterator<Item = &'static SiteTable> {
    helpers().filter(move |table| table.function == helper)
}
