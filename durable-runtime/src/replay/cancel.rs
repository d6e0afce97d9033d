//! A request to end, and the code that wants to hear of it before it is ended.
//!
//! While a value or a wait of [`cancellation`](crate::orchestration::cancellation()) lives, a request is the code's to handle. It
//! is never lost: one that no such value has told of, ends the code at its next wait once none lives any more.
//!
//! Source: `docs/design.md`, "Cancellation".

use std::collections::BTreeMap;
use std::task::Poll;

use super::context::{self, Owner};
use super::wake::Slot;
use crate::event::CancelRequested;

/// What an execution knows of a wish that it end.
#[derive(Debug, Default)]
pub(super) struct Cancel {
    request: Option<CancelRequested>,
    /// Whether the code has heard of it.
    is_told: bool,
    /// How many values and waits live.
    held: usize,
    waiters: BTreeMap<u64, Slot>,
    registered: u64,
}

impl Cancel {
    /// How many futures wait for a request.
    pub(super) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Whether there is a request.
    pub(super) fn is_requested(&self) -> bool {
        self.request.is_some()
    }

    /// Takes a request in and returns whom to wake. A second one changes nothing.
    pub(super) fn request(&mut self, request: CancelRequested) -> Vec<Slot> {
        if self.request.is_some() {
            return Vec::new();
        }
        self.request = Some(request);
        self.waiters.values().copied().collect()
    }

    /// The request that ends the code, since nobody in it is there to handle it.
    pub(super) fn due(&self) -> Option<&CancelRequested> {
        let is_handled = self.is_told || self.held > 0;
        self.request.as_ref().filter(|_| !is_handled)
    }

    /// Takes the request that the code has not heard of, for the next execution.
    pub(super) fn take_untold(&mut self) -> Option<CancelRequested> {
        self.request.take().filter(|_| !self.is_told)
    }

    fn tell(&mut self) -> Option<&CancelRequested> {
        self.is_told |= self.request.is_some();
        self.request.as_ref()
    }

    fn poll(&mut self, number: u64, slot: Slot) -> Poll<String> {
        if let Some(request) = self.tell() {
            return Poll::Ready(request.reason.clone());
        }
        self.waiters.insert(number, slot);
        Poll::Pending
    }
}

/// A value of the code while which lives a request does not end it.
#[derive(Debug)]
pub(crate) struct CancelHold {
    owner: Owner,
    /// Its place among the waiters, if it waits.
    waiter: Option<u64>,
}

impl CancelHold {
    /// Panics outside an orchestrator.
    pub(crate) fn new() -> Self {
        context::require("`cancellation`", |context| {
            context.cancel.held += 1;
            Self {
                owner: context.owner(),
                waiter: None,
            }
        })
    }

    /// Another one, that waits. Panics outside an orchestrator.
    pub(crate) fn waiter(&self) -> Self {
        context::require("`cancellation`", |context| {
            let owner = self.owner;
            if !context.is_current(owner) {
                return Self {
                    owner,
                    waiter: None,
                };
            }
            let cancel = &mut context.cancel;
            cancel.held += 1;
            cancel.registered += 1;
            cancel.waiters.insert(cancel.registered, Slot::Root);
            let waiter = Some(cancel.registered);
            Self { owner, waiter }
        })
    }

    /// Whether there is a request, which counts as told if so.
    pub(crate) fn is_requested(&self) -> bool {
        let told = context::with(|context| {
            context.owner() == self.owner && context.cancel.tell().is_some()
        });
        told.unwrap_or(false)
    }

    /// The reason of the request, or waits for it in the current slot.
    pub(crate) fn poll(&self) -> Poll<String> {
        context::require("`cancellation`", |context| {
            let (Some(number), true) = (self.waiter, context.is_current(self.owner)) else {
                return Poll::Pending;
            };
            let slot = context.wake.current();
            context.cancel.poll(number, slot)
        })
    }
}

impl Drop for CancelHold {
    fn drop(&mut self) {
        context::with(|context| {
            if context.is_current(self.owner) && !std::thread::panicking() {
                context.cancel.held -= 1;
                if let Some(number) = self.waiter {
                    context.cancel.waiters.remove(&number);
                }
            }
        });
    }
}
