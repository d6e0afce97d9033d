//! The asynchronous HTTP interface: a real server, asked over TCP, killed and started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_examples::http::{self, Answer};
use durable_examples::pause;
use durable_tests::program::{End, Program};
use durable_tests::server::Server;
use serde_json::{Value, json};

use crate::support::fresh_place;

/// Where a server may choose its port.
const ANYWHERE: &str = "127.0.0.1:0";
const JSON: &str = "content-type: application/json";

fn serve(db: &Path, listen: &str) -> Server {
    let program = Program::example("async_http", &["--serve", "--fast"]);
    Server::start(&program, db, listen)
}

/// A server over an empty event log.
fn fresh_server(test: &str) -> (Server, PathBuf) {
    let db = fresh_place(test).join("http.redb");
    (serve(&db, ANYWHERE), db)
}

async fn start(server: &Server, rest: &str) -> Answer {
    let url = format!("{}/orchestrators/{rest}", server.address());
    http::post(&url, &json!("Walden")).await.unwrap()
}

async fn approve(at: &str, is_approved: bool) -> Answer {
    let url = format!("{at}/raiseEvent/approval");
    http::post(&url, &json!(is_approved)).await.unwrap()
}

/// Asks until the answer is the one that is waited for; the job goes on meanwhile.
async fn asked_until(at: &str, is_it: impl Fn(&Answer) -> bool) -> Answer {
    let mut answer = http::get(at).await.unwrap();
    for _ in 0..3_000 {
        if is_it(&answer) {
            break;
        }
        pause(Duration::from_millis(10)).await;
        answer = http::get(at).await.unwrap();
    }
    assert!(is_it(&answer), "{at} still answers {answer:?}");
    answer
}

#[tokio::test]
async fn a_a_start_is_202_and_what_it_names_is_202_until_it_is_200() {
    let (server, _) = fresh_server("http-a");
    let started = start(&server, "print_book/one").await;
    assert_eq!((started.status, started.header("retry-after")), (202, "10"));
    let at = format!("{}/instances/one", server.address());
    assert_eq!(started.header("location"), at);
    assert_eq!(started.member("id"), "one");
    assert_eq!(*started.member("statusQueryGetUri"), *at);
    let event = format!("{at}/raiseEvent/{{eventName}}");
    assert_eq!(*started.member("sendEventPostUri"), *event);

    let waiting = asked_until(&at, |answer| {
        *answer.member("customStatus") == "waiting for approval"
    });
    let waiting = waiting.await;
    assert_eq!((waiting.status, waiting.header("retry-after")), (202, "5"));
    assert_eq!(waiting.header("location"), at);
    assert_eq!(waiting.member("runtimeStatus"), "Running");
    assert_eq!(waiting.member("output"), &Value::Null);

    let raised = approve(&at, true).await;
    assert_eq!((raised.status, raised.body), (202, Value::Null));
    let ended = asked_until(&at, |answer| answer.status == 200).await;
    assert_eq!(ended.member("name"), "print_book");
    assert_eq!(ended.member("instanceId"), "one");
    assert_eq!(ended.member("runtimeStatus"), "Completed");
    assert_eq!(ended.member("input"), "Walden");
    assert_eq!(ended.member("customStatus"), "binding");
    assert_eq!(ended.member("output"), "Walden, 600 pages");
    let created = ended.member("createdTime").as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
}

#[tokio::test]
async fn a_a_job_that_failed_is_200_with_the_message_and_an_id_may_be_the_servers() {
    let (server, _) = fresh_server("http-failed");
    let started = start(&server, "print_book").await;
    let at = started.header("location").to_owned();
    approve(&at, false).await;
    let ended = asked_until(&at, |answer| answer.status == 200).await;
    assert_eq!(ended.member("runtimeStatus"), "Failed");
    let output = ended.member("output").as_str().unwrap();
    assert!(output.contains("`Walden` was not approved"), "{output}");
}

#[tokio::test]
async fn b_a_start_that_may_wait_is_200_with_the_bare_output_if_that_comes_in_time() {
    let (server, _) = fresh_server("http-b");
    let late = start(&server, "print_book/one?timeout=0").await;
    assert_eq!(late.status, 202);
    assert_eq!(approve(late.header("location"), true).await.status, 202);
    let in_time = start(&server, "print_book/one?timeout=60").await;
    assert_eq!(in_time.status, 200);
    assert_eq!(in_time.body, "Walden, 600 pages");
}

