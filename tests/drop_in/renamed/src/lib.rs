//! The runtime under another name, which each attribute is told; the macros find it by themselves.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
#![deny(warnings, missing_docs, unreachable_pub)]

/// The runtime, for those who depend on this crate alone.
pub use dr as runtime;

use dr::prelude::*;

/// Raised when somebody answers.
pub static ANSWER: Event<u32> = Event::new("answer");

#[activity(crate = dr)]
async fn ask(question: String) -> u32 {
    question.len().try_into().unwrap_or(u32::MAX)
}

/// Asks, and waits for a second answer.
#[orchestrator(crate = ::dr)]
pub async fn ask_twice(question: String) -> u32 {
    let (first, ()) = join!(ask(question.clone()), wait_a_little());
    select! {
        second = ANSWER.wait() => first + second,
        () = sleep(hours(1)) => first,
    }
}

#[helper(crate = dr)]
async fn wait_a_little() {
    sleep(std::time::Duration::from_millis(1)).await;
}
