//! From a path to what it names, step by step, by the rules of Rust as far as one crate's source can tell.
//!
//! A step yields several targets where `#[cfg]` or a glob leaves the choice open. Where the source does not say, because a
//! macro wrote it or nobody could read it, the target is [`Target::Unknown`], which ends the search: what hides a name
//! hides it even if it is not understood.

mod globs;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::modules::Module;
use super::outline::{Entry, Gate, Impl, Owner, What};
use super::{Namespace, Scope, prelude};

/// Imports that lead to imports.
const HOPS_MAX: usize = 8;
/// Steps for one path, so that nothing that is written takes long.
const STEPS_MAX: usize = 2_000;
/// Paths that are asked for on the way to another.
const DEPTH_MAX: usize = 24;

/// What a path, or the beginning of one, names.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Module(Rc<Module>),
    /// In another crate.
    Foreign(Vec<String>),
    /// In another crate, if its glob brings it.
    Glob(Vec<String>),
    Entry(Place),
    /// A variant, or a member that is not in the source.
    Part(Place),
    Unknown,
}

/// An entry of a space of a module.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) module: Rc<Module>,
    /// A space around it, of the same file.
    pub(super) space: usize,
    index: usize,
}

impl Place {
    pub(super) fn entry(&self) -> Option<&Entry> {
        self.module
            .source
            .outline
            .space(self.space)
            .entries
            .get(self.index)
    }

    fn is(&self, other: &Self) -> bool {
        (self.space, self.index) == (other.space, other.index)
            && self.module.path == other.module.path
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
struct Name<'a> {
    name: &'a str,
    namespace: Namespace,
}

/// What `path` names in `scope`.
pub(super) fn targets(scope: &Scope, path: &[String], namespace: Namespace) -> Vec<Target> {
    let resolver = Resolver {
        origin: scope,
        trail: RefCell::new(Vec::new()),
        steps: Cell::new(0),
        depth: Cell::new(0),
    };
    resolver.path(&scope.module, scope.at, path, namespace)
}

struct Resolver<'a> {
    /// Where the question was asked.
    origin: &'a Scope,
    /// The imports on the way to the current step, each a token of a file.
    trail: RefCell<Vec<(Rc<Module>, usize)>>,
    steps: Cell<usize>,
    depth: Cell<usize>,
}

