//! What the attributes make of a body drops everything in the order, and at the moment, of plain Rust: the same code is run
//! once as plain `async fn`s and once as helpers of an orchestrator.

#![expect(
    clippy::indexing_slicing,
    clippy::explicit_iter_loop,
    let_underscore_drop,
    reason = "every form of a loop and a binding is tried"
)]

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use durable_runtime::testing::TestEngine;
use durable_runtime::{helper, join, orchestrator, select};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn log(what: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(what.into()));
}

/// Says when it is dropped.
struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        log(format!("drop {}", self.0));
    }
}

impl Loud {
    fn new(name: &'static str) -> Self {
        log(format!("new {name}"));
        Self(name)
    }

    fn size(&self) -> u64 {
        self.0.len().try_into().unwrap_or_default()
    }

    fn lines(&self) -> Lines<'_> {
        log("lines");
        Lines { of: self, left: 2 }
    }

    fn iter(&self) -> Lines<'_> {
        self.lines()
    }

    fn drain(&mut self) -> Lines<'_> {
        self.lines()
    }
}

/// An iterator that holds what it goes over, and says when it is dropped.
struct Lines<'a> {
    of: &'a Loud,
    left: u64,
}

impl Iterator for Lines<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        Some(self.left + self.of.size())
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        log(format!("drop lines of {}", self.of.0));
    }
}

struct Shelf {
    boxes: Vec<Loud>,
    by_name: std::collections::BTreeMap<&'static str, Loud>,
}

impl Shelf {
    fn new() -> Self {
        Self {
            boxes: vec![Loud::new("first"), Loud::new("second")],
            by_name: [("named", Loud::new("named"))].into(),
        }
    }

    fn boxes(&self) -> Vec<&Loud> {
        log("boxes");
        self.boxes.iter().collect()
    }
}

/// Puts the same functions into two modules: as they are, and as helpers.
macro_rules! twice {
    ($($body:tt)*) => {
        mod plain {
            use super::*;
            $crate::as_is! { $($body)* }
        }
        mod durable {
            use super::*;
            $($body)*
        }
    };
}

