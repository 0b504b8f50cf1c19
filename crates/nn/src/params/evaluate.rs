//! Evaluating a model at its parameters: losses with gradients, and inference.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wengert_tape::{Index, Sweep, Tape, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use super::growing::{Growing, Progress};
use super::{Grads, Layout, Params};
use crate::ctx::{Ctx, Mode};
use crate::loss::scalar;

/// The branch of the generator that [`Params::infer`] draws from, away from those of the steps.
const INFERENCES: u64 = u64::MAX;

/// Why there is no gradient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GradError {
    /// The loss does not depend on some parameters: usually a layer that `forward` forgets.
    #[error(
        "the loss does not depend on {}: use it, `freeze` it, or call `allow_unreached`",
        .names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
    )]
    Unreached {
        /// The parameters' names.
        names: Vec<String>,
    },
}

impl<T: Float> Params<T> {
    /// The value of a loss and its gradient with respect to all parameters, in train mode: the next call draws other
    /// dropout masks. What the layers make of running statistics comes with the gradient, and is stored by
    /// [`update_buffers`](Params::update_buffers).
    ///
    /// A loss that is infinite or NaN is returned as it is, with the gradient that belongs to it.
    ///
    /// # Errors
    /// If the loss does not depend on some parameters (see also [`allow_unreached`](Params::allow_unreached)).
    ///
    /// # Panics
    /// If the loss does not have exactly one element.
    ///
    /// A closure that is kept in a variable first says what it takes, `|cx: &Ctx|`; without that, the compiler finds its
    /// "implementation of `FnOnce` not general enough":
    ///
    /// ```
    /// use wengert_nn::{Ctx, Layer, Linear, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 3, 1);
    /// let loss = |cx: &Ctx| model.forward(cx, &Var::ones([2, 3])).square().mean();
    /// let (value, grads) = params.value_and_grad(loss)?;
    /// assert_eq!((params.infer(loss).item(), grads.len()), (value, 4));
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    #[doc(alias = "backward")]
    #[doc(alias = "zero_grad")]
    #[track_caller]
    pub fn value_and_grad(&self, loss: impl FnOnce(&Ctx<T>) -> Var<T>) -> Result<(T, Grads<T>), GradError> {
        let (value, grads, ()) = self.evaluate("value_and_grad", Mode::Train, |cx| (loss(cx), ()), None)?;
        Ok((value, grads))
    }

    /// Like [`value_and_grad`](Params::value_and_grad), in a mode of choice: in [`Mode::Eval`] dropout does nothing, and layers
    /// use the running statistics that they have and leave them as they are. So a network that is trained already is trained
    /// further on small batches without its statistics, and its gradients are those of a model under PyTorch's `eval()`.
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Layer, Mode, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let norm = BatchNorm1d::new(params.at("norm"), 1);
    /// let x = Var::from([[1.0], [3.0]]);
    /// let (sum, grads) = params.value_and_grad_in(Mode::Eval, |cx| norm.forward(cx, &x).sum())?;
    /// // By the mean 0 and the variance 1 that it starts with, and not by the batch's.
    /// assert!((sum - 4.0).abs() < 1e-4);
    /// params.update_buffers(&grads);
    /// assert_eq!(params.buffers()[0].1.to_vec(), [0.0]);
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Errors
    /// As [`value_and_grad`](Params::value_and_grad).
    ///
    /// # Panics
    /// As [`value_and_grad`](Params::value_and_grad).
    #[doc(alias = "eval")]
    #[track_caller]
    pub fn value_and_grad_in(
        &self,
        mode: Mode,
        loss: impl FnOnce(&Ctx<T>) -> Var<T>,
    ) -> Result<(T, Grads<T>), GradError> {
        let (value, grads, ()) = self.evaluate("value_and_grad_in", mode, |cx| (loss(cx), ()), None)?;
        Ok((value, grads))
    }

