//! Methods that adapt a damping by how well the model predicts.

pub(super) mod hessian_free;
pub(super) mod kfac;
pub(super) mod newton;

pub use hessian_free::HessianFree;
pub use kfac::Kfac;
pub use newton::DampedNewton;

use super::operator::Operator;
use super::trial::Rule;
use super::vector::{self, Float};

/// ‖A g‖/‖g‖: the scale of a curvature, so that damping can be set relative to it.
pub(super) fn curvature_scale<T: Float>(operator: &dyn Operator<T>, gradient: &[T]) -> f64 {
    let mut product = vec![T::ZERO; gradient.len()];
    operator.apply(gradient, &mut product);
    let scale = vector::norm(&product) / vector::norm(gradient);
    if scale.is_finite() && scale > 0.0 { scale } else { 1.0 }
}

/// Any fall is progress, for the damping follows the ratio; after a rejection rounding is suspected.
const ANY_FALL: Rule = Rule { accept: 0.0, patience: 1, gradients: false };
