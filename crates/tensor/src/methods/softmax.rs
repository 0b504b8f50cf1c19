//! Softmax and its logarithms along any axes.

use crate::array::element::Float;
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::kernels::{softmax, softmax_columns};
use crate::loops::along::{folded_rows, mapped_rows};
use crate::methods::assert_same_shape;

/// The length of the columns along `axis`, and how many lie side by side, if these are enough to be computed like this.
fn side_by_side<T: Float>(x: &Tensor<T>, axis: usize) -> Option<[usize; 2]> {
    let (_, length, inner) = x.shape().around(axis);
    (inner >= softmax_columns::FEWEST).then_some([length, inner])
}

/// What `kernel` makes of the elements of some tensors of one shape.
#[track_caller]
fn of_columns<T: Float, const N: usize>(
    operation: &str,
    inputs: [&Tensor<T>; N],
    kernel: impl FnOnce([&[T]; N], &mut [T]),
) -> Tensor<T> {
    let shape = inputs[0].shape().clone();
    let inputs = inputs.map(|x| x.contiguous_for(operation));
    Tensor::filled_by(operation, shape, |out| kernel(inputs.each_ref().map(Tensor::contiguous_slice), out))
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
        let axis = self.shape().axis("softmax", axis);
        if let Some(sizes) = side_by_side(self, axis) {
            return of_columns("softmax", [self], |[x], out| softmax_columns::softmax(x, sizes, out));
        }
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
        if let Some(sizes) = side_by_side(self, axis) {
            return of_columns("softmax_gradient", [self, v], |[y, v], out| {
                softmax_columns::gradient(y, v, sizes, out);
            });
        }
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
        if let Some(sizes) = side_by_side(self, axis) {
            return of_columns("log_softmax", [self], |[x], out| softmax_columns::log_softmax(x, sizes, out));
        }
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

    /// Columns side by side are as rows, whatever their length; with sums of as few terms as rows have.
    #[test]
    fn columns_are_as_rows() {
        for (length, inner) in [(1, 16), (31, 17), (33, 300), (97, 16), (1025, 40), (40_000, 16)] {
            let x = Tensor::<f64>::from_fn([2, length, inner], |i| {
                ((i[0] + i[1] * 7 + i[2] * 3) as f64).sin() * 5.0
            });
            let v = x.map(|x: f64| (3.0 * x).cos());
            let rows = |x: &Tensor<f64>| x.t().contiguous();
            let (y, turned) = (x.softmax(1), rows(&x).softmax(2));
            let near = |a: &Tensor<f64>, b: &Tensor<f64>| {
                assert!(rows(a).all_close(b, 1e-14, 1e-16), "{length} {inner}")
            };
            near(&y, &turned);
            near(&x.log_softmax(1), &rows(&x).log_softmax(2));
            near(&y.softmax_gradient(&v, 1), &turned.softmax_gradient(&rows(&v), 2));
        }
        let long =
            Tensor::<f32>::from_fn([1 << 16, 16], |i| ((i[0] * 31 + i[1]) % 1013) as f32 * 1e-3).softmax(0);
        let sums = long.cast::<f64>().sum_axes(0, false);
        assert!((sums - 1.0).abs().max().item() < 3e-7);
        assert_eq!(Tensor::<f32>::zeros([0, 16]).softmax(0).shape(), &[0, 16]);
    }

    #[test]
    fn columns_of_infinities_and_nan() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let x = Tensor::from([[-inf, -inf], [inf, 0.0], [nan, 0.0], [-inf, 3.0], [inf, -inf]]);
        let wide = x.tile(&[8, 1]).t();
        let bits = |x: Tensor<f32>| -> Vec<u32> {
            x.to_vec().iter().map(|x| if x.is_nan() { 1 } else { x.to_bits() }).collect()
        };
        assert_eq!(bits(wide.softmax(0).t()), bits(x.softmax(1).tile(&[8, 1])));
        assert_eq!(bits(wide.log_softmax(0).t()), bits(x.log_softmax(1).tile(&[8, 1])));
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
