//! Modules: where the source of each is, and which are in which.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use super::files::{self, Source};
use super::outline::{Entry, Gate, Owner, Space, What};
use super::roots::{self, Facts};

/// Lines that are read for one annotated function; the file that goes beyond is the last. `DURABLE_INDEX_LINES` says otherwise.
///
/// Counted per function, and not per process, so that what is found in one does not hang on the others.
const LINES_MAX: usize = 20_000;
/// Modules in modules beyond this are not looked for.
const DEPTH_MAX: usize = 32;

/// How many lines are read in this process for one annotated function.
pub(super) fn lines_max() -> usize {
    static LINES: OnceLock<usize> = OnceLock::new();
    #[cfg(test)]
    if let Some(lines) = super::staged::lines_max() {
        return lines;
    }
    *LINES.get_or_init(|| {
        let wanted = std::env::var("DURABLE_INDEX_LINES").ok();
        let number = wanted.and_then(|text| text.replace('_', "").trim().parse().ok());
        number.unwrap_or(LINES_MAX)
    })
}

/// What one expansion sees of the crate: no file changes, and none is asked for twice.
#[derive(Debug, Default)]
pub(super) struct Session {
    files: RefCell<HashMap<PathBuf, Option<Arc<Source>>>>,
    lines: Cell<usize>,
    was_cut: Cell<bool>,
    facts: OnceCell<Facts>,
}

impl Session {
    /// The file at `path`, if it can be read and there is room for it.
    pub(super) fn open(&self, path: &Path) -> Option<Arc<Source>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let source = if self.lines.get() < lines_max() {
            files::open(path)
        } else {
            self.was_cut.set(self.was_cut.get() || path.is_file());
            None
        };
        let lines = source
            .as_ref()
            .map_or(0, |source| source.tokens.line_count());
        self.lines.set(self.lines.get() + lines);
        self.files
            .borrow_mut()
            .insert(path.to_owned(), source.clone());
        source
    }

    pub(super) fn was_cut(&self) -> bool {
        self.was_cut.get()
    }

    fn facts(&self) -> &Facts {
        self.facts.get_or_init(Facts::from_env)
    }
}

/// A module, inline or a file.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) source: Arc<Source>,
    /// The file, as rustc would print it.
    pub(super) path: PathBuf,
    /// Its space in the outline.
    pub(super) space: usize,
    /// Where the files of its modules lie. Two places, as long as nobody knows which module the file is.
    directories: Vec<PathBuf>,
    /// Of a file that was not reached through the module around it, not known until it is asked for.
    place: OnceCell<Place>,
}

/// Where a module stands.
#[derive(Debug)]
struct Place {
    /// The root has none.
    outer: Option<Rc<Module>>,
    name: String,
    gate: Gate,
}

impl Module {
    /// The module that a file is, wherever in the crate it belongs.
    pub(super) fn of_file(source: Arc<Source>, path: &Path) -> Self {
        let beside = directory_of(path, true);
        let directories = if is_mod_rs(path) {
            vec![beside]
        } else {
            vec![directory_of(path, false), beside]
        };
        Self {
            source,
            path: path.to_owned(),
            space: 0,
            directories,
            place: OnceCell::new(),
        }
    }

    fn root(source: Arc<Source>, path: &Path) -> Self {
        Self {
            source,
            path: path.to_owned(),
            space: 0,
            directories: vec![directory_of(path, true)],
            place: OnceCell::from(Place::ROOT),
        }
    }

    pub(super) fn outline(&self) -> &Space {
        self.source.outline.space(self.space)
    }

