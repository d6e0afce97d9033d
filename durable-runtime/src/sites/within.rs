//! What a row is in, in words.

use super::Site;

impl Site {
    /// What it is in, for people, from the outside: ``in `for` at line 30, branch 2 of `select!` at line 41``. `None` if it is in nothing
    /// but its function.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::graph_of;
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestrator]
    /// async fn reminders(days: u64) {
    ///     for _ in 0..days {
    ///         sleep(hours(24)).await;
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let graph = graph_of(reminders);
    /// let within = graph.sites()[0].within().expect("it is in a loop");
    /// assert!(within.starts_with("in `for` at line "), "{within}");
    /// # }
    /// ```
    pub fn within(&self) -> Option<String> {
        self.told_within(true)
    }

    /// As [`Self::within`]. Lines are left out where those of this build are not meant.
    pub(crate) fn told_within(&self, has_lines: bool) -> Option<String> {
        let frames = self.path.split('/').filter(|frame| !frame.is_empty());
        let frames: Vec<String> = frames.map(|frame| told(frame, has_lines)).collect();
        (!frames.is_empty()).then(|| format!("in {}", frames.join(", ")))
    }
}

/// One thing that a row is in: `select@41#1`.
fn told(frame: &str, has_lines: bool) -> String {
    let (kind, rest) = frame.split_once('@').unwrap_or((frame, ""));
    let (line, index) = rest.split_once('#').unwrap_or((rest, ""));
    let number = index
        .parse::<usize>()
        .map_or(0, |index| index.saturating_add(1));
    let kind = match kind {
        "join" | "try_join" | "select" => format!("branch {number} of `{kind}!`"),
        "match" => format!("arm {number} of `match`"),
        "async" => "`async` block".to_owned(),
        "closure" => "closure".to_owned(),
        _ => format!("`{kind}`"),
    };
    if has_lines && !line.is_empty() {
        format!("{kind} at line {line}")
    } else {
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sites::SiteKind;

    #[test]
    fn the_way_to_a_row_is_told_from_the_outside() {
        let path = "for@30/select@41#1/match@42#0/closure@43/async@43";
        let site = |path| Site::__new(1, SiteKind::Await, [44, 1, 44], ["charge", path, ""]);
        let told = "in `for` at line 30, branch 2 of `select!` at line 41, arm 1 of `match` at line 42, closure at line 43, `async` block \
                    at line 43";
        assert_eq!(site(path).within().as_deref(), Some(told));
        let told = "in `for`, branch 2 of `select!`, arm 1 of `match`, closure, `async` block";
        assert_eq!(site(path).told_within(false).as_deref(), Some(told));
        assert_eq!(site("").within(), None);
    }
}
