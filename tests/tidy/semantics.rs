//! The table of `docs/semantics.md` and the tests that show what it claims.

/// How many rules each group has, numbered from 1. A number may have a `b` beside it.
const GROUPS: [(&str, u32); 13] = [
    ("ORC", 10),
    ("ACT", 8),
    ("SUB", 7),
    ("TIM", 6),
    ("EVT", 10),
    ("FAN", 4),
    ("RET", 6),
    ("ERR", 5),
    ("CAN", 7),
    ("CST", 1),
    ("MGT", 12),
    ("VER", 8),
    ("PAY", 3),
];

/// A rule that holds, wholly, in part or in its own way, is shown by a test.
const SHOWN: [&str; 3] = ["as there", "in part", "differs"];
const NOT_SHOWN: [&str; 2] = ["later", "not ours"];

/// A row of the table: the rule as in `ORC-2`, and its state.
#[derive(Debug, PartialEq, Eq)]
struct Row<'t> {
    rule: &'t str,
    state: &'t str,
}

/// All that is wrong between a table and the names of the tests.
pub(crate) fn wrong(table: &str, tests: &[String]) -> Vec<String> {
    let rows = rows(table);
    let mut wrong = missing(&rows);
    wrong.extend(rows.iter().filter_map(|row| unproven(row, tests)));
    wrong.extend(tests.iter().filter_map(|test| stray(test, &rows)));
    wrong
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let cells = |line: &'_ str| line.split('|').map(str::trim).count();
    let rows = table.lines().filter(|line| cells(line) == 6);
    rows.filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let rule = cells.next().filter(|rule| is_rule(rule))?;
        let state = cells.nth(1)?;
        Some(Row { rule, state })
    })
    .collect()
}

fn is_rule(text: &str) -> bool {
    text.split_once('-').is_some_and(|(group, number)| {
        GROUPS.iter().any(|(known, _)| *known == group) && number.starts_with(char::is_numeric)
    })
}

/// Rules that the table leaves out, or has twice.
fn missing(rows: &[Row<'_>]) -> Vec<String> {
    let numbered = GROUPS.iter().flat_map(|(group, last)| {
        let rules = 1..=*last;
        rules.map(move |number| format!("{group}-{number}"))
    });
    let times = |rule: &str| rows.iter().filter(|row| row.rule == rule).count();
    let wrong = numbered.filter(|rule| times(rule) != 1);
    wrong
        .map(|rule| format!("docs/semantics.md has {} rows of {rule}", times(&rule)))
        .collect()
}

/// What is wrong between the state of a rule and the tests that are named after it.
fn unproven(row: &Row<'_>, tests: &[String]) -> Option<String> {
    let Row { rule, state } = row;
    let prefix = format!("{}_", rule.to_lowercase().replace('-', "_"));
    let is_shown = tests.iter().any(|test| test.starts_with(&prefix));
    if SHOWN.contains(state) {
        (!is_shown).then(|| format!("{rule} is `{state}`, and no test is named `{prefix}..`"))
    } else if NOT_SHOWN.contains(state) {
        is_shown.then(|| format!("{rule} is `{state}`, and a test is named `{prefix}..`"))
    } else {
        Some(format!("{rule} has the state `{state}`, which is none"))
    }
}

/// A test that is named after no rule of the table.
fn stray(test: &str, rows: &[Row<'_>]) -> Option<String> {
    let mut words = test.split('_');
    let (group, number) = (words.next()?, words.next().unwrap_or_default());
    let rule = format!("{}-{number}", group.to_uppercase());
    let is_known = rows.iter().any(|row| row.rule == rule);
    (!is_known).then(|| format!("`{test}` is named after no rule of docs/semantics.md"))
}

/// The names of the tests of a file.
pub(crate) fn tests_of(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines() {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) {
            names.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
            is_test = false;
        }
    }
    names
}

#[test]
fn a_claim_needs_a_test_and_a_test_a_rule() {
    let tests = tests_of("#[test]\nfn orc_1_holds() {}\n#[tokio::test]\nasync fn orc_10_too() {}");
    assert_eq!(tests, ["orc_1_holds", "orc_10_too"]);
    let row = |rule, state| Row { rule, state };
    for state in SHOWN {
        assert_eq!(unproven(&row("ORC-1", state), &tests), None);
        assert!(unproven(&row("ORC-2", state), &tests).is_some());
    }
    assert!(unproven(&row("ORC-1", "later"), &tests).is_some());
    assert_eq!(unproven(&row("ORC-2", "later"), &tests), None);
    assert!(unproven(&row("ORC-2", "perhaps"), &tests).is_some());
    assert_eq!(stray("orc_1_holds", &[row("ORC-1", "as there")]), None);
    assert!(stray("orc_10_too", &[row("ORC-1", "as there")]).is_some());
}

#[test]
fn every_rule_has_one_row() {
    let table =
        "| rule | asks | state | here |\n| ORC-1 | a | as there | b |\n| ORC-1 | a | later | |";
    let rows = rows(table);
    assert_eq!(rows.len(), 2);
    let missing = missing(&rows);
    assert!(missing[0].ends_with("2 rows of ORC-1") && missing[1].ends_with("0 rows of ORC-2"));
    let rules: u32 = GROUPS.iter().map(|(_, last)| last).sum();
    assert_eq!(missing.len(), usize::try_from(rules).unwrap());
}