impl Resolver<'_> {
    fn may_go_on(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() <= STEPS_MAX
    }

    /// What `path` names at the token `at` of `module`.
    fn path(
        &self,
        module: &Rc<Module>,
        at: usize,
        path: &[String],
        namespace: Namespace,
    ) -> Vec<Target> {
        if self.depth.get() >= DEPTH_MAX || !self.may_go_on() {
            return vec![Target::Unknown];
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.segments(module, at, path, namespace);
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn segments(
        &self,
        module: &Rc<Module>,
        at: usize,
        path: &[String],
        namespace: Namespace,
    ) -> Vec<Target> {
        let Some((head, mut rest)) = path.split_first() else {
            return Vec::new();
        };
        let session = &self.origin.session;
        let mut targets = match head.as_str() {
            "" => match rest.split_first() {
                Some((krate, after)) => {
                    rest = after;
                    vec![Target::Foreign(vec![krate.clone()])]
                }
                None => Vec::new(),
            },
            "crate" => vec![Target::Module(module.to_root(session))],
            "self" => vec![Target::Module(Rc::clone(module))],
            "super" => outer(module.outer(session)),
            "Self" => self.self_type(module, at),
            name => {
                let is_last = rest.is_empty();
                let namespace = if is_last { namespace } else { Namespace::Type };
                self.lexical(module, at, Name { name, namespace }, is_last)
            }
        };
        while let Some((segment, after)) = rest.split_first() {
            let wanted = if after.is_empty() {
                namespace
            } else {
                Namespace::Type
            };
            let name = Name {
                name: segment,
                namespace: wanted,
            };
            let members = targets.iter().flat_map(|target| self.member(target, name));
            targets = members.collect();
            rest = after;
        }
        targets
    }

    /// What `name` is in `target`.
    fn member(&self, target: &Target, name: Name<'_>) -> Vec<Target> {
        if !self.may_go_on() {
            return vec![Target::Unknown];
        }
        match target {
            Target::Foreign(path) => vec![Target::Foreign(longer(path, name))],
            Target::Glob(path) => vec![Target::Glob(longer(path, name))],
            Target::Module(module) => match name.name {
                "super" => outer(module.outer(&self.origin.session)),
                "self" => vec![target.clone()],
                _ => self.in_module(module, name),
            },
            Target::Entry(place) => self.in_type(place, name),
            Target::Part(_) | Target::Unknown => vec![target.clone()],
        }
    }

    /// A name after `module::`.
    fn in_module(&self, module: &Rc<Module>, name: Name<'_>) -> Vec<Target> {
        let found = self.entries(module, module.space, name, &|_| true);
        if !found.is_empty() {
            return found;
        }
        let found = self.globs(module, module.space, name);
        let is_other = module.outline().named(name.name).next().is_some();
        if found.is_empty() && !is_other {
            // A macro may have written it.
            return vec![Target::Unknown];
        }
        found
    }

    /// A function in an `impl`, or a variant. Of a trait nothing is known but itself.
    fn in_type(&self, place: &Place, name: Name<'_>) -> Vec<Target> {
        let found = match place.entry().map(|entry| &entry.what) {
            Some(What::Enum { variants }) if variants.iter().any(|v| v == name.name) => Vec::new(),
            Some(What::Struct | What::Enum { .. } | What::Alias(_)) => self.associated(place, name),
            _ => Vec::new(),
        };
        if found.is_empty() {
            return vec![Target::Part(place.clone())];
        }
        found
    }

    /// What the `impl` blocks of this file, and of the file where the question was asked, say of a type.
    fn associated(&self, of: &Place, name: Name<'_>) -> Vec<Target> {
        let mut files = vec![&of.module];
        if self.origin.module.path != of.module.path {
            files.push(&self.origin.module);
        }
        let mut found = Vec::new();
        for file in files {
            for (index, space) in file.source.outline.spaces().enumerate() {
                for block in &space.impls {
                    if self.is_impl_of(file, index, block, of) {
                        let module = file.at(block.at);
                        found.extend(self.entries(&module, block.space, name, &|_| true));
                    }
                }
            }
        }
        found
    }

    /// Whether an `impl` in a space of `file` is of this type.
    fn is_impl_of(&self, file: &Rc<Module>, space: usize, block: &Impl, of: &Place) -> bool {
        let ty = of.entry().map(|entry| &entry.name);
        if block.of.last() != ty {
            return false;
        }
        if file.path == of.module.path && space == of.space && block.of.len() == 1 {
            return true;
        }
        let targets = self.path(&file.at(block.at), block.at, &block.of, Namespace::Type);
        let mut places = targets.iter().filter_map(|target| match target {
            Target::Entry(place) => Some(place),
            _ => None,
        });
        places.any(|place| place.is(of))
    }

    /// The type that the `impl` around a token is of.
    fn self_type(&self, module: &Rc<Module>, at: usize) -> Vec<Target> {
        let source = &module.source;
        for index in source.outline.spaces_around(&source.tokens, at) {
            match &source.outline.space(index).owner {
                Owner::Impl(Some(path)) if path.first().is_none_or(|head| head != "Self") => {
                    return self.path(module, at, path, Namespace::Type);
                }
                Owner::Block => {}
                _ => break,
            }
        }
        vec![Target::Unknown]
    }

    /// A name without anything before it: in the blocks around, in the module, in the prelude.
    fn lexical(
        &self,
        module: &Rc<Module>,
        at: usize,
        name: Name<'_>,
        is_last: bool,
    ) -> Vec<Target> {
        let source = &module.source;
        let mut maybe = Vec::new();
        for index in source.outline.spaces_around(&source.tokens, at) {
            let space = source.outline.space(index);
            if matches!(space.owner, Owner::Impl(_) | Owner::Trait) {
                continue;
            }
            let mut found = self.entries(module, index, name, &|_| true);
            if !is_last && found.iter().any(|target| is_twice(target, name)) {
                // `use anyhow::anyhow;` hides no crate.
                found.push(Target::Foreign(vec![name.name.to_owned()]));
            }
            if found.is_empty() && !is_std(name) {
                found = self.globs(module, index, name);
            }
            if found
                .iter()
                .any(|target| !matches!(target, Target::Glob(_)))
            {
                return found;
            }
            maybe.extend(found);
            if matches!(space.owner, Owner::Module(_)) {
                break;
            }
        }
        let outside = self.outside(module, name, is_last);
        if self.is_in_import() && !outside.is_empty() {
            // That a crate's glob brings what another import begins with is not worth the doubt.
            return outside;
        }
        maybe.extend(outside);
        maybe
    }

    /// A name that the module does not know.
    fn outside(&self, module: &Rc<Module>, name: Name<'_>, is_last: bool) -> Vec<Target> {
        if let Some(path) = prelude::path_of(name.name, name.namespace) {
            return vec![Target::Foreign(path)];
        }
        match name.namespace {
            Namespace::Macro => self.textual(module, name),
            Namespace::Value => Vec::new(),
            Namespace::Type => {
                // A crate has no capitals; what has is a generic parameter, or written by a macro.
                let is_small = |first: char| first.is_lowercase() || first == '_';
                let is_path = !is_last || self.is_in_import();
                let is_crate = name.name.starts_with(is_small) && !prelude::is_primitive(name.name);
                let krate = || Target::Foreign(vec![name.name.to_owned()]);
                (is_path && is_crate).then(krate).into_iter().collect()
            }
        }
    }

    fn is_in_import(&self) -> bool {
        !self.trail.borrow().is_empty()
    }

    /// Goes where an import at a token leads; nowhere, if it is on the way from there.
    fn follow(
        &self,
        module: &Rc<Module>,
        at: usize,
        path: &[String],
        namespace: Namespace,
    ) -> Vec<Target> {
        let is_here =
            |(before, token): &(Rc<Module>, usize)| *token == at && before.path == module.path;
        if self.trail.borrow().iter().any(is_here) {
            return Vec::new();
        }
        if self.trail.borrow().len() >= HOPS_MAX {
            return vec![Target::Unknown];
        }
        self.trail.borrow_mut().push((Rc::clone(module), at));
        let found = self.path(module, at, path, namespace);
        self.trail.borrow_mut().pop();
        found
    }

    /// A `macro_rules!` of a module around, or of one beside it that is under `#[macro_use]`.
    fn textual(&self, module: &Rc<Module>, name: Name<'_>) -> Vec<Target> {
        let session = &self.origin.session;
        let is_macro = |entry: &Entry| matches!(entry.what, What::Macro);
        for module in module.with_outer(session) {
            let entries = &module.outline().entries;
            let beside = entries.iter().filter(|entry| entry.brings_macros);
            let beside = beside.flat_map(|entry| module.children(session, entry));
            for known in std::iter::once(Rc::clone(&module)).chain(beside) {
                let found = self.entries(&known, known.space, name, &is_macro);
                if !found.is_empty() {
                    return found;
                }
            }
        }
        Vec::new()
    }

    /// What is called `name` in one space, among what `is_seen`. An item hides the imports of its name, which then mean another
    /// namespace; unless a `#[cfg]` may take the item away.
    fn entries(
        &self,
        module: &Rc<Module>,
        space: usize,
        name: Name<'_>,
        is_seen: &dyn Fn(&Entry) -> bool,
    ) -> Vec<Target> {
        let outline = module.source.outline.space(space);
        let named: Vec<(usize, &Entry)> = outline
            .named(name.name)
            .filter(|(_, entry)| is_in(&entry.what, name.namespace) && is_seen(entry))
            .filter(|(_, entry)| entry.gate != Gate::InTests || self.origin.is_in_test())
            .collect();
        let is_item = |entry: &Entry| !matches!(entry.what, What::Import(_));
        let is_certain = named
            .iter()
            .any(|(_, entry)| is_item(entry) && entry.gate == Gate::Always);
        let mut found = Vec::new();
        for (index, entry) in named {
            if !is_certain || is_item(entry) {
                let module = Rc::clone(module);
                let place = Place {
                    module,
                    space,
                    index,
                };
                found.extend(self.entry(place, entry, name.namespace));
            }
        }
        found
    }

    /// An entry, or what it stands for.
    fn entry(&self, place: Place, entry: &Entry, namespace: Namespace) -> Vec<Target> {
        match &entry.what {
            What::Import(path) => self.follow(&place.module, entry.at, path, namespace),
            What::Alias(Some(path)) => {
                let found = self.follow(&place.module, entry.at, path, Namespace::Type);
                let is_known = |target: &Target| !matches!(target, Target::Unknown);
                if found.iter().any(is_known) {
                    found
                } else {
                    vec![Target::Entry(place)]
                }
            }
            What::Inline(_) | What::File { .. } => {
                let modules = place.module.children(&self.origin.session, entry);
                if modules.is_empty() {
                    return vec![Target::Unknown];
                }
                modules.into_iter().map(Target::Module).collect()
            }
            _ => vec![Target::Entry(place)],
        }
    }
}

fn longer(path: &[String], name: Name<'_>) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(name.name.to_owned());
    path
}

fn outer(module: Option<Rc<Module>>) -> Vec<Target> {
    vec![module.map_or(Target::Unknown, Target::Module)]
}

/// `name::name` of another crate.
fn is_twice(target: &Target, name: Name<'_>) -> bool {
    matches!(target, Target::Foreign(path) if *path == [name.name, name.name])
}

fn is_std(name: Name<'_>) -> bool {
    name.namespace == Namespace::Type && matches!(name.name, "std" | "core" | "alloc")
}

/// Whether an entry can be meant in a namespace.
fn is_in(what: &What, namespace: Namespace) -> bool {
    match what {
        What::Import(_) => true,
        What::Alias(_) | What::Inline(_) | What::File { .. } | What::Trait => {
            namespace == Namespace::Type
        }
        What::Struct | What::Enum { .. } => namespace != Namespace::Macro,
        What::Function(_) | What::Static { .. } | What::Const { .. } => {
            namespace == Namespace::Value
        }
        What::Macro => namespace == Namespace::Macro,
    }
}
