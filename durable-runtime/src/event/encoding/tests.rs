//! What is written can be read, today and by every later build.

use super::samples::every_kind;
use super::{decode, encode};
use crate::event::HistoryEvent;
use crate::event::encoding::samples::failed;
use crate::failure::{Failure, Fault, FaultKind};
use crate::limits;
use crate::payload::{Codec, Payload};

fn encoded(events: &[HistoryEvent]) -> Vec<u8> {
    let mut body = Vec::new();
    encode(events, &mut body).unwrap();
    body
}

#[test]
fn every_kind_comes_back_as_it_was() {
    let events = every_kind();
    let body = encoded(&events);
    let count = u32::try_from(events.len()).unwrap();
    assert_eq!(decode(1, count, &body).unwrap(), events);
}

/// It was written, and could not be read again.
#[test]
fn the_largest_payload_that_may_be_is_read_again() {
    let mut events = every_kind();
    events.truncate(1);
    if let HistoryEvent::ExecutionStarted(started) = &mut events[0] {
        let largest = vec![b'x'; limits::PAYLOAD_BYTES_CEILING];
        started.input = Payload::from_parts(Codec::Bincode, largest);
    }
    assert!(decode(1, 1, &encoded(&events)).unwrap() == events);
}

#[test]
fn wrong_counts_versions_and_ends_are_named() {
    let body = encoded(&every_kind()[..2]);
    let error = |version, count, body: &[u8]| decode(version, count, body).unwrap_err().to_string();
    assert!(error(2, 2, &body).starts_with("its records have format version 2, and this build"));
    assert_eq!(error(1, 3, &body), "record 2 of 3 cannot be read");
    assert!(error(1, 1, &body).ends_with("bytes follow its 1 records"));
    assert_eq!(
        error(1, 2, &body[..body.len() - 1]),
        "record 1 of 2 cannot be read"
    );
    assert_eq!(
        error(1, u32::MAX, &[]),
        format!("record 0 of {} cannot be read", u32::MAX)
    );
}

/// Number 3 was kept free for it from the beginning.
#[test]
fn what_was_given_up_has_the_number_that_was_kept_for_it() {
    let fault = Fault::new(FaultKind::Poisoned, "charge", "it ended");
    let event = HistoryEvent::ActivityFailed(failed(5, 13, Failure::Fault(fault)));
    assert_eq!(encoded(&[event]).get(4), Some(&3));
}

#[test]
fn no_bytes_make_the_decoder_panic() {
    let whole = encoded(&every_kind());
    let count = u32::try_from(every_kind().len()).unwrap();
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xfa, 0xfb, 0xfc, 0xfd, 0xff] {
            let mut body = whole.clone();
            body[at] = value;
            // Whatever comes of it, it comes in bounded time, and what is read can be written.
            if let Ok(events) = decode(1, count, &body) {
                let again = encoded(&events);
                assert_eq!(encoded(&decode(1, count, &again).unwrap()), again);
            }
        }
        assert!(decode(1, count, &whole[..at]).is_err());
    }
}
