//! cargo run --example async_http -- [--db PATH] [--fast] [--serve]
//!
//! A long job behind HTTP, as Durable Functions has it: a start is answered at once, with 202 and the address at which to
//! ask how it goes; there the answer is 202 while the job runs, and 200 with the result once it has ended. The program
//! serves, and is its own client. With `--serve` it only serves, for `curl`, at the address that the environment has as
//! `LISTEN`, else at 127.0.0.1:7071. Kill it at any moment and run it again: the job goes on, under the same path.

use std::time::Duration;

use durable_examples::{Args, Ledger, http, pause, print_result, say};
use durable_runtime::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[path = "async_http/routes.rs"]
mod routes;

const APPROVAL_IS_DUE: &str = "waiting for approval";

static APPROVAL: Event<bool> = Event::new("approval");

#[orchestrator]
async fn print_book(title: String) -> Result<String, Error> {
    set_status(&"typesetting");
    let pages = typeset(title.clone()).await;
    set_status(&APPROVAL_IS_DUE);
    if !APPROVAL.wait().await {
        return Err(Error::msg(format!("`{title}` was not approved")));
    }
    set_status(&"binding");
    Ok(bind(title, pages).await)
}

#[activity]
async fn typeset(title: String, #[state] ledger: &Ledger) -> usize {
    ledger.work().await;
    100 * title.len()
}

#[activity]
async fn bind(title: String, pages: usize, #[state] ledger: &Ledger) -> String {
    ledger.work().await;
    format!("{title}, {pages} pages")
}

/// What a client does: starts, asks, approves when that is due, and asks until there is a result.
///
/// Whatever was done before a kill is done again, and changes nothing: the start finds the job that has the id, and an
/// approval too many is not waited for.
async fn order_book(server: &str, pace: Duration) -> Result<Value, Error> {
    let start = format!("{server}/orchestrators/print_book/walden");
    let started = http::post(&start, &json!("Walden")).await?;
    let job = started.header("location").to_owned();
    loop {
        let answer = http::get(&job).await?;
        let status = answer.member("customStatus");
        say(format!("{job} answers {}, {status}", answer.status));
        if answer.status != 202 {
            return Ok(answer.member("output").clone());
        }
        if *status == APPROVAL_IS_DUE {
            http::post(&format!("{job}/raiseEvent/approval"), &json!(true)).await?;
        }
        pause(pace).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("async_http", &["--fast", "--serve"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 20 } else { 1500 });
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let port = if args.has("--serve") { 7071 } else { 0 };
    let listen = std::env::var("LISTEN").unwrap_or(format!("127.0.0.1:{port}"));
    let listener = TcpListener::bind(listen).await?;
    let server = format!("http://{}{}", listener.local_addr()?, routes::BASE);
    say(format!("serving at {server}"));
    let serving = axum::serve(listener, routes::routes(engine.clone()));
    if args.has("--serve") {
        return Ok(serving.await?);
    }

    let serving = tokio::spawn(serving.into_future());
    let result = order_book(&server, pace).await?;
    serving.abort();
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
