//! Telling how far an orchestration is.

use std::fmt;
use std::io::{self, IsTerminal, Write, stdout};

use durable_runtime::{Error, Instance};
use serde::de::DeserializeOwned;

/// Says where an orchestration stands, and what the reader is to do about it.
///
/// # Errors
/// If the store cannot be read.
pub async fn invite(instance: &Instance) -> Result<(), Error> {
    let (id, now) = (instance.id(), instance.summary().await?);
    if now.has_ended() {
        println!("`{id}` ended before; its result is on disk. With another `--db` it begins anew.");
        return Ok(());
    }
    match now.events {
        1 => println!("`{id}` begins."),
        events => println!("`{id}` goes on: {events} events are on disk."),
    }
    println!("Kill this program at any moment and run it again: nothing recorded is done twice.");
    Ok(())
}

/// Shows on `bar` how an orchestration goes on until it ends, and gives each of its custom statuses to `tell`.
///
/// An orchestration whose code was changed under it may stall; the report is shown, and the wait goes on. Nothing is
/// polled: between two looks this waits for the engine to record something.
///
/// # Errors
/// If the engine stops, or a status is no `S`.
pub async fn follow<S: DeserializeOwned + fmt::Debug + PartialEq>(
    instance: &Instance,
    bar: &Bar<S>,
    mut tell: impl AsyncFnMut(&S) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut told = None;
    let mut stalled = None;
    let mut now = instance.summary().await?;
    while !now.has_ended() {
        if let Some(stall) = &now.stalled
            && stalled.as_ref() != Some(stall)
        {
            bar.interrupt(&stall.report);
            stalled = Some(stall.clone());
        }
        if let Some(status) = &now.custom_status {
            let stage = status.decode()?;
            // A line for each event would be many where no line is drawn over.
            if bar.on_terminal || told.as_ref() != Some(&stage) {
                bar.show(&stage, now.events);
            }
            if told.as_ref() != Some(&stage) {
                tell(&stage).await?;
                told = Some(stage);
            }
        }
        now = instance.changed(&now).await?;
    }
    bar.fill(now.events);
    Ok(())
}

/// A progress bar on a terminal; elsewhere a line for each stage.
#[derive(Debug)]
pub struct Bar<S> {
    stages: Vec<S>,
    on_terminal: bool,
    is_drawn: std::cell::Cell<bool>,
}

impl<S: fmt::Debug + PartialEq> Bar<S> {
    const CELLS: usize = 24;

    /// A bar that these stages fill, one after the other.
    pub fn new(stages: impl Into<Vec<S>>) -> Self {
        Self {
            stages: stages.into(),
            on_terminal: stdout().is_terminal(),
            is_drawn: std::cell::Cell::new(false),
        }
    }

    /// Shows that `stage` is under way; one that the bar does not know is the last.
    fn show(&self, stage: &S, events: u32) {
        let of = self.stages.len().max(1);
        let known = self.stages.iter().position(|known| known == stage);
        let step = known.map_or(of, |index| index + 1);
        // A stage that is under way fills half of its share.
        let filled = Self::CELLS * (2 * step - 1) / (2 * of);
        self.draw(filled, &format!("{step}/{of} {stage:?}, {events} events"));
    }

    /// Shows that there is nothing left to do.
    fn fill(&self, events: u32) {
        self.draw(Self::CELLS, &format!("done, {events} events"));
    }

    /// Says something else, below the bar; the next bar begins below that.
    fn interrupt(&self, text: &str) {
        println!("{text}");
        self.is_drawn.set(false);
    }

    fn draw(&self, filled: usize, text: &str) {
        let line = self.line(filled, text);
        // In one write, so that a kill leaves no half of it; a bar that cannot be drawn is no reason to fail.
        let drawn: io::Result<()> = stdout().lock().write_all(line.as_bytes());
        drawn.unwrap_or_default();
    }

    fn line(&self, filled: usize, text: &str) -> String {
        if !self.on_terminal {
            return format!("{text}\n");
        }
        // The bar before is the line above; it is drawn over. So the line of the cursor stays empty for whatever the
        // terminal has to say when the program is killed.
        let over = if self.is_drawn.replace(true) {
            "\x1b[1A\x1b[2K"
        } else {
            ""
        };
        let (full, empty) = ("█".repeat(filled), "░".repeat(Self::CELLS - filled));
        format!("{over}{full}{empty} {text}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_over_the_one_before_unless_something_was_said_between() {
        let mut bar = Bar::new(["a", "b"]);
        bar.on_terminal = true;
        let is_over = |line: String| line.starts_with("\x1b[1A\x1b[2K");
        assert!(!is_over(bar.line(1, "a")));
        assert!(is_over(bar.line(2, "b")));
        bar.interrupt("by the way");
        assert!(!is_over(bar.line(24, "done")));
        assert_eq!(bar.line(24, "done").matches('█').count(), 24);
    }

    #[test]
    fn elsewhere_it_is_a_line_without_any_drawing() {
        let mut bar = Bar::new(["a", "b"]);
        bar.on_terminal = false;
        assert_eq!(bar.line(3, "1/2 a, 4 events"), "1/2 a, 4 events\n");
    }
}
