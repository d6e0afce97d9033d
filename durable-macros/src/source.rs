//! What names mean where an annotated function stands, read from the source of its crate.
//!
//! An attribute is given tokens and nothing else; but it may ask in which file they stand. From that file, and from those
//! that its paths lead into, the index answers what `I::now` is after `use std::time::Instant as I;`, and what a helper
//! of the same crate does in its body.
//!
//! The way of a question: `modules` opens files (`files` keeps them, `roots` guesses where the crate begins); `outline` has
//! the items of a file, over `lexer` and `tokens`; `resolve` goes from name to name; `bindings` knows what is local, and
//! `mentions` what a body mentions. Only the file at hand is read, until a path leads into another. Without optimisation a
//! line costs 2 to 5 microseconds, and a name 25.
//!
//! Not seen are: what macros write, what `include!` brings, other crates, methods, the `impl` blocks of traits, and those of
//! a type that stand neither in its file nor in the one at hand. What is not seen is said to be unknown, never guessed. No
//! error is reported from here: what is wrong with the source is rustc's to say.
#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the tests compare more of what was read than the lint asks for"
    )
)]

mod bindings;
mod files;
mod function;
mod lexer;
mod mentions;
mod modules;
mod outline;
mod prelude;
mod resolve;
mod roots;
mod tokens;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
pub(crate) mod staged;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use proc_macro2::Span;

pub(crate) use self::function::Function;
use self::modules::{Module, Session};
use self::outline::{Gate, Owner};
use self::resolve::{Place, Target};

/// The place in the crate's source from which names are looked up: a module, and the blocks around one token of it.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    session: Rc<Session>,
    module: Rc<Module>,
    /// The token.
    at: usize,
}

/// Which of the names that are spelled alike is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// `name!`
    Macro,
    /// Types, traits, modules, crates.
    Type,
    /// Functions, statics, constants, constructors.
    Value,
}

/// What a path may name.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    /// In another crate, as far as this crate's source says: `I::now` is `std`, `time`, `Instant`, `now`. `core` and `alloc`
    /// are said as `std`; a name of std's prelude or one of its macros is said in full.
    Foreign(Vec<String>),
    /// A function of this crate, free or in an `impl` of a type.
    Function(Function),
    /// Another item of this crate.
    Own(Item),
    /// What a glob import of another crate may bring, written as it would be without the glob.
    Glob(Vec<String>),
}

/// An item of this crate that is not a function.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) name: String,
}

/// What sort of item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// With the text of its type.
    Static {
        ty: String,
        is_mut: bool,
    },
    /// With the text of its type.
    Const {
        ty: String,
    },
    /// A struct, enum or union, a variant, or something of a type that is not in an `impl` that was found.
    Type,
    /// Or something in it.
    Trait,
    Module,
    Macro,
    /// Of this crate; but a macro writes it, or its file was not read.
    Unseen,
}

/// Something that a body mentions.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    pub(crate) what: What,
    /// From 1.
    pub(crate) line: usize,
    /// In an `unsafe` block of the body.
    pub(crate) in_unsafe: bool,
    /// In what is given to `side_effect(..)`.
    pub(crate) in_side_effect: bool,
    /// The codes that `#[nondeterminism(allow(..))]` of the statements around it name.
    pub(crate) allowed: Vec<String>,
    scope: Scope,
}

/// What is mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A path in an expression, without generic arguments; one of a local variable is left out. `<T as Trait>::f` is `Trait::f`.
    Path { path: Vec<String>, is_called: bool },
    /// `.name(..)`
    Method { name: String, arguments: usize },
    /// `path!(..)`; what it takes is mentioned after it, as far as it looks like expressions.
    Macro { path: Vec<String> },
    /// The head of an `unsafe` block.
    Unsafe,
}

impl Scope {
    /// Where `span` stands; `None` where there is no source to read: in an editor, in generated code, or with
    /// `DURABLE_NO_INDEX` set.
    pub(crate) fn around(span: Span) -> Option<Self> {
        Self::anywhere(span).filter(|scope| !scope.is_template())
    }

    /// Also in the text of a macro.
    fn anywhere(span: Span) -> Option<Self> {
        if std::env::var_os("DURABLE_NO_INDEX").is_some() {
            return None;
        }
        let (file, line, column) = place(span)?;
        // Of an example in a comment rustdoc tells the file, but not the lines of it.
        let text = proc_macro::is_available().then(|| span.unwrap().source_text());
        let text = text.flatten();
        Self::in_file(&file, line, column)
            .filter(|scope| text.is_none_or(|text| scope.text() == text))
    }

    /// The token at which it stands.
    fn text(&self) -> &str {
        self.module.source.tokens.text(self.at)
    }

    fn in_file(file: &Path, line: usize, column: usize) -> Option<Self> {
        let session = Rc::new(Session::default());
        let path = modules::normal(file);
        let source = session.open(&path)?;
        let at = source.tokens.at(line, column);
        let module = Rc::new(Module::of_file(source, &path)).at(at);
        let is_there = module.source.tokens.position(at) == (line, column);
        is_there.then_some(Self {
            session,
            module,
            at,
        })
    }

    /// The same, moved to `span`: inner blocks have names of their own. What does not stand in the same file, because a macro
    /// wrote it, stays where it is. Cheap.
    pub(crate) fn at(&self, span: Span) -> Self {
        let moved = place(span).filter(|(file, _, _)| modules::normal(file) == self.module.path);
        moved.map_or_else(
            || self.clone(),
            |(_, line, column)| self.at_token(self.module.source.tokens.at(line, column)),
        )
    }

