//! Pooling by a norm.

use wengert_tensor::Float;
use wengert_tensor::pool::Divisor;

use super::planes::PoolOptions;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// (Σ xᵖ)^(1/p) over each window of the last `D` axes, of which there are one, two or three. As in PyTorch, the powers
    /// are those of x, not of its absolute value, and a window that `ceil_mode` cuts short counts as if it were whole: its sum is
    /// multiplied by the number of taps over that of those within. Where the sum is 0 the derivative is taken as 0, but for p = 1,
    /// where it is that of a sum.
    ///
    /// # Panics
    /// If there are not `D + 2` axes, the window does not fit, or p is not positive and finite.
    ///
    /// ```
    /// use wengert_tape::{PoolOptions, Var};
    /// let x = Var::from([3.0f64, 4.0]).reshape([1, 1, 2]);
    /// assert_eq!(x.lp_pool(2.0, PoolOptions::new([2])).item(), 5.0);
    /// ```
    #[doc(alias = "lp_pool2d")]
    #[track_caller]
    pub fn lp_pool<const D: usize>(&self, p: f64, options: PoolOptions<D>) -> Var<T> {
        assert!(p > 0.0 && p.is_finite(), "lp_pool: the power {p} is not positive and finite");
        let taps = options.kernel.iter().map(|&n| n as f64).product::<f64>();
        if p == 1.0 {
            return self.avg_pool(options, Divisor::Taps) * taps;
        }
        let unit = unit::<T, D>(self, p);
        let total = (self / &unit).powf(p).avg_pool(options, Divisor::Taps) * taps;
        let nothing = total.equal(0.0);
        total.masked_fill(&nothing, 1.0).powf(1.0 / p).masked_fill(&nothing, 0.0) * unit
    }
}

/// Of each plane a power of two that counts as a constant: 1, but where the powers of the plane's elements may be beyond the range of
/// numbers that of its largest one.
fn unit<T: Float, const D: usize>(x: &Var<T>, p: f64) -> Var<T> {
    let one = Var::scalar(T::ONE);
    if x.is_empty() {
        return one;
    }
    let axes: Vec<isize> = (1..=D as isize).map(|axis| -axis).collect();
    let largest = x.stop_gradient().abs().max_axes(&axes[..], true);
    // Its power is at least the square root of the largest number, or at most its inverse.
    let far = T::MAX.to_f64().powf(0.5 / p.max(1.0));
    let of_largest = largest.clamp(T::MIN_POSITIVE.to_f64(), T::MAX.to_f64()).log2().floor().exp2();
    let of_small = Var::select_where(largest.lt(1.0 / far), &of_largest, &one);
    let unit = Var::select_where(largest.gt(far), &of_largest, &of_small);
    Var::select_where(largest.gt(0.0), &unit, &one)
}
