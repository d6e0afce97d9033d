//! The lint over the `async` functions of published crates, as if each were a helper: what it finds in code that nobody wrote
//! for it. Each finding was read and judged, and stands in `tests/published/reviewed.txt`.
//!
//! The crates are taken from cargo's cache, or fetched into it. Nothing of them is kept but places and names. Not seen are the
//! functions that a macro writes, and those of tests.

mod registry;
mod review;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Signature};

use self::review::{Crate, Finding, Review};
use super::{Subject, check};
use crate::source::{Scope, staged};

/// `BLESS=1 cargo test -p durable-macros published -- --ignored` writes the list anew; what is new in it waits for a verdict.
#[test]
#[ignore = "fetches crates from the registry, and takes a minute: a step of its own in .ci/run"]
fn every_finding_in_published_crates_was_reviewed() {
    let reviewed = Review::read();
    let wanted = reviewed.crates.iter();
    let wanted: Vec<(&str, &str)> = wanted.map(|one| (&*one.name, &*one.version)).collect();
    let found = match registry::sources(&wanted) {
        Ok(sources) => look_at_all(&reviewed, &sources),
        Err(why) => return registry::say_skipped(&why),
    };
    for krate in &found {
        let count = krate.findings.values().map(Vec::len).sum::<usize>();
        registry::say(&format!(
            "{} {}: {} async functions, {count} findings",
            krate.name, krate.version, krate.functions
        ));
    }
    reviewed.compare(found);
}

/// What is found in each crate.
fn look_at_all(reviewed: &Review, sources: &[PathBuf]) -> Vec<Crate> {
    let crates = reviewed.crates.iter().zip(sources);
    std::thread::scope(|scope| {
        let looks: Vec<_> = crates
            .map(|(krate, source)| scope.spawn(|| look_at(krate, source)))
            .collect();
        looks.into_iter().map(|look| look.join().unwrap()).collect()
    })
}

fn look_at(reviewed: &Crate, root: &Path) -> Crate {
    let mut files = Vec::new();
    crate::source::samples::collect(&root.join("src"), &mut files);
    let mut look = Look {
        root,
        path: PathBuf::new(),
        owner: None,
        functions: 0,
        findings: BTreeMap::new(),
    };
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // What is a template of code, and no code, does not parse.
        let Ok(parsed) = syn::parse_file(&text) else {
            continue;
        };
        look.path = file.strip_prefix(root).unwrap().to_owned();
        // No crate is too large for this.
        staged::with_lines_max(usize::MAX, || {
            staged::at(&file, || look.visit_file(&parsed));
        });
    }
    Crate {
        functions: look.functions,
        findings: look.findings,
        ..reviewed.clone()
    }
}

/// The `async` functions of a file.
struct Look<'a> {
    root: &'a Path,
    path: PathBuf,
    owner: Option<String>,
    functions: usize,
    findings: BTreeMap<Finding, Vec<usize>>,
}

impl Look<'_> {
    /// Whether the function was looked at, so that nothing in it is another.
    fn function(&mut self, sig: &Signature, block: &Block) -> bool {
        let span = sig.ident.span();
        let scope = Scope::around(span);
        if sig.asyncness.is_none() || scope.as_ref().is_some_and(Scope::is_in_test) {
            return sig.asyncness.is_some();
        }
        self.functions += 1;
        let report = check(Subject::Helper, sig, &block.stmts);
        assert!(!report.was_cut, "{}: `{}`", self.path.display(), sig.ident);
        let conditional = report.conditional.iter().map(|(_, error)| error);
        for error in report.errors.iter().chain(conditional) {
            let message = error.to_string();
            let (code, what) = message[1..].split_once("] ").unwrap();
            let what = what.split(" is not allowed in").next().unwrap();
            self.finding(code, sig, what, error.span());
        }
        for (_, code, span) in &report.warnings {
            let what = span.source_text().unwrap_or_default();
            self.finding(code.name(), sig, &format!("`{what}`"), *span);
        }
        true
    }

    fn finding(&mut self, code: &str, sig: &Signature, what: &str, span: Span) {
        let owner = self.owner.as_ref().map(|owner| format!("{owner}::"));
        let root = format!("{}/", self.root.display());
        let finding = Finding {
            path: self.path.display().to_string(),
            function: format!("{}{}", owner.unwrap_or_default(), sig.ident),
            code: code.to_owned(),
            what: what.replace(&root, "").replace(['\n', '|'], " "),
        };
        let lines = self.findings.entry(finding).or_default();
        lines.push(span.start().line);
    }
}

impl<'ast> Visit<'ast> for Look<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) && !self.function(&item.sig, &item.block) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !self.function(&item.sig, &item.block) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default
            && !self.function(&item.sig, block)
        {
            visit::visit_trait_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = match &*item.self_ty {
            syn::Type::Path(ty) => ty.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let before = std::mem::replace(&mut self.owner, name);
        visit::visit_item_impl(self, item);
        self.owner = before;
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let before = self.owner.replace(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.owner = before;
    }
}

/// `#[test]`, `#[tokio::test]`
fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    })
}
