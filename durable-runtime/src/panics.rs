//! Where panics of user code end, and with them what they carry.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code; a panic becomes its message.
///
/// What the code may have left half changed is its own and dropped with it.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let message = message(&*payload);
        dispose(payload);
        message
    })
}

/// The text of a panic, as far as it has one.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is no text").to_owned()
}

/// Drops what a panic carried, which is user code as well and may panic in turn.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // To drop that one could go on for ever; the few bytes are lost instead.
        let _lost: &'static mut (dyn Any + Send) = Box::leak(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| panic!("boom")), Err::<(), _>("boom".to_owned()));
        let formatted = caught(|| panic!("boom {}", 2));
        assert_eq!(formatted, Err::<(), _>("boom 2".to_owned()));
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_goes_no_further() {
        let caught = caught(|| std::panic::panic_any(Bomb));
        assert_eq!(caught, Err::<(), _>("a value that is no text".to_owned()));
    }
}
