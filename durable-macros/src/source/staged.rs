//! What a test says instead of the compiler and the environment.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use proc_macro2::Span;

thread_local! {
    static FILE: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
    static LINES_MAX: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Runs `test`, for which all tokens are those of `file`.
pub(crate) fn at<T>(file: &Path, test: impl FnOnce() -> T) -> T {
    let before = FILE.replace(Some(file.to_owned()));
    let result = test();
    FILE.set(before);
    result
}

/// Runs `test`, in which so many lines are read for one function.
pub(crate) fn with_lines_max<T>(lines: usize, test: impl FnOnce() -> T) -> T {
    let before = LINES_MAX.replace(Some(lines));
    let result = test();
    LINES_MAX.set(before);
    result
}

pub(super) fn lines_max() -> Option<usize> {
    LINES_MAX.get()
}

/// As the compiler would say it: the file of a token, its line and its column, both from 1.
pub(super) fn place(span: Span) -> Option<(PathBuf, usize, usize)> {
    let file = FILE.with_borrow(Clone::clone)?;
    let start = span.start();
    Some((file, start.line, start.column + 1))
}
