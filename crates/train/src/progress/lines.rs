//! A line of text for each epoch.

use std::fmt::Write as _;
use std::io::Write;
use std::ops::ControlFlow;

use wengert_optim::Step;
use wengert_tensor::Float;

use crate::event::{Event, Moment, RunObserver};
use crate::number::{Short, duration};

/// Prints a line for each epoch with all that was measured in it, and for longer epochs one every so many steps.
///
/// ```
/// use wengert_train::{Event, Moment, PlainLines, RunObserver};
///
/// let mut lines = PlainLines::to(Vec::new());
/// let mut now = Moment::default();
/// (now.epoch, now.epochs, now.step) = (1, 20, 938);
/// for (set, value) in [("train", 0.3142), ("validation", 0.1712)] {
///     let event = Event::Values { set, values: &[("loss".to_owned(), value)] };
///     let _ = RunObserver::<f32>::on(&mut lines, &event, &now);
/// }
/// let _ = RunObserver::<f32>::on(&mut lines, &Event::End { reason: "all epochs are done" }, &now);
/// let text = String::from_utf8(lines.into_inner()).unwrap();
/// assert!(text.starts_with("epoch  1/20, step 938: train loss 0.3142; validation loss 0.1712; 0.0 s\n"));
/// ```
///
/// What cannot be written, as to a pipe that was closed, is left out; the run goes on.
#[derive(Debug)]
pub struct PlainLines<W: Write = std::io::Stdout> {
    pub(super) lines: Lines,
    out: W,
}

impl PlainLines {
    /// To standard output.
    #[allow(clippy::new_without_default, reason = "as the other observers")]
    pub fn new() -> Self {
        Self::to(std::io::stdout())
    }
}

impl<W: Write> PlainLines<W> {
    /// To a writer.
    pub fn to(out: W) -> Self {
        PlainLines { lines: Lines::default(), out }
    }

    /// Prints a line at each step whose number is a multiple of this, too.
    ///
    /// # Panics
    /// If it is zero.
    #[track_caller]
    pub fn every_steps(mut self, steps: u64) -> Self {
        assert!(steps > 0, "PlainLines::every_steps: at least 1");
        self.lines.every = Some(steps);
        self
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<T: Float, W: Write> RunObserver<T> for PlainLines<W> {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        self.lines.take(event, now);
        let text = std::mem::take(&mut self.lines.ready);
        if !text.is_empty() {
            let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        }
        ControlFlow::Continue(())
    }
}

/// Lines as they come to be.
#[derive(Debug, Default)]
pub(super) struct Lines {
    every: Option<u64>,
    /// What was measured at one moment, of values that are all different.
    measured: Option<Measured>,
    /// Whole lines that nobody has printed yet.
    pub(super) ready: String,
}

#[derive(Debug)]
struct Measured {
    now: Moment,
    names: Vec<String>,
    /// The set of the last of them.
    set: String,
    text: String,
}

impl Lines {
    pub(super) fn take<T: Float>(&mut self, event: &Event<'_, T>, now: &Moment) {
        match event {
            Event::Values { set, values } => self.measure(set, values, now),
            _ => self.close(),
        }
        match event {
            Event::Start { .. } if now.step > 0 => {
                let _ = writeln!(self.ready, "goes on after {} steps, in epoch {}", now.step, now.epoch);
            }
            Event::Step(step) if self.every.is_some_and(|every| now.step.is_multiple_of(every)) => {
                let _ = write!(self.ready, "{}: loss {}", place(now), Short(step.loss));
                match step.outcome {
                    Step::Skipped { skipped } => {
                        let _ = write!(self.ready, "; the gradient is not finite, {skipped} steps skipped");
                    }
                    Step::Updated { .. } | Step::Accumulated { .. } => {}
                }
                let _ = writeln!(self.ready, "; {}", duration(now.elapsed));
            }
            Event::End { reason } => {
                let _ = writeln!(self.ready, "{reason}: {} steps, {}", now.step, duration(now.elapsed));
            }
            _ => {}
        }
    }

    fn measure(&mut self, set: &str, values: &[(String, f64)], now: &Moment) {
        let full = |name: &str| format!("{set}.{name}");
        let here = |m: &Measured| {
            (m.now.epoch, m.now.step) == (now.epoch, now.step)
                && !values.iter().any(|(name, _)| m.names.contains(&full(name)))
        };
        if !self.measured.as_ref().is_some_and(here) {
            self.close();
        }
        let measured = self.measured.get_or_insert_with(|| Measured {
            now: *now,
            names: Vec::new(),
            set: String::new(),
            text: String::new(),
        });
        measured.now = *now;
        for (name, value) in values {
            let start = match (measured.set == set, measured.names.is_empty()) {
                (true, _) => ", ".to_owned(),
                (false, true) => format!("{set} "),
                (false, false) => format!("; {set} "),
            };
            let _ = write!(measured.text, "{start}{name} {}", Short(*value));
            set.clone_into(&mut measured.set);
            measured.names.push(full(name));
        }
    }

    /// The line of what was measured is whole.
    fn close(&mut self) {
        if let Some(Measured { now, text, .. }) = self.measured.take() {
            // A name may have newlines.
            let text = text.replace(['\n', '\r'], " ");
            let _ = writeln!(self.ready, "{}: {text}; {}", place(&now), duration(now.elapsed));
        }
    }
}

/// The epoch, from 1, and the step.
fn place(now: &Moment) -> String {
    let epochs = match now.epochs {
        0 => now.epoch.to_string(),
        all => format!("{:>width$}/{all}", now.epoch, width = all.to_string().len()),
    };
    format!("epoch {epochs}, step {}", now.step)
}
