//! Code that has a name but no types: closures from JSON to JSON.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use super::{ActivityEntry, OrchestratorEntry, Origin, Registry, RunActivity};
use crate::definition::ActivityOptions;
use crate::error::Error;
use crate::event::Name;
use crate::failure::{Failure, Fault, FaultKind, Outcome, ReturnedError};
use crate::payload::Payload;
use crate::replay::Code;

impl Registry {
    /// Adds an activity by name: a closure from JSON to JSON, for tools and tests.
    #[must_use]
    pub fn named_activity<F, Fut, E>(mut self, name: impl Into<String>, body: F) -> Self
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, E>> + Send + 'static,
        E: Into<Error>,
    {
        let name = Name::from(name.into());
        let subject = name.clone();
        let run: RunActivity = Arc::new(move |input, _| {
            let running = body(input.decode()?);
            let subject = subject.clone();
            Ok(Box::pin(
                async move { dynamic_outcome(&subject, running.await) },
            ))
        });
        let entry = ActivityEntry {
            origin: Origin::Closure,
            options: ActivityOptions::default(),
            states: &[],
            run,
        };
        self.insert_activity(&name, entry);
        self
    }

    /// Adds an orchestrator by name: a closure from JSON to JSON, for tools and tests.
    ///
    /// The compiler does not check such a body: keep it to what
    /// [`named`](crate::named) offers.
    #[must_use]
    pub fn named_orchestrator<F, Fut, E>(mut self, name: impl Into<String>, body: F) -> Self
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, E>> + 'static,
        E: Into<Error>,
    {
        let name = Name::from(name.into());
        let subject = name.clone();
        let code: Code = Arc::new(move |input| {
            let running = body(input.decode()?);
            let subject = subject.clone();
            Ok(Box::pin(
                async move { dynamic_outcome(&subject, running.await) },
            ))
        });
        let entry = OrchestratorEntry {
            origin: Origin::Closure,
            code,
            sites: None,
        };
        self.insert_orchestrator((name, None), entry);
        self
    }
}

/// What a closure returned, as it is recorded.
fn dynamic_outcome<E: Into<Error>>(subject: &Name, result: Result<Value, E>) -> Outcome {
    let encoded = match result {
        Ok(value) => Payload::json(&value).map(Outcome::Completed),
        Err(error) => {
            let error: Error = error.into();
            let details = error.details().clone();
            Payload::json(&error)
                .map(|error| Outcome::Failed(Failure::Returned(ReturnedError { error, details })))
        }
    };
    encoded.unwrap_or_else(|e| {
        let fault = Fault::new(FaultKind::Unrecordable, subject.to_string(), e.to_string());
        Outcome::Failed(Failure::Fault(fault))
    })
}
