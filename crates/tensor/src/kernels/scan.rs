//! Cumulative sums and products.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::shape::Axis;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::kernels::softmax::{assert_same_shape, last_axis};
use crate::loops::RowMap;
use crate::loops::rows::row_of;
use crate::machine::simd::Isa;

/// Every element combined with all before it, in `f64`.
struct Scan<F> {
    start: f64,
    combine: F,
}

impl<T: Float, F: Fn(f64, f64) -> f64 + Sync> RowMap<T, T> for Scan<F> {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let mut total = self.start;
        for (o, &x) in out.iter_mut().zip(x) {
            total = (self.combine)(total, x.to_f64());
            *o = T::from_f64(total);
        }
    }
}

/// sᵢ = cᵢ + aᵢ·sᵢ₋₁ with these a, in `f64`.
struct Recurrence<'a, T>(&'a [T]);

impl<T: Float> RowMap<T, T> for Recurrence<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, c: &[T], out: &mut [T]) {
        // −0 is what changes no number when added, not even −0.
        let mut state = -0.0;
        for ((o, &c), &a) in out.iter_mut().zip(c).zip(row_of(self.0, index, c.len())) {
            state = c.to_f64() + a.to_f64() * state;
            *o = T::from_f64(state);
        }
    }
}

/// Of each factor aᵢ of a recurrence the slope rᵢ·sᵢ₋₁, where r is the recurrence of the row backwards, rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁,
/// and s that of c forwards: all in `f64`.
struct FactorSlopes<'a, T> {
    added: &'a [T],
    factors: &'a [T],
}

