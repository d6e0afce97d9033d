//! Where the text of a test stands: a compiler would tell it of a token, and none is there.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use proc_macro2::Span;

thread_local! {
    static FILE: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// Runs `test`, for which all tokens are those of `file`.
pub(crate) fn at<T>(file: &Path, test: impl FnOnce() -> T) -> T {
    let before = FILE.replace(Some(file.to_owned()));
    let result = test();
    FILE.set(before);
    result
}

/// As the compiler would say it: the file of a token, its line and its column, both from 1.
pub(super) fn place(span: Span) -> Option<(PathBuf, usize, usize)> {
    let file = FILE.with_borrow(Clone::clone)?;
    let start = span.start();
    Some((file, start.line, start.column + 1))
}
