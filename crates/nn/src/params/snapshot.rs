//! What a model is evaluated with, apart from the values of its parameters.

use std::sync::Arc;

use wengert_tape::{Tape, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use super::{Buffers, Layout, Params, leaves, tracked_leaves};
use crate::ctx::{Ctx, Mode};

/// The layout, the buffers and the generator of a [`Params`] at one step: what makes of a loss a pure function of the flat
/// parameter vector. Layers are in train mode, draw the same random numbers every time, and what they make of buffers is
/// forgotten.
///
/// ```
/// use wengert_nn::{Init, Params, Snapshot};
/// use wengert_tensor::Tensor;
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [1], Init::Ones);
/// let snapshot: Snapshot<f64> = params.snapshot();
/// // The model at other values, recorded.
/// let (tape, cx) = snapshot.recording(&Tensor::from([3.0]));
/// let w = cx.param(w);
/// assert_eq!(tape.gradients(&w.square().sum(), &[&w])[0].item(), 6.0);
/// ```
pub struct Snapshot<T: Float = f32> {
    layout: Arc<Layout>,
    buffers: Buffers<T>,
    generator: Generator,
    allow_unreached: bool,
}

impl<T: Float> Params<T> {
    /// What the model is evaluated with at this step, apart from the values.
    pub fn snapshot(&self) -> Snapshot<T> {
        Snapshot {
            layout: Arc::clone(&self.layout),
            buffers: self.buffers.clone(),
            generator: self.generator.fork(self.step()),
            allow_unreached: self.allow_unreached,
        }
    }
}

impl<T: Float> Snapshot<T> {
    /// Names, shapes and positions of the parameters.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Whether a loss [need not reach](Params::allow_unreached) all parameters.
    pub fn allows_unreached(&self) -> bool {
        self.allow_unreached
    }

    /// A context in which the parameters are the parts of a flat vector of the layout's length, untracked.
    pub fn context(&self, flat: &Tensor<T>) -> Ctx<T> {
        self.of(leaves(&self.layout, flat, |_, value| Var::constant(value)))
    }

    /// The same with the parameters as variables on a tape, except for frozen ones.
    pub fn recording(&self, flat: &Tensor<T>) -> (Tape<T>, Ctx<T>) {
        let tape = Tape::nested();
        let cx = self.of(tracked_leaves(&tape, &self.layout, flat));
        (tape, cx)
    }

    fn of(&self, leaves: Vec<Var<T>>) -> Ctx<T> {
        let layout = Arc::clone(&self.layout);
        Ctx::new(layout, leaves, Mode::Train, self.generator.clone(), self.buffers.clone())
    }
}
