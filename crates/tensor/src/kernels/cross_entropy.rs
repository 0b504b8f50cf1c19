//! Softmax cross-entropy against class labels, fused: the logits are read once forward and once backward.

use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::kernels::softmax::{SHORT, SHORT_ROWS, ShiftedExp, shifted_exps};
use crate::loops::reduce::fold_slice;
use crate::loops::rows::{one_by_one, row_of};
use crate::loops::sums::sums;
use crate::loops::{Map1, RowFold, RowMap};
use crate::machine::simd::Isa;
use crate::methods::extremes::Extreme;
use crate::methods::norm::SumOf;

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
        total - self.target(index, x, largest)
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.row::<I>(first + i, row_of(x, i, length));
            }
            return;
        }
        let mut exps = [T::ZERO; SHORT * SHORT_ROWS];
        let blocks = x.chunks(SHORT_ROWS * length).zip(out.chunks_mut(SHORT_ROWS));
        for (block, (x, out)) in blocks.enumerate() {
            let exps = &mut exps[..x.len()];
            let largest = shifted_exps::<T, I>(x, length, exps);
            for (out, exps) in out.iter_mut().zip(exps.chunks_exact(length)) {
                *out = exps.iter().copied().sum();
            }
            for out in out.iter_mut() {
                *out = out.ln::<I>();
            }
            for (i, out) in out.iter_mut().enumerate() {
                *out -= self.target(first + block * SHORT_ROWS + i, row_of(x, i, length), largest[i]);
            }
        }
    }
}

impl<T: Float> Loss<'_, T> {
    /// x[label] − largest, smoothed.
    #[inline(always)]
    fn target(&self, index: usize, x: &[T], largest: T) -> T {
        let target = x[self.labels[index] as usize] - largest;
        if self.smoothing > T::ZERO {
            let mean = fold_slice(x, &SumOf(|x: T| x - largest)) / T::from_usize(x.len());
            return target + self.smoothing * (mean - target);
        }
        target
    }
}

/// Puts exp(x − its row's largest element) into `out`, for rows that are short, and hands each row of it to `finish` with
/// its number.
#[inline(always)]
fn exps_of_short_rows<T: Float, I: Isa>(
    x: &[T],
    length: usize,
    out: &mut [T],
    finish: impl Fn(usize, &mut [T]),
) {
    let block = SHORT_ROWS * length;
    for (b, (x, out)) in x.chunks(block).zip(out.chunks_mut(block)).enumerate() {
        shifted_exps::<T, I>(x, length, out);
        for (i, exps) in out.chunks_exact_mut(length).enumerate() {
            finish(b * SHORT_ROWS + i, exps);
        }
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
        let exp = ShiftedExp(fold_slice(x, &Extreme::<true>));
        for (o, &x) in out.iter_mut().zip(x) {
            *o = exp.call::<I>(x);
        }
        let total = fold_slice(out, &SumOf(|e: T| e));
        self.finish(index, total, out);
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            return one_by_one::<I, T, T>(self, first, length, x, out);
        }
        exps_of_short_rows::<T, I>(x, length, out, |i, exps| {
            let total = exps.iter().copied().sum();
            self.finish(first + i, total, exps);
        });
    }
}

impl<T: Float> Gradient<'_, T> {
    /// Makes of the exponentials of a row, and their total, its part of the gradient.
    #[inline(always)]
    fn finish(&self, index: usize, total: T, out: &mut [T]) {
        let g = self.scale[index];
        let factor = g / total;
        let spread = g * self.smoothing / T::from_usize(out.len());
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
        self.finish(index, sums([out, t], |[e, t]| [e, e * t]), t, out);
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            return one_by_one::<I, T, T>(self, first, length, x, out);
        }
        exps_of_short_rows::<T, I>(x, length, out, |i, exps| {
            let t = row_of(self.t, first + i, length);
            let total = exps.iter().copied().sum();
            let with_t = exps.iter().zip(t).map(|(&e, &t)| e * t).sum();
            self.finish(first + i, [total, with_t], t, exps);
        });
    }
}

impl<T: Float> GradientTangent<'_, T> {
    /// Makes of the exponentials of a row, their total and their sum with t, its part of the tangent.
    #[inline(always)]
    fn finish(&self, index: usize, [total, with_t]: [T; 2], t: &[T], out: &mut [T]) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::parallel::with_threads;

    fn wave(shape: [usize; 2], k: usize) -> Tensor<f64> {
        Tensor::from_fn(shape, move |i| ((i[0] * 7 + i[1] * k + 3) % 13) as f64 - 6.0)
    }

    /// Rows about the lengths and numbers at which they are computed in blocks.
    #[test]
    fn rows_of_every_length_against_the_definition() {
        for length in [1, 2, 10, SHORT - 1, SHORT, SHORT + 1, 100] {
            for rows in [0, 1, SHORT_ROWS - 1, SHORT_ROWS, SHORT_ROWS + 1, 3 * SHORT_ROWS + 5, 5000] {
                for smoothing in [0.0, 0.1] {
                    let (x, t) = (wave([rows, length], 5), wave([rows, length], 3));
                    let labels: Vec<u32> = (0..rows).map(|i| (i * 5 % length) as u32).collect();
                    let labels = Tensor::vector(&labels);
                    let target = Tensor::<f64>::one_hot(&labels, length) * (1.0 - smoothing)
                        + smoothing / length as f64;
                    let scale = wave([rows, 1], 1);
                    let flat = scale.reshape([rows]);
                    let close = |a: &Tensor<f64>, b: &Tensor<f64>| a.all_close(b, 1e-13, 1e-12);
                    let found = x.softmax_cross_entropy(&labels, smoothing);
                    let losses = -(x.log_softmax(1) * &target).sum_axes(1, false);
                    assert!(close(&found, &losses), "losses of {rows} rows of {length}");
                    let y = x.softmax(1);
                    let gradient = x.softmax_cross_entropy_gradient(&labels, smoothing, &flat);
                    assert!(
                        close(&gradient, &((&y - &target) * &scale)),
                        "gradient of {rows} rows of {length}"
                    );
                    let mean = (&y * &t).sum_axes(1, true);
                    let tangent = x.softmax_cross_entropy_gradient_tangent(&flat, &t);
                    assert!(
                        close(&tangent, &(&y * &(&t - &mean) * &scale)),
                        "tangent of {rows} rows of {length}"
                    );
                    let threaded = with_threads(3, || x.softmax_cross_entropy(&labels, smoothing));
                    assert_eq!(threaded.to_vec(), found.to_vec());
                }
            }
        }
    }

    #[test]
    fn infinities_and_nan_stay_in_their_rows() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let x = Tensor::from([[-inf, 0.0], [inf, 0.0], [nan, 0.0], [1.0, 1.0]]);
        let labels = Tensor::vector(&[1, 0, 1, 0]);
        let losses = x.softmax_cross_entropy(&labels, 0.0).to_vec();
        assert!(losses[0] == 0.0 && losses[1].is_nan() && losses[2].is_nan());
        assert!((losses[3] - std::f32::consts::LN_2).abs() < 1e-6);
        let gradient = x.softmax_cross_entropy_gradient(&labels, 0.0, &Tensor::ones([4])).to_vec();
        assert!(gradient[2..6].iter().all(|g| g.is_nan()));
        assert_eq!((&gradient[..2], &gradient[6..]), (&[0.0, 0.0][..], &[-0.5, 0.5][..]));
    }
}
