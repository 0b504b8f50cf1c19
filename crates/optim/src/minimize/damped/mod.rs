//! Methods that adapt a damping by how well the model predicts.

pub(super) mod hessian_free;
pub(super) mod kfac;
pub(super) mod newton;

pub use hessian_free::HessianFree;
pub use kfac::Kfac;
pub use newton::DampedNewton;

use super::operator::Operator;
use super::run::Iterate;
use super::trial::Rule;
use super::vector::{self, Float};

/// ‖A g‖/‖g‖ for the gradient g at x: the scale of a curvature, so that damping can be set relative to it. At least
/// 10⁻⁶‖g‖/‖x‖: where f is all but straight, steps as long as its curvature asks for would leave the range of numbers.
pub(super) fn curvature_scale<T: Float>(operator: &dyn Operator<T>, at: &Iterate<T>) -> f64 {
    let mut product = vec![T::ZERO; at.gradient.len()];
    operator.apply(&at.gradient, &mut product);
    let slope = vector::norm(&at.gradient);
    let scale = vector::norm(&product) / slope;
    let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
    scale.max(1e-6 * slope / vector::norm(&at.point).max(1.0))
}

/// Any fall is progress, for the damping follows the ratio; after a rejection rounding is suspected.
const ANY_FALL: Rule = Rule { accept: 0.0, patience: 1, gradients: false };
