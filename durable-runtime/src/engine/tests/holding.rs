//! An instance that is held is read once, however much reaches it meanwhile.

use serde_json::json;

use super::boundaries::{Life, MANNERS, start_of};
use crate::clock::Timestamp;
use crate::engine::message::{Control, Incoming, Reply, Submission, Wish};
use crate::error::Error;
use crate::event::{EventRaised, HistoryEvent};
use crate::id::InstanceKey;
use crate::orchestration::named;
use crate::payload::Payload;
use crate::registry::Registry;
use crate::store::Status;
use crate::store::tests::support::Disk;

const KEY: InstanceKey = InstanceKey(1);

fn raised(number: u32) -> Incoming {
    let raised = EventRaised {
        at: Timestamp(1),
        name: "go".into(),
        payload: Payload::json(&number).unwrap(),
        event: Some(format!("go-{number}")),
    };
    Incoming::unasked(HistoryEvent::EventRaised(raised), None)
}

fn asked(wish: Wish) -> Submission {
    let (reply, _) = Reply::channel();
    Submission::Control(Box::new(Control {
        key: KEY,
        wish,
        reason: "for now".to_owned(),
        reply,
    }))
}

#[tokio::test]
async fn one_that_is_held_stays_in_memory_and_goes_on_with_all_that_reached_it() {
    let flows = Registry::new().named_orchestrator("flow", |_| async {
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(named::event("go").wait().await);
        }
        Ok::<_, Error>(json!(taken))
    });
    let mut life = Life::begin_with(&Disk::default(), MANNERS[0], flows);
    life.hub.submit(start_of("flow", "held")).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    life.hub.submit(asked(Wish::Suspend)).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    // The second one twice: what was raised is known without another look at the history.
    for (number, events) in [(1, 4), (2, 5), (2, 5), (3, 6)] {
        life.hub.deliver(KEY, raised(number)).unwrap();
        life.run(usize::MAX, MANNERS[0]);
        assert!(life.shard.keeps(KEY), "{number}");
        let summary = life.hub.reviver.reader.summary(KEY).unwrap().unwrap();
        assert_eq!(
            (summary.status, summary.events),
            (Status::Suspended, events)
        );
    }
    life.hub.submit(asked(Wish::Resume)).unwrap();
    life.run(usize::MAX, MANNERS[0]);
    let summary = life.hub.reviver.reader.summary(KEY).unwrap().unwrap();
    assert_eq!(summary.status, Status::Completed);
    assert!(!life.shard.keeps(KEY));
}
