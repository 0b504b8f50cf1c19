//! Curvature in the space of a model's outputs.

use wengert_tape::{HessianOperator, Var};
use wengert_tensor::Float;

/// A symmetric matrix on tensors of the outputs' shape.
pub(crate) trait OutputCurvature<T: Float> {
    /// Its product with `u`.
    fn apply(&self, u: &Var<T>) -> Var<T>;
}

/// The Hessian of a loss as a function of the outputs.
impl<T: Float> OutputCurvature<T> for HessianOperator<T, Var<T>> {
    fn apply(&self, u: &Var<T>) -> Var<T> {
        HessianOperator::apply(self, u)
    }
}

/// A diagonal matrix.
pub(crate) struct Diagonal<T: Float>(pub(crate) Var<T>);

impl<T: Float> OutputCurvature<T> for Diagonal<T> {
    fn apply(&self, u: &Var<T>) -> Var<T> {
        &self.0 * u
    }
}

/// `weight` · (diag(p) − ppᵀ) for the probabilities p along an axis.
pub(crate) struct Categorical<T: Float> {
    pub(crate) probabilities: Var<T>,
    pub(crate) axis: usize,
    pub(crate) weight: f64,
}

impl<T: Float> OutputCurvature<T> for Categorical<T> {
    fn apply(&self, u: &Var<T>) -> Var<T> {
        let p = &self.probabilities;
        let mean = (p * u).sum_axes(self.axis, true);
        p * (u - mean) * self.weight
    }
}

/// `weight` · Σ s sᵀ, where each s stands for a block of its own in each example: the blocks lie along `axes`.
pub(crate) struct OuterProducts<T: Float> {
    factors: Vec<Var<T>>,
    axes: Vec<usize>,
    weight: f64,
}

impl<T: Float> OuterProducts<T> {
    /// A diagonal matrix if the blocks are single elements.
    pub(crate) fn boxed(factors: Vec<Var<T>>, axes: Vec<usize>, weight: f64) -> Box<dyn OutputCurvature<T>> {
        if axes.is_empty() {
            let squares = factors.iter().map(Var::square).reduce(|a, b| a + b);
            return Box::new(Diagonal(squares.expect("at least one factor") * weight));
        }
        Box::new(OuterProducts { factors, axes, weight })
    }
}

impl<T: Float> OutputCurvature<T> for OuterProducts<T> {
    fn apply(&self, u: &Var<T>) -> Var<T> {
        let product = |s: &Var<T>| s * (s * u).sum_axes(&self.axes[..], true);
        let sum = self.factors.iter().map(product).reduce(|a, b| a + b);
        sum.expect("at least one factor") * self.weight
    }
}

/// `weight` · Σ gₙgₙᵀ, with gₙ the part of a loss's gradient that belongs to example n, along the first axis.
pub(crate) fn empirical<T: Float>(gradient: Var<T>, weight: f64) -> Box<dyn OutputCurvature<T>> {
    let axes = (1..gradient.rank()).collect();
    OuterProducts::boxed(vec![gradient], axes, weight)
}