    /// As [`value_and_grad`](Params::value_and_grad), with the same bits, and shows the gradient while the backward sweep computes
    /// it: after each operation `progress` is given the flat vector and the offset from which on it is final; what is below is not
    /// yet to be read. Where parameters are made in the order in which they are used, the offset falls as the sweep goes, so that
    /// suffixes can be sent to other workers meanwhile. In the last call it is 0. The gradient of a large matrix of a
    /// [`Linear`](crate::Linear) is also shown on the way, about `every` so many elements (`usize::MAX`: not before it is complete).
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Params, Relu, Sequential};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let model = Sequential::builder(params.root())
    ///     .with(|p| Linear::new(p, 3, 5)) // 20 parameters
    ///     .then(Relu)
    ///     .with(|p| Linear::new(p, 5, 2)) // 12 more
    ///     .build();
    /// let mut offsets = Vec::new();
    /// let (_, grads) = params.value_and_grad_by(
    ///     |cx| model.forward(cx, &Var::ones([4, 3])).square().mean(),
    ///     usize::MAX,
    ///     &mut |flat: &[f32], offset: usize| {
    ///         assert_eq!(flat.len(), 32);
    ///         offsets.push(offset);
    ///     },
    /// )?;
    /// // The second layer's gradient was there before the first's.
    /// assert!(offsets.contains(&20) && offsets.last() == Some(&0) && offsets.is_sorted_by(|a, b| a >= b));
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Errors
    /// As [`value_and_grad`](Params::value_and_grad).
    ///
    /// # Panics
    /// As [`value_and_grad`](Params::value_and_grad).
    #[track_caller]
    pub fn value_and_grad_by(
        &self,
        loss: impl FnOnce(&Ctx<T>) -> Var<T>,
        every: usize,
        progress: &mut dyn FnMut(&[T], usize),
    ) -> Result<(T, Grads<T>), GradError> {
        let (value, grads, ()) =
            self.evaluate("value_and_grad_by", Mode::Train, |cx| (loss(cx), ()), Some((every, progress)))?;
        Ok((value, grads))
    }

    /// Like [`value_and_grad`](Params::value_and_grad), with whatever else the closure returns beside the loss: parts of the
    /// loss, the accuracy of the batch, outputs. A variable among it belongs to a recording that has ended, so it is
    /// returned as a value ([`Var::into_value`]) or by [`Var::stop_gradient`].
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Params, accuracy};
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 2, 3);
    /// let (x, labels) = (Var::from([[1.0, 2.0], [0.5, -1.0]]), Tensor::from([2u32, 0]));
    /// let (value, grads, (right, penalty)) = params.value_and_grad_with(|cx| {
    ///     let (logits, penalty) = (model.forward(cx, &x), cx.l2(0.1));
    ///     let loss = logits.cross_entropy(&labels) + &penalty;
    ///     (loss, (accuracy(&logits, &labels), penalty.item()))
    /// })?;
    /// assert!(value > penalty && grads.len() == 9 && (0.0..=1.0).contains(&right));
    /// # Ok::<(), wengert_nn::GradError>(())
    /// ```
    ///
    /// # Errors
    /// As [`value_and_grad`](Params::value_and_grad).
    ///
    /// # Panics
    /// As [`value_and_grad`](Params::value_and_grad).
    #[doc(alias = "has_aux")]
    #[track_caller]
    pub fn value_and_grad_with<R>(
        &self,
        loss: impl FnOnce(&Ctx<T>) -> (Var<T>, R),
    ) -> Result<(T, Grads<T>, R), GradError> {
        self.evaluate("value_and_grad_with", Mode::Train, loss, None)
    }

    #[track_caller]
    fn evaluate<R>(
        &self,
        operation: &str,
        mode: Mode,
        loss: impl FnOnce(&Ctx<T>) -> (Var<T>, R),
        progress: Option<(usize, &mut Progress<'_, T>)>,
    ) -> Result<(T, Grads<T>, R), GradError> {
        let step = self.begin_step();
        let (tape, cx) = self.recording(mode, step);
        let (output, further) = loss(&cx);
        let value = scalar(operation, &output);
        let flat = match progress {
            None => {
                let found = pull_back(&tape, &cx, &output);
                joined(&self.layout, pieces(&self.layout, found, self.allow_unreached)?)
            }
            Some((every, progress)) => {
                let mut growing = Growing::new(&self.layout, every, progress);
                let reached = growing.pull_back(&tape, &cx, &output);
                if !self.allow_unreached {
                    self.layout.all_reached(reached.into_iter())?;
                }
                growing.finish()
            }
        };
        let updates = cx.take_updates();
        if !updates.is_empty() {
            self.updates_proposed();
        }
        Ok((value, Grads::new(&self.layout, flat, updates), further))
    }

    /// The result of `work` in evaluation mode with untracked parameters: nothing is recorded.
    ///
    /// Its random numbers are others at each call. They depend on the seed, the [step](Params::step), and how many calls there
    /// were since that step began, so a run that is repeated or resumed draws the same again; calls between the steps of a
    /// training do not change it.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.at("out"), 3, 2);
    /// let y = params.infer(|cx| model.forward(cx, &Var::zeros([5, 3])));
    /// assert_eq!(y.shape(), &[5, 2]);
    /// ```
    #[doc(alias = "no_grad")]
    #[doc(alias = "eval")]
    pub fn infer<R>(&self, work: impl FnOnce(&Ctx<T>) -> R) -> R {
        self.infer_in(Mode::Eval, work)
    }

    /// Like [`infer`](Params::infer), in a mode of choice: in [`Mode::Train`], dropout drops and layers use the statistics of
    /// the batch, as a generator does while its discriminator is trained, or a network whose uncertainty is estimated by
    /// dropout (Gal & Ghahramani, "Dropout as a Bayesian approximation", 2016). Running statistics do not change.
    ///
    /// ```
    /// use wengert_nn::{Dropout, Layer, Mode, Params};
    /// use wengert_tape::Var;
    /// let params: Params = Params::seeded(0);
    /// let draw = || params.infer_in(Mode::Train, |cx| Dropout::new(0.5).forward(cx, &Var::ones([100])));
    /// let mean = (0..100).map(|_| draw()).sum::<Var>() / 100;
    /// assert!((mean.mean().item() - 1.0).abs() < 0.05 && mean.var().item() > 0.0);
    /// ```
    pub fn infer_in<R>(&self, mode: Mode, work: impl FnOnce(&Ctx<T>) -> R) -> R {
        self.infer_numbered(self.begin_inference(), mode, work)
    }

    /// The inference of that number.
    pub(crate) fn infer_numbered<R>(&self, number: u64, mode: Mode, work: impl FnOnce(&Ctx<T>) -> R) -> R {
        work(&self.ctx(mode, self.vars(), self.generator_of_inference(number)))
    }

    /// The parameter tensors as variables that are not tracked, in the order of [`iter`](Params::iter): what
    /// [`context`](Params::context) takes.
    #[doc(alias = "parameters")]
    pub fn vars(&self) -> Vec<Var<T>> {
        leaves(&self.layout, &self.storage, |_, value| Var::constant(value))
    }

    /// A context with variables of the caller's in the place of the parameter tensors, in the order of
    /// [`iter`](Params::iter): the model as a function of its parameters, for what differentiates through changed ones
    /// (meta-learning, hyper-gradients) or by single ones. It is a pure function: random numbers depend on the seed and the
    /// [step](Params::step) alone, and running statistics do not change. Of freezing it takes no notice.
    ///
    /// The derivative of the loss after a step of gradient descent with respect to where the step starts (Finn, Abbeel &
    /// Levine, "Model-agnostic meta-learning", 2017):
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Mode, Params};
    /// use wengert_tape::{Var, grad};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::builder(1, 1).no_bias().build(params.root());
    /// params.set_values(&[0.5]);
    /// let (x, y) = (Var::from([[2.0]]), Var::from([[3.0]]));
    /// let loss = |w: &[Var<f64>]| model.forward(&params.context(Mode::Train, w), &x).mse(&y);
    /// let after_a_step = |w: &[Var<f64>]| {
    ///     let moved: Vec<Var<f64>> = w.iter().zip(grad(loss, w)).map(|(w, g)| w - g * 0.1).collect();
    ///     loss(&moved)
    /// };
    /// // (2w − 3)² at w − 0.1·4(2w − 3) has the slope 4(2w′ − 3)(1 − 0.8).
    /// let found = grad(after_a_step, &params.vars()[..]);
    /// assert!((found[0].item() - 0.8 * (2.0 * 1.3 - 3.0)).abs() < 1e-12);
    /// ```
    ///
    /// # Panics
    /// If there is not one variable for each parameter tensor, of its shape.
    #[doc(alias = "functional_call")]
    #[track_caller]
    pub fn context(&self, mode: Mode, vars: &[Var<T>]) -> Ctx<T> {
        let entries = self.layout.entries();
        assert!(
            vars.len() == entries.len(),
            "context: {} variables for {} parameter tensors",
            vars.len(),
            entries.len()
        );
        for (var, entry) in vars.iter().zip(entries) {
            assert!(
                var.shape() == &entry.shape,
                "context: `{}` has shape {}, the variable {}",
                entry.name,
                entry.shape,
                var.shape()
            );
        }
        self.ctx(mode, vars.to_vec(), self.generator.fork(self.step()))
    }

    /// What the random numbers of the current [step](Params::step) come from, as an operand of a recording: see
    /// [`Ctx::with_key`].
    pub fn key(&self) -> Index<T> {
        Index::key(&self.generator.fork(self.step()))
    }

    fn ctx(&self, mode: Mode, vars: Vec<Var<T>>, generator: Generator) -> Ctx<T> {
        let cx = Ctx::new(Arc::clone(&self.layout), vars, mode, generator, self.buffers.clone());
        if mode == Mode::Eval && self.taken_over.forgotten() { cx.without_buffers() } else { cx }
    }

    /// The number of the step that begins.
    pub(crate) fn begin_step(&self) -> u64 {
        self.inferences.store(0, Ordering::Relaxed);
        self.step.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of the inference that begins.
    pub(crate) fn begin_inference(&self) -> u64 {
        self.inferences.fetch_add(1, Ordering::Relaxed)
    }

    fn generator_of_inference(&self, number: u64) -> Generator {
        self.generator.fork(INFERENCES).fork(self.step()).fork(number)
    }

    /// What the random numbers of a step, or of an inference, come from.
    pub(crate) fn key_of_step(&self, step: u64) -> Index<T> {
        Index::key(&self.generator.fork(step))
    }

    pub(crate) fn key_of_inference(&self, number: u64) -> Index<T> {
        Index::key(&self.generator_of_inference(number))
    }

    /// A context in which these are the parameters and random numbers come from the key.
    pub(crate) fn context_of(&self, mode: Mode, leaves: Vec<Var<T>>, key: &Index<T>) -> Ctx<T> {
        self.ctx(mode, leaves, key.generator()).with_key(key)
    }

    /// A tape and the context in which the parameters are variables on it.
    fn recording(&self, mode: Mode, step: u64) -> (Tape<T>, Ctx<T>) {
        let tape = Tape::nested();
        let leaves = tracked_leaves(&tape, &self.layout, &self.storage);
        let cx = self.ctx(mode, leaves, self.generator.fork(step));
        (tape, cx)
    }
}

