//! What version 1 wrote is read for ever.
//!
//! The golden files are never changed; a new kind of record adds one. `BLESS=1` writes those that are missing.

use std::fmt::Write;
use std::path::PathBuf;

use crate::clock::Timestamp;
use crate::event::encoding::samples::{activity, every_kind, id, payload, started};
use crate::event::{EventRaised, HeartbeatRecorded, Heartbeats, HistoryEvent, StallReason};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, ExecutionId, InstanceKey, Sequence, StoreId};
use crate::payload::{Codec, Payload};
use crate::store::asked::Asked;
use crate::store::frame::{self, Checksum, Frame, Place};
use crate::store::index::Term;
use crate::store::query::{Cursor, Filter, Position, Request};
use crate::store::row;
use crate::store::sent::{self, Sent, SentBy};
use crate::store::{Outstanding, Status, Summary};

const KEY: InstanceKey = InstanceKey(0x0102_0304);

fn checksum() -> Checksum {
    Checksum::new(StoreId(0xfeed_beef))
}

/// The golden file of that name, which is made of `written` if it is missing and may be.
fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/golden/v1")
        .join(name);
    if std::env::var_os("BLESS").is_some() && !path.exists() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, written).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_frame_of_each_kind_of_record() {
    for (number, event) in every_kind().into_iter().enumerate() {
        let place = Place {
            key: KEY,
            execution: ExecutionId(2),
            first: Sequence(70_000),
        };
        let events = [event];
        let mut written = Vec::new();
        frame::write(&mut written, checksum(), place, &events).unwrap();
        let name = format!("{number:02}-{}.frame", kind(&events[0]));
        let golden = golden(&name, &written);
        let (frame, length, rest) = Frame::split(&golden).unwrap();
        assert_eq!(
            (frame.place, frame.count, length),
            (place, 1, golden.len()),
            "{name}"
        );
        assert!(rest.is_empty(), "{name}");
        assert_eq!(frame.events(checksum()).unwrap(), events, "{name}");
        assert_eq!(written, golden, "{name}");
    }
}

fn kind(event: &HistoryEvent) -> String {
    let debug = format!("{event:?}");
    debug.split('(').next().unwrap_or_default().to_owned()
}

