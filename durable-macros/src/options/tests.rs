use quote::quote;

use super::*;

fn parsed(role: Role, tokens: TokenStream) -> (Options, Vec<String>) {
    let mut errors = Vec::new();
    let options = Options::parse(role, tokens, &mut errors);
    // What is said of the page is the same for all.
    let message = |error: &syn::Error| {
        let message = error.to_string();
        let said = message.strip_suffix("\nsee docs/determinism/D108.md");
        said.unwrap().to_owned()
    };
    (options, errors.iter().map(message).collect())
}

fn errors(role: Role, tokens: TokenStream) -> Vec<String> {
    parsed(role, tokens).1
}

#[test]
fn all_options_of_an_activity_are_read() {
    let (options, errors) = parsed(
        Role::Activity,
        quote! {
            name = "pay",
            codec = "bincode",
            attempt_timeout = "30s",
            heartbeat_timeout = "5s",
            limit = 10,
            crate = ::other,
            retry(max_attempts = 5, initial = "250ms", backoff = 3, max_interval = "1m", total = "2h", jitter = 0.25,
                when = a::b),
        },
    );
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(options.name.as_deref(), Some("pay"));
    assert_eq!(options.codec(), "Bincode");
    assert_eq!(options.attempt_timeout, Some(30_000));
    assert_eq!(options.heartbeat_timeout, Some(5_000));
    assert_eq!(options.limit, Some(10));
    let runtime = options.runtime();
    assert_eq!(runtime.to_string(), quote!(::other::__private).to_string());
    let retry = options.retry.unwrap();
    assert_eq!(retry.when.as_ref().unwrap().segments.len(), 2);
    let policy = quote! {
        ::other::__private::RetryPolicy::attempts(5u32)
            .initial(::core::time::Duration::from_millis(250u64))
            .backoff(3f64)
            .max_interval(::core::time::Duration::from_millis(60000u64))
            .total(::core::time::Duration::from_millis(7200000u64))
            .jitter(0.25f64)
    };
    assert_eq!(retry.policy(&runtime).to_string(), policy.to_string());
}

#[test]
fn no_options_give_the_defaults() {
    let (options, errors) = parsed(Role::Orchestrator, quote!());
    assert!(errors.is_empty());
    assert_eq!(options.codec(), "Json");
    assert_eq!(
        options.runtime().to_string(),
        quote!(::durable_runtime::__private).to_string()
    );
}

#[test]
fn an_unknown_option_lists_the_legal_ones() {
    assert_eq!(
        errors(Role::Orchestrator, quote!(retry(max_attempts = 2))),
        [
            "[D108] `#[orchestrator]` has no option `retry`\nhelp: it takes `name`, `version`, `codec`, `crate`"
        ]
    );
    assert_eq!(
        errors(
            Role::Activity,
            quote!(retry(max_attempts = 2, delay = "1s"))
        ),
        [
            "[D108] `retry` has no option `delay`\nhelp: it takes `max_attempts`, `initial`, `backoff`, `max_interval`, \
          `total`, `jitter`, `when`"
        ]
    );
}

#[test]
fn a_timeout_says_of_what() {
    assert_eq!(
        errors(Role::Activity, quote!(timeout = "30s")),
        [
            "[D108] `#[activity]` has no option `timeout`\nhelp: write `attempt_timeout` for one attempt, or \
             `.timeout(..)` on the call for all of it"
        ]
    );
}

#[test]
fn every_breach_is_an_error_of_its_own() {
    let found = errors(
        Role::Activity,
        quote!(
            limit = 0,
            attempt_timeout = "1 sec",
            name,
            codec = "xml",
            name = 5,
            retry(max_attempts = 0),
            limit = "a",
            limit = 1
        ),
    );
    let expected = [
        "[D108] `name` is given twice",
        "[D108] `limit` is given twice",
        "[D108] `limit` is given twice",
        "[D108] `limit` is at least 1",
        "[D108] `1 sec` is no duration\nhelp: write \"1s\"",
        "[D108] `name` needs a value\nhelp: write `name = \"..\"`",
        "[D108] there is no codec `xml`\nhelp: write `\"json\"` or `\"bincode\"`",
        "[D108] `max_attempts` is at least 1",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_retry_must_end() {
    let found = errors(Role::Activity, quote!(retry(initial = "1s")));
    assert!(
        found[0].contains("needs `max_attempts`, `total` or both"),
        "{found:?}"
    );
    assert!(errors(Role::Activity, quote!(retry(total = "1h"))).is_empty());
}

#[test]
fn a_backoff_shrinks_nothing() {
    assert_eq!(
        errors(
            Role::Activity,
            quote!(retry(max_attempts = 2, backoff = 0.5))
        ),
        ["[D108] `backoff` is at least 1.0"]
    );
}

#[test]
fn jitter_is_a_share() {
    for share in [quote!(0.0), quote!(0.5), quote!(1)] {
        let found = errors(
            Role::Activity,
            quote!(retry(max_attempts = 2, jitter = #share)),
        );
        assert!(found.is_empty(), "{found:?}");
    }
    assert_eq!(
        errors(Role::Activity, quote!(retry(max_attempts = 2, jitter = 20))),
        ["[D108] `jitter` is 0.0 to 1.0"]
    );
}

#[test]
fn durations_have_a_number_and_a_unit() {
    for (text, millis) in [
        ("250ms", 250),
        ("30s", 30_000),
        ("5m", 300_000),
        ("2h", 7_200_000),
        ("1d", 86_400_000),
    ] {
        assert_eq!(duration::parse(text), Ok(millis));
    }
    for (text, help) in [
        ("1 sec", "\"1s\""),
        ("10 minutes", "\"10m\""),
        ("3D", "\"3d\""),
        ("s", "whole number"),
        ("1.5s", "whole number"),
        ("99999999999999999d", "write"),
        ("0s", "longer than zero"),
    ] {
        let message = duration::parse(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
}
