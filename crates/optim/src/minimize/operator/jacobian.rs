//! Rectangular linear maps.

use crate::minimize::vector::Float;

/// A rectangular linear map known by its products and those of its transpose: the derivative of [`Residuals`](crate::minimize::Residuals).
///
/// ```
/// use wengert_optim::Jacobian;
/// /// Differences of neighbours: three numbers to two.
/// struct Differences;
/// impl Jacobian<f64> for Differences {
///     fn apply(&self, v: &[f64], out: &mut [f64]) { (out[0], out[1]) = (v[1] - v[0], v[2] - v[1]); }
///     fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
///         (out[0], out[1], out[2]) = (-u[0], u[0] - u[1], u[1]);
///     }
/// }
/// // uᵀ(J v) = (Jᵀu)ᵀv.
/// let (v, u) = ([1.0, 4.0, 2.0], [3.0, -1.0]);
/// let (mut jv, mut ju) = ([0.0; 2], [0.0; 3]);
/// Differences.apply(&v, &mut jv);
/// Differences.apply_transpose(&u, &mut ju);
/// assert_eq!(wengert_optim::vector::dot(&jv, &u), wengert_optim::vector::dot(&ju, &v));
/// ```
pub trait Jacobian<T: Float> {
    /// `out = J v`.
    fn apply(&self, v: &[T], out: &mut [T]);
    /// `out = Jᵀ u`.
    fn apply_transpose(&self, u: &[T], out: &mut [T]);
}
