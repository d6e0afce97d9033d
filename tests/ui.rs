//! What the macros accept and what they refuse, and in which words: one file per rule, named after it.
//!
//! A `.stderr` file is prose that users read; it is reviewed as such. The texts around ours are those of the pinned
//! toolchain.

#[test]
fn accepted() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn refused() {
    trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
}