impl<T: Float> RowMap<T, T> for FactorSlopes<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, v: &[T], out: &mut [T]) {
        let (c, a) = (row_of(self.added, index, v.len()), row_of(self.factors, index, v.len()));
        let mut backwards: SmallVec<[f64; 64]> = SmallVec::from_elem(0.0, v.len());
        let mut state = -0.0;
        for i in (0..v.len()).rev() {
            state = v[i].to_f64() + a.get(i + 1).map_or(-0.0, |a| a.to_f64() * state);
            backwards[i] = state;
        }
        // Nothing comes before the first.
        let mut before = None;
        for (i, o) in out.iter_mut().enumerate() {
            *o = before.map_or(T::ZERO, |s: f64| T::from_f64(backwards[i] * s));
            before = Some(c[i].to_f64() + before.map_or(-0.0, |s| a[i].to_f64() * s));
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The solution s of the linear recurrence sᵢ = cᵢ + aᵢ·sᵢ₋₁ along `axis`, where `self` is c, `factors` is a, and s
    /// before the first is 0; accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([1.0f32, 1.0, 1.0]), Tensor::from([0.0, 2.0, 3.0]));
    /// assert_eq!(c.linear_recurrence(&a, 0).to_vec(), [1.0, 3.0, 10.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence(&self, factors: &Tensor<T>, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn recurrence<T: Float>(c: &Tensor<T>, a: &Tensor<T>, axis: usize) -> Tensor<T> {
                let a = last_axis(a, axis);
                let last = a.rank() - 1;
                let rows = Recurrence(a.contiguous_slice());
                last_axis(c, axis).map_rows("linear_recurrence", last, rows).transpose(axis, last)
            }
        }
        let axis = self.shape().axis("linear_recurrence", axis);
        assert_same_shape("linear_recurrence", self, factors);
        recurrence(self, factors, axis)
    }

    /// The gradient with respect to a of ∑ vᵢ·sᵢ, where s is the [linear recurrence](Tensor::linear_recurrence) of c = `added`
    /// and a = `factors` along `axis`, and `self` is v; accumulated in `f64`, so that parts of its products may leave the range of
    /// `f32`.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (c, a) = (Tensor::from([2.0f32, 1.0, 1.0]), Tensor::from([0.0, 5.0, 3.0]));
    /// // s = 2, 1 + 2 a₁, 1 + a₂ (1 + 2 a₁)
    /// let v = Tensor::from([0.0, 0.0, 1.0]);
    /// assert_eq!(v.linear_recurrence_slopes(&c, &a, 0).to_vec(), [0.0, 6.0, 11.0]);
    /// ```
    #[track_caller]
    pub fn linear_recurrence_slopes(
        &self,
        added: &Tensor<T>,
        factors: &Tensor<T>,
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        compiled_here! {
            fn slopes<T: Float>(v: &Tensor<T>, c: &Tensor<T>, a: &Tensor<T>, axis: usize) -> Tensor<T> {
                let (c, a) = (last_axis(c, axis), last_axis(a, axis));
                let last = a.rank() - 1;
                let rows = FactorSlopes { added: c.contiguous_slice(), factors: a.contiguous_slice() };
                last_axis(v, axis).map_rows("linear_recurrence_slopes", last, rows).transpose(axis, last)
            }
        }
        let axis = self.shape().axis("linear_recurrence_slopes", axis);
        assert_same_shape("linear_recurrence_slopes", self, added);
        assert_same_shape("linear_recurrence_slopes", self, factors);
        slopes(self, added, factors, axis)
    }

    /// The sum of each element and all before it along `axis`, accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0, 3.0]).cumsum(0).to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn cumsum<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
                x.map_rows("cumsum", axis, Scan { start: 0.0, combine: |a: f64, b: f64| a + b })
            }
        }
        cumsum(self, self.shape().axis("cumsum", axis))
    }

    /// The product of each element and all before it along `axis`, accumulated in `f64`.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f32, 2.0, 3.0]).cumprod(0).to_vec(), [1.0, 2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn cumprod<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
                x.map_rows("cumprod", axis, Scan { start: 1.0, combine: |a: f64, b: f64| a * b })
            }
        }
        cumprod(self, self.shape().axis("cumprod", axis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn along_every_axis() {
        let x = Tensor::<f64>::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(x.cumsum(0).to_vec(), [1.0, 2.0, 3.0, 5.0, 7.0, 9.0]);
        assert_eq!(x.cumsum(-1).to_vec(), [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
        assert_eq!(x.flip(1).cumprod(1).to_vec(), [3.0, 6.0, 6.0, 6.0, 30.0, 120.0]);
        assert_eq!(Tensor::<f32>::zeros([0, 3]).cumsum(0).shape(), &[0, 3]);
    }

    #[test]
    fn recurrences_along_every_axis() {
        let (c, a) = (Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]), Tensor::from([[9.0, 2.0], [3.0, -1.0]]));
        assert_eq!(c.linear_recurrence(&a, 1).to_vec(), [1.0, 4.0, 3.0, 1.0]);
        assert_eq!(c.linear_recurrence(&a, 0).to_vec(), [1.0, 2.0, 6.0, 2.0]);
        assert_eq!(c.t().linear_recurrence(&a.t(), 0), c.linear_recurrence(&a, 1).t());
    }

    #[test]
    fn slopes_of_factors_along_every_axis() {
        let (c, a) = (Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]), Tensor::from([[9.0, 2.0], [3.0, -1.0]]));
        let v = Tensor::from([[5.0, 6.0], [7.0, 8.0]]);
        assert_eq!(v.linear_recurrence_slopes(&c, &a, 1).to_vec(), [0.0, 6.0, 0.0, 24.0]);
        assert_eq!(v.linear_recurrence_slopes(&c, &a, 0).to_vec(), [0.0, 0.0, 7.0, 16.0]);
        assert_eq!(
            v.t().linear_recurrence_slopes(&c.t(), &a.t(), 0),
            v.linear_recurrence_slopes(&c, &a, 1).t()
        );
        // Longer than what is kept without an allocation, and beyond the range of single numbers on the way.
        let n = 99;
        let (c, a) =
            (Tensor::<f32>::from_fn([n], |i| if i[0] == 0 { 1e-38 } else { 0.0 }), Tensor::full([n], 2.0));
        let v = Tensor::<f32>::from_fn([n], |i| if i[0] == n - 1 { 1e-25 } else { 0.0 });
        let slopes = v.linear_recurrence_slopes(&c, &a, 0).to_vec();
        let expected = 1e-38 * 1e-25 * 97f64.exp2();
        assert!(slopes[1..].iter().all(|s| (f64::from(*s) / expected - 1.0).abs() < 1e-6), "{slopes:?}");
    }

    #[test]
    fn a_long_sum_in_single_precision() {
        let x = Tensor::<f32>::full([1_000_000], 0.1);
        assert_eq!(x.cumsum(0).at([999_999]), (1e6 * f64::from(0.1f32)) as f32);
    }
}
