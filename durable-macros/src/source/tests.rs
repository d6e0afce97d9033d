//! Names, asked for at the token after `/*@*/` in a crate of a few files.

use super::*;

mod crates;
mod names;
mod shapes;

use std::sync::atomic::{AtomicUsize, Ordering};

/// A crate on disk, for as long as the test runs.
struct Crate {
    directory: PathBuf,
}

impl Crate {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("durable-index-{}-{count}", std::process::id());
        let krate = Self {
            directory: std::env::temp_dir().join(name),
        };
        krate.write("Cargo.toml", "");
        for (file, text) in files {
            krate.write(file, text);
        }
        krate
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// At the mark in `file`.
    fn scope(&self, file: &str) -> Scope {
        let path = self.path(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let at = text.find(MARK).unwrap() + MARK.len();
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        Scope::in_file(&path, line, column).unwrap()
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

const MARK: &str = "/*@*/";

/// What a path names, in short: `std::a`, `*std::a` by a glob, `fn a::b`, `type A`.
fn said(scope: &Scope, path: &str, namespace: Namespace) -> Vec<String> {
    let path: Vec<String> = path.split("::").map(str::to_owned).collect();
    let resolved = scope.resolve(&path, namespace);
    resolved.iter().map(in_short).collect()
}

fn in_short(resolved: &Resolved) -> String {
    match resolved {
        Resolved::Foreign(path) => path.join("::"),
        Resolved::Glob(path) => format!("*{}", path.join("::")),
        Resolved::Function(function) => format!("fn {}", function.name()),
        Resolved::Own(item) => {
            let kind = match &item.kind {
                ItemKind::Static { ty, is_mut: true } => format!("static mut {ty} "),
                ItemKind::Static { ty, .. } => format!("static {ty} "),
                ItemKind::Const { ty } => format!("const {ty} "),
                ItemKind::Type => "type ".to_owned(),
                ItemKind::Trait => "trait ".to_owned(),
                ItemKind::Module => "mod ".to_owned(),
                ItemKind::Macro => "macro ".to_owned(),
                ItemKind::Unseen => "unseen".to_owned(),
            };
            format!("{kind}{}", item.name)
        }
    }
}

/// Each line is a file, a path and what it names; several, sorted, with ` | ` between, or `-`. The path stands at the mark, or after
/// the rest.
fn check(namespace: Namespace, cases: &str) {
    for case in cases.lines().filter(|line| !line.is_empty()) {
        let mut parts = case.rsplitn(3, " => ");
        let (expected, path) = (parts.next().unwrap(), parts.next().unwrap());
        let mut text = parts.next().unwrap().to_owned();
        if !text.contains(MARK) {
            text = format!("{text} {MARK}f");
        }
        let krate = Crate::new(&[("src/lib.rs", &text)]);
        let mut found = said(&krate.scope("src/lib.rs"), path, namespace);
        found.sort();
        let found = if found.is_empty() {
            "-".to_owned()
        } else {
            found.join(" | ")
        };
        assert_eq!(found, expected, "{case}");
    }
}
