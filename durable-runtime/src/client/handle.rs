//! One instance with the types of its orchestrator.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::client::Returns;
use crate::client::error::WaitError;
use crate::client::instance::Instance;
use crate::definition::{Decoded, OutputCodec};

/// A typed handle of one instance. Everything an [`Instance`] can, and [`result`](Self::result).
///
/// Made by [`Engine::start`](crate::Engine::start), and by [`Engine::handle`](crate::Engine::handle) for what was started
/// before. Cheap to clone; does not keep the engine running, and dropping it cancels nothing.
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

    /// A handle of another instance of the same orchestrator.
    pub(crate) fn with(&self, instance: Instance) -> Self {
        Self::new(instance, self.codec)
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
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn divide(a: u32, b: u32) -> Result<u32, String> {
    ///     if b == 1 {
    ///         panic!("nobody divides by one");
    ///     }
    ///     a.checked_div(b).ok_or_else(|| "by zero".to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let result = engine.start(divide(6, 3)).await?.result().await;
    /// assert_eq!(result?, Ok(2));
    /// let result = engine.start(divide(6, 0)).await?.result().await;
    /// assert_eq!(result?, Err("by zero".to_owned()));
    ///
    /// let error = engine.start(divide(6, 1)).await?.result().await.unwrap_err();
    /// let fault = error.fault().expect("it did not return");
    /// assert_eq!(fault.to_string(), "`divide` panicked: nobody divides by one");
    /// # Ok(()) }
    /// ```
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
