//! The names that a body gives to its own values, types and imports, block by block.

use std::collections::HashMap;

use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{FnArg, GenericParam, Item, Pat, PatIdent, Signature, Stmt, Type, UseTree};

use super::statics;
use crate::catalogue::Code;

/// What a name means in the body.
#[derive(Debug, Clone)]
pub(super) enum Local {
    /// A variable; with the code of what refused its value.
    Variable(Option<Code>),
    /// A type parameter, or an item of the body itself, which is looked at where it stands.
    Own,
    /// A static of the body; whether it can be changed.
    Static { is_changing: bool },
    /// An import or a type alias: the path that it stands for.
    Alias(Vec<String>),
}

/// The blocks around the code that is visited, innermost last.
#[derive(Debug, Default)]
pub(super) struct Locals(Vec<HashMap<String, Local>>);

impl Locals {
    pub(super) fn enter(&mut self) {
        self.0.push(HashMap::new());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    /// What a name means, if the body says so.
    pub(super) fn find(&self, name: &str) -> Option<&Local> {
        self.0.iter().rev().find_map(|block| block.get(name))
    }

    /// The parameters of a function and its generics, in a block of their own that is never left but with the function.
    pub(super) fn enter_function(&mut self, sig: &Signature) {
        if self.0.is_empty() {
            self.enter();
        }
        for param in &sig.generics.params {
            match param {
                GenericParam::Type(param) => self.name(param.ident.to_string(), Local::Own),
                GenericParam::Const(param) => self.name(param.ident.to_string(), Local::Own),
                GenericParam::Lifetime(_) => {}
            }
        }
        for input in &sig.inputs {
            if let FnArg::Typed(input) = input {
                self.bind(&input.pat, None);
            }
        }
    }

    /// The variables of a pattern, whose value was refused with `taint`, if it was.
    pub(super) fn bind(&mut self, pat: &Pat, taint: Option<Code>) {
        struct Binder<'a>(&'a mut Locals, Option<Code>);
        impl<'ast> Visit<'ast> for Binder<'_> {
            fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
                let name = pat.ident.unraw().to_string();
                // `None` and `LIMIT` look like bindings.
                if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
                    self.0.name(name, Local::Variable(self.1));
                }
                visit::visit_pat_ident(self, pat);
            }
        }
        Binder(self, taint).visit_pat(pat);
    }

    /// The items of a block, which are in scope in all of it.
    pub(super) fn declare(&mut self, statements: &[Stmt]) {
        for statement in statements {
            let Stmt::Item(item) = statement else {
                continue;
            };
            match item {
                Item::Use(item) => self.import(&item.tree, &mut Vec::new()),
                Item::Type(item) => self.alias(item),
                Item::Static(item) => {
                    let is_changing = statics::is_changing(&item.ty);
                    self.name(item.ident.to_string(), Local::Static { is_changing });
                }
                Item::Fn(item) => self.name(item.sig.ident.unraw().to_string(), Local::Own),
                Item::Struct(item) => self.name(item.ident.to_string(), Local::Own),
                Item::Enum(item) => self.name(item.ident.to_string(), Local::Own),
                Item::Const(item) => self.name(item.ident.to_string(), Local::Own),
                Item::Trait(item) => self.name(item.ident.to_string(), Local::Own),
                Item::Mod(item) => self.name(item.ident.to_string(), Local::Own),
                _ => {}
            }
        }
    }

    fn name(&mut self, name: String, local: Local) {
        if let Some(block) = self.0.last_mut() {
            block.insert(name, local);
        }
    }

    fn alias(&mut self, item: &syn::ItemType) {
        let local = match &*item.ty {
            Type::Path(ty) if ty.qself.is_none() => {
                let segments = ty.path.segments.iter();
                Local::Alias(
                    segments
                        .map(|segment| segment.ident.unraw().to_string())
                        .collect(),
                )
            }
            _ => Local::Own,
        };
        self.name(item.ident.to_string(), local);
    }

    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.unraw().to_string());
                self.import(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) => self.imported(&name.ident.unraw().to_string(), None, before),
            UseTree::Rename(rename) => {
                let new = rename.rename.unraw().to_string();
                self.imported(&rename.ident.unraw().to_string(), Some(new), before);
            }
            UseTree::Group(group) => {
                group
                    .items
                    .iter()
                    .for_each(|tree| self.import(tree, before));
            }
            UseTree::Glob(_) => {}
        }
    }

    fn imported(&mut self, name: &str, new: Option<String>, before: &[String]) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        let new = new.or_else(|| path.last().cloned());
        // `use tokio;` names what the name names anyway.
        if let Some(new) = new
            && path.first() != Some(&new)
        {
            self.name(new, Local::Alias(path));
        }
    }
}
