//! Evaluating a model at its parameters: losses with gradients, and inference.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use wengert_tape::{Mode as Sweep, Tape, Var};
use wengert_tensor::{Float, Tensor};

use super::{Grads, Layout, Params};
use crate::ctx::{Ctx, Mode};

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
    /// The value of a loss and its gradient with respect to all parameters, in train mode: the running statistics
    /// that the layers update are stored, and the next call draws other dropout masks.
    ///
    /// A loss that is infinite or NaN is returned as it is, with the gradient that belongs to it.
    ///
    /// # Errors
    /// If the loss does not depend on some parameters (see also [`allow_unreached`](Params::allow_unreached)).
    ///
    /// # Panics
    /// If the loss does not have exactly one element.
    #[track_caller]
    pub fn value_and_grad(&self, loss: impl FnOnce(&Ctx<T>) -> Var<T>) -> Result<(T, Grads<T>), GradError> {
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        let (tape, cx) = self.recording(step);
        let output = loss(&cx);
        let value = scalar("value_and_grad", &output);
        let gradient = gradient(&tape, &cx, &output, self.allow_unreached)?;
        let updates = cx.take_updates();
        if !updates.is_empty() {
            let mut buffers = self.buffers.write().unwrap_or_else(PoisonError::into_inner);
            for (index, update) in updates {
                buffers[index] = update;
            }
        }
        Ok((value, Grads { layout: Arc::clone(&self.layout), flat: gradient }))
    }

    /// The result of `work` in evaluation mode with untracked parameters: nothing is recorded.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.at("out"), 3, 2);
    /// let y = params.infer(|cx| model.forward(cx, &Var::zeros([5, 3])));
    /// assert_eq!(y.shape(), &[5, 2]);
    /// ```
    pub fn infer<R>(&self, work: impl FnOnce(&Ctx<T>) -> R) -> R {
        work(&self.untracked())
    }

    pub(crate) fn untracked(&self) -> Ctx<T> {
        let generator = self.generator.fork(self.step());
        let leaves = leaves(&self.layout, &self.storage, |_, value| Var::constant(value));
        Ctx::new(Arc::clone(&self.layout), leaves, Mode::Eval, generator, self.buffer_values())
    }

    /// A tape and the context in which the parameters are variables on it.
    fn recording(&self, step: u64) -> (Tape<T>, Ctx<T>) {
        let tape = Tape::nested();
        let leaves = tracked_leaves(&tape, &self.layout, &self.storage);
        let generator = self.generator.fork(step);
        let buffers = self.buffer_values();
        let cx = Ctx::new(Arc::clone(&self.layout), leaves, Mode::Train, generator, buffers);
        (tape, cx)
    }
}

/// The parameters as variables on a tape, except for frozen ones.
pub(crate) fn tracked_leaves<T: Float>(tape: &Tape<T>, layout: &Layout, flat: &Tensor<T>) -> Vec<Var<T>> {
    leaves(layout, flat, |frozen, value| if frozen { Var::constant(value) } else { tape.var(value) })
}

fn leaves<T: Float>(
    layout: &Layout,
    flat: &Tensor<T>,
    mut leaf: impl FnMut(bool, Tensor<T>) -> Var<T>,
) -> Vec<Var<T>> {
    layout.entries().iter().map(|entry| leaf(entry.frozen, entry.view(flat))).collect()
}

/// The value of a loss.
#[track_caller]
pub(crate) fn scalar<T: Float>(operation: &str, loss: &Var<T>) -> T {
    assert!(
        loss.len() == 1,
        "{operation}: the loss has shape {}, not that of a scalar: take its mean or sum",
        loss.shape()
    );
    loss.item()
}

/// The gradient of a recorded loss as one flat vector. Uses the recording up.
pub(crate) fn gradient<T: Float>(
    tape: &Tape<T>,
    cx: &Ctx<T>,
    loss: &Var<T>,
    allow_unreached: bool,
) -> Result<Tensor<T>, GradError> {
    let trained: Vec<&Var<T>> = cx.trained().collect();
    let found = tape.pull_back(loss, Var::ones(loss.shape()), &trained, Sweep::Consume);
    tape.close();
    flatten(cx.layout(), found, allow_unreached)
}

/// Puts the gradients of the parameters that are not frozen in their places in the flat vector.
pub(crate) fn flatten<T: Float>(
    layout: &Layout,
    found: Vec<Option<Var<T>>>,
    allow_unreached: bool,
) -> Result<Tensor<T>, GradError> {
    let mut names = Vec::new();
    let mut found = found.into_iter();
    let mut pieces: Vec<Tensor<T>> = Vec::with_capacity(layout.entries().len());
    for entry in layout.entries() {
        let piece = if entry.frozen { None } else { found.next().flatten() };
        if piece.is_none() && !entry.frozen && !allow_unreached {
            names.push(entry.name.clone());
        }
        let count = entry.shape.count();
        pieces.push(piece.map_or_else(|| Tensor::zeros([count]), |p| p.value().reshape([count])));
    }
    if !names.is_empty() {
        return Err(GradError::Unreached { names });
    }
    Ok(match pieces.len() {
        0 => Tensor::zeros([0]),
        _ => Tensor::cat(&pieces, 0),
    })
}