#[test]
fn a_row_of_instances() {
    let HistoryEvent::ExecutionStarted(start) = &every_kind()[0] else {
        panic!("a start comes first");
    };
    let fault = Fault::new(FaultKind::Panicked, "charge", "it ended");
    let bincode = Payload::from_parts(Codec::Bincode, vec![1, 2]);
    let full = Summary {
        asked: Some(Asked::of("ship", Some("2"), &bincode)),
        status: Status::Failed,
        completed_at: Some(Timestamp(20).into()),
        custom_status: Some(payload("busy")),
        outcome: Some(Outcome::Failed(Failure::Fault(fault))),
        stalled: Some(crate::store::Stalled {
            reason: StallReason::UnknownSemantics,
            report: "report".to_owned(),
        }),
        ..Summary::started(start)
    };
    let plain = Summary::started(&started("plain", 1, 1 << 40));
    let json = Payload::from_parts(Codec::Json, *br#"{"b": 1, "a": [null]}"#);
    let continued = Summary {
        asked: Some(Asked::of("plain", None, &json)),
        ..plain.clone()
    };
    for (name, summary) in [
        ("instances-full.row", full),
        ("instances-plain.row", plain),
        ("instances-continued.row", continued),
    ] {
        let written = row::summary_to_row(KEY, &summary, checksum()).unwrap();
        let golden = golden(name, &written);
        assert_eq!(
            row::summary_from_row(KEY, &golden, checksum()).unwrap(),
            summary
        );
        assert_eq!(written, golden, "{name}");
        let other = row::summary_from_row(InstanceKey(1), &golden, checksum()).unwrap_err();
        assert!(
            other
                .to_string()
                .contains("belongs to another table or instance"),
            "{other}"
        );
        assert!(row::outstanding_from_row(KEY, &golden, checksum()).is_err());
    }
}

#[test]
fn a_row_of_open_with_awaited_instances() {
    let mut outstanding = Outstanding {
        next: Sequence(3),
        ..Outstanding::default()
    };
    outstanding.awaited.insert(EventId(7), id("ship-42"));
    let written = row::outstanding_to_row(KEY, &outstanding, checksum()).unwrap();
    let golden = golden("open-awaited.row", &written);
    assert_eq!(
        row::outstanding_from_row(KEY, &golden, checksum()).unwrap(),
        outstanding
    );
    assert_eq!(written, golden);
}

#[test]
fn a_row_of_sent() {
    let on_its_way = Sent {
        by: SentBy {
            sender: KEY,
            execution: ExecutionId(3),
            command: EventId(70_000),
        },
        to: InstanceKey(1 << 40),
        event: EventRaised {
            at: Timestamp(1 << 41),
            name: "approval".into(),
            payload: payload("yes"),
            event: Some("~order-42/3/70000".to_owned()),
        },
    };
    let written = sent::to_row(&on_its_way, checksum()).unwrap();
    let golden = golden("sent.row", &written);
    let key = on_its_way.by.row();
    assert_eq!(
        sent::from_row(key, &golden, checksum()).unwrap(),
        on_its_way
    );
    assert_eq!(written, golden);
    for wrong in [(1, key.1, key.2), (key.0, 1, key.2), (key.0, key.1, 1)] {
        assert!(sent::from_row(wrong, &golden, checksum()).is_err());
    }
    for end in 0..golden.len() {
        assert!(sent::from_row(key, &golden[..end], checksum()).is_err());
    }
}

#[test]
fn a_row_of_open() {
    let mut outstanding = Outstanding {
        execution: ExecutionId(3),
        next: Sequence(12),
        undelivered: 2,
        stalled: true,
        cancel_requested: true,
        ended: false,
        ..Outstanding::default()
    };
    outstanding.timers.insert(EventId(4), Timestamp(1 << 41));
    outstanding.activities.insert(EventId(5), activity(5));
    outstanding.children.insert(EventId(6), id("child"));
    let written = row::outstanding_to_row(KEY, &outstanding, checksum()).unwrap();
    let golden = golden("open.row", &written);
    assert_eq!(
        row::outstanding_from_row(KEY, &golden, checksum()).unwrap(),
        outstanding
    );
    assert_eq!(written, golden);
    for end in 0..golden.len() {
        assert!(
            row::outstanding_from_row(KEY, &golden[..end], checksum()).is_err(),
            "{end} bytes"
        );
    }
}

#[test]
fn a_row_of_open_with_heartbeats() {
    let mut outstanding = Outstanding::default();
    let scheduled = HistoryEvent::ActivityScheduled(activity(5));
    let said = HistoryEvent::HeartbeatRecorded(HeartbeatRecorded {
        scheduled: EventId(5),
        at: Timestamp(18),
        details: payload("page 8"),
    });
    outstanding.apply(&scheduled);
    outstanding.apply(&said);
    assert_eq!(
        outstanding.activities[&EventId(5)].heartbeats,
        Heartbeats::some(None, Some(payload("page 8"))),
        "the next delivery is told"
    );
    let written = row::outstanding_to_row(KEY, &outstanding, checksum()).unwrap();
    let golden = golden("open-heartbeats.row", &written);
    assert_eq!(
        row::outstanding_from_row(KEY, &golden, checksum()).unwrap(),
        outstanding
    );
    assert_eq!(written, golden);
}

#[test]
fn the_terms_of_the_index_and_a_cursor() {
    let request = Request {
        filter: Filter {
            statuses: Status::ALL.iter().copied().collect(),
            names: ["checkout".to_owned()].into(),
            tags: [("shop".to_owned(), "Praha".to_owned())].into(),
            created: Some(1..2),
            completed: Some(3..4),
            id_prefix: Some("order-".to_owned()),
        },
        descending: true,
        limit: 9,
        after: None,
    };
    let mut written = String::new();
    for status in Status::ALL {
        writeln!(written, "{status:?} {:x}", Term::status(*status).0).unwrap();
    }
    writeln!(written, "checkout {:x}", Term::name("checkout").0).unwrap();
    writeln!(written, "shop Praha {:x}", Term::tag("shop", "Praha").0).unwrap();
    for position in [
        Position::Creation(KEY),
        Position::Completion(Timestamp(1 << 41), KEY),
        Position::Id(id("order-42")),
    ] {
        let cursor = Cursor::new(position, &request, checksum());
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        writeln!(written, "{cursor}").unwrap();
    }
    let golden = golden("index.txt", written.as_bytes());
    assert_eq!(written, String::from_utf8(golden).unwrap());
}