#[tokio::test]
async fn c_what_is_not_there_is_404() {
    let (server, _) = fresh_server("http-404");
    let at = format!("{}/instances/nobody", server.address());
    assert_eq!(http::get(&at).await.unwrap().status, 404);
    let raised = approve(&at, true).await;
    assert_eq!(raised.status, 404);
    assert_eq!(raised.body, "there is no instance `nobody`");
}

#[tokio::test]
async fn c_what_has_ended_takes_no_event_and_is_410() {
    let (server, _) = fresh_server("http-410");
    let started = start(&server, "print_book/one").await;
    let at = started.header("location");
    approve(at, true).await;
    asked_until(at, |answer| answer.status == 200).await;
    assert_eq!(approve(at, true).await.status, 410);
}

#[tokio::test]
async fn c_what_makes_no_sense_is_400_and_says_why() {
    let (server, _) = fresh_server("http-400");
    let base = server.address();
    let unknown = start(&server, "no_such_thing").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.as_str().unwrap().contains("`no_such_thing`"));
    let url = format!("{base}/orchestrators/print_book");
    let torn = http::ask("POST", &url, &[JSON], "{").await.unwrap();
    assert_eq!(torn.status, 400);
    assert!(torn.body.as_str().unwrap().contains("no JSON"));

    let started = start(&server, "print_book/one").await;
    let url = format!("{}/raiseEvent/approval", started.header("location"));
    let torn = http::ask("POST", &url, &[JSON], "tru").await.unwrap();
    assert_eq!(torn.status, 400);
    let text = ["content-type: text/plain"];
    let text = http::ask("POST", &url, &text, "true").await.unwrap();
    assert_eq!(text.status, 400);

    // The same id with another input is none of these: it is taken.
    let url = format!("{base}/orchestrators/print_book/one");
    let taken = http::post(&url, &json!("Emma")).await.unwrap();
    assert_eq!(taken.status, 409);
}

#[tokio::test]
async fn d_the_address_is_good_after_a_kill_and_what_was_accepted_is_there() {
    let (server, db) = fresh_server("http-d");
    let started = start(&server, "print_book/one").await;
    let at = started.header("location").to_owned();
    let listen = at.split('/').nth(2).unwrap();
    server.kill();
    let server = serve(&db, listen);
    assert_eq!(http::get(&at).await.unwrap().status, 202);
    // Killed as soon as it has said that it has the event.
    assert_eq!(approve(&at, true).await.status, 202);
    server.kill();
    let _server = serve(&db, listen);
    let ended = asked_until(&at, |answer| answer.status == 200).await;
    assert_eq!(ended.member("output"), "Walden, 600 pages");
}

#[test]
fn d_aborted_at_every_commit_a_client_that_asks_again_gets_the_same() {
    let program = Program::example("async_http", &["--fast"]);
    let places = fresh_place("http-commits");
    for point in ["commit.before", "commit.after", "effects.before"] {
        for nth in 1.. {
            let db = places.join(format!("{point}-{nth}.redb"));
            let end = program.aborted_at(&db, point, nth);
            if end == End::Killed {
                let result = program.undisturbed(&db).result;
                assert_eq!(result, r#""Walden, 600 pages""#, "{point}:{nth}");
            } else {
                assert!(nth > 5, "`{point}` was passed {nth} times only");
                break;
            }
        }
    }
}

#[tokio::test]
async fn e_addresses_are_those_that_the_client_knows_behind_a_proxy_too() {
    let (server, _) = fresh_server("http-e");
    let url = format!("{}/orchestrators/print_book/one", server.address());
    let path = "/runtime/webhooks/durabletask/instances/one";
    let direct = ["host: books.example:8080"];
    let direct = http::ask("POST", &url, &direct, "").await.unwrap();
    let at = format!("http://books.example:8080{path}");
    assert_eq!(direct.header("location"), at);
    let proxied = [
        "host: inner",
        "x-forwarded-host: books.example",
        "x-forwarded-proto: https",
    ];
    let proxied = http::ask("POST", &url, &proxied, "").await.unwrap();
    let at = format!("https://books.example{path}");
    assert_eq!(proxied.header("location"), at);
    assert_eq!(*proxied.member("statusQueryGetUri"), *at);
}
