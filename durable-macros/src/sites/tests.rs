//! Fixtures as text, so that rows have lines, columns and snippets.

use super::*;

/// The table of a function, as its attribute would make it.
fn table(text: &str) -> Table {
    let function: Function = syn::parse_str(text).unwrap();
    let (_, statements) = function.statements().unwrap();
    Table::of(&function, &statements)
}

/// Each row: kind, callee, place, path.
fn rows(text: &str) -> Vec<String> {
    let rows = table(text).rows;
    let row = |row: &Row| {
        let Row {
            kind,
            callee,
            line,
            column,
            path,
            ..
        } = row;
        format!("{kind:?} {callee} {line}:{column} {path}")
            .trim_end()
            .to_owned()
    };
    rows.iter().map(row).collect()
}

fn ids(text: &str) -> Vec<u32> {
    table(text).ids("checkout", None)
}

const CHECKOUT: &str = "async fn checkout(order: Order) -> Result<Delivery, Refused> {
    let payment = charge(order.clone()).await?;
    let (shelf, ()) = join!(reserve(order.clone()), send_mail(order.clone()));
    let ok = select! {
        ok = APPROVAL.wait() => ok,
        () = sleep(days(1)) => false,
    };
    if !ok {
        refund(order).await;
        return Err(Refused);
    }
    for item in order.items {
        ship(item)
            .retry(POLICY)
            .timeout(hours(1))
            .await?;
    }
    Ok(Delivery { payment, shelf })
}";

#[test]
fn every_await_and_branch_has_a_row_at_its_callee() {
    let expected = [
        "Await charge 2:19",
        "Branch reserve 3:29 join@3#0",
        "Branch send_mail 3:53 join@3#1",
        "Branch APPROVAL.wait 5:23 select@4#0",
        "Branch sleep 6:14 select@4#1",
        "Await refund 9:9 if@8",
        "Await ship 13:9 for@12",
        "Timeout timeout 15:14 for@12",
    ];
    assert_eq!(rows(CHECKOUT), expected);
    assert_eq!(table(CHECKOUT).rows[6].end_line, 16);
    assert_eq!(table(CHECKOUT).rows[6].text, "        ship(item)");
}

#[test]
fn awaits_in_closures_blocks_arms_and_macros_have_rows() {
    let text = "async fn f() {
    let all = join_all(items.iter().map(|item| async move { ship(item).await })).await;
    match which.await {
        Some(x) if check(x).await => own![call(1).await => y],
        _ => format!(\"{}\", name().await),
    };
    let Some(x) = self.step(&x).await else { fail().await };
    Box::pin(f()).await;
    while more().await {}
    side_effect(|| 1).await;
    async { inner().await }.await;
    async fn other() { never().await }
    info!(\"{}\", not_seen());
}";
    let expected = [
        "Await ship 2:61 closure@2/async@2",
        "Await join_all 2:15",
        "Await which 3:11",
        "Await check 4:20 match@3#0",
        "Await  4:51 match@3#0",
        "Await name 5:28 match@3#1",
        "Await self.step 7:24",
        "Await fail 7:46 else@7",
        "Await f 8:14",
        "Await more 9:11 while@9",
        "Await side_effect 10:5",
        "Await inner 11:13",
        "Await async 11:5",
    ];
    assert_eq!(rows(text), expected);
}

#[test]
fn what_is_asked_for_without_an_await_has_a_row_of_its_own() {
    let text = "async fn f() {
    let first = sleep(seconds(1));
    if changed(\"mail\") { let wait = GO.wait().timeout(limit); join!(first, wait); }
    let value = Some(plain(1));
}";
    let expected = [
        "Call sleep 2:17",
        "Call changed 3:8",
        "Call GO.wait 3:40 if@3",
        "Timeout timeout 3:47 if@3",
        "Branch first 3:69 if@3/join@3#0",
        "Branch wait 3:76 if@3/join@3#1",
    ];
    assert_eq!(rows(text), expected);
}

#[test]
fn ids_outlive_edits_that_do_not_concern_them() {
    let before = ids(CHECKOUT);
    let reformatted = CHECKOUT
        .replace("\n    ", "\n\n  ")
        .replace("(shelf, ())", "( shelf,() )");
    let logged = CHECKOUT.replace("    if !ok", "    info!(\"asked {}\", ok);\n    if !ok");
    let renamed = CHECKOUT.replace("order", "it").replace("ok", "is_fine");
    let unrelated = CHECKOUT.replace(
        "    if !ok {",
        "    if order.is_large() { limit = 3; }\n    if !ok {",
    );
    for (what, text) in [
        ("formatting", reformatted),
        ("a log line", logged),
        ("a renamed variable", renamed),
        ("an unrelated `if`", unrelated),
    ] {
        assert_ne!(text, CHECKOUT);
        assert_eq!(ids(&text), before, "{what}");
    }
}

#[test]
fn another_activity_has_a_new_id_and_the_others_keep_theirs() {
    let before = ids(CHECKOUT);
    let text = CHECKOUT.replace("    if !ok", "    weigh(order.clone()).await;\n    if !ok");
    let mut after = ids(&text);
    let new: Vec<u32> = after.extract_if(.., |id| !before.contains(id)).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(after, before);
}

#[test]
fn an_id_depends_on_function_version_place_and_callee() {
    let table =
        table("async fn f() { a().await; a().await; if x { a().await } b().await; join!(a()); }");
    let mut all = table.ids("f", None);
    all.extend(table.ids("g", None));
    all.extend(table.ids("f", Some("2")));
    let distinct: HashSet<u32> = all.iter().copied().collect();
    assert_eq!(distinct.len(), 15);
    assert!(all.iter().all(|id| id & OF_ROWS != 0));
}

#[test]
fn two_rows_of_a_function_never_share_an_id() {
    let body: String = (0..2000).map(|_| "a().await;").collect();
    let ids = ids(&format!("async fn f() {{ {body} }}"));
    assert_eq!(ids.len(), ROWS_MAX);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ROWS_MAX);
}

#[test]
fn long_lines_and_titles_are_cut() {
    let long = "x".repeat(500);
    let text = format!("async fn f() {{\n    if {long} {{ a().await }}\n}}");
    let table = table(&text);
    assert_eq!(table.rows[0].text.chars().count(), 160);
    let Flow::Choice { title, .. } = &table.flow[0] else {
        panic!("no choice in {:?}", table.flow);
    };
    assert_eq!(title.chars().count(), 48);
}