    /// Whether both are the same piece of source.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.space == other.space && self.path == other.path
    }

    /// The module around it.
    pub(super) fn outer(&self, session: &Session) -> Option<Rc<Self>> {
        self.place(session).outer.clone()
    }

    /// The root of the crate, as far as it is known.
    pub(super) fn to_root(self: &Rc<Self>, session: &Session) -> Rc<Self> {
        self.with_outer(session)
            .last()
            .unwrap_or_else(|| Rc::clone(self))
    }

    /// This module and those around it, to the root.
    pub(super) fn with_outer(self: &Rc<Self>, session: &Session) -> impl Iterator<Item = Rc<Self>> {
        std::iter::successors(Some(Rc::clone(self)), |module| module.outer(session))
    }

    /// Whether a method of this name stands in one of the crate's files, as far as they are known.
    pub(super) fn is_own_method(self: &Rc<Self>, session: &Session, name: &str) -> bool {
        let mut open = vec![(Rc::clone(self), 0), (self.to_root(session), 0)];
        while let Some((module, depth)) = open.pop() {
            let source = &module.source;
            if source.outline.has_method(&source.tokens, name) {
                return true;
            }
            // `#[path]` may lead round in a circle.
            if depth < DEPTH_MAX {
                let entries = module.outline().entries.iter();
                let inner = entries.flat_map(|entry| module.children(session, entry));
                open.extend(inner.map(|inner| (inner, depth + 1)));
            }
        }
        false
    }

    pub(super) fn is_test(self: &Rc<Self>, session: &Session) -> bool {
        self.with_outer(session)
            .any(|module| module.outline().gate.max(module.place(session).gate) == Gate::InTests)
    }

    pub(super) fn name(&self, session: &Session) -> String {
        self.place(session).name.clone()
    }

    /// The path of `name` in this module, from the root on, which has no name.
    pub(super) fn path_of(self: &Rc<Self>, session: &Session, name: &str) -> String {
        let mut path: Vec<String> = self
            .with_outer(session)
            .map(|module| module.name(session))
            .collect();
        path.retain(|name| !name.is_empty());
        path.reverse();
        path.push(name.to_owned());
        path.join("::")
    }

    fn place(&self, session: &Session) -> &Place {
        self.place
            .get_or_init(|| self.locate(session).unwrap_or(Place::ROOT))
    }

    /// Looks for the module that declares this file, from the likely roots on.
    fn locate(&self, session: &Session) -> Option<Place> {
        for root in roots::candidates(&self.path, session.facts()) {
            if root == self.path {
                return None;
            }
            let Some(source) = session.open(&root) else {
                continue;
            };
            let found = Rc::new(Self::root(source, &root)).search(session, &self.path);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The place of the module in the file `target` in this module or one in it. Only modules on the way to the file are opened.
    fn search(self: &Rc<Self>, session: &Session, target: &Path) -> Option<Place> {
        let mut waiting = vec![(Rc::clone(self), 0)];
        while let Some((module, depth)) = waiting.pop() {
            for entry in &module.outline().entries {
                let files = module.files(entry);
                if files.iter().any(|(file, _)| file == target) {
                    return Some(Place {
                        outer: Some(Rc::clone(&module)),
                        name: entry.name.clone(),
                        gate: entry.gate,
                    });
                }
                let is_inline = matches!(entry.what, What::Inline(_));
                let is_named = matches!(&entry.what, What::File { paths, .. } if !paths.is_empty());
                let is_on_way = target.iter().any(|part| part == entry.name.as_str());
                if depth < DEPTH_MAX && (is_inline || is_named || is_on_way) {
                    let inner = module.children(session, entry);
                    waiting.extend(inner.into_iter().map(|inner| (inner, depth + 1)));
                }
            }
        }
        None
    }

    /// The modules that an entry of this one may be; several, if `cfg_attr` chooses the file.
    pub(super) fn children(self: &Rc<Self>, session: &Session, entry: &Entry) -> Vec<Rc<Self>> {
        if let What::Inline(space) = entry.what {
            return vec![self.inline(space, &entry.name, entry.gate)];
        }
        let mut children = Vec::new();
        let mut is_found = false;
        for (path, is_named) in self.files(entry) {
            // Of the usual places one is taken.
            if is_found {
                break;
            }
            if let Some(source) = session.open(&path) {
                is_found |= !is_named;
                children.push(Rc::new(Self {
                    source,
                    space: 0,
                    directories: vec![directory_of(&path, is_named || is_mod_rs(&path))],
                    place: OnceCell::from(self.place_of(&entry.name, entry.gate)),
                    path,
                }));
            }
        }
        children
    }

    fn inline(self: &Rc<Self>, space: usize, name: &str, gate: Gate) -> Rc<Self> {
        let directories = self.directories.iter();
        Rc::new(Self {
            source: Arc::clone(&self.source),
            path: self.path.clone(),
            space,
            directories: directories.map(|directory| directory.join(name)).collect(),
            place: OnceCell::from(self.place_of(name, gate)),
        })
    }

    /// That of a module in this one.
    fn place_of(self: &Rc<Self>, name: &str, gate: Gate) -> Place {
        Place {
            outer: Some(Rc::clone(self)),
            name: name.to_owned(),
            gate,
        }
    }

    /// Where the file of an entry may be, and whether an attribute says so.
    fn files(&self, entry: &Entry) -> Vec<(PathBuf, bool)> {
        let What::File { paths, is_certain } = &entry.what else {
            return Vec::new();
        };
        let base = match self.outline().owner {
            Owner::Module(None) => self.path.parent(),
            _ => self.directories.first().map(PathBuf::as_path),
        };
        let base = base.unwrap_or(Path::new(""));
        let named = paths.iter().map(|path| (normal(&base.join(path)), true));
        let usual = self
            .directories
            .iter()
            .filter(|_| !is_certain)
            .flat_map(|directory| {
                let file = directory.join(format!("{}.rs", entry.name));
                [
                    (file, false),
                    (directory.join(&entry.name).join("mod.rs"), false),
                ]
            });
        named.chain(usual).collect()
    }

    /// The module of this file in which a token stands.
    pub(super) fn at(self: &Rc<Self>, token: usize) -> Rc<Self> {
        let mut file = Rc::clone(self);
        while file.space != 0
            && let Some(outer) = file.place.get().and_then(|place| place.outer.clone())
        {
            file = outer;
        }
        let source = Arc::clone(&file.source);
        let around = source.outline.spaces_around(&source.tokens, token);
        around
            .iter()
            .rev()
            .fold(file, |module, index| match source.outline.space(*index) {
                Space {
                    owner: Owner::Module(Some(name)),
                    gate,
                    ..
                } => module.inline(*index, name, *gate),
                _ => module,
            })
    }
}

impl Place {
    const ROOT: Self = Self {
        outer: None,
        name: String::new(),
        gate: Gate::Always,
    };
}

/// Whether the modules of this file lie beside it.
fn is_mod_rs(path: &Path) -> bool {
    ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .any(|name| path.ends_with(name))
}

/// Where the files of the modules in this file lie.
fn directory_of(path: &Path, is_beside: bool) -> PathBuf {
    if is_beside {
        path.parent().unwrap_or(Path::new("")).to_owned()
    } else {
        path.with_extension("")
    }
}

/// Without `.` and `..`, as far as that can be said of names alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        let is_inner = matches!(normal.components().next_back(), Some(Component::Normal(_)));
        match component {
            Component::CurDir => {}
            Component::ParentDir if is_inner => drop(normal.pop()),
            other => normal.push(other),
        }
    }
    normal
}
