use quote::quote;
use syn::ItemFn;

use super::*;

/// Looks at the body of a function, with what its own text says and no more.
fn report(function: proc_macro2::TokenStream) -> Report {
    let function: ItemFn = syn::parse2(function).unwrap();
    check(Subject::Orchestrator, &function.sig, &function.block.stmts)
}

fn errors(body: &proc_macro2::TokenStream) -> Vec<String> {
    let report = report(quote!(async fn f() { #body }));
    report.errors.iter().map(ToString::to_string).collect()
}

/// The codes of the errors and of the warnings, each in the order of the source.
fn codes(body: &proc_macro2::TokenStream) -> Vec<String> {
    let report = report(quote!(async fn f() { #body }));
    let errors = report
        .errors
        .iter()
        .map(|error| error.to_string()[1..5].to_owned());
    let warnings = report
        .warnings
        .iter()
        .map(|(_, code, _)| code.name().to_owned());
    errors.chain(warnings).collect()
}

/// `assert_codes!(["D001"], { body })`
macro_rules! assert_codes {
    ([$($code:literal),*], { $($body:tt)* }) => {
        assert_eq!(codes(&quote!($($body)*)), Vec::<&str>::from([$($code),*]), "{}", stringify!($($body)*))
    };
}

#[test]
fn a_message_says_what_why_and_what_instead() {
    let [message] = &errors(&quote!(use std::time::Instant as I; let start = I::now();))[..] else {
        panic!("one error");
    };
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines[0],
        "[D002] `I::now` (= `std::time::Instant::now`) is not allowed in an orchestrator: it reads a monotonic clock, which \
         starts anew with the process and differs at every replay"
    );
    assert!(
        lines[1].starts_with("help: use `now()` before and after"),
        "{message}"
    );
    assert!(
        lines[2].contains("`#[nondeterminism(allow(D002), reason = \"..\")]`"),
        "{message}"
    );
    assert_eq!(lines[3], "see docs/determinism/D002.md");
}

#[test]
fn names_are_found_under_any_name() {
    assert_codes!(["D001"], { std::time::SystemTime::now() });
    assert_codes!(["D001"], { ::std::time::SystemTime::now() });
    assert_codes!(["D001"], { <std::time::SystemTime>::now() });
    assert_codes!(["D002"], {
        use core::time as t;
        use std::time::{self, Instant as Clock};
        Clock::now()
    });
    assert_codes!(["D002"], {
        use std::time::{self};
        time::Instant::now()
    });
    assert_codes!(["D002"], {
        type Clock = std::time::Instant;
        Clock::now()
    });
    assert_codes!(["D003"], {
        {
            use tokio::time::sleep as nap;
            nap(d)
        }
    });
    assert_codes!(["D032"], { names.map(std::env::var) });
    assert_codes!(["D021"], { futures_util::future::join_all(x) });
    // Of these only the end is known.
    assert_codes!(["D002", "D011"], {
        Instant::now();
        clock::Uuid::new_v4()
    });
}

#[test]
fn what_the_body_names_so_itself_is_its_own() {
    assert_codes!([], {
        struct Instant;
        impl Instant {
            fn now() {}
        }
        Instant::now()
    });
    assert_codes!([], {
        fn f<Instant: Clock>() {
            Instant::now()
        }
    });
    assert_codes!([], {
        use tokio::time::sleep;
        let sleep = 1;
        sleep
    });
    assert_codes!([], {
        Utc::midnight();
        uuid::Uuid::new_v5(a, b);
        uuid::Uuid::nil()
    });
    assert_codes!([], {
        tokio::time::Duration::from_secs(1);
        std::net::Ipv4Addr::new(1, 2, 3, 4)
    });
    assert_codes!([], {
        std::collections::HashMap::new();
        reqwest::StatusCode::OK;
        reqwest::Error::is_timeout
    });
}

#[test]
fn a_name_is_found_wherever_code_stands() {
    assert_codes!(["D001"], {
        let all = vec![std::time::SystemTime::now()];
    });
    assert_codes!(["D001"], { format!("{:?}", std::time::SystemTime::now()) });
    assert_codes!(["D001"], { mine!(a => std::time::SystemTime::now()) });
    assert_codes!(["D001"], {
        mine! { let x = std::time::SystemTime::now(); }
    });
    assert_codes!(["D001"], { items.map(|_| std::time::SystemTime::now()) });
    assert_codes!(["D001"], {
        fn nested() {
            std::time::SystemTime::now()
        }
    });
    assert_codes!(["D001"], {
        impl A {
            fn nested() {
                std::time::SystemTime::now()
            }
        }
    });
    assert_codes!(["D001", "D002"], {
        select! {
            a = b(std::time::SystemTime::now()) => c,
            d = e => std::time::Instant::now(),
        }
    });
    assert_codes!(["D001"], {
        join!(a, async { std::time::SystemTime::now() })
    });
    assert_codes!(["D001"], {
        match x {
            1 => 2,
            _ => std::time::SystemTime::now(),
        }
    });
}

#[test]
fn what_side_effect_takes_is_its_own_affair() {
    assert_codes!([], { side_effect(|| std::env::var("A")).await });
    assert_codes!([], {
        durable_runtime::side_effect(std::time::SystemTime::now).await
    });
    assert_codes!([], { mine!(a => side_effect(|| std::env::var("A")).await) });
}

#[test]
fn methods_count_their_arguments() {
    assert_codes!(["D002"], { start.elapsed() });
    assert_codes!([], { task.elapsed(since) });
    assert_codes!([], {
        #[nondeterminism(allow(D002), reason = "logged only")]
        let took = std::time::Instant::now().elapsed();
    });
    assert_codes!(["D020"], { items.par_iter().sum() });
    assert_codes!(["D022"], { count.fetch_add(1, Ordering::SeqCst) });
    assert_codes!([], { count.fetch_add(1) });
    assert_codes!(["D002", "D022"], {
        mine!(a => start.elapsed(), b.fetch_add(1, x))
    });
    assert_codes!(["D022"], {
        use std::sync::atomic::Ordering;
        flag.load(Ordering::Relaxed)
    });
    assert_codes!([], { list.store(Order::Relaxed) });
}

#[test]
fn forms_are_found() {
    assert_codes!(["D041"], { &x as *const u8 as usize });
    assert_codes!(["D041"], { &raw const x });
    assert_codes!(["D041"], { format!("{:p}", &x) });
    assert_codes!([], {
        format!("{p}", p = 1);
        println!("{:p}", &x)
    });
    assert_codes!(["D052"], { unsafe { f() } });
    assert_codes!(["D052"], { mine!(a => unsafe { f() }) });
    assert_codes!([], { mine!(a => unsafe fn f) });
    assert_codes!(["D052"], {
        static COUNT: Cell<u8> = Cell::new(0);
        unsafe { COUNT.set(&x as *const u8 as u8) }
    });
    assert_codes!(["D050"], {
        static mut COUNT: u8 = 0;
    });
    assert_codes!(["D050"], {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        COUNT.get()
    });
    assert_codes!([], {
        static WORDS: LazyLock<Vec<u8>> = LazyLock::new(words);
        WORDS.len()
    });
    assert_codes!(["D051"], {
        thread_local! { static X: u8 = 0; }
    });
    assert_codes!(["D051"], { KEY.with(|key| key.get()) });
    assert_codes!([], {
        key.with(|key| key.get());
        KEY.with(key)
    });
    assert_codes!(["D062"], { dbg!(x) });
    assert_codes!(["D042"], { std::hash::DefaultHasher::new() });
}

#[test]
fn a_loop_needs_an_await_or_an_end() {
    assert_codes!(["D070"], {
        loop {
            x += 1;
        }
    });
    assert_codes!(["D070"], {
        loop {
            for y in z {
                break;
            }
            println!("a");
        }
    });
    assert_codes!(["D070"], {
        while true {
            x += 1;
        }
    });
    assert_codes!(["D070"], { while !x.is_done() {} });
    assert_codes!([], {
        loop {
            f().await;
        }
    });
    assert_codes!([], {
        loop {
            if x {
                break;
            }
        }
    });
    assert_codes!([], {
        loop {
            x?;
        }
    });
    assert_codes!([], {
        loop {
            select! { a = b => c }
        }
    });
    assert_codes!([], {
        'a: loop {
            loop {
                break 'a;
            }
        }
    });
    assert_codes!([], {
        while x < 5 {
            x += 1;
        }
    });
    assert_codes!([], {
        loop {
            assert!(f().await.is_ok());
        }
    });
    assert_codes!([], {
        loop {
            println!("{}", f(x)?);
        }
    });
    assert_codes!([], { while stack.pop().is_some() {} });
}

#[test]
fn combinators_of_other_crates_are_refused_and_ours_are_named() {
    let found = errors(&quote! {
        tokio::select! { x = a => x, }
        let _ = ::futures::try_join!(a, b);
        match x { _ => futures_util::select_biased! { x = a => x, } }
        use tokio::join;
        join!(a, b);
    });
    let starts = [
        "[D021] `tokio::select!` is not",
        "[D021] `::futures::try_join!`",
        "[D021] `futures_util::select_biased!` is not",
        "[D021] `join!` (= `tokio::join!`)",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (error, start) in found.iter().zip(starts) {
        assert!(error.starts_with(start), "{error}");
    }
    assert!(found[1].contains("help: write `try_join!` of `durable_runtime::prelude`"));
    assert_codes!([], {
        durable_runtime::select! { x = a => x, }
        my::join!(a);
        join!(a, b)
    });
}

#[test]
fn what_is_made_of_something_refused_is_not_refused_again() {
    let refuses = |body: proc_macro2::TokenStream| {
        let report = report(quote!(async fn f() { #body }));
        assert_eq!(report.errors.len(), 1, "{body}");
        !report.refused.places.is_empty()
    };
    assert!(refuses(quote!(tokio::time::sleep(d).await)));
    assert!(refuses(quote!(Box::pin(tokio::time::sleep(d)).await)));
    assert!(refuses(quote!(let task = tokio::spawn(f()); task.await?;)));
    assert!(refuses(
        quote!(let (tx, rx) = tokio::sync::oneshot::channel(); rx.await)
    ));
    assert!(refuses(quote!(select! { _ = tokio::time::sleep(d) => 1 })));
    assert!(refuses(quote!(mine!(a => tokio::time::sleep(d).await))));
    assert!(refuses(quote!(match tokio::spawn(f()) {
        task => task.await,
    }?)));
    // The call may be wrong for another reason.
    assert!(!refuses(quote!(plain(std::time::SystemTime::now()).await)));
    assert!(!refuses(quote!(
        mine!(a => std::env::args(), plain().await)
    )));
    // `start` is what it is.
    assert!(!refuses(
        quote!(let start = std::time::Instant::now(); start.elapsed())
    ));
}

#[test]
fn a_future_that_a_combinator_is_given_is_refused_once() {
    let given = |body: proc_macro2::TokenStream| {
        let report = report(quote!(async fn f() { #body }));
        (report.errors.len(), report.refused.given.len())
    };
    for body in [
        quote!(join_all(vec![tokio::time::sleep(d)]).await),
        quote!(race([tokio::time::sleep(d)]).await),
        quote!(select_all(list.map(|d| tokio::time::sleep(d))).await),
        quote!(
            try_join_all(list.into_iter().map(|d| {
                let d = d;
                tokio::fs::read(d)
            }))
            .await
        ),
        quote!(timeout(d, reqwest::get(url)).await),
    ] {
        assert_eq!(given(body.clone()), (1, 1), "{body}");
    }
    for body in [
        // No future of a list.
        quote!(join_all(list(std::time::SystemTime::now())).await),
        quote!(f(vec![tokio::time::sleep(d)]).await),
        quote!(timeout(tokio::time::sleep(d), g()).await),
    ] {
        assert_eq!(given(body.clone()), (1, 0), "{body}");
    }
}

#[test]
fn what_cannot_be_awaited_anyway_is_not_offered_to_be_allowed() {
    let offers = |body| errors(&body)[0].contains("nondeterminism");
    assert!(!offers(quote!(tokio::time::sleep(d).await)));
    assert!(offers(quote!(plain(std::time::SystemTime::now()).await)));
    assert!(offers(quote!(async { std::time::SystemTime::now() }.await)));
}

#[test]
fn an_allowance_is_of_its_statement_and_its_code() {
    assert_codes!([], {
        #[nondeterminism(allow(D001), reason = "logged only")]
        let x = std::time::SystemTime::now();
        match x {
            #[nondeterminism(allow(D001, D002), reason = "logged only")]
            1 => (std::time::SystemTime::now(), std::time::Instant::now()),
            _ => 1,
        }
    });
    assert_codes!(["D002", "D001"], {
        #[nondeterminism(allow(D001), reason = "logged only")]
        f(std::time::SystemTime::now(), std::time::Instant::now());
        std::time::SystemTime::now();
    });
    // It suppresses nothing, so it is too much.
    assert_codes!(["D001", "D092"], {
        #[nondeterminism(allow(D002), reason = "logged only")]
        f(std::time::SystemTime::now());
    });
    let report = report(quote! {
        async fn f() {
            #[nondeterminism(allow(D001), reason = "logged only")]
            let x = std::time::SystemTime::now();
        }
    });
    let [allowance] = &report.allowances[..] else {
        panic!("one allowance");
    };
    assert_eq!(allowance.code, Some(Code::D001));
    assert_eq!(allowance.reason, "logged only");
}

#[test]
fn an_allowance_needs_a_reason_and_a_code_that_can_be_allowed() {
    let message = |attribute: proc_macro2::TokenStream| {
        let found = errors(&quote!(#attribute let x = std::time::SystemTime::now();));
        found.into_iter().next().unwrap_or_default()
    };
    for (attribute, expected) in [
        (
            quote!(#[nondeterminism(allow(D001))]),
            "an allowance needs its reason",
        ),
        (
            quote!(#[nondeterminism(allow(D001), reason = " ")]),
            "an allowance needs its reason",
        ),
        (
            quote!(#[nondeterminism(deny(D001), reason = "x")]),
            "expected `allow(..)`",
        ),
        (
            quote!(#[nondeterminism(allow(), reason = "x")]),
            "expected a code",
        ),
        (
            quote!(#[nondeterminism(allow(D001), because = "x")]),
            "expected `reason = \"..\"`",
        ),
        (
            quote!(#[nondeterminism(allow(d001), reason = "x")]),
            "did you mean `D001`, wall clock?",
        ),
        (
            quote!(#[nondeterminism(allow(E9), reason = "x")]),
            "there is no code `E9`",
        ),
        (
            quote!(#[nondeterminism(allow(D105), reason = "x")]),
            "reference in what is recorded, cannot be allowed",
        ),
        (
            quote!(#[nondeterminism(allow(D211), reason = "x")]),
            "is found at run time only",
        ),
    ] {
        let message = message(attribute);
        assert!(
            message.starts_with("[D091]") && message.contains(expected),
            "{message}"
        );
    }
}
