//! Products with the generalised Gauss–Newton matrix of a flat loss.

use std::sync::Arc;

use wengert_tape::{HessianOperator, Mode as Sweep, Tape, Var};
use wengert_tensor::Float;

use super::{split, write};
use crate::ctx::Ctx;
use crate::params::{Layout, pieces};

/// The generalised Gauss–Newton matrix of a [`FlatLoss`](super::FlatLoss) at a point (Schraudolph, "Fast curvature matrix-vector
/// products for second-order gradient descent", 2002): positive semi-definite where the loss is convex in the
/// model's outputs, and the Fisher matrix for losses that are negative log-likelihoods with natural parameters.
///
/// ```
/// use wengert_nn::{Init, Params};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [1], Init::Ones);
/// // (w³ − 1)²/2: J = 3w², H = 1.
/// let loss = params.flat_model(|cx| cx.param(w).powi(3), |y| (y - 1.0).square().sum() * 0.5);
/// let mut product = [0.0];
/// loss.gauss_newton(&[2.0]).unwrap().apply(&[1.0], &mut product);
/// assert_eq!(product, [144.0]);
/// ```
pub struct GaussNewton<T: Float> {
    tape: Tape<T>,
    layout: Arc<Layout>,
    trained: Vec<Var<T>>,
    outputs: Var<T>,
    loss: HessianOperator<T, Var<T>>,
}

impl<T: Float> GaussNewton<T> {
    #[track_caller]
    pub(super) fn new(
        tape: Tape<T>,
        cx: &Ctx<T>,
        outputs: Var<T>,
        loss: impl Fn(&Var<T>) -> Var<T>,
        layout: Arc<Layout>,
    ) -> Self {
        let loss = HessianOperator::new(|y: &Var<T>| loss(y), &tape.leave(&outputs));
        GaussNewton { tape, layout, trained: cx.trained().cloned().collect(), outputs, loss }
    }

    /// The number of parameters.
    pub fn dimension(&self) -> usize {
        self.layout.len()
    }

    /// `out = Jᵀ H J v`: one sweep forwards and one backwards. Rows and columns of frozen parameters are zero.
    ///
    /// # Panics
    /// If a length is not the number of parameters.
    #[track_caller]
    pub fn apply(&self, v: &[T], out: &mut [T]) {
        let tangents = split(&self.layout, v);
        let wanted: Vec<&Var<T>> = self.trained.iter().collect();
        let moved = self.tape.push_forward(&[&self.outputs], &wanted, &tangents).remove(0);
        let found = match moved {
            Some(moved) => {
                let curved = self.loss.apply(&moved);
                self.tape.pull_back(&self.outputs, curved, &wanted, Sweep::Retain)
            }
            // The outputs do not depend on the parameters.
            None => wanted.iter().map(|_| None).collect(),
        };
        let pieces = pieces(&self.layout, found, true).unwrap_or_default();
        write(&self.layout, &pieces, out);
    }
}

impl<T: Float> Drop for GaussNewton<T> {
    fn drop(&mut self) {
        self.tape.close();
    }
}
