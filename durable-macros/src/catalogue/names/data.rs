//! What is in memory, and what the code itself is.

use super::Row;
use super::Says::{Breaks, Fine};
use crate::catalogue::Code;

pub(super) const NAMES: &[Row] = &[
    (
        Breaks(Code::D022),
        &[
            "std::sync::mpsc::*",
            "std::sync::mpmc::*",
            "std::sync::{Mutex, RwLock, Condvar, Barrier, ReentrantLock}::*",
            "std::sync::atomic::*",
            "tokio::sync::*",
            "tokio_util::sync::*",
            "futures::{channel, lock}::*",
            "async_std::{channel, sync}::*",
            "async_channel::*",
            "async_lock::*",
            "async_broadcast::*",
            "event_listener::*",
            "smol::{channel, lock}::*",
            "crossbeam::{channel, queue, deque, epoch, atomic, sync}::*",
            "crossbeam_channel::*",
            "crossbeam_queue::*",
            "crossbeam_deque::*",
            "crossbeam_epoch::*",
            "flume::*",
            "kanal::*",
            "thingbuf::*",
            "concurrent_queue::*",
            "parking_lot::*",
            "spin::*",
            "dashmap::*",
            "scc::*",
            "papaya::*",
            "flurry::*",
            "arc_swap::*",
            "left_right::*",
            "evmap::*",
            "moka::*",
            "mini_moka::*",
            "quick_cache::*",
            "portable_atomic::*",
            "atomic_refcell::*",
        ],
    ),
    (
        Fine,
        &[
            "std::sync::atomic::Ordering::*",
            "std::sync::atomic::{fence, compiler_fence}",
        ],
    ),
    (
        Breaks(Code::D041),
        &[
            "std::ptr::{eq, addr_eq, fn_addr_eq, from_ref, from_mut, hash}",
            "std::ptr::{addr_of, addr_of_mut}!",
            "std::ptr::NonNull::*",
            "std::sync::Arc::{as_ptr, into_raw, strong_count, weak_count}",
            "std::sync::Weak::{as_ptr, strong_count, weak_count}",
            "std::rc::Rc::{as_ptr, into_raw}",
            "std::rc::Weak::as_ptr",
            "std::boxed::Box::{into_raw, as_ptr, as_mut_ptr}",
            "by_address::*",
        ],
    ),
    (
        Breaks(Code::D042),
        &[
            "std::hash::DefaultHasher::{new, default}",
            "std::collections::hash_map::DefaultHasher::{new, default}",
            "ahash::*",
            "foldhash::*",
            "gxhash::*",
        ],
    ),
    // Maps and sets of std with such a hash: to look up is fine, and of a loop over them the type tells.
    (
        Fine,
        &[
            "ahash::{HashMap, HashMapExt, HashSet, HashSetExt}::*",
            "foldhash::{HashMap, HashMapExt, HashSet, HashSetExt}::*",
            "gxhash::{HashMap, HashMapExt, HashSet, HashSetExt}::*",
        ],
    ),
    (
        Breaks(Code::D051),
        &[
            "std::thread_local!",
            "thread_local::*",
            "tokio::task_local!",
        ],
    ),
    (Breaks(Code::D062), &["std::dbg!"]),
];
