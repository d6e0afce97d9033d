//! A function of the crate: what it is called, what it is annotated with, what its body mentions.

use std::path::Path;
use std::rc::Rc;

use super::modules::{Module, Session};
use super::outline::{Function as Item, Owner, attribute};
use super::{Mention, Namespace, Resolved, Scope, mentions};

/// A function of this crate, with its source.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    session: Rc<Session>,
    /// The module that it stands in.
    module: Rc<Module>,
    /// In the outline of the module's file.
    index: usize,
}

impl Function {
    pub(super) fn new(session: Rc<Session>, module: Rc<Module>, index: usize) -> Self {
        Self {
            session,
            module,
            index,
        }
    }

    fn item(&self) -> Option<&Item> {
        self.module.source.outline.function(self.index)
    }

    /// Its path in the crate: `pricing::total`, `pricing::Price::total`.
    pub(crate) fn name(&self) -> String {
        let source = &self.module.source;
        let Some(item) = self.item() else {
            return String::new();
        };
        let name = source.tokens.ident(item.name).unwrap_or_default();
        let name = match &source.outline.space(item.space).owner {
            Owner::Impl(Some(path)) => path.last().map(|ty| format!("{ty}::{name}")),
            _ => None,
        }
        .unwrap_or_else(|| name.to_owned());
        self.module.path_of(&self.session, &name)
    }

    /// Whether it carries an attribute `name`, by this or any path, or one imported under another name.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        let Some(item) = self.item() else {
            return false;
        };
        let tokens = &self.module.source.tokens;
        let mut at = item.attributes.start;
        while let Some(inner) = attribute(tokens, at, item.attributes.end) {
            at = tokens.after(inner.start - 1);
            if let Some((path, _)) = tokens.path(inner.start, inner.end)
                && self.is_attribute(&path, name)
            {
                return true;
            }
        }
        false
    }

    fn is_attribute(&self, path: &[String], name: &str) -> bool {
        let is_named = |path: &[String]| path.last().is_some_and(|last| last == name);
        let scope = Scope {
            session: Rc::clone(&self.session),
            module: Rc::clone(&self.module),
            at: self.item().map_or(0, |item| item.name),
        };
        // Most attributes are nobody's import.
        is_named(path)
            || scope
                .resolve(path, Namespace::Macro)
                .iter()
                .any(|resolved| match resolved {
                    Resolved::Foreign(path) => is_named(path),
                    Resolved::Function(_) | Resolved::Own(_) | Resolved::Glob(_) => false,
                })
    }

    /// As rustc prints it.
    pub(crate) fn file(&self) -> &Path {
        &self.module.path
    }

    /// Where its name stands, from 1.
    pub(crate) fn line(&self) -> usize {
        let name = self.item().map_or(0, |item| item.name);
        self.module.source.tokens.position(name).0
    }

    /// `async fn`, whose body runs only if it is awaited.
    pub(crate) fn is_async(&self) -> bool {
        self.item().is_some_and(|item| item.is_async)
    }

    /// Whether a file was left unread for want of room when something was asked of it.
    pub(crate) fn was_cut(&self) -> bool {
        self.session.was_cut()
    }

    pub(crate) fn is_unsafe(&self) -> bool {
        self.item().is_some_and(|item| item.is_unsafe)
    }

    /// The place of its body.
    pub(crate) fn scope(&self) -> Scope {
        let item = self.item();
        Scope {
            session: Rc::clone(&self.session),
            module: Rc::clone(&self.module),
            at: item.map_or(0, |item| item.body.map_or(item.name, |body| body + 1)),
        }
    }

    /// What its body mentions, in order. Functions in the body are not part of it.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        let source = &self.module.source;
        let scope = self.scope();
        let found = mentions::of(source, self.index).into_iter();
        let mention = |found: mentions::Found| {
            let (line, _) = source.tokens.position(found.at);
            Mention {
                what: found.what,
                line,
                in_unsafe: found.in_unsafe,
                in_side_effect: found.in_side_effect,
                allowed: found.allowed,
                scope: Scope {
                    at: found.at,
                    ..scope.clone()
                },
            }
        };
        found.map(mention).collect()
    }
}

impl PartialEq for Function {
    /// The same function of the same file.
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.file()) == (other.index, other.file())
    }
}

impl Eq for Function {}
