//! The mean of a function of outputs and targets.

use std::fmt;
use std::marker::PhantomData;

use wengert_nn::IGNORED;
use wengert_optim::first::Goal;
use wengert_state::{Scalar, State};
use wengert_tape::Var;
use wengert_tensor::{Element, ElementKind, Float, Tensor};

use super::Metric;
use super::kept::{Total, kept_in, named};

/// The mean of a function of outputs and targets, such as the loss. What it gives for a batch is a mean over the targets
/// that count, and so is weighted by their [number](Targets::counted).
///
/// ```
/// use wengert_nn::{IGNORED, Losses};
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{Mean, Metric};
/// let mut loss = Mean::new("loss", |outputs, labels: &Tensor<u32>| outputs.cross_entropy(labels));
/// loss.update(&Tensor::from([[0.0f64, 0.0], [0.0, 0.0]]), &Tensor::from([0, 1]));
/// loss.update(&Tensor::from([[0.0, 3f64.ln()], [0.0, 9.0]]), &Tensor::from([0, IGNORED]));
/// assert!((loss.value() - (2.0 * 2f64.ln() + 4f64.ln()) / 3.0).abs() < 1e-12);
/// ```
pub struct Mean<T: Float, Y, F> {
    name: String,
    goal: Goal,
    of: F,
    kept: Total,
    takes: PhantomData<fn(&Tensor<T>, &Y)>,
}

/// What a batch of targets counts as.
///
/// ```
/// use wengert_nn::IGNORED;
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::Targets;
/// assert_eq!(Tensor::from([2, IGNORED, 0]).counted(), 2);
/// assert_eq!(Tensor::from([[0.5f32, 0.1], [0.2, 0.9]]).counted(), 4);
/// ```
pub trait Targets {
    /// The number of targets that a mean over the batch is the mean of: of labels, those that are not
    /// [`IGNORED`](wengert_nn::IGNORED); of numbers, all of them.
    fn counted(&self) -> u64;
}

impl<E: Element> Targets for Tensor<E> {
    fn counted(&self) -> u64 {
        if E::KIND != ElementKind::U32 {
            return self.len() as u64;
        }
        let ignored = |label: E| label.to_le_bytes().as_ref() == IGNORED.to_le_bytes();
        self.iter().filter(|&label| !ignored(label)).count() as u64
    }
}

impl<T: Float> Targets for Var<T> {
    fn counted(&self) -> u64 {
        self.len() as u64
    }
}

impl<T: Float, Y, F: Fn(&Var<T>, &Y) -> Var<T>> Mean<T, Y, F> {
    /// The mean of `of`, which gives a scalar that is to become small.
    pub fn new(name: impl Into<String>, of: F) -> Self {
        Mean { name: name.into(), goal: Goal::Min, of, kept: Total::NOTHING, takes: PhantomData }
    }

    /// Whether it is to become small or large.
    pub fn with_goal(self, goal: Goal) -> Self {
        Mean { goal, ..self }
    }

    named!();

    /// The value over all that was taken in; NaN if that is nothing.
    pub fn value(&self) -> f64 {
        self.kept.mean()
    }

    fn settings(&self) -> State {
        State::new("mean", 0).with_scalar("name", Scalar::Text(self.name.clone()))
    }
}

impl<T: Float, Y: Targets + 'static, F: Fn(&Var<T>, &Y) -> Var<T> + 'static> Metric<T, Y> for Mean<T, Y, F> {
    kept_in!(kept);

    fn goal(&self) -> Goal {
        self.goal
    }

    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, targets: &Y) {
        let count = targets.counted();
        if count == 0 {
            return;
        }
        let value = (self.of)(&Var::constant(outputs.clone()), targets);
        assert!(
            value.len() == 1,
            "{}: its function gave a value of shape {} for outputs of shape {}, not a scalar",
            self.name,
            value.shape(),
            outputs.shape()
        );
        self.kept.sum.add_product(value.item().to_f64(), count as f64);
        self.kept.weight.add(count as f64);
    }
}

impl<T: Float, Y, F> fmt::Debug for Mean<T, Y, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mean").field("name", &self.name).field("kept", &self.kept).finish_non_exhaustive()
    }
}
