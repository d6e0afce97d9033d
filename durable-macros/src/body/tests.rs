use quote::quote;

use super::*;

fn rewritten(body: &TokenStream) -> (String, Vec<String>) {
    let function: Function = syn::parse2(quote!(async fn f() { #body })).unwrap();
    let mut errors = Vec::new();
    let body = checked(&function, &quote!(rt), &mut errors);
    let attrs = &body.attrs;
    let code = &body.code;
    let errors = errors.iter().map(ToString::to_string).collect();
    (quote!(#(#attrs)* #code).to_string(), errors)
}

fn check(from: &TokenStream, to: &TokenStream) {
    let (found, errors) = rewritten(from);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(found, to.to_string());
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
fn combinators_of_other_crates_are_errors() {
    let (_, errors) = rewritten(&quote! {
        tokio::select! { x = a => x, }
        let _ = ::futures::future::try_join!(a, b);
        match x { _ => futures_util::select_biased! { x = a => x, } }
    });
    let starts = [
        "[D021] `tokio::select!` cannot",
        "[D021] `::futures::future::try_join!` cannot",
        "[D021] `futures_util::select_biased!` cannot",
    ];
    assert_eq!(errors.len(), starts.len());
    for (error, start) in errors.iter().zip(starts) {
        assert!(error.starts_with(start), "{error}");
    }
    assert!(errors[1].ends_with("write `try_join!` of `durable_runtime::prelude`"));
    let (_, errors) = rewritten(&quote!(durable_runtime::select! { x = a => x, } my::join!(a)));
    assert!(errors.is_empty(), "{errors:?}");
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
