//! What can happen to an instance, and in which batches.

/// Something that happens to the instance of a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Move {
    Done,
    Failed,
    Timer,
    Event,
    Terminate,
    Suspend,
    Resume,
    Child,
    /// The event that its code answers by continuing as new.
    Anew,
    Purge,
    /// The outcome of an activity that it never asked for.
    Never,
    /// The outcome of the activity of its next execution, whatever runs now.
    Early,
    /// A timer fires under the number of its activity.
    Mistaken,
}

impl Move {
    /// Of which all orders are gone through.
    pub(super) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Timer,
        Self::Event,
        Self::Terminate,
        Self::Suspend,
        Self::Resume,
        Self::Child,
        Self::Anew,
        Self::Purge,
    ];

    /// What no engine of ours sends.
    pub(super) const FORGED: [Self; 3] = [Self::Never, Self::Early, Self::Mistaken];

    /// Whether it comes through the inbox of the instance; the others are asked of the committer.
    pub(super) fn is_arrival(self) -> bool {
        !matches!(
            self,
            Self::Terminate | Self::Suspend | Self::Resume | Self::Purge
        )
    }

    /// Whether a client raises it.
    pub(super) fn is_event(self) -> bool {
        matches!(self, Self::Event | Self::Anew)
    }

    /// What `docs/races.md` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "activity done",
            Self::Failed => "activity failed",
            Self::Timer => "timer",
            Self::Event => "event",
            Self::Terminate => "terminate",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Child => "child done",
            Self::Anew => "continue-as-new",
            Self::Purge => "purge",
            Self::Never => "never asked for",
            Self::Early => "not yet asked for",
            Self::Mistaken => "of another kind",
        }
    }
}

/// What the code of a race does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// It returns what comes first.
    First,
    /// It takes what comes first, but for the event; only then it waits for the event, and returns both.
    Later,
    /// It begins the activity, waits for the event, and only then takes what the activity came to: no timer, no child.
    Kept,
}

impl Story {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Later, Self::Kept];

    /// Whether these moves are worth telling in this story.
    pub(super) fn tells(self, order: &[Move]) -> bool {
        let has = |it| order.contains(&it);
        let is_long = order.len() > 2;
        match self {
            Self::First => true,
            // Without its event the one story is like the other.
            Self::Later => !is_long || has(Move::Event),
            Self::Kept => {
                let is_whole = has(Move::Event) && (has(Move::Done) || has(Move::Failed));
                (!is_long || is_whole) && !has(Move::Timer) && !has(Move::Child)
            }
        }
    }

    /// The name of its orchestrator.
    pub(super) fn orchestrator(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Later => "later",
            Self::Kept => "kept",
        }
    }
}

/// One race: what happens, in which order, and what of it goes into one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) story: Story,
    /// Whether each event has its id, so that the same one raised twice is known; else two of a name are two events.
    pub(super) has_ids: bool,
    /// Whether it has had its first turn, and waits; else that turn is due.
    pub(super) is_begun: bool,
    pub(super) batches: Vec<Vec<Move>>,
}

impl Case {
    pub(super) fn moves(&self) -> Vec<Move> {
        self.batches.concat()
    }

    pub(super) fn contains(&self, searched: Move) -> bool {
        self.batches.iter().flatten().any(|it| *it == searched)
    }
}

/// All ways to cut moves into batches that follow one another.
pub(super) fn in_batches(moves: &[Move]) -> Vec<Vec<Vec<Move>>> {
    let Some((last, before)) = moves.split_last() else {
        return vec![Vec::new()];
    };
    let mut ways = Vec::new();
    for way in in_batches(before) {
        if let Some((end, begin)) = way.split_last() {
            let joined = [&end[..], &[*last]].concat();
            ways.push([begin, &[joined]].concat());
        }
        ways.push([&way[..], &[vec![*last]]].concat());
    }
    ways
}

/// All orders of so many of the ten, each of them any number of times.
pub(super) fn orders(length: usize) -> Vec<Vec<Move>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(length - 1);
    let longer = shorter.iter().flat_map(|order| {
        let appended = |last: Move| [&order[..], &[last]].concat();
        Move::ALL.map(appended)
    });
    longer.collect()
}
