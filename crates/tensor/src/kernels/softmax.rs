//! Softmax and its logarithms, stable for elements of any size.

use crate::array::element::Float;
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::reduce::fold_slice;
use crate::loops::rows::row_of;
use crate::loops::{Map1, RowFold, RowMap};
use crate::machine::simd::Isa;
use crate::methods::extremes::Extreme;
use crate::methods::norm::SumOf;

/// e^(x − shift).
pub(crate) struct ShiftedExp<T>(pub(crate) T);

impl<T: Float> Map1<T, T> for ShiftedExp<T> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        (x - self.0).exp::<I>()
    }
}

/// The longest rows that are short: one after the other they would leave most lanes of a register empty.
pub(crate) const SHORT: usize = 32;
/// Short rows that are computed at once.
pub(crate) const SHORT_ROWS: usize = 16;

/// exp(x − largest) of each of some short rows, and their largest elements: one loop over the elements of all rows.
#[inline(always)]
pub(crate) fn shifted_exps<T: Float, I: Isa>(x: &[T], length: usize, exps: &mut [T]) -> [T; SHORT_ROWS] {
    let mut largest = [T::NEG_INFINITY; SHORT_ROWS];
    for ((x, exps), largest) in x.chunks_exact(length).zip(exps.chunks_exact_mut(length)).zip(&mut largest) {
        *largest = x.iter().fold(T::NEG_INFINITY, |largest, &x| largest.maximum(x));
        for (e, &x) in exps.iter_mut().zip(x) {
            *e = x - *largest;
        }
    }
    for e in exps.iter_mut() {
        *e = e.exp::<I>();
    }
    largest
}

struct Softmax;

impl<T: Float> RowMap<T, T> for Softmax {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let exp = ShiftedExp(fold_slice(x, &Extreme::<true>));
        for (o, &x) in out.iter_mut().zip(x) {
            *o = exp.call::<I>(x);
        }
        let total = fold_slice(out, &SumOf(|e: T| e));
        for o in out {
            *o /= total;
        }
    }
}

/// y·(v − Σ y·v), with these v.
struct Gradient<'a, T>(&'a [T]);

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, y: &[T], out: &mut [T]) {
        let v = row_of(self.0, index, y.len());
        let mean = sum_of_products(y, v, out);
        for ((o, &y), &v) in out.iter_mut().zip(y).zip(v) {
            *o = y * (v - mean);
        }
    }
}

/// ẏ·(v − Σ y·v) + y·(v̇ − Σ(ẏ·v + y·v̇)), with these v, ẏ and v̇.
struct GradientTangent<'a, T> {
    v: &'a [T],
    along: [&'a [T]; 2],
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, y: &[T], out: &mut [T]) {
        let [t_y, t_v] = self.along;
        let [v, t_y, t_v] = [self.v, t_y, t_v].map(|rows| row_of(rows, index, y.len()));
        let mean = sum_of_products(y, v, out);
        for ((((o, &y), &v), &t_y), &t_v) in out.iter_mut().zip(y).zip(v).zip(t_y).zip(t_v) {
            *o = t_y * v + y * t_v;
        }
        let change = fold_slice(out, &SumOf(|e: T| e));
        for ((((o, &y), &v), &t_y), &t_v) in out.iter_mut().zip(y).zip(v).zip(t_y).zip(t_v) {
            *o = t_y * (v - mean) + y * (t_v - change);
        }
    }
}

/// Σ a·b, with the products written to `scratch`.
#[inline(always)]
fn sum_of_products<T: Float>(a: &[T], b: &[T], scratch: &mut [T]) -> T {
    for ((o, &a), &b) in scratch.iter_mut().zip(a).zip(b) {
        *o = a * b;
    }
    fold_slice(scratch, &SumOf(|e: T| e))
}

struct LogSoftmax;

impl<T: Float> RowMap<T, T> for LogSoftmax {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let largest = fold_slice(x, &Extreme::<true>);
        let total = fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>();
        for (o, &x) in out.iter_mut().zip(x) {
            *o = x - largest - total;
        }
    }
}

struct LogSumExp;

