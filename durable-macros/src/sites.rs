//! The static table of a body: each point at which it may wait or asks for something, and how control goes among them.
//!
//! A row has an id that outlives edits which do not concern it: it is a hash of the function, of the loops, branches and
//! combinators around it, and of what is called, never of a line or of a variable. The body is walked once, before it is
//! rewritten, in the order of evaluation.

mod callee;
mod flow;
mod text;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Stmt;

use self::flow::Flow;
use self::text::Text;
use self::walk::Walk;
use crate::model::Function;

/// Rows of one function beyond this many are left out: their commands are found by place.
const ROWS_MAX: usize = 1000;

/// All that one body leaves.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    flow: Vec<Flow>,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `.await`
    Await,
    /// A branch of `join!`, `try_join!` or `select!`.
    Branch,
    /// A call whose future is awaited elsewhere, or that is recorded without an await.
    Call,
    /// `.timeout(..)`
    Timeout,
}

/// One point.
#[derive(Debug)]
struct Row {
    kind: Kind,
    /// For people, as its author wrote it.
    callee: String,
    /// What the id is made of, but for the function.
    key: String,
    /// Where the callee is, from 1.
    line: usize,
    column: usize,
    /// The last line of the expression.
    end_line: usize,
    /// The loops, branches and combinators around it, each with its line.
    path: String,
    /// The line of the source.
    text: String,
}

impl Table {
    /// The table of a body that was not rewritten yet.
    pub(crate) fn of(function: &Function, statements: &[Stmt]) -> Self {
        let mut walk = Walk::new(function.sig.ident.span(), Text::of(function.body.span()));
        walk.statements(statements);
        walk.table
    }

    /// As a static `__SITES`, and its registration. Nothing for a helper without a row.
    pub(crate) fn tokens(
        &self,
        runtime: &TokenStream,
        (name, version): (&str, Option<&str>),
        place: &TokenStream,
        is_helper: bool,
    ) -> TokenStream {
        if is_helper && self.rows.is_empty() {
            return TokenStream::new();
        }
        let rows = self.rows.iter().zip(self.ids(name, version));
        let rows = rows.map(|(row, id)| row.tokens(runtime, id));
        let flow = flow::tokens(runtime, &self.flow);
        quote! {
            static __SITES: #runtime::SiteTable = #runtime::SiteTable {
                function: #name,
                is_helper: #is_helper,
                place: #place,
                sites: &[#(#rows),*],
                flow: #flow,
            };
            #runtime::inventory::submit! { &__SITES }
        }
    }

    /// An id for each row. Two of one function never share one.
    fn ids(&self, name: &str, version: Option<&str>) -> Vec<u32> {
        let mut taken = HashSet::new();
        let id = |row: &Row| {
            let mut id = hash(&[name, version.unwrap_or_default(), &row.key]);
            while !taken.insert(id) {
                id = id.wrapping_add(1) | OF_ROWS;
            }
            id
        };
        self.rows.iter().map(id).collect()
    }
}

/// The bit that tells the id of a row from the number of a place that has none.
const OF_ROWS: u32 = 1 << 31;

/// FNV-1a over the parts, each with an end, folded to what an id has room for.
fn hash(parts: &[&str]) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let folded = (hash >> 32) ^ (hash & u64::from(u32::MAX));
    u32::try_from(folded).unwrap_or_default() | OF_ROWS
}

impl Row {
    fn tokens(&self, runtime: &TokenStream, id: u32) -> TokenStream {
        let Self {
            callee, path, text, ..
        } = self;
        let kind = match self.kind {
            Kind::Await => quote!(Await),
            Kind::Branch => quote!(Branch),
            Kind::Call => quote!(Call),
            Kind::Timeout => quote!(Timeout),
        };
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (line, column, end_line) = (
            number(self.line),
            number(self.column),
            number(self.end_line),
        );
        quote! {
            #runtime::Site::__new(
                #id, #runtime::SiteKind::#kind, [#line, #column, #end_line], [#callee, #path, #text],
            )
        }
    }
}

/// The line and the column of a token, from 1.
fn position(span: Span) -> (usize, usize) {
    #[cfg(test)]
    if !proc_macro::is_available() {
        let start = span.start();
        return (start.line, start.column + 1);
    }
    crate::model::position(span)
}

/// The line and the column behind the last character of a token.
fn end(span: Span) -> (usize, usize) {
    if proc_macro::is_available() {
        let end = span.unwrap().end();
        return (end.line(), end.column());
    }
    #[cfg(test)]
    {
        let end = span.end();
        (end.line, end.column + 1)
    }
    #[cfg(not(test))]
    (0, 0)
}
