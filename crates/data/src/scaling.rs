//! From stored features to those that are given out.

use wengert_tensor::simd::{Isa, Kernel, dispatch};
use wengert_tensor::{Element, Float, Tensor};

use crate::error::DataError;
use crate::moments::Moments;

/// The map x ↦ (x − offset) / divisor.
#[derive(Clone, Debug)]
pub(crate) enum Scaling<T: Float> {
    /// One for all features.
    Uniform { offset: f64, divisor: f64 },
    /// One for each feature.
    Each { offsets: Tensor<T>, divisors: Tensor<T> },
}

impl<T: Float> Scaling<T> {
    pub(crate) const IDENTITY: Self = Scaling::Uniform { offset: 0.0, divisor: 1.0 };
    /// Bytes to [0, 1].
    pub(crate) const BYTES: Self = Scaling::Uniform { offset: 0.0, divisor: 255.0 };

    /// This map, and then (x − mean) / std.
    pub(crate) fn then(&self, mean: f64, std: f64) -> Result<Self, DataError> {
        match self {
            &Scaling::Uniform { offset, divisor } => {
                let (offset, divisor) = composed::<T>((offset, divisor), mean, std)?;
                Ok(Scaling::Uniform { offset, divisor })
            }
            Scaling::Each { offsets, .. } => {
                let width = offsets.len();
                self.then_each(&Moments { mean: vec![mean; width], std: vec![std; width] }, width)
            }
        }
    }

    /// This map, and then (x − mean) / std, of each of `width` features with its own numbers; a standard deviation of 0
    /// counts as 1.
    pub(crate) fn then_each(&self, moments: &Moments, width: usize) -> Result<Self, DataError> {
        for found in [moments.mean.len(), moments.std.len()] {
            if found != width {
                return Err(DataError::MomentsMismatch { features: width, moments: found });
            }
        }
        let (mut offsets, mut divisors) = (Vec::with_capacity(width), Vec::with_capacity(width));
        for (feature, (&mean, &std)) in moments.mean.iter().zip(&moments.std).enumerate() {
            let std = if std == 0.0 { 1.0 } else { std };
            let (offset, divisor) = composed::<T>(self.of(feature), mean, std)?;
            offsets.push(T::from_f64(offset));
            divisors.push(T::from_f64(divisor));
        }
        Ok(Scaling::Each { offsets: Tensor::vector(&offsets), divisors: Tensor::vector(&divisors) })
    }

    /// Offset and divisor of a feature.
    fn of(&self, feature: usize) -> (f64, f64) {
        match self {
            &Scaling::Uniform { offset, divisor } => (offset, divisor),
            Scaling::Each { offsets, divisors } => {
                (offsets.at([feature]).to_f64(), divisors.at([feature]).to_f64())
            }
        }
    }

    /// The features of one example.
    pub(crate) fn apply<S: Element>(&self, source: &[S], out: &mut [T]) {
        match self {
            &Scaling::Uniform { offset, divisor } => {
                let (offset, divisor) = (T::from_f64(offset), T::from_f64(divisor));
                dispatch(Uniform { source, offset, divisor, out });
            }
            Scaling::Each { offsets, divisors } => {
                let contiguous = "they are made contiguous";
                let offsets = offsets.as_slice().expect(contiguous);
                let divisors = divisors.as_slice().expect(contiguous);
                dispatch(Each { source, offsets, divisors, out });
            }
        }
    }
}

/// A map, and then (x − mean) / std: offset and divisor.
fn composed<T: Float>((offset, divisor): (f64, f64), mean: f64, std: f64) -> Result<(f64, f64), DataError> {
    let composed = (offset + divisor * mean, divisor * std);
    let in_range = |x: f64| T::from_f64(x).is_finite();
    // The divisor may be positive and nevertheless 0 in `T`.
    if std > 0.0 && in_range(composed.0) && in_range(composed.1) && T::from_f64(composed.1) > T::ZERO {
        Ok(composed)
    } else {
        Err(DataError::InvalidNormalisation { mean, std })
    }
}

struct Uniform<'a, S, T> {
    source: &'a [S],
    offset: T,
    divisor: T,
    out: &'a mut [T],
}

impl<S: Element, T: Float> Kernel for Uniform<'_, S, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        // A division, not a product with the inverse, so that plain bytes become exactly x / 255.
        for (out, &x) in self.out.iter_mut().zip(self.source) {
            *out = (T::narrow(x.widen()) - self.offset) / self.divisor;
        }
    }
}

struct Each<'a, S, T> {
    source: &'a [S],
    offsets: &'a [T],
    divisors: &'a [T],
    out: &'a mut [T],
}

impl<S: Element, T: Float> Kernel for Each<'_, S, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let scales = self.offsets.iter().zip(self.divisors);
        for ((out, &x), (&offset, &divisor)) in self.out.iter_mut().zip(self.source).zip(scales) {
            *out = (T::narrow(x.widen()) - offset) / divisor;
        }
    }
}
