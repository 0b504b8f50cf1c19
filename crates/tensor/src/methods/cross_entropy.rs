//! Softmax cross-entropy against class labels.

use crate::array::element::Float;
use crate::array::tensor::Tensor;
use crate::kernels::cross_entropy;
use crate::loops::along::{folded_rows, mapped_rows};

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
        let labels = checked_labels(self, labels);
        folded_rows("softmax_cross_entropy", self, &[false, true], false, |logits, length, out| {
            let (labels, smoothing) = (labels.contiguous_slice(), T::from_f64(smoothing));
            cross_entropy::losses(logits, labels, smoothing, length, out);
        })
    }

    /// The gradient of [`softmax_cross_entropy`](Tensor::softmax_cross_entropy) with respect to the logits: each
    /// row of softmax(x) − target times that row's element of `scale`.
    ///
    /// # Panics
    /// As `softmax_cross_entropy`, or if `scale` does not have one element per row.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let (logits, labels) = (Tensor::from([[0.0f64, 0.0]]), Tensor::from([1u32]));
    /// let gradient = logits.softmax_cross_entropy_gradient(&labels, 0.0, &Tensor::from([1.0]));
    /// assert_eq!(gradient.to_vec(), [0.5, -0.5]);
    /// ```
    #[track_caller]
    pub fn softmax_cross_entropy_gradient(
        &self,
        labels: &Tensor<u32>,
        smoothing: f64,
        scale: &Tensor<T>,
    ) -> Tensor<T> {
        let labels = checked_labels(self, labels);
        assert!(
            scale.shape() == labels.shape(),
            "softmax_cross_entropy: {} factors for {} rows",
            scale.shape(),
            labels.shape()
        );
        let scale = scale.contiguous();
        mapped_rows("softmax_cross_entropy", 1, [self], |[logits], length, out| {
            let (labels, scale) = (labels.contiguous_slice(), scale.contiguous_slice());
            cross_entropy::gradient(logits, labels, T::from_f64(smoothing), scale, length, out);
        })
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
        let scale = scale.contiguous();
        mapped_rows("softmax_cross_entropy", 1, [self, t], |[logits, t], length, out| {
            cross_entropy::gradient_tangent(logits, t, scale.contiguous_slice(), length, out);
        })
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
    use crate::kernels::softmax::{SHORT, SHORT_ROWS};
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

    #[test]
    fn the_only_class_has_no_gradient_whatever_the_smoothing() {
        let labels: Tensor<u32> = Tensor::from([0, 0]);
        let scale = Tensor::from([1e15, -3e15]);
        for smoothing in [0.0, 0.1, 0.3, 0.7, 1.0] {
            let logits = Tensor::from([[3.0f64], [-2.0]]);
            let gradient = logits.softmax_cross_entropy_gradient(&labels, smoothing, &scale);
            assert_eq!(gradient.to_vec(), [0.0, 0.0], "smoothing {smoothing}");
        }
    }
}
