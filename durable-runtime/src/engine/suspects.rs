//! What the process may have died of: judged when a store is opened, from what is held against it.
//!
//! After one death everything that was outstanding starts again, together. What was outstanding over two is a *suspect*: it is
//! started while nothing else runs, so that the next death is its own ([`trial`](super::trial)). What has died alone so often
//! that it cannot be chance is given up.
//!
//! Source: `docs/design.md`, "What the process dies of".

use std::collections::BTreeMap;

use crate::engine::gate::OnTrial;
use crate::engine::message::{CommandRef, Task};
use crate::failure::{Fault, FaultKind};
use crate::id::{BuildId, EventId, InstanceKey};
use crate::limits;
use crate::store::{Recovered, Suspicion};

/// A row of `suspects` as it is to be.
pub(crate) type Held = (InstanceKey, Option<EventId>, Suspicion);

/// What is started while nothing else runs.
#[derive(Debug)]
pub(crate) struct Suspect {
    pub(crate) accused: Accused,
    /// What is held against it once it is started.
    pub(crate) suspicion: Suspicion,
}

/// What a suspect is.
#[derive(Debug)]
pub(crate) enum Accused {
    Turn(InstanceKey),
    Activity(Box<Task>),
}

impl Accused {
    /// Where what is held against it is kept.
    pub(crate) fn row(&self) -> (InstanceKey, Option<EventId>) {
        match self {
            Self::Turn(key) => (*key, None),
            Self::Activity(task) => (task.command.instance, Some(task.command.scheduled)),
        }
    }

    /// The same, for whoever waits for the end of its trial.
    pub(crate) fn on_trial(&self) -> OnTrial {
        match self {
            Self::Turn(key) => OnTrial::Turn(*key),
            Self::Activity(task) => OnTrial::Activity(task.command),
        }
    }

    /// The command, of an activity.
    pub(crate) fn command(&self) -> Option<CommandRef> {
        match self {
            Self::Turn(_) => None,
            Self::Activity(task) => Some(task.command),
        }
    }
}

/// How something that is outstanding is to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Together with everything else, after so many deaths.
    Free { deaths: u32 },
    /// While nothing else runs.
    Suspect(Suspicion),
    /// Not at all: so many times the process died of it.
    Guilty { deaths: u16 },
}

/// Judges what was outstanding, and keeps what is to be recorded of that.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    before: &'a BTreeMap<(InstanceKey, Option<EventId>), Suspicion>,
    /// Whether the process died.
    is_death: bool,
    build: BuildId,
    /// What is held against what from now on, where that changes.
    pub(crate) records: Vec<Held>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(recovered: &'a Recovered, build: BuildId) -> Self {
        Self {
            before: &recovered.suspects,
            is_death: !recovered.clean,
            build,
            records: Vec::new(),
        }
    }

    /// How the activity `event`, or a turn, of an instance is to start.
    pub(crate) fn judge(&mut self, key: InstanceKey, event: Option<EventId>) -> Verdict {
        let before = self.before.get(&(key, event)).copied();
        let mut now = before.unwrap_or_default();
        if now.build != self.build {
            // Another build may have mended it.
            (now.alone, now.build) = (0, self.build);
        } else if now.on_trial && self.is_death {
            now.alone = now.alone.saturating_add(1);
        }
        now.on_trial = false;
        let verdict = self.verdict(now);
        if let Verdict::Free { deaths } = verdict {
            now.deaths = deaths;
        }
        if before.unwrap_or_default() != now && now.deaths > 0 {
            self.records.push((key, event, now));
        }
        verdict
    }

    fn verdict(&self, now: Suspicion) -> Verdict {
        if now.alone >= limits::LONE_DEATHS_MAX {
            return Verdict::Guilty { deaths: now.alone };
        }
        // One that waited for its trial when the process died has not died with it.
        let deaths = now.deaths.saturating_add(u32::from(self.is_death));
        if deaths < limits::DEATHS_OF_SUSPECTS {
            return Verdict::Free { deaths };
        }
        Verdict::Suspect(Suspicion { deaths, ..now })
    }

    /// After how many deaths the turns of an instance that runs none for now were given up, if they were.
    pub(crate) fn given_up(&self, key: InstanceKey) -> Option<u16> {
        let held = self.before.get(&(key, None))?;
        let is_guilty = held.build == self.build && held.alone >= limits::LONE_DEATHS_MAX;
        is_guilty.then_some(held.alone)
    }

    /// What is held against the first turn of an instance that was waiting when the process died, once that has something to
    /// deliver; `None` after a clean stop.
    pub(crate) fn first_turn(&self) -> Option<Suspicion> {
        self.is_death.then_some(Suspicion {
            deaths: 1,
            build: self.build,
            ..Suspicion::default()
        })
    }
}