/// The same functions without `#[helper]`.
#[macro_export]
macro_rules! as_is {
    ($(#[helper] pub(super) async fn $name:ident($($args:tt)*) $(-> $output:ty)? $body:block)*) => {
        $(pub(super) async fn $name($($args)*) $(-> $output)? $body)*
    };
}

twice! {
    #[helper]
    pub(super) async fn gives(name: &Loud) -> u64 {
        log("given");
        name.size()
    }

    #[helper]
    pub(super) async fn takes(it: Loud) -> Loud {
        log("taken");
        it
    }

    #[helper]
    pub(super) async fn awaits() -> u64 {
        let a = gives(&Loud::new("temporary")).await + gives(&Loud::new("other")).await;
        let kept = takes(Loud::new("kept")).await;
        takes(Loud::new("unused")).await;
        let _ = takes(Loud::new("ignored")).await;
        let size = takes(Loud::new("receiver")).await.size();
        log("statement");
        if gives(&Loud::new("condition")).await > 3 {
            log("branch");
        }
        match takes(Loud::new("scrutinee")).await.size() {
            0 => log("none"),
            _ => log("arm"),
        }
        if let Some(it) = Some(takes(Loud::new("matched")).await) {
            log(format!("let {}", it.0));
        }
        let block = async {
            let _inner = Loud::new("inner");
            gives(&Loud::new("in block")).await
        };
        log("before block");
        a + size + kept.size() + block.await
    }

    #[helper]
    pub(super) async fn loops() -> u64 {
        let shelf = Shelf::new();
        let mut sum = 0;
        for line in Loud::new("head").lines() {
            log(format!("line {line}"));
            sum += line;
        }
        for it in shelf.boxes() {
            log(format!("box {}", it.0));
        }
        for it in &shelf.boxes {
            sum += gives(it).await;
        }
        for line in shelf.boxes[0].iter() {
            if line > 5 {
                continue;
            }
            log("short");
        }
        for it in shelf.boxes {
            if it.size() > 5 {
                log("broken off");
                break;
            }
        }
        for it in shelf.by_name.into_values() {
            log(format!("value {}", it.0));
        }
        for line in takes(Loud::new("awaited head")).await.iter() {
            sum += line;
        }
        sum
    }

    #[helper]
    pub(super) async fn chains() -> u64 {
        let mut loud = Loud::new("owner");
        let first = loud.iter().map(|it| it + 1).next();
        log("after chain");
        let lines = loud.drain();
        log("held");
        drop(lines);
        let shelf = Shelf::new();
        let count = Loud::new("made").iter().count() + shelf.boxes().iter().filter(|it| it.size() > 5).count();
        log("counted");
        let all: Vec<Loud> = shelf.boxes.into_iter().collect();
        let kept = all.into_iter().filter(|it| it.size() > 5).map(|it| it.size()).sum::<u64>();
        let _ = loud.iter();
        log("ignored");
        if loud.iter().any(|line| line > 1) {
            log("any");
        }
        while let Some(line) = loud.iter().nth(1) {
            log(format!("while {line}"));
            if line > 3 {
                break;
            }
        }
        first.unwrap_or_default() + u64::from(count > 1) + kept
    }

    #[helper]
    pub(super) async fn ends_with_a_loop() {
        let shelf = Shelf::new();
        for it in shelf.boxes.iter() {
            log(format!("last {}", it.0));
        }
    }

    #[helper]
    pub(super) async fn ends_early(deep: bool) -> Option<u64> {
        let _guard = Loud::new("guard");
        for line in Loud::new("left").lines() {
            let _each = Loud::new("each");
            if deep && line > 4 {
                return Some(line);
            }
            if !deep {
                None?;
            }
        }
        Some(1)
    }
}

/// Everything, in order.
macro_rules! run {
    ($module:ident) => {{
        log(format!("{}", $module::awaits().await));
        log(format!("{}", $module::loops().await));
        log(format!("{}", $module::chains().await));
        $module::ends_with_a_loop().await;
        log(format!("{:?}", $module::ends_early(true).await));
        log(format!("{:?}", $module::ends_early(false).await));
    }};
}

#[orchestrator]
async fn drops_in_helpers() -> Vec<String> {
    LOG.take();
    run!(durable);
    LOG.take()
}

fn in_plain_rust() -> Vec<String> {
    LOG.take();
    let run = async { run!(plain) };
    let polled = pin!(run).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(()));
    LOG.take()
}

#[tokio::test]
async fn awaits_and_loops_drop_as_in_plain_rust() {
    let engine = TestEngine::start().unwrap();
    let durable = engine
        .start(drops_in_helpers())
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    let plain = in_plain_rust();
    assert!(plain.len() > 100, "{plain:?}");
    for (at, (durable, plain)) in durable.iter().zip(&plain).enumerate() {
        assert_eq!(durable, plain, "at {at}");
    }
    assert_eq!(durable.len(), plain.len());
}

#[orchestrator]
async fn drops_in_combinators() -> Vec<String> {
    LOG.take();
    let (a, b) = join!(durable::takes(Loud::new("left branch")), async {
        durable::gives(&Loud::new("right branch")).await
    },);
    log(format!("joined {}", b + a.size()));
    let chosen = select! {
        it = durable::gives(&Loud::new("chosen")) => {
            log("handler");
            it + durable::gives(&Loud::new("in handler")).await
        }
        _ = durable::takes(Loud::new("lost")) => 0,
    };
    log(format!("selected {chosen}"));
    LOG.take()
}

/// In written order: futures, with what they hold; the branches that lost go before the handler runs, as with tokio.
#[tokio::test]
async fn branches_drop_in_written_order() {
    let engine = TestEngine::start().unwrap();
    let log = engine
        .start(drops_in_combinators())
        .await
        .unwrap()
        .result()
        .await
        .unwrap();
    let expected = [
        "new left branch",
        "taken",
        "new right branch",
        "given",
        "drop right branch",
        "joined 23",
        "new chosen",
        "new lost",
        "given",
        "drop lost",
        "drop chosen",
        "handler",
        "new in handler",
        "given",
        "drop in handler",
        "selected 16",
    ];
    assert_eq!(log, expected);
}
