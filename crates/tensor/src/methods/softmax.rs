//! Softmax and its logarithms along any axes.

use crate::array::element::Float;
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::kernels::softmax;
use crate::loops::along::{folded_rows, mapped_rows};
use crate::methods::assert_same_shape;

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
        let axis = self.shape().axis("softmax", axis);
        mapped_rows("softmax", axis, [self], |[x], length, out| softmax::softmax(x, length, out))
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
        let axis = self.shape().axis("softmax_gradient", axis);
        assert_same_shape("softmax_gradient", self, v);
        mapped_rows("softmax_gradient", axis, [self, v], |[y, v], length, out| {
            softmax::gradient(y, v, length, out);
        })
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
        let axis = self.shape().axis("softmax_gradient_tangent", axis);
        for other in [v, along[0], along[1]] {
            assert_same_shape("softmax_gradient_tangent", self, other);
        }
        let inputs = [self, v, along[0], along[1]];
        mapped_rows("softmax_gradient_tangent", axis, inputs, |[y, v, t_y, t_v], length, out| {
            softmax::gradient_tangent(y, v, [t_y, t_v], length, out);
        })
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
        let axis = self.shape().axis("log_softmax", axis);
        mapped_rows("log_softmax", axis, [self], |[x], length, out| softmax::log_softmax(x, length, out))
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
        let mask = axes.into().mask("logsumexp", self.shape());
        folded_rows("logsumexp", self, &mask, keepdim, softmax::logsumexp)
    }
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
