//! Events from one instance to another, and to itself.

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Handle, HistoryEvent, Registry};
use serde_json::json;

use crate::real_files::Scratch;
use crate::support::{engine, kinds};

static NOTE: Event<u32> = Event::new("sending-note");
static ACK: Event<u32> = Event::new("sending-ack");

/// Notes down `left` notes, each in an execution of its own, and says to whom that it has.
#[orchestrator(name = "sending.reader")]
async fn reader(left: u32, mut notes: Vec<u32>, answers: Option<String>) -> Vec<u32> {
    let note = NOTE.wait().await;
    notes.push(note);
    if let Some(sender) = &answers {
        ACK.send(sender, note).await;
    }
    if left == 1 {
        return notes;
    }
    continue_as_new(reader(left - 1, notes, answers)).await
}

#[orchestrator(name = "sending.writer")]
async fn writer(to: String, notes: u32) -> u32 {
    let mut acks = 0;
    for note in 0..notes {
        NOTE.send(&to, note).await;
        acks += ACK.wait().await;
    }
    acks
}

#[orchestrator(name = "sending.burst")]
async fn burst(to: String, notes: u32) {
    for note in 0..notes {
        NOTE.send(&to, note).await;
    }
}

#[orchestrator(name = "sending.to_itself")]
async fn to_itself(round: u32) -> u32 {
    if round > 0 {
        return NOTE.wait().await;
    }
    let me = info().instance;
    NOTE.send(&me, 1).await;
    NOTE.send(&me, 2).await;
    assert_eq!(NOTE.wait().await, 1);
    // The second is carried over.
    continue_as_new(to_itself(1)).await
}

#[orchestrator(name = "sending.to_nobody")]
async fn to_nobody() -> String {
    NOTE.send("nowhere", 1).await;
    NOTE.send("ended", 2).await;
    "went on".to_owned()
}

/// Starts a reader under the id `r`.
async fn start_reader(engine: &TestEngine, left: u32) -> Handle<Vec<u32>> {
    let start = engine.start(reader(left, Vec::new(), None));
    start.id("r").await.unwrap()
}

#[tokio::test]
async fn questions_and_answers_go_back_and_forth() {
    let engine = engine();
    let asker = Some("asker".to_owned());
    let answering = engine.start(reader(3, Vec::new(), asker)).id("answering");
    let answering = answering.await.unwrap();
    let asking = engine.start(writer("answering".to_owned(), 3)).id("asker");
    let asking = asking.await.unwrap();
    assert_eq!(asking.result().await.unwrap(), 3);
    assert_eq!(answering.result().await.unwrap(), [0, 1, 2]);
    let history = asking.history().await.unwrap();
    assert_eq!(
        kinds(&history)[..4],
        ["started", "turn", "event sent", "event raised"]
    );
    check_replay(&Registry::linked(), &history).unwrap();
}

#[tokio::test]
async fn what_is_received_names_its_sender() {
    let engine = engine();
    let reader = start_reader(&engine, 1).await;
    engine
        .start(burst("r".to_owned(), 1))
        .id("b")
        .await
        .unwrap();
    assert_eq!(reader.result().await.unwrap(), [0]);
    let history = reader.history().await.unwrap();
    let id = history.iter().find_map(|event| match event {
        HistoryEvent::EventRaised(raised) => raised.event.clone(),
        _ => None,
    });
    assert_eq!(id.as_deref(), Some("~b/1/0"));
}

#[tokio::test]
async fn a_burst_arrives_whole_and_in_order_though_each_is_read_by_another_execution() {
    let engine = engine();
    let reader = start_reader(&engine, 200).await;
    engine.start(burst("r".to_owned(), 200)).await.unwrap();
    let expected: Vec<u32> = (0..200).collect();
    assert_eq!(reader.result().await.unwrap(), expected);
}

#[tokio::test]
async fn an_instance_sends_to_itself_also_over_a_continue_as_new() {
    let engine = engine();
    let handle = engine.start(to_itself(0)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 2);
}

#[tokio::test]
async fn an_event_to_nobody_or_to_the_ended_is_dropped_and_the_sender_goes_on() {
    let mut engine = engine();
    let ended = engine
        .start(burst("x".to_owned(), 0))
        .id("ended")
        .await
        .unwrap();
    ended.result().await.unwrap();
    let handle = engine.start(to_nobody()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "went on");
    engine = engine.restart().await.unwrap();
    engine.settle().await;
    assert!(engine.instance("nowhere").await.unwrap().is_none());
}

#[tokio::test]
async fn an_event_waits_for_its_receiver_to_be_mended() {
    let engine = engine();
    // Nobody in the next engine knows the reader.
    start_reader(&engine, 2).await;
    engine.settle().await;
    let partial = Registry::new().orchestrator(burst);
    let engine = engine.restart_with(partial).await.unwrap();
    engine.start(burst("r".to_owned(), 2)).await.unwrap();
    engine.settle().await;
    let engine = engine.restart().await.unwrap();
    let reader = engine.handle(reader, "r").await.unwrap().unwrap();
    assert_eq!(reader.result().await.unwrap(), [0, 1]);
}

#[tokio::test]
async fn by_name_it_is_the_same() {
    use durable_runtime::named;
    #[orchestrator(name = "sending.by_name")]
    async fn by_name(to: String) {
        named::event("SENDING-NOTE").send(&to, json!(9)).await;
    }
    let engine = engine();
    let reader = start_reader(&engine, 1).await;
    engine.start(by_name("r".to_owned())).await.unwrap();
    assert_eq!(reader.result().await.unwrap(), [9]);
}

/// Pairs on several threads and a real file, whose engine is dropped again and again while they talk.
#[tokio::test(flavor = "multi_thread")]
async fn many_talk_at_once_while_their_engine_comes_and_goes() {
    const PAIRS: u32 = 20;
    const NOTES: u32 = 30;
    let scratch = Scratch::new("sending");
    let open = async || {
        let registry = Registry::new().orchestrator(reader).orchestrator(writer);
        let builder = Engine::builder(scratch.file()).registry(registry);
        builder.open().await.unwrap()
    };
    let mut engine = open().await;
    for pair in 0..PAIRS {
        let (to, from) = (format!("r{pair}"), format!("w{pair}"));
        let begin = reader(NOTES, Vec::new(), Some(from.clone()));
        engine.start(begin).id(&to).await.unwrap();
        engine.start(writer(to, NOTES)).id(from).await.unwrap();
        if pair % 4 == 0 {
            drop(engine);
            engine = open().await;
        }
    }
    let expected: Vec<u32> = (0..NOTES).collect();
    for pair in 0..PAIRS {
        let id = format!("r{pair}");
        let reader = engine.handle(reader, &id).await.unwrap().unwrap();
        assert_eq!(reader.result().await.unwrap(), expected, "{id}");
        let id = format!("w{pair}");
        let writer = engine.handle(writer, &id).await.unwrap().unwrap();
        assert_eq!(writer.result().await.unwrap(), expected.iter().sum::<u32>());
    }
}
