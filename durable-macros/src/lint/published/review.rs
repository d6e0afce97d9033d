//! The list of findings, each with its verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was found in the crates, and judged.
#[derive(Debug)]
pub(super) struct Review {
    /// What stands before the first crate.
    head: String,
    pub(super) crates: Vec<Crate>,
    /// Of each crate by its name, what was said of a finding.
    verdicts: BTreeMap<(String, Finding), String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// How many were looked at.
    pub(super) functions: usize,
    /// The lines of each; in the list they are only counted.
    pub(super) findings: BTreeMap<Finding, Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// The file, in the crate.
    pub(super) path: String,
    pub(super) function: String,
    pub(super) code: String,
    /// What is named, and what that stands for.
    pub(super) what: String,
}

/// A finding that nobody has judged.
const OPEN: &str = "?";

impl Review {
    pub(super) fn read() -> Self {
        Self::parse(&std::fs::read_to_string(file()).unwrap())
    }

    fn parse(text: &str) -> Self {
        let is_head = |line: &&str| line.starts_with('#') || line.is_empty();
        let head: Vec<&str> = text.lines().take_while(is_head).collect();
        let mut review = Self {
            head: head.iter().flat_map(|line| [*line, "\n"]).collect(),
            crates: Vec::new(),
            verdicts: BTreeMap::new(),
        };
        let lines = text.lines().skip(head.len());
        for line in lines.filter(|line| !line.is_empty()) {
            if line.contains('|') {
                review.finding(line);
            } else {
                review.crates.push(Crate::parse(line));
            }
        }
        review
    }

    fn finding(&mut self, line: &str) {
        let (finding, count, verdict) = Finding::parse(line);
        let krate = self.crates.last_mut().expect("a crate stands above it");
        let key = (krate.name.clone(), finding.clone());
        self.verdicts.insert(key, verdict);
        krate.findings.insert(finding, vec![0; count]);
    }

    /// Fails if the list is not what was found, or has no verdict.
    pub(super) fn compare(&self, found: Vec<Crate>) {
        let now = Self {
            head: self.head.clone(),
            crates: found,
            verdicts: self.verdicts.clone(),
        };
        let (now_text, before) = (now.text(), self.text());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(file(), &now_text).unwrap();
        } else if now_text != before {
            panic!(
                "{}{}\nread the code: a false finding is mended in the lint; for all others BLESS=1 writes {}, where each new one \
                 needs its verdict instead of `{OPEN}`",
                difference(&before, &now_text),
                now.new_places(self),
                file().display(),
            );
        }
        let open: Vec<&str> = now_text
            .lines()
            .skip(self.head.lines().count())
            .filter(|line| !is_judged(line))
            .collect();
        assert!(open.is_empty(), "without a verdict:\n{}", open.join("\n"));
    }

    /// Where what is not in `before` was found.
    fn new_places(&self, before: &Self) -> String {
        let mut places = Vec::new();
        for krate in &self.crates {
            let is_new = |finding: &Finding| {
                let key = (krate.name.clone(), finding.clone());
                !before.verdicts.contains_key(&key)
            };
            for (finding, lines) in krate.findings.iter().filter(|(it, _)| is_new(it)) {
                let (root, path) = (krate.name.clone() + "-" + &krate.version, &finding.path);
                let (code, what) = (&finding.code, &finding.what);
                let place = |line| format!("\nnew: {root}/{path}:{line} {code} {what}");
                places.extend(lines.iter().map(place));
            }
        }
        places.concat()
    }

    fn text(&self) -> String {
        let crates = self.crates.iter().map(|krate| self.text_of(krate));
        self.head.clone() + &crates.collect::<Vec<_>>().join("\n")
    }

    fn text_of(&self, krate: &Crate) -> String {
        let Crate {
            name,
            version,
            functions,
            findings,
        } = krate;
        let mut lines = vec![format!("{name} {version}: {functions} functions\n")];
        for (finding, places) in findings {
            let Finding {
                path,
                function,
                code,
                what,
            } = finding;
            let times = match places.len() {
                1 => String::new(),
                count => format!(" x{count}"),
            };
            let verdict = self.verdicts.get(&(name.clone(), finding.clone()));
            let verdict = verdict.map_or(OPEN, String::as_str);
            lines.push(format!(
                "{code}{times} | {path} | {function} | {what} | {verdict}\n"
            ));
        }
        lines.concat()
    }
}

/// `right: ..`, with a reason, says that the lint is right.
fn is_judged(line: &str) -> bool {
    let verdict = line.rsplit_once(" | ").map(|(_, verdict)| verdict);
    verdict.is_none_or(|verdict| {
        let reason = verdict.strip_prefix("right: ");
        reason.is_some_and(|reason| !reason.trim().is_empty())
    })
}

impl Crate {
    /// `hyper 1.2.3: 40 functions`
    fn parse(line: &str) -> Self {
        let (krate, functions) = line.split_once(": ").expect("a crate and its functions");
        let (name, version) = krate.split_once(' ').expect("a name and a version");
        let functions = functions.split(' ').next().unwrap();
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            functions: functions.parse().expect("a number of functions"),
            findings: BTreeMap::new(),
        }
    }
}

impl Finding {
    /// `D003 x2 | src/a.rs | f | sleep | right: a timer`
    fn parse(line: &str) -> (Self, usize, String) {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [code, path, function, what, verdict] = parts[..] else {
            panic!("a code, a file, a function, a name and a verdict: {line}");
        };
        let (code, count) = code.split_once(" x").unwrap_or((code, "1"));
        let finding = Self {
            path: path.to_owned(),
            function: function.to_owned(),
            code: code.to_owned(),
            what: what.to_owned(),
        };
        let count = count.parse().expect("how often");
        (finding, count, verdict.to_owned())
    }
}

/// The lines that are only in one.
fn difference(before: &str, now: &str) -> String {
    let only = |sign: &str, of: &str, other: &str| -> Vec<String> {
        let other: Vec<&str> = other.lines().collect();
        let lines = of.lines().filter(|line| !other.contains(line));
        lines.map(|line| format!("{sign} {line}")).collect()
    };
    [only("-", before, now), only("+", now, before)]
        .concat()
        .join("\n")
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/published/reviewed.txt")
}

#[test]
fn a_finding_that_is_new_or_gone_is_told() {
    let list =
        "# head\n\na 1.0.0: 2 functions\nD003 x2 | src/a.rs | f | `sleep` | right: a timer\n";
    let review = Review::parse(list);
    assert_eq!(review.text(), list);
    review.compare(review.crates.clone());
    let mut more = review.crates.clone();
    let finding = more[0].findings.keys().next().unwrap().clone();
    let other = Finding {
        code: "D001".to_owned(),
        ..finding.clone()
    };
    more[0].findings.insert(other, vec![7]);
    let mut fewer = review.crates.clone();
    fewer[0].findings.remove(&finding);
    for (found, expected) in [
        (more, "+ D001 | src/a.rs | f | `sleep` | ?\n"),
        (
            fewer,
            "- D003 x2 | src/a.rs | f | `sleep` | right: a timer\n",
        ),
    ] {
        let panic = std::panic::catch_unwind(|| review.compare(found)).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(message.starts_with(expected), "{message}");
    }
    for (line, expected) in [
        ("D1 | a | f | x | ?", false),
        ("D1 | a | f | x | right: y", true),
        ("a 1: 2", true),
    ] {
        assert_eq!(is_judged(line), expected, "{line}");
    }
}
