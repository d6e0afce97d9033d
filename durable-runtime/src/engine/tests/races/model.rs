//! Who wins a race, worked out from a few rules and without the engine.

use std::collections::BTreeSet;

use super::moves::{Case, Move, Story};
use crate::store::Status;

/// What whoever did something was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Recorded,
    Already,
    Ended(Status),
    /// An event came too late.
    TooLate,
    Unknown,
    /// Not purged, since it has not ended.
    Alive(Status),
    Purged,
    /// There was nothing to purge.
    Gone,
}

/// What is seen of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Nothing, if it is no more.
    pub(super) status: Option<Status>,
    pub(super) execution: u32,
    pub(super) output: Option<String>,
    /// What is recorded, and no turn has delivered.
    pub(super) waiting: Vec<Move>,
}

/// An instance as the rules have it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Model {
    story: Story,
    has_ids: bool,
    execution: u32,
    /// How it ended, and what it returned.
    end: Option<(Status, Option<String>)>,
    is_purged: bool,
    is_held: bool,
    /// No turn of this execution has run.
    is_unbegun: bool,
    /// What came first, if its code waits for something else since.
    first: Option<Move>,
    /// Its code has the event, and waits for what it keeps.
    has_event: bool,
    /// Events that nobody has taken.
    buffered: usize,
    waiting: Vec<Move>,
    /// The ids that this execution knows.
    known: BTreeSet<Move>,
    /// The process has died: what arrives first is recorded by itself, and the turn comes after that commit.
    is_guarded: bool,
    answers: Vec<Option<Answer>>,
}

/// What is known while one commit is put together.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Batch {
    /// A turn is due that delivers what is recorded.
    is_due: bool,
    was_held: bool,
    /// It had ended before, and was there: whoever raises an event is told so without a commit.
    had_ended: bool,
    /// It has a turn in this commit; what arrives now waits for the next.
    has_turn: bool,
    /// Something was done to it from outside: a turn behind that is overtaken.
    is_overtaken: bool,
    left: Vec<(usize, Move)>,
}

impl Model {
    pub(super) fn of(case: &Case) -> Self {
        Self {
            story: case.story,
            has_ids: case.has_ids,
            execution: 1,
            end: None,
            is_purged: false,
            is_held: false,
            is_unbegun: !case.is_begun,
            first: None,
            has_event: false,
            buffered: 0,
            waiting: Vec::new(),
            known: BTreeSet::new(),
            is_guarded: false,
            answers: vec![None; case.moves().len()],
        }
    }

    pub(super) fn seen(&self) -> Seen {
        if self.is_purged {
            return Seen {
                status: None,
                execution: 0,
                output: None,
                waiting: Vec::new(),
            };
        }
        Seen {
            status: Some(self.status()),
            execution: self.execution,
            output: self.end.as_ref().and_then(|(_, output)| output.clone()),
            waiting: match self.end {
                None => self.waiting.clone(),
                Some(_) => Vec::new(),
            },
        }
    }

    pub(super) fn answers(&self) -> &[Option<Answer>] {
        &self.answers
    }

    fn status(&self) -> Status {
        match &self.end {
            Some((status, _)) => *status,
            None if self.is_held => Status::Suspended,
            None => Status::Running,
        }
    }

    /// The process dies, and another one goes on.
    pub(super) fn die(&mut self) {
        self.is_guarded = self.end.is_none() && !self.is_held && !self.has_undelivered();
    }

    fn has_undelivered(&self) -> bool {
        self.is_unbegun || !self.waiting.is_empty()
    }

    /// One commit of moves, each with its place in the story. Returns what did not get into it.
    pub(super) fn commit(&mut self, moves: &[(usize, Move)]) -> Vec<(usize, Move)> {
        let is_due = self.end.is_none() && !self.is_held && self.has_undelivered();
        let mut batch = Batch {
            is_due,
            was_held: self.is_held,
            had_ended: self.end.is_some() && !self.is_purged,
            ..Batch::default()
        };
        let mut together = Vec::new();
        for (place, it) in moves {
            if it.is_arrival() {
                together.push((*place, *it));
            } else {
                self.arrive(&mut batch, &mut together);
                let answer = self.control(*it);
                batch.is_overtaken |= answer == Answer::Recorded;
                self.answer(*place, answer);
            }
        }
        self.arrive(&mut batch, &mut together);
        batch.left
    }

    /// Goes on until nothing is due.
    pub(super) fn settle(&mut self) {
        while self.end.is_none() && !self.is_held && self.has_undelivered() {
            self.commit(&[]);
        }
    }

    fn answer(&mut self, place: usize, answer: Answer) {
        if let Some(asked) = self.answers.get_mut(place) {
            *asked = Some(answer);
        }
    }

