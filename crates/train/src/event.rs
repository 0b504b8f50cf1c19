//! What happens in a run, and who is told of it.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use wengert_nn::{Grads, Params};
use wengert_optim::Step;
use wengert_tensor::Float;

/// Who is told what happens in a run: progress, logs, watches. It has no part in the numbers.
///
/// ```
/// use std::ops::ControlFlow;
/// use wengert_train::{Event, Moment, RunObserver};
///
/// /// Ends a run whose loss is below a goal.
/// struct GoodEnough(f64);
///
/// impl RunObserver for GoodEnough {
///     fn on(&mut self, event: &Event<'_>, now: &Moment) -> ControlFlow<String> {
///         match event {
///             Event::Step(step) if step.loss < self.0 => {
///                 ControlFlow::Break(format!("a loss of {} after {} steps", step.loss, now.step))
///             }
///             _ => ControlFlow::Continue(()),
///         }
///     }
/// }
/// ```
pub trait RunObserver<T: Float = f32> {
    /// Something happened. What is broken with is the reason for which the run then ends.
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String>;
}

/// An observer that is lent to a run, to be read afterwards.
impl<T: Float, O: RunObserver<T> + ?Sized> RunObserver<T> for &mut O {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        (**self).on(event, now)
    }
}

/// An observer of a kind that is chosen at run time.
impl<T: Float, O: RunObserver<T> + ?Sized> RunObserver<T> for Box<O> {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        (**self).on(event, now)
    }
}

/// Where a run is. Epochs, batches and steps are counted from 1 wherever people or files are told of them: here, in the
/// history, in logs, lines and errors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Moment {
    /// The epoch under way, counted from 1.
    pub epoch: u64,
    /// The number of epochs that were asked for.
    pub epochs: u64,
    /// The batches of the epoch that are done.
    pub batch: u64,
    /// The number of batches of the epoch, if it is known; else 0.
    pub batches: u64,
    /// The steps that are done, over all epochs; with accumulation each batch is one.
    pub step: u64,
    /// The examples that were trained on, over all epochs.
    pub examples: u64,
    /// The time since the run started, with that of the runs that it went on from.
    pub elapsed: Duration,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a, T: Float = f32> {
    /// The run starts, or goes on from a checkpoint if some steps are done: logs forget what they have of later ones.
    Start {
        /// The model as it is.
        params: &'a Params<T>,
        /// Names and values of settings, as texts.
        settings: &'a [(String, String)],
    },
    /// An epoch starts, or goes on.
    Epoch,
    /// A step was taken.
    Step(&'a StepReport<'a, T>),
    /// Some values were measured: at the end of an epoch those of `"train"`, and what an evaluation found.
    Values {
        /// What they were measured on, e.g. `"validation"`.
        set: &'a str,
        /// Names and values, e.g. `("accuracy", 0.97)`.
        values: &'a [(String, f64)],
    },
    /// A checkpoint is on the disk.
    Saved {
        /// Its file.
        path: &'a Path,
    },
    /// The run is over.
    End {
        /// Why, e.g. `"all epochs are done"`.
        reason: &'a str,
    },
}

/// A step that was taken.
///
/// ```
/// use std::ops::ControlFlow;
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Sgd;
/// use wengert_train::{Event, Moment, RunObserver, StepReport, Trainer};
///
/// /// The norm of each step's gradient.
/// struct Norms(Vec<f64>);
///
/// impl RunObserver for Norms {
///     fn on(&mut self, event: &Event<'_>, _: &Moment) -> ControlFlow<String> {
///         if let Event::Step(StepReport { grads, .. }) = event {
///             self.0.push(grads.norm());
///         }
///         ControlFlow::Continue(())
///     }
/// }
///
/// let data = synthetic::digits(100, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// let mut norms = Norms(Vec::new());
/// Trainer::new(&mut params, Sgd::new(0.1))
///     .batch_size(25)
///     .observe(&mut norms)
///     .fit(&data, 2, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
/// assert_eq!(norms.0.len(), 8);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StepReport<'a, T: Float = f32> {
    /// The loss on the batch, before the step.
    pub loss: f64,
    /// The examples of the batch, if they are known; else 0.
    pub examples: u64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Whether the parameters changed, and the norm of the gradient if it was measured.
    pub outcome: Step,
    /// The parameters, after the step.
    pub params: &'a Params<T>,
    /// The gradient, as it was clipped. With [several workers](crate::Trainer::parallel) that accumulate, a batch is told of with the
    /// update that it belongs to, and its gradient, or at the end of an epoch with what this worker has found; where workers share
    /// the optimiser's state out, it has this worker's part.
    pub grads: &'a Grads<T>,
}

impl<'a, T: Float> StepReport<'a, T> {
    /// A step that something else than a run has made, such as a parameter server, to tell observers of; of its examples, its rate
    /// and the norm of the gradient nothing is known until it is set.
    ///
    /// ```
    /// use wengert_nn::{Init, Params};
    /// use wengert_train::{Event, Moment, PlainLines, RunObserver, StepReport};
    ///
    /// let mut params: Params = Params::seeded(0);
    /// let x = params.root().param("x", [1], Init::Ones);
    /// let mut lines = PlainLines::to(Vec::new()).every_steps(1);
    /// let (loss, grads) = params.value_and_grad(|cx| cx.param(x).square().sum()).unwrap();
    /// params.values_mut()[0] -= 0.1 * grads[0];
    /// let mut now = Moment::default();
    /// (now.epoch, now.step) = (1, 1);
    /// let report = StepReport::new(loss.into(), &params, &grads);
    /// let _ = lines.on(&Event::Step(&report), &now);
    /// assert!(String::from_utf8(lines.into_inner()).unwrap().contains("loss 1"));
    /// ```
    pub fn new(loss: f64, params: &'a Params<T>, grads: &'a Grads<T>) -> Self {
        let outcome = Step::Updated { gradient_norm: f64::NAN };
        StepReport { loss, examples: 0, learning_rate: f64::NAN, outcome, params, grads }
    }
}
