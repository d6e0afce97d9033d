//! Names that glob imports bring.

use std::cell::LazyCell;
use std::rc::Rc;

use super::super::Namespace;
use super::super::modules::Module;
use super::super::outline::{Entry, Gate, What};
use super::{HOPS_MAX, Name, Resolver, Target, longer};

impl Resolver<'_> {
    /// What the globs of a space bring under `name`. What is in this crate's source hides what another crate might have.
    pub(super) fn globs(&self, module: &Rc<Module>, space: usize, name: Name<'_>) -> Vec<Target> {
        let mut search = GlobSearch {
            resolver: self,
            name,
            seen: Vec::new(),
            found: Vec::new(),
        };
        search.space(module, space, &|_| true);
        let mut found = search.found;
        let is_own = |target: &Target| !matches!(target, Target::Glob(_));
        if found.iter().any(is_own) {
            found.retain(is_own);
        }
        found
    }
}

/// One name, looked for in globs, and in the globs of modules that globs name.
struct GlobSearch<'a> {
    resolver: &'a Resolver<'a>,
    name: Name<'a>,
    seen: Vec<(Rc<Module>, usize)>,
    found: Vec<Target>,
}

impl GlobSearch<'_> {
    /// Of the globs of one space those that are seen: public or not.
    fn space(&mut self, module: &Rc<Module>, space: usize, is_seen: &dyn Fn(bool) -> bool) {
        let is_known =
            |(known, index): &(Rc<Module>, usize)| known.path == module.path && *index == space;
        if self.seen.iter().any(is_known) || self.seen.len() > HOPS_MAX {
            return;
        }
        self.seen.push((Rc::clone(module), space));
        for glob in &module.source.outline.space(space).globs {
            let is_hidden = glob.gate == Gate::InTests && !self.resolver.origin.is_in_test();
            if is_seen(glob.is_public) && !is_hidden && self.resolver.may_go_on() {
                let path = self
                    .resolver
                    .follow(module, glob.at, &glob.path, Namespace::Type);
                for target in path {
                    self.target(module, target);
                }
            }
        }
    }

    /// What a glob in `module` names.
    fn target(&mut self, module: &Rc<Module>, target: Target) {
        match target {
            Target::Module(inner) => {
                let session = &self.resolver.origin.session;
                let is_within = LazyCell::new(|| module.with_outer(session).any(|m| m.is(&inner)));
                let is_seen = |is_public: bool| is_public || *is_within;
                let is_entry_seen = |entry: &Entry| is_seen(entry.is_public);
                let found = self
                    .resolver
                    .entries(&inner, inner.space, self.name, &is_entry_seen);
                self.found.extend(found);
                self.space(&inner, inner.space, &is_seen);
            }
            Target::Foreign(path) | Target::Glob(path) => {
                self.found.push(Target::Glob(longer(&path, self.name)));
            }
            Target::Entry(place) => {
                let is_variant = place.entry().is_some_and(|entry| match &entry.what {
                    What::Enum { variants } => variants.iter().any(|v| v == self.name.name),
                    _ => false,
                });
                self.found.extend(is_variant.then_some(Target::Part(place)));
            }
            Target::Part(_) | Target::Unknown => {}
        }
    }
}