/// The parameters as variables on a tape, except for frozen ones.
pub(crate) fn tracked_leaves<T: Float>(tape: &Tape<T>, layout: &Layout, flat: &Tensor<T>) -> Vec<Var<T>> {
    leaves(layout, flat, |frozen, value| if frozen { Var::constant(value) } else { tape.var(value) })
}

/// A variable for each parameter.
pub(crate) fn leaves<T: Float>(
    layout: &Layout,
    flat: &Tensor<T>,
    mut leaf: impl FnMut(bool, Tensor<T>) -> Var<T>,
) -> Vec<Var<T>> {
    layout.entries().iter().map(|entry| leaf(entry.frozen, entry.view(flat))).collect()
}

/// The derivatives of a recorded loss for the parameters that are not frozen. Uses the recording up.
pub fn pull_back<T: Float>(tape: &Tape<T>, cx: &Ctx<T>, loss: &Var<T>) -> Vec<Option<Var<T>>> {
    let trained: Vec<&Var<T>> = cx.trained().collect();
    let found = tape.pull_back(loss, Var::ones(loss.shape()), &trained, Sweep::Consume);
    tape.close();
    found
}

/// From something for each parameter that is not frozen to something for each parameter.
///
/// # Errors
/// If there is nothing for one that is not frozen, unless that is allowed.
pub fn pieces<T: Float>(
    layout: &Layout,
    found: Vec<Option<Var<T>>>,
    allow_unreached: bool,
) -> Result<Vec<Option<Tensor<T>>>, GradError> {
    if !allow_unreached {
        layout.all_reached(found.iter().map(Option::is_some))?;
    }
    let mut found = found.into_iter();
    let piece = |frozen: bool| if frozen { None } else { found.next().flatten().map(Var::into_value) };
    Ok(layout.entries().iter().map(|e| e.frozen).map(piece).collect())
}

/// All pieces as one flat vector, with zeros where there are none.
fn joined<T: Float>(layout: &Layout, pieces: Vec<Option<Tensor<T>>>) -> Tensor<T> {
    if pieces.is_empty() {
        return Tensor::zeros([0]);
    }
    let flat = |(piece, count): (Option<Tensor<T>>, usize)| match piece {
        Some(piece) => piece.reshape([count]),
        None => Tensor::zeros([count]),
    };
    let counts = layout.entries().iter().map(|e| e.shape.count());
    if pieces.len() == 1 {
        // It is the whole already.
        return pieces.into_iter().zip(counts).map(flat).next().expect("there is one");
    }
    Tensor::cat(&pieces.into_iter().zip(counts).map(flat).collect::<Vec<_>>(), 0)
}