    /// What is asked from outside takes effect at once, in the order in which it is asked.
    pub(super) fn control(&mut self, asked: Move) -> Answer {
        if self.is_purged {
            return if asked == Move::Purge {
                Answer::Gone
            } else {
                Answer::Unknown
            };
        }
        let status = self.status();
        match (asked, status.has_ended()) {
            (Move::Purge, true) => {
                self.is_purged = true;
                Answer::Purged
            }
            (Move::Purge, false) => Answer::Alive(status),
            (_, true) => Answer::Ended(status),
            (Move::Terminate, false) => {
                self.end = Some((Status::Terminated, None));
                Answer::Recorded
            }
            (_, false) if self.is_held == (asked == Move::Suspend) => Answer::Already,
            (_, false) => {
                self.is_held = asked == Move::Suspend;
                Answer::Recorded
            }
        }
    }

    /// What arrives together is one turn, unless something keeps it from being run.
    fn arrive(&mut self, batch: &mut Batch, together: &mut Vec<(usize, Move)>) {
        let together = std::mem::take(together);
        if together.is_empty() && !batch.is_due {
            return;
        }
        if batch.has_turn {
            batch.left.extend(together);
            return;
        }
        if self.end.is_some() {
            for (place, it) in together {
                let answer = self.too_late(it, batch.had_ended);
                self.answer(place, answer);
            }
            return;
        }
        let is_kept = batch.was_held || self.is_guarded;
        let mut fresh = Vec::new();
        for (place, it) in together {
            if self.takes(it, is_kept) {
                fresh.push(it);
            }
            self.answer(place, Answer::Recorded);
        }
        batch.has_turn = batch.is_due || !fresh.is_empty();
        batch.is_due = false;
        self.waiting.append(&mut fresh);
        let runs = !is_kept && !self.is_held && !batch.is_overtaken;
        self.is_guarded = false;
        if runs {
            self.turn();
        }
    }

    fn too_late(&self, it: Move, had_ended: bool) -> Answer {
        if self.is_purged && !had_ended {
            Answer::Unknown
        } else if self.has_ids && self.known.contains(&it) {
            Answer::Recorded
        } else {
            Answer::TooLate
        }
    }

    /// Whether an arrival is recorded. While no code is asked, all that is for this execution is.
    fn takes(&mut self, it: Move, is_kept: bool) -> bool {
        if it.is_event() {
            return self.known.insert(it) || !self.has_ids;
        }
        let (execution, is_awaited) = match it {
            Move::Never | Move::Mistaken => (1, false),
            Move::Early => (2, !self.is_unbegun),
            _ => (1, true),
        };
        self.execution == execution && (is_kept || is_awaited && self.first.is_none())
    }

    /// Delivers what is recorded, in that order, until it ends or goes on anew.
    fn turn(&mut self) {
        self.is_unbegun = false;
        let mut arrivals = std::mem::take(&mut self.waiting).into_iter();
        while let Some(it) = arrivals.next() {
            match it {
                Move::Never | Move::Mistaken => {}
                Move::Event if self.story == Story::Later => {
                    self.buffered += 1;
                    self.end_with_event();
                }
                Move::Event if self.story == Story::Kept => {
                    self.has_event = true;
                    self.end_with_kept();
                }
                Move::Anew if self.goes_on() => {}
                Move::Anew => {
                    self.execution += 1;
                    self.is_unbegun = true;
                    // Events are for the instance, all else is for the execution that is over.
                    self.first = None;
                    let untaken = std::mem::take(&mut self.buffered);
                    self.waiting = vec![Move::Event; untaken];
                    self.waiting.extend(arrivals.filter(|it| it.is_event()));
                    self.known = self.waiting.iter().copied().collect();
                    return;
                }
                _ if self.first.is_some() => {}
                won if self.story == Story::First => self.complete(word(won)),
                won => {
                    self.first = Some(won);
                    self.end_with_event();
                    self.end_with_kept();
                }
            }
            if self.end.is_some() {
                return;
            }
        }
    }

    fn end_with_event(&mut self) {
        if let Some(first) = self.first
            && self.story == Story::Later
            && self.buffered > 0
        {
            self.complete(&format!("{}, then event", word(first)));
        }
    }

    fn end_with_kept(&mut self) {
        if let Some(first) = self.first
            && self.story == Story::Kept
            && self.has_event
        {
            self.complete(&format!("event, then {}", word(first)));
        }
    }

    /// Whether its code is past the wait that continue-as-new answers.
    fn goes_on(&self) -> bool {
        match self.story {
            Story::First => false,
            Story::Later => self.first.is_some(),
            Story::Kept => self.has_event,
        }
    }

    fn complete(&mut self, won: &str) {
        let output = format!("{won} in {}", self.execution);
        self.end = Some((Status::Completed, Some(output)));
    }
}

/// What the code calls it.
fn word(won: Move) -> &'static str {
    match won {
        Move::Failed => "failed",
        Move::Timer => "timer",
        Move::Child => "child",
        Move::Event => "event",
        _ => "done",
    }
}
