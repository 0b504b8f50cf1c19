//! What a run tells its observers and remembers of what was measured.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use wengert_tensor::Float;

use crate::event::{Event, Moment, RunObserver};
use crate::history::{History, Row};
use crate::place::At;

pub(crate) struct Logbook<'p, T: Float> {
    observers: Vec<Box<dyn RunObserver<T> + 'p>>,
    pub(crate) history: History,
    pub(crate) steps: u64,
    pub(crate) examples: u64,
    /// The time that the runs took from which this one goes on.
    pub(crate) earlier: Duration,
    clock: Instant,
    /// Why an observer wants the run to end.
    pub(crate) broken: Option<String>,
}

impl<'p, T: Float> Logbook<'p, T> {
    pub(crate) fn new(observers: Vec<Box<dyn RunObserver<T> + 'p>>) -> Self {
        Logbook {
            observers,
            history: History::default(),
            steps: 0,
            examples: 0,
            earlier: Duration::ZERO,
            clock: Instant::now(),
            broken: None,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.earlier + self.clock.elapsed()
    }

    /// The moment at which the run is there.
    pub(crate) fn moment(&self, at: &At) -> Moment {
        // Behind the last epoch it is still the last.
        let last = if at.epochs > 0 { at.epochs } else { u64::MAX };
        Moment {
            epoch: (at.epoch + 1).min(last),
            epochs: at.epochs,
            batch: at.batch,
            batches: at.batches,
            step: self.steps,
            examples: self.examples,
            elapsed: self.elapsed(),
        }
    }

    pub(crate) fn is_watched(&self) -> bool {
        !self.observers.is_empty()
    }

    pub(crate) fn tell(&mut self, event: &Event<'_, T>, now: &Moment) {
        for observer in &mut self.observers {
            if let ControlFlow::Break(reason) = observer.on(event, now) {
                self.broken.get_or_insert(reason);
            }
        }
    }

    /// Remembers values and tells of them.
    pub(crate) fn note(&mut self, set: &str, values: &[(String, f64)], now: &Moment) {
        self.history.rows.extend(values.iter().map(|(name, value)| Row {
            epoch: now.epoch,
            step: now.step,
            set: set.to_owned(),
            name: name.clone(),
            value: *value,
        }));
        self.tell(&Event::Values { set, values }, now);
    }
}
