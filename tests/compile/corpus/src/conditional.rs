//! Code that may not be there when it is compiled, or that a macro leaves out, moves or repeats.

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[activity(name = "conditional.add")]
async fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[cfg(any())]
fn weight(_cents: u64) -> u64 {
    u64::from(std::process::id())
}

#[cfg(not(any()))]
fn weight(cents: u64) -> u64 {
    cents / 100
}

/// One of the two functions would not do; it is not known to be there.
#[orchestrator(name = "conditional.chosen")]
pub async fn chosen(cents: u64) -> u64 {
    add(weight(cents), 1).await
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Sums {
    of_all: u64,
}

#[orchestrator(name = "conditional.statements")]
pub async fn statements(mut numbers: Vec<u64>) -> Sums {
    #[cfg(any())]
    for number in &numbers {
        add(*number, 1).await;
    }
    #[cfg(any())]
    {
        for number in &numbers {
            add(*number, 2).await;
        }
        add(1, 2).await;
    }
    for number in &numbers {
        #[cfg(any())]
        for other in &numbers {
            add(*number, *other).await;
        }
        #[cfg(not(any()))]
        for other in &numbers {
            add(*number, *other).await;
        }
    }
    #[cfg(any())]
    numbers.retain(|number| *number > 2);
    #[cfg(any())]
    {
        #[cfg(not(test))]
        std::thread::sleep(std::time::Duration::ZERO);
        std::process::exit(1);
    }
    numbers.retain(|number| *number > 2);
    match numbers.len() {
        #[cfg(any())]
        3 => {
            for number in &numbers {
                add(*number, 3).await;
            }
            add(3, 3).await;
        }
        _ => {}
    }
    Sums {
        of_all: numbers.iter().sum(),
        #[cfg(any())]
        of_some: {
            for number in &numbers {
                add(*number, 4).await;
            }
            4
        },
    }
}

/// As `tracing::instrument` writes it above an orchestrator.
#[orchestrator(name = "conditional.typed")]
pub async fn typed(number: u64) -> u64 {
    #[allow(unreachable_code, unused_variables, clippy::diverging_sub_expression, clippy::empty_loop)]
    if false {
        let fake: u64 = loop {};
        return fake;
    }
    add(number, 1).await
}

macro_rules! flow {
    ($name:ident, $durable:literal, $numbers:ident, $body:block) => {
        #[orchestrator(name = $durable)]
        pub async fn $name($numbers: Vec<u64>) -> u64 $body
    };
}

flow!(whole_body, "conditional.whole_body", numbers, {
    let mut sum = 0;
    for number in &numbers {
        sum = add(sum, *number).await;
    }
    sum
});

macro_rules! left_out {
    ($($code:tt)*) => {};
}

macro_rules! in_closure {
    ($code:expr) => {{
        let run = || $code;
        run()
    }};
}

macro_rules! in_block {
    ($($code:tt)*) => {
        async { $($code)* }.await
    };
}

#[orchestrator(name = "conditional.macros")]
pub async fn macros(numbers: Vec<u64>) -> u64 {
    left_out!({
        for number in &numbers {
            add(*number, 1).await;
        }
        1
    });
    let sum: u64 = in_closure!({
        let mut sum = 0;
        for number in &numbers {
            sum += number;
        }
        sum
    });
    let all: u64 = in_block!({
        let mut all = sum;
        for number in &numbers {
            all = add(all, *number).await;
        }
        all
    });
    all + sum
}
