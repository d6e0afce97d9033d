//! Versions of one name: which is greater, and which of them runs an instance.

use std::cmp::Ordering;

/// Which instances an engine runs, by their version.
///
/// Whatever the policy, the code must follow what is recorded: if it does not, the instance stalls and keeps everything.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
/// use durable_runtime::{VersionPolicy, named};
/// use serde_json::json;
///
/// // Version 1 is gone; what this one asks for, and in which order, is the same.
/// #[orchestrator(name = "greet", version = "2")]
/// async fn greet(name: String) -> String {
///     format!("Welcome, {name}!")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::builder().versions(VersionPolicy::CurrentOrOlder).start()?;
/// let old = named::orchestrator("greet", &json!("Ada")).version("1");
/// let old = engine.start(old).await?;
/// assert_eq!(old.result().await??, json!("Welcome, Ada!"));
/// # Ok(()) }
/// ```
///
/// Source: `docs/design.md`, "Versions".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionPolicy {
    /// Those whose version is registered. The others stall until a build has it.
    #[default]
    Strict,
    /// Those too whose version is not registered but a greater one of the name is: the lowest of these runs them. Never an
    /// older one, which cannot know what a newer one has recorded.
    CurrentOrOlder,
}

/// Which of two versions is greater. A total order, in which two are equal only if they are the same text.
///
/// None is the lowest. Others are compared part by part, as dots divide them; parts of digits as numbers, of any length;
/// others as text without regard to case, above all numbers.
pub(crate) fn compare(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => parts(a).cmp(parts(b)).then_with(|| a.cmp(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// What stands between two dots; the order of the variants counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'v> {
    Nothing,
    /// The number of digits without leading zeros, and these.
    Number(usize, &'v str),
    Text(String),
}

fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    version.split('.').map(|part| match part {
        "" => Part::Nothing,
        part if part.bytes().all(|byte| byte.is_ascii_digit()) => {
            let digits = part.trim_start_matches('0');
            Part::Number(digits.len(), digits)
        }
        part => Part::Text(part.to_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of up to four characters of these.
    fn texts() -> Vec<Option<String>> {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..4 {
            let longer =
                |text: &String| ["0", "2", "9", ".", "a", "B"].map(|c| format!("{text}{c}"));
            last = last.iter().flat_map(longer).collect();
            texts.extend(last.iter().cloned());
        }
        std::iter::once(None)
            .chain(texts.into_iter().map(Some))
            .collect()
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_all_else_as_text() {
        let rising = [
            None,
            Some(""),
            Some("0.9"),
            Some("1"),
            Some("1.0"),
            Some("1.0.1"),
            Some("01.1"),
            Some("1.2"),
            Some("1.10"),
            Some("2"),
            Some("2.0-beta"),
            Some("10"),
            Some("18446744073709551617"),
            Some("Beta"),
            Some("beta"),
            Some("beta.2"),
            Some("beta.10"),
            Some("RC"),
        ];
        for (at, a) in rising.iter().enumerate() {
            for (other, b) in rising.iter().enumerate() {
                assert_eq!(compare(*a, *b), at.cmp(&other), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn it_is_a_total_order() {
        let mut sorted = texts();
        sorted.sort_by(|a, b| compare(a.as_deref(), b.as_deref()));
        // In the order that it makes, each is below all that follow it: no circle, no two that are equal.
        let step = 7;
        for (at, a) in sorted.iter().enumerate().step_by(step) {
            for b in sorted.iter().skip(at + 1) {
                let (a, b) = (a.as_deref(), b.as_deref());
                assert_eq!(compare(a, b), Ordering::Less, "{a:?} {b:?}");
                assert_eq!(compare(b, a), Ordering::Greater, "{a:?} {b:?}");
            }
            assert_eq!(compare(a.as_deref(), a.as_deref()), Ordering::Equal);
        }
    }
}
