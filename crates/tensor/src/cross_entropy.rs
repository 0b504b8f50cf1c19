//! Softmax cross-entropy against class labels, fused: the logits are read once forward and once backward.

use crate::compiled_here;
use crate::element::Float;
use crate::extremes::Extreme;
use crate::loops::reduce::fold_slice;
use crate::loops::rows::row_of;
use crate::loops::sums::sums;
use crate::loops::{Map1, RowFold, RowMap};
use crate::norm::SumOf;
use crate::simd::Isa;
use crate::softmax::ShiftedExp;
use crate::tensor::Tensor;

/// ln Σ eˣ − x[label] of each row, with a share `smoothing` of the label spread over all classes.
struct Loss<'a, T> {
    labels: &'a [u32],
    smoothing: T,
}

impl<T: Float> RowFold<T, T> for Loss<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T]) -> T {
        // Differences to the largest logit: nothing overflows, and a large common part cancels exactly.
        let largest = fold_slice(x, &Extreme::<true>);
        let total = fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>();
        let mut target = x[self.labels[index] as usize] - largest;
        if self.smoothing > T::ZERO {
            let mean = fold_slice(x, &SumOf(|x: T| x - largest)) / T::from_usize(x.len());
            target += self.smoothing * (mean - target);
        }
        total - target
    }
}

/// g · (softmax(x) − target) of each row.
struct Gradient<'a, T> {
    labels: &'a [u32],
    smoothing: T,
    scale: &'a [T],
}

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let g = self.scale[index];
        let exp = ShiftedExp(fold_slice(x, &Extreme::<true>));
        for (o, &x) in out.iter_mut().zip(x) {
            *o = exp.call::<I>(x);
        }
        let total = fold_slice(out, &SumOf(|e: T| e));
        let factor = g / total;
        let spread = g * self.smoothing / T::from_usize(x.len());
        for o in out.iter_mut() {
            *o = *o * factor - spread;
        }
        out[self.labels[index] as usize] -= g * (T::ONE - self.smoothing);
    }
}

/// scale · y·(t − Σ y·t) of each row, with y = softmax(x).
struct GradientTangent<'a, T> {
    t: &'a [T],
    scale: &'a [T],
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let t = row_of(self.t, index, x.len());
        let exp = ShiftedExp(fold_slice(x, &Extreme::<true>));
        for (o, &x) in out.iter_mut().zip(x) {
            *o = exp.call::<I>(x);
        }
        let [total, with_t] = sums([out, t], |[e, t]| [e, e * t]);
        let (mean, factor) = (with_t / total, self.scale[index] / total);
        for (o, &t) in out.iter_mut().zip(t) {
            *o = *o * factor * (t - mean);
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The softmax cross-entropy ln Σ eˣ − x\[label\] of each row of logits `[rows, classes]`. With label smoothing
    /// ε, the target is 1 − ε on the label plus ε spread evenly over all classes (Szegedy et al., 2016).
    ///
    /// # Panics
    /// If the logits are not a matrix, there is not one label per row, or a label is not a class.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let logits = Tensor::from([[0.0f64, 0.0], [1000.0, 0.0]]);
    /// let losses = logits.softmax_cross_entropy(&Tensor::vector(&[0, 0]), 0.0).to_vec();
    /// assert!((losses[0] - 2f64.ln()).abs() < 1e-15 && losses[1] == 0.0);
    /// ```
    #[track_caller]
    pub fn softmax_cross_entropy(&self, labels: &Tensor<u32>, smoothing: f64) -> Tensor<T> {
        compiled_here! {
            fn losses<T: Float>(logits: &Tensor<T>, labels: &[u32], smoothing: T) -> Tensor<T> {
                logits.fold_rows_masked(&[false, true], false, Loss { labels, smoothing })
            }
        }
        losses(self, checked_labels(self, labels).contiguous_slice(), T::from_f64(smoothing))
    }

    /// The gradient of [`softmax_cross_entropy`](Tensor::softmax_cross_entropy) with respect to the logits: each
    /// row of softmax(x) − target times that row's element of `scale`.
    ///
    /// # Panics
    /// As `softmax_cross_entropy`, or if `scale` does not have one element per row.
    #[track_caller]
    pub fn softmax_cross_entropy_gradient(
        &self,
        labels: &Tensor<u32>,
        smoothing: f64,
        scale: &Tensor<T>,
    ) -> Tensor<T> {
        compiled_here! {
            fn gradient<T: Float>(logits: &Tensor<T>, labels: &[u32], smoothing: T, scale: &[T]) -> Tensor<T> {
                logits.map_rows("softmax_cross_entropy", -1, Gradient { labels, smoothing, scale })
            }
        }
        let labels = checked_labels(self, labels);
        assert!(
            scale.shape() == labels.shape(),
            "softmax_cross_entropy: {} factors for {} rows",
            scale.shape(),
            labels.shape()
        );
        let scale = scale.contiguous();
        gradient(self, labels.contiguous_slice(), T::from_f64(smoothing), scale.contiguous_slice())
    }

    /// The tangent of [`softmax_cross_entropy_gradient`](Tensor::softmax_cross_entropy_gradient) along the tangent `t` of the
    /// logits, where the labels play no part: scale·y·(t − Σ y·t) of each row, with y = softmax(x).
    ///
    /// # Panics
    /// If the logits are not a matrix, `t` has another shape, or `scale` does not have one element per row.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let (x, t) = (Tensor::<f64>::zeros([1, 2]), Tensor::from([[1.0, 0.0]]));
    /// let product = x.softmax_cross_entropy_gradient_tangent(&Tensor::vector(&[2.0]), &t);
    /// assert_eq!(product.to_vec(), [0.5, -0.5]);
    /// ```
    #[track_caller]
    pub fn softmax_cross_entropy_gradient_tangent(&self, scale: &Tensor<T>, t: &Tensor<T>) -> Tensor<T> {
        let shape = self.shape();
        if shape.len() != 2 || t.shape() != shape || scale.shape()[..] != shape[..1] {
            panic!(
                "softmax_cross_entropy: logits of shape {shape}, their tangent of shape {} and factors of shape {} do not fit",
                t.shape(),
                scale.shape()
            );
        }
        let (scale, t) = (scale.contiguous(), t.contiguous());
        let rows = GradientTangent { t: t.contiguous_slice(), scale: scale.contiguous_slice() };
        self.map_rows("softmax_cross_entropy", -1, rows)
    }
}

#[track_caller]
fn checked_labels<T: Float>(logits: &Tensor<T>, labels: &Tensor<u32>) -> Tensor<u32> {
    let shape = logits.shape();
    if shape.len() != 2 || labels.shape()[..] != shape[..1] {
        panic!(
            "softmax_cross_entropy: logits of shape {shape} and labels of shape {} are not [rows, classes] and [rows]",
            labels.shape()
        );
    }
    let labels = labels.contiguous();
    if let Some(i) = labels.contiguous_slice().iter().position(|&l| l as usize >= shape[1]) {
        let label = labels.contiguous_slice()[i];
        panic!(
            "softmax_cross_entropy: label {label} at position {i} is out of range for {} classes",
            shape[1]
        );
    }
    labels
}
