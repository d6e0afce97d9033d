//! The futures in `join!`, `try_join!` and `select!`: a [`Group`] that says whom to poll, and the polls.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::durable::DurableBranch;
use crate::orchestration::group::Group;

pin_project! {
    /// A branch: its future while it runs, then its output.
    pub struct Child<F: Future> {
        #[pin]
        future: Option<F>,
        output: Option<F::Output>,
    }
}

/// A branch of a combinator.
pub fn branch<F: DurableBranch>(future: F) -> Child<F> {
    Child {
        future: Some(future),
        output: None,
    }
}

/// What a branch of `try_join!` gives: a `Result`.
#[diagnostic::on_unimplemented(
    message = "[D203] a branch of `try_join!` returns a `Result`, this one returns `{Self}`",
    label = "returns no `Result`",
    note = "use `join!`, which takes branches of any type",
    note = "see docs/determinism/D203.md"
)]
pub trait TryOutput: Sized {
    /// Always [`Child`]. That it is named by the trait keeps rustc silent about what is done with a branch that is none.
    type Child<F: Future<Output = Self>>;

    /// The branch.
    fn child<F: DurableBranch<Output = Self>>(future: F) -> Self::Child<F>;
}

#[diagnostic::do_not_recommend]
impl<T, E> TryOutput for Result<T, E> {
    type Child<F: Future<Output = Self>> = Child<F>;

    fn child<F: DurableBranch<Output = Self>>(future: F) -> Child<F> {
        branch(future)
    }
}

/// A branch of `try_join!`.
pub fn try_branch<F: DurableBranch<Output: TryOutput>>(
    future: F,
) -> <F::Output as TryOutput>::Child<F> {
    TryOutput::child(future)
}

impl<F: Future> Child<F> {
    /// Polls the future if it runs; ready once, with the output then in its place and the future dropped.
    fn poll_future(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let Poll::Ready(output) = future.poll(cx) else {
            return Poll::Pending;
        };
        this.future.set(None);
        *this.output = Some(output);
        Poll::Ready(())
    }

    /// For `join!`.
    pub fn poll_value(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_future(cx)
    }

    /// For `select!`: whether the output is one that `accepts` lets win. Any other is dropped.
    pub fn poll_if(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        accepts: impl FnOnce(&F::Output) -> bool,
    ) -> Poll<bool> {
        if self.as_mut().poll_future(cx).is_pending() {
            return Poll::Pending;
        }
        let output = self.project().output;
        let is_winner = output.as_ref().is_some_and(accepts);
        if !is_winner {
            *output = None;
        }
        Poll::Ready(is_winner)
    }

    /// The output, if there is one.
    pub fn take(self: Pin<&mut Self>) -> Option<F::Output> {
        self.project().output.take()
    }

