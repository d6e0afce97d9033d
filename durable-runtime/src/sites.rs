//! The points at which annotated code may wait or asks for something, as the attributes left them behind.
//!
//! A row outlives edits: its id is a hash of the function, of the loops, branches and combinators around the call, and of what is
//! called. So it says of a command in an old history where the code of today does the same.

mod graph;
mod index;
mod within;

pub use self::graph::Graph;
pub(crate) use self::index::{helpers, id_at, of_function, rows_after, site_of, text_at};

/// A place in the source, known when the program is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One point of an orchestrator or helper at which it may wait, or asks for something.
///
/// [`Graph::sites`] lists those of an orchestrator, in the order in which they stand in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    id: u32,
    kind: SiteKind,
    callee: &'static str,
    line: u32,
    column: u32,
    end_line: u32,
    path: &'static str,
    text: &'static str,
}

/// What a [`Site`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SiteKind {
    /// `.await`
    Await,
    /// A branch of `join!`, `try_join!` or `select!`.
    Branch,
    /// A call whose future is awaited elsewhere, or that is recorded without an await.
    Call,
    /// `.timeout(..)`
    Timeout,
}

impl Site {
    /// For expansions.
    #[doc(hidden)]
    pub const fn __new(
        id: u32,
        kind: SiteKind,
        [line, column, end_line]: [u32; 3],
        [callee, path, text]: [&'static str; 3],
    ) -> Self {
        Self {
            id,
            kind,
            callee,
            line,
            column,
            end_line,
            path,
            text,
        }
    }

    /// Its number, which every command records that is asked for here.
    ///
    /// It is the same after other lines were added, moved or formatted, variables renamed, and activities called elsewhere. It changes
    /// with the name of the orchestrator, its version, what is called here, and the loops, branches and combinators around it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it is about.
    pub fn kind(&self) -> SiteKind {
        self.kind
    }

    /// What is called, as it is written: `charge`, `APPROVAL.wait`; a variable, if that is awaited.
    pub fn callee(&self) -> &'static str {
        self.callee
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1.
    pub fn column(&self) -> u32 {
        self.column
    }

    /// What it is in, from the outside, each with its line, and the index of an arm or branch: `for@30/select@41#1`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Its line of the source, of which no more than 160 characters are kept. Empty if the compiler had no file.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

/// All that an attribute knows of the points of one body.
#[derive(Debug)]
pub struct SiteTable {
    /// The durable name of an orchestrator, the name of a helper.
    pub function: &'static str,
    /// Whether it is a helper.
    pub is_helper: bool,
    /// Where it is.
    pub place: Place,
    /// Its rows, in the order of evaluation.
    pub sites: &'static [Site],
    /// How control goes among them.
    pub flow: &'static [Flow],
}

/// A step among the rows of a body.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "made by expansions only")]
pub enum Flow {
    /// A row, by its index.
    Site(usize),
    /// `if`, `match`: one of the arms.
    Choice(&'static str, &'static [Arm]),
    /// `for`, `while`, `loop`.
    Loop {
        /// How it begins.
        title: &'static str,
        /// Its label, if it has one.
        label: &'static str,
        /// Whether only `break` and the like end it.
        is_endless: bool,
        /// What is in it.
        body: &'static [Self],
    },
    /// `join!`, `try_join!`: all of the arms.
    Join(&'static str, &'static [Arm]),
    /// `select!`: one of the arms comes first.
    Select(&'static str, &'static [Arm]),
    /// A closure or `async` block.
    Group(&'static str, &'static [Self]),
    /// `?`
    Try,
    /// `return`, with its value.
    Return(&'static str),
    /// `break`, with its label.
    Break(&'static str),
    /// `continue`, with its label.
    Continue(&'static str),
}

/// One way of several.
#[derive(Debug)]
pub struct Arm {
    /// Its pattern, or what else tells it from the others.
    pub title: &'static str,
    /// What is in it.
    pub body: &'static [Flow],
    /// The handler of a branch that has won.
    pub then: &'static [Flow],
}

// Those of helpers; an orchestrator's is in its definition.
inventory::collect!(&'static SiteTable);
