//! Rectangular linear maps.

use crate::minimize::vector::Float;

/// A rectangular linear map known by its products and those of its transpose: the derivative of [`Residuals`](crate::minimize::Residuals).
pub trait Jacobian<T: Float> {
    /// `out = J v`.
    fn apply(&self, v: &[T], out: &mut [T]);
    /// `out = Jᵀ u`.
    fn apply_transpose(&self, u: &[T], out: &mut [T]);
}
