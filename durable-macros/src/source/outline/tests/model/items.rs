use syn::visit::{self, Visit};

use super::*;

pub(super) fn ours(source: &Source) -> Vec<String> {
    let mut lines = Vec::new();
    for space in source.outline.spaces() {
        let owner = match &space.owner {
            Owner::Impl(Some(of)) => format!(" in {}", of.join("::")),
            Owner::Impl(None) => " in ?".to_owned(),
            Owner::Trait => " in trait".to_owned(),
            _ => String::new(),
        };
        for entry in &space.entries {
            if !is_in_macro(source, entry.at) {
                lines.push(our_item(source, entry) + &owner);
            }
        }
        for glob in space
            .globs
            .iter()
            .filter(|glob| !is_in_macro(source, glob.at))
        {
            lines.push(format!("use {}::*", glob.path.join("::")));
        }
        for block in space
            .impls
            .iter()
            .filter(|block| !is_in_macro(source, block.at))
        {
            lines.push(format!("impl {}", block.of.join("::")));
        }
    }
    lines
}

fn our_item(source: &Source, entry: &Entry) -> String {
    let name = &entry.name;
    match &entry.what {
        What::Import(path) => format!("use {} as {name}", path.join("::")),
        What::Alias(_) => format!("type {name}"),
        What::Inline(_) => format!("mod {name} {{}}"),
        What::File { .. } => format!("mod {name};"),
        What::Function(index) => {
            let function = source.outline.function(*index).unwrap();
            let marks = [
                (function.is_async, "async "),
                (function.is_unsafe, "unsafe "),
            ];
            let marks: String = marks
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, m)| *m)
                .collect();
            let body = if function.body.is_some() { "{}" } else { ";" };
            format!("{marks}fn {name}{body}")
        }
        What::Static { is_mut, .. } => format!("static {is_mut} {name}"),
        What::Const { .. } => format!("const {name}"),
        What::Struct => format!("struct {name}"),
        What::Enum { variants } => format!("enum {name} {}", variants.join(" ")),
        What::Trait => format!("trait {name}"),
        What::Macro => format!("macro {name}"),
    }
}

pub(super) fn theirs(file: &syn::File) -> Said {
    let mut found = Items::default();
    found.visit_file(file);
    found.said
}

/// The items of a file as `syn` has them.
#[derive(Default)]
struct Items {
    said: Said,
    owner: String,
}

impl Items {
    fn say(&mut self, line: String) {
        self.said.lines.push(line + &self.owner);
    }

    /// What is inside belongs to `owner`.
    fn within(&mut self, owner: &str, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.owner, owner.to_owned());
        visit(self);
        self.owner = before;
    }

    fn function(&mut self, sig: &syn::Signature, has_body: bool) {
        let is_async = if sig.asyncness.is_some() {
            "async "
        } else {
            ""
        };
        let is_unsafe = if matches!(sig.safety, syn::Safety::Unsafe(_)) {
            "unsafe "
        } else {
            ""
        };
        let body = if has_body { "{}" } else { ";" };
        self.say(format!(
            "{is_async}{is_unsafe}fn {}{body}",
            plain(&sig.ident)
        ));
    }

    fn tree(&mut self, tree: &syn::UseTree, prefix: &str) {
        let longer = |name: &str| match (prefix, name) {
            ("", name) => name.to_owned(),
            (prefix, "self") => prefix.to_owned(),
            (prefix, name) => format!(
                "{}::{name}",
                prefix.trim_start_matches("::").to_owned().pipe(prefix)
            ),
        };
        match tree {
            syn::UseTree::Path(path) => self.tree(&path.tree, &longer(&plain(&path.ident))),
            syn::UseTree::Name(name) => {
                let path = longer(&plain(&name.ident));
                let last = path.rsplit("::").next().unwrap().to_owned();
                self.say(format!("use {path} as {last}"));
            }
            syn::UseTree::Rename(rename) => {
                if rename.rename != "_" {
                    let path = longer(&plain(&rename.ident));
                    self.say(format!("use {path} as {}", plain(&rename.rename)));
                }
            }
            syn::UseTree::Glob(_) => self.say(format!("use {prefix}::*")),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(item, prefix));
            }
        }
    }
}

trait Pipe {
    fn pipe(self, prefix: &str) -> String;
}