impl<T: Float> RowFold<T, T> for LogSumExp {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T]) -> T {
        let largest = fold_slice(x, &Extreme::<true>);
        // An infinite or NaN maximum, also that of no elements, is the result; shifted by it, infinities give NaN.
        if !largest.is_finite() {
            return largest;
        }
        largest + fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>()
    }
}

impl<T: Float> Tensor<T> {
    /// eˣ / Σeˣ along `axis`, computed from differences to the largest element, so that nothing overflows. A row that
    /// contains NaN or +∞, or nothing but −∞, becomes NaN, as in PyTorch.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1000.0f32, 1000.0], [0.0, f32::NEG_INFINITY]]);
    /// assert_eq!(x.softmax(-1).to_vec(), [0.5, 0.5, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn softmax(&self, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn softmax<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
                x.map_rows("softmax", axis, Softmax)
            }
        }
        softmax(self, self.shape().axis("softmax", axis))
    }

    /// The product of softmax's Jacobian with `v`, y·(v − Σ y·v) along `axis`, where `self` is y, the softmax. The Jacobian is
    /// symmetric: `v` may be a cotangent or a tangent.
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let y = Tensor::from([0.5f64, 0.5]);
    /// assert_eq!(y.softmax_gradient(&Tensor::from([1.0, 0.0]), 0).to_vec(), [0.25, -0.25]);
    /// ```
    #[track_caller]
    pub fn softmax_gradient(&self, v: &Tensor<T>, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn gradient<T: Float>(y: &Tensor<T>, v: &Tensor<T>, axis: usize) -> Tensor<T> {
                let v = last_axis(v, axis);
                let last = v.rank() - 1;
                let rows = Gradient(v.contiguous_slice());
                last_axis(y, axis).map_rows("softmax_gradient", last, rows).transpose(axis, last)
            }
        }
        let axis = self.shape().axis("softmax_gradient", axis);
        assert_same_shape("softmax_gradient", self, v);
        gradient(self, v, axis)
    }

    /// The tangent of [`softmax_gradient`](Tensor::softmax_gradient) along tangents ẏ of y and v̇ of `v`:
    /// ẏ·(v − Σ y·v) + y·(v̇ − Σ(ẏ·v + y·v̇)).
    ///
    /// # Panics
    /// If there is no such axis, or the shapes differ.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (y, v) = (Tensor::from([0.5f64, 0.5]), Tensor::from([1.0, 0.0]));
    /// let (t_y, t_v) = (Tensor::from([1.0, 0.0]), Tensor::from([0.0, 1.0]));
    /// assert_eq!(y.softmax_gradient_tangent(&v, [&t_y, &t_v], 0).to_vec(), [-0.25, -0.25]);
    /// ```
    #[track_caller]
    pub fn softmax_gradient_tangent(
        &self,
        v: &Tensor<T>,
        along: [&Tensor<T>; 2],
        axis: impl Into<Axis>,
    ) -> Tensor<T> {
        compiled_here! {
            fn tangent_of_gradient<T: Float>(
                y: &Tensor<T>,
                v: &Tensor<T>,
                along: [&Tensor<T>; 2],
                axis: usize,
            ) -> Tensor<T> {
                let (v, along) = (last_axis(v, axis), along.map(|t| last_axis(t, axis)));
                let last = v.rank() - 1;
                let along = along.each_ref().map(Tensor::contiguous_slice);
                let rows = GradientTangent { v: v.contiguous_slice(), along };
                last_axis(y, axis).map_rows("softmax_gradient_tangent", last, rows).transpose(axis, last)
            }
        }
        let axis = self.shape().axis("softmax_gradient_tangent", axis);
        for other in [v, along[0], along[1]] {
            assert_same_shape("softmax_gradient_tangent", self, other);
        }
        tangent_of_gradient(self, v, along, axis)
    }

    /// x − ln Σeˣ along `axis`: the logarithm of [`softmax`](Tensor::softmax), accurate where softmax underflows, and
    /// NaN in the same rows.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([0.0f32, 200.0]).log_softmax(0).to_vec(), [-200.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn log_softmax(&self, axis: impl Into<Axis>) -> Tensor<T> {
        compiled_here! {
            fn log_softmax<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
                x.map_rows("log_softmax", axis, LogSoftmax)
            }
        }
        log_softmax(self, self.shape().axis("log_softmax", axis))
    }

    /// ln Σeˣ along `axes`, which stay with length 1 if `keepdim`, without overflow. −∞ if all elements are −∞ or there are
    /// none, +∞ if one is +∞, NaN if one is NaN.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1000.0f64, 1000.0]);
    /// assert_eq!(x.logsumexp(.., false).item(), 1000.0 + 2f64.ln());
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Into<Axes>, keepdim: bool) -> Tensor<T> {
        compiled_here! {
            fn logsumexp<T: Float>(x: &Tensor<T>, mask: &[bool], keepdim: bool) -> Tensor<T> {
                x.fold_rows_masked(mask, keepdim, LogSumExp)
            }
        }
        logsumexp(self, &axes.into().mask("logsumexp", self.shape()), keepdim)
    }
}

