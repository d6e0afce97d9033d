//! Work beside the orchestrator: threads, tasks, runtimes, combinators.

use super::Row;
use super::Says::{Breaks, Fine};
use crate::catalogue::Code;

pub(super) const NAMES: &[Row] = &[
    (
        Breaks(Code::D020),
        &[
            "std::thread::{spawn, scope}",
            "std::thread::Builder::*",
            "tokio::spawn",
            "tokio::task::*",
            "tokio_util::task::*",
            "rayon::*",
            "rayon_core::*",
            "crossbeam::scope",
            "crossbeam::thread::*",
            "threadpool::*",
            "scoped_threadpool::*",
            "async_std::task::{spawn, spawn_local, spawn_blocking, current}",
            "async_std::task::Builder::*",
            "smol::{spawn, unblock}",
            "smol::{Executor, LocalExecutor}::*",
            "actix_rt::*",
            "actix::*",
            "glommio::*",
            "monoio::*",
            "tokio_uring::*",
            "wasm_bindgen_futures::*",
        ],
    ),
    (
        // Does nothing; an await of it is told of by its type.
        Fine,
        &[
            "tokio::task::yield_now",
            "async_std::task::yield_now",
            "smol::future::yield_now",
        ],
    ),
    (Breaks(Code::D033), &["tokio::task::{id, try_id}"]),
    (
        Breaks(Code::D021),
        &[
            "tokio::{select, join, try_join}!",
            "futures::*",
            "futures_concurrency::*",
            "futures_buffered::*",
            "tokio_stream::*",
            "async_stream::*",
            "async_std::{stream, future, prelude}::*",
            "smol::{stream, future}::*",
        ],
    ),
    (
        Fine,
        &[
            "futures::{never, task}::*",
            "futures::ready!",
            // Only holds a future in its place.
            "futures::pin_mut!",
            // Of these the type tells, where they are awaited.
            "futures::future::{ready, ok, err, pending, lazy, poll_fn, maybe_done}",
        ],
    ),
    (
        Breaks(Code::D023),
        &[
            "tokio::runtime::*",
            "tokio::task::block_in_place",
            "futures::executor::*",
            "pollster::*",
            "async_std::task::{block_on, try_current}",
            "smol::{block_on, run}",
            "actix_rt::System::*",
            "compio::*",
            "extreme::*",
        ],
    ),
];