    /// Whether a type of the crate has a method of this name, whatever it does.
    pub(crate) fn is_own_method(&self, name: &str) -> bool {
        self.module.is_own_method(&self.session, name)
    }

    fn at_token(&self, at: usize) -> Self {
        Self {
            session: Rc::clone(&self.session),
            module: self.module.at(at),
            at,
        }
    }

    /// What `path` may name here: segments as written, without generic arguments; a leading `::` is an empty first segment.
    ///
    /// Nothing, if nothing is known of its first name: a local variable, a generic parameter, what a macro wrote. Several, if
    /// `#[cfg]` chooses among them, or a glob import may bring it.
    pub(crate) fn resolve(&self, path: &[String], namespace: Namespace) -> Vec<Resolved> {
        let source = &self.module.source;
        let function = source.outline.function_around(&source.tokens, self.at);
        let is_hidden = |index| source.bindings(index).hide(path, self.at);
        if namespace != Namespace::Macro && function.is_some_and(is_hidden) {
            return Vec::new();
        }
        let targets = resolve::targets(self, path, namespace);
        targets
            .into_iter()
            .filter_map(|target| self.resolved(target))
            .collect()
    }

    fn resolved(&self, target: Target) -> Option<Resolved> {
        match target {
            Target::Foreign(path) => Some(Resolved::Foreign(with_std(path))),
            Target::Glob(path) => Some(Resolved::Glob(with_std(path))),
            Target::Module(module) => Some(Resolved::Own(Item {
                kind: ItemKind::Module,
                name: module.name(&self.session),
            })),
            Target::Entry(place) => self.entry(place),
            Target::Part(place) => self.part(&place),
            Target::Unknown => Some(Resolved::Own(Item {
                kind: ItemKind::Unseen,
                name: String::new(),
            })),
        }
    }

    fn entry(&self, place: Place) -> Option<Resolved> {
        let entry = place.entry()?;
        let tokens = &place.module.source.tokens;
        let text = |ty: &std::ops::Range<usize>| tokens.text_of(ty.clone()).to_owned();
        let kind = match &entry.what {
            outline::What::Function(index) => {
                let (session, index) = (Rc::clone(&self.session), *index);
                let function = Function::new(session, place.module, index);
                return Some(Resolved::Function(function));
            }
            outline::What::Static { ty, is_mut } => ItemKind::Static {
                ty: text(ty),
                is_mut: *is_mut,
            },
            outline::What::Const { ty } => ItemKind::Const { ty: text(ty) },
            outline::What::Trait => ItemKind::Trait,
            outline::What::Macro => ItemKind::Macro,
            _ => ItemKind::Type,
        };
        let name = entry.name.clone();
        Some(Resolved::Own(Item { kind, name }))
    }

    /// Something of a type or trait that is not in the source.
    fn part(&self, place: &Place) -> Option<Resolved> {
        match self.entry(place.clone())? {
            Resolved::Own(item) if item.kind == ItemKind::Trait => Some(Resolved::Own(item)),
            _ => Some(Resolved::Own(Item {
                kind: ItemKind::Type,
                name: place.entry()?.name.clone(),
            })),
        }
    }

    /// Whether a file was left unread because the crate is too large, so that something was not resolved.
    pub(crate) fn was_cut(&self) -> bool {
        self.session.was_cut()
    }

    /// Where things are that only a build for tests has.
    pub(crate) fn is_in_test(&self) -> bool {
        let source = &self.module.source;
        let function = source.outline.function_around(&source.tokens, self.at);
        let function = function.and_then(|index| source.outline.function(index));
        function.is_some_and(|function| function.gate == Gate::InTests)
            || self.module.is_test(&self.session)
    }

    /// In a `macro_rules!`: the names are those of where it is used.
    fn is_template(&self) -> bool {
        let source = &self.module.source;
        source.outline.is_template(&source.tokens, self.at)
    }

    /// Directly in the braces of an `impl` or a `trait`.
    fn is_associated(&self) -> bool {
        let source = &self.module.source;
        let brace = source.tokens.braces_around(self.at).next();
        let owner = brace.and_then(|brace| source.outline.owner(brace));
        matches!(owner, Some(Owner::Impl(_) | Owner::Trait))
    }
}

/// Whether the block around `span` is an `impl` or a `trait`, which an attribute is not told.
///
/// Where there is no source the answer is no, and rustc reports the expansion instead: less kindly, never wrongly.
pub(crate) fn is_associated(span: Span) -> bool {
    Scope::anywhere(span).is_some_and(|scope| scope.is_associated())
}

/// The file of a token, its line and its column, both from 1.
fn place(span: Span) -> Option<(PathBuf, usize, usize)> {
    if !proc_macro::is_available() {
        #[cfg(test)]
        return staged::place(span);
        #[cfg(not(test))]
        return None;
    }
    let span = span.unwrap();
    Some((span.local_file()?, span.line(), span.column()))
}

/// `core` and `alloc` are parts of `std`.
fn with_std(mut path: Vec<String>) -> Vec<String> {
    if let Some(krate) = path
        .first_mut()
        .filter(|krate| matches!(krate.as_str(), "core" | "alloc"))
    {
        "std".clone_into(krate);
    }
    path
}

impl Mention {
    /// What it may name, at its place. Nothing for a method.
    pub(crate) fn resolve(&self) -> Vec<Resolved> {
        match &self.what {
            What::Path { path, .. } => self.scope.resolve(path, Namespace::Value),
            What::Macro { path } => self.scope.resolve(path, Namespace::Macro),
            What::Method { .. } | What::Unsafe => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
