//! What is below the rounding of the numbers that something is computed in: every threshold of that kind is one of these.
//! How far values of f are known is read by [`Noise`](super::noise::Noise) beside them.

use super::vector::Float;

/// So many units of rounding, relative to a number's size.
pub(crate) fn relative<T: Float>(units: f64) -> f64 {
    units * T::EPSILON.to_f64()
}

/// So many units of rounding of numbers of this size.
pub(crate) fn of<T: Float>(units: f64, size: f64) -> f64 {
    relative::<T>(units) * size
}

/// The rounding of aᵀb for vectors of these lengths: a curvature or slope that is less has no sign. Scaling one of them changes
/// nothing.
pub(crate) fn of_product<T: Float>(a: f64, b: f64) -> f64 {
    of::<T>(1.0, a) * b
}

/// The relative step ε^⅓ that balances truncation and rounding in central differences.
pub(crate) fn difference_step<T: Float>() -> f64 {
    relative::<T>(1.0).cbrt()
}

/// √ε: half of the digits, as far as a minimum's place is known from values of f.
pub(crate) fn half_digits<T: Float>() -> f64 {
    relative::<T>(1.0).sqrt()
}
