//! Rows whose squares leave the range of numbers though what is made of them does not: they are computed in a unit of their
//! own. That is one comparison for every other row.

use std::borrow::Cow;

use super::formulas::Scale;
use super::geometry::NormGeometry;
use crate::array::element::Float;

/// Elements of up to 2 to this are left: their squares have room, and so has ε beside the largest unit.
const EXPONENT: f64 = 10.0;

/// A row in a unit of its own, or as it is.
pub(super) struct Unit<T>(Option<Far<T>>);

struct Far<T> {
    unit: T,
    x: Vec<T>,
    scale: Scale<T>,
}

/// Whether 1/√(variance + ε) says that squares overflowed, or may have underflowed.
#[inline(always)]
pub(super) fn is_lost<T: Float>(r: T) -> bool {
    !(r > T::ZERO && r < T::MAX.sqrt() * T::EPSILON)
}

/// The unit for numbers of which the largest is given; `None` if that is 0, infinite or NaN.
pub(super) fn unit_for<T: Float>(largest: T) -> Option<T> {
    let (least, most) = (T::MIN_POSITIVE.to_f64().log2(), T::MAX.to_f64().log2() - 1.0);
    let exponent = (largest.to_f64().log2().floor() - EXPONENT).clamp(least, most);
    (largest > T::ZERO && largest.is_finite()).then(|| T::from_f64(exponent.exp2()))
}

impl<T: Float> Unit<T> {
    #[inline(always)]
    pub(super) fn of(geometry: &NormGeometry, scale: Scale<T>, x: &[T]) -> Self {
        Unit(if is_lost(scale.r()) { Self::far(geometry, x) } else { None })
    }

    #[cold]
    #[inline(never)]
    fn far(geometry: &NormGeometry, x: &[T]) -> Option<Far<T>> {
        let unit = unit_for(x.iter().fold(T::ZERO, |largest, x| largest.maximum(x.abs())))?;
        let x: Vec<T> = x.iter().map(|&x| x / unit).collect();
        let epsilon = T::from_f64(geometry.epsilon::<f64>().sqrt() / unit.to_f64());
        let root = |variance: T| T::ONE / variance.maximum(T::ZERO).sqrt().hypot(epsilon);
        let scale = Scale::by_root(geometry, &x, root, |_| ());
        Some(Far { unit, x, scale })
    }

    /// The row, and how it is normalised.
    #[inline(always)]
    pub(super) fn row<'a>(&'a self, scale: Scale<T>, x: &'a [T]) -> (Scale<T>, &'a [T]) {
        match &self.0 {
            None => (scale, x),
            Some(far) => (far.scale, &far.x),
        }
    }

    /// A tangent of the row in that unit.
    #[inline(always)]
    pub(super) fn tangent<'a>(&self, t: &'a [T]) -> Cow<'a, [T]> {
        match &self.0 {
            None => Cow::Borrowed(t),
            Some(far) => Cow::Owned(t.iter().map(|&t| t / far.unit).collect()),
        }
    }

    /// Takes a gradient with respect to the row back to the unit 1.
    #[inline(always)]
    pub(super) fn settle(&self, gradient: &mut [T]) {
        if let Some(far) = &self.0 {
            gradient.iter_mut().for_each(|g| *g /= far.unit);
        }
    }
}
