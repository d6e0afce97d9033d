//! What an engine tells of itself: traces, spans, logs, metrics, lifecycle events.
//!
//! The subscriber and the recorder are those of the whole process, so each test looks at what tells of its own instances.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod collector;
mod document;
mod lifecycle;
mod logs;
mod meters;
mod outside;
mod recorder;
mod spans;
mod traces;

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

/// A test engine that is watched, and runs everything in this binary.
fn engine() -> TestEngine {
    collector::install();
    recorder::install();
    TestEngine::start().unwrap()
}

/// A shop that has all kinds of spans: an activity, a child, a detached start, a timer, an event that is sent.
#[activity(name = "seen.pay")]
async fn pay(cents: u32) -> Result<String, String> {
    tracing::info!(cents, "paying");
    match cents {
        0 => Err("nothing to pay".to_owned()),
        _ => Ok(activity::trace_context().to_string()),
    }
}

static PACKED: Event<u32> = Event::new("packed");

#[orchestrator(name = "seen.pack", version = "2")]
async fn pack(order: u32) -> String {
    PACKED.wait().await;
    format!("{order} {}", info().trace_context)
}

#[orchestrator(name = "seen.mail")]
async fn mail() -> String {
    info().trace_context.to_string()
}

/// Lets the parcel be packed after a while.
#[helper]
async fn wake(id: String) {
    sleep(minutes(5)).await;
    PACKED.send(id, 7).await;
}

/// The contexts of what it causes, and its own: activity, child, detached, own.
#[orchestrator(name = "seen.order")]
async fn order(id: String) -> Result<[String; 4], String> {
    let paid = pay(42).await?;
    let packing = format!("{id}-pack");
    let (packed, ()) = join!(pack(7).id(packing.clone()), wake(packing));
    let mailing = start(mail().id(format!("{id}-mail"))).await;
    let mailed = mailing.result().await;
    Ok([paid, packed, mailed, info().trace_context.to_string()])
}
