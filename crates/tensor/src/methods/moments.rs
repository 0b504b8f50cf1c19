//! Variance and standard deviation.

use crate::array::element::Float;
use crate::array::shape::Axes;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::Fold;
use crate::machine::simd::Isa;

/// The variance from deviations d from nearly the mean: Σd² less (Σd)² / n, which an exact mean would make 0.
struct Variance {
    correction: usize,
}

impl<T: Float> Fold<T> for Variance {
    type Partial = (T, T);
    type Output = T;
    fn identity(&self) -> (T, T) {
        (T::ZERO, T::ZERO)
    }
    #[inline(always)]
    fn step<I: Isa>(&self, (sum, squares): (T, T), d: T) -> (T, T) {
        (sum + d, I::mul_add(d, d, squares))
    }
    #[inline(always)]
    fn merge(&self, a: (T, T), b: (T, T)) -> (T, T) {
        (a.0 + b.0, a.1 + b.1)
    }
    fn finish(&self, (sum, squares): (T, T), count: usize) -> T {
        // Squares that overflowed are the variance, of which nothing is to be taken.
        let rest = if squares.is_finite() { squares - sum * (sum / T::from_usize(count)) } else { squares };
        rest / T::from_usize(count.saturating_sub(self.correction))
    }
}

impl<T: Float> Tensor<T> {
    /// The variance of all elements, with Bessel's correction (dividing by n − 1), as in PyTorch; see
    /// [`var_axes`](Tensor::var_axes).
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, 2.0, 3.0, 4.0]).var().item(), 5.0 / 3.0);
    /// ```
    pub fn var(&self) -> Tensor<T> {
        self.var_axes(.., 1, false)
    }

    /// The variance Σ(x − x̄)² / (n − `correction`) along `axes`, which stay with length 1 if `keepdim`. A correction of
    /// 1 makes it unbiased for independent samples, 0 is the population's variance (NumPy's default).
    ///
    /// In two passes, the mean first, and corrected for the rounding of the mean, so that it stays accurate when the
    /// mean is much larger than the deviation (Chan, Golub & LeVeque, "Algorithms for computing the sample variance",
    /// 1983, equation 1.7).
    /// NaN if there are no elements; where n ≤ `correction` the divisor is 0, as in PyTorch.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 3.0], [2.0, 2.0]]);
    /// assert_eq!(x.var_axes(1, 1, false).to_vec(), [2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn var_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn var<T: Float>(deviations: &Tensor<T>, mask: &[bool], correction: usize, keepdim: bool) -> Tensor<T> {
                deviations.fold_masked(mask, keepdim, Variance { correction })
            }
        }
        let axes = axes.into();
        let mask = axes.mask("var", self.shape());
        let found = var(&(self - &self.mean_axes(axes.clone(), true)), &mask, correction, keepdim);
        let finite = found.is_finite();
        if finite.all() {
            return found;
        }
        // Squares, or their sum, have left the range of numbers, where their mean may be within.
        Tensor::select_where(&finite, &found, &self.std_axes(axes, correction, keepdim).square())
    }

    /// The elements less their mean along `axes`, and less what rounding the mean left of it: their mean is 0 even where
    /// it was much larger than the deviations.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1e6f32, 1e6 + 1.0]).centred(0).to_vec(), [-0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn centred(&self, axes: impl Into<Axes>) -> Tensor<T> {
        let axes = axes.into();
        axes.mask("centred", self.shape());
        let deviations = self - &self.mean_axes(axes.clone(), true);
        let rest = deviations.mean_axes(axes, true);
        deviations - &rest
    }

    /// The standard deviation of all elements, with Bessel's correction: see [`std_axes`](Tensor::std_axes).
    pub fn std(&self) -> Tensor<T> {
        self.std_axes(.., 1, false)
    }

    /// The standard deviation along `axes`: the root of the variance, without overflow or underflow of its squares. 0 if
    /// all elements are equal; where n ≤ `correction` the divisor is 0, as in [`var_axes`](Tensor::var_axes).
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f32, 3.0], [2.0, 2.0]]);
    /// assert_eq!(x.std_axes(1, 0, false).to_vec(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn std_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Tensor<T> {
        let axes = axes.into();
        axes.mask("std", self.shape());
        let norms = self.centred(axes.clone()).norm_axes(2.0, axes, keepdim);
        let count = self.len().checked_div(norms.len()).unwrap_or(1);
        norms / (count as f64 - correction as f64).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mean_costs_no_accuracy() {
        // 1e6 + {0, 1, 2, 3}: squares would need more digits than f32 has.
        let x = Tensor::<f32>::from_fn([100_000], |i| 1e6 + (i[0] % 4) as f32);
        assert_eq!(x.var_axes(0, 0, false).item(), 1.25);
    }

    #[test]
    fn deviations_whose_squares_overflow_or_underflow() {
        for scale in [1e20f32, 1e-30] {
            let std = Tensor::from([scale, -scale, scale, -scale]).std_axes(0, 0, false).item();
            assert!((std / scale - 1.0).abs() < 1e-6, "{std}");
        }
        let shifted = Tensor::<f32>::from_fn([100_000], |i| 1e6 + (i[0] % 4) as f32);
        assert!((shifted.std_axes(0, 0, false).item() / 1.25f32.sqrt() - 1.0).abs() < 1e-6);
        assert_eq!(Tensor::<f32>::full([3], 0.1).std().item(), 0.0);
    }

    /// A variance beyond the largest number is ∞, not what ∞ − ∞ gives.
    #[test]
    fn variances_out_of_range() {
        let (large, small) = (Tensor::from([1e36f32, -2.0, 3e35]), Tensor::from([1e-30f32, -1e-30, 0.0]));
        assert_eq!((large.var().item(), small.var().item()), (f32::INFINITY, 0.0));
        assert_eq!(Tensor::from([1e300f64, 1.0]).var_axes(.., 0, false).item(), f64::INFINITY);
        for not_a_number in [f32::NAN, f32::INFINITY] {
            assert!(Tensor::from([1.0, not_a_number]).var().item().is_nan());
        }
    }

    /// The sum of the squares is beyond the largest number, and their mean is not; or below the least, and over 0.
    #[test]
    fn variances_whose_sums_are_out_of_range() {
        let rows = Tensor::from([
            [1.5e19f32, -1.5e19, 1.5e19, -1.5e19],
            [1.0, 2.0, 1.0, 2.0],
            [1e30, 0.0, 0.0, 0.0],
        ]);
        let found = rows.var_axes(1, 0, false).to_vec();
        assert!((found[0] / 2.25e38 - 1.0).abs() < 1e-6, "{found:?}");
        assert_eq!(found[1..], [0.25, f32::INFINITY]);
        let large = Tensor::from([1.2e154f64, -1.2e154, 1.2e154]).var_axes(0, 0, true).item();
        assert!((large / (1.28e308) - 1.0).abs() < 1e-14, "{large:e}");
        assert_eq!(Tensor::from([1e-30f32, -1e-30]).var_axes(0, 2, false).item(), f32::INFINITY);
    }

    /// Against double precision, in which the sums of so few numbers are exact to these digits.
    #[test]
    fn long_columns_are_as_accurate_as_rows() {
        let count = 1_000_000;
        for (offset, step) in [(0.0, 7919), (30.0, 15_485_863)] {
            let x = Tensor::<f32>::from_fn([count, 2], |i| {
                let k = (i[0] * step + i[1] * 31) % 1_000_003;
                (k as f32 / 1_000_003.0 + offset).powi(2)
            });
            let wide = x.cast::<f64>();
            let rows = x.t().contiguous();
            for (what, found, exact) in [
                ("var of columns", x.var_axes(0, 1, false), wide.var_axes(0, 1, false)),
                ("var of rows", rows.var_axes(1, 1, false), wide.var_axes(0, 1, false)),
                ("std of columns", x.std_axes(0, 1, false), wide.std_axes(0, 1, false)),
                ("std of rows", rows.std_axes(1, 1, false), wide.std_axes(0, 1, false)),
            ] {
                for (found, exact) in found.to_vec().into_iter().zip(exact.to_vec()) {
                    let error = (f64::from(found) / exact - 1.0).abs() / f64::from(f32::EPSILON);
                    assert!(error < 2.0, "{what}, {offset}: {error} ulp");
                }
            }
        }
    }

    #[test]
    fn axes_and_corrections() {
        let x = Tensor::<f64>::from([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]);
        assert_eq!(x.var_axes(1, 1, true), Tensor::from([[7.0], [0.0]]));
        assert_eq!(x.t().var_axes(0, 0, false).to_vec(), [14.0 / 3.0, 0.0]);
        let (std, var) = (x.std_axes([0, 1], 0, false).item(), x.var_axes(.., 0, false).item());
        assert!((std * std / var - 1.0).abs() < 1e-15);
    }

    #[test]
    fn too_few_elements() {
        assert!(Tensor::from([1.0f32]).var().item().is_nan());
        assert!(Tensor::<f32>::zeros([0]).var_axes(0, 0, false).item().is_nan());
        assert_eq!(Tensor::from([1.0f32, 2.0]).var_axes(0, 2, false).item(), f32::INFINITY);
    }
}