/// The order of trials. Whose last deaths were lone ones is first, since what else may run by the time of its trial would
/// excuse it; the others take turns at being the first to start.
pub(crate) fn in_order(mut suspects: Vec<Suspect>) -> Vec<Suspect> {
    suspects.sort_by_key(|suspect| {
        let lone_first = u16::MAX - suspect.suspicion.alone;
        (lone_first, suspect.accused.row())
    });
    let known = suspects.partition_point(|suspect| suspect.suspicion.alone > 0);
    let others = suspects.get_mut(known..).unwrap_or_default();
    let deaths = others.iter().map(|suspect| suspect.suspicion.deaths).max();
    if let Some(deaths) = deaths {
        let turns = usize::try_from(deaths).unwrap_or_default() % others.len();
        others.rotate_left(turns);
    }
    suspects
}

/// What an activity that is given up ends with.
pub(crate) fn given_up(name: &str, deaths: u16) -> Fault {
    let message = format!(
        "the process died {deaths} times in a row while it ran and nothing else did; it is not started again"
    );
    Fault::new(FaultKind::Poisoned, name, message)
}

/// The report of an instance whose turn is given up.
pub(crate) fn report(name: &str, deaths: u16) -> String {
    format!(
        "the process died {deaths} times in a row while a turn of this instance ran and nothing else did: the code of \
         `{name}`, or what reads its input, ends the process, as an abort, a stack overflow or too much memory do; this \
         build does not run it again; mend it and start that build, with which the instance goes on"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    const KEY: InstanceKey = InstanceKey(3);
    const ROW: (InstanceKey, Option<EventId>) = (KEY, Some(EventId(1)));
    const BUILD: BuildId = BuildId(2);

    /// What is judged after a death, or a clean stop, and what is recorded of it.
    fn judged(before: Option<Suspicion>, clean: bool) -> (Verdict, Option<Suspicion>) {
        let recovered = Recovered {
            instances: Vec::new(),
            sent: Vec::new(),
            clean,
            suspects: before.into_iter().map(|before| (ROW, before)).collect(),
            last_time: Timestamp(0),
            created: false,
            is_checked: true,
        };
        let mut judge = Judge::new(&recovered, BUILD);
        let verdict = judge.judge(KEY, ROW.1);
        let record = judge.records.pop().map(|(_, _, record)| record);
        (verdict, record)
    }

    fn held(deaths: u32, alone: u16, on_trial: bool) -> Suspicion {
        Suspicion {
            deaths,
            alone,
            on_trial,
            build: BUILD,
        }
    }

    #[test]
    fn the_first_death_makes_no_suspects_and_the_second_does() {
        let (verdict, record) = judged(None, false);
        assert_eq!(verdict, Verdict::Free { deaths: 1 });
        assert_eq!(record, Some(held(1, 0, false)));
        let (verdict, again) = judged(record, false);
        assert_eq!(verdict, Verdict::Suspect(held(2, 0, false)));
        // One that waits for its trial has not been started: nothing more is held against it.
        assert_eq!(again, None);
    }

    #[test]
    fn a_clean_stop_is_no_death() {
        assert_eq!(judged(None, true), (Verdict::Free { deaths: 0 }, None));
        let one = Some(held(1, 0, false));
        assert_eq!(judged(one, true), (Verdict::Free { deaths: 1 }, None));
        let (verdict, record) = judged(Some(held(4, 3, true)), true);
        assert_eq!(verdict, Verdict::Suspect(held(4, 3, false)));
        assert_eq!(record, Some(held(4, 3, false)));
    }

    #[test]
    fn only_lone_deaths_count_up_to_the_limit() {
        let most = limits::LONE_DEATHS_MAX;
        // Beside others, any number of times.
        let (verdict, _) = judged(Some(held(1_000, 0, false)), false);
        assert_eq!(verdict, Verdict::Suspect(held(1_001, 0, false)));
        for (before, is_guilty) in [(most - 2, false), (most - 1, true), (most, true)] {
            let (verdict, record) = judged(Some(held(20, before, true)), false);
            let record = record.unwrap();
            assert_eq!((record.alone, record.on_trial), (before + 1, false));
            let guilty = matches!(verdict, Verdict::Guilty { deaths } if deaths == before + 1);
            assert_eq!(guilty, is_guilty, "{before}: {verdict:?}");
        }
    }

    #[test]
    fn another_build_gets_another_chance() {
        let other = Suspicion {
            build: BuildId(1),
            ..held(20, limits::LONE_DEATHS_MAX, true)
        };
        let (verdict, record) = judged(Some(other), false);
        assert_eq!(verdict, Verdict::Suspect(held(21, 0, false)));
        assert_eq!(record, Some(held(20, 0, false)));
    }

    #[test]
    fn who_died_alone_is_tried_first_and_the_others_take_turns() {
        let order = |deaths| {
            let suspect = |(key, alone)| Suspect {
                accused: Accused::Turn(InstanceKey(key)),
                suspicion: held(deaths, alone, false),
            };
            let suspects = [(1, 0), (2, 1), (3, 0), (4, 2), (5, 0)].map(suspect);
            let order = in_order(suspects.into()).into_iter();
            order
                .map(|suspect| suspect.accused.row().0.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(order(3), [4, 2, 1, 3, 5]);
        assert_eq!(order(4), [4, 2, 3, 5, 1]);
        assert!(in_order(Vec::new()).is_empty());
    }
}