    /// The output.
    ///
    /// # Panics
    /// If the branch has not ended.
    pub fn take_value(self: Pin<&mut Self>) -> F::Output {
        match self.take() {
            Some(output) => output,
            None => unreachable!("every branch of a `join!` has ended when it is ready"),
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Child<F> {
    /// For `try_join!`: an error is handed out at once.
    pub fn poll_ok(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        if self.as_mut().poll_future(cx).is_pending() {
            return Poll::Pending;
        }
        let output = self.project().output;
        match output.take() {
            Some(Err(error)) => Poll::Ready(Err(error)),
            value => {
                *output = value;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// The value in the output.
    ///
    /// # Panics
    /// If the branch has not ended well.
    pub fn take_ok(self: Pin<&mut Self>) -> T {
        match self.take() {
            Some(Ok(value)) => value,
            _ => unreachable!("every branch of a `try_join!` has ended well when it is"),
        }
    }
}

/// Polls every branch until all have ended.
pub struct Join<P> {
    group: Group,
    waiting: usize,
    poll: P,
}

impl<P: FnMut(usize, &mut Context<'_>) -> Poll<()>> Join<P> {
    /// Of `count` branches; `poll` polls one of them and is ready once for each.
    pub fn new(count: usize, poll: P) -> Self {
        Self {
            group: Group::new(count),
            waiting: count,
            poll,
        }
    }
}

/// Nothing in it is pinned; the branches are pinned by the expansion.
impl<P> Unpin for Join<P> {}

impl<P: FnMut(usize, &mut Context<'_>) -> Poll<()>> Future for Join<P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            group,
            waiting,
            poll,
        } = &mut *self;
        group.poll_children(&mut |index| {
            *waiting -= usize::from(poll(index, cx).is_ready());
            ControlFlow::Continue(())
        });
        if *waiting == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Polls every branch until all have ended well or one has not.
pub struct TryJoin<P> {
    group: Group,
    waiting: usize,
    poll: P,
}

impl<E, P: FnMut(usize, &mut Context<'_>) -> Poll<Result<(), E>>> TryJoin<P> {
    /// Of `count` branches; `poll` polls one of them and is ready once for each.
    pub fn new(count: usize, poll: P) -> Self {
        Self {
            group: Group::by_arrival(count),
            waiting: count,
            poll,
        }
    }
}

impl<P> Unpin for TryJoin<P> {}

impl<E, P: FnMut(usize, &mut Context<'_>) -> Poll<Result<(), E>>> Future for TryJoin<P> {
    type Output = Result<(), E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let Self {
            group,
            waiting,
            poll,
        } = &mut *self;
        let mut failed = None;
        group.poll_children(&mut |index| match poll(index, cx) {
            Poll::Ready(Err(error)) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
            polled => {
                *waiting -= usize::from(polled.is_ready());
                ControlFlow::Continue(())
            }
        });
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if *waiting == 0 => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

/// Polls every branch that is in the race until one has won or none is left.
pub struct Select<const N: usize, P> {
    group: Group,
    in_race: [bool; N],
    poll: P,
}

impl<const N: usize, P: FnMut(usize, &mut Context<'_>) -> Poll<bool>> Select<N, P> {
    /// Of the branches that are `enabled`; `poll` polls one of them and is ready once for each: has it won?
    pub fn new(enabled: [bool; N], poll: P) -> Self {
        Self {
            group: Group::new(N),
            in_race: enabled,
            poll,
        }
    }
}

impl<const N: usize, P> Unpin for Select<N, P> {}

impl<const N: usize, P: FnMut(usize, &mut Context<'_>) -> Poll<bool>> Future for Select<N, P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            group,
            in_race,
            poll,
        } = &mut *self;
        let mut is_won = false;
        group.poll_children(&mut |index| {
            let Some(in_race) = in_race.get_mut(index).filter(|in_race| **in_race) else {
                return ControlFlow::Continue(());
            };
            match poll(index, cx) {
                Poll::Ready(true) => {
                    is_won = true;
                    return ControlFlow::Break(());
                }
                Poll::Ready(false) => *in_race = false,
                Poll::Pending => {}
            }
            ControlFlow::Continue(())
        });
        let is_over = is_won || !in_race.contains(&true);
        if is_over {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Ends a `select!` without `else` that has no branch left.
///
/// # Panics
/// Always.
#[track_caller]
#[expect(
    clippy::panic,
    reason = "as in tokio: no type can rule it out, and an `else` branch does"
)]
pub fn no_branch_left() -> ! {
    panic!(
        "every branch of this `select!` is disabled or has not matched, and it has no `else` branch"
    )
}

impl<F: Future> fmt::Debug for Child<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.future.is_some() {
            "running"
        } else {
            "ended"
        };
        write!(f, "branch, {state}")
    }
}

impl<P> fmt::Debug for Join<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "join, {} running", self.waiting)
    }
}

impl<P> fmt::Debug for TryJoin<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "try_join, {} running", self.waiting)
    }
}

impl<const N: usize, P> fmt::Debug for Select<N, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "select, in the race: {:?}", self.in_race)
    }
}
