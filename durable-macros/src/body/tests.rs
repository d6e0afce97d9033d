use quote::quote;

use super::*;

fn rewritten(body: &TokenStream) -> (String, Vec<String>) {
    let function: Function = syn::parse2(quote!(async fn f() { #body })).unwrap();
    let mut errors = Vec::new();
    let body = checked(Subject::Orchestrator, &function, &quote!(rt), &mut errors);
    let attrs = &body.attrs;
    let code = &body.code;
    let errors = errors.iter().map(ToString::to_string).collect();
    (quote!(#(#attrs)* #code).to_string(), errors)
}

fn check(from: &TokenStream, to: &TokenStream) {
    let (found, errors) = rewritten(from);
    assert_eq!(errors, Vec::<String>::new());
    // How far tokens stand apart depends on where they come from.
    let joined = |text: String| text.replace(' ', "");
    assert_eq!(joined(found), joined(to.to_string()));
}

/// `assert_rewritten!(quote!(before), quote!(after))`
macro_rules! assert_rewritten {
    ($from:expr, $to:expr $(,)?) => {
        check(&$from, &$to)
    };
}

#[test]
fn every_await_gets_the_check() {
    assert_rewritten!(
        quote!(let x = f(a.await).g()?.await?;),
        quote! {
            let x = f(a.__durable_op().only_durable().await).g()?.__durable_op().only_durable().await?;
        },
    );
}

#[test]
fn async_blocks_are_marked_also_in_closures() {
    assert_rewritten!(
        quote!(all(xs.map(|x| async move { x.await })).await),
        quote! {
            all(xs.map(|x| async move { x.__durable_op().only_durable().await }.__durable_block()))
                .__durable_op().only_durable().await
        },
    );
}

#[test]
fn our_combinators_are_read_by_their_grammar() {
    assert_rewritten!(
        quote! {
            select! {
                biased;
                Some(x) = a(b.await), if c => d.await,
                _ = async { 1 } => { e.await }
                else => f.await,
            }
        },
        quote! {
            select! {
                biased;
                Some(x) = a(b.__durable_op().only_durable().await), if c => d.__durable_op().only_durable().await,
                _ = async { 1 }.__durable_block() => { e.__durable_op().only_durable().await }
                else => f.__durable_op().only_durable().await,
            }
        },
    );
    assert_rewritten!(
        quote!(join!(biased; async { a.await }, b)),
        quote! {
            join!(biased; async { a.__durable_op().only_durable().await }.__durable_block(), b)
        },
    );
}

#[test]
fn other_macros_are_read_as_expressions_or_as_tokens() {
    assert_rewritten!(
        quote!(let x = vec![a.await, b];),
        quote!(let x = vec![a.__durable_op().only_durable().await, b];),
    );
    assert_rewritten!(
        quote!(let x = mine![a => b.await; async move { c.await }];),
        quote! {
            let x = mine![a => b.__durable_op().only_durable().await;
                async move { c.__durable_op().only_durable().await }.__durable_block()];
        },
    );
}

#[test]
fn log_macros_are_gated() {
    assert_rewritten!(
        quote!(tracing::info!(x, "y"); match z { 1 => warn!("w"), _ => my::info!("v") }),
        quote! {
            if let ::core::option::Option::Some(_telling) = rt::telling() { tracing::info!(x, "y"); }
            match z {
                1 => if let ::core::option::Option::Some(_telling) = rt::telling() { warn!("w"); },
                _ => my::info!("v")
            }
        },
    );
}

/// What is never reached: the check of `$what`.
fn never(what: &TokenStream) -> TokenStream {
    quote! {
        'unreached: { break 'unreached; #[allow(unreachable_code)] { #what }; }
    }
}

fn refuses(what: &TokenStream) -> TokenStream {
    never(&quote! { let __durable_iterated = #what; __durable_iterated.checked(); })
}

#[test]
fn a_method_that_goes_over_a_place_is_checked_beside_it() {
    let check = refuses(&quote!(rt::collection(&a.b[c])));
    assert_rewritten!(
        quote!(f(a.b[c].keys());),
        quote!(f((a.b[c].keys(), #check).0);)
    );
    let check = refuses(&quote!(rt::collection(&a)));
    assert_rewritten!(
        quote!(a.retain(|x| x);),
        quote!((a.retain(|x| x), #check).0;)
    );
}

#[test]
fn a_method_that_goes_over_a_value_is_checked_on_the_way() {
    assert_rewritten!(
        quote!(a().iter(); b.c().drain();),
        quote! {
            a().__durable_iterated().in_order().iter();
            b.c().__durable_iterated().in_order().drain();
        },
    );
}

#[test]
fn a_loop_is_checked_before_the_last_statement_of_its_block() {
    let (see, check) = (
        never(&quote!(seen1 = rt::source(&&a);)),
        never(&quote!({
            let __durable_iterated = seen1;
            __durable_iterated.checked();
        })),
    );
    assert_rewritten!(
        quote!(use x; for i in &a { f(i); } g()),
        quote! {
            use x;
            #[allow(unused_variables)] let seen1;
            for i in (&a, #see).0 { f(i); }
            #check
            g()
        },
    );
}

#[test]
fn a_loop_over_what_the_end_may_decide_is_checked_after_it() {
    let see = never(&quote!(seen1 = rt::source(&&a);));
    assert_rewritten!(
        quote!(for i in &a { f(i); } Ok(a)),
        quote! {
            #[allow(unused_variables)] let seen1;
            for i in (&a, #see).0 { f(i); }
            'value: { break 'value Ok(a); #[allow(unreachable_code)] {
                { let __durable_iterated = seen1; __durable_iterated.checked(); }
            }; }
        },
    );
}

#[test]
fn a_loop_at_the_end_is_checked_where_it_stands() {
    let check = refuses(&quote!(rt::source(&it)));
    assert_rewritten!(
        quote!(for i in made() {}),
        quote!(for i in (match made() { it => { #check it } }, ()).0 {}),
    );
}

#[test]
fn what_has_an_order_or_needs_none_is_left_alone() {
    let code = quote! {
        for i in 0..9 {}
        for i in [1, 2] {}
        for i in vec![1] {}
        for i in a.map(|x| x) {}
        let n = a.keys().count() + a.iter().map(f).collect::<BTreeMap<_, _>>().len();
        let all: BTreeSet<u8> = a.into_iter().collect();
        let mut sorted: Vec<_> = b.keys().collect();
        sorted.sort();
        let s: u64 = b.values().sum();
        a.get(1);
        a.drain(..);
    };
    assert_rewritten!(code, code.clone());
}

#[test]
fn the_name_of_a_method_chooses_what_is_said() {
    assert_rewritten!(
        quote!(a.send().await; a.fetch_one(b).await; a.flush().await; a.next().await; a.send(b, c).await;),
        quote! {
            a.send().__durable_request().only_durable().await;
            a.fetch_one(b).__durable_query().only_durable().await;
            a.flush().__durable_io().only_durable().await;
            a.next().__durable_next().only_durable().await;
            a.send(b, c).__durable_op().only_durable().await;
        },
    );
    let is = never(&quote!(callee.is(&a.b)));
    assert_rewritten!(
        quote!(a.b.recv().await;),
        quote! {
            a.b.recv()
                .__durable_op_of({ let callee = rt::Callee::new(); #is callee })
                .known().only_durable().await;
        },
    );
}

#[test]
fn a_failed_assertion_says_what_was_written() {
    let check = refuses(&quote!(rt::collection(&a)));
    assert_rewritten!(
        quote!(assert!(a.keys().is_sorted())),
        quote!(
            assert!((a.keys(), #check).0.is_sorted(), "{}", "assertion failed: a.keys().is_sorted()")
        ),
    );
    assert_rewritten!(quote!(assert!(a > b)), quote!(assert!(a > b)));
    assert_rewritten!(quote!(stringify!(a.keys())), quote!(stringify!(a.keys())));
}

#[test]
fn an_await_in_a_log_macro_is_an_error() {
    let (code, errors) = rewritten(&quote!(println!("{}", a.await);));
    assert_eq!(code, quote!(println!("{}", a.await);).to_string());
    assert!(
        errors[0].starts_with("[D061] `.await` cannot stand in `println!`"),
        "{errors:?}"
    );
    let (_, errors) = rewritten(&quote!(info!("{:?}", Some(my::join!(a, b)));));
    assert!(
        errors[0].starts_with("[D061] `join!` cannot stand in `info!`"),
        "{errors:?}"
    );
    assert_rewritten!(
        quote!(join != 1; info.join(a)),
        quote!(join != 1; info.join(a))
    );
}

#[test]
fn an_async_closure_is_an_error() {
    let (_, errors) = rewritten(&quote!(let f = async |x| x;));
    assert!(errors[0].starts_with("[D071]"), "{errors:?}");
}

#[test]
fn what_does_not_parse_is_kept_and_checked() {
    assert_rewritten!(
        quote!(let x = a.await; x. ;),
        quote!(let x = a.__durable_op().only_durable().await; x. ;),
    );
}

#[test]
fn nested_functions_are_left_alone() {
    assert_rewritten!(
        quote!(
            async fn g() {
                a.await
            }
        ),
        quote!(
            async fn g() {
                a.await
            }
        ),
    );
}

#[test]
fn attributes_at_the_head_of_the_body_move_to_the_function() {
    assert_rewritten!(
        quote!(#![allow(unused)] a),
        quote!(
            #[allow(unused)]
            a
        ),
    );
}