impl Pipe for String {
    /// Keeps the root of a path.
    fn pipe(self, prefix: &str) -> String {
        if prefix.starts_with("::") {
            format!("::{self}")
        } else {
            self
        }
    }
}

impl<'ast> Visit<'ast> for Items {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A root in a group is told in another way.
        let tokens = quote::ToTokens::to_token_stream(item).to_string();
        self.said.is_partial |=
            tokens.contains("{ ::") || tokens.contains(", ::") || tokens.contains("use ::");
        self.within("", |items| items.tree(&item.tree, ""));
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let name = plain(&item.ident);
        let path = if name == "self" {
            "crate".to_owned()
        } else {
            format!("::{name}")
        };
        let renamed = item
            .rename
            .as_ref()
            .map_or(name, |(_, rename)| plain(rename));
        if renamed != "_" {
            self.say(format!("use {path} as {renamed}"));
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = plain(&item.ident);
        let body = if item.content.is_some() { " {}" } else { ";" };
        self.say(format!("mod {name}{body}"));
        self.within("", |items| visit::visit_item_mod(items, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, true);
        self.within("", |items| visit::visit_item_fn(items, item));
    }

    fn visit_foreign_item_fn(&mut self, item: &'ast syn::ForeignItemFn) {
        self.function(&item.sig, false);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, item.default.is_some());
        self.within("", |items| visit::visit_trait_item_fn(items, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, true);
        self.within("", |items| visit::visit_impl_item_fn(items, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        let is_mut = matches!(item.mutability, syn::StaticMutability::Mut(_));
        self.say(format!("static {is_mut} {}", plain(&item.ident)));
        self.within("", |items| visit::visit_item_static(items, item));
    }

    fn visit_foreign_item_static(&mut self, item: &'ast syn::ForeignItemStatic) {
        let is_mut = matches!(item.mutability, syn::StaticMutability::Mut(_));
        self.say(format!("static {is_mut} {}", plain(&item.ident)));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.say(format!("const {}", plain(&item.ident)));
        self.within("", |items| visit::visit_item_const(items, item));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.say(format!("const {}", plain(&item.ident)));
        self.within("", |items| visit::visit_trait_item_const(items, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.say(format!("const {}", plain(&item.ident)));
        self.within("", |items| visit::visit_impl_item_const(items, item));
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.say(format!("type {}", plain(&item.ident)));
    }

    fn visit_foreign_item_type(&mut self, item: &'ast syn::ForeignItemType) {
        self.say(format!("type {}", plain(&item.ident)));
    }

    fn visit_trait_item_type(&mut self, item: &'ast syn::TraitItemType) {
        self.say(format!("type {}", plain(&item.ident)));
    }

    fn visit_impl_item_type(&mut self, item: &'ast syn::ImplItemType) {
        self.say(format!("type {}", plain(&item.ident)));
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.say(format!("struct {}", plain(&item.ident)));
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.say(format!("struct {}", plain(&item.ident)));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        let variants: Vec<String> = item
            .variants
            .iter()
            .map(|variant| plain(&variant.ident))
            .collect();
        self.say(format!(
            "enum {} {}",
            plain(&item.ident),
            variants.join(" ")
        ));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.say(format!("trait {}", plain(&item.ident)));
        self.within(" in trait", |items| visit::visit_item_trait(items, item));
    }

    fn visit_item_trait_alias(&mut self, item: &'ast syn::ItemTraitAlias) {
        self.say(format!("trait {}", plain(&item.ident)));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let of = match &*item.self_ty {
            syn::Type::Path(path) if path.qself.is_none() => Some(joined(&path.path)),
            _ => None,
        };
        if let (Some(of), None) = (&of, &item.trait_) {
            self.say(format!("impl {of}"));
        }
        let owner = format!(" in {}", of.unwrap_or("?".to_owned()));
        self.within(&owner, |items| visit::visit_item_impl(items, item));
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if let Some(name) = item
            .ident
            .as_ref()
            .filter(|_| item.mac.path.is_ident("macro_rules"))
        {
            self.say(format!("macro {}", plain(name)));
        }
    }

    fn visit_token_stream(&mut self, _: &'ast proc_macro2::TokenStream) {
        self.said.is_partial = true;
    }

    fn visit_macro(&mut self, _: &'ast syn::Macro) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
