//! What each address answers; the addresses, headers and members are those of Durable Functions.
//!
//! Nothing here knows the orchestrations: they are started, asked for and told by name and JSON.

use std::error::Error;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use durable_examples::http::utc;
use durable_runtime::{
    Engine, Instance, LookupError, Outcome, Payload, RaiseError, StartError, named,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// What all addresses begin with.
pub(crate) const BASE: &str = "/runtime/webhooks/durabletask";

/// The addresses of what `engine` runs.
pub(crate) fn routes(engine: Engine) -> Router {
    let routes = Router::new()
        .route("/orchestrators/{name}", post(start))
        .route("/orchestrators/{name}/{id}", post(start))
        .route("/instances/{id}", get(status))
        .route("/instances/{id}/raiseEvent/{event}", post(raise));
    Router::new().nest(BASE, routes).with_state(engine)
}

/// An answer, or a refusal and its reason.
type Answer = Result<Response, Refusal>;
type Refusal = (StatusCode, String);

#[derive(Deserialize)]
struct Start {
    name: String,
    id: Option<String>,
}

#[derive(Deserialize)]
struct Patience {
    /// How many seconds to wait for the result before the answer is 202.
    timeout: Option<u64>,
}

async fn start(
    State(engine): State<Engine>,
    Path(Start { name, id }): Path<Start>,
    Query(Patience { timeout }): Query<Patience>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let input = if body.is_empty() {
        Value::Null
    } else {
        parse(&body)?
    };
    let request = engine.start(named::orchestrator(name, &input));
    let request = match id {
        Some(id) => request.id(id),
        None => request,
    };
    let job = request.await.map_err(|error| match error {
        StartError::Conflict { .. } => refuse(StatusCode::CONFLICT, &error),
        StartError::Stopped(_) | StartError::Unknown(_) | StartError::Store(_) => broken(&error),
        error => refuse(StatusCode::BAD_REQUEST, &error),
    })?;
    if let Some(limit) = timeout.map(Duration::from_secs)
        && let Ok(ended) = tokio::time::timeout(limit, job.wait()).await
    {
        let outcome = ended.map_err(|error| broken(&error))?.outcome;
        return Ok(Json(output(outcome)).into_response());
    }
    let at = address_of(&headers, &job);
    let told = json!({
        "id": job.id().as_str(),
        "statusQueryGetUri": at,
        "sendEventPostUri": format!("{at}/raiseEvent/{{eventName}}"),
    });
    Ok(accepted(at, "10", told))
}

async fn status(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let job = find(&engine, &id).await?;
    let now = job.summary().await.map_err(|error| broken(&error))?;
    let has_ended = now.has_ended();
    let told = json!({
        "name": now.name,
        "instanceId": id,
        "runtimeStatus": format!("{:?}", now.status),
        "input": value(Some(now.input)),
        "customStatus": value(now.custom_status),
        "output": output(now.outcome),
        "createdTime": utc(now.created_at),
        "lastUpdatedTime": utc(now.updated_at),
        "historyEvents": null,
    });
    if has_ended {
        return Ok(Json(told).into_response());
    }
    Ok(accepted(address_of(&headers, &job), "5", told))
}

async fn raise(
    State(engine): State<Engine>,
    Path((id, event)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let kind = headers.get("content-type");
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        let reason = "the content type of an event is `application/json`".to_owned();
        return Err((StatusCode::BAD_REQUEST, reason));
    }
    let value = parse(&body)?;
    let raised = find(&engine, &id)
        .await?
        .raise(&named::event(event), value)
        .await;
    raised.map_err(|error| match error {
        RaiseError::Ended(_) => refuse(StatusCode::GONE, &error),
        RaiseError::Payload(_) => refuse(StatusCode::BAD_REQUEST, &error),
        error => broken(&error),
    })?;
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn find(engine: &Engine, id: &str) -> Result<Instance, Refusal> {
    let missing = || {
        (
            StatusCode::NOT_FOUND,
            format!("there is no instance `{id}`"),
        )
    };
    match engine.instance(id).await {
        Ok(found) => found.ok_or_else(missing),
        Err(error @ LookupError::InvalidId(_)) => Err(refuse(StatusCode::BAD_REQUEST, &error)),
        Err(error) => Err(broken(&error)),
    }
}

/// Not done yet: where to ask, and after how many seconds.
fn accepted(at: String, seconds: &'static str, told: Value) -> Response {
    let headers = [("location", at), ("retry-after", seconds.to_owned())];
    (StatusCode::ACCEPTED, headers, Json(told)).into_response()
}

/// Where the job can be asked for, by the name that the client has for this server, which may stand behind another.
fn address_of(headers: &HeaderMap, job: &Instance) -> String {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header("x-forwarded-host").or(header("host"));
    let scheme = header("x-forwarded-proto").unwrap_or("http");
    let host = host.unwrap_or("localhost");
    format!("{scheme}://{host}{BASE}/instances/{}", job.id())
}

fn value(payload: Option<Payload>) -> Option<Value> {
    payload?.decode().ok()
}

fn output(outcome: Option<Outcome>) -> Option<Value> {
    match outcome? {
        Outcome::Completed(payload) => value(Some(payload)),
        Outcome::Failed(failure) => Some(json!(failure.to_string())),
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    let parsed = serde_json::from_slice(body);
    parsed.map_err(|error| {
        (
            StatusCode::BAD_REQUEST,
            format!("the body is no JSON: {error}"),
        )
    })
}

fn refuse(status: StatusCode, error: &dyn Error) -> Refusal {
    (status, error.to_string())
}

fn broken(error: &dyn Error) -> Refusal {
    refuse(StatusCode::SERVICE_UNAVAILABLE, error)
}
