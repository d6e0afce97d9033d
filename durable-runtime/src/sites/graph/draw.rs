//! From steps to nodes and edges.

use std::fmt::Write as _;

use crate::sites::{Arm, Flow, SiteTable, of_function};

/// A diagram that is being written.
pub(super) struct Drawing {
    table: &'static SiteTable,
    /// Nodes and boxes.
    nodes: String,
    /// Edges, which stand behind all boxes: an edge in a box would pull its ends in.
    edges: String,
    depth: usize,
    /// How many nodes and boxes there are that are no rows.
    extra: usize,
    /// The loops around the place, innermost last.
    loops: Vec<Looped>,
    /// How many of those are outside of the innermost closure or `async` block.
    outside: usize,
    /// The ways out of the function, or of the innermost closure or `async` block.
    exits: Vec<Tail>,
}

/// The open end of an edge.
#[derive(Debug, Clone)]
struct Tail {
    node: String,
    label: String,
}

struct Looped {
    label: &'static str,
    head: String,
    left: Vec<Tail>,
}

impl Drawing {
    /// The text of the diagram.
    pub(super) fn of(table: &'static SiteTable, marked: &[u32]) -> String {
        let mut drawing = Self {
            table,
            nodes: String::new(),
            edges: String::new(),
            depth: 1,
            extra: 0,
            loops: Vec::new(),
            outside: 0,
            exits: Vec::new(),
        };
        let name = text(table.function);
        drawing.node(&format!("start([\"{name}\"])"));
        let ends = drawing.steps(table.flow, vec![Tail::of("start")]);
        let exits = std::mem::take(&mut drawing.exits);
        drawing.node("finish([\"end\"])");
        drawing.join(ends.into_iter().chain(exits), "finish");
        let mut all = format!("flowchart TD\n{}{}", drawing.nodes, drawing.edges);
        let is_marked = |id| marked.contains(&id);
        let marked = table.sites.iter().enumerate();
        let marked = marked.filter(|(_, site)| is_marked(site.id));
        let marked: Vec<String> = marked.map(|(index, _)| row(index)).collect();
        if !marked.is_empty() {
            add(
                &mut all,
                format_args!(
                    "    classDef waiting fill:#fd8,stroke:#850,stroke-width:3px\n    class {} waiting\n",
                    marked.join(",")
                ),
            );
        }
        all
    }

    fn node(&mut self, node: &str) {
        let indent = "    ".repeat(self.depth);
        add(&mut self.nodes, format_args!("{indent}{node}\n"));
    }

    /// Draws the open edges to `node`.
    fn join(&mut self, tails: impl IntoIterator<Item = Tail>, node: &str) {
        let mut drawn: Vec<String> = Vec::new();
        for Tail { node: from, label } in tails {
            let label = text(&label);
            let edge = if label.is_empty() {
                format!("    {from} --> {node}\n")
            } else {
                format!("    {from} -->|\"{label}\"| {node}\n")
            };
            if !drawn.contains(&edge) {
                self.edges.push_str(&edge);
                drawn.push(edge);
            }
        }
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.extra += 1;
        format!("{prefix}{}", self.extra)
    }

    fn boxed(
        &mut self,
        id: &str,
        title: &str,
        inside: impl FnOnce(&mut Self) -> Vec<Tail>,
    ) -> Vec<Tail> {
        let title = text(title);
        self.node(&format!("subgraph {id} [\"{title}\"]"));
        self.depth += 1;
        let tails = inside(self);
        self.depth -= 1;
        self.node("end");
        tails
    }

    /// Draws `steps` behind the open edges `tails`; gives those that are open after them.
    fn steps(&mut self, steps: &'static [Flow], mut tails: Vec<Tail>) -> Vec<Tail> {
        for step in steps {
            tails = self.step(step, tails);
        }
        tails
    }

    fn step(&mut self, step: &'static Flow, tails: Vec<Tail>) -> Vec<Tail> {
        match step {
            Flow::Site(index) => self.site(*index, tails),
            Flow::Choice(title, arms) => self.choice(title, arms, tails),
            Flow::Loop {
                title,
                label,
                is_endless,
                body,
            } => self.looped(title, (label, *is_endless), body, tails),
            Flow::Join(title, arms) => self.joined(title, arms, tails),
            Flow::Select(title, arms) => self.raced(title, arms, tails),
            Flow::Group(title, body) => self.group(title, body, tails),
            Flow::Try => {
                let failed = tails.iter().map(|tail| tail.labelled("?"));
                self.exits.extend(failed);
                tails
            }
            Flow::Return(title) => {
                let left = tails.into_iter().map(|tail| {
                    let word = format!("return {title}");
                    tail.labelled(word.trim_end())
                });
                self.exits.extend(left);
                Vec::new()
            }
            Flow::Break(label) => {
                if let Some(looped) = self.meant(label) {
                    looped.left.extend(tails);
                }
                Vec::new()
            }
            Flow::Continue(label) => {
                if let Some(head) = self.meant(label).map(|looped| looped.head.clone()) {
                    self.join(tails, &head);
                }
                Vec::new()
            }
        }
    }

