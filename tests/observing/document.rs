//! `docs/observability.md` names every span, field and stage that there is, and no other.

use std::collections::BTreeSet;

use durable_runtime::prelude::*;

use crate::{collector, engine, order, pay};

const DOCUMENT: &str = include_str!("../../docs/observability.md");

/// What stands in backticks in the first cells of the table whose head begins like this.
fn first_cells(head: &str) -> BTreeSet<String> {
    let (_, table) = DOCUMENT.split_once(head).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(in_backticks).collect()
}

fn in_backticks(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

#[orchestrator(name = "document.fails")]
async fn fails() -> Result<String, String> {
    pay(0).await
}

/// Has the engine tell of everything that has a span or a stage in the log.
async fn tell_all() {
    let engine = engine();
    let all = engine.start(order("document".to_owned())).id("document");
    all.await.unwrap().result().await.unwrap().unwrap();
    engine.start(fails()).await.unwrap().wait().await.unwrap();
    engine.settle().await;
}

#[tokio::test]
async fn the_document_names_every_span_and_its_fields() {
    tell_all().await;
    let declared = collector::declared();
    let spans = declared
        .iter()
        .filter(|((target, name), _)| target.starts_with("durable_runtime::") && !name.is_empty());
    let names: BTreeSet<_> = spans.clone().map(|((_, name), _)| name.clone()).collect();
    assert_eq!(first_cells("| `tracing` name |"), names);
    let fields: BTreeSet<_> = spans
        .clone()
        .flat_map(|(_, fields)| fields.clone())
        .collect();
    assert_eq!(first_cells("| field |"), fields);
    for (target, _) in declared
        .keys()
        .filter(|(target, _)| target.starts_with("durable_runtime::"))
    {
        let is_own = ["span", "activity", "turn", "lifecycle"]
            .iter()
            .any(|own| target.ends_with(own));
        assert!(
            !is_own || DOCUMENT.contains(&format!("`{target}`")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn the_document_names_every_field_of_a_stage() {
    tell_all().await;
    let declared = collector::declared();
    for target in ["durable_runtime::lifecycle", "durable_runtime::activity"] {
        let row = DOCUMENT
            .lines()
            .find(|line| line.starts_with(&format!("| `{target}` | `DEBUG`")));
        let named: BTreeSet<_> = in_backticks(row.unwrap()).collect();
        let fields = &declared[&(target.to_owned(), String::new())];
        assert!(
            fields.is_subset(&named),
            "{target}: {fields:?}, in the document {named:?}"
        );
    }
}
