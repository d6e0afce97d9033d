use syn::visit::{self, Visit};

use super::super::super::super::{What as Mentioned, mentions};
use super::*;

pub(super) fn ours(source: &Source) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, function) in source.outline.functions().iter().enumerate() {
        if is_in_macro(source, function.name) {
            continue;
        }
        for found in mentions::of(source, index) {
            if !is_in_macro(source, found.at) {
                lines.extend(our_mention(&found.what));
            }
        }
    }
    lines
}

/// Names of one segment are left out: which of them are local variables `syn` does not say.
fn our_mention(what: &Mentioned) -> Option<String> {
    match what {
        Mentioned::Path { path, .. } if path.len() < 2 || path[0] == "Self" => None,
        Mentioned::Path { path, is_called } => Some(format!("{} {is_called}", path.join("::"))),
        Mentioned::Method { name, arguments } => Some(format!(".{name}({arguments})")),
        Mentioned::Macro { path } => Some(format!("{}!", path.join("::"))),
        Mentioned::Unsafe => Some("unsafe".to_owned()),
    }
}

pub(super) fn theirs(file: &syn::File) -> Said {
    let mut found = Bodies::default();
    found.visit_file(file);
    found.said
}

/// What the bodies of a file mention, as `syn` has it.
#[derive(Default)]
struct Bodies {
    said: Said,
    is_in_body: bool,
    /// Parameters of the function and of what is around it.
    generics: Vec<String>,
}

impl Bodies {
    fn function(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let before = (
            std::mem::replace(&mut self.is_in_body, true),
            self.generics.len(),
        );
        self.generics.extend(names_of(&sig.generics));
        self.visit_block(block);
        self.is_in_body = before.0;
        self.generics.truncate(before.1);
    }

    fn say(&mut self, line: String) {
        if self.is_in_body {
            self.said.lines.push(line);
        }
    }
}

impl<'ast> Visit<'ast> for Bodies {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let generics = match item {
            syn::Item::Impl(item) => names_of(&item.generics),
            syn::Item::Trait(item) => names_of(&item.generics),
            _ => Vec::new(),
        };
        let before = (
            self.is_in_body,
            std::mem::replace(&mut self.generics, generics),
        );
        self.is_in_body = false;
        visit::visit_item(self, item);
        (self.is_in_body, self.generics) = before;
    }

    fn visit_pat(&mut self, pat: &'ast syn::Pat) {
        if let syn::Pat::Guard(pat) = pat {
            self.visit_expr(&pat.guard);
        }
    }

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}

    fn visit_expr_let(&mut self, item: &'ast syn::ExprLet) {
        self.visit_expr(&item.expr);
    }

    fn visit_expr_path(&mut self, item: &'ast syn::ExprPath) {
        self.path(item, false);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        match &*call.func {
            syn::Expr::Path(path) => self.path(path, true),
            other => self.visit_expr(other),
        }
        call.args
            .iter()
            .for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_struct(&mut self, item: &'ast syn::ExprStruct) {
        let path = syn::ExprPath {
            attrs: Vec::new(),
            qself: item.qself.clone(),
            path: item.path.clone(),
        };
        self.path(&path, false);
        for field in &item.fields {
            self.visit_expr(&field.expr);
        }
        if let Some(rest) = &item.rest {
            self.visit_expr(rest);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.say(format!(".{}({})", plain(&call.method), call.args.len()));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.say("unsafe".to_owned());
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.say(format!("{}!", joined(&item.path)));
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_token_stream(&mut self, _: &'ast proc_macro2::TokenStream) {
        self.said.is_partial = true;
    }
}

impl Bodies {
    fn path(&mut self, item: &syn::ExprPath, is_called: bool) {
        let whole = match &item.qself {
            None => Some(joined(&item.path)),
            Some(of) if of.as_token.is_some() => Some(joined(&item.path)),
            Some(of) => match &*of.ty {
                syn::Type::Path(ty) if ty.qself.is_none() => {
                    Some(format!("{}{}", joined(&ty.path), joined(&item.path)))
                }
                _ => None,
            },
        };
        let Some(path) = whole else {
            return;
        };
        let head = path.split("::").next().unwrap();
        let is_hidden = head == "Self" || self.generics.iter().any(|name| name == head);
        if path.contains("::") && !is_hidden {
            self.say(format!("{path} {is_called}"));
        }
    }
}

fn names_of(generics: &syn::Generics) -> Vec<String> {
    let names = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            syn::GenericParam::Type(ty) => Some(plain(&ty.ident)),
            syn::GenericParam::Const(value) => Some(plain(&value.ident)),
            syn::GenericParam::Lifetime(_) => None,
        });
    names.collect()
}
