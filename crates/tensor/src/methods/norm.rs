//! Vector norms.

use crate::array::element::Float;
use crate::array::shape::Axes;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::Map1;
use crate::loops::folds::{Extreme, LargestAbs, SumOf};
use crate::loops::reduce::reduced_shape;
use crate::machine::simd::Isa;

struct AbsPow<T>(T);

impl<T: Float> Map1<T, T> for AbsPow<T> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        x.abs().powf::<I>(self.0)
    }
}

impl<T: Float> Tensor<T> {
    /// The p-norm of all elements, taken as one vector: see [`norm_axes`](Tensor::norm_axes).
    ///
    /// # Panics
    /// If `p` is NaN.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([3.0f32, -4.0]);
    /// assert_eq!(x.norm(2.0).item(), 5.0);
    /// assert_eq!((x.norm(1.0).item(), x.norm(f64::INFINITY).item()), (7.0, 4.0));
    /// ```
    #[track_caller]
    pub fn norm(&self, p: f64) -> Tensor<T> {
        self.norm_axes(p, .., false)
    }

    /// The p-norm (Σ|x|ᵖ)^(1/p) along `axes`, which stay with length 1 if `keepdim`. `p` = ∞ is the largest |x| and −∞
    /// the smallest; 0 counts the elements that are not 0. Nothing overflows or underflows on the way to a result
    /// that does not. NaN if any element is (but for p = 0); 0 if there are no elements (∞ for negative p).
    ///
    /// # Panics
    /// If `p` is NaN, or an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[3.0f64, 4.0], [6.0, 8.0]]);
    /// assert_eq!(x.norm_axes(2.0, 1, false).to_vec(), [5.0, 10.0]);
    /// ```
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn norm<T: Float>(x: &Tensor<T>, p: f64, mask: &[bool], keepdim: bool) -> Tensor<T> {
                if p == 2.0 {
                    x.norm2(mask, keepdim)
                } else if p == 1.0 {
                    x.fold_masked(mask, keepdim, SumOf(|x: T| x.abs()))
                } else if p == 0.0 {
                    crate::methods::logic::count_nonzero(x, mask, keepdim).cast()
                } else if p == f64::INFINITY {
                    x.fold_masked(mask, keepdim, LargestAbs)
                } else if p == f64::NEG_INFINITY {
                    x.abs().fold_masked(mask, keepdim, Extreme::<false>)
                } else {
                    x.scaled_norm(mask, keepdim, p)
                }
            }
        }
        assert!(!p.is_nan(), "norm: p is NaN");
        norm(self, p, &axes.into().mask("norm", self.shape()), keepdim)
    }

    /// Sums squares as they are, and again with scaled elements if they were too large or too small for that.
    fn norm2(&self, mask: &[bool], keepdim: bool) -> Tensor<T> {
        let square = || SumOf(|x: T| x * x);
        let sums = self.fold_masked(mask, keepdim, square());
        // Below this, squares that underflowed may have mattered.
        let smallest = T::MIN_POSITIVE / T::EPSILON;
        if sums.contiguous_slice().iter().all(|&s| s.is_nan() || (s >= smallest && s <= T::MAX)) {
            return sums.sqrt();
        }
        self.scaled_norm(mask, keepdim, 2.0)
    }

    /// The norm of elements divided by the one that counts most: the largest |x|, or the smallest if `p` is negative. No
    /// power of a quotient is then above 1.
    fn scaled_norm(&self, mask: &[bool], keepdim: bool, p: f64) -> Tensor<T> {
        let shape = reduced_shape(self.shape(), mask, keepdim);
        let most = if p > 0.0 {
            self.fold_masked(mask, true, LargestAbs)
        } else {
            self.abs().fold_masked(mask, true, Extreme::<false>)
        };
        let scale = most.map(|m: T| if m > T::ZERO && m.is_finite() { m } else { T::ONE });
        let scaled = self / &scale;
        let result = if p == 2.0 {
            scaled.fold_masked(mask, true, SumOf(|x: T| x * x)).sqrt() * scale
        } else {
            let sums = scaled.fold_masked(mask, true, SumOf(AbsPow(T::from_f64(p))));
            if p.abs() >= 1.0 {
                sums.powf(1.0 / p) * scale
            } else {
                // Half of the root on each side of the scale: the whole may leave the range of numbers on its own.
                let root = sums.powf(0.5 / p);
                (&root * &scale) * root
            }
        };
        result.reshape(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_overflow_and_no_underflow() {
        for scale in [1e-44f32, 1e-30, 1e-10, 1.0, 1e20, 1e37] {
            let x = Tensor::from([3.0 * scale, 4.0 * scale]);
            let (norm, expected) =
                (x.norm(2.0).item(), f64::from(x.at([0])).hypot(f64::from(x.at([1]))) as f32);
            assert!((norm - expected).abs() <= 2.0 * f32::EPSILON * expected, "{norm} {expected}");
        }
        let x = Tensor::from([1e200f64, 1e200]);
        assert!((x.norm(3.0).item() / (1e200 * 2f64.cbrt()) - 1.0).abs() < 1e-14);
        // Rows of different size each get their own scale.
        let rows = Tensor::from([[3e30f32, 4e30], [3.0, 4.0], [0.0, 0.0]]);
        assert!(rows.norm_axes(2.0, 1, false).all_close(&Tensor::from([5e30, 5.0, 0.0]), 1e-6, 0.0));
    }

    /// Every order against the same in f64, which has room for all the powers.
    #[test]
    fn every_order_at_the_ends_of_the_range() {
        let rows = [
            [1.0f32, 1e20, 3.0],
            [1e-30, 1.0, 1e30],
            [2e20, 1e20, 3e20],
            [2e-30, 1e-30, 3e-30],
            [1e-42, 3.0, 4.0],
        ];
        for x in rows {
            for p in [-3.0, -2.0, -1.0, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0] {
                let found = Tensor::from(x).norm(p).item();
                let sum: f64 = x.iter().map(|&x| f64::from(x).powf(p)).sum();
                let expected = sum.powf(1.0 / p) as f32;
                let close = found == expected || (found / expected - 1.0).abs() < 2e-6;
                assert!(close, "norm({p}) of {x:?}: {found:e}, not {expected:e}");
            }
        }
        assert_eq!(Tensor::from([1.0f32, 1e20]).norm(-2.0).item(), 1.0);
        for scale in [1e-200f64, 1e200] {
            for p in [-2.0, -0.5, 0.5, 1.5, 3.0] {
                let (plain, scaled) =
                    (Tensor::from([1.0f64, 2.0, 3.0]), Tensor::from([scale, 2.0 * scale, 3.0 * scale]));
                assert!(
                    (scaled.norm(p).item() / scale / plain.norm(p).item() - 1.0).abs() < 1e-13,
                    "{p} {scale}"
                );
            }
        }
        assert_eq!(Tensor::<f32>::zeros([0]).norm(-1.0).item(), f32::INFINITY);
        assert_eq!(Tensor::<f32>::zeros([0]).norm(0.5).item(), 0.0);
    }

    #[test]
    fn every_order() {
        let x = Tensor::<f64>::from([[1.0, -2.0, 0.0], [3.0, 0.0, -4.0]]);
        let orders = [(0.0, [2.0, 2.0]), (1.0, [3.0, 7.0]), (f64::INFINITY, [2.0, 4.0])];
        for (p, expected) in orders {
            assert_eq!(x.norm_axes(p, 1, false).to_vec(), expected);
        }
        assert_eq!(x.norm_axes(f64::NEG_INFINITY, 0, true), Tensor::from([[1.0, 0.0, 0.0]]));
        assert!((x.norm(3.0).item() - 100f64.cbrt()).abs() < 1e-14);
        // 1 / (1/1 + 1/2), and 0 beside a zero.
        assert!((x.slice_axis(1, ..2).slice(..1).norm(-1.0).item() - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(x.norm(-1.0).item(), 0.0);
    }

    #[test]
    fn special_values() {
        let inf = Tensor::from([1.0f32, f32::NEG_INFINITY]);
        let nan = Tensor::from([1e30f32, f32::NAN]);
        let none = Tensor::<f32>::zeros([2, 0]);
        for p in [1.0, 2.0, 3.0, f64::INFINITY] {
            assert_eq!(inf.norm(p).item(), f32::INFINITY);
            assert!(nan.norm(p).item().is_nan());
            assert_eq!(none.norm_axes(p, 1, false).to_vec(), [0.0, 0.0]);
        }
    }
}
