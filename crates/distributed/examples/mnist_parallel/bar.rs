//! The progress of modes whose steps no `Trainer` makes: those of the first rank stand for all.

use std::time::Instant;

use wengert_nn::{Grads, Params};
use wengert_train::{Event, Moment, Progress, RunObserver, StepReport};

/// A bar, and a line for each epoch.
pub(crate) struct Bar {
    progress: Progress,
    now: Moment,
    begun: Instant,
    sum: f64,
}

impl Bar {
    /// For a run that goes on after `done` epochs.
    pub(crate) fn new(params: &Params, done: u64, epochs: u64, batches: u64) -> Self {
        let mut now = Moment::default();
        (now.epoch, now.epochs, now.batches, now.step) = (done + 1, epochs, batches, done * batches);
        let mut bar = Bar { progress: Progress::new(), now, begun: Instant::now(), sum: 0.0 };
        bar.tell(&Event::Start { params, settings: &[] });
        bar
    }

    fn tell(&mut self, event: &Event<'_>) {
        self.now.elapsed = self.begun.elapsed();
        // The bar breaks nothing off.
        let _ = self.progress.on(event, &self.now);
    }

    /// A step of the first rank, of which `workers` make one at the same time.
    pub(crate) fn step(
        &mut self,
        (params, grads): (&Params, &Grads),
        loss: f32,
        examples: usize,
        workers: usize,
    ) {
        let loss = f64::from(loss);
        self.sum += loss;
        self.now.batch += 1;
        self.now.step += 1;
        self.now.examples += (examples * workers) as u64;
        let report = StepReport::new(loss, params, grads);
        self.tell(&Event::Step(&report));
    }

    /// The end of an epoch, with what was measured then.
    pub(crate) fn epoch(&mut self, accuracy: f64) {
        let loss = self.sum / self.now.batch.max(1) as f64;
        self.tell(&Event::Values { set: "train", values: &[("loss".to_owned(), loss)] });
        self.tell(&Event::Values { set: "test", values: &[("accuracy".to_owned(), accuracy)] });
        self.tell(&Event::Epoch);
        self.now.epoch += 1;
        (self.now.batch, self.sum) = (0, 0.0);
    }
}
