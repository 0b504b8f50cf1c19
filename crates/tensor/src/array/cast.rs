//! Conversion between element types.

use crate::array::element::Element;
use crate::array::tensor::Tensor;

/// Conversion through `f64`, which holds every value of every element type exactly.
///
/// ```
/// use wengert_tensor::Cast;
/// assert_eq!((true.widen(), u8::narrow(300.0)), (1.0, 255));
/// ```
pub trait Cast {
    /// The same value as `f64`; `true` is 1.
    fn widen(self) -> f64;
    /// The nearest value, as the language's `as` gives it: fractions are cut off, what is out of range becomes the
    /// nearest bound, and NaN becomes integer 0. Everything but 0 is `true`.
    fn narrow(value: f64) -> Self;
}

macro_rules! number {
    ($($t:ty),*) => { $(
        impl Cast for $t {
            #[inline(always)]
            fn widen(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn narrow(value: f64) -> Self {
                value as $t
            }
        }
    )* };
}
number!(f32, f64, u32, u8);

impl Cast for bool {
    #[inline(always)]
    fn widen(self) -> f64 {
        f64::from(u8::from(self))
    }
    #[inline(always)]
    fn narrow(value: f64) -> Self {
        value != 0.0
    }
}

impl<T: Element> Tensor<T> {
    /// Every element as another type: see [`Cast::narrow`] for what is not representable.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let pixels = Tensor::<u8>::from([0, 255]);
    /// assert_eq!((pixels.cast::<f32>() / 255.0).to_vec(), [0.0, 1.0]);
    /// assert_eq!(Tensor::from([true, false]).cast::<f64>().to_vec(), [1.0, 0.0]);
    /// ```
    pub fn cast<R: Element>(&self) -> Tensor<R> {
        self.map(|x: T| R::narrow(x.widen()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_types() {
        let x = Tensor::<f64>::from([0.0, 1.0, 2.75, -1.0, 1e300, f64::NAN]);
        assert_eq!(x.cast::<u8>().to_vec(), [0, 1, 2, 0, 255, 0]);
        assert_eq!(x.cast::<u32>().to_vec(), [0, 1, 2, 0, u32::MAX, 0]);
        assert_eq!(x.cast::<bool>().to_vec(), [false, true, true, true, true, true]);
        assert_eq!(x.slice(..5).cast::<f32>().to_vec(), [0.0, 1.0, 2.75, -1.0, f32::INFINITY]);
        let ids = Tensor::<u32>::from([0, 16_777_217, u32::MAX]);
        assert_eq!(ids.cast::<f32>().to_vec(), [0.0, 16_777_216.0, 4_294_967_296.0]);
        assert_eq!(ids.cast::<f64>().cast::<u32>(), ids);
        assert!(Tensor::from([f32::NAN]).cast::<f64>().item().is_nan());
    }
}
