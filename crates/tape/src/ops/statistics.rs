//! Sums without NaN, covariances and correlations.

use wengert_tensor::{Axes, Float};

use crate::data::Mask;
use crate::op::is_unobserved;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// Where elements are NaN.
    fn nan_mask(&self) -> Mask<T> {
        self.not_equal(self)
    }

    /// The sum over some axes of the elements that are not NaN, which have no part in the derivative either.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, f64::NAN, 3.0]).nansum(0, false).item(), 4.0);
    /// ```
    #[track_caller]
    pub fn nansum(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        axes.mask("nansum", self.shape());
        // In one pass where only the value counts; recorded, it is what other programs know, too.
        if is_unobserved(&[self]) {
            return Var::constant(self.value().nansum_axes(axes, keepdim));
        }
        self.masked_fill(self.nan_mask(), 0.0).sum_axes(axes, keepdim)
    }

    /// The mean over some axes of the elements that are not NaN; NaN if there are none.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, f64::NAN, 3.0]).nanmean(0, false).item(), 2.0);
    /// ```
    #[track_caller]
    pub fn nanmean(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        let [one, zero] = [T::ONE, T::ZERO].map(Var::scalar);
        let numbers = Var::select_where(self.nan_mask(), &zero, &one);
        self.nansum(axes.clone(), keepdim) / numbers.sum_axes(axes, keepdim)
    }

    /// The covariances of variables, which are the rows, over observations, which are the columns: Σ(xᵢ − x̄ᵢ)(xⱼ − x̄ⱼ) /
    /// (n − `correction`), `[variables, variables]`; of a vector its variance, without axes.
    ///
    /// # Panics
    /// If there is no axis, or more than two.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[1.0f64, 2.0, 3.0], [6.0, 4.0, 2.0]]);
    /// assert_eq!(x.cov(1).value().to_vec(), [1.0, -2.0, -2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn cov(&self, correction: usize) -> Var<T> {
        assert!(
            (1..=2).contains(&self.rank()),
            "cov: shape {} is not that of a vector or a matrix",
            self.shape()
        );
        let rows = if self.rank() == 1 { self.unsqueeze(0) } else { self.clone() };
        let centred = &rows - rows.mean_axes(1, true);
        let divisor = (rows.shape()[1] as f64 - correction as f64).max(0.0);
        let cov = centred.matmul(&centred.t()) / divisor;
        if self.rank() == 1 { cov.sum() } else { cov }
    }

    /// The rows, each divided by a power of two near its largest element, which counts as a constant: of what does not depend on
    /// the units of rows, so that squares stay within the range of numbers.
    pub(super) fn in_units_of_rows(&self) -> Var<T> {
        if self.is_empty() {
            return self.clone();
        }
        let (least, most) = (T::MIN_POSITIVE.to_f64(), T::MAX.to_f64());
        let largest = self.stop_gradient().abs().max_axes(-1, true);
        let unit = largest.clamp(least, most).log2().floor().exp2();
        // Not of a row that is not finite.
        self / Var::select_where(largest.le(most), &unit, &Var::scalar(T::ONE))
    }

    /// The correlations of variables, which are the rows, over observations, which are the columns: their covariances divided by
    /// both deviations, from −1 to 1; of a vector 1, without axes. NaN for a variable that does not vary.
    ///
    /// # Panics
    /// If there is no axis, or more than two.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let r = Var::from([[1.0f64, 2.0, 3.0], [3.0, 2.0, 1.0]]).corrcoef();
    /// assert!((r.value().at([0, 1]) + 1.0).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn corrcoef(&self) -> Var<T> {
        assert!(
            (1..=2).contains(&self.rank()),
            "corrcoef: shape {} is not that of a vector or a matrix",
            self.shape()
        );
        let cov = self.in_units_of_rows().cov(1);
        if self.rank() == 1 {
            return cov.clone() / cov;
        }
        let deviations = cov.diagonal(0).sqrt();
        (cov / deviations.unsqueeze(1) / deviations.unsqueeze(0)).clamp(-1.0, 1.0)
    }
}