#[track_caller]
pub(crate) fn assert_same_shape<T: Float>(operation: &str, a: &Tensor<T>, b: &Tensor<T>) {
    assert!(a.shape() == b.shape(), "{operation}: shapes {} and {} differ", a.shape(), b.shape());
}

/// Contiguous, with `axis` and the last one exchanged.
pub(crate) fn last_axis<T: Float>(x: &Tensor<T>, axis: usize) -> Tensor<T> {
    x.transpose(axis, x.rank() - 1).contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_the_jacobian_along_every_axis() {
        let wave = |k: usize| {
            Tensor::<f64>::from_fn([3, 5, 70], move |i| ((i[0] * 7 + i[1] * k + i[2] * 11) % 13) as f64 - 6.0)
        };
        let (v, t_y, t_v) = (wave(3), wave(5), wave(9));
        for axis in 0..3 {
            let y = wave(1).softmax(axis);
            let mean = (&y * &v).sum_axes(axis, true);
            let product = &y * &(&v - &mean);
            assert!(y.softmax_gradient(&v, axis).all_close(&product, 1e-12, 1e-14));
            let change = (&t_y * &v + &y * &t_v).sum_axes(axis, true);
            let tangent = &t_y * &(&v - &mean) + &y * &(&t_v - &change);
            assert!(y.softmax_gradient_tangent(&v, [&t_y, &t_v], axis).all_close(&tangent, 1e-12, 1e-12));
        }
    }

    #[test]
    #[should_panic(expected = "softmax_gradient: shapes")]
    fn products_with_a_vector_of_another_shape() {
        let _ = Tensor::<f64>::ones([2, 3]).softmax_gradient(&Tensor::ones([3]), 1);
    }

    #[test]
    fn against_the_definition_along_every_axis() {
        let x = Tensor::<f64>::from_fn([3, 5, 70], |i| ((i[0] * 7 + i[1] * 3 + i[2] * 11) % 13) as f64 - 6.0);
        for axis in 0..3 {
            let exp = x.exp();
            let sum = exp.sum_axes(axis, true);
            assert!(x.softmax(axis).all_close(&(&exp / &sum), 1e-14, 0.0));
            assert!(x.log_softmax(axis).all_close(&(&x - &sum.ln()), 1e-13, 1e-14));
            assert!(x.logsumexp(axis, true).all_close(&sum.ln(), 1e-14, 0.0));
        }
        let all = x.exp().sum().ln().item();
        assert!((x.logsumexp([0, 2], false).logsumexp(0, false).item() - all).abs() < 1e-13);
    }

    #[test]
    fn rows_of_infinities_and_nan() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let x = Tensor::from([[-inf, -inf], [inf, 0.0], [nan, 0.0], [-inf, 3.0], [inf, -inf]]);
        let lse = x.logsumexp(1, false).to_vec();
        assert_eq!((lse[0], lse[1], lse[3], lse[4]), (-inf, inf, 3.0, inf));
        assert!(lse[2].is_nan());
        assert_eq!(Tensor::<f32>::zeros([2, 0]).logsumexp(1, false).to_vec(), [-inf, -inf]);
        let soft = x.softmax(1);
        assert!(soft.slice(..3).is_nan().any_axes(1, false).all());
        assert_eq!(soft.select(0, 3).to_vec(), [0.0, 1.0]);
        assert_eq!(x.select(0, 3).log_softmax(0).to_vec(), [-inf, 0.0]);
    }
}
