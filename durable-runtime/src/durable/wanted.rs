//! What to write instead of requests and queries, told by the names of the methods.
//!
//! The types of clients cannot be named here without depending on their crates. But whether a future is durable is decided by
//! its type, whatever the method is called; the name only chooses what is said if it is not.

use super::Durable;
use super::op::Tag;

/// Nothing is known.
#[derive(Debug)]
pub struct Any(());

/// What a client of a network gives.
#[derive(Debug)]
pub struct Response(());

/// [`Durable`], of what a client of a network gives.
#[diagnostic::on_unimplemented(
    message = "[D200] cannot await `{Self}` in an orchestrator: its result is not recorded in the history",
    label = "not a durable operation",
    note = "a request to another service is made in an activity, which is retried and whose result is recorded: `#[activity] async fn ask(#[state] client: &Client, ..) -> ..`; read the whole response there, and return what matters of it",
    note = "if it only awaits activities, timers and events, make it a helper: `#[helper] async fn ..`",
    note = "see docs/determinism/D200.md"
)]
pub trait Answered {}

#[diagnostic::do_not_recommend]
impl<D: Durable + ?Sized> Answered for D {}

/// The check of what a client of a network gives.
pub trait OnlyAnswered<Op> {
    /// Unwraps the value, which is durable.
    fn only_durable(self) -> Op
    where
        Op: Answered;
}

impl<Op> OnlyAnswered<Op> for Tag<Op, Response> {
    #[inline]
    fn only_durable(self) -> Op
    where
        Op: Answered,
    {
        self.0
    }
}

/// What a client of a database gives.
#[derive(Debug)]
pub struct Rows(());

/// [`Durable`], of what a client of a database gives.
#[diagnostic::on_unimplemented(
    message = "[D200] cannot await `{Self}` in an orchestrator: its result is not recorded in the history",
    label = "not a durable operation",
    note = "a query is made in an activity, whose result is recorded: `#[activity] async fn find(#[state] pool: &Pool, ..) -> ..`; a transaction begins and ends in one activity",
    note = "if it only awaits activities, timers and events, make it a helper: `#[helper] async fn ..`",
    note = "see docs/determinism/D200.md"
)]
pub trait Queried {}

#[diagnostic::do_not_recommend]
impl<D: Durable + ?Sized> Queried for D {}

/// The check of what a client of a database gives.
pub trait OnlyQueried<Op> {
    /// Unwraps the value, which is durable.
    fn only_durable(self) -> Op
    where
        Op: Queried;
}

impl<Op> OnlyQueried<Op> for Tag<Op, Rows> {
    #[inline]
    fn only_durable(self) -> Op
    where
        Op: Queried,
    {
        self.0
    }
}

/// What a file, socket, or process gives.
#[derive(Debug)]
pub struct Bytes(());

/// [`Durable`], of what a file, socket, or process gives.
#[diagnostic::on_unimplemented(
    message = "[D200] cannot await `{Self}` in an orchestrator: its result is not recorded in the history",
    label = "not a durable operation",
    note = "files, sockets and processes are read and written in an activity, whose result is recorded: `#[activity] async fn load(path: String) -> ..`",
    note = "if it only awaits activities, timers and events, make it a helper: `#[helper] async fn ..`",
    note = "see docs/determinism/D200.md"
)]
pub trait Transferred {}

#[diagnostic::do_not_recommend]
impl<D: Durable + ?Sized> Transferred for D {}

/// The check of what a file, socket, or process gives.
pub trait OnlyTransferred<Op> {
    /// Unwraps the value, which is durable.
    fn only_durable(self) -> Op
    where
        Op: Transferred;
}

impl<Op> OnlyTransferred<Op> for Tag<Op, Bytes> {
    #[inline]
    fn only_durable(self) -> Op
    where
        Op: Transferred,
    {
        self.0
    }
}

/// What a stream gives.
#[derive(Debug)]
pub struct Item(());

/// [`Durable`], of what a stream gives.
#[diagnostic::on_unimplemented(
    message = "[D200] cannot await `{Self}` in an orchestrator: its result is not recorded in the history",
    label = "not a durable operation",
    note = "what a stream gives is not recorded, and its order neither: collect it in an activity; to take results of durable calls as they come, use `FuturesUnordered`",
    note = "if it only awaits activities, timers and events, make it a helper: `#[helper] async fn ..`",
    note = "see docs/determinism/D200.md"
)]
pub trait Streamed {}

#[diagnostic::do_not_recommend]
impl<D: Durable + ?Sized> Streamed for D {}

/// The check of what a stream gives.
pub trait OnlyStreamed<Op> {
    /// Unwraps the value, which is durable.
    fn only_durable(self) -> Op
    where
        Op: Streamed;
}

impl<Op> OnlyStreamed<Op> for Tag<Op, Item> {
    #[inline]
    fn only_durable(self) -> Op
    where
        Op: Streamed,
    {
        self.0
    }
}

/// Begins the check of what a method returned that is called as those of clients are.
pub trait WantedOp: Sized {
    /// As that of a client of a network.
    #[doc(hidden)]
    #[inline]
    fn __durable_request(self) -> Tag<Self, Response> {
        Tag::new(self)
    }

    /// As that of a client of a database.
    #[doc(hidden)]
    #[inline]
    fn __durable_query(self) -> Tag<Self, Rows> {
        Tag::new(self)
    }

    /// As that of a file, socket, or process.
    #[doc(hidden)]
    #[inline]
    fn __durable_io(self) -> Tag<Self, Bytes> {
        Tag::new(self)
    }

    /// As that of a stream.
    #[doc(hidden)]
    #[inline]
    fn __durable_next(self) -> Tag<Self, Item> {
        Tag::new(self)
    }
}

impl<Op> WantedOp for Op {}
