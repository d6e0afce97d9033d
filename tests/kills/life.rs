//! One instance over all the processes that run it, and what must be true of them together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use durable_runtime::Registry;
use durable_runtime::testing::check_replay;
use durable_tests::left_behind::{self, Attempt, Histories};
use durable_tests::program::{End, Program, Undisturbed};

use crate::Subject;
use crate::diagram::check_rows;

/// One instance over all its processes.
pub(crate) struct Life<'a> {
    subject: &'a Subject,
    undisturbed: &'a Undisturbed,
    db: PathBuf,
    runs: Vec<Run>,
    result: Option<String>,
}

/// One process: what stood on disk when it was gone, and which attempts it ran.
struct Run {
    histories: Histories,
    ran: Vec<Attempt>,
}

impl Run {
    /// How many events of the execution that an attempt belongs to were on disk.
    fn on_disk(&self, attempt: &Attempt) -> usize {
        let history = self.histories.get(&attempt.instance);
        history
            .filter(|history| left_behind::execution(history) == attempt.execution)
            .map_or(0, Vec::len)
    }
}

impl<'a> Life<'a> {
    pub(crate) fn new(subject: &'a Subject, undisturbed: &'a Undisturbed, db: PathBuf) -> Self {
        Self {
            subject,
            undisturbed,
            db,
            runs: Vec::new(),
            result: None,
        }
    }

    /// Runs a process and looks at what it left; whether it came to its end.
    pub(crate) fn run(&mut self, run: impl FnOnce(&Program, &Path) -> End) -> bool {
        let end = run(&self.subject.program, &self.db);
        let before = self.runs.iter().map(|run| run.ran.len()).sum();
        let ran = left_behind::ledger(&self.db).split_off(before);
        let histories = left_behind::histories(&self.db, self.subject.instance);
        self.runs.push(Run { histories, ran });
        self.check_that_it_replays();
        if let End::Result(result) = end {
            self.result = Some(result);
        }
        self.result.is_some()
    }

    /// How many of the last kills left no more than the one before.
    pub(crate) fn kills_in_vain(&self) -> u64 {
        let recorded = |run: &Run| run.histories.values().map(Vec::len).sum::<usize>();
        let pairs = self.runs.iter().rev().zip(self.runs.iter().rev().skip(1));
        let in_vain = pairs.take_while(|(later, earlier)| recorded(later) == recorded(earlier));
        u64::try_from(in_vain.count()).expect("kills are few")
    }

    /// What the last process left.
    pub(crate) fn histories(&self) -> &Histories {
        &self.runs.last().expect("it has run").histories
    }

    /// Lets it come to its end, then compares all that was left with what should have been.
    pub(crate) fn finish(mut self) {
        if self.result.is_none() {
            self.run(|program, db| End::Result(program.undisturbed(db).result));
        }
        assert_eq!(self.result.as_ref(), Some(&self.undisturbed.result));
        assert_eq!(self.histories().len(), 1 + self.subject.children);
        for (id, history) in self.histories() {
            assert!(
                left_behind::has_ended(history),
                "`{id}` has not ended: {history:#?}"
            );
        }
        self.check_that_nothing_recorded_was_lost();
        self.check_the_ledger();
    }

    /// What the last process left is what the code would do again, the children's histories too.
    fn check_that_it_replays(&self) {
        let registry = Registry::linked();
        for (id, history) in self.histories() {
            check_rows(history);
            let replayed = check_replay(&registry, history);
            replayed
                .unwrap_or_else(|error| panic!("`{id}` does not replay: {error}\n{history:#?}"));
        }
    }

    /// What any process left is the begin of what there is in the end, or of an earlier execution.
    fn check_that_nothing_recorded_was_lost(&self) {
        for run in &self.runs {
            for (id, history) in &run.histories {
                let last = &self.histories()[id];
                if left_behind::execution(history) < left_behind::execution(last) {
                    continue;
                }
                assert_eq!(
                    last.get(..history.len()),
                    Some(&history[..]),
                    "`{id}` was rewritten"
                );
            }
        }
    }

    /// The ledger tells of nothing that was not on disk before it ran, misses nothing that was recorded, and tells of an
    /// attempt once, and once more for each kill that could have hit it.
    fn check_the_ledger(&self) {
        let mut allowed: BTreeMap<Attempt, usize> = BTreeMap::new();
        let recorded = left_behind::attempts(self.histories());
        for (attempt, place) in &recorded {
            let mut allowance = 1;
            let mut count = 0;
            let mut on_disk = 0;
            for run in &self.runs {
                let ran = run.ran.iter().filter(|ran| *ran == attempt).count();
                let was_over = place.outcome_at.is_some_and(|outcome| outcome < on_disk);
                on_disk = run.on_disk(attempt);
                let is_over = place.outcome_at.is_some_and(|outcome| outcome < on_disk);
                assert!(ran <= 1, "one process ran {attempt:?} {ran} times");
                assert!(
                    ran == 0 || !was_over,
                    "{attempt:?} ran though its outcome was on disk"
                );
                let was_scheduled = place.scheduled_at < on_disk;
                assert!(
                    ran == 0 || was_scheduled,
                    "{attempt:?} ran before it was on disk"
                );
                count += ran;
                allowance += usize::from(ran == 1 && !is_over);
            }
            assert!(
                count <= allowance,
                "{attempt:?} ran {count} times, at most {allowance}"
            );
            assert!(
                count >= 1 || place.outcome_at.is_none(),
                "{attempt:?} never ran"
            );
            allowed.insert(attempt.clone(), allowance);
        }
        let ran = self.runs.iter().flat_map(|run| &run.ran);
        let (unknown, earlier): (Vec<&Attempt>, Vec<_>) = ran
            .filter(|ran| !allowed.contains_key(ran))
            .partition(|ran| !self.is_of_an_earlier_execution(ran));
        assert!(unknown.is_empty(), "ran, but is not recorded: {unknown:?}");
        // What an instance did before it continued as new is not kept; a kill repeats one attempt at most.
        let kills = self.runs.len() - 1;
        let repeated = earlier.len() - earlier.iter().collect::<BTreeSet<_>>().len();
        assert!(
            repeated <= kills,
            "{repeated} in {kills} kills: {earlier:?}"
        );
    }

    fn is_of_an_earlier_execution(&self, attempt: &Attempt) -> bool {
        let history = self.histories().get(&attempt.instance);
        history.is_some_and(|last| attempt.execution < left_behind::execution(last))
    }
}
