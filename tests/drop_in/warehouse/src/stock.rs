//! What lies where.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use durable_runtime as dr;

/// Something to be sold.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// What it costs.
    pub cents: u64,
}

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shelf(pub u32);

/// Lays something aside.
#[dr::activity(name = "warehouse.reserve")]
pub async fn reserve(item: Item, count: u32, #[state] ledger: &Ledger) -> Option<Shelf> {
    ledger.note("reserve");
    (item.name != "unicorn").then_some(Shelf(count))
}

/// A file with a line for each time that an activity really ran.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
}

impl Ledger {
    /// The ledger at `path`.
    pub fn at(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        Self { path }
    }

    /// Adds a line.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn note(&self, what: &str) {
        let mut file = OpenOptions::new();
        let mut file = file.append(true).create(true).open(&self.path).unwrap();
        // In one write: activities run at the same time.
        file.write_all(format!("{what}\n").as_bytes()).unwrap();
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}
