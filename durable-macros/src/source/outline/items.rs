//! One item after another, by its keyword. What is between its name and its body is passed over.

use std::ops::Range;

use super::super::lexer::Delimiter::{Brace, Parenthesis};
use super::uses::{self, Leaf};
use super::{Attributes, Builder, Entry, Function, Gate, Glob, Impl, Owner, What, Work};

/// An item whose attributes and visibility are read.
struct Head {
    attributes: Attributes,
    /// The tokens of the attributes.
    range: Range<usize>,
    is_public: bool,
    space: usize,
    /// The first token after them.
    at: usize,
    /// Where the space ends.
    end: usize,
}

impl Builder<'_> {
    /// Reads the item at the start of `range` into `space`; the index after it. Nothing is added if there is none.
    pub(super) fn item(&mut self, range: Range<usize>, space: usize) -> Option<usize> {
        let tokens = self.tokens;
        let (attributes, mut at) = Attributes::read(tokens, range.start, range.end);
        let attribute_range = range.start..at;
        let is_public = tokens.is(at, "pub");
        if is_public {
            at += 1;
            if tokens.is_open(at, Parenthesis) && self.is_restriction(at + 1) {
                at = tokens.after(at);
            }
        }
        let head = Head {
            attributes,
            range: attribute_range,
            is_public,
            space,
            at,
            end: range.end,
        };
        if at >= range.end {
            return None;
        }
        match tokens.ident(at)? {
            "use" => Some(self.import(&head)),
            "mod" => self.module(&head, at + 1),
            "struct" | "union" => self.structure(&head),
            "enum" => self.enumeration(&head),
            "type" => self.alias(&head),
            "static" => self.static_item(&head),
            "macro_rules" => self.macro_rules(&head),
            "macro" => self.macro_item(&head),
            _ => self.qualified(head),
        }
    }

    /// `pub (crate::A, B)` in a tuple struct is another thing than `pub(crate)`.
    fn is_restriction(&self, at: usize) -> bool {
        let is_word = ["crate", "self", "super", "in"]
            .iter()
            .any(|word| self.tokens.is(at, word));
        is_word && (self.tokens.is(at, "in") || self.tokens.is_close(at + 1, Parenthesis))
    }

    /// Items that may have `const`, `async`, `unsafe`, `extern "C"` or the like before their keyword.
    fn qualified(&mut self, head: Head) -> Option<usize> {
        let tokens = self.tokens;
        let (mut at, mut is_async, mut is_unsafe) = (head.at, false, false);
        while at < head.end {
            let is_extern = tokens.is(at, "extern");
            match tokens.ident(at)? {
                "fn" => return self.function(&head, at + 1, is_async, is_unsafe),
                "trait" => return self.trait_item(&head, at + 1),
                "impl" => return self.implementation(&head, at + 1),
                "mod" => return self.module(&head, at + 1),
                "const" if tokens.is_punct(at + 2, b':') => return self.constant(&head, at + 1),
                "static" => return self.static_item(&Head { at, ..head }),
                "extern" if tokens.is(at + 1, "crate") => return self.foreign_crate(&head, at + 2),
                "async" => is_async = true,
                "unsafe" => is_unsafe = true,
                "const" | "safe" | "extern" | "gen" | "auto" | "default" => {}
                _ => return None,
            }
            at += 1;
            if is_extern {
                at += usize::from(tokens.is_literal(at));
                if tokens.is_open(at, Brace) {
                    // What is declared there has its name here.
                    self.work
                        .push(Work::Items(at + 1..tokens.close_of(at), head.space));
                    return Some(tokens.after(at));
                }
            }
        }
        None
    }

    fn add(&mut self, head: &Head, at: usize, what: What) {
        let name = self.tokens.ident(at).unwrap_or_default().to_owned();
        self.add_as(head, name, at, what);
    }

    fn add_as(&mut self, head: &Head, name: String, at: usize, what: What) {
        let entry = Entry {
            name,
            what,
            at,
            is_public: head.is_public,
            gate: head.attributes.gate,
            brings_macros: head.attributes.brings_macros,
        };
        self.outline.space_mut(head.space).entries.push(entry);
    }

    fn import(&mut self, head: &Head) -> usize {
        let end = self.semicolon(head.at, head.end);
        for leaf in uses::leaves(self.tokens, head.at + 1, end) {
            match leaf {
                Leaf::Name(name, at, path) => self.add_as(head, name, at, What::Import(path)),
                Leaf::Glob(path) => {
                    let glob = Glob {
                        path,
                        at: head.at,
                        is_public: head.is_public,
                        gate: head.attributes.gate,
                    };
                    self.outline.space_mut(head.space).globs.push(glob);
                }
            }
        }
        end + 1
    }

    fn foreign_crate(&mut self, head: &Head, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let name = tokens.name(at)?;
        let path = match name {
            "self" => vec!["crate".to_owned()],
            _ => vec![String::new(), name.to_owned()],
        };
        let renamed = if tokens.is(at + 1, "as") { at + 2 } else { at };
        if tokens.name(renamed).is_some() {
            self.add(head, renamed, What::Import(path));
        }
        Some(self.semicolon(at, head.end) + 1)
    }

    fn module(&mut self, head: &Head, name: usize) -> Option<usize> {
        let tokens = self.tokens;
        let text = tokens.name(name)?.to_owned();
        if tokens.is_open(name + 1, Brace) {
            let outer = self.outline.space(head.space).gate;
            let gate = head.attributes.gate.max(outer);
            let space = self.members(name + 1, Owner::Module(Some(text)), gate);
            self.add(head, name, What::Inline(space));
            return Some(tokens.after(name + 1));
        }
        if !tokens.is_punct(name + 1, b';') {
            return None;
        }
        let what = What::File {
            paths: head.attributes.paths.clone(),
            is_certain: head.attributes.has_certain_path,
        };
        self.add(head, name, what);
        Some(name + 2)
    }

    /// A space for the items in the brace at `open`, which are read later.
    fn members(&mut self, open: usize, owner: Owner, gate: Gate) -> usize {
        let space = self.add_space(owner, gate);
        self.outline.by_brace.insert(open, space);
        self.work
            .push(Work::Items(open + 1..self.tokens.close_of(open), space));
        space
    }

    fn structure(&mut self, head: &Head) -> Option<usize> {
        // `union` is a keyword only here.
        self.tokens.name(head.at + 1)?;
        let body = self.body(head.at + 2, head.end);
        self.add(head, head.at + 1, What::Struct);
        Some(self.after_body(body, head.end))
    }

    fn enumeration(&mut self, head: &Head) -> Option<usize> {
        let tokens = self.tokens;
        tokens.name(head.at + 1)?;
        let body = self.body(head.at + 2, head.end);
        let (mut variants, mut at) = (Vec::new(), body + 1);
        let end = tokens.close_of(body);
        while tokens.is_open(body, Brace) && at < end {
            (_, at) = Attributes::read(tokens, at, end);
            variants.extend(tokens.name(at).filter(|_| at < end).map(str::to_owned));
            at = tokens.find(at..end, |at| tokens.is_punct(at, b',')) + 1;
        }
        self.add(head, head.at + 1, What::Enum { variants });
        Some(self.after_body(body, head.end))
    }

    fn alias(&mut self, head: &Head) -> Option<usize> {
        let tokens = self.tokens;
        tokens.name(head.at + 1)?;
        let end = self.semicolon(head.at, head.end);
        let generics = self.generics(head.at + 2, end);
        let equals = tokens.find(generics.end..end, |at| tokens.is_punct(at, b'='));
        let target = tokens.type_path(equals + 1, end).filter(|(path, after)| {
            let mut parameters = generics.clone();
            let is_parameter = path.len() == 1
                && parameters.any(|at| tokens.ident(at) == path.first().map(String::as_str));
            !is_parameter && (*after == end || tokens.is(*after, "where"))
        });
        self.add(head, head.at + 1, What::Alias(target.map(|(path, _)| path)));
        Some(end + 1)
    }

    fn constant(&mut self, head: &Head, name: usize) -> Option<usize> {
        let (ty, end) = self.value(name + 1, head.end)?;
        self.add(head, name, What::Const { ty });
        Some(end)
    }

    fn static_item(&mut self, head: &Head) -> Option<usize> {
        let is_mut = self.tokens.is(head.at + 1, "mut");
        let name = head.at + 1 + usize::from(is_mut);
        self.tokens.name(name)?;
        let (ty, end) = self.value(name + 1, head.end)?;
        self.add(head, name, What::Static { ty, is_mut });
        Some(end)
    }

    /// `: Type = value;` from the colon on: the type, and the index after the item.
    fn value(&mut self, colon: usize, end: usize) -> Option<(Range<usize>, usize)> {
        let tokens = self.tokens;
        if !tokens.is_punct(colon, b':') {
            return None;
        }
        let semicolon = self.semicolon(colon, end);
        let equals = tokens.find_flat(colon + 1..semicolon, |at| tokens.is_punct(at, b'='));
        self.work.push(Work::Code(equals..semicolon));
        Some((colon + 1..equals, semicolon + 1))
    }

    fn function(
        &mut self,
        head: &Head,
        name: usize,
        is_async: bool,
        is_unsafe: bool,
    ) -> Option<usize> {
        let tokens = self.tokens;
        tokens.name(name)?;
        let generics = self.generics(name + 1, head.end);
        let open = tokens.find(generics.end..head.end, |at| tokens.is_open(at, Parenthesis));
        let body = self.body(tokens.after(open), head.end);
        let has_body = tokens.is_open(body, Brace);
        let function = self.outline.functions.len();
        self.outline.functions.push(Function {
            attributes: head.range.clone(),
            name,
            generics,
            parameters: open + 1..tokens.close_of(open),
            body: has_body.then_some(body),
            space: head.space,
            is_async,
            is_unsafe,
            gate: head.attributes.gate,
        });
        if has_body {
            self.outline.by_body.insert(body, function);
            self.work.push(Work::Code(body + 1..tokens.close_of(body)));
        }
        self.add(head, name, What::Function(function));
        Some(self.after_body(body, head.end))
    }

    fn trait_item(&mut self, head: &Head, name: usize) -> Option<usize> {
        self.tokens.name(name)?;
        let body = self.body(name + 1, head.end);
        if self.tokens.is_open(body, Brace) {
            let space = self.members(body, Owner::Trait, head.attributes.gate);
            self.outline.space_mut(space).generics = self.generics(name + 1, body);
        }
        self.add(head, name, What::Trait);
        Some(self.after_body(body, head.end))
    }

    /// `impl<T> Type {}`, `impl<T> Trait for Type {}`.
    fn implementation(&mut self, head: &Head, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let generics = self.generics(at, head.end);
        let start = generics.end;
        let body = self.body(start, head.end);
        if !tokens.is_open(body, Brace) {
            return None;
        }
        let is_for = |at| tokens.is(at, "for") && !tokens.is_punct(at + 1, b'<');
        let between = tokens.find_flat(start..body, is_for);
        let is_of_trait = between < body;
        let ty = if is_of_trait { between + 1 } else { start };
        let of = tokens.type_path(ty, body).map(|(path, _)| path);
        let space = self.members(body, Owner::Impl(of.clone()), head.attributes.gate);
        self.outline.space_mut(space).generics = generics;
        if let (Some(of), false) = (of, is_of_trait) {
            let outer = self.outline.space_mut(head.space);
            outer.impls.push(Impl { of, at, space });
        }
        Some(tokens.after(body))
    }

    fn macro_rules(&mut self, head: &Head) -> Option<usize> {
        let tokens = self.tokens;
        let is_definition = tokens.is_punct(head.at + 1, b'!');
        tokens.name(head.at + 2).filter(|_| is_definition)?;
        self.add(head, head.at + 2, What::Macro);
        self.template(head.at + 3);
        Some(tokens.after(head.at + 3))
    }

    /// `macro name(..) { .. }` is not stable, but some read it.
    fn macro_item(&mut self, head: &Head) -> Option<usize> {
        self.tokens.name(head.at + 1)?;
        let body = self.body(head.at + 2, head.end);
        self.add(head, head.at + 1, What::Macro);
        self.template(body);
        Some(self.after_body(body, head.end))
    }

    fn template(&mut self, open: usize) {
        self.outline.templates.push(open);
        self.work
            .push(Work::Code(open + 1..self.tokens.close_of(open)));
    }

    /// What stands in the angle brackets at `at`; where there are none, nothing. They end before `end` of the range.
    fn generics(&self, at: usize, end: usize) -> Range<usize> {
        if self.tokens.is_punct(at, b'<') {
            at..self.tokens.after_generics(at, end)
        } else {
            at..at
        }
    }

    fn semicolon(&self, at: usize, end: usize) -> usize {
        self.tokens
            .find(at..end, |at| self.tokens.is_punct(at, b';'))
    }

    /// The brace or semicolon that ends the header of an item.
    fn body(&self, at: usize, end: usize) -> usize {
        self.tokens.find_flat(at..end, |at| {
            self.tokens.is_open(at, Brace) || self.tokens.is_punct(at, b';')
        })
    }

    fn after_body(&self, body: usize, end: usize) -> usize {
        if body < end {
            self.tokens.after(body)
        } else {
            end
        }
    }
}