    /// The loop that is left or gone on with.
    fn meant(&mut self, label: &str) -> Option<&mut Looped> {
        let mut loops = self.loops.iter_mut().skip(self.outside).rev();
        loops.find(|looped| label.is_empty() || looped.label == label)
    }

    fn site(&mut self, index: usize, tails: Vec<Tail>) -> Vec<Tail> {
        let Some(site) = self.table.sites.get(index) else {
            return tails;
        };
        let id = row(index);
        let callee = if site.callee.is_empty() {
            "await"
        } else {
            site.callee
        };
        let name = text(callee);
        let last = callee.rsplit([':', '.']).next().unwrap_or_default();
        let is_called = site.text.contains(&format!("{last}("));
        let is_helper = is_called && of_function(last).next().is_some();
        self.node(&if is_helper {
            format!("{id}[[\"{name}\"]]")
        } else {
            format!("{id}[\"{name}\"]")
        });
        self.join(tails, &id);
        vec![Tail::of(&id)]
    }

    fn choice(&mut self, title: &str, arms: &'static [Arm], tails: Vec<Tail>) -> Vec<Tail> {
        let id = self.fresh("choice");
        let title = text(title);
        self.node(&format!("{id}{{\"{title}\"}}"));
        self.join(tails, &id);
        let mut ends = Vec::new();
        for arm in arms {
            let begin = vec![Tail::of(&id).labelled(arm.title)];
            ends.extend(self.steps(arm.body, begin));
        }
        ends
    }

    fn looped(
        &mut self,
        title: &str,
        (label, is_endless): (&'static str, bool),
        body: &'static [Flow],
        tails: Vec<Tail>,
    ) -> Vec<Tail> {
        let head = self.fresh("next");
        let id = self.fresh("box");
        self.boxed(&id, title, |drawing| {
            drawing.node(&format!("{head}((\" \"))"));
            drawing.join(tails, &head);
            drawing.loops.push(Looped {
                label,
                head: head.clone(),
                left: Vec::new(),
            });
            let again = drawing.steps(body, vec![Tail::of(&head)]);
            drawing.join(again, &head);
            let mut left = drawing.loops.pop().map(|it| it.left).unwrap_or_default();
            if !is_endless {
                left.push(Tail::of(&head).labelled("done"));
            }
            left
        })
    }

    fn joined(&mut self, title: &str, arms: &'static [Arm], tails: Vec<Tail>) -> Vec<Tail> {
        let (id, _) = self.arms(title, arms, tails);
        vec![Tail::of(&id)]
    }

    /// The futures are in the box; what is done with the winner follows it.
    fn raced(&mut self, title: &str, arms: &'static [Arm], tails: Vec<Tail>) -> Vec<Tail> {
        let (id, winners) = self.arms(title, arms, tails);
        let mut ends = Vec::new();
        for (arm, mut won) in arms.iter().zip(winners) {
            if won.is_empty() {
                won.push(Tail::of(&id));
            }
            let won = won.iter().map(|tail| tail.labelled(arm.title)).collect();
            ends.extend(self.steps(arm.then, won));
        }
        ends
    }

    /// The box of a combinator, into which the open edges go, and the ends of its arms.
    fn arms(
        &mut self,
        title: &str,
        arms: &'static [Arm],
        tails: Vec<Tail>,
    ) -> (String, Vec<Vec<Tail>>) {
        let id = self.fresh("box");
        self.join(tails, &id);
        // An `async` block in an arm is left by its own `return` and `?`, which end the arm.
        let exits = std::mem::take(&mut self.exits);
        let mut ends = Vec::new();
        self.boxed(&id, title, |drawing| {
            for arm in arms {
                ends.push(drawing.steps(arm.body, Vec::new()));
            }
            Vec::new()
        });
        self.exits = exits;
        (id, ends)
    }

    /// What leaves a closure or `async` block goes on behind it.
    fn group(&mut self, title: &str, body: &'static [Flow], tails: Vec<Tail>) -> Vec<Tail> {
        let exits = std::mem::take(&mut self.exits);
        let outside = std::mem::replace(&mut self.outside, self.loops.len());
        let id = self.fresh("box");
        let mut ends = self.boxed(&id, title, |drawing| drawing.steps(body, tails));
        self.outside = outside;
        ends.extend(std::mem::replace(&mut self.exits, exits));
        ends
    }
}

impl Tail {
    fn of(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            label: String::new(),
        }
    }

    /// With `label`, behind the one that it has.
    fn labelled(&self, label: &str) -> Self {
        let both = [&*self.label, label];
        let both: Vec<&str> = both.into_iter().filter(|it| !it.is_empty()).collect();
        Self {
            node: self.node.clone(),
            label: both.join(", "),
        }
    }
}

fn row(index: usize) -> String {
    format!("site{index}")
}

/// As it may stand between quotation marks.
fn text(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}

/// Appends to text, which cannot fail.
fn add(all: &mut String, part: std::fmt::Arguments<'_>) {
    if all.write_fmt(part).is_err() {
        all.push('…');
    }
}
