//! One instance with the types of its orchestrator.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde_json::Value;

use crate::client::Returns;
use crate::client::error::WaitError;
use crate::client::instance::Instance;
use crate::definition::{Decoded, OutputCodec};
use crate::failure::{Failure, Outcome};
use crate::payload::Payload;

/// A typed handle of one instance. Everything an [`Instance`] can, and [`result`](Self::result).
pub struct Handle<Out: 'static> {
    instance: Instance,
    codec: &'static OutputCodec<Out>,
    returns: Returns<Out>,
}

impl<Out: 'static> Handle<Out> {
    pub(crate) fn new(instance: Instance, codec: &'static OutputCodec<Out>) -> Self {
        Self {
            instance,
            codec,
            returns: PhantomData,
        }
    }

    /// Waits for what the orchestration returns, as declared: a recorded `Err` is `Ok(Err(..))` here.
    ///
    /// A stall does not end the wait: mended code may go on.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing; ask again.
    ///
    /// # Errors
    /// [`WaitError::Fault`] if the orchestration did not return, [`WaitError::Undecodable`] if what it returned is no `Out`;
    /// else as [`wait`](Instance::wait).
    pub async fn result(&self) -> Result<Out, WaitError> {
        let summary = self.instance.wait().await?;
        let outcome = summary
            .outcome
            .ok_or_else(|| WaitError::NotFound(self.instance.id().to_string()))?;
        match (self.codec.decode)(&outcome)? {
            Decoded::Value(value) => Ok(value),
            Decoded::Fault(fault) => Err(WaitError::Fault(fault)),
        }
    }
}

impl<Out: 'static> Deref for Handle<Out> {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl<Out: 'static> Clone for Handle<Out> {
    fn clone(&self) -> Self {
        Self {
            instance: self.instance.clone(),
            codec: self.codec,
            returns: PhantomData,
        }
    }
}

impl<Out: 'static> fmt::Debug for Handle<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handle of {:?}", self.instance)
    }
}

/// Results as JSON, for starts by name: a returned error is the error's JSON, as a fault is one.
pub(crate) static DYNAMIC: OutputCodec<Result<Value, Value>> = OutputCodec {
    encode: |codec, value| match value {
        Ok(value) => Ok(Outcome::Completed(Payload::encode(codec, &value)?)),
        Err(error) => {
            let details = crate::failure::FailureDetails {
                error_type: "serde_json::Value".to_owned(),
                message: error.to_string(),
                causes: Vec::new(),
            };
            let error = Payload::encode(codec, &error)?;
            let returned = crate::failure::ReturnedError { error, details };
            Ok(Outcome::Failed(Failure::Returned(returned)))
        }
    },
    decode: |outcome| {
        Ok(match outcome {
            Outcome::Completed(payload) => Decoded::Value(Ok(payload.decode()?)),
            Outcome::Failed(Failure::Returned(returned)) => {
                Decoded::Value(Err(returned.error.decode()?))
            }
            Outcome::Failed(Failure::Fault(fault)) => Decoded::Fault(fault.clone()),
        })
    },
    from_fault: None,
};
