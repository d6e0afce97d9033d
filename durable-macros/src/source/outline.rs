//! The items of one file, in the module or block that each belongs to, without a look into any other file.
//!
//! One pass over the tokens: what is no item is skipped, token by token. Bodies wait in a list, so that no nesting of the
//! text is a nesting of calls.

mod attributes;
mod items;
mod uses;

use std::collections::HashMap;
use std::ops::Range;

use self::attributes::Attributes;
pub(super) use self::attributes::{Gate, attribute};
use super::lexer::Delimiter;
use super::tokens::Tokens;

/// All items of a file.
#[derive(Debug)]
pub(super) struct Outline {
    file: Space,
    /// Counted from 1.
    inner: Vec<Space>,
    /// The space in each brace that has one.
    by_brace: HashMap<usize, usize>,
    functions: Vec<Function>,
    /// The function of each brace that is a body.
    by_body: HashMap<usize, usize>,
    /// Items in bodies, in order.
    nested: Vec<Range<usize>>,
    /// The braces of `macro_rules!`: what stands there is written elsewhere.
    templates: Vec<usize>,
}

/// What has names of its own: a module, a block with items in it, an `impl` or a `trait`.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) owner: Owner,
    /// By name.
    pub(super) entries: Vec<Entry>,
    pub(super) globs: Vec<Glob>,
    pub(super) impls: Vec<Impl>,
    /// Of an `impl` or a `trait`, with the angle brackets.
    pub(super) generics: Range<usize>,
    pub(super) gate: Gate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// With its name; that of a file is in another file.
    Module(Option<String>),
    Block,
    /// With the type that it is for, where that is a path.
    Impl(Option<Vec<String>>),
    Trait,
}

/// A name and what it is here.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) what: What,
    /// The token of the name.
    pub(super) at: usize,
    pub(super) is_public: bool,
    pub(super) gate: Gate,
    /// Under `#[macro_use]`: the macros of this module are known after it.
    pub(super) brings_macros: bool,
}

#[derive(Debug)]
pub(super) enum What {
    /// `use`, `extern crate`: the path without its renaming. A crate has an empty segment before it.
    Import(Vec<String>),
    /// `type`, with what it stands for, where that is a path.
    Alias(Option<Vec<String>>),
    /// With its space.
    Inline(usize),
    /// A module in a file, with the paths that attributes name, and whether one of them holds in any case.
    File {
        paths: Vec<String>,
        is_certain: bool,
    },
    /// With its place in the list of functions.
    Function(usize),
    /// With its type.
    Static {
        ty: Range<usize>,
        is_mut: bool,
    },
    Const {
        ty: Range<usize>,
    },
    Struct,
    Enum {
        variants: Vec<String>,
    },
    Trait,
    Macro,
}

/// `use path::*`
#[derive(Debug)]
pub(super) struct Glob {
    pub(super) path: Vec<String>,
    /// A token of the `use`.
    pub(super) at: usize,
    pub(super) is_public: bool,
    pub(super) gate: Gate,
}

/// An `impl` of a type, not of a trait.
#[derive(Debug)]
pub(super) struct Impl {
    pub(super) of: Vec<String>,
    /// A token of its header.
    pub(super) at: usize,
    pub(super) space: usize,
}

/// A function, of whatever kind.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) attributes: Range<usize>,
    /// The token of its name.
    pub(super) name: usize,
    /// With the angle brackets.
    pub(super) generics: Range<usize>,
    /// Between the parentheses.
    pub(super) parameters: Range<usize>,
    /// The brace, where there is one.
    pub(super) body: Option<usize>,
    /// The innermost space around it.
    pub(super) space: usize,
    pub(super) is_async: bool,
    pub(super) is_unsafe: bool,
    pub(super) gate: Gate,
}

