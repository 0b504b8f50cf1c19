//! Layer normalisation with its derivatives to second order, each in one pass over the rows.
//!
//! With z = (x − x̄)·r and r = 1/√(variance + ε) of each row, the tangent of z is J·ẋ with the Jacobian
//! J·u = r·(u − ū − z·mean(u·z)), which is symmetric (Ba, Kiros and Hinton, "Layer normalization", 2016). So it serves
//! tangents and cotangents alike, and its own derivative along ẋ is
//! −r·(mean(z·ẋ)·J·u + mean(u·z)·J·ẋ + z·mean(u·J·ẋ)).

mod rows;
#[cfg(test)]
mod tests;

use crate::array::element::Float;
use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::machine::parallel::{self, PARALLEL_THRESHOLD};
use crate::machine::simd::dispatch;
use rows::{
    GainGradient, GainGradientTangent, Gradient, GradientTangent, Gradients, RowSum, SumRows, Value,
    ValueTangent,
};

/// Rows that are added up one after the other where rows are summed.
const ROW_BLOCK: usize = 32;

impl<T: Float> Tensor<T> {
    /// (x − mean) / √(variance + ε) · gain + bias, where the axes of `gain` and `bias` are the last axes of x, and the mean
    /// and the variance Σ(x − mean)²/n are taken over them.
    ///
    /// # Panics
    /// If the shapes of gain and bias differ or are not that of the last axes.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (gain, bias) = (Tensor::from([1.0f64, 2.0]), Tensor::from([0.0, 10.0]));
    /// assert_eq!(Tensor::from([[3.0, 1.0]]).layer_norm(&gain, &bias, 0.0).to_vec(), [1.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(&self, gain: &Tensor<T>, bias: &Tensor<T>, epsilon: f64) -> Tensor<T> {
        compiled_here! {
            fn value<T: Float>(x: &Tensor<T>, gain: &Tensor<T>, bias: &Tensor<T>, epsilon: T) -> Tensor<T> {
                let (gain, bias) = (gain.contiguous(), bias.contiguous());
                x.map_last(&gain, Value { gain: gain.contiguous_slice(), bias: bias.contiguous_slice(), epsilon })
            }
        }
        assert_fits(self, [gain, bias]);
        value(self, gain, bias, T::from_f64(epsilon))
    }

    /// The tangent of [`layer_norm`](Tensor::layer_norm) along tangents of x, gain and bias.
    ///
    /// # Panics
    /// If a tangent does not have the shape of what it belongs to, or the gain does not fit.
    #[track_caller]
    pub fn layer_norm_tangent(&self, gain: &Tensor<T>, epsilon: f64, along: [&Tensor<T>; 3]) -> Tensor<T> {
        assert_fits(self, [gain, along[1], along[2]]);
        assert_alike(self, [along[0]]);
        let (gain, along) = (gain.contiguous(), along.map(Tensor::contiguous));
        let along = along.each_ref().map(Tensor::contiguous_slice);
        let epsilon = T::from_f64(epsilon);
        self.map_last(&gain, ValueTangent { gain: gain.contiguous_slice(), along, epsilon })
    }

    /// The gradient of [`layer_norm`](Tensor::layer_norm) with respect to x for the cotangent `v`.
    ///
    /// # Panics
    /// If `v` does not have the shape of x, or the gain does not fit.
    #[track_caller]
    pub fn layer_norm_gradient(&self, gain: &Tensor<T>, v: &Tensor<T>, epsilon: f64) -> Tensor<T> {
        assert_fits(self, [gain]);
        assert_alike(self, [v]);
        let (gain, v) = (gain.contiguous(), v.contiguous());
        let epsilon = T::from_f64(epsilon);
        self.map_last(&gain, Gradient { gain: gain.contiguous_slice(), v: v.contiguous_slice(), epsilon })
    }

    /// The tangent of [`layer_norm_gradient`](Tensor::layer_norm_gradient) along tangents of x, gain and `v`.
    ///
    /// # Panics
    /// If a tangent does not have the shape of what it belongs to, or the gain or `v` does not fit.
    #[track_caller]
    pub fn layer_norm_gradient_tangent(
        &self,
        gain: &Tensor<T>,
        v: &Tensor<T>,
        epsilon: f64,
        along: [&Tensor<T>; 3],
    ) -> Tensor<T> {
        assert_fits(self, [gain, along[1]]);
        assert_alike(self, [v, along[0], along[2]]);
        let (gain, v, along) = (gain.contiguous(), v.contiguous(), along.map(Tensor::contiguous));
        let along = along.each_ref().map(Tensor::contiguous_slice);
        let (of_gain, v, epsilon) = (gain.contiguous_slice(), v.contiguous_slice(), T::from_f64(epsilon));
        self.map_last(&gain, GradientTangent { gain: of_gain, v, along, epsilon })
    }

    /// The gradient of [`layer_norm`](Tensor::layer_norm) with respect to the gain, whose shape is `gain`, for the
    /// cotangent `v`.
    ///
    /// # Panics
    /// If `v` does not have the shape of x, or `gain` is not that of its last axes.
    #[track_caller]
    pub fn layer_norm_gain_gradient(&self, v: &Tensor<T>, epsilon: f64, gain: &Shape) -> Tensor<T> {
        assert_last(self, gain);
        assert_alike(self, [v]);
        let v = v.contiguous();
        self.sum_to_last(gain, GainGradient { v: v.contiguous_slice(), epsilon: T::from_f64(epsilon) })
    }

    /// The tangent of [`layer_norm_gain_gradient`](Tensor::layer_norm_gain_gradient) along tangents of x and `v`.
    ///
    /// # Panics
    /// If a tangent or `v` does not have the shape of x, or `gain` is not that of its last axes.
    #[track_caller]
    pub fn layer_norm_gain_gradient_tangent(
        &self,
        v: &Tensor<T>,
        epsilon: f64,
        gain: &Shape,
        along: [&Tensor<T>; 2],
    ) -> Tensor<T> {
        assert_last(self, gain);
        assert_alike(self, [v, along[0], along[1]]);
        let (v, along) = (v.contiguous(), along.map(Tensor::contiguous));
        let along = along.each_ref().map(Tensor::contiguous_slice);
        let (v, epsilon) = (v.contiguous_slice(), T::from_f64(epsilon));
        self.sum_to_last(gain, GainGradientTangent { v, along, epsilon })
    }

    /// The gradients of [`layer_norm`](Tensor::layer_norm) with respect to x, gain and bias for the cotangent `v`, in one
    /// pass.
    ///
    /// # Panics
    /// If `v` does not have the shape of x, or the gain does not fit.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (x, gain, v) = (Tensor::from([[3.0f64, 1.0]]), Tensor::ones([2]), Tensor::from([[1.0, 0.0]]));
    /// let [of_x, of_gain, of_bias] = x.layer_norm_gradients(&gain, &v, 0.0);
    /// assert_eq!(of_x.to_vec(), [0.0, 0.0]);
    /// assert_eq!((of_gain.to_vec(), of_bias.to_vec()), (vec![1.0, 0.0], vec![1.0, 0.0]));
    /// ```
    #[track_caller]
    pub fn layer_norm_gradients(&self, gain: &Tensor<T>, v: &Tensor<T>, epsilon: f64) -> [Tensor<T>; 3] {
        assert_fits(self, [gain]);
        assert_alike(self, [v]);
        if self.is_empty() {
            return [self.clone(), Tensor::zeros(gain.shape()), Tensor::zeros(gain.shape())];
        }
        let (x, gain, v) = (self.contiguous(), gain.contiguous(), v.contiguous());
        let length = gain.len();
        let mut parts: Vec<Vec<T>> = Vec::new();
        let of_x = Tensor::filled_by("layer_norm", self.shape().clone(), |out| {
            let block = ROW_BLOCK * length;
            let mut blocks: Vec<(&mut [T], Vec<T>)> =
                out.chunks_mut(block).map(|out| (out, vec![T::ZERO; 2 * length])).collect();
            parallel::for_each_chunk(&mut blocks, 1, x.len() >= PARALLEL_THRESHOLD, |i, blocks| {
                let (of_x, sums) = &mut blocks[0];
                let (of_gain, of_bias) = sums.split_at_mut(length);
                let range = i * block..i * block + of_x.len();
                let (x, v) = (&x.contiguous_slice()[range.clone()], &v.contiguous_slice()[range]);
                let (gain, epsilon) = (gain.contiguous_slice(), T::from_f64(epsilon));
                dispatch(Gradients { x, gain, v, epsilon, of_x, of_gain, of_bias });
            });
            parts.extend(blocks.into_iter().map(|(_, sums)| sums));
        });
        let sums = parallel::reduce(parts.len(), false, |i| parts[i].clone(), added);
        let sums = sums.expect("there are rows");
        let sum = |part: &[T]| Tensor::vector(part).reshape(gain.shape());
        [of_x, sum(&sums[..length]), sum(&sums[length..])]
    }

    /// `f` of the rows that the last axes of `gain`'s shape make up.
    fn map_last(&self, gain: &Tensor<T>, f: impl RowMap<T, T>) -> Tensor<T> {
        if self.is_empty() {
            return self.clone();
        }
        let rows = self.reshape([self.len() / gain.len(), gain.len()]);
        rows.map_rows("layer_norm", 1, f).reshape(self.shape())
    }

    /// The sum of `f` of all rows that the last axes make up.
    #[track_caller]
    fn sum_to_last(&self, shape: &Shape, f: impl RowSum<T>) -> Tensor<T> {
        if self.is_empty() {
            return Tensor::zeros(shape);
        }
        let (x, length) = (self.contiguous(), shape.count());
        let x = x.contiguous_slice();
        let partial = |i: usize| {
            let mut sum = vec![T::ZERO; length];
            let first = i * ROW_BLOCK;
            let x = &x[first * length..x.len().min((first + ROW_BLOCK) * length)];
            dispatch(SumRows { first, x, sum: &mut sum, f: &f });
            sum
        };
        let blocks = x.len().div_ceil(ROW_BLOCK * length);
        let sum = parallel::reduce(blocks, x.len() >= PARALLEL_THRESHOLD, partial, added);
        Tensor::vector(&sum.expect("there are rows")).reshape(shape)
    }
}

/// a + b.
fn added<T: Float>(mut a: Vec<T>, b: Vec<T>) -> Vec<T> {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

#[track_caller]
fn assert_last<T: Float>(x: &Tensor<T>, gain: &Shape) {
    if !x.shape().ends_with(gain) {
        panic!(
            "layer_norm: {gain}, the shape of the gain, is not that of the last axes of shape {}",
            x.shape()
        );
    }
}

/// That all have the shape of the last axes of `x`.
#[track_caller]
fn assert_fits<T: Float, const N: usize>(x: &Tensor<T>, gains: [&Tensor<T>; N]) {
    assert_last(x, gains[0].shape());
    assert_alike(gains[0], gains);
}

#[track_caller]
fn assert_alike<T: Float, const N: usize>(a: &Tensor<T>, others: [&Tensor<T>; N]) {
    for b in others {
        assert!(a.shape() == b.shape(), "layer_norm: shapes {} and {} differ", a.shape(), b.shape());
    }
}
