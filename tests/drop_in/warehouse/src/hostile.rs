//! Definitions among names that hide those of the standard library: an expansion must mean its own.
#![allow(missing_docs, non_camel_case_types, dead_code)]
#![allow(clippy::trivially_copy_pass_by_ref)]

#[durable_runtime::activity]
pub async fn twice(number: u32) -> u32 {
    number * 2
}

/// Nothing is imported that was not asked for.
pub mod without_prelude {
    #![no_implicit_prelude]

    use ::durable_runtime::{activity, helper, join, now, orchestrator, select, sleep, try_join};

    /// Hides the standard library's names for everything below.
    mod core {}
    mod std {}
    mod durable_runtime {}
    mod serde {}
    mod inventory {}

    type Result = ();
    type Option = ();
    type String = ();
    type Vec = ();
    type Box = ();
    struct Send;
    struct Sized;
    trait Future {}
    trait Debug {}
    #[allow(non_snake_case)]
    fn Ok() {}
    #[allow(non_snake_case)]
    fn Err() {}
    #[allow(non_upper_case_globals)]
    const None: () = ();
    #[allow(non_upper_case_globals)]
    static Some: () = ();
    type u32 = ::core::primitive::u64;
    type bool = ();
    type str = ();

    #[activity(retry(max_attempts = 2, initial = "1ms", when = always), attempt_timeout = "1m", limit = 3)]
    pub async fn fails_once() -> ::core::result::Result<u32, ::core::primitive::u8> {
        match ::durable_runtime::activity::attempt() {
            1 => ::core::result::Result::Err(1),
            _ => ::core::result::Result::Ok(3),
        }
    }

    #[activity(heartbeat_timeout = "1m")]
    pub fn blocks(number: u32, #[state] _ledger: ::std::sync::Arc<crate::Ledger>) -> u32 {
        ::durable_runtime::activity::heartbeat(number);
        number + 1
    }

    fn always(_: &::core::primitive::u8) -> ::core::primitive::bool {
        true
    }

    #[orchestrator(version = "1", codec = "bincode")]
    pub async fn everything(number: u32) -> ::core::result::Result<u32, ::core::primitive::u8> {
        let (six, ()) = join!(super::twice(3), sleep(::core::time::Duration::ZERO));
        let (three, also_three) = try_join!(fails_once(), fails_once())?;
        let eight = select! {
            eight = super::twice(4) => ::core::convert::Into::<u32>::into(eight),
            () = sleep(::core::time::Duration::from_secs(50)) => 0,
        };
        let begin = now();
        let sum = add(&number, &three).await;
        ::core::assert!(begin <= now() && also_three == three);
        let sum = blocks(sum).await;
        ::core::result::Result::Ok(sum + ::core::convert::Into::<u32>::into(six) + eight)
    }

    #[helper]
    async fn add(a: &u32, b: &u32) -> u32 {
        super::twice(0).await;
        *a + *b
    }
}

/// Names that newer editions have taken, and names that the expansion itself uses.
pub mod words {
    #[durable_runtime::activity(name = "hostile.gen")]
    pub async fn gen(r#type: u32, states: u32, input: u32) -> u32 {
        r#type + states + input
    }

    #[durable_runtime::orchestrator(name = "hostile.fn")]
    pub async fn r#fn(mut __input: u32, output: u32, runtime: u32) -> u32 {
        __input += gen(output, runtime, 1).await;
        __input
    }

    #[durable_runtime::activity(name = "hostile.u32")]
    pub async fn u32(state: u32) -> u32 {
        state
    }
}

/// Definitions that a macro of the library writes.
pub mod written_by_a_macro {
    macro_rules! doubling {
        ($name:ident, $by:ident, $number:ident: $ty:ty) => {
            #[durable_runtime::activity]
            async fn $by($number: $ty) -> $ty {
                $number * 2
            }

            #[durable_runtime::orchestrator]
            pub async fn $name($number: $ty) -> $ty {
                let once = $by($number).await;
                durable_runtime::select! {
                    number = $by(once) => number,
                    () = durable_runtime::sleep(durable_runtime::hours(1)) => once,
                }
            }
        };
    }

    doubling!(four_times, doubled, n: u32);
}