impl Outline {
    pub(super) fn of(tokens: &Tokens) -> Self {
        let mut builder = Builder {
            tokens,
            outline: Self {
                file: Space::new(Owner::Module(None), Gate::Always),
                inner: Vec::new(),
                by_brace: HashMap::new(),
                functions: Vec::new(),
                by_body: HashMap::new(),
                nested: Vec::new(),
                templates: Vec::new(),
            },
            work: Vec::new(),
        };
        builder.work.push(Work::Items(0..tokens.len(), 0));
        builder.run();
        let mut outline = builder.outline;
        for space in outline.inner.iter_mut().chain([&mut outline.file]) {
            space.entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        outline.nested.sort_by_key(|range| range.start);
        outline
    }

    /// That of the file, if there is no such space.
    pub(super) fn space(&self, index: usize) -> &Space {
        let inner = index.checked_sub(1).and_then(|index| self.inner.get(index));
        inner.unwrap_or(&self.file)
    }

    fn space_mut(&mut self, index: usize) -> &mut Space {
        let Self { file, inner, .. } = self;
        let inner = index.checked_sub(1).and_then(|index| inner.get_mut(index));
        inner.unwrap_or(file)
    }

    pub(super) fn spaces(&self) -> impl Iterator<Item = &Space> {
        std::iter::once(&self.file).chain(&self.inner)
    }

    pub(super) fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Whether a method of this name stands in the file.
    pub(super) fn has_method(&self, tokens: &Tokens, name: &str) -> bool {
        self.functions.iter().any(|function| {
            let owner = &self.space(function.space).owner;
            let mut parameters = function.parameters.clone().take(4);
            matches!(owner, Owner::Impl(_) | Owner::Trait)
                && tokens.ident(function.name) == Some(name)
                && parameters.any(|at| tokens.ident(at) == Some("self"))
        })
    }

    pub(super) fn function(&self, index: usize) -> Option<&Function> {
        self.functions.get(index)
    }

    /// What the brace at `open` holds.
    pub(super) fn owner(&self, open: usize) -> Option<&Owner> {
        let space = self.by_brace.get(&open)?;
        Some(&self.space(*space).owner)
    }

    /// The spaces around a token, from the innermost on, the file's last.
    pub(super) fn spaces_around(&self, tokens: &Tokens, index: usize) -> Vec<usize> {
        let braces = tokens.braces_around(index);
        let spaces = braces.filter_map(|brace| self.by_brace.get(&brace).copied());
        spaces.chain([0]).collect()
    }

    /// The function in whose body a token stands; an item in a body is not of that body.
    pub(super) fn function_around(&self, tokens: &Tokens, index: usize) -> Option<usize> {
        for brace in tokens.braces_around(index) {
            if let Some(function) = self.by_body.get(&brace) {
                return Some(*function);
            }
            if self
                .owner(brace)
                .is_some_and(|owner| *owner != Owner::Block)
            {
                return None;
            }
        }
        None
    }

    /// Whether a token stands in the text of a `macro_rules!`.
    pub(super) fn is_template(&self, tokens: &Tokens, index: usize) -> bool {
        let mut around = tokens.groups_around(index);
        around.any(|open| self.templates.contains(&open))
    }

    /// The end of the item in a body that begins at a token.
    pub(super) fn nested_item(&self, start: usize) -> Option<usize> {
        let found = self
            .nested
            .binary_search_by_key(&start, |range| range.start);
        found
            .ok()
            .and_then(|at| self.nested.get(at))
            .map(|range| range.end)
    }
}

impl Space {
    fn new(owner: Owner, gate: Gate) -> Self {
        Self {
            owner,
            entries: Vec::new(),
            globs: Vec::new(),
            impls: Vec::new(),
            generics: 0..0,
            gate,
        }
    }

    /// What is called `name` here, with the index of each.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Entry)> {
        let first = self
            .entries
            .partition_point(|entry| entry.name.as_str() < name);
        let rest = self.entries.iter().enumerate().skip(first);
        rest.take_while(move |(_, entry)| entry.name == name)
    }
}

/// What is still to be read.
enum Work {
    /// Nothing but items, of one space.
    Items(Range<usize>, usize),
    /// Statements and expressions, in which items may stand.
    Code(Range<usize>),
}

struct Builder<'a> {
    tokens: &'a Tokens,
    outline: Outline,
    work: Vec<Work>,
}

impl Builder<'_> {
    fn run(&mut self) {
        while let Some(work) = self.work.pop() {
            match work {
                Work::Items(range, space) => self.items(range, space),
                Work::Code(range) => self.code(range),
            }
        }
    }

    fn add_space(&mut self, owner: Owner, gate: Gate) -> usize {
        self.outline.inner.push(Space::new(owner, gate));
        self.outline.inner.len()
    }

    fn items(&mut self, range: Range<usize>, space: usize) {
        let mut at = range.start;
        while at < range.end {
            at = match self.item(at..range.end, space) {
                Some(after) => after.max(at + 1),
                None => self.other(at),
            };
        }
    }

    /// What is no item, which a macro call may be: there may be items in it, known to one another.
    fn other(&mut self, at: usize) -> usize {
        if self.tokens.is_open(at, Delimiter::Brace) {
            self.work.push(Work::Code(at + 1..self.tokens.close_of(at)));
        }
        self.tokens.after(at)
    }

    /// An item can begin where a statement can.
    fn code(&mut self, range: Range<usize>) {
        let mut at = range.start;
        let before = range.start.checked_sub(1);
        let mut is_start = before.is_some_and(|at| self.tokens.is_open(at, Delimiter::Brace));
        while at < range.end {
            if is_start
                && self.may_begin_item(at)
                && let Some(after) = self.nested(at, range.end)
            {
                at = after.max(at + 1);
                continue;
            }
            is_start = self.tokens.is_open(at, Delimiter::Brace)
                || self.tokens.is_close(at, Delimiter::Brace)
                || self.tokens.is_punct(at, b';');
            at += 1;
        }
    }

    fn may_begin_item(&self, at: usize) -> bool {
        let begins = |word| ITEM_WORDS.contains(&word);
        self.tokens.is_punct(at, b'#') || self.tokens.ident(at).is_some_and(begins)
    }

    /// An item in a block; the block gets its space with the first.
    fn nested(&mut self, at: usize, end: usize) -> Option<usize> {
        let brace = self.tokens.braces_around(at).next();
        let known = brace.and_then(|brace| self.outline.by_brace.get(&brace).copied());
        let space = known.unwrap_or_else(|| self.add_space(Owner::Block, Gate::Always));
        let end = brace.map_or(end, |brace| self.tokens.close_of(brace).min(end));
        let after = self.item(at..end, space);
        match (after, brace) {
            (Some(after), Some(brace)) => {
                self.outline.by_brace.insert(brace, space);
                self.outline.nested.push(at..after);
            }
            (None, _) if known.is_none() => self.outline.inner.truncate(space - 1),
            _ => {}
        }
        after
    }
}

/// With what an item in a body can begin.
const ITEM_WORDS: &[&str] = &[
    "use",
    "fn",
    "struct",
    "const",
    "static",
    "enum",
    "impl",
    "mod",
    "type",
    "trait",
    "pub",
    "async",
    "unsafe",
    "extern",
    "macro_rules",
    "union",
    "safe",
    "auto",
];

#[cfg(test)]
mod tests;
