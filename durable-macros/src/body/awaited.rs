//! What is awaited: every `.await` gets the check of its operand.
//!
//! Whether that may be awaited is decided by its type. The name of the method that gave it only chooses how it is told:
//! the future of an `async fn` says nothing of where it comes from.

use proc_macro2::{Ident, Span};
use quote::quote_spanned;
use syn::visit_mut::VisitMut as _;
use syn::{Expr, ExprAwait, ExprMethodCall};

use super::iteration::{is_repeatable, peeled, unreached};
use super::{Rewriter, call_suffix, suffix};
use crate::model::{located, place_of};

/// What a method seems to be, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    /// Of a channel, lock, set of tasks or timer of tokio: the type of the receiver tells.
    Tokio,
    /// Of a client of a network.
    Request,
    /// Of a client of a database.
    Query,
    /// Of a file, socket or process.
    Io,
    /// Of a stream.
    Next,
}

/// The methods, each with the number of its arguments; the first that fits is meant. Where tokio is meant and the receiver is
/// something else, the text is the general one.
const METHODS: &[(Method, usize, &[&str])] = &[
    (
        Method::Tokio,
        0,
        &[
            "acquire",
            "acquire_owned",
            "changed",
            "closed",
            "join_all",
            "join_next",
            "join_next_with_id",
            "lock",
            "lock_owned",
            "read",
            "read_owned",
            "recv",
            "reserve",
            "reserve_owned",
            "shutdown",
            "tick",
            "wait",
            "write",
            "write_owned",
        ],
    ),
    (
        Method::Tokio,
        1,
        &[
            "acquire_many",
            "acquire_many_owned",
            "get_or_init",
            "get_or_try_init",
            "reserve_many",
            "send",
            "wait_for",
        ],
    ),
    (Method::Tokio, 2, &["recv_many"]),
    (
        Method::Request,
        0,
        &["bytes", "chunk", "into_body", "json", "send", "text"],
    ),
    (Method::Request, 1, &["call", "oneshot"]),
    (
        Method::Query,
        0,
        &["begin", "commit", "rollback", "transaction"],
    ),
    (
        Method::Query,
        1,
        &[
            "execute",
            "fetch_all",
            "fetch_one",
            "fetch_optional",
            "query_async",
        ],
    ),
    (
        Method::Query,
        2,
        &["execute", "query", "query_one", "query_opt"],
    ),
    (
        Method::Io,
        0,
        &[
            "accept",
            "flush",
            "kill",
            "metadata",
            "next_entry",
            "next_line",
            "output",
            "readable",
            "status",
            "sync_all",
            "sync_data",
            "wait_with_output",
            "writable",
        ],
    ),
    (
        Method::Io,
        1,
        &[
            "connect",
            "read",
            "read_buf",
            "read_exact",
            "read_line",
            "read_to_end",
            "read_to_string",
            "recv",
            "recv_from",
            "set_len",
            "write",
            "write_all",
            "write_buf",
        ],
    ),
    (Method::Io, 2, &["read_until", "send_to"]),
    (Method::Next, 0, &["next", "try_next"]),
];

impl Method {
    fn of(call: &ExprMethodCall) -> Option<Self> {
        let (method, ..) = METHODS.iter().find(|(_, count, names)| {
            call.args.len() == *count && names.iter().any(|name| call.method == name)
        })?;
        Some(*method)
    }
}

impl Rewriter<'_> {
    /// Puts the check into an `.await`, and visits what is awaited.
    pub(super) fn awaited(&mut self, call: &mut ExprAwait) {
        let span = call.await_token.span;
        let method = match &*call.base {
            Expr::MethodCall(call) => Method::of(call),
            _ => None,
        };
        let callee = match (method, &*call.base) {
            (Some(Method::Tokio), Expr::MethodCall(call)) => self.callee(&call.receiver, span),
            _ => None,
        };
        self.visit_expr_mut(&mut call.base);
        if self.refused.holds(call.await_token.span) {
            return;
        }
        let base = std::mem::replace(&mut *call.base, Expr::PLACEHOLDER);
        let tagged = match (method, callee) {
            (Some(Method::Tokio), Some(callee)) => suffix(
                call_suffix(base, "__durable_op_of", callee, span),
                "known",
                span,
            ),
            (Some(Method::Request), _) => suffix(base, "__durable_request", span),
            (Some(Method::Query), _) => suffix(base, "__durable_query", span),
            (Some(Method::Io), _) => suffix(base, "__durable_io", span),
            (Some(Method::Next), _) => suffix(base, "__durable_next", span),
            _ => suffix(base, "__durable_op", span),
        };
        *call.base = suffix(tagged, "only_durable", span);
    }

    /// Says whose method is called, without calling it again.
    fn callee(&self, receiver: &Expr, span: Span) -> Option<Expr> {
        let receiver = peeled(receiver);
        if !is_repeatable(receiver) {
            return None;
        }
        let span = place_of(span);
        let runtime = located(self.runtime, span);
        let callee = Ident::new("callee", Span::mixed_site());
        let told = unreached(span, &quote_spanned!(span=> #callee.is(&#receiver)));
        Some(Expr::Verbatim(quote_spanned!(span=> {
            let #callee = #runtime::Callee::new();
            #told
            #callee
        })))
    }
}
